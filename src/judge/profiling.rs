//! Which points of a judged commit are worth a profile: those that lost or gained so much that somebody will ask why.

use super::{Judgement, SeriesVerdict, Verdict};
use crate::model::{BenchmarkName, Config};

/// How much is so much, in percent, as magnitudes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProfileThresholds {
    /// A loss of at least this much.
    pub regression_percent: f64,
    /// A gain of at least this much.
    pub improvement_percent: f64,
}

/// Why a point is worth a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProfileReason {
    /// A series of it gained.
    Improvement,
    /// A series of it lost, or seems to.
    Regression,
}

impl ProfileReason {
    /// The word of the JSON contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Improvement => "improvement",
            Self::Regression => "regression",
        }
    }
}

/// A point that is worth a profile.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileTarget<'a> {
    /// The benchmark.
    pub benchmark: &'a BenchmarkName,
    /// The point of it.
    pub config: &'a Config,
    /// The gravest reason of its series.
    pub reason: ProfileReason,
    /// The series that are the reason, in the order of the judgement.
    pub series: Vec<&'a SeriesVerdict>,
}

/// The points that are worth a profile, in the order of the judgement.
///
/// A loss counts where the verdict is a regression or undecided: counters are much less noisy than times, so they may
/// tell what the times could not. What passes (by threshold or excuse) is not looked at.
pub fn profile_targets(judgement: &Judgement, thresholds: ProfileThresholds) -> Vec<ProfileTarget<'_>> {
    let mut targets: Vec<ProfileTarget> = Vec::new();
    for series in &judgement.series {
        let Some(reason) = reason(series, thresholds) else { continue };
        let known =
            targets.iter_mut().find(|target| *target.benchmark == series.key.benchmark && *target.config == series.key.config);
        match known {
            Some(target) => {
                target.reason = target.reason.max(reason);
                target.series.push(series);
            }
            None => targets.push(ProfileTarget {
                benchmark: &series.key.benchmark,
                config: &series.key.config,
                reason,
                series: vec![series],
            }),
        }
    }
    targets
}

fn reason(series: &SeriesVerdict, thresholds: ProfileThresholds) -> Option<ProfileReason> {
    let change = series.change_percent?;
    match series.verdict {
        Verdict::Regression | Verdict::Undecided if change <= -thresholds.regression_percent => Some(ProfileReason::Regression),
        Verdict::Improvement if change >= thresholds.improvement_percent => Some(ProfileReason::Improvement),
        _ => None,
    }
}
