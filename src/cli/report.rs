//! The arguments of `report` and `explain`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{PastArgs, SeriesArgs};

/// How an explanation is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ExplainFormat {
    /// For a terminal.
    #[default]
    Text,
    /// For a comment.
    Markdown,
    /// One JSON object (docs/explain.schema.json).
    Json,
}

/// Say what differs between the commit that holds the baseline and this one.
///
/// The strongest evidence first: machine code, input files (`inputs` of the benchmark in ratchet.toml; without them every
/// file) and the commits that changed them, metrics without noise, facts of the testbed, and where in the distribution
/// the change sits. Without a benchmark it explains the worst series. Runs nothing.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The benchmark. A single word that is a revision is taken for one.
    #[arg(value_name = "BENCHMARK")]
    pub benchmark: Option<String>,
    /// The commit to explain. Default: HEAD.
    #[arg(value_name = "REV")]
    pub rev: Option<String>,
    /// Only points whose config has these parameters, such as 'B=32 H=8'.
    #[arg(long, value_name = "PARAMS")]
    pub config: Option<String>,
    /// This metric; else the one with the worst verdict.
    #[arg(long, value_name = "NAME")]
    pub metric: Option<String>,
    /// Only this testbed.
    #[arg(long, value_name = "KEY")]
    pub testbed: Option<String>,
    /// Which past.
    #[command(flatten)]
    pub past: PastArgs,
    /// How to write it.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = ExplainFormat::Text)]
    pub format: ExplainFormat,
    /// The same as --format json.
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Tables for a pull request or a job summary.
    Markdown,
    /// One page with charts that works without a network.
    Html,
    /// One JSON object (docs/report.schema.json).
    Json,
    /// One row for each run.
    Csv,
    /// A picture made of lines.
    Svg,
    /// A picture made of pixels.
    Png,
}

/// Show verdicts and histories as a page, tables, pictures or data.
///
/// The verdicts are those of `check`, made without running anything. Whatever they are, a report that was written ends
/// with exit code 0.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The commit that is judged, with its whole history; or a range A..B, which judges B and shows what came after A.
    #[arg(value_name = "REV|A..B", default_value = "HEAD")]
    pub rev: String,
    /// Which past.
    #[command(flatten)]
    pub past: PastArgs,
    /// Which series.
    #[command(flatten)]
    pub series: SeriesArgs,
    /// How to write it. Default: what the name of the output file says, else markdown.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<ReportFormat>,
    /// The same as --format json.
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}
