//! Series: the runs that may be compared, along a history.

use chrono::{DateTime, Utc};

use crate::model::{LineId, Metric, ObjectId, SeriesKey, Summary};

/// One run's sample of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredRun {
    /// The commit it counts for: the one that was measured, or one with the same tree.
    pub commit: ObjectId,
    /// Where that commit stands in the history: 0 is the newest.
    pub position: usize,
    /// The run.
    pub run: LineId,
    /// When it began.
    pub time: DateTime<Utc>,
    /// Statistics of the sample, in base units. The run's value is the median.
    pub summary: Summary,
}

impl MeasuredRun {
    /// The run's value: the median of its sample, in base units.
    pub fn value(&self) -> f64 {
        self.summary.median
    }
}

/// Runs that were left out of a series because they can be no baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Excluded {
    /// Measured with uncommitted changes.
    pub dirty: usize,
    /// Failed verification, or beyond the physical limit.
    pub barred: usize,
    /// Measured in another unit, which cannot be compared.
    pub other_unit: usize,
}

impl Excluded {
    /// How many there are.
    pub fn total(&self) -> usize {
        self.dirty + self.barred + self.other_unit
    }
}

/// The runs of one (benchmark, config, metric, testbed) along a history.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What makes its runs comparable.
    pub key: SeriesKey,
    /// Unit and direction.
    pub metric: Metric,
    /// The runs that may be a baseline, oldest first.
    pub runs: Vec<MeasuredRun>,
    /// How many others there were.
    pub excluded: Excluded,
}

/// What is held against the baseline: the runs of one commit, in any order. Dirty and barred runs may be among them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Candidate {
    /// Its runs; empty where the commit was not measured.
    pub runs: Vec<MeasuredRun>,
    /// Whether any of them was measured with uncommitted changes.
    pub dirty: bool,
    /// Why any of them may never be a baseline.
    pub barred: Option<String>,
}
