//! Which series and which commit, as every JSON says it: benchmark, config, metric, unit, direction, testbed, before all else.

use serde_json::{Map, Value, json};

use super::overview::CommitEntry;
use crate::model::{BenchmarkName, Config, Metric, SeriesKey};

/// A config as an object; values are texts, since a parameter may be `007` or `f16`.
pub fn config(config: &Config) -> Value {
    Value::Object(config.iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect::<Map<_, _>>())
}

/// A series, followed by what is said of it.
pub fn series(key: &SeriesKey, metric: &Metric, rest: Value) -> Value {
    joined([measured(&key.benchmark, &key.config, metric), json!({ "testbed": key.testbed }), rest])
}

/// What was measured, wherever that was.
pub fn measured(benchmark: &BenchmarkName, parameters: &Config, metric: &Metric) -> Value {
    json!({
        "benchmark": benchmark.as_str(),
        "config": config(parameters),
        "metric": metric.name.as_str(),
        "unit": metric.unit.symbol(),
        "better": metric.better.as_str(),
    })
}

/// A commit as people name it.
pub fn commit(entry: &CommitEntry) -> Value {
    json!({ "commit": entry.id.to_string(), "time": entry.time.to_rfc3339(), "author": entry.author, "subject": entry.subject })
}

/// One object of several.
pub fn joined<const N: usize>(objects: [Value; N]) -> Value {
    let entries = objects.into_iter().filter_map(|object| match object {
        Value::Object(entries) => Some(entries),
        _ => None,
    });
    Value::Object(entries.flatten().collect())
}
