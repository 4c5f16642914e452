//! `report`: a commit's verdicts and the histories behind them, for a page, a comment, a picture or a program.

use std::io::Write;
use std::path::Path;

use super::context::Context;
use super::error::{CommandError, During};
use super::history;
use super::output::write_whole;
use super::overview::{self, OverviewRequest};
use super::selection::Selection;
use super::verdict;
use super::workspace::Workspace;
use crate::cli::{CheckArgs, ReportArgs, ReportFormat};
use crate::exit::Exit;
use crate::report::overview::Overview;
use crate::report::{html, markdown, plot, report_csv, report_json};

/// Runs the command.
pub fn run(arguments: &ReportArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let format = format(arguments)?;
    if format == ReportFormat::Png && arguments.output.is_none() && context.terminal.width.is_some() {
        return Err(CommandError::usage("a PNG is no text for a terminal").with_hint("name a file: --output history.png"));
    }
    let (since, rev) = range(&arguments.rev)?;
    let check = CheckArgs {
        rev: rev.to_owned(),
        past: arguments.past.clone(),
        series: arguments.series.clone(),
        no_confirm: true,
        ..CheckArgs::default()
    };
    let judged = verdict::judge(&check, context)?;
    let workspace = Workspace::open(context)?;
    let request = OverviewRequest {
        selection: &Selection::new(&arguments.series)?,
        walk: history::walk(arguments.past.history, workspace.settings.history),
        since: since.map(|since| workspace.store.resolve(since)).transpose()?,
        with_lines: !matches!(format, ReportFormat::Markdown | ReportFormat::Csv),
        with_rooflines: format == ReportFormat::Html,
    };
    let overview = overview::gather(judged, &request, &workspace, context)?;
    match &arguments.output {
        Some(path) => write_file(path, &overview, format, context)?,
        None => write(context.out, &overview, format)?,
    }
    Ok(Exit::Holds)
}

/// What was asked for, or what the name of the file says, or markdown.
fn format(arguments: &ReportArgs) -> Result<ReportFormat, CommandError> {
    let extension = arguments.output.as_deref().and_then(Path::extension).and_then(|extension| extension.to_str());
    match (arguments.format.or(arguments.json.then_some(ReportFormat::Json)), extension) {
        (Some(format), _) => Ok(format),
        (None, None | Some("md" | "markdown")) => Ok(ReportFormat::Markdown),
        (None, Some("html" | "htm")) => Ok(ReportFormat::Html),
        (None, Some("json")) => Ok(ReportFormat::Json),
        (None, Some("csv")) => Ok(ReportFormat::Csv),
        (None, Some("svg")) => Ok(ReportFormat::Svg),
        (None, Some("png")) => Ok(ReportFormat::Png),
        (None, Some(other)) => Err(CommandError::usage(format!("`.{other}` is the name of no report"))
            .with_hint("say which one: --format markdown|html|json|csv|svg|png")),
    }
}

/// `REV`, or `A..B`: what B has and A has not.
fn range(text: &str) -> Result<(Option<&str>, &str), CommandError> {
    match text.split_once("..") {
        None => Ok((None, text)),
        Some((_, after)) if after.starts_with('.') => {
            Err(CommandError::usage(format!("`{text}`: a report takes one commit or a range A..B")))
        }
        Some((before, after)) => Ok((Some(or_head(before)), or_head(after))),
    }
}

fn or_head(rev: &str) -> &str {
    if rev.is_empty() { "HEAD" } else { rev }
}

fn write_file(path: &Path, overview: &Overview, format: ReportFormat, context: &mut Context) -> Result<(), CommandError> {
    let what = || format!("cannot write {}", path.display());
    let mut content = Vec::new();
    write(&mut content, overview, format).during(what())?;
    write_whole(&context.path(path), &content).during(what())?;
    Ok(writeln!(context.err, "wrote {}", crate::report::escape::terminal(&path.display().to_string()))?)
}

fn write(out: &mut dyn Write, overview: &Overview, format: ReportFormat) -> std::io::Result<()> {
    match format {
        ReportFormat::Markdown => markdown::report(out, overview),
        ReportFormat::Html => html::report(out, overview),
        ReportFormat::Json => writeln!(out, "{}", report_json::report(overview)),
        ReportFormat::Csv => report_csv::report(out, overview),
        ReportFormat::Svg => plot::svg(out, overview),
        ReportFormat::Png => plot::png(out, overview),
    }
}
