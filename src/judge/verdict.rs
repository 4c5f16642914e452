//! Verdicts: the words, what they are given by, and what a report has of each series.

use chrono::{DateTime, Utc};

use super::Reasons;
use crate::model::{Direction, Excuse, Metric, MetricName, ObjectId, SeriesKey};

/// What the gate says of one series, or of all of them.
///
/// Ordered from the one that says least to the worst, so that the verdict over several series is their maximum.
/// `New` comes first because a series without a baseline says nothing about the others; `Improvement` comes before
/// `Pass` because the headline is the worst that happened, not the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// There is no baseline yet: the candidate becomes the first.
    New,
    /// Better than the baseline, beyond the improvement threshold and beyond the noise.
    Improvement,
    /// It holds.
    Pass,
    /// The loss lies beyond the threshold, but noise explains it as well: more runs would decide.
    Undecided,
    /// The candidate was not measured. Nothing measured is never a pass.
    NotMeasured,
    /// Worse than the baseline, beyond the threshold and beyond the noise.
    Regression,
}

impl Verdict {
    /// The word of the JSON contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Improvement => "improvement",
            Self::Pass => "pass",
            Self::Undecided => "undecided",
            Self::NotMeasured => "not_measured",
            Self::Regression => "regression",
        }
    }

    /// Whether the gate holds (exit code 0). `Regression` is exit code 1; the others that do not hold are 3.
    pub fn holds(self) -> bool {
        matches!(self, Self::New | Self::Improvement | Self::Pass)
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How large a change has to be. Both are positive percentages of the baseline's value, as `change_percent` shows them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// A change below minus this is a regression.
    pub regression_percent: f64,
    /// A change above this is an improvement.
    pub improvement_percent: f64,
}

impl Thresholds {
    /// Of exact metrics for which the user gave no threshold: any change counts.
    pub const EXACT: Self = Self { regression_percent: 0.0, improvement_percent: 0.0 };

    /// What holds for a metric where the settings say nothing, or only a part.
    pub fn for_metric(metric: &Metric, regression_percent: Option<f64>, improvement_percent: Option<f64>) -> Self {
        let usual = if metric.exact { Self::EXACT } else { Self::default() };
        Self {
            regression_percent: regression_percent.unwrap_or(usual.regression_percent),
            improvement_percent: improvement_percent.unwrap_or(usual.improvement_percent),
        }
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { regression_percent: 3.0, improvement_percent: 5.0 }
    }
}

/// What the candidate is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum BaselineRule {
    /// The best level that the series has held: robust against lucky runs.
    #[default]
    Level,
    /// The best single run ever, compared plainly with the threshold.
    BestRun,
    /// All the runs given, which the caller took from one revision (`--baseline REV`).
    Revision,
}

impl BaselineRule {
    /// The word in settings and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Level => "level",
            Self::BestRun => "best-run",
            Self::Revision => "revision",
        }
    }
}

/// The value that binds, and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// The level, in base units.
    pub value: f64,
    /// Lower end of its 95 % interval.
    pub low: Option<f64>,
    /// Upper end of its 95 % interval.
    pub high: Option<f64>,
    /// The commits that held it, oldest first, each once; of many the newest [`Baseline::MOST_COMMITS`]. A paired
    /// confirmation measures against these.
    pub commits: Vec<ObjectId>,
    /// How many runs established it.
    pub runs: usize,
}

impl Baseline {
    /// More commits than a confirmation has pairs are of no use to anyone.
    pub const MOST_COMMITS: usize = 24;

    /// Which of the runs of its series hold it, given oldest first with their values. `commits` names the newest ones only;
    /// before them hold those that are no farther from the level, as many as there are.
    pub fn holds(&self, runs: &[(ObjectId, f64)]) -> Vec<bool> {
        let distance = |value: f64| (value - self.value).abs();
        let named = |commit: &ObjectId| self.commits.contains(commit);
        let mut holds: Vec<bool> = runs.iter().map(|(commit, _)| named(commit)).collect();
        let reach =
            runs.iter().zip(&holds).filter(|(_, holds)| **holds).map(|((_, value), _)| distance(*value)).fold(0.0, f64::max);
        let oldest = holds.iter().position(|holds| *holds).unwrap_or(0);
        let more = self.runs.saturating_sub(holds.iter().filter(|holds| **holds).count());
        let is_more = self.commits.len() == Self::MOST_COMMITS;
        let older = (0..oldest).rev().filter(|at| is_more && distance(runs[*at].1) <= reach).take(more);
        older.for_each(|at| holds[at] = true);
        holds
    }
}

/// What the candidate measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The median over its runs, in base units.
    pub value: f64,
    /// Lower end of the 95 % interval: within the run where there is one, between runs where there are several.
    pub low: Option<f64>,
    /// Upper end of it.
    pub high: Option<f64>,
    /// How many runs there are.
    pub runs: usize,
}

/// What an excuse did to a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExcuseEffect {
    /// Runs older than the excused commit no longer bind.
    ResetBaseline {
        /// How many runs were set aside.
        runs: usize,
    },
    /// The candidate is worse than the baseline, and is allowed to be.
    Forgave {
        /// What the verdict would have been.
        verdict: Verdict,
    },
}

/// An excuse that took part in a verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct AppliedExcuse {
    /// The excuse: who, why, until what level.
    pub excuse: Excuse,
    /// What it did.
    pub effect: ExcuseEffect,
}

/// Something about a series that its verdict alone does not say.
#[derive(Debug, Clone, PartialEq)]
pub enum JudgeWarning {
    /// Runs of the history that could not be a baseline.
    Excluded(super::Excluded),
    /// The loss lies beyond the threshold, but in a series this noisy that happens without a cause.
    NoiseHidesLoss {
        /// The smallest loss that this history could prove, in percent; `None` where the baseline is zero.
        detectable_percent: Option<f64>,
    },
    /// A paired re-measurement could not tell: the computer was too noisy.
    TooNoisyToConfirm {
        /// By how much single runs of one binary scattered, in percent.
        spread_percent: f64,
        /// The largest loss that may hide in the pairs, in percent; `None` where the baseline is zero.
        hidden_percent: Option<f64>,
    },
    /// The candidate says that the opposite of before is better: everything is judged by what it says.
    BetterTurned {
        /// What was better in the history.
        was: Direction,
    },
    /// The candidate was measured with uncommitted changes: the verdict is about those, too.
    DirtyCandidate,
    /// The candidate's record says why it may never be a baseline.
    BarredCandidate {
        /// The record's reason.
        reason: String,
    },
    /// Nobody signed for the candidate's records, where only what is signed counts: they will never be a baseline.
    UntrustedCandidate,
    /// Runs of the same commit that should agree exactly do not.
    ExactRunsDiffer,
    /// Not a pass, although the machine code is the baseline's: the change is the environment's, not the code's.
    SameMachineCode,
    /// An excuse covers the series but its time is over.
    ExcuseExpired {
        /// The excuse.
        excuse: Box<Excuse>,
        /// When it ended.
        expired: DateTime<Utc>,
    },
    /// An excuse covers the series but the candidate is worse than what it allows.
    ExcuseExceeded {
        /// The excuse.
        excuse: Box<Excuse>,
        /// The worst value that it allows, in base units.
        until: f64,
    },
}

/// The verdict on one series, with everything a report needs.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesVerdict {
    /// The series.
    pub key: SeriesKey,
    /// Its metric: unit and direction.
    pub metric: Metric,
    /// The verdict.
    pub verdict: Verdict,
    /// Change of the candidate against the baseline, positive is better. `None` without a baseline or a candidate, and
    /// where the baseline is zero and the candidate is not: no percentage says that.
    pub change_percent: Option<f64>,
    /// What binds.
    pub baseline: Option<Baseline>,
    /// What was measured.
    pub candidate: Option<Estimate>,
    /// What the change was held against.
    pub thresholds: Thresholds,
    /// Why.
    pub reasons: Reasons,
    /// The excuse that took part.
    pub excuse: Option<AppliedExcuse>,
    /// What else to know.
    pub warnings: Vec<JudgeWarning>,
}

/// A metric that was not judged, since it follows from one that was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Follower {
    /// The metric that was judged.
    pub lead: MetricName,
    /// The metric that says the same again.
    pub metric: MetricName,
}

/// The verdicts on all series of a candidate.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The commit that was judged.
    pub candidate: ObjectId,
    /// The newest commit of the history it was held against; `None` where there is no history.
    pub base: Option<ObjectId>,
    /// One verdict per series, in the order of their keys.
    pub series: Vec<SeriesVerdict>,
    /// What was left out of them, each once.
    pub followers: Vec<Follower>,
}

impl Judgement {
    /// The worst verdict of the series; [`Verdict::NotMeasured`] where there are none.
    pub fn verdict(&self) -> Verdict {
        self.series.iter().map(|series| series.verdict).max().unwrap_or(Verdict::NotMeasured)
    }

    /// The series that most wants an explanation, of those that were measured and have a baseline: the worst verdict, what is
    /// measured before what is counted, the largest loss.
    pub fn worst(&self) -> Option<&SeriesVerdict> {
        let has_both_sides = |series: &&SeriesVerdict| series.candidate.is_some() && series.baseline.is_some();
        let rank = |series: &SeriesVerdict| (series.verdict, !series.metric.exact);
        let loss = |series: &SeriesVerdict| -series.change_percent.unwrap_or(0.0);
        let worse = |a: &&SeriesVerdict, b: &&SeriesVerdict| rank(a).cmp(&rank(b)).then(loss(a).total_cmp(&loss(b)));
        self.series.iter().filter(has_both_sides).max_by(worse)
    }
}
