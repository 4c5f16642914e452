//! What `vllm bench serve`, `latency` and `throughput` write.
//!
//! Of a serving benchmark the model is the name, and the traffic and what was said with `--metadata` are the config. With
//! `--save-detailed` the times to the first token are a sample; `latencies` are one in any case. With `--append-result` every line is a
//! result. The other two do not name the model, so that `--benchmark` has to.

use super::collect::{Collector, Reading, known_metric};
use super::json::Node;
use super::serving::{Field, add_fields, add_latencies, rate, time};
use super::source::{Importer, Source};
use super::{Format, ImportError, ImportWarning};
use crate::model::{Direction, Summary, Unit};

pub(super) struct Vllm;

const TRAFFIC: [&str; 8] = [
    "request_rate",
    "burstiness",
    "max_concurrency",
    "num_prompts",
    "ramp_up_strategy",
    "ramp_up_start_rps",
    "ramp_up_end_rps",
    "label",
];
/// Texts that are no metadata.
const DESCRIPTIONS: [&str; 5] = ["date", "endpoint_type", "backend", "model_id", "tokenizer_id"];
const OF_SERVING: [Field; 6] = [
    rate("request_throughput", "{requests}/s"),
    rate("request_goodput", "{requests}/s"),
    rate("input_sequence_throughput", "{sequences}/s"),
    rate("input_throughput", "{tokens}/s"),
    rate("output_throughput", "{tokens}/s"),
    rate("total_token_throughput", "{tokens}/s"),
];
const OF_THROUGHPUT: [Field; 3] =
    [time("elapsed_time"), rate("requests_per_second", "{requests}/s"), rate("tokens_per_second", "{tokens}/s")];

impl Importer for Vllm {
    fn format(&self) -> Format {
        Format::Vllm
    }

    fn recognizes(&self, source: &Source<'_>) -> bool {
        source.first_document_is(|result| {
            let all = |keys: [&str; 3]| keys.iter().all(|key| result.get(key).is_some());
            all(["model_id", "completed", "request_throughput"])
                || all(["avg_latency", "latencies", "percentiles"])
                || all(["elapsed_time", "num_requests", "tokens_per_second"])
        })
    }

    fn read(&self, source: &Source<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        into.tool = Some("vllm bench".to_owned());
        source.each_document(|result| {
            if result.get("request_throughput").is_some() {
                read_serving(result, into)
            } else if result.get("latencies").is_some() {
                read_latency(result, into)
            } else {
                let point = into.unnamed_point(Format::Vllm, &result.at, result.parameters_of(&["num_requests"]))?;
                add_fields(result, &point, &OF_THROUGHPUT, into)
            }
        })
    }
}

fn read_serving(result: &Node<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
    let backend = result.first_of(&["backend", "endpoint_type"]).and_then(|backend| backend.scalar());
    let is_metadata = |key: &str| !DESCRIPTIONS.contains(&key) && !TRAFFIC.contains(&key);
    let mut parameters: Vec<(String, String)> = backend.map(|backend| ("backend".to_owned(), backend)).into_iter().collect();
    parameters.extend(result.parameters_of(&TRAFFIC));
    let metadata = result.fields()?.filter(|(key, node)| node.value.is_string() && is_metadata(key));
    parameters.extend(metadata.filter_map(|(key, node)| Some((key.to_owned(), node.scalar()?))));
    let point = into.point(&result.at, result.need("model_id")?.text()?, parameters)?;
    let completed = result.need("completed")?.count()?;
    if let Some(failed) = result.get("failed").and_then(|node| node.value.as_u64()).filter(|failed| *failed > 0) {
        let reason = format!("{failed} of {} requests failed", failed.saturating_add(completed));
        into.warnings.push(ImportWarning::Doubtful { at: result.at.clone(), reason });
    }
    if completed == 0 {
        into.warnings.push(ImportWarning::Failed { at: result.at.clone(), reason: "no request was completed".to_owned() });
        return Ok(());
    }
    add_fields(result, &point, &OF_SERVING, into)?;
    add_latencies(result, &point, |name| sample(result, name, completed), into)
}

/// The seconds of the requests that did not fail, for which zero stands.
fn sample(result: &Node<'_>, latency: &str, completed: u64) -> Option<Vec<f64>> {
    let field = match latency {
        "ttft" => "ttfts",
        "e2el" => "latencies",
        _ => return None,
    };
    let values: Vec<f64> = result.get(field)?.numbers().ok()?.into_iter().filter(|value| *value > 0.0).collect();
    (values.len() as u64 == completed).then_some(values)
}

/// The latency of a batch, of each iteration.
fn read_latency(result: &Node<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
    let point = into.unnamed_point(Format::Vllm, &result.at, Vec::new())?;
    let values = result.need("latencies")?.numbers()?;
    let reading = match values.is_empty() {
        false => Reading::Values(values),
        true => Reading::Statistics(Summary::single(result.need("avg_latency")?.number()?)),
    };
    into.add(&result.at, &point, known_metric(&result.at, "latency", Unit::SECOND, Direction::Lower)?, reading)
}
