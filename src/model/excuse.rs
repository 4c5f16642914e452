//! An excuse: a recorded permission to regress.

use chrono::{DateTime, Utc};

use super::{Author, BenchmarkName, Config, LineId, MetricName, ObjectId, SeriesKey};

/// Which series an excuse covers: absent parts cover everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExcuseScope {
    /// Only this benchmark.
    pub benchmark: Option<BenchmarkName>,
    /// Only points whose config has these parameters.
    pub config: Config,
    /// Only this metric.
    pub metric: Option<MetricName>,
    /// Only this testbed.
    pub testbed: Option<String>,
}

impl ExcuseScope {
    /// Whether the series falls under this scope.
    pub fn covers(&self, series: &SeriesKey) -> bool {
        self.benchmark.as_ref().is_none_or(|name| *name == series.benchmark)
            && series.config.contains(&self.config)
            && self.metric.as_ref().is_none_or(|name| *name == series.metric)
            && self.testbed.as_ref().is_none_or(|key| *key == series.testbed)
    }
}

/// A recorded permission to regress, attached to a commit. From that commit on, older and better levels no longer
/// bind the series that it covers.
#[derive(Debug, Clone, PartialEq)]
pub struct Excuse {
    /// Unique id.
    pub id: LineId,
    /// When it was given.
    pub time: DateTime<Utc>,
    /// Who gave it.
    pub author: Author,
    /// The root tree of the excused commit, so that a squash-merge or rebase keeps the excuse.
    pub tree: ObjectId,
    /// What it covers.
    pub scope: ExcuseScope,
    /// Why.
    pub reason: String,
    /// It holds only while the series is no worse than this value, in base units.
    pub until: Option<f64>,
    /// It holds only for commits checked before this time.
    pub expires: Option<DateTime<Utc>>,
}
