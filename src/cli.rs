//! The command line as types. Their doc comments are the help texts; there is no behaviour here.

mod bench;
mod bisect;
mod check;
mod exchange;
mod fleet;
mod kernels;
mod look;
mod prune;
mod record;
mod report;
mod series;
mod setup;
mod tune;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

pub use bench::{BenchArgs, CacheArg};
pub use bisect::BisectArgs;
pub use check::{CheckArgs, CheckFormat, ExcuseArgs};
pub use exchange::{ExchangeArgs, HookArgs, HookCommand};
pub use fleet::{FleetJobArgs, OnArgs};
pub use kernels::{KernelWorkerArgs, ProfileArgs, RooflineArgs};
pub use look::{CompareArgs, LogArgs, ShowArgs};
pub use prune::PruneArgs;
pub use record::RecordArgs;
pub use report::{ExplainArgs, ExplainFormat, ReportArgs, ReportFormat};
pub use series::{HistoryArg, PastArgs, SeriesArgs};
pub use setup::{CompletionsArgs, DemoArgs, DoctorArgs, InitArgs, InstallManPagesArgs};
pub use tune::{StrategyArg, TuneArgs};

/// Keep a repository from getting slower.
///
/// Benchmark results attach to commits as git notes (refs/notes/ratchet). The baseline is the best level that the
/// history has ever held, computed by walking that history: there is no baseline file to commit or edit.
///
/// A first session: `git ratchet init` writes ratchet.toml, `git ratchet bench` measures and records, `git ratchet check`
/// judges. `git ratchet demo` shows all of it in a throw-away repository.
///
/// Exit codes: 0 it holds; 1 regression; 2 usage error; 3 no verdict (not measured, undecided); 4 failure.
#[derive(Debug, Parser)]
#[command(name = "git-ratchet", bin_name = "git ratchet", version, propagate_version = false, max_term_width = 100)]
pub struct Cli {
    /// Run as if started in this folder.
    #[arg(short = 'C', value_name = "DIR", global = true, help_heading = "Global options")]
    pub dir: Option<PathBuf>,
    /// When to colour the output.
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN", global = true, help_heading = "Global options")]
    pub color: Color,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The verbs.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "the doc comments of the arguments are the help texts of the verbs")]
pub enum Command {
    Init(InitArgs),
    Bench(BenchArgs),
    Record(RecordArgs),
    Check(CheckArgs),
    Compare(CompareArgs),
    Profile(ProfileArgs),
    Tune(TuneArgs),
    Roofline(RooflineArgs),
    Log(LogArgs),
    Show(ShowArgs),
    Explain(ExplainArgs),
    Bisect(BisectArgs),
    Report(ReportArgs),
    Excuse(ExcuseArgs),
    /// Fetch the notes of a remote and unite them with the notes here.
    ///
    /// Line by line: nothing that stands here is ever overwritten or removed.
    Fetch(ExchangeArgs),
    /// Send the notes to a remote, without force.
    ///
    /// Fetches and unites first, and tries again when others push at the same moment. Nothing at the remote is ever
    /// overwritten.
    Push(ExchangeArgs),
    Prune(PruneArgs),
    Hook(HookArgs),
    Doctor(DoctorArgs),
    Demo(DemoArgs),
    Completions(CompletionsArgs),
    InstallManPages(InstallManPagesArgs),
    #[command(hide = true)]
    KernelWorker(KernelWorkerArgs),
    #[command(hide = true)]
    FleetJob(FleetJobArgs),
}
