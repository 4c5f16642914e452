//! The decision: a series and a candidate in, a verdict with its reasons out.
//!
//! - [`assemble`] sorts the records of a history and of a candidate into series;
//! - [`judge_series`] holds one candidate against one series, by the rule of the level (`by_level`, and `by_history` where
//!   nothing was measured again) or plainly (`plain`);
//! - [`ConfirmPlan`] drives and judges a paired re-measurement;
//! - [`compare_runs`] and [`compare_pairs`] say how two sides differ, without a verdict;
//! - [`compare_quantiles`] says where in the distribution a change sits;
//! - [`Search`] and [`Halves`] find the commit that moved a series;
//! - [`profile_targets`] names the points whose change is worth a look at the counters;
//! - [`stretches()`] and [`ratchet_line`] are the levels and the baselines along a series, to be drawn;
//! - [`PlacedExcuse`] is how a recorded permission to regress resets a series;
//! - [`SeriesVerdict`] and [`Judgement`] are what comes out. Reasons and warnings are data, never sentences; a report
//!   makes the words.
//!
//! Everything here is pure: no clock (the time is passed in), no files, no git. Noise is judged on a log scale
//! oriented so that lower is better; values that go in and come out are in base units.

mod bisect;
mod by_history;
mod by_level;
mod compare;
mod confirm;
mod excursion;
mod excuse;
mod ground;
mod layout;
mod level;
mod lowest;
mod noise;
mod past;
mod plain;
mod profiling;
mod ratchet;
mod reasons;
mod scale;
mod series;
mod shape;
mod stretches;
#[cfg(test)]
mod tests;
mod verdict;

use chrono::{DateTime, Utc};
use past::Binding;

pub use bisect::{Halves, MoveSide, PairedShift, Placed, Search, clear_move, ends_are_known, suspected_move};
pub use compare::{Basis, ComparedRun, Comparison, SeriesComparison, compare_pairs, compare_runs};
pub use confirm::{ConfirmPlan, Pair, Side, Step};
pub use excuse::{ExcusePlace, PlacedExcuse};
pub use noise::NoisePrior;
pub use past::{Digest, Older};
pub use profiling::{ProfileReason, ProfileTarget, ProfileThresholds, profile_targets};
pub use ratchet::{RatchetStep, ratchet_line};
pub use reasons::{Confirmation, Creep, HistoryTest, Reasons, StopReason};
pub use series::{Candidate, Excluded, HistoryRecord, MeasuredRun, Series, assemble};
pub use shape::{QuantileRow, Quantiles, Shape, compare_quantiles};
pub use stretches::{Stretch, stretches};
pub use verdict::{
    AppliedExcuse, Baseline, BaselineRule, Estimate, ExcuseEffect, Follower, JudgeWarning, Judgement, SeriesVerdict, Thresholds,
    Verdict,
};

/// Everything that the verdict on one series depends on.
#[derive(Debug, Clone, Copy)]
pub struct SeriesInput<'a> {
    /// The history. [`BaselineRule::Revision`] takes all of its runs as the baseline.
    pub series: &'a Series,
    /// What is held against it.
    pub candidate: &'a Candidate,
    /// How large a change has to be; see [`Thresholds::for_metric`].
    pub thresholds: Thresholds,
    /// How the baseline is chosen.
    pub rule: BaselineRule,
    /// Whether what would be undecided is a regression.
    pub strict: bool,
    /// Every excuse that might cover the series; scope, time and limit are looked at here.
    pub excuses: &'a [PlacedExcuse],
    /// The present: what excuses expire against.
    pub now: DateTime<Utc>,
    /// What is known of the noise before looking at the series: pooled over the testbed, or the default.
    pub prior: NoisePrior,
    /// Pairs of a confirmation, in the order measured; empty where none was run.
    pub pairs: &'a [Pair],
    /// How many series are being confirmed at once.
    pub suspects: usize,
    /// How many series are judged in the same check: the more, the surer history alone has to be of each.
    pub family: usize,
}

/// What a rule makes of a candidate and the runs that bind it.
struct Decision {
    verdict: Verdict,
    change_percent: Option<f64>,
    baseline: Option<Baseline>,
    candidate: Option<Estimate>,
    reasons: Reasons,
    warnings: Vec<JudgeWarning>,
    /// The machine code of the runs that hold the baseline, where they say.
    held_codes: Vec<String>,
}

/// Holds a candidate against a series.
///
/// Without runs of the candidate the verdict is `not_measured`, without runs that bind it is `new`. Otherwise the rule
/// decides, and an excuse of the candidate's own turns what would not hold into a pass.
pub fn judge_series(input: &SeriesInput<'_>) -> SeriesVerdict {
    judge_long_series(input, None)
}

/// What binds a candidate of a series, before anybody looks at one.
pub fn binding_baseline(
    series: &Series,
    excuses: &[PlacedExcuse],
    rule: BaselineRule,
    prior: NoisePrior,
    now: DateTime<Utc>,
) -> Option<Baseline> {
    let input = SeriesInput {
        series,
        candidate: &Candidate::default(),
        thresholds: Thresholds::default(),
        rule,
        strict: false,
        excuses,
        now,
        prior,
        pairs: &[],
        suspects: 1,
        family: 1,
    };
    judge_series(&input).baseline
}

/// [`judge_series`] where the oldest runs of the series are not at hand: it has those from [`Digest::first_at_hand`] on, and the
/// digest has to serve it ([`Digest::serves`]).
pub fn judge_long_series(input: &SeriesInput<'_>, older: Option<Older<'_>>) -> SeriesVerdict {
    let excuses = excuse::Holding::of(input);
    let (binding, reset_by) = excuses.cut(&input.series.runs);
    let cut_off = input.series.runs.len() - binding.len();
    let set_aside = if cut_off == 0 { 0 } else { cut_off + older.map_or(0, |older| older.digest.first_at_hand()) };
    let binding = Binding { older: older.filter(|_| cut_off == 0), runs: binding };
    let mut decision = decide(input, binding);
    let reset = reset_by.map(|excuse| (excuse, ExcuseEffect::ResetBaseline { runs: set_aside }));
    let forgiving = excuses.forgiving.filter(|_| matches!(decision.verdict, Verdict::Regression | Verdict::Undecided));
    let forgiven = forgiving.map(|excuse| (excuse, ExcuseEffect::Forgave { verdict: decision.verdict }));
    if forgiven.is_some() {
        decision.verdict = Verdict::Pass;
    }
    decision.reasons.same_machine_code = same_machine_code(input, &decision.held_codes);
    let mut warnings = decision.warnings;
    let moved = matches!(decision.verdict, Verdict::Regression | Verdict::Undecided | Verdict::Improvement);
    warnings.extend((moved && decision.reasons.same_machine_code == Some(true)).then_some(JudgeWarning::SameMachineCode));
    warnings.extend(excuses.warnings);
    warnings.extend(about_measuring(input));
    SeriesVerdict {
        key: input.series.key.clone(),
        metric: input.series.metric.clone(),
        verdict: decision.verdict,
        change_percent: decision.change_percent,
        baseline: decision.baseline,
        candidate: decision.candidate,
        thresholds: input.thresholds,
        reasons: decision.reasons,
        excuse: forgiven.or(reset).map(|(excuse, effect)| AppliedExcuse { excuse: excuse.clone(), effect }),
        warnings,
    }
}

fn decide(input: &SeriesInput<'_>, binding: Binding<'_>) -> Decision {
    let plainly = input.series.metric.exact || input.rule == BaselineRule::BestRun;
    let decided = if plainly { plain::decide(input, binding) } else { by_level::decide(input, binding) };
    decided.unwrap_or_else(|| {
        let baseline = if plainly { plain::baseline(input, binding) } else { by_level::baseline(input, binding) };
        incomplete(input, binding, baseline)
    })
}

/// Whether every run of the candidate ran what some run that holds the baseline ran.
fn same_machine_code(input: &SeriesInput<'_>, held: &[String]) -> Option<bool> {
    let candidate: Option<Vec<&str>> = input.candidate.runs.iter().map(|run| run.machine_code.as_deref()).collect();
    let candidate = candidate.filter(|codes| !codes.is_empty() && !held.is_empty())?;
    Some(candidate.iter().all(|code| held.iter().any(|held| held == code)))
}

/// One side of the comparison is missing.
fn incomplete(input: &SeriesInput<'_>, binding: Binding<'_>, baseline: Option<Baseline>) -> Decision {
    Decision {
        verdict: if input.candidate.runs.is_empty() { Verdict::NotMeasured } else { Verdict::New },
        change_percent: None,
        baseline,
        candidate: plain::estimate(input),
        reasons: Reasons { history_runs: binding.len(), ..Reasons::exact(input.rule) },
        warnings: Vec::new(),
        held_codes: Vec::new(),
    }
}

fn about_measuring(input: &SeriesInput<'_>) -> Vec<JudgeWarning> {
    let candidate = input.candidate;
    let excluded = Some(input.series.excluded).filter(|excluded| excluded.total() > 0).map(JudgeWarning::Excluded);
    let turned = input.series.was_better.filter(|_| !candidate.runs.is_empty()).map(|was| JudgeWarning::BetterTurned { was });
    let dirty = candidate.dirty.then_some(JudgeWarning::DirtyCandidate);
    let barred = candidate.barred.clone().map(|reason| JudgeWarning::BarredCandidate { reason });
    let untrusted = candidate.untrusted.then_some(JudgeWarning::UntrustedCandidate);
    [excluded, turned, dirty, barred, untrusted].into_iter().flatten().collect()
}
