//! `explain`: what differs between the commit that holds a baseline and this one, for one series.

mod files;
mod moved;

use super::context::Context;
use super::error::CommandError;
use super::history;
use super::profile_diff;
use super::selection::Selection;
use super::verdict::{self, Judged};
use super::workspace::Workspace;
use crate::cli::{CheckArgs, ExplainArgs, ExplainFormat, SeriesArgs};
use crate::exit::Exit;
use crate::judge::{self, HistoryRecord, SeriesVerdict};
use crate::model::{Metric, ObjectId, Record, Sample, SeriesKey};
use crate::report::check_text::{TextOptions, write_notice};
use crate::report::explanation::{Explanation, MetricChange};
use crate::report::overview::{CommitEntry, FactChange};
use crate::report::words::SHORT_ID;
use crate::report::{explain_json, explain_markdown, explain_text, profile_text};
use crate::store::{AnnotatedHistory, Store};

/// Sentences about what the hardware counted.
const MOST_COUNTERS: usize = 6;

/// Runs the command.
pub fn run(arguments: &ExplainArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let workspace = Workspace::open(context)?;
    let (series, rev) = what(arguments, &workspace.store);
    let check = CheckArgs { rev, series, past: arguments.past.clone(), no_confirm: true, ..CheckArgs::default() };
    let Judged { judgement, notices, .. } = verdict::judge(&check, context)?;
    for notice in &notices {
        write_notice(context.err, notice, context.terminal.color)?;
    }
    let chosen = verdict::worst(&judgement)?;
    let explanation = explain(chosen, judgement.candidate, &workspace)?;
    match if arguments.json { ExplainFormat::Json } else { arguments.format } {
        ExplainFormat::Text => {
            let options = TextOptions { width: context.terminal.width, color: context.terminal.color, verbose: false };
            explain_text::explain(context.out, &explanation, options)?;
        }
        ExplainFormat::Markdown => explain_markdown::explain(context.out, &explanation)?,
        ExplainFormat::Json => writeln!(context.out, "{}", explain_json::explain(&explanation))?,
    }
    Ok(Exit::Holds)
}

/// Which series and which commit: a single word is a benchmark, unless it can only be a revision.
fn what(arguments: &ExplainArgs, store: &Store) -> (SeriesArgs, String) {
    let series = |benchmark: Option<String>| SeriesArgs {
        benchmarks: benchmark.into_iter().collect(),
        config: arguments.config.clone(),
        metrics: arguments.metric.clone().into_iter().collect(),
        testbed: arguments.testbed.clone(),
    };
    let head = || "HEAD".to_owned();
    match (&arguments.benchmark, &arguments.rev) {
        (benchmark, Some(rev)) => (series(benchmark.clone()), rev.clone()),
        (Some(word), None) if store.resolve(word).is_ok() => (series(None), word.clone()),
        (benchmark, None) => (series(benchmark.clone()), head()),
    }
}

fn explain(chosen: &SeriesVerdict, candidate: ObjectId, workspace: &Workspace) -> Result<Explanation, CommandError> {
    let store = &workspace.store;
    let reference = chosen.baseline.as_ref().and_then(|baseline| baseline.commits.last().copied());
    let reference = reference.ok_or_else(|| CommandError::no_verdict("the commit of the baseline is not known"))?;
    let point = Point::new(&chosen.key)?;
    let line = moved::line(store, reference, candidate)?;
    let annotated = store.annotated_history(&line, &store.notes()?)?;
    let [before, after] = [reference, candidate].map(|id| history::only(&annotated, id));
    let counters = counters(&point.selection, [&before, &after]);
    let (before, after) = (point.side(&before, chosen), point.side(&after, chosen));
    let inputs = inputs(chosen, candidate, workspace)?;
    let differing = files::differing(store, reference, candidate, &inputs)?;
    Ok(Explanation {
        verdict: chosen.clone(),
        candidate: entry(store, candidate)?,
        reference: entry(store, reference)?,
        machine_code: before.machine_code.clone().zip(after.machine_code.clone()),
        inputs,
        files: differing.files,
        more_files: differing.more_files,
        other_files: differing.other_files,
        commits_between: differing.commits_between,
        commits: differing.commits,
        more_commits: differing.more_commits,
        moved: moved::along(&line, &annotated, (&point, &chosen.metric), store)?,
        facts: before.facts.zip(after.facts).map_or_else(Vec::new, |(before, after)| FactChange::between(&before, &after)),
        metrics: metrics(&before.metrics, &after.metrics),
        counters,
        quantiles: judge::compare_quantiles(chosen.metric.better, &before.values, &after.values),
    })
}

/// What the profiles of both commits say, the most telling first.
fn counters(selection: &Selection, sides: [&AnnotatedHistory; 2]) -> Vec<String> {
    let [before, after] = sides.map(|annotated| profile_diff::newest_of(annotated, selection));
    let (pairs, _) = profile_diff::pair(before, after);
    let findings = pairs.iter().flat_map(|pair| pair.findings.iter().take(MOST_COUNTERS));
    findings.take(MOST_COUNTERS).map(profile_text::sentence).collect()
}

fn entry(store: &Store, id: ObjectId) -> Result<CommitEntry, CommandError> {
    let info = store.commit(id)?;
    Ok(CommitEntry { id, time: info.time, author: info.author.name, subject: info.subject })
}

/// What the benchmark depends on, as the explained commit's settings have it; nothing where they do not say.
fn inputs(chosen: &SeriesVerdict, candidate: ObjectId, workspace: &Workspace) -> Result<Vec<String>, CommandError> {
    let settings = workspace.settings_of(candidate, &candidate.short(SHORT_ID))?;
    let name = &chosen.key.benchmark;
    let of_benchmark = settings.benchmark(name).map(|benchmark| &benchmark.inputs);
    Ok(of_benchmark.or(settings.suite_of(name).map(|suite| &suite.inputs)).cloned().unwrap_or_default())
}

/// The records of one point on one testbed.
struct Point {
    selection: Selection,
    key: SeriesKey,
}

/// What one commit knows of the point.
#[derive(Default)]
struct Side {
    values: Vec<f64>,
    metrics: Vec<(Metric, f64)>,
    facts: Option<std::collections::BTreeMap<String, String>>,
    machine_code: Option<String>,
}

impl Point {
    fn new(key: &SeriesKey) -> Result<Self, CommandError> {
        let arguments = SeriesArgs {
            benchmarks: vec![key.benchmark.as_str().to_owned()],
            config: Some(key.config.to_string()),
            metrics: Vec::new(),
            testbed: Some(key.testbed.clone()),
        };
        Ok(Self { selection: Selection::new(&arguments)?, key: key.clone() })
    }

    fn side(&self, annotated: &AnnotatedHistory, chosen: &SeriesVerdict) -> Side {
        let mut records = history::records(&annotated.commits, &self.selection);
        records.retain(|found| found.record.config == self.key.config);
        history::set_untrusted_aside(&mut records);
        records.sort_by_key(|found| (found.run.time, found.record.id));
        let mut side = Side::default();
        for HistoryRecord { run, record, .. } in records {
            side.facts = Some(run.testbed.facts.clone());
            side.machine_code = record.machine_code.clone().or(side.machine_code.take());
            if record.metric.name == chosen.metric.name {
                side.values.extend(record.sample.iter().flat_map(Sample::values));
            } else {
                side.put(record);
            }
        }
        side
    }
}

impl Side {
    /// The newest record of a metric counts.
    fn put(&mut self, record: &Record) {
        self.metrics.retain(|(metric, _)| metric.name != record.metric.name);
        self.metrics.push((record.metric.clone(), record.summary.median));
    }
}

/// The metrics that both sides have and that are not the same, exact ones first.
fn metrics(before: &[(Metric, f64)], after: &[(Metric, f64)]) -> Vec<MetricChange> {
    let both = after.iter().filter_map(|(metric, now)| {
        let (_, then) = before.iter().find(|(other, _)| other.name == metric.name && other.unit == metric.unit)?;
        let percent = Some(metric.better.change_percent(*then, *now)).filter(|percent| percent.is_finite());
        Some(MetricChange { metric: metric.clone(), before: *then, after: *now, change_percent: percent })
    });
    let mut changed: Vec<MetricChange> = both.filter(|change| change.before != change.after).collect();
    changed.sort_by(|one, other| other.metric.exact.cmp(&one.metric.exact).then_with(|| one.metric.name.cmp(&other.metric.name)));
    changed
}
