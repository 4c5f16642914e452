//! What `bisect` found, decided before: every format shows the same.

use super::overview::CommitEntry;
use crate::judge::{MoveSide, PairedShift};
use crate::model::{BenchmarkName, Config, Metric, ObjectId};

/// A search that ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Bisection {
    /// The benchmark.
    pub benchmark: BenchmarkName,
    /// Its point.
    pub config: Config,
    /// The metric.
    pub metric: Metric,
    /// The commit before the move that was named.
    pub old: CommitEntry,
    /// The one after it.
    pub new: CommitEntry,
    /// How many commits came after `old`.
    pub commits: usize,
    /// How many of them leave the inputs of the benchmark alone.
    pub left_alone: usize,
    /// How far `new` is from `old`.
    pub whole: PairedShift,
    /// What was measured in between, in this order.
    pub steps: Vec<BisectionStep>,
    /// The commit that moved the series; several where some could not be measured, the oldest first.
    pub found: Vec<CommitEntry>,
    /// How far the found commit is from the one before it, where it is one and could be measured.
    pub of_found: Option<PairedShift>,
    /// Whether the found commit is a merge.
    pub is_merge: bool,
}

/// A commit that was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BisectionStep {
    /// The commit.
    pub commit: ObjectId,
    /// How far it is from the old end.
    pub shift: PairedShift,
    /// The end that it is like.
    pub side: MoveSide,
    /// Whether the pairs prove that; otherwise they only point there.
    pub is_sure: bool,
}

/// How much of the move a found commit accounts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it, as far as pairs tell.
    All,
    /// A part; the rest came with other commits.
    Some,
    /// By itself it shows no change: the series moved little by little, or between pairs of commits by noise.
    Unclear,
}

impl Bisection {
    /// How much of the move the found commit accounts for; `None` where it is not known alone.
    pub fn part(&self) -> Option<Part> {
        let own = self.of_found?;
        if !own.is_clear() {
            return Some(Part::Unclear);
        }
        // Neither interval excludes that they are the same.
        let (low, high) = own.low_percent.zip(own.high_percent)?;
        let (whole_low, whole_high) = self.whole.low_percent.zip(self.whole.high_percent)?;
        Some(if low <= whole_high && whole_low <= high { Part::All } else { Part::Some })
    }
}
