//! hyperfine's `--export-json`, versions 1 and 2 of its schema.
//!
//! The command line is the benchmark's name and its parameters are the config. Version 1 has the mean of user and system
//! time only; version 2 has every measurement in an object of its own with a unit. User plus system time becomes
//! `cpu_time`; the clock behind it ticks coarsely, so a program may show none, which is left out with a warning.

use super::collect::{Collector, Point, Reading, entry, known_metric, quantity};
use super::json::Node;
use super::source::{Importer, Source};
use super::{Format, ImportError, ImportWarning};
use crate::model::{Direction, Metric, MetricName, Summary, Unit};
use crate::stats;

pub(super) struct Hyperfine;

impl Importer for Hyperfine {
    fn format(&self) -> Format {
        Format::Hyperfine
    }

    fn recognizes(&self, source: &Source<'_>) -> bool {
        let first = source.value().and_then(|root| root.get("results")?.get(0));
        first.is_some_and(|result| {
            result.get("command").is_some() && (result.get("mean").or(result.get("measurements"))).is_some()
        })
    }

    fn read(&self, source: &Source<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        let root = source.root()?;
        let version = root.get("schema_version").map(|node| node.count()).transpose()?.unwrap_or(1);
        read_metadata(&root, into);
        for result in root.need("results")?.items()? {
            let point = read_point(&result, into)?;
            match version {
                1 => read_v1(&result, &point, into)?,
                2 => read_v2(&result, &point, into)?,
                other => return Err(ImportError::UnknownVersion { format: Format::Hyperfine, found: other.to_string() }),
            }
        }
        Ok(())
    }
}

/// Version 1 does not say which hyperfine wrote it.
fn read_metadata(root: &Node<'_>, into: &mut Collector<'_>) {
    into.tool = Some("hyperfine".to_owned());
    let Some(metadata) = root.get("metadata") else { return };
    if let Some(version) = metadata.text_at("hyperfine_version") {
        into.tool = Some(format!("hyperfine {version}"));
    }
    into.time = metadata.text_at("start_time").and_then(super::text::time);
}

/// Parameters are `{"n": "1"}` in version 1 and `{"n": {"value": "1"}}` in version 2.
fn read_point(result: &Node<'_>, into: &Collector<'_>) -> Result<Point, ImportError> {
    let command = result.need("command")?;
    let mut parameters = Vec::new();
    if let Some(given) = result.get("parameters") {
        for (name, node) in given.fields()? {
            let inner = node.get("value").unwrap_or(node);
            let value = inner.scalar().ok_or_else(|| inner.unexpected("a text or a number"))?;
            parameters.push((name.to_owned(), value));
        }
    }
    into.point(&result.at, command.text()?, parameters)
}

fn read_v1(result: &Node<'_>, point: &Point, into: &mut Collector<'_>) -> Result<(), ImportError> {
    let times = result.get("times").map(|node| node.numbers()).transpose()?;
    let n = times.as_ref().map_or(1, Vec::len) as u64;
    let time = match times {
        Some(times) => Reading::Values(times),
        None => Reading::Statistics(statistics(result)?),
    };
    into.add(&result.at, point, Metric::time(), time)?;
    if let (Some(user), Some(system)) = (result.number_at("user")?, result.number_at("system")?) {
        let mean = user + system;
        let cpu_time = Summary { n, mean: Some(mean), ..Summary::single(mean) };
        add_cpu_time(result, point, mean > 0.0, Reading::Statistics(cpu_time), into)?;
    }
    if let Some(memory) = result.get("memory_usage_byte") {
        let values = memory.numbers()?;
        add_memory(&memory, point, values, into)?;
    }
    let codes = result.get("exit_codes").and_then(|node| node.value.as_array().cloned()).unwrap_or_default();
    let failed = codes.iter().filter(|code| code.as_i64() != Some(0)).count();
    warn_about_exit_codes(result, failed, codes.len(), into);
    Ok(())
}

/// The statistics of a result without its single times (`times` is optional in version 1).
fn statistics(result: &Node<'_>) -> Result<Summary, ImportError> {
    let mean = result.need("mean")?.number()?;
    Ok(Summary {
        mean: Some(mean),
        stddev: result.number_at("stddev")?,
        min: result.number_at("min")?,
        max: result.number_at("max")?,
        ..Summary::single(result.number_at("median")?.unwrap_or(mean))
    })
}

fn read_v2(result: &Node<'_>, point: &Point, into: &mut Collector<'_>) -> Result<(), ImportError> {
    let measurements: Vec<Node<'_>> = result.need("measurements")?.items()?.collect();
    let column = |name: &str| -> Result<Vec<f64>, ImportError> {
        measurements.iter().filter_map(|one| one.get(name)).map(|cell| base_value(&cell)).collect()
    };
    into.add(&result.at, point, Metric::time(), Reading::Values(column("time_wall_clock")?))?;
    let cpu_time = column("time_cpu")?;
    if !cpu_time.is_empty() {
        let measurable = cpu_time.iter().all(|value| *value > 0.0);
        let reading = match stats::summarize(&cpu_time) {
            Some(summary) if !measurable => Reading::Statistics(summary),
            _ => Reading::Values(cpu_time),
        };
        add_cpu_time(result, point, measurable, reading, into)?;
    }
    let memory = column("memory_peak_resident")?;
    if !memory.is_empty() {
        add_memory(result, point, memory, into)?;
    }
    let failed =
        measurements.iter().filter(|one| one.get("exit_code").is_some_and(|code| code.value.as_i64() != Some(0))).count();
    warn_about_exit_codes(result, failed, measurements.len(), into);
    Ok(())
}

/// A value with its unit, `{"value": 0.0115, "unit": "second"}`.
fn base_value(cell: &Node<'_>) -> Result<f64, ImportError> {
    let value = cell.need("value")?.number()?;
    Ok(quantity(&cell.at, value, cell.need("unit")?.text()?)?.value)
}

fn add_cpu_time(
    result: &Node<'_>,
    point: &Point,
    measurable: bool,
    reading: Reading,
    into: &mut Collector<'_>,
) -> Result<(), ImportError> {
    if !measurable {
        into.left_out(&entry(&result.at, &point.to_string()), MetricName::CPU_TIME, "it is zero, too short for the clock");
        return Ok(());
    }
    let metric = known_metric(&result.at, MetricName::CPU_TIME, Unit::SECOND, Direction::Lower)?;
    into.add(&result.at, point, metric, reading)
}

fn add_memory(node: &Node<'_>, point: &Point, values: Vec<f64>, into: &mut Collector<'_>) -> Result<(), ImportError> {
    let metric = known_metric(&node.at, MetricName::PEAK_MEMORY, Unit::BYTE, Direction::Lower)?;
    into.add(&node.at, point, metric, Reading::Values(values))
}

/// hyperfine keeps such times only when told to ignore failures, but a failed run measures something else.
fn warn_about_exit_codes(result: &Node<'_>, failed: usize, runs: usize, into: &mut Collector<'_>) {
    if failed > 0 {
        let reason = format!("{failed} of {runs} runs did not exit with code 0");
        into.warnings.push(ImportWarning::Doubtful { at: result.at.clone(), reason });
    }
}
