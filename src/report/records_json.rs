//! Records, runs and series as JSON: `show --json`, `log --json`, `bench --json`, `record --json`.

use serde_json::{Value, json};

use super::log_text::LoggedSeries;
use super::series_json::{config, joined, measured};
use super::show_text::{ShownExcuse, ShownRun, sample_warning};
use super::{profile_json, series_json};
use crate::model::{Excuse, Measurement, MetricName, ObjectId, Record, Run, Summary};

/// `show --json`: the records of one commit, each with its run's id, the runs, the excuses.
pub fn show(commit: ObjectId, runs: &[ShownRun], excuses: &[ShownExcuse]) -> Value {
    json!({
        "version": 1,
        "commit": commit.to_string(),
        "runs": runs.iter().map(|shown| run(shown.run)).collect::<Vec<_>>(),
        "records": runs.iter().flat_map(|shown| shown.records.iter().map(|entry| record(entry, shown.run))).collect::<Vec<_>>(),
        "profiles": runs
            .iter()
            .flat_map(|shown| shown.profiles.iter().map(|entry| profile_json::profile(entry, shown.run.testbed.key())))
            .collect::<Vec<_>>(),
        "excuses": excuses.iter().map(|shown| {
            let mut entry = excuse(shown.excuse);
            entry["trusted"] = json!(shown.is_trusted);
            entry
        }).collect::<Vec<_>>(),
    })
}

/// A run with its testbed's facts.
pub fn run(run: &Run) -> Value {
    json!({
        "id": run.id.to_string(),
        "time": run.time.to_rfc3339(),
        "author": { "name": run.author.name, "email": run.author.email },
        "tool": run.tool,
        "commit": run.commit.to_string(),
        "tree": run.tree.to_string(),
        "dirty": run.dirty,
        "testbed": run.testbed.key(),
        "facts": run.testbed.facts,
    })
}

fn record(record: &Record, run: &Run) -> Value {
    let ids = json!({ "id": record.id.to_string(), "run": record.run.to_string() });
    let rest = json!({
        "exact": record.metric.exact,
        "follows": record.metric.follows.as_ref().map(MetricName::as_str),
        "testbed": run.testbed.key(),
        "dirty": run.dirty,
        "statistics": summary(&record.summary),
        "sample": record.sample.as_ref().map(|sample| sample.values().collect::<Vec<_>>()),
        "warnings": record.warnings.iter().map(sample_warning).collect::<Vec<_>>(),
        "barred": record.barred,
        "trusted": !record.is_untrusted(),
        "machine_code": record.machine_code,
    });
    joined([ids, measured(&record.benchmark, &record.config, &record.metric), rest])
}

/// A measurement that is not recorded yet.
pub fn measurement(taken: &Measurement) -> Value {
    let rest = json!({
        "exact": taken.metric.exact,
        "follows": taken.metric.follows.as_ref().map(MetricName::as_str),
        "statistics": summary(&taken.summary),
        "warnings": taken.warnings.iter().map(sample_warning).collect::<Vec<_>>(),
        "barred": taken.barred,
        "machine_code": taken.machine_code,
    });
    joined([measured(&taken.benchmark, &taken.config, &taken.metric), rest])
}

fn summary(summary: &Summary) -> Value {
    json!({
        "n": summary.n,
        "median": summary.median,
        "low": summary.low,
        "high": summary.high,
        "mean": summary.mean,
        "stddev": summary.stddev,
        "min": summary.min,
        "max": summary.max,
    })
}

/// An excuse with its scope.
pub fn excuse(excuse: &Excuse) -> Value {
    json!({
        "id": excuse.id.to_string(),
        "time": excuse.time.to_rfc3339(),
        "author": { "name": excuse.author.name, "email": excuse.author.email },
        "benchmark": excuse.scope.benchmark.as_ref().map(|name| name.as_str()),
        "config": config(&excuse.scope.config),
        "metric": excuse.scope.metric.as_ref().map(|name| name.as_str()),
        "testbed": excuse.scope.testbed,
        "reason": excuse.reason,
        "until": excuse.until,
        "expires": excuse.expires.map(|time| time.to_rfc3339()),
    })
}

/// `log --json`: every series with all its runs, oldest first, and its baseline.
pub fn log(logged: &[LoggedSeries]) -> Value {
    json!({ "version": 1, "series": logged.iter().map(logged_series).collect::<Vec<_>>() })
}

fn logged_series(entry: &LoggedSeries) -> Value {
    let series = &entry.series;
    let rest = json!({
        "baseline": entry.baseline.as_ref().map(|baseline| json!({
            "value": baseline.value,
            "low": baseline.low,
            "high": baseline.high,
            "commits": baseline.commits.iter().map(ObjectId::to_string).collect::<Vec<_>>(),
            "runs": baseline.runs,
        })),
        "untrusted_runs": series.excluded.untrusted,
        "runs": series.runs.iter().map(|measured| json!({
            "commit": measured.commit.to_string(),
            "run": measured.run.to_string(),
            "time": measured.time.to_rfc3339(),
            "statistics": summary(&measured.summary),
        })).collect::<Vec<_>>(),
    });
    series_json::series(&series.key, &series.metric, rest)
}
