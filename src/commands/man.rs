//! `install-man-pages`: what `git ratchet --help` and `git help ratchet` show.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use clap::{Command, CommandFactory};

use super::context::Context;
use super::error::{CommandError, During};
use crate::cli::{Cli, InstallManPagesArgs};
use crate::exit::Exit;

const PROGRAM: &str = "git-ratchet";

/// Runs the command: one page for the program and one for each verb, in section 1.
pub fn run(arguments: &InstallManPagesArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let folder = context.path(&arguments.dir).join("man1");
    fs::create_dir_all(&folder).during(format!("cannot make {}", folder.display()))?;
    let mut program = Cli::command().name(PROGRAM).bin_name("git ratchet").disable_help_subcommand(true);
    // From here on every verb has the options that all verbs have.
    program.build();
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
    render(page, &mut text)?;
    let path = folder.join(format!("{}.1", page.get_name()));
    fs::write(&path, text).during(format!("cannot write {}", path.display()))
}

/// The sections of a page. The synopsis is the line of `--help`: one with every option says less.
fn render(page: &Command, out: &mut Vec<u8>) -> io::Result<()> {
    let man = clap_mangen::Man::new(page.clone());
    man.render_title(out)?;
    man.render_name_section(out)?;
    let usage = page.clone().render_usage().to_string();
    writeln!(out, ".SH SYNOPSIS\n{}", escaped(usage.trim_start_matches("Usage: ")))?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    if page.get_name() == PROGRAM {
        return man.render_subcommands_section(out);
    }
    let mut inner = page.get_subcommands().filter(|inner| !inner.is_hide_set()).peekable();
    if inner.peek().is_some() {
        writeln!(out, ".SH SUBCOMMANDS")?;
    }
    // They have no pages of their own.
    inner.try_for_each(|inner| {
        let about = inner.get_about().map(ToString::to_string).unwrap_or_default();
        writeln!(out, ".TP\n\\fB{}\\fR\n{}", escaped(inner.get_name()), escaped(&about))
    })?;
    writeln!(out, ".SH \"SEE ALSO\"\n{}(1)", escaped(PROGRAM))
}

/// A line of text that roff takes as it is.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('-', "\\-").replace('\n', " ");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}
