//! The kernels of a commit under the roofs of their testbeds, looked up for whoever shows them.

use std::collections::{BTreeMap, HashMap};

use super::error::CommandError;
use super::history;
use super::selection::Selection;
use crate::codec::Note;
use crate::judge::HistoryRecord;
use crate::model::{LineId, ObjectId, Profile, Run, Testbed};
use crate::report::roofline::TestbedRoofline;
use crate::roofline::{Evidence, Gpu, Limit, Precision, Roof, RoofSource, Roofs, kernels, measured_roofs};
use crate::settings::RooflineSettings;
use crate::store::AnnotatedHistory;

/// Limits that somebody gave.
#[derive(Debug, Default)]
pub struct Limits {
    /// The chip in place of the testbed's.
    pub gpu: Option<&'static Gpu>,
    /// The precision of every kernel.
    pub precision: Option<Precision>,
    /// Bytes per second.
    pub bandwidth: Option<f64>,
    /// Operations per second.
    pub peaks: BTreeMap<Precision, f64>,
}

impl Limits {
    /// Those of the settings, with another chip where one is named.
    ///
    /// # Errors
    /// A chip or a precision that nobody knows.
    pub fn new(settings: &RooflineSettings, gpu: Option<&String>) -> Result<Self, CommandError> {
        let gpu = gpu.or(settings.gpu.as_ref()).map(|name| Gpu::of(name).ok_or_else(|| unknown_gpu(name))).transpose()?;
        let mut peaks: BTreeMap<Precision, f64> = BTreeMap::new();
        for (word, rate) in &settings.peak {
            let precision =
                word.parse().map_err(|error| CommandError::usage(format!("[roofline.peak] of ratchet.toml: {error}")))?;
            peaks.insert(precision, *rate);
        }
        Ok(Self { gpu, precision: None, bandwidth: settings.bandwidth, peaks })
    }

    fn roofs(&self) -> impl Iterator<Item = Roof> {
        let roof = |limit, rate| Roof { limit, rate, source: RoofSource::Given };
        let memory = self.bandwidth.map(|rate| roof(Limit::Memory, rate));
        memory.into_iter().chain(self.peaks.iter().map(move |(precision, rate)| roof(Limit::Compute(*precision), *rate)))
    }
}

fn unknown_gpu(name: &str) -> CommandError {
    let known: Vec<&str> = crate::roofline::GPUS.iter().map(|gpu| gpu.name).collect();
    CommandError::usage(format!("no datasheet is known for `{name}`"))
        .with_hint(format!("known: {}; or give the limits: --bandwidth '300 GB/s' --peak f16='121 TFLOP/s'", known.join(", ")))
}

/// The rooflines of the testbeds on which the commit was measured, those without a kernel left out.
pub fn gather(commit: ObjectId, annotated: &AnnotatedHistory, selection: &Selection, given: &Limits) -> Vec<TestbedRoofline> {
    let Some(own) = annotated.commits.iter().find(|entry| entry.commit == commit) else { return Vec::new() };
    let everything = history::records(&annotated.commits, &Selection::default());
    let mut of_commit: Vec<HistoryRecord<'_>> = everything
        .iter()
        .filter(|entry| entry.commit == commit && selection.covers_point(&entry.record.benchmark, &entry.record.config))
        .copied()
        .collect();
    history::set_untrusted_aside(&mut of_commit);
    let beds: BTreeMap<&str, &Testbed> = own.note.runs.iter().map(|run| (run.testbed.key(), &run.testbed)).collect();
    let of_bed = |(key, bed): (&str, &Testbed)| {
        let mut kernels = kernels(key, of_commit.iter().map(evidence), &profiles(&own.note, key, selection));
        kernels.iter_mut().for_each(|kernel| kernel.precision = given.precision.or(kernel.precision));
        let gpu = given.gpu.or_else(|| Gpu::of(key)).or_else(|| bed.facts.get("gpu").and_then(|name| Gpu::of(name)));
        let mut roofs = gpu.map(Roofs::of_datasheet).unwrap_or_default();
        roofs.extend(measured_roofs(key, everything.iter().map(evidence)));
        roofs.extend(given.roofs());
        (!kernels.is_empty()).then(|| TestbedRoofline::new(key.to_owned(), gpu, roofs, kernels))
    };
    beds.into_iter().filter(|(key, _)| selection.covers_testbed(key)).filter_map(of_bed).collect()
}

/// The selected profiles of a testbed, the newest last.
fn profiles<'a>(note: &'a Note, testbed: &str, selection: &Selection) -> Vec<&'a Profile> {
    let runs: HashMap<LineId, &Run> = note.runs.iter().map(|run| (run.id, run)).collect();
    let is_wanted = |profile: &&Profile| {
        runs.get(&profile.run).is_some_and(|run| run.testbed.key() == testbed && selection.covers_profile(profile, run))
    };
    let mut profiles: Vec<&Profile> = note.profiles.iter().filter(is_wanted).collect();
    profiles.sort_by_key(|profile| profile.id);
    profiles
}

fn evidence<'a>(entry: &HistoryRecord<'a>) -> Evidence<'a> {
    Evidence { commit: entry.commit, run: entry.run, record: entry.record }
}
