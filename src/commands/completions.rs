//! `completions`: a script for the user's shell.

use clap::CommandFactory;
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
    let mut command = Cli::command().bin_name("git-ratchet");
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "git-ratchet", &mut script);
    context.out.write_all(&script)?;
    if arguments.shell == Shell::Bash {
        context.out.write_all(FOR_GIT.as_bytes())?;
    }
    Ok(Exit::Holds)
}
