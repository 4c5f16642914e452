//! `check`: hold a commit against the best level of its history. Executes nothing unless a confirmation or profiles are asked for.

use super::context::Context;
use super::error::CommandError;
use super::{profile_targets, verdict};
use crate::cli::{CheckArgs, CheckFormat};
use crate::exit::Exit;
use crate::judge::Judgement;
use crate::report::check_text::TextOptions;
use crate::report::{Notice, check_json, check_markdown, check_text};

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
        CheckFormat::Markdown => check_markdown::check(context.out, judgement, notices)?,
        CheckFormat::Github => {
            check_markdown::annotations(context.out, judgement)?;
            summary(judgement, notices, context)?;
        }
    }
    Ok(())
}

/// The job summary, where GitHub Actions asks for one; the table in the log otherwise.
fn summary(judgement: &Judgement, notices: &[Notice], context: &mut Context) -> Result<(), CommandError> {
    let mut text = Vec::new();
    check_markdown::check(&mut text, judgement, notices)?;
    match context.env("GITHUB_STEP_SUMMARY") {
        Some(path) => {
            let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
            std::io::Write::write_all(&mut file, &text)?;
        }
        None => context.out.write_all(&text)?,
    }
    Ok(())
}
