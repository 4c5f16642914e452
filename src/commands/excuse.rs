//! `excuse`: accept a regression, with a reason.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime};

use super::context::Context;
use super::error::CommandError;
use super::history;
use super::recording;
use super::selection::Selection;
use super::workspace::Workspace;
use crate::cli::ExcuseArgs;
use crate::codec::Entry;
use crate::exit::Exit;
use crate::judge::HistoryRecord;
use crate::model::{BenchmarkName, Direction, Excuse, ExcuseScope, MetricName, Quantity, SeriesKey, Unit};
use crate::report::check_text::write_notice;
use crate::report::number::quantity;
use crate::report::words::SHORT_ID;
use crate::report::{Notice, escape};

/// Longest reason in bytes: an excuse is a sentence, and every check repeats it.
const MAX_REASON_BYTES: usize = 4096;

/// Runs the command.
pub fn run(arguments: &ExcuseArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let scope = ExcuseScope {
        benchmark: arguments.benchmark.clone().map(BenchmarkName::new).transpose()?,
        config: arguments.config.parse()?,
        metric: arguments.metric.clone().map(MetricName::new).transpose()?,
        testbed: arguments.testbed.clone(),
    };
    let until = arguments.until.as_deref().map(str::parse::<Quantity>).transpose()?;
    let expires = arguments.expires.as_deref().map(end_of_day).transpose()?;
    let reason = reason(&arguments.reason)?;
    let workspace = Workspace::open(context)?;
    let commit = workspace.store.resolve(&arguments.commit)?;
    let annotated = history::of_commit(&workspace.store, commit)?;
    let records = history::records(&annotated.commits, &Selection::default());
    let scope = match &until {
        Some(until) => limited(scope, until, &records)?,
        None => scope,
    };
    let tree = workspace.store.commit(commit)?.tree;
    let (id, author) = recording::signature(&workspace.store, context)?;
    let excuse =
        Excuse { id, time: (context.clock)(), author, tree, scope, reason, until: until.map(|quantity| quantity.value), expires };
    let limit = arguments.until.as_ref().map_or(String::new(), |until| format!(" up to {until}"));
    let what = format!("{}{limit}", in_words(&excuse.scope));
    let notices = doubts(&excuse, &records, context);
    recording::write(&workspace.store, commit, vec![Entry::Excuse(excuse)])?;
    writeln!(context.out, "excused {} from {} on", escape::terminal(&what), commit.short(SHORT_ID))?;
    notices.iter().try_for_each(|notice| write_notice(context.err, notice, context.terminal.color))?;
    Ok(Exit::Holds)
}

/// `attention [B=32] time on H100`.
fn in_words(scope: &ExcuseScope) -> String {
    let mut words = vec![scope.benchmark.as_ref().map_or("every benchmark".to_owned(), ToString::to_string)];
    words.extend((!scope.config.is_empty()).then(|| format!("[{}]", scope.config)));
    words.extend(scope.metric.as_ref().map(ToString::to_string));
    words.extend(scope.testbed.as_ref().map(|testbed| format!("on {testbed}")));
    words.join(" ")
}

/// Why the excuse may not do what it was meant for. It is recorded all the same: what it is about may be measured later.
fn doubts(excuse: &Excuse, records: &[HistoryRecord<'_>], context: &Context) -> Vec<Notice> {
    let mut doubts = Vec::new();
    if excuse.expires.is_some_and(|end| end <= (context.clock)()) {
        doubts.push(Notice::new("excuse_expired", "that day is over: this excuses nothing"));
    }
    let mut covered = records.iter().filter(|found| excuse.scope.covers(&SeriesKey::of(found.record, found.run))).peekable();
    if covered.peek().is_none() && !records.is_empty() {
        let notice = Notice::new("excuse_covers_nothing", "nothing that was measured at this commit is covered");
        doubts.push(notice.hint("git ratchet show lists what was measured"));
    }
    let exceeded = |found: &&HistoryRecord<'_>| {
        let value = found.record.summary.median;
        excuse.until.is_some_and(|until| match found.record.metric.better {
            Direction::Lower => value > until,
            Direction::Higher => value < until,
        })
    };
    doubts.extend(covered.find(exceeded).map(|found| {
        let metric = &found.record.metric;
        let value = quantity(found.record.summary.median, &metric.unit);
        Notice::new(
            "excuse_exceeded",
            format!("{} {} is {value} at this commit, beyond that limit", found.record.benchmark, metric.name),
        )
    }));
    doubts
}

/// The scope of an excuse with a limit: a limit is one of metrics in its unit. What is not measured yet can be in any.
fn limited(scope: ExcuseScope, until: &Quantity, records: &[HistoryRecord<'_>]) -> Result<ExcuseScope, CommandError> {
    let covered = records.iter().filter(|found| scope.covers(&SeriesKey::of(found.record, found.run)));
    let metrics: BTreeMap<&MetricName, &Unit> =
        covered.map(|found| (&found.record.metric.name, &found.record.metric.unit)).collect();
    // A count may be written without what is counted.
    let is_counted = |unit: &Unit| until.unit == Unit::ONE && unit.symbol().starts_with('{');
    let (fits, others): (Vec<_>, Vec<_>) = metrics.into_iter().partition(|(_, unit)| **unit == until.unit || is_counted(unit));
    match (fits.as_slice(), others.as_slice()) {
        (_, []) => Ok(scope),
        ([(metric, _)], _) => Ok(ExcuseScope { metric: Some((*metric).clone()), ..scope }),
        ([], [(metric, unit), ..]) => {
            let unit = if **unit == Unit::ONE { "no unit".to_owned() } else { unit.to_string() };
            Err(CommandError::usage(format!("--until has another unit than {metric}, which is in {unit}")))
        }
        _ => Err(CommandError::usage("--until could limit several metrics").with_hint("name one with --metric")),
    }
}

fn reason(text: &str) -> Result<String, CommandError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(CommandError::usage("an excuse needs a reason").with_hint("--reason \"why the loss is worth it\""));
    }
    if text.len() > MAX_REASON_BYTES {
        return Err(CommandError::usage(format!(
            "the reason has {} bytes; {MAX_REASON_BYTES} are enough for a sentence",
            text.len()
        )));
    }
    Ok(text.to_owned())
}

/// An excuse holds through the whole day that it names, in UTC.
fn end_of_day(text: &str) -> Result<chrono::DateTime<chrono::Utc>, CommandError> {
    let day: NaiveDate =
        text.parse().map_err(|_| CommandError::usage(format!("--expires {text} is not a day; it looks like 2027-01-31")))?;
    let end = day.succ_opt().ok_or_else(|| CommandError::usage(format!("--expires {text} is beyond the calendar")))?;
    Ok(end.and_time(NaiveTime::MIN).and_utc())
}
