//! The arguments of `bench`.

use clap::{Args, ValueEnum};

use super::OnArgs;

/// Run the benchmarks of ratchet.toml and record their results on HEAD.
///
/// Runs the commands and suites of ratchet.toml. Compiles its kernels, and on a GPU verifies and times them. A benchmark that fails is
/// reported and the others still run; the exit code is then 4, or 1 where a kernel fails its verification. What is finished
/// is recorded at once: Ctrl-C costs the point that is being measured. `--commits` measures older commits in the same way.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Only these benchmarks and suites. A suite is run whole.
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Only points whose config has these parameters, such as 'N=1000'.
    #[arg(long, value_name = "PARAMS")]
    pub config: Option<String>,
    /// Make this many separate runs (runs tell more than samples).
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub runs: u32,
    /// Measure these commits and not HEAD, the oldest first: OLD..NEW (NEW and its first parents down to OLD, which is left out),
    /// or one revision. Each is checked out in a temporary worktree, and measured as the ratchet.toml that is here says. What
    /// has results on this testbed is passed over.
    #[arg(long, value_name = "OLD..NEW", conflicts_with_all = ["list", "if_changed", "json"])]
    pub commits: Option<String>,
    /// With --commits: measure what has results, too.
    #[arg(long, requires = "commits")]
    pub again: bool,
    /// Measure and show, record nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// List the benchmarks with their points and the suites, run nothing.
    #[arg(long, conflicts_with_all = ["dry_run", "on"])]
    pub list: bool,
    /// Skip what an earlier commit has measured here of the same content, and inherit its results: kernels with the same
    /// machine code, launch and arguments, commands and suites whose `inputs` and settings are the same.
    #[arg(long)]
    pub if_changed: bool,
    /// Only compile kernels and record what the compiler says of them: registers, spills, instructions, occupancy. Needs no
    /// GPU.
    #[arg(long)]
    pub compile_only: bool,
    /// Compile kernels for these architectures, such as sm_80,sm_90a, in place of those in ratchet.toml.
    #[arg(long = "arch", value_name = "ARCH", value_delimiter = ',')]
    pub archs: Vec<String>,
    /// Stop sampling a point after this time, such as 10s. A suite has its own idea of that.
    #[arg(long, value_name = "TIME")]
    pub max_time: Option<String>,
    /// Lock the GPU's clock while kernels are measured: to this many MHz, or (base) to what it holds at its power limit.
    /// It is restored however the program ends. Takes root.
    #[arg(long, value_name = "MHZ", num_args = 0..=1, require_equals = true, default_missing_value = "base")]
    pub lock_clocks: Option<String>,
    /// What the GPU's second-level cache holds before a kernel is launched: other data, or what the launch before left. In
    /// place of `cache` in ratchet.toml; cold where neither says.
    #[arg(long, value_enum, value_name = "STATE")]
    pub cache: Option<CacheArg>,
    /// Where it runs.
    #[command(flatten)]
    pub place: OnArgs,
    /// With --on: share the work out to this many jobs, by commits with --commits, else by benchmarks. Each records by itself.
    #[arg(long, value_name = "N", requires = "on", conflicts_with = "json", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub jobs: Option<u32>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// What a cache holds before a launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CacheArg {
    /// Other data.
    Cold,
    /// What the launch before left.
    Hot,
}
