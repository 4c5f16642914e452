//! `prune`: drop the notes of commits that are gone, the samples of old records, and kept worktrees. Shows what would go;
//! `--yes` does it.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::context::Context;
use super::error::CommandError;
use super::exchange::open;
use super::held;
use super::workspace::Workspace;
use crate::cli::PruneArgs;
use crate::exit::Exit;
use crate::report::number::count;
use crate::report::words::SHORT_ID;
use crate::store::{KeptWorktrees, PruneRequest, Pruned, Store, ThinRequest, ThinnedNotes};

/// So many commits are named; the rest is counted.
const MOST_NAMED: usize = 20;

/// Runs the command.
pub fn run(arguments: &PruneArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let before = arguments.older_than.as_deref().map(|text| time("--older-than", text, context)).transpose()?;
    let thin_before = arguments.thin_samples.as_deref().map(|text| time("--thin-samples", text, context)).transpose()?;
    let store = open(context)?;
    if arguments.worktrees {
        return worktrees(&store, arguments, context);
    }
    let request = PruneRequest { before, missing: arguments.missing };
    let tip = store.notes_tip()?;
    let pruned = if arguments.yes { store.prune(&request)? } else { store.prunable(&request)? };
    let thinned = thin_before.map(|before| thin(&store, before, arguments.yes, context)).transpose()?;
    if arguments.json {
        let commits: Vec<String> = pruned.commits.iter().map(ToString::to_string).collect();
        let kept = json!({
            "same_tree": pruned.same_tree,
            "missing": pruned.missing,
            "unreadable": pruned.unreadable,
            "young": pruned.young,
        });
        let thinned = thinned.map(|ThinnedNotes { notes, records, bytes, held }| {
            json!({ "notes": notes, "records": records, "bytes": bytes, "held": held })
        });
        let object = json!({
            "version": 1,
            "pruned": arguments.yes,
            "commits": commits,
            "records": pruned.records,
            "kept": kept,
            "thinned": thinned,
        });
        writeln!(context.out, "{object}")?;
    } else {
        say(&pruned, arguments.yes, context)?;
        thinned.map_or(Ok(()), |thinned| say_thinned(thinned, arguments.yes, context))?;
        if let Some(tip) = tip.filter(|tip| store.notes_tip().is_ok_and(|now| now != Some(*tip))) {
            writeln!(context.out, "before the next gc, this takes it back: git update-ref {} {tip}", store.notes_ref())?;
        }
    }
    Ok(Exit::Holds)
}

/// Takes the samples of old records away, or counts them. Which records hold a level takes the settings.
fn thin(store: &Store, before: DateTime<Utc>, is_done: bool, context: &Context) -> Result<ThinnedNotes, CommandError> {
    let held = held::records(&Workspace::open(context)?, context)?;
    let request = ThinRequest { before, held: &held };
    Ok(if is_done { store.thin(&request)? } else { store.thinnable(&request)? })
}

fn say_thinned(thinned: ThinnedNotes, is_done: bool, context: &mut Context) -> Result<(), CommandError> {
    let ThinnedNotes { notes, records, bytes, held } = thinned;
    let what = format!("{} in {} ({bytes} bytes of text)", count(records, "sample"), count(notes, "note"));
    match (records, is_done) {
        (0, _) => writeln!(context.out, "no samples to thin")?,
        (_, true) => writeln!(context.out, "took {what} away")?,
        (_, false) => writeln!(context.out, "{what} would go: add --yes")?,
    }
    if held > 0 {
        writeln!(context.out, "{} of old records stay: they hold a level", count(held, "sample"))?;
    }
    Ok(())
}

/// Removes what is kept, or counts it.
fn worktrees(store: &Store, arguments: &PruneArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let found = if arguments.yes { store.remove_kept_worktrees() } else { store.kept_worktrees() };
    let KeptWorktrees { count: number, bytes } = found;
    let what = format!("{} with builds ({} MiB)", count(number, "worktree"), bytes.div_ceil(1 << 20));
    match (number, arguments.yes) {
        _ if arguments.json => {
            let worktrees = json!({ "count": number, "bytes": bytes });
            writeln!(context.out, "{}", json!({ "version": 1, "pruned": arguments.yes, "worktrees": worktrees }))?;
        }
        (0, _) => writeln!(context.out, "no worktrees are kept")?,
        (_, true) => writeln!(context.out, "removed {what}")?,
        (_, false) => writeln!(context.out, "{what} would go: git ratchet prune --worktrees --yes")?,
    }
    Ok(Exit::Holds)
}

/// So long ago.
fn time(flag: &str, text: &str, context: &Context) -> Result<DateTime<Utc>, CommandError> {
    let age = age(flag, text)?;
    (context.clock)().checked_sub_signed(age).ok_or_else(|| CommandError::usage(format!("{flag} reaches beyond the calendar")))
}

fn say(pruned: &Pruned, is_done: bool, context: &mut Context) -> Result<(), CommandError> {
    let named = pruned.commits.iter().take(if is_done { 0 } else { MOST_NAMED });
    for commit in named {
        writeln!(context.out, "  {}", commit.short(SHORT_ID))?;
    }
    if !is_done && pruned.commits.len() > MOST_NAMED {
        writeln!(context.out, "  and {} more", pruned.commits.len() - MOST_NAMED)?;
    }
    let what = format!("{} with {}", count(pruned.commits.len(), "note"), count(pruned.records, "record"));
    match (pruned.commits.is_empty(), is_done) {
        (true, _) => writeln!(context.out, "nothing to prune")?,
        (false, true) => writeln!(context.out, "dropped {what}")?,
        (false, false) => writeln!(context.out, "{what} would go: git ratchet prune --yes")?,
    }
    let kept = [
        (pruned.same_tree, "hold what was measured of a tree that is still reachable"),
        (pruned.missing, "are of commits that are not here (--missing drops them too)"),
        (pruned.unreadable, "hold lines that this version cannot read"),
        (pruned.young, "are not old enough"),
    ];
    for (notes, why) in kept.into_iter().filter(|(notes, _)| *notes > 0) {
        writeln!(context.out, "{notes} of unreachable commits stay: they {why}")?;
    }
    Ok(())
}

/// Days, weeks or years, such as `90d`.
fn age(flag: &str, text: &str) -> Result<TimeDelta, CommandError> {
    let wrong = || CommandError::usage(format!("{flag} {} is not an age; it looks like 90d, 26w or 2y", text.escape_debug()));
    let unit = text.chars().last().ok_or_else(wrong)?;
    let days = match unit {
        'd' => 1,
        'w' => 7,
        'y' => 365,
        _ => return Err(wrong()),
    };
    let number: i64 = text[..text.len() - 1].parse().ok().filter(|number| *number >= 0).ok_or_else(wrong)?;
    number.checked_mul(days).and_then(TimeDelta::try_days).ok_or_else(wrong)
}
