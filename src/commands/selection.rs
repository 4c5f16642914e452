//! Which series a command looks at, from its flags.

use super::error::CommandError;
use crate::cli::SeriesArgs;
use crate::model::{BenchmarkName, Config, MetricName, Profile, Run, SeriesKey};

/// A filter over series; absent parts let everything through.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    benchmarks: Vec<BenchmarkName>,
    config: Config,
    metrics: Vec<MetricName>,
    testbed: Option<String>,
}

impl Selection {
    /// From the flags that many commands share.
    pub fn new(arguments: &SeriesArgs) -> Result<Self, CommandError> {
        Ok(Self {
            benchmarks: arguments.benchmarks.iter().map(BenchmarkName::new).collect::<Result<_, _>>()?,
            config: arguments.config.as_deref().unwrap_or_default().parse()?,
            metrics: arguments.metrics.iter().map(MetricName::new).collect::<Result<_, _>>()?,
            testbed: arguments.testbed.clone(),
        })
    }

    /// Every series of these benchmarks at points that contain `config`.
    pub fn of_points(benchmarks: Vec<BenchmarkName>, config: Config) -> Self {
        Self { benchmarks, config, metrics: Vec::new(), testbed: None }
    }

    /// Whether the series is looked at.
    pub fn covers(&self, series: &SeriesKey) -> bool {
        self.covers_point(&series.benchmark, &series.config)
            && self.covers_metric(&series.metric)
            && self.testbed.as_ref().is_none_or(|testbed| *testbed == series.testbed)
    }

    /// Whether some series of the point may be looked at.
    pub fn covers_point(&self, benchmark: &BenchmarkName, config: &Config) -> bool {
        (self.benchmarks.is_empty() || self.benchmarks.contains(benchmark)) && config.contains(&self.config)
    }

    /// Whether the profile is looked at. Its counters are no metrics of a series: who asks for a metric wants no profile.
    pub fn covers_profile(&self, profile: &Profile, run: &Run) -> bool {
        self.metrics.is_empty()
            && self.covers_point(&profile.benchmark, &profile.config)
            && self.testbed.as_ref().is_none_or(|testbed| *testbed == run.testbed.key())
    }

    /// Whether some series of the testbed may be looked at.
    pub fn covers_testbed(&self, testbed: &str) -> bool {
        self.testbed.as_ref().is_none_or(|asked| asked == testbed)
    }

    /// Whether some series of the metric may be looked at.
    pub fn covers_metric(&self, metric: &MetricName) -> bool {
        self.metrics.is_empty() || self.metrics.contains(metric)
    }

    /// Whether the metric is asked for by its name.
    pub fn names_metric(&self, metric: &MetricName) -> bool {
        self.metrics.contains(metric)
    }

    /// Whether anything is filtered out.
    pub fn is_everything(&self) -> bool {
        self.benchmarks.is_empty() && self.config.is_empty() && self.metrics.is_empty() && self.testbed.is_none()
    }
}
