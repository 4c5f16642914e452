//! `check`: hold a commit against the best level of its history. Executes nothing unless a confirmation or profiles are asked for.

use std::fs::{self, OpenOptions};
use std::io::Write;

use clap::ValueEnum;

use super::context::Context;
use super::error::{CommandError, During};
use super::overview::{self, OverviewRequest};
use super::selection::Selection;
use super::workspace::Workspace;
use super::{history, profile_targets, verdict};
use crate::cli::{CheckArgs, CheckFormat};
use crate::exit::Exit;
use crate::judge::Judgement;
use crate::report::check_text::TextOptions;
use crate::report::{Notice, check_json, check_text, github, junit, markdown};

/// Runs the command.
pub fn run(arguments: &CheckArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let files = arguments.files.iter().map(|given| destination(given)).collect::<Result<Vec<_>, _>>()?;
    let (judgement, mut notices) = verdict::judge(arguments, context)?;
    notices.extend(profile_targets::follow(arguments, &judgement, context));
    let checked = Checked { judgement, notices, arguments };
    for (format, path) in files {
        let text = checked.render(format, TextOptions { width: None, color: false, verbose: arguments.verbose }, context)?;
        fs::write(path, text).during(format_args!("cannot write {path}"))?;
    }
    checked.show(context)?;
    Ok(verdict::exit_of(&checked.judgement, arguments))
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

/// What was judged: once, however many formats show it.
struct Checked<'a> {
    judgement: Judgement,
    notices: Vec<Notice>,
    arguments: &'a CheckArgs,
}

impl Checked<'_> {
    fn show(&self, context: &mut Context) -> Result<(), CommandError> {
        let format = if self.arguments.json { CheckFormat::Json } else { self.arguments.format };
        let terminal = &context.terminal;
        let options = TextOptions { width: terminal.width, color: terminal.color, verbose: self.arguments.verbose };
        let text = self.render(format, options, context)?;
        context.out.write_all(&text)?;
        if format == CheckFormat::Github {
            summary(&self.tables(context)?, context)?;
        }
        Ok(())
    }

    fn render(&self, format: CheckFormat, options: TextOptions, context: &Context) -> Result<Vec<u8>, CommandError> {
        let mut text = Vec::new();
        match format {
            CheckFormat::Text => check_text::check(&mut text, &self.judgement, &self.notices, options)?,
            CheckFormat::Json => writeln!(text, "{}", check_json::check(&self.judgement, &self.notices))?,
            CheckFormat::Markdown => text = self.tables(context)?,
            CheckFormat::Github => github::annotations(&mut text, &self.judgement)?,
            CheckFormat::Junit => junit::check(&mut text, &self.judgement)?,
        }
        Ok(text)
    }

    /// The tables of a pull request: the verdicts with the histories behind them.
    fn tables(&self, context: &Context) -> Result<Vec<u8>, CommandError> {
        let workspace = Workspace::open(context)?;
        let request = OverviewRequest {
            selection: &Selection::new(&self.arguments.series)?,
            walk: history::walk(self.arguments.history, workspace.settings.history),
            since: None,
            with_lines: false,
        };
        let overview = overview::gather(self.judgement.clone(), self.notices.clone(), &request, &workspace, context)?;
        let mut text = Vec::new();
        markdown::report(&mut text, &overview)?;
        Ok(text)
    }
}

/// The job summary, where GitHub Actions asks for one; the tables in the log otherwise.
fn summary(text: &[u8], context: &mut Context) -> Result<(), CommandError> {
    match context.env("GITHUB_STEP_SUMMARY") {
        Some(path) => OpenOptions::new().append(true).create(true).open(path)?.write_all(text)?,
        None => context.out.write_all(text)?,
    }
    Ok(())
}
