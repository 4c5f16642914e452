//! `check`: hold a commit against the best level of its history. Executes nothing unless a confirmation is asked for.

use std::fs::{File, OpenOptions};
use std::io::Write;

use clap::ValueEnum;

use super::context::Context;
use super::error::{CommandError, During};
use super::verdict;
use crate::cli::{CheckArgs, CheckFormat};
use crate::exit::Exit;
use crate::judge::Judgement;
use crate::report::check_text::TextOptions;
use crate::report::{Notice, check_json, check_markdown, check_text};

/// Runs the command.
pub fn run(arguments: &CheckArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let files = arguments.files.iter().map(|given| destination(given)).collect::<Result<Vec<_>, _>>()?;
    let (judgement, notices) = verdict::judge(arguments, context)?;
    for (format, path) in files {
        let mut file = File::create(path).during(format_args!("cannot write {path}"))?;
        let plain = TextOptions { width: None, color: false, verbose: arguments.verbose };
        render(&mut file, format, &judgement, &notices, plain).during(format_args!("cannot write {path}"))?;
    }
    write(&judgement, &notices, arguments, context)?;
    Ok(verdict::exit_of(&judgement, arguments))
}

/// A format and a file, as `--write` takes them. Annotations make sense on standard output only.
fn destination(given: &str) -> Result<(CheckFormat, &str), CommandError> {
    let wrong = || CommandError::usage(format!("--write {given}: this is not FORMAT=FILE, such as json=verdict.json"));
    let (format, path) = given.split_once('=').filter(|(_, path)| !path.is_empty()).ok_or_else(wrong)?;
    match CheckFormat::from_str(format, false) {
        Ok(CheckFormat::Github) => Err(CommandError::usage("--write github=…: annotations go to standard output")
            .with_hint("use --format github, and --write for the other formats")),
        Ok(format) => Ok((format, path)),
        Err(_) => Err(wrong()),
    }
}

fn write(judgement: &Judgement, notices: &[Notice], arguments: &CheckArgs, context: &mut Context) -> Result<(), CommandError> {
    let format = if arguments.json { CheckFormat::Json } else { arguments.format };
    let options = TextOptions { width: context.terminal.width, color: context.terminal.color, verbose: arguments.verbose };
    render(context.out, format, judgement, notices, options)?;
    if format == CheckFormat::Github {
        summary(judgement, notices, context)?;
    }
    Ok(())
}

fn render(
    out: &mut dyn Write,
    format: CheckFormat,
    judgement: &Judgement,
    notices: &[Notice],
    options: TextOptions,
) -> std::io::Result<()> {
    match format {
        CheckFormat::Text => check_text::check(out, judgement, notices, options),
        CheckFormat::Json => writeln!(out, "{}", check_json::check(judgement, notices)),
        CheckFormat::Markdown => check_markdown::check(out, judgement, notices),
        CheckFormat::Github => check_markdown::annotations(out, judgement),
    }
}

/// The job summary, where GitHub Actions asks for one; the table in the log otherwise.
fn summary(judgement: &Judgement, notices: &[Notice], context: &mut Context) -> Result<(), CommandError> {
    let mut text = Vec::new();
    check_markdown::check(&mut text, judgement, notices)?;
    match context.env("GITHUB_STEP_SUMMARY") {
        Some(path) => OpenOptions::new().append(true).create(true).open(path)?.write_all(&text)?,
        None => context.out.write_all(&text)?,
    }
    Ok(())
}
