//! What many verbs ask for: which series, and which past.

use clap::{Args, ValueEnum};

/// Which series a command looks at.
#[derive(Debug, Args, Clone, Default)]
pub struct SeriesArgs {
    /// Only this benchmark (repeatable).
    #[arg(help_heading = "Selection", long = "benchmark", value_name = "NAME")]
    pub benchmarks: Vec<String>,
    /// Only points whose config has these parameters, such as 'B=32 H=8'.
    #[arg(help_heading = "Selection", long, value_name = "PARAMS")]
    pub config: Option<String>,
    /// Only this metric (repeatable).
    #[arg(help_heading = "Selection", long = "metric", value_name = "NAME")]
    pub metrics: Vec<String>,
    /// Only this testbed.
    #[arg(help_heading = "Selection", long, value_name = "KEY")]
    pub testbed: Option<String>,
}

/// Which past a commit is held against.
#[derive(Debug, Args, Clone, Default)]
pub struct PastArgs {
    /// Compare with the history of this revision. Default: `base` of the settings, else the remote's main branch, else the
    /// upstream, else main or master.
    #[arg(long, value_name = "REV")]
    pub against: Option<String>,
    /// What to compare with: `level` (the best level of the history), `best-run` (its luckiest run), or a revision.
    /// Default: `baseline` of the settings, else level.
    #[arg(long, value_name = "RULE")]
    pub baseline: Option<String>,
    /// Which commits count as history. Default: `history` of the settings, else first-parent.
    #[arg(long, value_enum, value_name = "WALK")]
    pub history: Option<HistoryArg>,
}

/// How history is walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HistoryArg {
    /// What the branch really held: first parents only.
    FirstParent,
    /// Every ancestor.
    All,
}
