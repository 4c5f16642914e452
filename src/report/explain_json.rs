//! `explain --format json` (docs/explain.schema.json). Version 1 only grows.

use serde_json::{Value, json};

use super::check_json;
use super::explanation::{ChangedFile, Content, Explanation, findings};
use super::series_json::commit;

/// The one object that the format writes.
pub fn explain(explanation: &Explanation) -> Value {
    json!({
        "version": 1,
        "series": check_json::series(&explanation.verdict),
        "candidate": commit(&explanation.candidate),
        "reference": commit(&explanation.reference),
        "findings": findings(explanation),
        "machine_code": explanation.machine_code.as_ref().map(|(before, after)| json!({
            "before": before,
            "after": after,
            "same": before == after,
        })),
        "inputs": explanation.inputs,
        "files": explanation.files.iter().map(file).collect::<Vec<_>>(),
        "more_files": explanation.more_files,
        "other_files": explanation.other_files,
        "commits_between": explanation.commits_between,
        "commits": explanation.commits.iter().map(commit).collect::<Vec<_>>(),
        "more_commits": explanation.more_commits,
        "moved": explanation.moved.as_ref().map(|moved| json!({
            "before": commit(&moved.before),
            "after": commit(&moved.after),
            "commits": moved.commits,
            "value_before": moved.value_before,
            "value_after": moved.value_after,
        })),
        "facts": explanation.facts.iter().map(|change| json!({
            "name": change.name,
            "before": change.before,
            "after": change.after,
        })).collect::<Vec<_>>(),
        "metrics": explanation.metrics.iter().map(|change| json!({
            "metric": change.metric.name.as_str(),
            "unit": change.metric.unit.symbol(),
            "exact": change.metric.exact,
            "before": change.before,
            "after": change.after,
            "change_percent": change.change_percent,
        })).collect::<Vec<_>>(),
        "counters": explanation.counters,
        "distribution": explanation.quantiles.as_ref().map(|quantiles| json!({
            "shape": quantiles.shape.as_str(),
            "quantiles": quantiles.rows.iter().map(|row| json!({
                "share": row.share,
                "before": row.before,
                "after": row.after,
                "change_percent": row.change_percent,
            })).collect::<Vec<_>>(),
        })),
    })
}

fn file(file: &ChangedFile) -> Value {
    let (content, diff) = match &file.content {
        Content::Diff(lines) => ("diff", Some(lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n"))),
        Content::Binary => ("binary", None),
        Content::TooLarge => ("too_large", None),
        Content::LeftOut => ("left_out", None),
    };
    json!({ "path": file.path, "change": file.kind.as_str(), "content": content, "diff": diff })
}
