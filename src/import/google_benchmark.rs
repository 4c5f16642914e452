//! Google Benchmark's JSON.
//!
//! Entries with equal `run_name` are repetitions of one benchmark and become one sample; the tool's aggregates are read
//! only where the repetitions themselves were not written. The name keeps its arguments (`BM_copy/8/threads:2`), since
//! they have no names of their own. `real_time` becomes `time`. Every other number is a counter: `bytes_per_second`,
//! `items_per_second` and whatever ends like them are rates, others are plain numbers whose direction their name must
//! tell, for the file does not.

use std::collections::{HashMap, HashSet};

use super::collect::{Collector, Reading, entry, known_metric, quantity};
use super::json::{Node, short};
use super::source::{Importer, Source};
use super::{Format, ImportError, ImportWarning};
use crate::model::{Direction, Metric, MetricName, Summary, Unit};

pub(super) struct GoogleBenchmark;

/// Numbers that describe an entry and measure nothing.
const DESCRIPTIONS: [&str; 8] = [
    "family_index",
    "per_family_instance_index",
    "repetitions",
    "repetition_index",
    "threads",
    "iterations",
    "real_time",
    "cpu_time",
];

impl Importer for GoogleBenchmark {
    fn format(&self) -> Format {
        Format::GoogleBenchmark
    }

    fn recognizes(&self, source: &Source<'_>) -> bool {
        let Some(root) = source.value() else { return false };
        let first = root.get("benchmarks").and_then(|list| list.get(0));
        let context = root.get("context").is_some_and(|context| context.get("num_cpus").is_some());
        context || first.is_some_and(|first| first.get("time_unit").is_some() && first.get("real_time").is_some())
    }

    fn read(&self, source: &Source<'_>, into: &mut Collector<'_>) -> Result<(), ImportError> {
        let root = source.root()?;
        read_context(&root, into);
        let mut aggregates = Aggregates::default();
        for node in root.need("benchmarks")?.items()? {
            let name = run_name(&node)?;
            if !warn_about_failure(&node, name, into) {
                match node.text_at("run_type") {
                    Some("aggregate") => aggregates.push(name, node),
                    _ => {
                        aggregates.repeated.insert(name.to_owned());
                        read_repetition(&node, name, into)?;
                    }
                }
            }
        }
        aggregates.read(into)
    }
}

fn read_context(root: &Node<'_>, into: &mut Collector<'_>) {
    into.tool = Some("Google Benchmark".to_owned());
    let Some(context) = root.get("context") else { return };
    if let Some(version) = context.text_at("library_version") {
        into.tool = Some(format!("Google Benchmark {}", short(version)));
    }
    into.time = context.text_at("date").and_then(super::text::time);
    if context.text_at("library_build_type") == Some("debug") {
        let reason = "the benchmark library was built without optimization".to_owned();
        into.warnings.push(ImportWarning::Doubtful { at: "context".to_owned(), reason });
    }
}

/// Libraries before 1.5 have no `run_name`; the name of an aggregate there ends in `_mean` and the like.
fn run_name<'a>(node: &Node<'a>) -> Result<&'a str, ImportError> {
    match node.text_at("run_name") {
        Some(name) => Ok(name),
        None => node.need("name")?.text(),
    }
}

fn warn_about_failure(node: &Node<'_>, name: &str, into: &mut Collector<'_>) -> bool {
    let set = |key: &str| node.get(key).is_some_and(|flag| flag.value.as_bool() == Some(true));
    let said = |key: &str| node.text_at(key).map_or_else(|| "no message".to_owned(), short);
    let at = entry(&node.at, name);
    if set("error_occurred") {
        into.warnings.push(ImportWarning::Failed { at, reason: said("error_message") });
    } else if set("skipped") {
        into.warnings.push(ImportWarning::Skipped { at, reason: said("skip_message") });
    } else {
        return false;
    }
    true
}

fn read_repetition(node: &Node<'_>, name: &str, into: &mut Collector<'_>) -> Result<(), ImportError> {
    let point = into.point(&node.at, name, Vec::new())?;
    let time = base_time(node, "real_time")?;
    into.add(&node.at, &point, Metric::time(), Reading::Repetition(time))?;
    let cpu_time = base_time(node, "cpu_time")?;
    if cpu_time > 0.0 {
        let metric = known_metric(&node.at, MetricName::CPU_TIME, Unit::SECOND, Direction::Lower)?;
        into.add(&node.at, &point, metric, Reading::Repetition(cpu_time))?;
    } else {
        into.left_out(&entry(&node.at, name), MetricName::CPU_TIME, "it is zero");
    }
    for (key, counter) in node.fields()?.filter(|(key, node)| node.value.is_number() && !DESCRIPTIONS.contains(key)) {
        if let Some(metric) = counter_metric(&counter.at, key, into)? {
            into.add(&counter.at, &point, metric, Reading::Repetition(counter.number()?))?;
        }
    }
    Ok(())
}

fn base_time(node: &Node<'_>, key: &'static str) -> Result<f64, ImportError> {
    let value = node.need(key)?;
    let unit = node.text_at("time_unit").unwrap_or("ns");
    Ok(quantity(&value.at, value.number()?, unit)?.value)
}

/// What a counter measures, as far as its name tells.
fn counter_metric(at: &str, key: &str, into: &mut Collector<'_>) -> Result<Option<Metric>, ImportError> {
    let known = match key {
        "bytes_per_second" => Some((Unit::BYTE_PER_SECOND, Direction::Higher)),
        "max_bytes_used" | "total_allocated_bytes" => Some((Unit::BYTE, Direction::Lower)),
        "allocs_per_iter" => Some((Unit::ONE, Direction::Lower)),
        _ if key.ends_with("_per_second") || key.ends_with("/s") => Some((Unit::PER_SECOND, Direction::Higher)),
        _ => None,
    };
    match known {
        Some((unit, better)) => known_metric(at, key, unit, better).map(Some),
        None => into.side_metric(at, key, Unit::ONE),
    }
}

/// The tool's own statistics, gathered until it is known which benchmarks have repetitions.
#[derive(Default)]
struct Aggregates<'a> {
    names: Vec<String>,
    by_name: HashMap<String, Vec<Node<'a>>>,
    repeated: HashSet<String>,
}

impl<'a> Aggregates<'a> {
    fn push(&mut self, name: &str, node: Node<'a>) {
        let nodes = self.by_name.entry(name.to_owned()).or_default();
        if nodes.is_empty() {
            self.names.push(name.to_owned());
        }
        nodes.push(node);
    }

    fn read(&self, into: &mut Collector<'_>) -> Result<(), ImportError> {
        for name in self.names.iter().filter(|name| !self.repeated.contains(*name)) {
            let Some(nodes) = self.by_name.get(name) else { continue };
            read_aggregates(nodes, name, into)?;
        }
        Ok(())
    }
}

fn read_aggregates(nodes: &[Node<'_>], name: &str, into: &mut Collector<'_>) -> Result<(), ImportError> {
    let find = |kind: &str| nodes.iter().find(|node| node.text_at("aggregate_name") == Some(kind));
    let Some(centre) = find("median").or_else(|| find("mean")) else {
        if let Some(first) = nodes.first() {
            into.left_out(&entry(&first.at, name), "an aggregate", "there is neither a median nor a mean");
        }
        return Ok(());
    };
    let point = into.point(&centre.at, name, Vec::new())?;
    let statistics = |key: &'static str| -> Result<Summary, ImportError> {
        let of = |kind: &str| find(kind).map(|node| base_time(node, key)).transpose();
        Ok(Summary {
            n: centre.get("repetitions").or_else(|| centre.get("iterations")).map_or(Ok(1), |node| node.count())?,
            mean: of("mean")?,
            stddev: of("stddev")?,
            ..Summary::single(base_time(centre, key)?)
        })
    };
    into.add(&centre.at, &point, Metric::time(), Reading::Statistics(statistics("real_time")?))?;
    let cpu_time = statistics("cpu_time")?;
    if cpu_time.median > 0.0 {
        let metric = known_metric(&centre.at, MetricName::CPU_TIME, Unit::SECOND, Direction::Lower)?;
        into.add(&centre.at, &point, metric, Reading::Statistics(cpu_time))?;
    }
    Ok(())
}
