//! `show`: all records and profiles of one commit.

use super::context::Context;
use super::error::CommandError;
use super::history::{self, store_notices};
use super::selection::Selection;
use super::workspace::Workspace;
use crate::cli::ShowArgs;
use crate::codec::Note;
use crate::exit::Exit;
use crate::model::{Profile, Record, SeriesKey};
use crate::report::check_text::{TextOptions, write_notice};
use crate::report::show_text::{ShownExcuse, ShownRun};
use crate::report::words::SHORT_ID;
use crate::report::{records_json, show_text};

/// Runs the command.
pub fn run(arguments: &ShowArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let selection = Selection::new(&arguments.series)?;
    let workspace = Workspace::open(context)?;
    let commit = workspace.revision(&arguments.rev)?;
    let annotated = history::of_commit(&workspace.store, commit)?;
    let note = annotated.commits.first().map(|annotated| annotated.note.clone()).unwrap_or_default();
    let untrusted = annotated.commits.first().map_or(&[][..], |annotated| &annotated.untrusted_excuses);
    let runs = shown_runs(&note, &selection);
    let shown = |is_trusted| move |excuse| ShownExcuse { excuse, is_trusted };
    let excuses: Vec<ShownExcuse> = note.excuses.iter().map(shown(true)).chain(untrusted.iter().map(shown(false))).collect();
    for notice in store_notices(&annotated, &workspace.store)? {
        write_notice(context.err, &notice, context.terminal.color)?;
    }
    if arguments.json {
        writeln!(context.out, "{}", records_json::show(commit, &runs, &excuses))?;
    } else if runs.is_empty() && excuses.is_empty() {
        let what = if selection.is_everything() { "was not measured" } else { "has no such records" };
        writeln!(context.out, "{} {what}", commit.short(SHORT_ID))?;
    } else {
        let options = TextOptions { width: context.terminal.width, color: context.terminal.color, verbose: true };
        show_text::show(context.out, &runs, &excuses, options)?;
    }
    Ok(Exit::Holds)
}

fn shown_runs<'a>(note: &'a Note, selection: &Selection) -> Vec<ShownRun<'a>> {
    let runs = note.runs.iter().map(|run| {
        let covered = |record: &&Record| record.run == run.id && selection.covers(&SeriesKey::of(record, run));
        let covers = |profile: &&Profile| profile.run == run.id && selection.covers_profile(profile, run);
        let profiles = note.profiles.iter().filter(covers).collect();
        ShownRun { run, records: note.records.iter().filter(covered).collect(), profiles }
    });
    runs.filter(|shown| !shown.records.is_empty() || !shown.profiles.is_empty()).collect()
}
