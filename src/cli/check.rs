//! The arguments of `check` and `excuse`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{OnArgs, PastArgs, SeriesArgs};

/// How the output is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum CheckFormat {
    /// A table for people.
    #[default]
    Text,
    /// One JSON object (docs/check.schema.json).
    Json,
    /// A table for a pull request.
    Markdown,
    /// Annotations and summary of GitHub Actions.
    Github,
    /// A JUnit test report, as GitLab and Gitea read it.
    Junit,
}

/// Hold a commit against the best level of its history.
///
/// Executes nothing, unless it is asked to. --confirm (or git config ratchet.confirm) measures suspicious series again: it
/// runs their commands from the checked commit's ratchet.toml in temporary worktrees, and launches both versions of a kernel
/// in turn. --profile runs benchmarks in the work tree under Nsight Compute.
///
/// Exit codes: 0 it holds; 1 regression; 2 usage error; 3 no verdict (the commit was not measured, or the evidence does not
/// decide); 4 failure.
#[derive(Debug, Args, Default)]
pub struct CheckArgs {
    /// The commit to check.
    #[arg(value_name = "REV", default_value = "HEAD")]
    pub rev: String,
    /// Which past.
    #[command(flatten)]
    pub past: PastArgs,
    /// Which series.
    #[command(flatten)]
    pub series: SeriesArgs,
    /// Regression threshold in percent, for every series. Default: that of the settings, else 3.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub regression: Option<f64>,
    /// Improvement threshold in percent, for every series. Default: that of the settings, else 5.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub improvement: Option<f64>,
    /// Let weak evidence fail the check instead of being undecided.
    #[arg(long)]
    pub strict: bool,
    /// Measure suspicious series again, in turn with commits of the baseline, before calling them a regression. Runs
    /// their benchmarks, and records what it measures.
    #[arg(long, overrides_with = "no_confirm")]
    pub confirm: bool,
    /// Run nothing, whatever the settings say.
    #[arg(long, overrides_with = "confirm")]
    pub no_confirm: bool,
    /// Where a confirmation runs.
    #[command(flatten)]
    pub place: OnArgs,
    /// Do not record what a confirmation measures.
    #[arg(long)]
    pub no_record: bool,
    /// Exit with 3 where there is no baseline to compare with.
    #[arg(long)]
    pub require_baseline: bool,
    /// Profile what lost or gained much (beyond 3 % and 10 %, unless the settings say otherwise) with Nsight Compute and record the counters.
    /// Runs these benchmarks. The verdict does not depend on it.
    #[arg(long, conflicts_with = "on")]
    pub profile: bool,
    /// Write the points that are worth a profile to FILE as JSON, for git ratchet profile --targets.
    #[arg(long, value_name = "FILE")]
    pub profile_targets: Option<PathBuf>,
    /// Read thresholds and required benchmarks from the base revision's ratchet.toml, so that a change cannot loosen
    /// the gate that judges it.
    #[arg(long)]
    pub policy_from_base: bool,
    /// How to write the result.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = CheckFormat::Text)]
    pub format: CheckFormat,
    /// The same as --format json.
    #[arg(long)]
    pub json: bool,
    /// Write the same result to a file, too, such as json=verdict.json (repeatable).
    #[arg(long = "write", value_name = "FORMAT=FILE")]
    pub files: Vec<String>,
    /// Exit codes for `git bisect run`: 125 instead of 3, 128 instead of 2 and 4.
    #[arg(long)]
    pub bisect: bool,
    /// Show every series and the reasons behind each verdict.
    #[arg(short, long)]
    pub verbose: bool,
}

/// Accept a regression, with a reason.
///
/// From the excused commit on, older and better levels no longer bind the series. The excuse is a note like the
/// records; every report shows its author and reason.
#[derive(Debug, Args)]
pub struct ExcuseArgs {
    /// The benchmark; all benchmarks where none is named.
    #[arg(value_name = "BENCHMARK")]
    pub benchmark: Option<String>,
    /// Only points whose config has these parameters.
    #[arg(long, value_name = "PARAMS", default_value = "", hide_default_value = true)]
    pub config: String,
    /// Only this metric.
    #[arg(long, value_name = "NAME")]
    pub metric: Option<String>,
    /// Only this testbed.
    #[arg(long, value_name = "KEY")]
    pub testbed: Option<String>,
    /// Why the loss is accepted.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Accept it only up to this value, such as 12.5ms.
    #[arg(long, value_name = "VALUE")]
    pub until: Option<String>,
    /// Accept it only until this day (YYYY-MM-DD).
    #[arg(long, value_name = "DATE")]
    pub expires: Option<String>,
    /// The commit to excuse.
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    pub commit: String,
}

/// `3`, `0.5` or `3%`.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').trim_end();
    number.parse().map_err(|_| "not a percentage: write a number, such as 3".to_owned())
}
