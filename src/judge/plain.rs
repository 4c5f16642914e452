//! The plain rules: the best single run, compared with the threshold and nothing else.
//!
//! `best-run` is the rule that everyone expects and that noise defeats; for exact metrics, which have no noise by
//! declaration, it is the right one.

use super::past::Binding;
use super::reasons::Reasons;
use super::verdict::{Baseline, Estimate, JudgeWarning, Verdict};
use super::{Decision, MeasuredRun, SeriesInput};
use crate::model::Direction;
use crate::stats;

/// Judges a candidate with at least one run against a history with at least one run.
pub(super) fn decide(input: &SeriesInput<'_>, runs: Binding<'_>) -> Option<Decision> {
    let metric = &input.series.metric;
    let best = runs.best(metric.better)?;
    let candidate = estimate(input)?;
    let change = metric.better.change_percent(best.value(), candidate.value);
    let verdict = if change < -input.thresholds.regression_percent {
        Verdict::Regression
    } else if change > input.thresholds.improvement_percent {
        Verdict::Improvement
    } else {
        Verdict::Pass
    };
    Some(Decision {
        verdict,
        change_percent: Some(change).filter(|change| change.is_finite()),
        baseline: Some(baseline_of(&best)),
        held_codes: best.machine_code.clone().into_iter().collect(),
        candidate: Some(candidate),
        reasons: Reasons { history_runs: runs.len(), ..Reasons::exact(input.rule) },
        warnings: differing_runs(input).into_iter().collect(),
    })
}

/// The baseline alone, for a candidate that was not measured.
pub(super) fn baseline(input: &SeriesInput<'_>, runs: Binding<'_>) -> Option<Baseline> {
    runs.best(input.series.metric.better).map(|best| baseline_of(&best))
}

fn baseline_of(best: &MeasuredRun) -> Baseline {
    Baseline { value: best.value(), low: best.summary.low, high: best.summary.high, commits: vec![best.commit], runs: 1 }
}

/// Runs of an exact metric should agree; where they do not, the worst counts. Of noisy runs the median counts.
pub(super) fn estimate(input: &SeriesInput<'_>) -> Option<Estimate> {
    let runs = &input.candidate.runs;
    let values: Vec<f64> = runs.iter().map(MeasuredRun::value).collect();
    let value = match (input.series.metric.exact, input.series.metric.better) {
        (false, _) => stats::median(&values)?,
        (true, Direction::Lower) => values.iter().copied().max_by(f64::total_cmp)?,
        (true, Direction::Higher) => values.iter().copied().min_by(f64::total_cmp)?,
    };
    let (low, high) = match runs.as_slice() {
        [only] => (only.summary.low, only.summary.high),
        _ => (None, None),
    };
    Some(Estimate { value, low, high, runs: runs.len() })
}

fn differing_runs(input: &SeriesInput<'_>) -> Option<JudgeWarning> {
    let mut values = input.candidate.runs.iter().map(MeasuredRun::value);
    let first = values.next()?;
    (input.series.metric.exact && values.any(|value| value != first)).then_some(JudgeWarning::ExactRunsDiffer)
}
