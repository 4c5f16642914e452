//! `check`: hold a commit against the best level of its history. Executes nothing unless a confirmation or profiles are asked for.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use clap::ValueEnum;

use super::away::{self, Errand};
use super::context::Context;
use super::error::{CommandError, During};
use super::output::write_whole;
use super::overview::{self, OverviewRequest};
use super::selection::Selection;
use super::verdict::{self, Judged};
use super::workspace::Workspace;
use super::{history, places, profile_targets};
use crate::cli::{CheckArgs, CheckFormat};
use crate::exit::Exit;
use crate::judge::Judgement;
use crate::model::SeriesKey;
use crate::report::check_text::TextOptions;
use crate::report::{Notice, check_json, check_text, github, junit, markdown};
use crate::store::BaseRequest;

/// Runs the command.
pub fn run(arguments: &CheckArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let files = arguments.files.iter().map(|given| destination(given)).collect::<Result<Vec<_>, _>>()?;
    if let Some(place) = &arguments.place.on {
        return elsewhere(arguments, place, context);
    }
    let Judged { judgement, mut notices, .. } = verdict::judge(arguments, context)?;
    notices.extend(profile_targets::follow(arguments, &judgement, context));
    let format = if arguments.json { CheckFormat::Json } else { arguments.format };
    let in_tables = |format| matches!(format, CheckFormat::Markdown | CheckFormat::Github);
    let tables = if in_tables(format) || files.iter().any(|(format, _)| in_tables(*format)) {
        tables(&judgement, &notices, arguments, context)?
    } else {
        Vec::new()
    };
    let places = match format {
        CheckFormat::Github => places::of_failing(&judgement, &Workspace::open(context)?),
        _ => BTreeMap::new(),
    };
    let decided = Decided { judgement, notices, tables, places };
    for (format, path) in files {
        let plain = TextOptions { width: None, color: false, verbose: arguments.verbose };
        let mut content = Vec::new();
        decided.render(&mut content, format, plain)?;
        write_whole(&context.path(Path::new(path)), &content).during(format_args!("cannot write {path}"))?;
    }
    let options = TextOptions { width: context.terminal.width, color: context.terminal.color, verbose: arguments.verbose };
    decided.render(context.out, format, options)?;
    if format == CheckFormat::Github {
        summary(&decided.tables, context)?;
    }
    Ok(verdict::exit_of(&decided.judgement, arguments))
}

/// A confirmation, and with it the whole check, where the place of this name is.
fn elsewhere(arguments: &CheckArgs, place: &str, context: &mut Context) -> Result<Exit, CommandError> {
    let workspace = Workspace::open(context)?;
    if arguments.no_confirm || !(arguments.confirm || verdict::confirms_by_settings(&workspace.settings, context)) {
        return Err(CommandError::usage("--on says where to run, and a check runs nothing")
            .with_hint("add --confirm to measure suspicious series again"));
    }
    let given = [Some(&arguments.rev), arguments.past.against.as_ref(), arguments.past.baseline.as_ref()].into_iter().flatten();
    let revisions = given.filter(|word| !matches!(word.as_str(), "level" | "best-run")).cloned().collect();
    let request = BaseRequest { against: arguments.past.against.clone(), configured: workspace.settings.base.clone() };
    let against = workspace.store.base(&request).ok().map(|base| (base.rev_name, base.commit));
    away::run(place, Errand { revisions, against, ..Errand::default() }, &workspace, context)
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

/// What was decided, to be rendered any number of times.
struct Decided {
    judgement: Judgement,
    notices: Vec<Notice>,
    /// The tables of a pull request, where a format shows them.
    tables: Vec<u8>,
    /// Where the code of what does not hold stands, where a format says it.
    places: BTreeMap<SeriesKey, github::Place>,
}

impl Decided {
    fn render(&self, out: &mut dyn Write, format: CheckFormat, options: TextOptions) -> std::io::Result<()> {
        match format {
            CheckFormat::Text => check_text::check(out, &self.judgement, &self.notices, options),
            CheckFormat::Json => writeln!(out, "{}", check_json::check(&self.judgement, &self.notices)),
            CheckFormat::Markdown => out.write_all(&self.tables),
            CheckFormat::Github => github::annotations(out, &self.judgement, &self.places),
            CheckFormat::Junit => junit::check(out, &self.judgement),
        }
    }
}

/// The tables of a pull request: the verdicts with the histories behind them.
fn tables(judgement: &Judgement, notices: &[Notice], arguments: &CheckArgs, context: &Context) -> Result<Vec<u8>, CommandError> {
    let workspace = Workspace::open(context)?;
    let request = OverviewRequest {
        selection: &Selection::new(&arguments.series)?,
        walk: history::walk(arguments.past.history, workspace.settings.history),
        since: None,
        with_lines: false,
        with_rooflines: false,
    };
    // Read anew: a confirmation may have recorded something.
    let judged = Judged { judgement: judgement.clone(), notices: notices.to_vec(), read: None };
    let overview = overview::gather(judged, &request, &workspace, context)?;
    let mut text = Vec::new();
    markdown::report(&mut text, &overview)?;
    Ok(text)
}

/// The job summary, where GitHub Actions asks for one; the tables in the log otherwise.
fn summary(tables: &[u8], context: &mut Context) -> Result<(), CommandError> {
    match context.env("GITHUB_STEP_SUMMARY") {
        Some(path) => OpenOptions::new().append(true).create(true).open(path)?.write_all(tables)?,
        None => context.out.write_all(tables)?,
    }
    Ok(())
}
