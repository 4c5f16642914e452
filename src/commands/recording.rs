//! From measurements to a note: one run, its records, one commit on the notes ref.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use chrono::{DateTime, Utc};

use super::context::{Context, IdSequence};
use super::error::CommandError;
use crate::codec::Entry;
use crate::harness::{self, ShortRun};
use crate::model::{
    Author, BenchmarkName, Config, KernelProfile, LineId, Measurement, Metric, ObjectId, Profile, Record, ReportFile, Run,
    Testbed,
};
use crate::report::number::count;
use crate::report::words::{SHORT_ID, point_name};
use crate::stats;
use crate::store::Store;

/// What belongs to a run besides its measurements.
pub struct RunFacts {
    /// The measured commit.
    pub commit: ObjectId,
    /// Whether tracked files differed from it.
    pub dirty: bool,
    /// Where it was measured.
    pub testbed: Testbed,
    /// What measured.
    pub tool: String,
    /// When it began.
    pub time: DateTime<Utc>,
}

/// This program's name and version, as runs keep it.
pub fn own_name() -> String {
    format!("git-ratchet {}", env!("CARGO_PKG_VERSION"))
}

/// This computer as a testbed, with the user's label in its key.
pub fn this_testbed(label: Option<&str>) -> Result<Testbed, CommandError> {
    Ok(harness::testbed(&harness::TestbedOptions { label: label.map(str::to_owned), ..Default::default() })?)
}

/// The testbed of results: what they, or the user, name; else this computer with the user's label.
pub fn testbed_of(
    named: Option<&String>,
    facts: &BTreeMap<String, String>,
    label: Option<&str>,
) -> Result<Testbed, CommandError> {
    named.map_or_else(|| this_testbed(label), |key| named_testbed(key, facts.clone()))
}

/// The lines of one run: the run itself, then a record for each measurement.
///
/// # Errors
/// Two measurements of the same benchmark, config and metric in one run: which of them would count?
pub fn entries(
    store: &Store,
    facts: RunFacts,
    measurements: Vec<Measurement>,
    context: &Context,
) -> Result<Vec<Entry>, CommandError> {
    refuse_repetitions(&measurements)?;
    let run = run(store, facts, context)?;
    let (id, mut ids) = (run.id, IdSequence::after(run.id));
    let records = measurements.into_iter().map(|measured| Entry::Record(Record::new(ids.next_id(context), id, measured)));
    Ok(std::iter::once(Entry::Run(run)).chain(records.collect::<Vec<_>>()).collect())
}

/// The line of one run.
pub fn run(store: &Store, facts: RunFacts, context: &Context) -> Result<Run, CommandError> {
    Ok(Run {
        id: context.new_id(),
        time: facts.time,
        author: store.author()?,
        tool: facts.tool,
        commit: facts.commit,
        tree: store.commit(facts.commit)?.tree,
        dirty: facts.dirty,
        session: None,
        testbed: facts.testbed,
    })
}

/// What was profiled of one point, before it belongs to a run and has an id.
pub struct PointProfile {
    /// The benchmark.
    pub benchmark: BenchmarkName,
    /// The point of it.
    pub config: Config,
    /// The counters of one kernel.
    pub counted: KernelProfile,
    /// The profiler's report.
    pub report: Option<ReportFile>,
}

/// The run and the profiles that were made in it.
pub fn profiled(
    store: &Store,
    facts: RunFacts,
    profiles: Vec<PointProfile>,
    context: &Context,
) -> Result<(Run, Vec<Profile>), CommandError> {
    let run = run(store, facts, context)?;
    let mut ids = IdSequence::after(run.id);
    let profile = |PointProfile { benchmark, config, counted, report }| Profile {
        id: ids.next_id(context),
        run: run.id,
        benchmark,
        config,
        counted,
        report,
    };
    let profiles = profiles.into_iter().map(profile).collect();
    Ok((run, profiles))
}

/// Refuses two measurements of one benchmark, config and metric.
pub fn refuse_repetitions(measurements: &[Measurement]) -> Result<(), CommandError> {
    let mut seen: BTreeSet<(&str, &Config, &str)> = BTreeSet::new();
    for measured in measurements {
        let (benchmark, metric) = (measured.benchmark.as_str(), measured.metric.name.as_str());
        if !seen.insert((benchmark, &measured.config, metric)) {
            let what = format!("{} {metric}", point_name(&benchmark, &measured.config));
            return Err(CommandError::usage(format!("{what} is given twice in one run"))
                .with_hint("give repeated values as one sample, or record them as separate runs"));
        }
    }
    Ok(())
}

/// Writes lines to the note of one commit: one commit on the notes ref, whatever their number.
pub fn write(store: &Store, commit: ObjectId, entries: Vec<Entry>) -> Result<(), CommandError> {
    let message = format!("git ratchet: {} for {}", count(entries.len(), "line"), commit.short(SHORT_ID));
    store.append(&[(commit, entries)], &message)?;
    Ok(())
}

/// What one commit measured in a session with others.
pub struct SessionRun {
    /// The commit.
    pub commit: ObjectId,
    /// What was measured of it.
    pub measurements: Vec<Measurement>,
}

/// The short runs of one point on one commit, as one measurement for each metric that all of them could tell. `places` are the
/// point's own among the metrics.
pub fn pooled(
    (benchmark, config): (&BenchmarkName, &Config),
    (metrics, places): (&[Metric], Range<usize>),
    barred: Option<&String>,
    runs: &[&ShortRun],
) -> Vec<Measurement> {
    let of_metric = |place: usize| {
        let metric = metrics.get(place)?;
        let columns: Option<Vec<&Vec<f64>>> = runs.iter().map(|run| run.values.get(place)?.as_ref()).collect();
        let values: Vec<f64> = columns?.into_iter().flatten().copied().collect();
        Some(Measurement {
            benchmark: benchmark.clone(),
            config: config.clone(),
            metric: metric.clone(),
            summary: stats::summarize_measured(&values)?,
            values,
            warnings: Vec::new(),
            barred: barred.cloned(),
            machine_code: None,
        })
    };
    places.filter_map(of_metric).collect()
}

/// Writes runs that were measured interleaved, each to the note of its commit: one session id, one commit on the notes ref.
pub fn write_session(
    store: &Store,
    runs: Vec<SessionRun>,
    (testbed, time): (&Testbed, DateTime<Utc>),
    context: &Context,
) -> Result<(), CommandError> {
    let session = Some(context.new_id());
    let mut by_commit: BTreeMap<ObjectId, Vec<Entry>> = BTreeMap::new();
    for SessionRun { commit, measurements } in runs.into_iter().filter(|run| !run.measurements.is_empty()) {
        let facts = RunFacts { commit, dirty: false, testbed: testbed.clone(), tool: own_name(), time };
        let lines = entries(store, facts, measurements, context)?.into_iter().map(|entry| match entry {
            Entry::Run(run) => Entry::Run(Run { session, ..run }),
            other => other,
        });
        by_commit.entry(commit).or_default().extend(lines);
    }
    let message = format!("git ratchet: a session of {} commits", by_commit.len());
    store.append(&by_commit.into_iter().collect::<Vec<_>>(), &message)?;
    Ok(())
}

/// An id and an author for a line that is not part of a run.
pub fn signature(store: &Store, context: &Context) -> Result<(LineId, Author), CommandError> {
    Ok((context.new_id(), store.author()?))
}

/// A testbed known only by its key.
pub fn named_testbed(key: &str, facts: BTreeMap<String, String>) -> Result<Testbed, CommandError> {
    Ok(Testbed::new(key, facts)?)
}
