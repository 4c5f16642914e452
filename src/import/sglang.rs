//! The JSON Lines of SGLang's benchmarks: `bench_serving`, `bench_offline_throughput` and `bench_one_batch`.
//!
//! A line is a run. The model is the name where the server told it (`server_info`), else `--benchmark` has to say it; one batch is named
//! by `--run-name`. What the traffic was made of is the config.

use serde_json::Value;

use super::collect::{Collector, Point};
use super::json::Node;
use super::serving::{Field, add_fields, add_latencies, rate, time};
use super::source::{Importer, Source};
use super::{Format, ImportError, ImportWarning};

pub(super) struct Sglang;

const TRAFFIC: [&str; 9] = [
    "tag",
    "backend",
    "dataset_name",
    "request_rate",
    "max_concurrency",
    "random_input_len",
    "random_output_len",
    "random_range_ratio",
    "sharegpt_output_len",
];
const BATCH: [&str; 3] = ["batch_size", "input_len", "output_len"];
const OF_SERVING: [Field; 4] = [
    rate("request_throughput", "{requests}/s"),
    rate("input_throughput", "{tokens}/s"),
    rate("output_throughput", "{tokens}/s"),
    rate("total_throughput", "{tokens}/s"),
];
const OF_A_BATCH: [Field; 11] = [
    time("latency"),
    time("total_latency"),
    time("prefill_latency"),
    time("median_decode_latency"),
    time("last_ttft"),
    rate("prefill_throughput", "{tokens}/s"),
    rate("median_decode_throughput", "{tokens}/s"),
    rate("last_gen_throughput", "{tokens}/s"),
    rate("input_throughput", "{tokens}/s"),
    rate("output_throughput", "{tokens}/s"),
    rate("overall_throughput", "{tokens}/s"),
];

impl Importer for Sglang {
    fn format(&self) -> Format {
        Format::Sglang
    }

    fn recognizes(&self, source: &Source<'_>) -> bool {
        source.first_document_is(|result| is_a_batch(result) || is_serving(result))
    }

    fn read(&self, source: &Source<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        into.tool = Some("SGLang".to_owned());
        source.each_document(|result| match is_a_batch(result.value) {
            true => read_batch(result, into),
            false => read_serving(result, into),
        })
    }
}

fn has(result: &Value, keys: &[&str]) -> bool {
    keys.iter().all(|key| result.get(key).is_some())
}

fn is_a_batch(result: &Value) -> bool {
    has(result, &["run_name", "batch_size", "input_len", "output_len", "overall_throughput"])
}

fn is_serving(result: &Value) -> bool {
    // Early versions of vLLM have these, too, and the model beside them.
    has(result, &["backend", "request_throughput", "input_throughput", "output_throughput"]) && !has(result, &["model_id"])
}

fn read_batch(result: &Node<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
    let point = into.point(&result.at, result.need("run_name")?.text()?, result.parameters_of(&BATCH))?;
    add_fields(result, &point, &OF_A_BATCH, into)
}

fn read_serving(result: &Node<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
    let point = read_point(result, into)?;
    let completed = result.first_of(&["completed", "successful_requests"]).and_then(|count| count.value.as_u64());
    if completed == Some(0) {
        into.warnings.push(ImportWarning::Failed { at: result.at.clone(), reason: "no request was completed".to_owned() });
        return Ok(());
    }
    add_fields(result, &point, &OF_SERVING, into)?;
    add_fields(result, &point, &[time("total_latency")], into)?;
    add_latencies(result, &point, |_| None, into)
}

fn read_point(result: &Node<'_>, into: &Collector<'_>) -> Result<Point, ImportError> {
    let parameters = result.parameters_of(&TRAFFIC);
    let server = result.get("server_info");
    match server.as_ref().and_then(|server| server.text_at("model_path")) {
        Some(model) => into.point(&result.at, model, parameters),
        None => into.unnamed_point(Format::Sglang, &result.at, parameters),
    }
}
