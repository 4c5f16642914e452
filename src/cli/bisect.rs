//! The arguments of `bisect`.

use clap::Args;

use super::OnArgs;

/// Find the commit that moved a series.
///
/// Measures commits between OLD and NEW, each in turn with OLD in temporary worktrees, and halves what is left, beginning
/// where the recorded results moved. The commands are those of NEW's ratchet.toml; kernels are compiled from each commit.
/// Where the benchmark has `inputs`, commits that leave them alone are passed over. Follows first parents. Records nothing.
#[derive(Debug, Args)]
pub struct BisectArgs {
    /// The benchmark. Default: the one with the worst verdict at NEW.
    #[arg(value_name = "BENCHMARK")]
    pub benchmark: Option<String>,
    /// Only points whose config has these parameters, such as 'B=32 H=8'.
    #[arg(long, value_name = "PARAMS")]
    pub config: Option<String>,
    /// The metric. Default: the one with the worst verdict; with --old, the first of the benchmark.
    #[arg(long, value_name = "NAME")]
    pub metric: Option<String>,
    /// A commit before the move. Default: the newest that holds the baseline of NEW.
    #[arg(long, value_name = "REV")]
    pub old: Option<String>,
    /// A commit after the move.
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    pub new: String,
    /// How many pairs are measured of two commits at most: fewer where they prove the side of a commit sooner. Fewer than 7 prove nothing.
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(7..=1000))]
    pub pairs: u32,
    /// Where it runs.
    #[command(flatten)]
    pub place: OnArgs,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}
