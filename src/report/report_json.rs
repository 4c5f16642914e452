//! `report --format json`: a check and the history behind it (docs/report.schema.json). Version 1 only grows.

use serde_json::{Value, json};

use super::check_json;
use super::overview::{ExcuseMark, Level, Overview, Point, SeriesHistory, Step, TestbedEntry};
use super::series_json::{self, commit};

/// The one object that the format writes.
pub fn report(overview: &Overview) -> Value {
    json!({
        "version": 1,
        "repository": overview.repository,
        "made": overview.made.to_rfc3339(),
        "check": check_json::check(&overview.judgement, &overview.notices),
        "commits": overview.commits.entries().iter().map(commit).collect::<Vec<_>>(),
        "testbeds": overview.testbeds.iter().map(testbed).collect::<Vec<_>>(),
        "series": overview.series.iter().map(series).collect::<Vec<_>>(),
    })
}

fn testbed(entry: &TestbedEntry) -> Value {
    let changed =
        entry.changed.iter().map(|change| json!({ "name": change.name, "before": change.before, "after": change.after }));
    json!({ "key": entry.key, "facts": entry.facts, "changed": changed.collect::<Vec<_>>() })
}

fn series(series: &SeriesHistory) -> Value {
    let rest = json!({
        "verdict": series.status(),
        "runs": series.points.iter().map(point).collect::<Vec<_>>(),
        "levels": series.levels.iter().map(level).collect::<Vec<_>>(),
        "ratchet": series.ratchet.iter().map(step).collect::<Vec<_>>(),
        "excuses": series.excuses.iter().map(excuse).collect::<Vec<_>>(),
    });
    series_json::series(&series.key, &series.metric, rest)
}

fn point(point: &Point) -> Value {
    json!({
        "commit": point.commit,
        "value": point.value,
        "low": point.low,
        "high": point.high,
        "n": point.n,
        "standing": point.standing.as_str(),
    })
}

fn level(level: &Level) -> Value {
    json!({ "from": level.from, "to": level.to, "value": level.value })
}

fn step(step: &Step) -> Value {
    json!({ "commit": step.commit, "value": step.value, "low": step.low, "high": step.high })
}

fn excuse(mark: &ExcuseMark) -> Value {
    json!({ "commit": mark.commit, "author": mark.author, "time": mark.time.to_rfc3339(), "reason": mark.reason })
}
