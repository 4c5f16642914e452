//! `fetch`: bring a remote's notes here and unite them with ours.

use serde_json::json;

use super::context::Context;
use super::error::CommandError;
use super::exchange::{counted, open, surplus};
use crate::cli::ExchangeArgs;
use crate::exit::Exit;
use crate::report::number::count;
use crate::store::{Comparison, MergeKind};

/// Runs the command.
pub fn run(arguments: &ExchangeArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let store = open(context)?;
    let remote = store.remote_named(arguments.remote.as_deref())?;
    let Some(there) = store.fetch_notes(&remote)? else {
        return nothing(&remote, store.notes_ref(), arguments, context);
    };
    let (comparison, kind) = if arguments.dry_run {
        (store.compare_notes(there)?, None)
    } else {
        let merged = store.merge_notes(there, &remote)?;
        store.refresh_commit_graph();
        (merged.before, Some(merged.kind))
    };
    if arguments.json {
        let result = kind.map_or("dry_run", word);
        let object = json!({
            "version": 1,
            "remote": remote,
            "result": result,
            "received": surplus(comparison.there),
            "only_here": surplus(comparison.here),
            "united_notes": comparison.united,
        });
        writeln!(context.out, "{object}")?;
    } else {
        say(&remote, comparison, kind.is_none(), context)?;
    }
    Ok(Exit::Holds)
}

fn nothing(remote: &str, notes_ref: &str, arguments: &ExchangeArgs, context: &mut Context) -> Result<Exit, CommandError> {
    if arguments.json {
        let none = surplus(Default::default());
        let object = json!({ "version": 1, "remote": remote, "result": "no_notes", "received": none, "only_here": null, "united_notes": 0 });
        writeln!(context.out, "{object}")?;
    } else {
        writeln!(context.out, "{remote} has no {notes_ref} yet: nothing to fetch")?;
    }
    Ok(Exit::Holds)
}

fn word(kind: MergeKind) -> &'static str {
    match kind {
        MergeKind::UpToDate => "up_to_date",
        MergeKind::FastForward => "fast_forward",
        MergeKind::Merge => "merge",
    }
}

fn say(remote: &str, comparison: Comparison, is_dry: bool, context: &mut Context) -> Result<(), CommandError> {
    let Comparison { here, there, united } = comparison;
    match (there.lines, is_dry) {
        (0, _) => writeln!(context.out, "everything of {remote} is here already")?,
        (_, true) => writeln!(context.out, "would receive {} from {remote}", counted(there))?,
        (_, false) => writeln!(context.out, "received {} from {remote}", counted(there))?,
    }
    if united > 0 {
        let holds = match (is_dry, united) {
            (true, _) => "would hold",
            (false, 1) => "holds",
            (false, _) => "hold",
        };
        writeln!(context.out, "{} {holds} the lines of both sides", count(united, "note"))?;
    }
    if here.lines > 0 {
        writeln!(context.out, "{} not at {remote} yet: git ratchet push", counted(here))?;
    }
    Ok(())
}
