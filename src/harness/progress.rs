//! News of a running benchmark, as data: who shows them decides how.

use std::time::Duration;

use crate::model::{BenchmarkName, Config, Measurement, Metric, SampleWarning};

/// Hears what happens while a point is measured.
pub trait Progress {
    /// Called in order, from the measuring thread, between executions: return quickly.
    fn event(&mut self, event: Event<'_>);
}

/// One piece of news.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<'a> {
    /// A point begins: it is built and prepared next.
    PointStarted {
        /// The benchmark.
        benchmark: &'a BenchmarkName,
        /// The point of it.
        config: &'a Config,
    },
    /// An unmeasured execution is done.
    WarmedUp {
        /// How many so far.
        taken: u32,
    },
    /// What the user should know about the point.
    Remark {
        /// In words.
        text: &'a str,
    },
    /// A measured execution is done.
    SampleTaken {
        /// How many so far.
        taken: u32,
        /// What the sample says by now; absent until there are three values.
        estimate: Option<Estimate<'a>>,
        /// Estimated time until the point is done; absent until it can be told.
        remaining: Option<Duration>,
    },
    /// This metric could not be told in every execution, and is left out of the results.
    Unavailable {
        /// The metric.
        metric: &'a Metric,
    },
    /// Something noticed about a finished sample.
    Warning {
        /// The metric.
        metric: &'a Metric,
        /// What.
        warning: &'a SampleWarning,
    },
    /// A point is measured.
    PointDone {
        /// One for each metric.
        measurements: &'a [Measurement],
    },
    /// A point could not be measured; the error is the result of the call.
    PointFailed,
}

/// What a growing sample says about the metric that decides its length.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate<'a> {
    /// The metric.
    pub metric: &'a Metric,
    /// The median so far, in base units.
    pub median: f64,
    /// Half width of its 95 % interval in percent of the median; absent below six values.
    pub half_width_percent: Option<f64>,
}

/// Hears everything and says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn event(&mut self, _event: Event<'_>) {}
}
