//! `completions`: a script for the user's shell.

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use super::context::Context;
use super::error::CommandError;
use crate::cli::{Cli, CompletionsArgs};
use crate::exit::Exit;

/// Git's own completion calls a function of this name for `git ratchet <TAB>`.
const FOR_GIT: &str = r#"
_git_ratchet() {
    # Git's completion has split the line already: drop `git` and complete as `git-ratchet` would.
    local at=1
    while [ "$at" -lt "${#COMP_WORDS[@]}" ] && [ "${COMP_WORDS[at]}" != ratchet ]; do at=$((at + 1)); done
    COMP_WORDS=(git-ratchet "${COMP_WORDS[@]:at+1}")
    COMP_CWORD=$((COMP_CWORD - at))
    _git__ratchet git-ratchet "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
}
"#;

/// Runs the command.
pub fn run(arguments: &CompletionsArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut for_people(&Cli::command()), "git-ratchet", &mut script);
    if arguments.shell == Shell::Bash {
        // Of a name with a hyphen the generator makes one word where it looks for a verb's options, and another where it says them.
        let script = String::from_utf8_lossy(&script).replace("git__subcmd__ratchet", "git__ratchet");
        context.out.write_all(script.as_bytes())?;
        context.out.write_all(FOR_GIT.as_bytes())?;
    } else {
        context.out.write_all(&script)?;
    }
    Ok(Exit::Holds)
}

/// Without the verbs that are for git-ratchet itself.
fn for_people(command: &Command) -> Command {
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set()).cloned();
    Command::default().name("git-ratchet").args(command.get_arguments().cloned()).subcommands(verbs)
}
