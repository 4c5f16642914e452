//! `log`: series along history.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::context::Context;
use super::error::CommandError;
use super::history::{self, store_notices};
use super::selection::Selection;
use super::workspace::Workspace;
use crate::cli::LogArgs;
use crate::exit::Exit;
use crate::judge::{self, BaselineRule, NoisePrior, PlacedExcuse, Series};
use crate::model::ObjectId;
use crate::report::check_text::{TextOptions, write_notice};
use crate::report::log_text::{CommitLine, LoggedSeries};
use crate::report::words::SHORT_ID;
use crate::report::{Notice, log_text, records_json};
use crate::store::{Store, Trust, Walk};

/// Runs the command.
pub fn run(arguments: &LogArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let selection = Selection::new(&arguments.series)?;
    let workspace = Workspace::open(context)?;
    let store = &workspace.store;
    let tip = workspace.revision(&arguments.rev)?;
    let walk = history::walk(arguments.history, workspace.settings.history);
    // What is kept of a history has neither means nor extremes, which the JSON shows.
    let kept = if arguments.json { None } else { kept(store, tip, walk, &selection)? };
    let Found { series: seen, excuses, notices } = kept.map_or_else(|| read(store, tip, walk, &selection), Ok)?;
    for notice in notices {
        write_notice(context.err, &notice, context.terminal.color)?;
    }
    let prior = NoisePrior::pooled(&seen);
    let logged: Vec<LoggedSeries> = seen.into_iter().map(|series| with_level(series, &excuses, prior, context)).collect();
    if arguments.json {
        writeln!(context.out, "{}", records_json::log(&logged))?;
        return Ok(Exit::Holds);
    }
    if logged.is_empty() {
        writeln!(context.out, "no results along the history of {}", tip.short(SHORT_ID))?;
        return Ok(Exit::Holds);
    }
    let lines = commit_lines(store, &logged, arguments.max_count)?;
    let options = TextOptions { width: context.terminal.width, color: context.terminal.color, verbose: false };
    log_text::log(context.out, &logged, &|commit| lines.get(&commit).cloned(), arguments.max_count, options)?;
    Ok(Exit::Holds)
}

/// What `log` shows, and what the store has to say.
struct Found {
    series: Vec<Series>,
    excuses: Vec<PlacedExcuse>,
    notices: Vec<Notice>,
}

/// The series as they are kept sorted, where they are and whoever recorded them counts.
fn kept(store: &Store, tip: ObjectId, walk: Walk, selection: &Selection) -> Result<Option<Found>, CommandError> {
    if store.trust() != Trust::Any {
        return Ok(None);
    }
    let Some(kept) = store.series_history(&[], tip, walk)? else { return Ok(None) };
    let Some(seen) = history::kept_series(&kept, selection) else { return Ok(None) };
    let annotated = kept.annotated();
    // Only what came with merged branches asks for all commits.
    let line = if annotated.elsewhere.is_empty() { Some(Vec::new()) } else { kept.line() };
    let Some(line) = line else { return Ok(None) };
    let excuses = history::placed_excuses(store, annotated, &line)?;
    Ok(Some(Found { series: seen, excuses, notices: store_notices(annotated, store)? }))
}

/// The same from the history and all notes.
fn read(store: &Store, tip: ObjectId, walk: Walk, selection: &Selection) -> Result<Found, CommandError> {
    let walked = store.history(&[tip], walk)?;
    let annotated = store.annotated_history(&walked, &store.notes()?)?;
    let mut notices = store_notices(&annotated, store)?;
    notices.extend(walked.truncated.then(history::shallow_notice));
    let seen = judge::assemble(history::records(&annotated.commits, selection), []);
    let line: Vec<ObjectId> = walked.commits.iter().map(|commit| commit.id).collect();
    let excuses = history::placed_excuses(store, &annotated, &line)?;
    Ok(Found { series: seen.into_iter().map(|(series, _)| series).collect(), excuses, notices })
}

/// The level that binds now: what a candidate without excuses of its own would be held against.
fn with_level(series: Series, excuses: &[PlacedExcuse], prior: NoisePrior, context: &Context) -> LoggedSeries {
    let baseline = judge::binding_baseline(&series, excuses, BaselineRule::Level, prior, (context.clock)());
    let of_series = excuses.iter().filter(|placed| placed.excuse.scope.covers(&series.key));
    let newest = of_series.max_by_key(|placed| placed.excuse.time).map(|placed| placed.excuse.clone());
    LoggedSeries { series, baseline, excuse: newest }
}

/// Only the commits that are shown are opened.
fn commit_lines(store: &Store, logged: &[LoggedSeries], most: usize) -> Result<HashMap<ObjectId, CommitLine>, CommandError> {
    let mut lines = HashMap::new();
    for run in logged.iter().flat_map(|entry| entry.series.runs.iter().rev().take(most)) {
        if let Entry::Vacant(line) = lines.entry(run.commit) {
            let info = store.commit(run.commit)?;
            line.insert(CommitLine { commit: run.commit, time: info.time, subject: info.subject });
        }
    }
    Ok(lines)
}
