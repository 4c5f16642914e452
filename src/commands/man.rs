//! `install-man-pages`: what `git ratchet --help` and `git help ratchet` show.

use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory};

use super::context::Context;
use super::error::{CommandError, During};
use crate::cli::{Cli, InstallManPagesArgs};
use crate::exit::Exit;

/// Runs the command: one page for the program and one for each verb, in section 1.
pub fn run(arguments: &InstallManPagesArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let folder = arguments.dir.join("man1");
    fs::create_dir_all(&folder).during(format!("cannot make {}", folder.display()))?;
    let program = Cli::command().name("git-ratchet").bin_name("git ratchet");
    let mut pages = vec![program.clone()];
    pages.extend(program.get_subcommands().filter(|verb| !verb.is_hide_set()).map(page_of_verb));
    for page in &pages {
        write(&folder, page)?;
    }
    writeln!(context.out, "wrote {} pages to {}", pages.len(), folder.display())?;
    writeln!(context.out, "git ratchet --help works where `man -w` lists {}", arguments.dir.display())?;
    Ok(Exit::Holds)
}

fn page_of_verb(verb: &Command) -> Command {
    let name = format!("git-ratchet-{}", verb.get_name());
    verb.clone().bin_name(format!("git ratchet {}", verb.get_name())).display_name(&name).name(name)
}

fn write(folder: &Path, page: &Command) -> Result<(), CommandError> {
    let mut text = Vec::new();
    clap_mangen::Man::new(page.clone()).render(&mut text)?;
    let path = folder.join(format!("{}.1", page.get_name()));
    fs::write(&path, text).during(format!("cannot write {}", path.display()))
}
