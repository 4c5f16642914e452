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
use crate::judge::{self, BaselineRule, Candidate, NoisePrior, Series, SeriesInput, Thresholds};
use crate::model::ObjectId;
use crate::report::check_text::{TextOptions, write_notice};
use crate::report::log_text::{CommitLine, LoggedSeries};
use crate::report::words::SHORT_ID;
use crate::report::{log_text, records_json};
use crate::store::Store;

/// Runs the command.
pub fn run(arguments: &LogArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let selection = Selection::new(&arguments.series)?;
    let workspace = Workspace::open(context)?;
    let store = &workspace.store;
    let tip = store.resolve(&arguments.rev)?;
    let walked = store.history(&[tip], history::walk(arguments.history, workspace.settings.history))?;
    let annotated = store.annotated_history(&walked, &store.notes()?)?;
    let mut notices = store_notices(&annotated, store)?;
    notices.extend(walked.truncated.then(history::shallow_notice));
    for notice in notices {
        write_notice(context.err, &notice, context.terminal.color)?;
    }
    let seen = judge::assemble(history::records(&annotated.commits, &selection), []);
    let prior = NoisePrior::pooled(seen.iter().map(|(series, _)| series));
    let logged: Vec<LoggedSeries> = seen.into_iter().map(|(series, _)| with_level(series, prior, context)).collect();
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

/// The level that binds now: what a candidate without excuses would be held against.
fn with_level(series: Series, prior: NoisePrior, context: &Context) -> LoggedSeries {
    let input = SeriesInput {
        series: &series,
        candidate: &Candidate::default(),
        thresholds: Thresholds::default(),
        rule: BaselineRule::Level,
        strict: false,
        excuses: &[],
        now: (context.clock)(),
        prior,
        pairs: &[],
        suspects: 1,
        family: 1,
    };
    let baseline = judge::judge_series(&input).baseline;
    LoggedSeries { series, baseline }
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
