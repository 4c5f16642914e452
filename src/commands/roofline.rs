//! `roofline`: the kernels of a commit under the roofs of their testbeds. Runs nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::context::Context;
use super::error::{CommandError, During};
use super::history::{self, store_notices};
use super::selection::Selection;
use super::workspace::Workspace;
use crate::cli::{RooflineArgs, SeriesArgs};
use crate::exit::Exit;
use crate::judge::HistoryRecord;
use crate::model::{LineId, ObjectId, Profile, Quantity, Run, Testbed, Unit};
use crate::report::check_text::{TextOptions, write_notice};
use crate::report::plot;
use crate::report::roofline::{self as report, TestbedRoofline};
use crate::report::words::SHORT_ID;
use crate::roofline::{Evidence, Gpu, Limit, Precision, Roof, RoofSource, Roofs, kernels, measured_roofs};
use crate::store::AnnotatedHistory;

/// Runs the command.
pub fn run(arguments: &RooflineArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let workspace = Workspace::open(context)?;
    let given = Given::new(arguments, &workspace)?;
    let selection = selection(arguments)?;
    let store = &workspace.store;
    let commit = store.resolve(&arguments.rev)?;
    let commits = store.history(&[commit], history::walk(arguments.history, workspace.settings.history))?;
    let annotated = store.annotated_history(&commits, &store.notes()?)?;
    for notice in store_notices(&annotated, store)? {
        write_notice(context.err, &notice, context.terminal.color)?;
    }
    let shown = testbeds(commit, &annotated, &selection, &given);
    if shown.is_empty() {
        return Err(nothing(commit));
    }
    if let Some(path) = &arguments.output {
        draw(path, &shown, context)?;
    }
    if arguments.json {
        writeln!(context.out, "{}", report::json(commit, &shown))?;
    } else {
        let options = TextOptions { width: context.terminal.width, color: context.terminal.color, verbose: false };
        report::text(context.out, &shown, options)?;
    }
    Ok(Exit::Holds)
}

fn selection(arguments: &RooflineArgs) -> Result<Selection, CommandError> {
    Selection::new(&SeriesArgs {
        benchmarks: arguments.benchmarks.clone(),
        config: arguments.config.clone(),
        metrics: Vec::new(),
        testbed: arguments.testbed.clone(),
    })
}

fn nothing(commit: ObjectId) -> CommandError {
    let short = commit.short(SHORT_ID);
    CommandError::no_verdict(format!("{short} has no kernel with a rate: neither `throughput` (FLOP/s) nor `bandwidth` (B/s), nor a profile"))
        .with_hint("git ratchet record --benchmark NAME --metric throughput='51 TFLOP/s' --metric bandwidth='200 GB/s' records both; docs/roofline.md says more")
}

/// Limits from flags, else from settings.
struct Given {
    gpu: Option<&'static Gpu>,
    precision: Option<Precision>,
    roofs: Vec<Roof>,
}

impl Given {
    fn new(arguments: &RooflineArgs, workspace: &Workspace) -> Result<Self, CommandError> {
        let settings = &workspace.settings.roofline;
        let gpu = arguments.gpu.as_ref().or(settings.gpu.as_ref());
        let gpu = gpu.map(|name| Gpu::of(name).ok_or_else(|| unknown_gpu(name))).transpose()?;
        let of_flag = arguments.bandwidth.as_deref().map(|text| rate("--bandwidth", text, &Unit::BYTE_PER_SECOND));
        let bandwidth = of_flag.transpose()?.or(settings.bandwidth);
        let mut peaks: BTreeMap<Precision, f64> = BTreeMap::new();
        for (word, rate) in &settings.peak {
            peaks.insert(
                word.parse().map_err(|error| CommandError::usage(format!("[roofline.peak] of ratchet.toml: {error}")))?,
                *rate,
            );
        }
        for text in &arguments.peaks {
            let (word, value) = text
                .split_once('=')
                .ok_or_else(|| CommandError::usage(format!("--peak {text} is no peak rate; it looks like f16='121 TFLOP/s'")))?;
            let precision = word.parse().map_err(|error| CommandError::usage(format!("--peak: {error}")))?;
            peaks.insert(precision, rate("--peak", value, &Unit::FLOP_PER_SECOND)?);
        }
        let roof = |limit, rate| Roof { limit, rate, source: RoofSource::Given };
        let memory = bandwidth.map(|rate| roof(Limit::Memory, rate));
        let compute = peaks.into_iter().map(|(precision, rate)| roof(Limit::Compute(precision), rate));
        let precision = arguments.dtype.as_deref().map(str::parse::<Precision>).transpose();
        Ok(Self { gpu, precision: precision.map_err(CommandError::usage)?, roofs: memory.into_iter().chain(compute).collect() })
    }
}

fn rate(flag: &str, text: &str, unit: &Unit) -> Result<f64, CommandError> {
    let quantity: Quantity = text.parse()?;
    if quantity.unit != *unit || quantity.value <= 0.0 {
        return Err(CommandError::usage(format!("{flag} {text} is no rate in {unit}")));
    }
    Ok(quantity.value)
}

fn unknown_gpu(name: &str) -> CommandError {
    let known: Vec<&str> = crate::roofline::GPUS.iter().map(|gpu| gpu.name).collect();
    CommandError::usage(format!("no datasheet is known for `{name}`"))
        .with_hint(format!("known: {}; or give the limits: --bandwidth '300 GB/s' --peak f16='121 TFLOP/s'", known.join(", ")))
}

/// The rooflines of the testbeds on which the commit was measured, those without a kernel left out.
fn testbeds(commit: ObjectId, annotated: &AnnotatedHistory, selection: &Selection, given: &Given) -> Vec<TestbedRoofline> {
    let everything = history::records(&annotated.commits, &Selection::default());
    let evidence: Vec<Evidence> = everything.iter().map(|entry| evidence(entry)).collect();
    let note = annotated.commits.iter().find(|entry| entry.commit == commit).map(|entry| entry.note.clone()).unwrap_or_default();
    let runs: HashMap<LineId, &Run> = note.runs.iter().map(|run| (run.id, run)).collect();
    let beds: BTreeMap<&str, &Testbed> = runs.values().map(|run| (run.testbed.key(), &run.testbed)).collect();
    let is_own =
        |entry: &&Evidence| entry.commit == commit && selection.covers_point(&entry.record.benchmark, &entry.record.config);
    let mut shown = Vec::new();
    for (key, bed) in beds.into_iter().filter(|(key, _)| selection.covers_testbed(key)) {
        let mut profiles: Vec<&Profile> = note
            .profiles
            .iter()
            .filter(|profile| {
                runs.get(&profile.run).is_some_and(|run| run.testbed.key() == key && selection.covers_profile(profile, run))
            })
            .collect();
        profiles.sort_by_key(|profile| profile.id);
        let mut kernels = kernels(key, evidence.iter().filter(is_own).copied(), &profiles);
        if kernels.is_empty() {
            continue;
        }
        kernels.iter_mut().for_each(|kernel| kernel.precision = given.precision.or(kernel.precision));
        let gpu = given.gpu.or_else(|| Gpu::of(key)).or_else(|| bed.facts.get("gpu").and_then(|name| Gpu::of(name)));
        let mut roofs = gpu.map(Roofs::of_datasheet).unwrap_or_default();
        roofs.extend(measured_roofs(key, evidence.iter().copied()));
        roofs.extend(given.roofs.iter().cloned());
        shown.push(TestbedRoofline::new(key.to_owned(), gpu, roofs, kernels));
    }
    shown
}

fn evidence<'a>(entry: &HistoryRecord<'a>) -> Evidence<'a> {
    Evidence { commit: entry.commit, run: entry.run, record: entry.record }
}

/// Writes the picture of the only testbed.
fn draw(path: &Path, shown: &[TestbedRoofline], context: &Context) -> Result<(), CommandError> {
    let [only] = shown else {
        let names: BTreeSet<&str> = shown.iter().map(|testbed| testbed.testbed.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        return Err(CommandError::usage("a picture shows one testbed, and the commit was measured on several")
            .with_hint(format!("choose one with --testbed: {}", names.join("; "))));
    };
    let is_svg = match path.extension().and_then(|extension| extension.to_str()) {
        Some("svg") => true,
        Some("png") => false,
        _ => return Err(CommandError::usage(format!("{} is neither an .svg nor a .png", path.display()))),
    };
    let path = context.dir.as_ref().map_or_else(|| path.to_owned(), |dir| dir.join(path));
    let mut picture = Vec::new();
    if is_svg {
        plot::roofline::svg(&mut picture, only)?
    } else {
        plot::roofline::png(&mut picture, only)?
    }
    std::fs::write(&path, picture).during(format!("cannot write {}", path.display()))
}
