//! `push`: unite the notes of both sides and send them, without force.

use serde_json::json;

use super::context::Context;
use super::error::CommandError;
use super::exchange::{counted, open, surplus};
use crate::cli::ExchangeArgs;
use crate::exit::Exit;
use crate::store::{Pushed, Store, Surplus};

/// Runs the command.
pub fn run(arguments: &ExchangeArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let store = open(context)?;
    let remote = store.remote_named(arguments.remote.as_deref())?;
    let pushed = if arguments.dry_run { rehearse(&store, &remote)? } else { store.push_notes(&remote)? };
    if arguments.json {
        let none = Surplus::default();
        let object = json!({
            "version": 1,
            "remote": remote,
            "dry_run": arguments.dry_run,
            "sent": surplus(pushed.map_or(none, |pushed| pushed.sent)),
            "received": surplus(pushed.map_or(none, |pushed| pushed.received)),
            "attempts": pushed.map_or(0, |pushed| pushed.attempts),
        });
        writeln!(context.out, "{object}")?;
        return Ok(Exit::Holds);
    }
    match pushed {
        None => writeln!(context.out, "there are no notes here and none at {remote}: nothing to push")?,
        Some(pushed) => say(pushed, &remote, arguments.dry_run, context)?,
    }
    Ok(Exit::Holds)
}

/// What a push would send and receive. Only the tracking ref is written.
fn rehearse(store: &Store, remote: &str) -> Result<Option<Pushed>, CommandError> {
    let here = store.notes()?.commit();
    let (sent, received) = match (here, store.fetch_notes(remote)?) {
        (None, None) => return Ok(None),
        (_, Some(there)) => {
            let comparison = store.compare_notes(there)?;
            (comparison.here, comparison.there)
        }
        (Some(here), None) => (store.all_notes(here)?, Surplus::default()),
    };
    Ok(Some(Pushed { sent, received, attempts: 0 }))
}

fn say(pushed: Pushed, remote: &str, is_dry: bool, context: &mut Context) -> Result<(), CommandError> {
    let (send, receive) = if is_dry { ("would send", "would receive") } else { ("sent", "received") };
    match pushed.sent.lines {
        0 => writeln!(context.out, "{remote} has everything already")?,
        _ => writeln!(context.out, "{send} {} to {remote}", counted(pushed.sent))?,
    }
    if pushed.received.lines > 0 {
        writeln!(context.out, "{receive} {} from {remote}", counted(pushed.received))?;
    }
    Ok(())
}
