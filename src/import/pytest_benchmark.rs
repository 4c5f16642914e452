//! pytest-benchmark's `--benchmark-json`.
//!
//! `stats.data` holds the seconds of each round, already divided by its iterations; files without it have statistics.
//! The node id is the benchmark's name. Parameters become the config and leave the name where all of them are plain
//! values; else the bracket stays, because the text of an object may change with every run.

use serde_json::Value;

use super::collect::{Collector, Point, Reading, entry};
use super::json::Node;
use super::source::{Importer, Source};
use super::{Format, ImportError};
use crate::model::{Metric, Summary};

pub(super) struct PytestBenchmark;

impl Importer for PytestBenchmark {
    fn format(&self) -> Format {
        Format::PytestBenchmark
    }

    fn recognizes(&self, source: &Source<'_>) -> bool {
        let Some(root) = source.value() else { return false };
        let first = root.get("benchmarks").and_then(|list| list.get(0));
        root.get("machine_info").is_some() && first.is_none_or(|first| first.get("stats").is_some())
    }

    fn read(&self, source: &Source<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        let root = source.root()?;
        let version = root.text_at("version").map(|version| format!("pytest-benchmark {version}"));
        into.tool = version.or_else(|| Some("pytest-benchmark".to_owned()));
        into.time = root.text_at("datetime").and_then(super::text::time);
        let cpu = root.get("machine_info").and_then(|machine| machine.get("cpu"));
        if let Some(model) = cpu.as_ref().and_then(|cpu| cpu.text_at("brand_raw").or_else(|| cpu.text_at("brand"))) {
            into.facts.insert("cpu".to_owned(), model.to_owned());
        }
        for benchmark in root.need("benchmarks")?.items()? {
            let point = read_point(&benchmark, into)?;
            let reading = read_stats(&benchmark.need("stats")?, &point, into)?;
            into.add(&benchmark.at, &point, Metric::time(), reading)?;
        }
        Ok(())
    }
}

fn read_point(benchmark: &Node<'_>, into: &Collector<'_>) -> Result<Point, ImportError> {
    let id = match benchmark.text_at("fullname") {
        Some(id) => id,
        None => benchmark.need("name")?.text()?,
    };
    let parameters = benchmark.get("params").and_then(|params| plain_parameters(&params));
    // No bracket stands in a function's name, and any may stand in a parameter or in the file's name before it.
    let function = id.find("::").unwrap_or(0);
    let bracket = id[function..].find('[').filter(|_| id.ends_with(']'));
    let without_bracket = bracket.map(|start| &id[..function + start]);
    match (parameters, without_bracket) {
        (Some(parameters), Some(name)) if !parameters.is_empty() => into.point(&benchmark.at, name, parameters),
        _ => into.point(&benchmark.at, id, Vec::new()),
    }
}

/// The parameters, if none of them is an object of Python's.
fn plain_parameters(params: &Node<'_>) -> Option<Vec<(String, String)>> {
    let parameters = params.parameters().ok()?;
    parameters.iter().all(|(_, value)| !value.starts_with("UNSERIALIZABLE[")).then_some(parameters)
}

fn read_stats(stats: &Node<'_>, point: &Point, into: &mut Collector<'_>) -> Result<Reading, ImportError> {
    match stats.get("data") {
        Some(data) if data.value.is_array() => return Ok(Reading::Values(data.numbers()?)),
        Some(Node { value: Value::String(_), .. }) => {
            into.left_out(&entry(&stats.at, &point.to_string()), "the sample", "a text stands in its place");
        }
        _ => {}
    }
    let mean = stats.number_at("mean")?;
    let median = stats.number_at("median")?.or(mean).ok_or_else(|| stats.unexpected("statistics with a median or mean"))?;
    Ok(Reading::Statistics(Summary {
        n: stats.get("rounds").map_or(Ok(1), |rounds| rounds.count())?,
        mean,
        stddev: stats.number_at("stddev")?,
        min: stats.number_at("min")?,
        max: stats.number_at("max")?,
        ..Summary::single(median)
    }))
}
