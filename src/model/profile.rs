//! A profile: what a profiler counted in one kernel. It explains a time and is never one: nothing is gated on it.

use std::collections::BTreeMap;

use super::{BenchmarkName, Config, InvalidValue, LineId, ObjectId, Unit, check_name};

/// The counters of one kernel of one benchmark point, as Nsight Compute read them.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Unique id.
    pub id: LineId,
    /// The run that it belongs to: testbed, tree and time stand there.
    pub run: LineId,
    /// The benchmark.
    pub benchmark: BenchmarkName,
    /// The point of it.
    pub config: Config,
    /// What was counted.
    pub counted: KernelProfile,
    /// The profiler's own report, where it was kept.
    pub report: Option<ReportFile>,
}

/// What was counted in the launches of one kernel.
#[derive(Debug, Clone, PartialEq)]
pub struct KernelProfile {
    /// The kernel's name, cut to [`Profile::MAX_KERNEL_BYTES`].
    pub kernel: String,
    /// How many launches were profiled; the metrics are medians over them.
    pub launches: u64,
    /// Values in base units, by the profiler's own name of the metric.
    pub metrics: BTreeMap<String, Counter>,
}

/// One counter of a profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Counter {
    /// The value in the base unit.
    pub value: f64,
    /// The base unit; what the model has no unit for is a plain number.
    pub unit: Unit,
}

/// The file that a profiler wrote, by a path that leads to it on the computer that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile {
    /// Relative to the root of the checkout; the bare file name where it lies outside of it.
    pub path: String,
    /// What `git hash-object` says of its content.
    pub blob: ObjectId,
    /// Its size.
    pub bytes: u64,
}

impl Profile {
    /// Longest kernel name that is kept. Names of C++ templates grow to pages.
    pub const MAX_KERNEL_BYTES: usize = super::MAX_NAME_BYTES;

    /// Most metrics of one profile. A full set has thousands; what explains a kernel fits in a hundred.
    pub const MAX_METRICS: usize = 256;
}

impl KernelProfile {
    /// The value of one metric.
    pub fn value(&self, metric: &str) -> Option<f64> {
        self.metrics.get(metric).map(|counter| counter.value)
    }

    /// Refuses what cannot be shown or stored.
    pub fn check(&self) -> Result<(), InvalidValue> {
        check_name("kernel name", &self.kernel)?;
        if self.metrics.is_empty() || self.metrics.len() > Profile::MAX_METRICS {
            return Err(InvalidValue::NoValues);
        }
        for (name, counter) in &self.metrics {
            check_name("metric name", name)?;
            if !counter.value.is_finite() {
                return Err(InvalidValue::NotFinite(counter.value));
            }
        }
        Ok(())
    }

    /// A kernel name that fits: unshowable characters and what is too long are left out.
    pub fn fitting_name(name: &str) -> String {
        let shown: String = name.chars().filter(|c| !super::is_unshowable(*c)).collect();
        let shown = shown.trim();
        if shown.is_empty() {
            return "unnamed kernel".to_owned();
        }
        if shown.len() <= Profile::MAX_KERNEL_BYTES {
            return shown.to_owned();
        }
        let mut fitting = String::new();
        let room = Profile::MAX_KERNEL_BYTES - '…'.len_utf8();
        fitting.extend(shown.char_indices().take_while(|(at, c)| at + c.len_utf8() <= room).map(|(_, c)| c));
        fitting.push('…');
        fitting
    }
}
