//! Thresholds: how much worse is a regression, how much better is an improvement.

use crate::model::MetricName;

/// Thresholds as one table of the file gives them: what is absent is looked up in the next table.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PartialThresholds {
    /// Percent, as a magnitude.
    pub regression_percent: Option<f64>,
    /// Percent, as a magnitude.
    pub improvement_percent: Option<f64>,
}

/// Thresholds of one metric in all benchmarks: `[metric.NAME]`.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricThresholds {
    /// The metric.
    pub metric: MetricName,
    /// Its thresholds.
    pub thresholds: PartialThresholds,
}

impl PartialThresholds {
    /// These thresholds, completed by `fallback`.
    pub fn or(self, fallback: Self) -> Self {
        Self {
            regression_percent: self.regression_percent.or(fallback.regression_percent),
            improvement_percent: self.improvement_percent.or(fallback.improvement_percent),
        }
    }
}
