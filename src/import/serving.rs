//! What the benchmarks of vLLM and SGLang have in common: rates of a whole run, and latencies by request as statistics.
//!
//! `mean_ttft_ms`, `median_ttft_ms`, `std_ttft_ms` and `p99_ttft_ms` are the metrics `ttft`, in seconds, and `ttft_p99`.

use super::ImportError;
use super::collect::{Collector, Point, Reading, known_metric, quantity};
use super::json::Node;
use super::text::of_times;
use crate::model::{Direction, Summary};

/// A number of a result that is a metric of that name.
pub(super) struct Field {
    /// The field, which is the metric's name as well.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Which way is better.
    pub better: Direction,
}

/// A rate, in `{requests}/s` or `{tokens}/s`.
pub(super) const fn rate(name: &'static str, unit: &'static str) -> Field {
    Field { name, unit, better: Direction::Higher }
}

/// A time in seconds.
pub(super) const fn time(name: &'static str) -> Field {
    Field { name, unit: "s", better: Direction::Lower }
}

/// Takes those of the fields that the result has.
pub(super) fn add_fields(
    result: &Node<'_>,
    point: &Point,
    fields: &[Field],
    into: &mut Collector<'_>,
) -> Result<(), ImportError> {
    for field in fields {
        if let Some(value) = result.number_at(field.name)? {
            let known = quantity(&result.at, value, field.unit)?;
            let metric = known_metric(&result.at, field.name, known.unit, field.better)?;
            into.add_possible(&result.at, point, metric, Reading::Statistics(Summary::single(known.value)))?;
        }
    }
    Ok(())
}

/// Takes every latency of which there is a median, with its percentiles; `sample_of` may know the single values.
pub(super) fn add_latencies(
    result: &Node<'_>,
    point: &Point,
    sample_of: impl Fn(&str) -> Option<Vec<f64>>,
    into: &mut Collector<'_>,
) -> Result<(), ImportError> {
    let requests = result.get("completed").map_or(Ok(1), |count| count.count())?;
    for (key, node) in result.fields()? {
        let Some((statistic, name)) = key.strip_suffix("_ms").and_then(|stem| stem.split_once('_')) else { continue };
        let is_percentile = statistic.strip_prefix('p').is_some_and(|digits| digits.starts_with(|c: char| c.is_ascii_digit()));
        let (metric, reading) = if statistic == "median" {
            let statistics = Reading::Statistics(statistics(result, name, &node, requests)?);
            (name.to_owned(), sample_of(name).map_or(statistics, Reading::Values))
        } else if is_percentile {
            (format!("{name}_{statistic}"), Reading::Statistics(Summary::single(seconds(&node)?)))
        } else {
            continue;
        };
        let unit = quantity(&node.at, 1.0, "s")?.unit;
        let metric = known_metric(&node.at, &metric, unit, Direction::Lower)?;
        into.add_possible(&node.at, point, metric, reading)?;
    }
    Ok(())
}

fn statistics(result: &Node<'_>, name: &str, median: &Node<'_>, requests: u64) -> Result<Summary, ImportError> {
    let field = |statistic: &str| result.get(&format!("{statistic}_{name}_ms")).map(|node| seconds(&node)).transpose();
    // Between the tokens of a request there are more times than requests; how many the file does not say.
    let n = if name == "itl" { 1 } else { requests };
    Ok(of_times(Summary { n, mean: field("mean")?, stddev: field("std")?, ..Summary::single(seconds(median)?) }))
}

fn seconds(node: &Node<'_>) -> Result<f64, ImportError> {
    quantity(&node.at, node.number()?, "ms").map(|time| time.value)
}
