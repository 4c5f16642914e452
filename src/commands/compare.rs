//! `compare`: full statistics of two revisions or two result files; no gate.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::away::{self, Errand};
use super::context::Context;
use super::error::CommandError;
use super::history;
use super::matchup::{MatchedPoint, Matchup};
use super::paired::{self, Measured, Session};
use super::paired_kernels;
use super::selection::Selection;
use super::suites;
use super::workspace::Workspace;
use crate::cli::CompareArgs;
use crate::cuda::ClockState;
use crate::exit::Exit;
use crate::harness::Next;
use crate::import::{self, ImportOptions};
use crate::judge::{self, ComparedRun, SeriesComparison};
use crate::model::{Metric, ObjectId, Sample, SeriesKey};
use crate::report::check_text::{TextOptions, write_notice};
use crate::report::progress::ProgressLine;
use crate::report::words::SHORT_ID;
use crate::report::{Notice, compare_json, compare_text, escape};
use crate::settings::Settings;
use crate::store::AnnotatedHistory;

/// Runs the command.
pub fn run(arguments: &CompareArgs, context: &mut Context) -> Result<Exit, CommandError> {
    if let Some(place) = &arguments.place.on {
        if !arguments.live {
            return Err(CommandError::usage("--on says where to run, and this compares what is recorded")
                .with_hint("add --live to measure both now"));
        }
        let revisions = vec![arguments.before.clone(), arguments.after.clone()];
        return away::run(place, Errand { revisions, ..Errand::default() }, &Workspace::open(context)?, context);
    }
    let selection = Selection::new(&arguments.series)?;
    let [before, after] = [&arguments.before, &arguments.after].map(|name| context.path(Path::new(name)));
    let compared = match (before.is_file(), after.is_file()) {
        (true, true) if !arguments.live => {
            let series = join(file(&before, &selection)?, &file(&after, &selection)?);
            Compared { series, commits: [None, None], notices: Vec::new() }
        }
        (before, after) => of_revisions(arguments, &selection, context).map_err(|error| match before != after {
            true => error.with_hint("two revisions are compared, or two files; only one of these is a file"),
            false => error,
        })?,
    };
    if compared.series.is_empty() && (compared.notices.is_empty() || !arguments.live) {
        for notice in &compared.notices {
            write_notice(context.err, notice, context.terminal.color)?;
        }
        return Err(CommandError::no_verdict(format!("{} and {} have no series in common", arguments.before, arguments.after))
            .with_hint("git ratchet show REV lists what was measured; --live measures both now"));
    }
    show(arguments, &compared, context)?;
    Ok(Exit::Holds)
}

/// What came out.
struct Compared {
    series: Vec<SeriesComparison>,
    commits: [Option<ObjectId>; 2],
    notices: Vec<Notice>,
}

/// One side.
#[derive(Default)]
struct Side {
    /// By series and unit.
    runs: BTreeMap<(SeriesKey, String), (Metric, Vec<ComparedRun>)>,
    /// The series of which nobody vouches for any run.
    untrusted: BTreeSet<SeriesKey>,
}

impl Side {
    fn add(&mut self, key: SeriesKey, metric: &Metric, run: ComparedRun) {
        let key = (key, metric.unit.symbol().to_owned());
        self.runs.entry(key).or_insert_with(|| (metric.clone(), Vec::new())).1.push(run);
    }
}

/// The results of a file. Whoever names two files wants them compared, wherever they were measured.
fn file(path: &Path, selection: &Selection) -> Result<Side, CommandError> {
    let imported = import::import_path(path, &ImportOptions::default())
        .map_err(|error| CommandError::usage(error.about(&path.display().to_string())))?;
    let mut side = Side::default();
    for measured in imported.measurements {
        let (benchmark, config, metric) = (measured.benchmark, measured.config, measured.metric.name.clone());
        let key = SeriesKey { benchmark, config, metric, testbed: "file".to_owned() };
        if selection.covers(&SeriesKey { testbed: imported.testbed.clone().unwrap_or_default(), ..key.clone() }) {
            side.add(key, &measured.metric, ComparedRun { summary: measured.summary, values: measured.values });
        }
    }
    Ok(side)
}

fn of_revisions(arguments: &CompareArgs, selection: &Selection, context: &mut Context) -> Result<Compared, CommandError> {
    let workspace = Workspace::open(context)?;
    let commits = [workspace.store.resolve(&arguments.before)?, workspace.store.resolve(&arguments.after)?];
    let (series, notices) = if arguments.live {
        live(arguments, selection, &workspace, commits, context)?
    } else {
        let both = history::of_both(&workspace.store, commits)?;
        let [before, after] = both.each_ref().map(|annotated| recorded(annotated, selection));
        let mut notices = history::store_notices(&both[0], &workspace.store)?;
        let series = join(before, &after);
        notices.extend(untrusted_side(&arguments.before, &series, |(before, _)| !before));
        notices.extend(untrusted_side(&arguments.after, &series, |(_, after)| !after));
        (series, notices)
    };
    Ok(Compared { series, commits: commits.map(Some), notices })
}

/// What was recorded of a commit, oldest run first. What was measured on changed files is not about the commit.
fn recorded(annotated: &AnnotatedHistory, selection: &Selection) -> Side {
    let mut records = history::records(&annotated.commits, selection);
    records.retain(|found| !found.run.dirty);
    records.sort_by_key(|found| (found.run.time, found.run.id));
    let mut side = Side { untrusted: history::set_untrusted_aside(&mut records), ..Side::default() };
    for found in records {
        let values = found.record.sample.as_ref().map_or_else(Vec::new, |sample: &Sample| sample.values().collect());
        let run = ComparedRun { summary: found.record.summary.clone(), values };
        side.add(SeriesKey::of(found.record, found.run), &found.record.metric, run);
    }
    side
}

/// Where only what is signed counts: a side of which nobody vouches for what is shown.
fn untrusted_side(name: &str, series: &[SeriesComparison], is_untrusted: fn((bool, bool)) -> bool) -> Option<Notice> {
    let count = series.iter().filter(|series| is_untrusted(series.trusted)).count();
    let what = format!("{name}: nobody who may sign vouches for what was measured of {count} series");
    let notice = Notice::new("untrusted_side", format!("{what}; it is compared, and counts nowhere"));
    (count > 0).then(|| notice.hint("git ratchet doctor says who may sign; git config ratchet.trust asks for it"))
}

/// The series that both sides have, in the same unit.
fn join(before: Side, after: &Side) -> Vec<SeriesComparison> {
    let series = before.runs.into_iter().filter_map(|(key, (_, runs))| {
        let (metric, runs_after) = after.runs.get(&key)?;
        let (key, _) = key;
        let comparison = judge::compare_runs(metric.better, &runs, runs_after)?;
        let trusted = (!before.untrusted.contains(&key), !after.untrusted.contains(&key));
        Some(SeriesComparison { key, metric: metric.clone(), trusted, comparison })
    });
    series.collect()
}

/// Measures both commits now, every point in as many pairs as asked for. Nothing is recorded.
fn live(
    arguments: &CompareArgs,
    selection: &Selection,
    workspace: &Workspace,
    [before, after]: [ObjectId; 2],
    context: &mut Context,
) -> Result<(Vec<SeriesComparison>, Vec<Notice>), CommandError> {
    let settings = workspace.settings_of(after, &arguments.after)?;
    let mut matchups = Vec::new();
    for benchmark in &settings.benchmarks {
        let configs = match &benchmark.kernel {
            None => benchmark.configs().to_vec(),
            Some(kernel) => paired_kernels::configs(workspace, benchmark, kernel, after)?,
        };
        let wanted = configs.into_iter().filter(|config| selection.covers_point(&benchmark.name, config));
        matchups.extend(wanted.map(|config| Matchup {
            benchmark: benchmark.name.clone(),
            config,
            references: vec![before],
            candidate: after,
            parts: Vec::new(),
        }));
    }
    let parts = suites::recorded(workspace, &settings, after, selection)?;
    matchups.extend(parts.into_iter().map(|part| part.matchup(vec![before], after)));
    let matchups = suites::shared(&settings, matchups);
    let is_kernel = |matchup: &Matchup| settings.benchmark(&matchup.benchmark).is_some_and(|known| known.kernel.is_some());
    let clocks = matchups.iter().any(is_kernel).then_some(ClockState::Free);
    announce(&settings, &matchups, after, context)?;
    let mut session = Session::begin(workspace, &settings, clocks, context)?;
    let mut line = ProgressLine::new(matchups.len() as u64, context.terminal.progress);
    let mut series = Vec::new();
    for matchup in &matchups {
        line.begin(context.err, &matchup.to_string())?;
        let measured = session.measure(matchup, &mut |so_far| {
            line.advance(so_far.pairs.len() as f64 / f64::from(arguments.pairs));
            line.update(&matchup.to_string(), &format!("{} of {} pairs", so_far.pairs.len(), arguments.pairs), None);
            if so_far.pairs.len() < arguments.pairs as usize { Next::Measure } else { Next::Stop }
        });
        line.end();
        series.extend(measured?.iter().flat_map(|measured| compared(matchup, measured, selection)));
    }
    line.finish();
    Ok((series, session.finish(context.err)?))
}

fn announce(settings: &Settings, matchups: &[Matchup], after: ObjectId, context: &mut Context) -> Result<(), CommandError> {
    if matchups.is_empty() {
        return Err(CommandError::usage(format!("ratchet.toml of {} has no such benchmark", after.short(SHORT_ID))));
    }
    let what = paired::announcement(settings, matchups, &after.short(SHORT_ID).to_string(), "both revisions");
    Ok(writeln!(context.err, "{}", escape::terminal(&format!("measuring: {what}")))?)
}

fn compared(matchup: &Matchup, measured: &Measured, selection: &Selection) -> Vec<SeriesComparison> {
    let of_metric = |(point, place): (&MatchedPoint<'_>, usize)| {
        let metric = measured.metrics.get(place)?;
        let both = measured.pairs.iter().map(|pair| pair.reference.median(place).zip(pair.candidate.median(place)));
        let (before, after): (Vec<f64>, Vec<f64>) = both.collect::<Option<Vec<_>>>()?.into_iter().unzip();
        let key = SeriesKey {
            benchmark: point.benchmark.clone(),
            config: point.config.clone(),
            metric: metric.name.clone(),
            testbed: point.testbed.unwrap_or("here").to_owned(),
        };
        let comparison = judge::compare_pairs(metric.better, &before, &after)?;
        let series = SeriesComparison { key, metric: metric.clone(), trusted: (true, true), comparison };
        selection.covers_metric(&metric.name).then_some(series)
    };
    let points = matchup.points(measured.metrics.len());
    let places = points.iter().flat_map(|point| point.places.clone().map(move |place| (point, place)));
    places.filter_map(of_metric).collect()
}

fn show(arguments: &CompareArgs, compared: &Compared, context: &mut Context) -> Result<(), CommandError> {
    let names = (arguments.before.as_str(), arguments.after.as_str());
    if arguments.json {
        let [before, after] = compared.commits.map(|commit| commit.map(|commit| commit.to_string()));
        let object = compare_json::compare([(names.0, before), (names.1, after)], &compared.series, &compared.notices);
        writeln!(context.out, "{object}")?;
        return Ok(());
    }
    let options = TextOptions { width: context.terminal.width, color: context.terminal.color, verbose: false };
    if !compared.series.is_empty() {
        compare_text::compare(context.out, names, &compared.series, options)?;
    }
    for notice in &compared.notices {
        write_notice(context.err, notice, context.terminal.color)?;
    }
    Ok(())
}
