//! `hook`: the pre-push hook, installed beside what is there, and what it does.

mod installed;
mod pre_push;

use installed::{Installed, PrePush, Removed};

use super::context::Context;
use super::error::CommandError;
use super::exchange::open;
use crate::cli::{HookArgs, HookCommand};
use crate::exit::Exit;

/// Runs the command.
pub fn run(arguments: &HookArgs, context: &mut Context) -> Result<Exit, CommandError> {
    match &arguments.command {
        HookCommand::Install => install(context),
        HookCommand::Uninstall => uninstall(context),
        HookCommand::Status => status(context),
        HookCommand::Run { remote, .. } => pre_push::run(remote, context),
    }
}

fn install(context: &mut Context) -> Result<Exit, CommandError> {
    let hook = PrePush::of(&open(context)?)?;
    let path = hook.path().display();
    match hook.install()? {
        Installed::Alone => writeln!(context.out, "installed {path}")?,
        Installed::Again => writeln!(context.out, "{path} is installed already; it was written again")?,
        Installed::After(before) => {
            writeln!(context.out, "installed {path}\nthe hook that was there runs first: {}", before.display())?;
        }
    }
    Ok(Exit::Holds)
}

fn uninstall(context: &mut Context) -> Result<Exit, CommandError> {
    let hook = PrePush::of(&open(context)?)?;
    let path = hook.path().display();
    match hook.uninstall()? {
        Removed::Nothing => writeln!(context.out, "the hook of git-ratchet is not installed in {path}")?,
        Removed::Ours => writeln!(context.out, "removed {path}")?,
        Removed::Restored => writeln!(context.out, "removed; {path} is the hook that was there before")?,
    }
    Ok(Exit::Holds)
}

fn status(context: &mut Context) -> Result<Exit, CommandError> {
    let hook = PrePush::of(&open(context)?)?;
    let path = hook.path().display();
    match (hook.is_ours()?, hook.path().exists()) {
        (true, _) if hook.kept().exists() => {
            writeln!(context.out, "installed: {path}, after {}", hook.kept().display())?;
        }
        (true, _) => writeln!(context.out, "installed: {path}")?,
        (false, true) => writeln!(context.out, "not installed: {path} is another hook (install keeps it and runs it first)")?,
        (false, false) => writeln!(context.out, "not installed: there is no {path}")?,
    }
    Ok(Exit::Holds)
}
