//! The decision: a series and a candidate in, a verdict with its reasons out.
//!
//! - [`series`]: the runs of one (benchmark, config, metric, testbed) along a history, oldest first.
//! - [`baseline`]: the best level that such a series has ever held, its noise, and the rules to choose from.
//! - [`confirm`]: the sequential test of a paired re-measurement.
//! - [`excuse`]: how a recorded permission to regress resets a series.
//! - [`verdict`]: what comes out. Reasons and warnings are data, never sentences; a report makes the words.
//!
//! Everything here is pure: no clock (the time is passed in), no files, no git. Noise is judged on a log scale
//! oriented so that lower is better; values that go in and come out are in base units.

pub mod confirm;
pub mod excuse;
pub mod series;
pub mod verdict;

pub use confirm::Pair;
pub use excuse::{ExcusePlace, PlacedExcuse};
pub use series::{Candidate, Excluded, MeasuredRun, Series};
pub use verdict::{
    AppliedExcuse, Baseline, BaselineRule, Confirmation, Creep, Estimate, ExcuseEffect, HistoryTest, JudgeWarning, Judgement,
    Reasons, SeriesVerdict, StopReason, Thresholds, Verdict,
};

use chrono::{DateTime, Utc};

/// Everything that the verdict on one series depends on.
#[derive(Debug, Clone, Copy)]
pub struct SeriesInput<'a> {
    /// The history. [`BaselineRule::Revision`] takes all of its runs as the baseline.
    pub series: &'a Series,
    /// What is held against it.
    pub candidate: &'a Candidate,
    /// How large a change has to be; see [`Thresholds::for_metric`].
    pub thresholds: Thresholds,
    /// How the baseline is chosen.
    pub rule: BaselineRule,
    /// Whether what would be undecided is a regression.
    pub strict: bool,
    /// Every excuse that might cover the series; scope, time and limit are looked at here.
    pub excuses: &'a [PlacedExcuse],
    /// The present: what excuses expire against.
    pub now: DateTime<Utc>,
    /// What is known of the noise before looking at the series: pooled over the testbed, or the default.
    pub prior: NoisePrior,
    /// Pairs of a confirmation, in the order measured; empty where none was run.
    pub pairs: &'a [Pair],
    /// How many series are being confirmed at once.
    pub suspects: usize,
}

/// What is believed of the noise between runs before a series is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoisePrior {
    /// Standard deviation between runs on the log scale: 0.015 is 1.5 %.
    pub sigma: f64,
    /// How many degrees of freedom that belief is worth.
    pub weight: f64,
}

impl Default for NoisePrior {
    /// 1.5 % at the weight of 3 degrees of freedom.
    fn default() -> Self {
        Self { sigma: 0.015, weight: 3.0 }
    }
}
