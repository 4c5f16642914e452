//! `roofline`: the kernels of a commit under the roofs of their testbeds. Runs nothing.

use std::collections::BTreeSet;
use std::path::Path;

use super::context::Context;
use super::error::{CommandError, During};
use super::history::{self, store_notices};
use super::output::write_whole;
use super::rooflines::{self, Limits};
use super::selection::Selection;
use super::workspace::Workspace;
use crate::cli::{RooflineArgs, SeriesArgs};
use crate::exit::Exit;
use crate::model::{ObjectId, Quantity, Unit};
use crate::report::check_text::{TextOptions, write_notice};
use crate::report::plot;
use crate::report::roofline::{self as report, TestbedRoofline};
use crate::report::words::SHORT_ID;
use crate::roofline::Precision;

/// Runs the command.
pub fn run(arguments: &RooflineArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let workspace = Workspace::open(context)?;
    let limits = limits(arguments, &workspace)?;
    let selection = selection(arguments)?;
    let store = &workspace.store;
    let commit = workspace.revision(&arguments.rev)?;
    let commits = store.history(&[commit], history::walk(arguments.history, workspace.settings.history))?;
    let annotated = store.annotated_history(&commits, &store.notes()?)?;
    for notice in store_notices(&annotated, store)? {
        write_notice(context.err, &notice, context.terminal.color)?;
    }
    let shown = rooflines::gather(commit, &annotated, &selection, &limits);
    if shown.is_empty() {
        return Err(nothing(commit));
    }
    if let Some(path) = &arguments.output {
        draw(path, &shown, context)?;
    }
    if arguments.json {
        writeln!(context.out, "{}", report::json(commit, &shown))?;
    } else {
        let options = TextOptions { width: context.terminal.width, color: context.terminal.color, verbose: false };
        report::text(context.out, &shown, options)?;
    }
    Ok(Exit::Holds)
}

fn selection(arguments: &RooflineArgs) -> Result<Selection, CommandError> {
    Selection::new(&SeriesArgs {
        benchmarks: arguments.benchmarks.clone(),
        config: arguments.config.clone(),
        metrics: Vec::new(),
        testbed: arguments.testbed.clone(),
    })
}

fn nothing(commit: ObjectId) -> CommandError {
    let short = commit.short(SHORT_ID);
    CommandError::no_verdict(format!("{short} has no kernel with a rate: neither `throughput` (FLOP/s) nor `bandwidth` (B/s), nor a profile"))
        .with_hint("git ratchet record --benchmark NAME --metric throughput='51 TFLOP/s' --metric bandwidth='200 GB/s' records both; docs/roofline.md says more")
}

/// Limits from flags, else from settings.
fn limits(arguments: &RooflineArgs, workspace: &Workspace) -> Result<Limits, CommandError> {
    let mut limits = Limits::new(&workspace.settings.roofline, arguments.gpu.as_ref())?;
    if let Some(text) = &arguments.bandwidth {
        limits.bandwidth = Some(rate("--bandwidth", text, &Unit::BYTE_PER_SECOND)?);
    }
    for text in &arguments.peaks {
        let (word, value) = text
            .split_once('=')
            .ok_or_else(|| CommandError::usage(format!("--peak {text} is no peak rate; it looks like f16='121 TFLOP/s'")))?;
        let precision = word.parse().map_err(|error| CommandError::usage(format!("--peak: {error}")))?;
        limits.peaks.insert(precision, rate("--peak", value, &Unit::FLOP_PER_SECOND)?);
    }
    let precision = arguments.dtype.as_deref().map(str::parse::<Precision>).transpose();
    limits.precision = precision.map_err(CommandError::usage)?;
    Ok(limits)
}

fn rate(flag: &str, text: &str, unit: &Unit) -> Result<f64, CommandError> {
    let quantity: Quantity = text.parse()?;
    if quantity.unit != *unit || quantity.value <= 0.0 {
        return Err(CommandError::usage(format!("{flag} {text} is no rate in {unit}")));
    }
    Ok(quantity.value)
}

/// Writes the picture of the only testbed.
fn draw(path: &Path, shown: &[TestbedRoofline], context: &Context) -> Result<(), CommandError> {
    let [only] = shown else {
        let names: BTreeSet<&str> = shown.iter().map(|testbed| testbed.testbed.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        return Err(CommandError::usage("a picture shows one testbed, and the commit was measured on several")
            .with_hint(format!("choose one with --testbed: {}", names.join("; "))));
    };
    let is_svg = match path.extension().and_then(|extension| extension.to_str()) {
        Some("svg") => true,
        Some("png") => false,
        _ => return Err(CommandError::usage(format!("{} is neither an .svg nor a .png", path.display()))),
    };
    let path = context.path(path);
    let mut picture = Vec::new();
    if is_svg {
        plot::roofline::svg(&mut picture, only)?
    } else {
        plot::roofline::png(&mut picture, only)?
    }
    write_whole(&path, &picture).during(format!("cannot write {}", path.display()))
}
