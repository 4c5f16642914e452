//! `check`: hold a commit against the best level of its history. Executes nothing unless a confirmation or profiles are asked for.

use super::context::Context;
use super::error::CommandError;
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
    let (judgement, mut notices) = verdict::judge(arguments, context)?;
    notices.extend(profile_targets::follow(arguments, &judgement, context));
    write(&judgement, &notices, arguments, context)?;
    Ok(verdict::exit_of(&judgement, arguments))
}

fn write(judgement: &Judgement, notices: &[Notice], arguments: &CheckArgs, context: &mut Context) -> Result<(), CommandError> {
    let format = if arguments.json { CheckFormat::Json } else { arguments.format };
    let options = TextOptions { width: context.terminal.width, color: context.terminal.color, verbose: arguments.verbose };
    match format {
        CheckFormat::Text => check_text::check(context.out, judgement, notices, options)?,
        CheckFormat::Json => writeln!(context.out, "{}", check_json::check(judgement, notices))?,
        CheckFormat::Markdown => {
            let text = table(judgement, notices, arguments, context)?;
            context.out.write_all(&text)?;
        }
        CheckFormat::Github => {
            github::annotations(context.out, judgement)?;
            summary(&table(judgement, notices, arguments, context)?, context)?;
        }
        CheckFormat::Junit => junit::check(context.out, judgement)?,
    }
    Ok(())
}

/// The tables of a pull request: the verdicts with the histories behind them.
fn table(judgement: &Judgement, notices: &[Notice], arguments: &CheckArgs, context: &Context) -> Result<Vec<u8>, CommandError> {
    let workspace = Workspace::open(context)?;
    let request = OverviewRequest {
        selection: &Selection::new(&arguments.series)?,
        walk: history::walk(arguments.history, workspace.settings.history),
        since: None,
        with_lines: false,
    };
    let overview = overview::gather(judgement.clone(), notices.to_vec(), &request, &workspace, context)?;
    let mut text = Vec::new();
    markdown::report(&mut text, &overview)?;
    Ok(text)
}

/// The job summary, where GitHub Actions asks for one; the tables in the log otherwise.
fn summary(text: &[u8], context: &mut Context) -> Result<(), CommandError> {
    match context.env("GITHUB_STEP_SUMMARY") {
        Some(path) => {
            let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
            std::io::Write::write_all(&mut file, text)?;
        }
        None => context.out.write_all(text)?,
    }
    Ok(())
}
