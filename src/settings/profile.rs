//! How kernels are profiled: `[profile]` for all benchmarks, `[benchmark.profile]` for one.

use std::time::Duration;

/// `[profile]`.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileSettings {
    /// `check --profile` profiles what lost at least this much, in percent.
    pub regression_percent: f64,
    /// `check --profile` profiles what gained at least this much, in percent.
    pub improvement_percent: f64,
    /// The profiler's set of sections; absent means the profiler module's default.
    pub set: Option<String>,
    /// The most that profiling one point may take; absent means the profiler module's default.
    pub timeout: Option<Duration>,
}

impl Default for ProfileSettings {
    fn default() -> Self {
        Self { regression_percent: 3.0, improvement_percent: 10.0, set: None, timeout: None }
    }
}

/// `[benchmark.profile]`: which launches of a benchmark's command are meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LaunchSelection {
    /// A regular expression for the kernel's name.
    pub kernel: Option<String>,
    /// Matching launches that pass first.
    pub launch_skip: Option<u32>,
    /// Launches that are profiled then.
    pub launch_count: Option<u32>,
}

impl LaunchSelection {
    /// This selection, completed by `fallback`.
    pub fn or(self, fallback: &Self) -> Self {
        Self {
            kernel: self.kernel.or_else(|| fallback.kernel.clone()),
            launch_skip: self.launch_skip.or(fallback.launch_skip),
            launch_count: self.launch_count.or(fallback.launch_count),
        }
    }
}
