//! The rule of the level: history raises suspicion, a paired re-measurement convicts.
//!
//! Where nothing was re-measured the history alone decides: a loss that lies beyond the threshold and beyond what the
//! history can show without a cause (`by_history`) is a regression, however short the history (a short one can show
//! much). A loss beyond the threshold that noise explains as well is undecided while there is little history, and passes
//! with a warning once the history is long enough for its noise to be known.

use super::by_history::{ByHistory, spread_of};
use super::confirm::{ConfirmPlan, Side, Suspicion};
use super::ground::Ground;
use super::layout::Layout;
use super::past::Binding;
use super::reasons::{Confirmation, Creep, HistoryTest, Reasons, StopReason};
use super::verdict::{Baseline, Estimate, JudgeWarning, Verdict};
use super::{BaselineRule, Decision, MeasuredRun, SeriesInput};
use crate::stats::{self, distribution};

/// Suspicion begins at this share of the threshold.
const GATE: f64 = 0.6;
/// With this many runs the noise of a series is known, and what it explains passes.
const ENOUGH_RUNS: usize = 50;
/// A session is as noisy as ever up to this multiple of the noise of the history: its pairs are few.
const USUAL_NOISE: f64 = 1.5;
/// A change is the candidate's own against the median of this many runs before it.
const RECENT_RUNS: usize = 3;

/// Judges a candidate with at least one run against a history with at least one run.
pub(super) fn decide(input: &SeriesInput<'_>, runs: Binding<'_>) -> Option<Decision> {
    let ground = Ground::survey(input, runs)?;
    let candidate = Placed::new(&ground, &input.candidate.runs)?;
    let case = Case { input, ground: &ground, history: candidate.against(&ground, input.rule) };
    let finding = case.find();
    let baseline = ground.baseline();
    // From the values that are shown, so that equal values show no change at all.
    let change = input.series.metric.better.change_percent(baseline.value, candidate.estimate.value);
    let mut reasons = case.reasons();
    reasons.confirmation = finding.confirmation;
    // Where pairs could not tell, more runs of the same noise are no advice.
    let is_open = finding.verdict == Verdict::Undecided && finding.confirmation.is_none();
    reasons.more_runs_needed = is_open.then(|| case.more_runs_needed()).flatten();
    Some(Decision {
        verdict: finding.verdict,
        change_percent: Some(change).filter(|change| change.is_finite()),
        baseline: Some(baseline),
        candidate: Some(candidate.estimate),
        reasons,
        warnings: finding.warnings,
        held_codes: ground.held().filter_map(|run| run.machine_code.clone()).collect(),
    })
}

/// The baseline alone, for a candidate that was not measured.
pub(super) fn baseline(input: &SeriesInput<'_>, runs: Binding<'_>) -> Option<Baseline> {
    Ground::survey(input, runs).map(|ground| ground.baseline())
}

/// The candidate on the scale of comparison.
struct Placed {
    place: f64,
    /// The variance of its place in units of the variance between runs.
    spread: f64,
    estimate: Estimate,
}

impl Placed {
    fn new(ground: &Ground<'_>, runs: &[MeasuredRun]) -> Option<Self> {
        let values: Vec<f64> = runs.iter().map(MeasuredRun::value).collect();
        let value = stats::median(&values)?;
        let place = ground.scale.place(value);
        let spread = spread_of(runs.len());
        let (low, high) = match runs {
            [only] => (only.summary.low, only.summary.high),
            _ => {
                let t = distribution::student_quantile(0.975, ground.noise.degrees)?;
                ground.interval(place, t * ground.noise.sigma * spread.sqrt()).unzip()
            }
        };
        Some(Self { place, spread, estimate: Estimate { value, low, high, runs: runs.len() } })
    }

    fn against<'a>(&self, ground: &'a Ground<'_>, rule: BaselineRule) -> ByHistory<'a> {
        ByHistory {
            rule,
            places: &ground.places,
            level: &ground.level,
            noise: &ground.noise,
            place: self.place,
            spread: self.spread,
            alpha: ground.alpha,
        }
    }
}

/// A candidate before its history.
struct Case<'a> {
    input: &'a SeriesInput<'a>,
    ground: &'a Ground<'a>,
    history: ByHistory<'a>,
}

/// A verdict, and what else came up on the way to it.
struct Finding {
    verdict: Verdict,
    confirmation: Option<Confirmation>,
    warnings: Vec<JudgeWarning>,
}

impl Finding {
    fn plain(verdict: Verdict) -> Self {
        Self { verdict, confirmation: None, warnings: Vec::new() }
    }
}

impl Case<'_> {
    /// How far the candidate lies above the level; negative is a gain.
    fn loss(&self) -> f64 {
        self.history.loss()
    }

    fn regression_shift(&self) -> f64 {
        self.ground.scale.loss(self.ground.level.place, self.input.thresholds.regression_percent)
    }

    fn improvement_shift(&self) -> f64 {
        self.ground.scale.gain(self.ground.level.place, self.input.thresholds.improvement_percent)
    }

    fn suspected(&self) -> Option<Side> {
        if self.loss() > GATE * self.regression_shift() {
            Some(Side::Loss)
        } else if -self.loss() > self.improvement_shift() {
            Some(Side::Gain)
        } else {
            None
        }
    }

    fn plan(&self) -> Option<ConfirmPlan> {
        let side = self.suspected()?;
        Some(ConfirmPlan::new(&Suspicion {
            side,
            level: self.ground.level.place,
            threshold: if side == Side::Loss { self.regression_shift() } else { self.improvement_shift() },
            // What is better than a lucky level is all the better.
            layout: Layout::believed(self.ground.noise.sigma, if side == Side::Loss { self.ground.level.luck } else { 0.0 }),
            suspects: self.input.suspects,
            scale: self.ground.scale,
        }))
    }

    fn find(&self) -> Finding {
        let Some(side) = self.suspected() else { return Finding::plain(Verdict::Pass) };
        match self.plan().and_then(|plan| plan.outcome(self.input.pairs)) {
            Some(outcome) => Finding { confirmation: Some(outcome), ..self.confirmed(side, &outcome) },
            None if side == Side::Gain => {
                Finding::plain(if self.history.shows_gain() { Verdict::Improvement } else { Verdict::Pass })
            }
            None => self.loss_by_history(),
        }
    }

    fn confirmed(&self, side: Side, outcome: &Confirmation) -> Finding {
        Finding::plain(match (side, outcome.stopped) {
            (Side::Loss, StopReason::Proven) => Verdict::Regression,
            (Side::Gain, StopReason::Proven) => Verdict::Improvement,
            (Side::Loss, StopReason::TooFewPairs) => self.undecided(),
            (Side::Loss, StopReason::TooNoisy) => return self.too_noisy(outcome),
            _ => Verdict::Pass,
        })
    }

    /// Pairs that cannot tell leave the question with the history. What the history would convict may come from the same
    /// noise, so nobody is convicted. What it lets pass passes, unless only a long history lets it pass that knows this
    /// computer as a quieter one, where pairs could tell; or the pairs themselves look like a loss.
    fn too_noisy(&self, outcome: &Confirmation) -> Finding {
        let by_history = self.loss_by_history();
        let is_usual = outcome.spread_percent <= USUAL_NOISE * 100.0 * self.ground.noise.sigma;
        let looks_like_loss = outcome.shift_percent.is_none_or(|change| change < -self.input.thresholds.regression_percent);
        let passes = match by_history.verdict {
            Verdict::Pass if by_history.warnings.is_empty() => !looks_like_loss,
            Verdict::Pass => is_usual,
            _ => false,
        };
        let warning = JudgeWarning::TooNoisyToConfirm {
            spread_percent: outcome.spread_percent,
            hidden_percent: outcome.low_percent.map(f64::abs),
        };
        let mut finding = if passes { by_history } else { Finding::plain(self.undecided()) };
        finding.warnings.push(warning);
        finding
    }

    fn loss_by_history(&self) -> Finding {
        if self.loss() <= self.regression_shift() {
            Finding::plain(Verdict::Pass)
        } else if self.history.shows_loss(self.regression_shift()) {
            Finding::plain(Verdict::Regression)
        } else if self.ground.places.len() < ENOUGH_RUNS {
            Finding::plain(self.undecided())
        } else {
            let detectable_percent = self.detectable_percent();
            Finding { warnings: vec![JudgeWarning::NoiseHidesLoss { detectable_percent }], ..Finding::plain(Verdict::Pass) }
        }
    }

    fn undecided(&self) -> Verdict {
        if self.input.strict { Verdict::Regression } else { Verdict::Undecided }
    }

    /// A shift away from the level in percent, without its sign.
    fn percent(&self, shift: f64) -> Option<f64> {
        self.ground.scale.percent(self.ground.level.place, shift).map(f64::abs)
    }

    fn detectable_percent(&self) -> Option<f64> {
        self.percent(self.history.detectable(self.regression_shift())?)
    }

    fn more_runs_needed(&self) -> Option<usize> {
        let (measured, held) = (self.input.candidate.runs.len(), self.ground.held_runs());
        self.history.more_runs_needed(measured, held, self.regression_shift())
    }

    fn history_test(&self) -> HistoryTest {
        let excursion = Some(self.history.excursion()).filter(|excursion| *excursion > 0.0);
        HistoryTest {
            p: self.history.p(),
            alpha: self.ground.alpha,
            detectable_percent: self.detectable_percent(),
            excursion_percent: excursion.and_then(|excursion| self.percent(excursion)),
        }
    }

    fn reasons(&self) -> Reasons {
        let ground = self.ground;
        Reasons {
            rule: self.input.rule,
            exact: false,
            history_runs: ground.runs.len(),
            noise_percent: Some(100.0 * ground.noise.sigma),
            gate_percent: self.percent(GATE * self.regression_shift()),
            suspicious: self.suspected() == Some(Side::Loss),
            history: Some(self.history_test()),
            provisional: ground.provisional,
            plan: self.plan(),
            confirmation: None,
            creep: self.creep(),
            more_runs_needed: None,
            same_machine_code: None,
            only_recorded: false,
        }
    }

    /// Where the loss came from, if the candidate itself caused less than half of it.
    fn creep(&self) -> Option<Creep> {
        let ground = self.ground;
        let newer = ground.places.get(ground.level.stretch.end.saturating_sub(ground.past.number_of(0))..)?;
        let before = stats::median(&newer[newer.len().saturating_sub(RECENT_RUNS)..])?;
        let own = self.history.place - before;
        if self.loss() <= self.regression_shift() || own >= self.loss() / 2.0 {
            return None;
        }
        let (from, to) = (ground.witnesses.last()?, ground.runs.runs.last()?);
        Some(Creep {
            total_percent: ground.scale.percent(ground.level.place, self.loss()),
            own_percent: ground.scale.percent(before, own),
            from: from.commit,
            to: to.commit,
            commits: from.position.saturating_sub(to.position),
        })
    }
}
