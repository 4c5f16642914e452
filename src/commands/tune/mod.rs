//! `tune`: search the tunables of a kernel for a faster point, and suggest it. Records nothing, and changes no file but those
//! that --output names.

mod ahead;
mod kept;
mod listing;
mod pairs;
mod result;
mod session;
mod target;
mod trial;

use std::path::Path;
use std::time::Duration;

use self::kept::Kept;
use self::session::Session;
use self::target::Target;
use super::away::{self, Errand};
use super::context::Context;
use super::error::{CommandError, During};
use super::gpu::{ClockWish, Gpu, NoGpu};
use super::output::write_whole;
use super::workspace::Workspace;
use crate::cli::{StrategyArg, TuneArgs};
use crate::cuda::KernelPoint;
use crate::exit::Exit;
use crate::harness::{Interrupt, MonotonicClock};
use crate::model::{Quantity, Unit};
use crate::report::check_text::TextOptions;
use crate::report::tune_list::{self, Listing};
use crate::report::tuning::{Ended, Tuning};
use crate::report::{escape, tune_json, tune_markdown, tune_text};
use crate::tune::Strategy;

/// Runs the command.
pub fn run(arguments: &TuneArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let budget = budget(&arguments.budget)?;
    let lock = arguments.lock_clocks.as_deref().map(ClockWish::parse).transpose()?;
    arguments.outputs.iter().try_for_each(|path| format_of(path).map(drop))?;
    let workspace = Workspace::open(context)?;
    let target = Target::find(arguments, &workspace)?;
    if let Some(place) = &arguments.place.on {
        let errand = Errand { checkout: Some(away::clean_head(&workspace)?), ..Errand::default() };
        return away::run(place, errand, &workspace, context);
    }
    if arguments.list {
        return show_listings(&target, &listing::list(&target)?, arguments, context);
    }
    if arguments.compile_only {
        return show_listings(&target, &listing::compile(&target, &workspace, context)?, arguments, context);
    }
    let clock = MonotonicClock::new();
    let interrupt = Interrupt::on_ctrl_c().during("cannot start measuring")?;
    let gpu = Gpu::open(&workspace, lock, &interrupt, context).map_err(no_gpu)?;
    let tuning = search(arguments, (&target, &workspace), (&gpu, &clock, budget, &interrupt), context)?;
    arguments.outputs.iter().try_for_each(|path| write(path, &tuning, context))?;
    show(&tuning, arguments, context)?;
    let is_good = tuning.timed() > 0 && tuning.ended != Ended::Interrupted;
    Ok(if is_good { Exit::Holds } else { Exit::Failure })
}

fn no_gpu(error: NoGpu) -> CommandError {
    match error {
        NoGpu::Absent(why) => CommandError::failure(format!("points are measured on a GPU, and there is none: {why}"))
            .with_hint("--compile-only says what the compiler can tell of every point; --list shows them"),
        NoGpu::Broken(why) => CommandError::failure(format!("nothing can be measured: {why}")),
    }
}

fn search(
    arguments: &TuneArgs,
    (target, workspace): (&Target, &Workspace),
    (gpu, clock, budget, interrupt): (&Gpu, &MonotonicClock, Duration, &Interrupt),
    context: &mut Context,
) -> Result<Tuning, CommandError> {
    let testbed = gpu.testbed(workspace)?;
    let arch = gpu.arch(target.manifest());
    let space = target.space(arch, Some(&gpu.properties()))?;
    let default = target.default(arch)?;
    let seed = arguments.seed.unwrap_or_else(|| (context.random)() as u32 as u64);
    let benchmark = workspace.settings.benchmark(&target.benchmark);
    let session = Session {
        target,
        space: &space,
        default: &default,
        gpu,
        strategy: strategy(arguments.strategy),
        seed,
        timeout: benchmark.and_then(|benchmark| benchmark.timeout).unwrap_or(KernelPoint::DEFAULT_TIMEOUT),
        clock,
        budget,
        interrupt,
    };
    let announced = format!(
        "tuning {} for {arch}: {} valid of {} combinations, seed {seed}, at most {}",
        target.benchmark,
        space.len(),
        space.combinations(),
        tune_text::duration(budget.as_secs_f64())
    );
    writeln!(context.err, "{}", escape::terminal(&announced))?;
    let mut kept = Kept::open(workspace.store.common_dir(), testbed.key(), arguments.fresh);
    let searched = session.search(&mut kept, context)?;
    result::of(&session, searched, (testbed.key(), workspace), gpu.notices.clone(), context)
}

fn strategy(argument: StrategyArg) -> Strategy {
    match argument {
        StrategyArg::Learn => Strategy::Learn,
        StrategyArg::Random => Strategy::Random,
    }
}

/// `90s`, `10m`, `1h`. A lone `m` means minutes here.
fn budget(text: &str) -> Result<Duration, CommandError> {
    let minutes = text.strip_suffix('m').filter(|number| number.ends_with(|c: char| c.is_ascii_digit()));
    let quantity: Result<Quantity, _> = minutes.map_or_else(|| text.to_owned(), |number| format!("{number}min")).parse();
    let time = quantity.ok().filter(|quantity| quantity.unit == Unit::SECOND);
    let time = time.and_then(|quantity| Duration::try_from_secs_f64(quantity.value).ok()).filter(|time| !time.is_zero());
    time.ok_or_else(|| CommandError::usage(format!("--budget {text} is no time; it looks like 90s, 10m or 1h")))
}

/// What a file is to hold.
#[derive(Clone, Copy)]
enum FileFormat {
    Json,
    Markdown,
    Diff,
}

fn format_of(path: &Path) -> Result<FileFormat, CommandError> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => Ok(FileFormat::Json),
        Some("md" | "markdown") => Ok(FileFormat::Markdown),
        Some("diff" | "patch") => Ok(FileFormat::Diff),
        _ => Err(CommandError::usage(format!("--output {}: its name does not tell what it is to hold", path.display()))
            .with_hint("it ends with .json (every point), .md (a summary) or .diff (the change of the manifest)")),
    }
}

/// Writes a result to a file. Without a suggestion the diff is empty.
fn write(path: &Path, tuning: &Tuning, context: &mut Context) -> Result<(), CommandError> {
    let text = match format_of(path)? {
        FileFormat::Json => format!("{}\n", tune_json::tuning(tuning)),
        FileFormat::Markdown => tune_markdown::tuning(tuning),
        FileFormat::Diff => tuning.diff.clone().unwrap_or_default(),
    };
    write_whole(&context.path(path), text.as_bytes()).during(format!("cannot write {}", path.display()))?;
    Ok(writeln!(context.err, "wrote {}", escape::terminal(&path.display().to_string()))?)
}

fn text_options(context: &Context) -> TextOptions {
    TextOptions { width: context.terminal.width, color: context.terminal.color, verbose: false }
}

fn show(tuning: &Tuning, arguments: &TuneArgs, context: &mut Context) -> Result<(), CommandError> {
    let options = text_options(context);
    if arguments.json {
        return Ok(writeln!(context.out, "{}", tune_json::tuning(tuning))?);
    }
    Ok(tune_text::tuning(context.out, tuning, options)?)
}

/// Listings end well, unless not a single point could be compiled.
fn show_listings(
    target: &Target,
    listings: &[Listing],
    arguments: &TuneArgs,
    context: &mut Context,
) -> Result<Exit, CommandError> {
    let benchmark = target.benchmark.as_str();
    let json = || tune_list::json(benchmark, target.manifest().path(), listings);
    for path in &arguments.outputs {
        match format_of(path)? {
            FileFormat::Json => {
                let text = format!("{}\n", json());
                write_whole(&context.path(path), text.as_bytes()).during(format!("cannot write {}", path.display()))?;
            }
            _ => return Err(CommandError::usage("without times there is only --output FILE.json")),
        }
    }
    if arguments.json {
        writeln!(context.out, "{}", json())?;
    } else {
        let options = text_options(context);
        tune_list::text(context.out, benchmark, listings, options)?;
    }
    let all_failed = listings.iter().all(|listing| listing.points.iter().all(|point| point.failure.is_some()));
    Ok(if all_failed { Exit::Failure } else { Exit::Holds })
}

#[cfg(test)]
mod tests {
    use super::budget;

    #[test]
    fn a_budget_is_a_time() {
        for (text, seconds) in [("90s", 90), ("10m", 600), ("1h", 3600), ("2min", 120)] {
            assert_eq!(budget(text).unwrap().as_secs(), seconds, "{text}");
        }
        for text in ["", "10", "0s", "10GB", "m", "-5s", "tenm"] {
            assert!(budget(text).is_err(), "{text}");
        }
    }
}
