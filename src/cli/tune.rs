//! The arguments of `tune`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{CacheArg, OnArgs};

/// How points are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StrategyArg {
    /// A random sample, then what promises most by a model of the times so far.
    Learn,
    /// In random order.
    Random,
}

/// Search the tunables of a kernel for a faster point, and suggest it.
///
/// Compiles and launches a kernel of ratchet.toml on this computer's GPU, one point of its tunables after the other, within
/// a budget of time. Each point is verified before its time counts; the best few are then measured in turn with the
/// default. Records nothing and changes no file: the suggestion is printed as a diff of the manifest.
#[derive(Debug, Args)]
pub struct TuneArgs {
    /// The kernel: a benchmark of ratchet.toml.
    #[arg(value_name = "KERNEL")]
    pub kernel: String,
    /// The config to tune for: its name, or parameters that it has, such as 'B=32 H=8'.
    #[arg(long, value_name = "NAME|PARAMS")]
    pub config: Option<String>,
    /// Tune for all configs (that --config leaves) at once: the best compromise, by the geometric mean of times.
    #[arg(long)]
    pub all_configs: bool,
    /// How long it may take, such as 90s, 10m or 1h: compiling and the last comparison included.
    #[arg(long, value_name = "TIME", default_value = "10m")]
    pub budget: String,
    /// How points are chosen. None is measured twice, so where the budget suffices every point is measured.
    #[arg(long, value_enum, value_name = "NAME", default_value_t = StrategyArg::Learn)]
    pub strategy: StrategyArg,
    /// What the choice of points is drawn from: the same seed begins with the same points. Default: another one each time.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Only points for which this expression over tunables, config and device holds, such as 'BLOCK_N <= 128' (repeatable).
    /// The default is measured anyway.
    #[arg(long = "restrict", value_name = "EXPRESSION")]
    pub restrictions: Vec<String>,
    /// List the valid points, run nothing. Needs neither a GPU nor a compiler.
    #[arg(long, conflicts_with_all = ["compile_only", "on"])]
    pub list: bool,
    /// Only compile every valid point and tabulate what the compiler says: registers, spills, shared memory, occupancy. Needs
    /// no GPU.
    #[arg(long)]
    pub compile_only: bool,
    /// With --list or --compile-only: for these architectures, such as sm_80,sm_90a, in place of those in ratchet.toml.
    #[arg(long = "arch", value_name = "ARCH", value_delimiter = ',')]
    pub archs: Vec<String>,
    /// Lock the GPU's clock meanwhile: to this many MHz, or (base) to what it holds at its power limit. It is restored
    /// however the program ends. Takes root.
    #[arg(long, value_name = "MHZ", num_args = 0..=1, require_equals = true, default_missing_value = "base")]
    pub lock_clocks: Option<String>,
    /// What the GPU's second-level cache holds before a launch, in place of `cache` in ratchet.toml.
    #[arg(long, value_enum, value_name = "STATE")]
    pub cache: Option<CacheArg>,
    /// Measure everything anew, also what an earlier tune has measured on this testbed.
    #[arg(long)]
    pub fresh: bool,
    /// Write the result to a file, too: .json has every point, .md a summary, .diff the change of the manifest (repeatable).
    #[arg(short, long = "output", value_name = "FILE")]
    pub outputs: Vec<PathBuf>,
    /// Where it runs.
    #[command(flatten)]
    pub place: OnArgs,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    pub json: bool,
}
