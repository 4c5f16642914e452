//! The benchmark format of PyTorch's open-source projects, version 3: one metric per record, as a list, one object or JSON Lines.
//!
//! ```json
//! {"benchmark": {"name": "pr_time_benchmarks", "mode": "inference", "dtype": "bfloat16", "extra_info": {"device": "cuda"}},
//!  "model": {"name": "add_loop", "backend": "inductor"},
//!  "metric": {"name": "latency_ms", "benchmark_values": [1.31, 1.29]}}
//! ```
//!
//! Benchmark and model are the name. What tells two records of them apart is the config: mode, dtype, backend and those values of
//! `extra_info` that are numbers, truths or short texts. vLLM puts all its options into `extra_info.args`, of which a few are
//! taken. The format has no unit: where the metric's name ends in one, that is it, else the number is plain. `target_value` is a
//! wish, and not read.

use serde_json::Value;

use super::collect::{Collector, Point, Reading, entry, quantity};
use super::json::{Node, short};
use super::source::{Importer, Source};
use super::text::unit_in_name;
use super::{Format, ImportError};
use crate::model::Quantity;

pub(super) struct Pytorch;

/// Texts of `extra_info` that are longer describe rather than tell apart.
const MAX_TEXT: usize = 60;
/// The options of vLLM that a result depends on whatever the machine.
const ARGUMENTS: [&str; 9] = [
    "input_len",
    "output_len",
    "batch_size",
    "num_prompts",
    "request_rate",
    "max_concurrency",
    "dtype",
    "quantization",
    "tensor_parallel_size",
];

impl Importer for Pytorch {
    fn format(&self) -> Format {
        Format::Pytorch
    }

    fn recognizes(&self, source: &Source<'_>) -> bool {
        source.first_document_is(|record| {
            let named = |key: &str| record.get(key).is_some_and(|part| part.get("name").is_some());
            named("benchmark")
                && named("metric")
                && record.get("metric").and_then(|metric| metric.get("benchmark_values")).is_some()
        })
    }

    fn read(&self, source: &Source<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        source.each_document(|record| read_record(record, into))
    }
}

fn read_record(record: &Node<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
    read_runner(record, into);
    let point = read_point(record, into)?;
    let metric = record.need("metric")?;
    let name = metric.need("name")?.text()?;
    let at = entry(&record.at, name);
    let values = metric.need("benchmark_values")?;
    let Some(numbers) = finite_numbers(&values) else {
        into.left_out(&at, "the metric", "its values are not all numbers");
        return Ok(());
    };
    let (stem, spelled) = named_unit(&metric, name, &at, into);
    let base = quantity(&at, 1.0, spelled)?.unit;
    let Some(known) = into.side_metric(&at, stem, base)? else { return Ok(()) };
    let to_base = |value| quantity(&at, value, spelled).map(|Quantity { value, .. }| value);
    let sample = numbers.into_iter().map(to_base).collect::<Result<Vec<_>, _>>()?;
    into.add_possible(&at, &point, known, Reading::Values(sample))
}

/// The first runner's GPU, else its name, is the testbed.
fn read_runner(record: &Node<'_>, into: &mut Collector<'_>) {
    let runner = record.get("runners").and_then(|runners| runners.items().ok()?.next());
    let named = |key: &str| runner.as_ref().and_then(|runner| runner.text_at(key)).filter(|name| !name.trim().is_empty());
    let testbed = named("gpu_info").or_else(|| named("name"));
    into.testbed = into.testbed.take().or_else(|| testbed.map(str::to_owned));
}

fn read_point(record: &Node<'_>, into: &Collector<'_>) -> Result<Point, ImportError> {
    let benchmark = record.need("benchmark")?;
    let model = record.get("model");
    let name = benchmark.need("name")?.text()?;
    let model_name = model.as_ref().and_then(|model| model.text_at("name")).filter(|model| !model.is_empty());
    let full_name = model_name.map_or_else(|| name.to_owned(), |model| format!("{name}/{model}"));
    let mut parameters = benchmark.parameters_of(&["mode", "dtype"]);
    parameters.extend(model.map(|model| model.parameters_of(&["backend"])).unwrap_or_default());
    if let Some(extra) = benchmark.get("extra_info") {
        let plain = extra.fields().into_iter().flatten().filter(|(key, node)| *key != "description" && tells_apart(node.value));
        parameters.extend(plain.filter_map(|(key, node)| Some((key.to_owned(), node.scalar()?))));
        parameters.extend(extra.get("args").map(|arguments| arguments.parameters_of(&ARGUMENTS)).unwrap_or_default());
    }
    if let Some(method) = record.get("metric").and_then(|metric| metric.get("extra_info")) {
        parameters.extend(method.parameters_of(&["method"]));
    }
    parameters.retain(|(_, value)| !value.is_empty());
    let mut distinct: Vec<(String, String)> = Vec::new();
    for parameter in parameters {
        if distinct.iter().all(|(key, _)| *key != parameter.0) {
            distinct.push(parameter);
        }
    }
    into.point(&record.at, &full_name, distinct)
}

fn tells_apart(value: &Value) -> bool {
    match value {
        Value::Number(_) | Value::Bool(_) => true,
        Value::String(text) => text.len() <= MAX_TEXT && !text.starts_with(['{', '[']),
        _ => false,
    }
}

/// Infinities are texts in these files; a value that is none is no value.
fn finite_numbers(values: &Node<'_>) -> Option<Vec<f64>> {
    let list = values.value.as_array()?;
    let numbers: Option<Vec<f64>> = list.iter().map(Value::as_f64).collect();
    numbers.filter(|numbers| !numbers.is_empty())
}

/// The metric's name without its unit, and the unit: of a field that some writers add, else of the name's end.
fn named_unit<'a>(metric: &Node<'a>, name: &'a str, at: &str, into: &mut Collector<'_>) -> (&'a str, &'a str) {
    if let Some(unit) = metric.text_at("unit").filter(|unit| !unit.is_empty()) {
        if Quantity::new(1.0, unit).is_ok() {
            return (name, unit);
        }
        into.left_out(at, "the unit", format!("`{}` is not known", short(unit)));
    }
    let rate = ["_per_second", "_per_sec", "/s"].iter().any(|ending| name.ends_with(ending));
    unit_in_name(name).unwrap_or((name, if rate { "/s" } else { "1" }))
}
