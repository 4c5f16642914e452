//! The verbs about kernels: why one is as fast as it is, and the hidden one that runs them.

use std::path::PathBuf;

use clap::Args;

use super::{HistoryArg, OnArgs};

/// Profile kernels with Nsight Compute, and compare profiles.
///
/// Runs benchmarks of ratchet.toml under ncu (a command as it is, a kernel launched alone), keeps its report, and records the
/// counters that explain most on HEAD. --diff runs nothing: it puts the recorded counters of two commits side by side, the most telling change
/// first.
#[derive(Debug, Args)]
pub struct ProfileArgs {
    /// Only these benchmarks.
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Only points whose config has these parameters, such as 'N=1000'.
    #[arg(long, value_name = "PARAMS")]
    pub config: Option<String>,
    /// Compare the profiles of two commits instead. B is HEAD where it is not given.
    #[arg(long, num_args = 1..=2, value_names = ["A", "B"], conflicts_with = "on")]
    pub diff: Vec<String>,
    /// Only this testbed.
    #[arg(long, value_name = "KEY", requires = "diff")]
    pub testbed: Option<String>,
    /// Profile the points of this list, as check --profile-targets writes it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["diff", "names", "config"])]
    pub targets: Option<PathBuf>,
    /// Only kernels whose name matches this regular expression.
    #[arg(short = 'k', long, value_name = "REGEX")]
    pub kernel: Option<String>,
    /// Let this many matching launches pass first (warm-up).
    #[arg(short = 's', long, value_name = "N")]
    pub launch_skip: Option<u32>,
    /// Profile this many launches then. Default: 1.
    #[arg(short = 'c', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub launch_count: Option<u32>,
    /// The set of sections to collect. Default: full.
    #[arg(long, value_name = "SET")]
    pub set: Option<String>,
    /// A further argument for ncu (repeatable), such as --ncu-arg=--nvtx.
    #[arg(long = "ncu-arg", value_name = "ARG", allow_hyphen_values = true)]
    pub ncu_args: Vec<String>,
    /// Stop profiling a point after this time. Default: 600s.
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<String>,
    /// Put the reports here instead of .git/ratchet/profiles.
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Profile and show, record nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Where it runs.
    #[command(flatten)]
    pub place: OnArgs,
    /// Word every difference.
    #[arg(short, long)]
    pub verbose: bool,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Show how far the kernels of a commit are below the limits of their chip.
///
/// A kernel's operations for each byte (throughput over bandwidth of its records, or what its profile counted) decide
/// whether the memory or the arithmetic holds it. Limits are, in this order: flags and settings; the best results of the
/// benchmarks copy and mma_peak; NVIDIA's datasheets. Runs nothing.
#[derive(Debug, Args)]
pub struct RooflineArgs {
    /// The commit.
    #[arg(value_name = "REV", default_value = "HEAD")]
    pub rev: String,
    /// Only this benchmark (repeatable).
    #[arg(long = "benchmark", value_name = "NAME")]
    pub benchmarks: Vec<String>,
    /// Only points whose config has these parameters, such as 'B=32 H=8'.
    #[arg(long, value_name = "PARAMS")]
    pub config: Option<String>,
    /// Only this testbed.
    #[arg(long, value_name = "KEY")]
    pub testbed: Option<String>,
    /// Which commits may hold the measured limits. Default: `history` of the settings, else first-parent.
    #[arg(long, value_enum, value_name = "WALK")]
    pub history: Option<HistoryArg>,
    /// The chip whose datasheet holds. Default: the one that the testbed names.
    #[arg(long, value_name = "NAME")]
    pub gpu: Option<String>,
    /// The peak bandwidth, such as '300 GB/s'.
    #[arg(long, value_name = "RATE")]
    pub bandwidth: Option<String>,
    /// A peak rate, such as f16='121 TFLOP/s' (repeatable).
    #[arg(long = "peak", value_name = "TYPE=RATE")]
    pub peaks: Vec<String>,
    /// What the kernels compute in: f64, f64_tensor, f32, tf32, f16, bf16, f8, i8. Default: their parameter `dtype`.
    #[arg(long, value_name = "TYPE")]
    pub dtype: Option<String>,
    /// Draw it, too: to an .svg or a .png.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    pub json: bool,
}

/// What git ratchet starts itself, to run kernels in a process of their own: reads requests from standard input.
#[derive(Debug, Args)]
pub struct KernelWorkerArgs {
    /// Only lock the clocks of this GPU, until standard input ends.
    #[arg(long, value_name = "GPU")]
    pub keep_clocks: Option<u32>,
    /// The clock to lock to. Default: what the GPU holds at its power limit.
    #[arg(long, value_name = "MHZ", requires = "keep_clocks")]
    pub mhz: Option<u32>,
    /// Only launch the kernel of the job in this file, without verifying or timing it.
    #[arg(long, value_name = "FILE", conflicts_with = "keep_clocks")]
    pub launch: Option<PathBuf>,
    /// How often to launch it.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "launch")]
    pub launches: u32,
}
