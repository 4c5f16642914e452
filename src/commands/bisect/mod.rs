//! `bisect`: which commit moved a series, found by measuring commits in turn with the oldest one.

mod hunt;
mod line;

use super::away::{self, Errand};
use super::context::Context;
use super::error::CommandError;
use super::matchup::Matchup;
use super::paired::{self, Session};
use super::paired_kernels;
use super::selection::Selection;
use super::suites::{self, SuitePart};
use super::verdict;
use super::workspace::Workspace;
use crate::cli::{BisectArgs, CheckArgs, SeriesArgs};
use crate::cuda::ClockState;
use crate::exit::Exit;
use crate::model::{BenchmarkName, Config, MetricName, ObjectId, SeriesKey};
use crate::report::check_text::{TextOptions, write_notice};
use crate::report::words::SHORT_ID;
use crate::report::{bisect_json, bisect_text, escape};
use crate::settings::{Benchmark, Settings};
use hunt::Hunt;
use line::Line;

/// So many points are named where several fit.
const MOST_NAMED: usize = 5;

/// What is looked for, and where it begins.
struct Subject {
    benchmark: BenchmarkName,
    config: Config,
    /// The first metric of the benchmark where nobody named one.
    metric: Option<MetricName>,
    old: ObjectId,
    /// Where a suite measures it.
    part: Option<SuitePart>,
}

/// Runs the command.
pub fn run(arguments: &BisectArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let workspace = Workspace::open(context)?;
    if let Some(place) = &arguments.place.on {
        let revisions = arguments.old.iter().chain([&arguments.new]).cloned().collect();
        return away::run(place, Errand { revisions, ..Errand::default() }, &workspace, context);
    }
    let new = workspace.store.resolve(&arguments.new)?;
    let settings = workspace.settings_of(new, &arguments.new)?;
    let subject = subject(arguments, &workspace, &settings, new, context)?;
    let (benchmark, suite) = (settings.benchmark(&subject.benchmark), settings.suite_of(&subject.benchmark));
    let inputs = benchmark.map(|benchmark| &benchmark.inputs).or(suite.map(|suite| &suite.inputs));
    let inputs = inputs.ok_or_else(|| unknown(&subject.benchmark, new))?;
    let line = Line::between(&workspace.store, (&subject.benchmark, inputs), subject.old, new)?;
    let suspected = line.suspected(&workspace.store, &subject)?;
    announce(&settings, &subject, new, context)?;
    let clocks = benchmark.is_some_and(|benchmark| benchmark.kernel.is_some()).then_some(ClockState::Free);
    let mut session = Session::begin(&workspace, &settings, clocks, context)?;
    let hunted = Hunt { session: &mut session, subject: &subject, line: &line, most_pairs: arguments.pairs as usize, context }
        .run(suspected);
    let notices = session.finish(context.err)?;
    for notice in notices.iter().filter(|_| !arguments.json || hunted.is_err()) {
        write_notice(context.err, notice, context.terminal.color)?;
    }
    let bisection = hunted?.described(&subject, &line, &workspace.store)?;
    if arguments.json {
        writeln!(context.out, "{}", bisect_json::bisect(&bisection, &notices))?;
    } else {
        let options = TextOptions { width: context.terminal.width, color: context.terminal.color, verbose: false };
        bisect_text::bisect(context.out, &bisection, options)?;
    }
    Ok(Exit::Holds)
}

/// What the user asks about; where nobody says since when, the worst verdict at `new` and the baseline that it lost.
fn subject(
    arguments: &BisectArgs,
    workspace: &Workspace,
    settings: &Settings,
    new: ObjectId,
    context: &mut Context,
) -> Result<Subject, CommandError> {
    let series = SeriesArgs {
        benchmarks: arguments.benchmark.iter().cloned().collect(),
        config: arguments.config.clone(),
        metrics: arguments.metric.iter().cloned().collect(),
        testbed: None,
    };
    if let Some(old) = &arguments.old {
        let old = workspace.store.resolve(old)?;
        let Matchup { benchmark, config, mut parts, .. } = only_point(&Selection::new(&series)?, workspace, settings, new)?;
        let metric = arguments.metric.as_ref().map(MetricName::new).transpose()?;
        return Ok(Subject { benchmark, config, metric, old, part: parts.pop() });
    }
    let check = CheckArgs { rev: arguments.new.clone(), series, no_confirm: true, ..CheckArgs::default() };
    let judgement = verdict::judge(&check, context)?.judgement;
    let worst = verdict::worst(&judgement).map_err(|error| match error.hint {
        Some(_) => error,
        None => error.with_hint("name a commit before the move with --old"),
    })?;
    let old = worst.baseline.as_ref().and_then(|baseline| baseline.commits.last().copied());
    let old =
        old.ok_or_else(|| CommandError::no_verdict("the commit of the baseline is not known").with_hint("name it with --old"))?;
    let SeriesKey { benchmark, config, metric, testbed } = worst.key.clone();
    let part = settings.suite_of(&benchmark).map(|_| SuitePart {
        benchmark: benchmark.clone(),
        config: config.clone(),
        testbed,
        metrics: vec![worst.metric.clone()],
    });
    Ok(Subject { benchmark, config, metric: Some(metric), old, part })
}

/// The one point of the settings that is meant.
fn only_point(selection: &Selection, workspace: &Workspace, settings: &Settings, new: ObjectId) -> Result<Matchup, CommandError> {
    let mut points = Vec::new();
    for benchmark in &settings.benchmarks {
        let wanted =
            configs(benchmark, workspace, new)?.into_iter().filter(|config| selection.covers_point(&benchmark.name, config));
        points.extend(wanted.map(|config| Matchup {
            benchmark: benchmark.name.clone(),
            config,
            references: Vec::new(),
            candidate: new,
            parts: Vec::new(),
        }));
    }
    let parts = suites::recorded(workspace, settings, new, selection)?;
    points.extend(parts.into_iter().map(|part| part.matchup(Vec::new(), new)));
    if let [only] = points.as_slice() {
        return Ok(only.clone());
    }
    let place = format!("ratchet.toml of {}", new.short(SHORT_ID));
    if points.is_empty() {
        return Err(CommandError::usage(format!("{place} has no such benchmark")));
    }
    let names: Vec<String> = points.iter().take(MOST_NAMED).map(ToString::to_string).collect();
    let more = if points.len() > MOST_NAMED { ", …" } else { "" };
    Err(CommandError::usage(format!("{place} has {} points that fit; one can be looked for at a time", points.len()))
        .with_hint(format!("name a benchmark, and its --config: {}{more}", names.join(", "))))
}

fn configs(benchmark: &Benchmark, workspace: &Workspace, new: ObjectId) -> Result<Vec<Config>, CommandError> {
    match &benchmark.kernel {
        None => Ok(benchmark.configs().to_vec()),
        Some(kernel) => paired_kernels::configs(workspace, benchmark, kernel, new),
    }
}

fn unknown(benchmark: &BenchmarkName, new: ObjectId) -> CommandError {
    CommandError::usage(format!("ratchet.toml of {} does not have {benchmark}", new.short(SHORT_ID))).with_hint(
        "only what git ratchet bench runs can be measured: a [[benchmark]], or a [[suite]] for what other tools measure",
    )
}

/// Nothing of a repository is run without saying so.
fn announce(settings: &Settings, subject: &Subject, new: ObjectId, context: &mut Context) -> Result<(), CommandError> {
    let matchup = subject.matchup(subject.old, new);
    let (old, new) = (subject.old.short(SHORT_ID), new.short(SHORT_ID));
    let what = paired::announcement(settings, &[matchup], &new.to_string(), &format!("commits from {old} to {new}"));
    Ok(writeln!(context.err, "{}", escape::terminal(&format!("measuring: {what}")))?)
}

impl Subject {
    /// A commit against another.
    fn matchup(&self, reference: ObjectId, candidate: ObjectId) -> Matchup {
        let (benchmark, config) = (self.benchmark.clone(), self.config.clone());
        Matchup { benchmark, config, references: vec![reference], candidate, parts: self.part.iter().cloned().collect() }
    }
}
