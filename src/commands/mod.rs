//! The verbs, one file each: the only place where store, harness, import, judge and report meet.
//!
//! A command takes its arguments and a [`Context`] and returns an [`Exit`] or a [`CommandError`]. No command uses
//! another; what several need stands in the files that are not verbs: `workspace` (repository and settings), `history`
//! (from notes to series), `verdict` (from series to verdicts), `overview` (from verdicts to what a report shows),
//! `exchange` (with remotes), `profiling` (a point under Nsight Compute), `recording` (from measurements to a note), `away` (to a job of Slurm).

mod away;
mod bench;
mod bisect;
mod builds;
mod check;
mod compare;
mod completions;
mod confirmation;
mod context;
mod demo;
mod doctor;
mod error;
mod evidence;
mod exchange;
mod excuse;
mod explain;
mod fetch;
mod fleet_job;
mod followers;
mod gpu;
mod held;
mod history;
mod hook;
mod init;
mod kernel_worker;
mod kernels;
mod log;
mod man;
mod matchup;
mod output;
mod overview;
mod pager;
mod paired;
mod paired_kernels;
mod places;
mod points;
mod profile;
mod profile_diff;
mod profile_targets;
mod profiling;
mod profiling_kernels;
mod profiling_session;
mod progress;
mod prune;
mod push;
mod record;
mod recorder;
mod recording;
mod report;
mod roofline;
mod rooflines;
mod selection;
mod show;
mod suites;
mod tune;
mod unchanged;
mod verdict;
mod workspace;

use std::io::Write;

use clap::Parser;

pub use context::{Context, Pinned, Terminal};
pub use error::CommandError;

use crate::cli::{Cli, Command};
use crate::exit::Exit;
use crate::report::escape;

/// Parses the command line, runs the command, reports a failure on `err`, and returns the process exit code.
pub fn main(arguments: &[std::ffi::OsString], context: &mut Context) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, context),
    };
    let bisect = matches!(&cli.command, Command::Check(arguments) if arguments.bisect);
    let exit = run(cli, context).unwrap_or_else(|error| {
        // What was said before the error stands above it; whether that could be written is asked below.
        let _ = context.out.flush();
        report_error(&error, context)
    });
    let flushed = context.out.flush();
    let exit = match flushed {
        Err(error) => report_error(&error.into(), context),
        Ok(()) => exit,
    };
    if bisect { exit.bisect_code() } else { exit.code() }
}

/// Runs a parsed command.
fn run(cli: Cli, context: &mut Context) -> Result<Exit, CommandError> {
    if cli.dir.is_some() {
        context.dir = cli.dir;
    }
    match cli.command {
        Command::Init(arguments) => init::run(&arguments, context),
        Command::Bench(arguments) => bench::run(&arguments, context),
        Command::Record(arguments) => record::run(&arguments, context),
        Command::Check(arguments) => check::run(&arguments, context),
        Command::Compare(arguments) => compare::run(&arguments, context),
        Command::Profile(arguments) => profile::run(&arguments, context),
        Command::Tune(arguments) => tune::run(&arguments, context),
        Command::Roofline(arguments) => roofline::run(&arguments, context),
        Command::Log(arguments) => pager::paged(context, |context| log::run(&arguments, context)),
        Command::Show(arguments) => pager::paged(context, |context| show::run(&arguments, context)),
        Command::Explain(arguments) => pager::paged(context, |context| explain::run(&arguments, context)),
        Command::Bisect(arguments) => bisect::run(&arguments, context),
        Command::Report(arguments) => pager::paged(context, |context| report::run(&arguments, context)),
        Command::Excuse(arguments) => excuse::run(&arguments, context),
        Command::Prune(arguments) => prune::run(&arguments, context),
        Command::Fetch(arguments) => fetch::run(&arguments, context),
        Command::Push(arguments) => push::run(&arguments, context),
        Command::Hook(arguments) => hook::run(&arguments, context),
        Command::Doctor(arguments) => doctor::run(&arguments, context),
        Command::Demo(arguments) => demo::run(&arguments, context),
        Command::Completions(arguments) => completions::run(&arguments, context),
        Command::InstallManPages(arguments) => man::run(&arguments, context),
        Command::KernelWorker(arguments) => kernel_worker::run(&arguments, context),
        Command::FleetJob(arguments) => fleet_job::run(&arguments, context),
    }
}

/// Help and version go to stdout and hold; everything else is a usage error.
fn usage(error: &clap::Error, context: &mut Context) -> u8 {
    let styled = error.render();
    let text = if context.terminal.color { styled.ansi().to_string() } else { styled.to_string() };
    // A reader that went away has seen enough.
    let _ = if error.use_stderr() { context.err.write_all(text.as_bytes()) } else { context.out.write_all(text.as_bytes()) };
    let _ = context.out.flush();
    if error.use_stderr() { Exit::Usage.code() } else { Exit::Holds.code() }
}

fn report_error(error: &CommandError, context: &mut Context) -> Exit {
    if error.broken_pipe {
        return Exit::Holds;
    }
    // Nobody is left to hear that stderr is closed.
    let _ = write_error(context.err, error);
    error.exit
}

fn write_error(err: &mut dyn Write, error: &CommandError) -> std::io::Result<()> {
    let mut lines = error.message.lines();
    writeln!(err, "error: {}", escape::terminal(lines.next().unwrap_or_default()))?;
    for line in lines {
        writeln!(err, "{}", escape::terminal(line))?;
    }
    match &error.hint {
        Some(hint) => writeln!(err, "hint: {}", escape::terminal(hint)),
        None => Ok(()),
    }
}
