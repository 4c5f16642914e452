//! `check --json`: the contract other programs are written against (docs/check.schema.json). Version 1 only grows.

use serde_json::{Value, json};

use super::{Notice, series_json};
use crate::judge::{
    AppliedExcuse, Baseline, Confirmation, Creep, Estimate, ExcuseEffect, Follower, HistoryTest, Judgement, Reasons,
    SeriesVerdict,
};
use crate::model::ObjectId;

/// The one object that `check --json` prints.
pub fn check(judgement: &Judgement, notices: &[Notice]) -> Value {
    let warnings = notices.iter().cloned().chain(judgement.series.iter().flat_map(super::warnings::warnings_of));
    json!({
        "version": 1,
        "verdict": judgement.verdict().as_str(),
        "candidate": { "commit": judgement.candidate.to_string() },
        "base": judgement.base.map(|commit| json!({ "commit": commit.to_string() })),
        "series": judgement.series.iter().map(series).collect::<Vec<_>>(),
        "followers": judgement.followers.iter().map(follower).collect::<Vec<_>>(),
        "warnings": warnings.map(|notice| notice_json(&notice)).collect::<Vec<_>>(),
    })
}

fn follower(follower: &Follower) -> Value {
    json!({ "metric": follower.metric.as_str(), "follows": follower.lead.as_str() })
}

/// A notice as data.
pub fn notice_json(notice: &Notice) -> Value {
    json!({ "code": notice.code, "message": notice.message, "hint": notice.hint })
}

/// One series with its verdict and the reasons.
pub fn series(series: &SeriesVerdict) -> Value {
    let rest = json!({
        "verdict": series.verdict.as_str(),
        "change_percent": series.change_percent.map(rounded),
        "baseline": series.baseline.as_ref().map(baseline),
        "candidate": series.candidate.as_ref().map(estimate),
        "thresholds": {
            "regression_percent": series.thresholds.regression_percent,
            "improvement_percent": series.thresholds.improvement_percent,
        },
        "reasons": reasons(&series.reasons),
        "excuse": series.excuse.as_ref().map(excuse),
    });
    series_json::series(&series.key, &series.metric, rest)
}

/// Changes are differences of measured values: past twelve digits they show the arithmetic, not the program.
fn rounded(value: f64) -> f64 {
    format!("{value:.11e}").parse().unwrap_or(value)
}

fn ids(commits: &[ObjectId]) -> Vec<String> {
    commits.iter().map(ObjectId::to_string).collect()
}

fn baseline(baseline: &Baseline) -> Value {
    json!({
        "value": rounded(baseline.value),
        "low": baseline.low.map(rounded),
        "high": baseline.high.map(rounded),
        "commits": ids(&baseline.commits),
        "runs": baseline.runs,
    })
}

fn estimate(estimate: &Estimate) -> Value {
    json!({
        "value": rounded(estimate.value),
        "low": estimate.low.map(rounded),
        "high": estimate.high.map(rounded),
        "runs": estimate.runs,
    })
}

fn reasons(reasons: &Reasons) -> Value {
    json!({
        "rule": reasons.rule.as_str(),
        "exact": reasons.exact,
        "history_runs": reasons.history_runs,
        "noise_percent": reasons.noise_percent.map(rounded),
        "gate_percent": reasons.gate_percent.map(rounded),
        "suspicious": reasons.suspicious,
        "history": reasons.history.as_ref().map(history),
        "provisional": reasons.provisional,
        "confirmation": reasons.confirmation.as_ref().map(confirmation),
        "creep": reasons.creep.as_ref().map(creep),
        "more_runs_needed": reasons.more_runs_needed,
        "same_machine_code": reasons.same_machine_code,
    })
}

fn history(test: &HistoryTest) -> Value {
    json!({
        "p": test.p,
        "alpha": test.alpha,
        "detectable_percent": test.detectable_percent,
        "excursion_percent": test.excursion_percent.map(rounded),
    })
}

fn confirmation(confirmation: &Confirmation) -> Value {
    json!({
        "pairs": confirmation.pairs,
        "references": confirmation.references,
        "shift_percent": confirmation.shift_percent,
        "low_percent": confirmation.low_percent,
        "high_percent": confirmation.high_percent,
        "needed_percent": confirmation.needed_percent,
        "spread_percent": rounded(confirmation.spread_percent),
        "p": confirmation.p,
        "stopped": confirmation.stopped.as_str(),
    })
}

fn creep(creep: &Creep) -> Value {
    json!({
        "total_percent": creep.total_percent,
        "own_percent": creep.own_percent,
        "from": creep.from.to_string(),
        "to": creep.to.to_string(),
        "commits": creep.commits,
    })
}

fn excuse(applied: &AppliedExcuse) -> Value {
    let excuse = &applied.excuse;
    let effect = match applied.effect {
        ExcuseEffect::ResetBaseline { runs } => json!({ "reset_baseline": { "runs": runs } }),
        ExcuseEffect::Forgave { verdict } => json!({ "forgave": { "verdict": verdict.as_str() } }),
    };
    json!({
        "id": excuse.id.to_string(),
        "author": { "name": excuse.author.name, "email": excuse.author.email },
        "time": excuse.time.to_rfc3339(),
        "reason": excuse.reason,
        "until": excuse.until,
        "expires": excuse.expires.map(|time| time.to_rfc3339()),
        "effect": effect,
    })
}
