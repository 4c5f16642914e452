//! The result files of the seed system: one kernel per object, or several under `configs`.
//!
//! ```json
//! {"name": "training_512", "gpu": "NVIDIA A100", "timestamp": "2025-01-31T12:00:00Z",
//!  "performance": {"mean_time_ms": 1.31, "median_ms": 1.30, "ci_95_low": 1.28, "ci_95_high": 1.33, "throughput_gflops": 910.5}}
//! ```
//!
//! The name with its size is the benchmark. Fields of `performance` that are not known are left out with a warning, and a
//! result that says of itself that it is not correct can never be a baseline.

use super::collect::{Collector, Point, Reading, entry, known_metric, quantity};
use super::json::Node;
use super::source::{Importer, Source};
use super::{Format, ImportError};
use crate::model::{Direction, Metric, Summary};

pub(super) struct Seed;

const MEAN: &[&str] = &["mean_time_ms", "mean_ms"];
const MEDIAN: &[&str] = &["median_ms", "median_time_ms"];
const LOW: &[&str] = &["ci_95_low", "ci_95_low_ms"];
const HIGH: &[&str] = &["ci_95_high", "ci_95_high_ms"];
const STDDEV: &[&str] = &["std_ms", "std_time_ms", "std_dev_ms", "stddev_ms"];
const MIN: &[&str] = &["min_ms", "min_time_ms"];
const MAX: &[&str] = &["max_ms", "max_time_ms"];
const COUNT: &[&str] = &["n", "samples", "num_samples", "iterations", "num_iterations", "runs"];
const SAMPLE: &[&str] = &["times_ms", "samples_ms"];
const OF_TIME: [&[&str]; 9] = [MEAN, MEDIAN, LOW, HIGH, STDDEV, MIN, MAX, COUNT, SAMPLE];

/// Rates beside the time: field, metric, unit.
const RATES: [(&str, &str, &str); 3] = [
    ("throughput_gflops", "throughput", "GFLOP/s"),
    ("throughput_tflops", "throughput", "TFLOP/s"),
    ("bandwidth_gbs", "bandwidth", "GB/s"),
];

impl Importer for Seed {
    fn format(&self) -> Format {
        Format::Seed
    }

    fn recognizes(&self, source: &Source<'_>) -> bool {
        let Some(root) = source.value() else { return false };
        let one = root.get("configs").and_then(|configs| configs.get(0)).unwrap_or(root);
        let performance = one.get("performance");
        performance.is_some_and(|fields| [MEAN, MEDIAN, SAMPLE].concat().iter().any(|key| fields.get(key).is_some()))
    }

    fn read(&self, source: &Source<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        let root = source.root()?;
        match root.get("configs") {
            None => read_kernel(&root, into),
            Some(configs) => {
                read_origin(&root, into)?;
                configs.items()?.try_for_each(|kernel| read_kernel(&kernel, into))
            }
        }
    }
}

fn read_kernel(kernel: &Node<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
    read_origin(kernel, into)?;
    let name = kernel.need("name")?.text()?;
    let at = if kernel.at.is_empty() { format!("`{}`", super::json::short(name)) } else { entry(&kernel.at, name) };
    let point = into.point(&at, name, Vec::new())?;
    let performance = kernel.need("performance")?;
    into.add(&at, &point, Metric::time(), read_time(&performance)?)?;
    read_rates(&performance, &at, &point, into)?;
    for (key, node) in performance.fields()?.filter(|(_, node)| node.value.is_number()) {
        if !OF_TIME.iter().any(|keys| keys.contains(&key)) && !RATES.iter().any(|(field, ..)| *field == key) {
            into.left_out(&at, node.at, "its unit and direction are not known");
        }
    }
    if says_it_is_wrong(kernel) {
        into.bar(&point, "the result says that its output was not correct");
    }
    Ok(())
}

/// The GPU is the testbed; a file of two GPUs would be recorded under one of them.
fn read_origin(node: &Node<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
    if let Some(gpu) = node.get("gpu") {
        let name = gpu.text_at("name").map_or_else(|| gpu.text(), Ok)?;
        if into.testbed.as_ref().is_some_and(|known| known != name) {
            return Err(gpu.unexpected("the same GPU as in the rest of the file"));
        }
        into.testbed = Some(name.to_owned());
    }
    into.time = into.time.or_else(|| node.text_at("timestamp").and_then(super::text::time));
    Ok(())
}

fn read_time(performance: &Node<'_>) -> Result<Reading, ImportError> {
    if let Some(sample) = performance.first_of(SAMPLE) {
        return sample.numbers()?.into_iter().map(|ms| seconds(&sample.at, ms)).collect::<Result<_, _>>().map(Reading::Values);
    }
    let field = |keys| performance.first_of(keys).map(|node| node.number().and_then(|ms| seconds(&node.at, ms))).transpose();
    let mean = field(MEAN)?;
    let missing = || performance.unexpected("`mean_time_ms` or `median_ms`");
    let median = field(MEDIAN)?.or(mean).ok_or_else(missing)?;
    let count = performance.first_of(COUNT).and_then(|node| node.value.as_u64());
    Ok(Reading::Statistics(Summary {
        n: count.unwrap_or(1),
        median,
        low: field(LOW)?,
        high: field(HIGH)?,
        mean,
        stddev: field(STDDEV)?,
        min: field(MIN)?,
        max: field(MAX)?,
    }))
}

fn read_rates(performance: &Node<'_>, at: &str, point: &Point, into: &mut Collector<'_>) -> Result<(), ImportError> {
    for (field, name, unit) in RATES {
        if let Some(value) = performance.number_at(field)? {
            let rate = quantity(at, value, unit)?;
            let metric = known_metric(at, name, rate.unit, Direction::Higher)?;
            into.add(at, point, metric, Reading::Statistics(Summary::single(rate.value)))?;
        }
    }
    Ok(())
}

fn seconds(at: &str, milliseconds: f64) -> Result<f64, ImportError> {
    quantity(at, milliseconds, "ms").map(|time| time.value)
}

/// `"verified": false` and its relatives, here or in a `correctness` or `verification` object.
fn says_it_is_wrong(kernel: &Node<'_>) -> bool {
    let says = |node: &Node<'_>| {
        let flags = ["verified", "correct", "passed", "is_correct"];
        flags.iter().any(|flag| node.get(flag).is_some_and(|truth| truth.value.as_bool() == Some(false)))
    };
    says(kernel) || ["correctness", "verification"].iter().filter_map(|key| kernel.get(key)).any(|inner| says(&inner))
}
