//! Profiles as JSON: in `show --json`, `profile --json` and `profile --diff --json`.

use serde_json::{Map, Value, json};

use super::profile_text::{ComparedProfile, sentence};
use super::series_json::config;
use crate::model::{Counter, KernelProfile, ObjectId, Profile};
use crate::profile::{Change, Finding, duration, key_metric};

/// A stored profile.
pub fn profile(profile: &Profile, testbed: &str) -> Value {
    json!({
        "id": profile.id.to_string(),
        "run": profile.run.to_string(),
        "benchmark": profile.benchmark.as_str(),
        "config": config(&profile.config),
        "testbed": testbed,
        "kernel": profile.counted.kernel,
        "launches": profile.counted.launches,
        "metrics": metrics(&profile.counted),
        "report": profile.report.as_ref().map(|file| json!({
            "path": file.path,
            "blob": file.blob.to_string(),
            "bytes": file.bytes,
        })),
    })
}

fn metrics(counted: &KernelProfile) -> Value {
    let entry = |(name, counter): (&String, &Counter)| {
        let title = key_metric(name).map(|metric| metric.title);
        (name.clone(), json!({ "title": title, "value": counter.value, "unit": counter.unit.symbol() }))
    };
    Value::Object(counted.metrics.iter().map(entry).collect::<Map<_, _>>())
}

/// `profile --diff --json`.
pub fn diff((before, after): (ObjectId, ObjectId), compared: &[ComparedProfile]) -> Value {
    json!({
        "version": 1,
        "before": { "commit": before.to_string() },
        "after": { "commit": after.to_string() },
        "points": compared.iter().map(point).collect::<Vec<_>>(),
    })
}

fn point(entry: &ComparedProfile) -> Value {
    json!({
        "benchmark": entry.benchmark.as_str(),
        "config": config(entry.config),
        "testbed": entry.testbed,
        "kernel": { "before": entry.before.kernel, "after": entry.after.kernel },
        "duration": duration(entry.before, entry.after).as_ref().map(change),
        "findings": entry.findings.iter().map(finding).collect::<Vec<_>>(),
        "metrics": { "before": metrics(entry.before), "after": metrics(entry.after) },
    })
}

/// A finding with its sentence.
pub fn finding(finding: &Finding) -> Value {
    json!({
        "sentence": sentence(finding),
        "cause": change(&finding.cause),
        "effects": finding.effects.iter().map(change).collect::<Vec<_>>(),
        "weight": finding.weight,
    })
}

fn change(change: &Change) -> Value {
    json!({
        "metric": change.metric.name,
        "title": change.metric.title,
        "unit": change.unit.symbol(),
        "before": change.before,
        "after": change.after,
        "better": change.is_better(),
        "change_percent": change.percent(),
    })
}
