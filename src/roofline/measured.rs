//! Roofs and kernels out of records and profiles.
//!
//! The bandwidth roof is the best `bandwidth` of the benchmark `copy`, a compute roof the best `throughput` of the
//! benchmark `mma_peak` in its `dtype`, or of `mma_peak_e4m3` in the precision of its name: ceilings are the best that was
//! ever seen. A kernel is any other point with a rate.

use std::collections::BTreeMap;

use super::{Kernel, Limit, Precision, Roof, RoofSource, WorkSource};
use crate::model::{BenchmarkName, Config, MetricName, ObjectId, Profile, Record, Run, Unit};
use crate::profile::derived;

/// The benchmark whose bandwidth is a roof.
const COPY: &str = "copy";
/// The benchmark whose throughput is a roof.
const MMA_PEAK: &str = "mma_peak";

/// Names of the parameter that holds a precision.
const PRECISION_PARAMETERS: &[&str] = &["dtype", "precision", "type"];

/// Below this share of its time, in percent, the tensor pipe does not decide what a kernel computes in.
const TENSOR_PERCENT: f64 = 1.0;

/// A record with its run and the commit that it counts for.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The commit.
    pub commit: ObjectId,
    /// The run.
    pub run: &'a Run,
    /// The record.
    pub record: &'a Record,
}

impl Evidence<'_> {
    /// The rate that it measured, if it is one of this unit under this name or has no telling name.
    fn rate(&self, name: &str, unit: &Unit) -> Option<f64> {
        let metric = &self.record.metric;
        (metric.unit == *unit && metric.name.as_str() == name).then_some(self.record.summary.median)
    }
}

/// The roofs that were measured on a testbed: the best of each limit. What was measured on changed files, or may never
/// be a baseline, is no roof either.
pub fn measured_roofs<'a>(testbed: &str, evidence: impl IntoIterator<Item = Evidence<'a>>) -> Vec<Roof> {
    let mut best: BTreeMap<Limit, Roof> = BTreeMap::new();
    for entry in evidence {
        let counts = entry.run.testbed.key() == testbed && !entry.run.dirty && entry.record.barred.is_none();
        let Some((limit, rate)) = limit(&entry).filter(|_| counts) else { continue };
        if best.get(&limit).is_none_or(|known| known.rate < rate) {
            let source = RoofSource::Measured {
                benchmark: entry.record.benchmark.clone(),
                config: entry.record.config.clone(),
                commit: entry.commit,
            };
            best.insert(limit, Roof { limit, rate, source });
        }
    }
    best.into_values().collect()
}

fn limit(entry: &Evidence) -> Option<(Limit, f64)> {
    let benchmark = &entry.record.benchmark;
    if benchmark.as_str() == COPY {
        return Some((Limit::Memory, entry.rate("bandwidth", &Unit::BYTE_PER_SECOND)?));
    }
    let precision = match benchmark.as_str() {
        MMA_PEAK => precision_of(&entry.record.config)?,
        _ => named_peak(benchmark)?,
    };
    Some((Limit::Compute(precision.on_tensor_cores()), entry.rate("throughput", &Unit::FLOP_PER_SECOND)?))
}

/// The precision of `mma_peak_PRECISION`: a type whose elements are kept as others has a benchmark of its own.
fn named_peak(benchmark: &BenchmarkName) -> Option<Precision> {
    benchmark.as_str().strip_prefix(MMA_PEAK)?.strip_prefix('_')?.parse().ok()
}

fn is_ceiling(benchmark: &BenchmarkName) -> bool {
    matches!(benchmark.as_str(), COPY | MMA_PEAK) || named_peak(benchmark).is_some()
}

/// The precision that a config names.
fn precision_of(config: &Config) -> Option<Precision> {
    PRECISION_PARAMETERS.iter().find_map(|name| config.get(name)?.parse().ok())
}

/// The rates of one point, over its runs.
#[derive(Default)]
struct Rates {
    flop: Vec<f64>,
    bytes: Vec<f64>,
    time: Vec<f64>,
    has_untrusted: bool,
}

impl Rates {
    fn add(&mut self, entry: &Evidence<'_>) {
        let rates = [
            (&mut self.flop, entry.rate("throughput", &Unit::FLOP_PER_SECOND)),
            (&mut self.bytes, entry.rate("bandwidth", &Unit::BYTE_PER_SECOND)),
            (&mut self.time, entry.rate(MetricName::TIME, &Unit::SECOND)),
        ];
        for (known, rate) in rates {
            self.has_untrusted |= rate.is_some() && entry.record.is_untrusted();
            known.extend(rate);
        }
    }
}

/// The kernels of one commit on a testbed: a declared point for each benchmark point with a rate, and a counted one where
/// it was profiled. `profiles` are those of the testbed, the newest last.
pub fn kernels<'a>(testbed: &str, evidence: impl IntoIterator<Item = Evidence<'a>>, profiles: &[&Profile]) -> Vec<Kernel> {
    let mut points: BTreeMap<(BenchmarkName, Config), Rates> = BTreeMap::new();
    for entry in evidence.into_iter().filter(|entry| entry.run.testbed.key() == testbed) {
        points.entry((entry.record.benchmark.clone(), entry.record.config.clone())).or_default().add(&entry);
    }
    for profile in profiles {
        points.entry((profile.benchmark.clone(), profile.config.clone())).or_default();
    }
    let mut kernels = Vec::new();
    for ((benchmark, config), rates) in points {
        if is_ceiling(&benchmark) {
            continue;
        }
        let own = profiles.iter().rev().find(|profile| profile.benchmark == benchmark && profile.config == config);
        let kernel = |precision, flop_rate, byte_rate, work| Kernel {
            benchmark: benchmark.clone(),
            config: config.clone(),
            precision,
            flop_rate,
            byte_rate,
            work,
            is_trusted: !rates.has_untrusted,
        };
        let precision = precision_of(&config);
        let (flop_rate, byte_rate, time) = (median(rates.flop), median(rates.bytes), median(rates.time));
        if flop_rate.or(byte_rate).is_some() {
            kernels.push(kernel(precision, flop_rate, byte_rate, WorkSource::Declared));
        }
        let counted = own.and_then(|profile| counted(profile, flop_rate, time));
        kernels.extend(counted.map(|(flop_rate, byte_rate, is_tensor)| {
            let precision = if is_tensor { precision.map(Precision::on_tensor_cores) } else { precision };
            kernel(precision, flop_rate, Some(byte_rate), WorkSource::Counted)
        }));
    }
    kernels
}

/// Operations and bytes per second by the counters. The time is the measured one where there is one, since a profiled
/// launch begins with empty caches; operations are the counted ones, or else those declared.
fn counted(profile: &Profile, declared_rate: Option<f64>, time: Option<f64>) -> Option<(Option<f64>, f64, bool)> {
    let value = |name: &str| profile.counted.value(name);
    let time = time.or_else(|| value("gpu__time_duration.sum")).filter(|time| *time > 0.0)?;
    let bytes = value(derived::DRAM_BYTES)?;
    let is_tensor = value(derived::TENSOR_FLOP).is_some_and(|flop| flop > 0.0)
        || value("sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_elapsed").is_some_and(|use_| use_ > TENSOR_PERCENT);
    let flop_rate = value(derived::FLOP).filter(|flop| *flop > 0.0).map(|flop| flop / time).or(declared_rate);
    Some((flop_rate, bytes / time, is_tensor))
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { upper } else { f64::midpoint(values[middle - 1], upper) })
}
