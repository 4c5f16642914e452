//! A pager between long output and a terminal, chosen as git chooses it: `GIT_PAGER`, `core.pager`, `PAGER`, `less`.
//!
//! `git --no-pager ratchet …` and an empty pager, or `cat`, go without. What is shown is complete before the pager starts, so
//! warnings and errors come first and are seen.

use std::io::Write;
use std::process::{Command, Stdio};

use super::context::Context;
use super::error::CommandError;
use crate::exit::Exit;
use crate::store::{OpenOptions, Store};

/// Runs a command whose output may be long.
pub fn paged(
    context: &mut Context,
    command: impl FnOnce(&mut Context) -> Result<Exit, CommandError>,
) -> Result<Exit, CommandError> {
    let Some(pager) = chosen(context) else { return command(context) };
    let mut text = Vec::new();
    let mut collecting = Context {
        out: &mut text,
        err: &mut *context.err,
        env: context.env.clone(),
        terminal: context.terminal,
        clock: context.clock,
        random: context.random,
        dir: context.dir.clone(),
        program: context.program.clone(),
        arguments: context.arguments.clone(),
        pinned: context.pinned.clone(),
    };
    let ended = command(&mut collecting);
    if !text.is_empty() && !shown_by(&pager, &text, context) {
        context.out.write_all(&text)?;
    }
    ended
}

/// The pager's command line; `None` where the output is no terminal, or nobody wants a pager.
fn chosen(context: &Context) -> Option<String> {
    context.terminal.width?;
    // Empty means none here, so it must not count as unset.
    let environment = |name: &str| context.env.get(name).cloned();
    let configured = || {
        let store = Store::open(&OpenOptions { dir: context.dir.clone(), ..OpenOptions::default() }).ok()?;
        store.git_setting("core.pager")
    };
    let pager = environment("GIT_PAGER").or_else(configured).or_else(|| environment("PAGER"));
    Some(pager.unwrap_or_else(|| "less".to_owned())).filter(|pager| !pager.trim().is_empty() && pager.trim() != "cat")
}

/// Lets the pager show the text; false where it could not be started.
fn shown_by(pager: &str, text: &[u8], context: &mut Context) -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "the pager is the user's own choice, from the environment or git's configuration"
    )]
    let mut command = Command::new("sh");
    command.args(["-c", pager]).stdin(Stdio::piped());
    // What git sets: quit where it fits one screen, pass colours through, leave the screen as it is.
    for (name, usual) in [("LESS", "FRX"), ("LV", "-c")] {
        if !context.env.contains_key(name) {
            command.env(name, usual);
        }
    }
    // Ctrl-C is for the pager. Where somebody handles it already, that is as good.
    let _ = ctrlc::set_handler(|| ());
    let _ = context.out.flush();
    let Ok(mut child) = command.spawn() else { return false };
    // A reader that quits early has seen enough.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(text));
    // The shell ends with 126 or 127 where the pager cannot be started.
    !matches!(child.wait().ok().and_then(|status| status.code()), Some(126 | 127))
}
