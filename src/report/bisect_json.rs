//! `bisect --json` (docs/bisect.schema.json). Version 1 only grows.

use serde_json::{Value, json};

use super::Notice;
use super::bisection::{Bisection, BisectionStep};
use super::check_json::notice_json;
use super::series_json::{self, commit};
use crate::judge::PairedShift;

/// The one object that `bisect --json` prints.
pub fn bisect(bisection: &Bisection, notices: &[Notice]) -> Value {
    let rest = json!({
        "old": commit(&bisection.old),
        "new": commit(&bisection.new),
        "commits": bisection.commits,
        "left_alone": bisection.left_alone,
        "change": shift(&bisection.whole),
        "steps": bisection.steps.iter().map(step).collect::<Vec<_>>(),
        "found": bisection.found.iter().map(commit).collect::<Vec<_>>(),
        "change_of_found": bisection.of_found.as_ref().map(shift),
        "merge": bisection.is_merge,
        "warnings": notices.iter().map(notice_json).collect::<Vec<_>>(),
    });
    let measured = series_json::measured(&bisection.benchmark, &bisection.config, &bisection.metric);
    series_json::joined([json!({ "version": 1 }), measured, rest])
}

fn step(step: &BisectionStep) -> Value {
    json!({ "commit": step.commit.to_string(), "side": step.side.as_str(), "sure": step.is_sure, "change": shift(&step.shift) })
}

fn shift(shift: &PairedShift) -> Value {
    json!({
        "pairs": shift.pairs,
        "percent": shift.percent,
        "low_percent": shift.low_percent,
        "high_percent": shift.high_percent,
    })
}
