//! The arguments of the verbs that show records and give no verdict: `compare`, `log`, `show`.

use clap::Args;

use super::{HistoryArg, OnArgs, SeriesArgs};

/// Compare two revisions, or two result files, with full statistics and without a verdict.
///
/// Where both sides have several runs their medians are compared, else the values within one run of each; --live measures
/// both now, in turn. Differences end with exit code 0.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The revision or result file to compare with.
    #[arg(value_name = "BEFORE")]
    pub before: String,
    /// The revision or result file that is compared.
    #[arg(value_name = "AFTER", default_value = "HEAD")]
    pub after: String,
    /// Which series.
    #[command(flatten)]
    pub series: SeriesArgs,
    /// Measure both revisions now, in turn: commands of AFTER's ratchet.toml in temporary worktrees, both versions of a
    /// kernel in one process. Records nothing.
    #[arg(long)]
    pub live: bool,
    /// How many pairs --live measures of each point.
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub pairs: u32,
    /// Where --live measures.
    #[command(flatten)]
    pub place: OnArgs,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Show series along history, with their best levels marked.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// The newest commit to show.
    #[arg(value_name = "REV", default_value = "HEAD")]
    pub rev: String,
    /// Which series.
    #[command(flatten)]
    pub series: SeriesArgs,
    /// Which commits count as history. Default: `history` of the settings, else first-parent.
    #[arg(long, value_enum, value_name = "WALK")]
    pub history: Option<HistoryArg>,
    /// Show at most this many measured commits of a series.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    pub max_count: usize,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    pub json: bool,
}

/// Show all records of one commit.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The commit.
    #[arg(value_name = "REV", default_value = "HEAD")]
    pub rev: String,
    /// Which series.
    #[command(flatten)]
    pub series: SeriesArgs,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub json: bool,
}
