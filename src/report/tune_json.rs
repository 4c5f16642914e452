//! `tune --json` (docs/tune.schema.json). Version 1 only grows.

use serde_json::{Value, json};

use super::check_json::notice_json;
use super::series_json::config;
use super::tuning::{Code, Finalist, Outcome, TunedPoint, Tuning};
use crate::model::Config;

/// The one object that `tune --json` prints.
pub fn tuning(tuning: &Tuning) -> Value {
    let finalist = |finalist: &Finalist| self::finalist(finalist, tuning);
    json!({
        "version": 1,
        "benchmark": tuning.benchmark,
        "manifest": tuning.manifest,
        "arch": tuning.arch,
        "testbed": tuning.testbed,
        "configs": tuning.configs.iter().map(config).collect::<Vec<_>>(),
        "space": { "combinations": tuning.combinations as f64, "valid": tuning.valid },
        "search": {
            "strategy": tuning.strategy,
            "seed": tuning.seed,
            "budget_seconds": tuning.budget_seconds,
            "spent_seconds": tuning.spent_seconds,
            "ended": tuning.ended.as_str(),
        },
        "points": tuning.points.iter().map(|tuned| point(tuned, tuning)).collect::<Vec<_>>(),
        "finalists": tuning.finalists.iter().map(finalist).collect::<Vec<_>>(),
        "suggestion": tuning.suggestion.and_then(|place| tuning.points.get(place)).map(|point| json!({
            "tunables": config(&point.tunables),
            "gain_percent": tuning.gain_percent,
            "diff": tuning.diff,
        })),
        "warnings": tuning.notices.iter().map(notice_json).collect::<Vec<_>>(),
    })
}

fn point(point: &TunedPoint, tuning: &Tuning) -> Value {
    let outcome = |(outcome, of): (&Outcome, &Config)| match outcome {
        Outcome::Timed(time) => json!({
            "config": config(of),
            "time": { "median": time.median, "low": time.low, "high": time.high, "n": time.n },
            "source": time.source.as_str(),
        }),
        Outcome::Failed { cause, message } => json!({ "config": config(of), "failure": cause.as_str(), "message": message }),
    };
    json!({
        "tunables": config(&point.tunables),
        "default": point.is_default,
        "score": point.score,
        "results": point.outcomes.iter().zip(&tuning.configs).map(outcome).collect::<Vec<_>>(),
        "code": point.code.as_ref().map(code),
    })
}

/// What the compiler says of a point.
pub fn code(code: &Code) -> Value {
    json!({
        "registers": code.registers,
        "spill_bytes": code.spill_bytes,
        "shared_bytes": code.shared_bytes,
        "occupancy_percent": code.occupancy_percent,
        "instructions": code.instructions,
    })
}

fn finalist(finalist: &Finalist, tuning: &Tuning) -> Value {
    let evidence = finalist.evidence.iter().zip(&tuning.configs).map(|(evidence, of)| {
        json!({
            "config": config(of),
            "change_percent": evidence.change_percent,
            "low_percent": evidence.low_percent,
            "high_percent": evidence.high_percent,
            "p": evidence.p,
            "pairs": evidence.pairs,
            "proven": evidence.is_proven(tuning.finalists.len()),
        })
    });
    json!({
        "tunables": tuning.points.get(finalist.point).map(|point| config(&point.tunables)),
        "pairs": evidence.collect::<Vec<_>>(),
        "failure": finalist.failure,
        "gain_percent": finalist.gain_percent,
    })
}
