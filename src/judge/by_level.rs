//! The rule of the level: history raises suspicion, a paired re-measurement convicts.
//!
//! Where nothing was re-measured the history alone decides: a loss that lies beyond the threshold and beyond what the
//! history can show without a cause (`by_history`) is a regression, however short the history (a short one can show
//! much). A loss beyond the threshold that noise explains as well is undecided while there is little history, and passes
//! with a warning once the history is long enough for its noise to be known.

use std::borrow::Cow;
use std::ops::Range;

use super::by_history::{ByHistory, alpha, spread_of};
use super::confirm::{ConfirmPlan, Side, Suspicion};
use super::excursion::{self, Towards};
use super::layout::Layout;
use super::level::{FEWEST_RUNS, HAMPEL_LIMIT, Level};
use super::lowest::ROUNDING;
use super::noise::{Noise, error_within};
use super::past::{Binding, Past};
use super::scale::Scale;
use super::series::by_commit;
use super::verdict::{Baseline, Confirmation, Creep, Estimate, HistoryTest, JudgeWarning, Reasons, StopReason, Verdict};
use super::{BaselineRule, Decision, MeasuredRun, SeriesInput};
use crate::model::Summary;
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
    let case = Case { input, ground: &ground, history: ground.holds(&candidate, input.rule) };
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

/// What the history says before the candidate is looked at.
struct Ground<'a> {
    runs: Binding<'a>,
    /// What the history comes to before the commits at hand.
    past: Past,
    /// The commits at hand on the scale of comparison: the median of each one's runs.
    places: Vec<f64>,
    scale: Scale,
    noise: Noise,
    level: Level,
    /// The newest runs of the level.
    witnesses: Cow<'a, [MeasuredRun]>,
    provisional: bool,
    /// The p at which history alone convicts.
    alpha: f64,
}

impl<'a> Ground<'a> {
    fn survey(input: &SeriesInput<'_>, binding: Binding<'a>) -> Option<Self> {
        let runs = binding.runs;
        let candidates = &input.candidate.runs;
        let measured: Vec<f64> = runs.iter().chain(candidates).map(MeasuredRun::value).collect();
        let paired = input.pairs.iter().flat_map(|pair| [pair.reference, pair.candidate]);
        let every: Vec<f64> = measured.iter().copied().chain(paired).collect();
        let scale = Scale::for_values(input.series.metric.better, &every);
        let places = scale.places_by_commit(runs);
        let past = binding.past(&places);
        let summaries: Vec<&Summary> = runs.iter().chain(candidates).map(|run| &run.summary).collect();
        let noise = Noise::estimate(&places, input.prior, error_within(&scale, &summaries));
        let is_revision = input.rule == BaselineRule::Revision;
        let level = if is_revision { Level::of_all(&past, &places, 0, &noise)? } else { Level::best(&past, &places, &noise)? };
        let (witnesses, provisional) = (Cow::Borrowed(&[][..]), false);
        let mut ground = Self { runs: binding, past, places, scale, noise, level, witnesses, provisional, alpha: alpha(input) };
        if let Some(newest) = ground.newest_better(input.thresholds.improvement_percent).filter(|_| !is_revision) {
            (ground.level, ground.provisional) = (newest, true);
        }
        ground.witnesses = binding.newest_of(ground.level.runs.clone());
        if !is_revision {
            ground.level.sigma *= ground.repetition();
        }
        Some(ground)
    }

    /// A candidate against this history.
    fn holds(&self, candidate: &Placed, rule: BaselineRule) -> ByHistory<'_> {
        ByHistory {
            rule,
            places: &self.places,
            level: &self.level,
            noise: &self.noise,
            place: candidate.place,
            spread: candidate.spread,
            alpha: self.alpha,
        }
    }

    /// By how much the level is better known because its commits were measured repeatedly.
    fn repetition(&self) -> f64 {
        let spreads: Vec<f64> = by_commit(&self.witnesses).iter().map(|runs| spread_of(runs.len())).collect();
        stats::mean(&spreads).unwrap_or(1.0).sqrt()
    }

    /// The newest runs of the level, without those of commits that its filter took for outliers.
    fn held(&self) -> impl Iterator<Item = &MeasuredRun> {
        let limit = HAMPEL_LIMIT * self.noise.sigma;
        let is_near = |commit: &Range<usize>| {
            let place = self.scale.place_of_commit(self.witnesses[commit.clone()].iter().map(MeasuredRun::value));
            place.is_some_and(|place| (place - self.level.place).abs() <= limit)
        };
        let commits = by_commit(&self.witnesses);
        let near: Vec<Range<usize>> = commits.iter().filter(|commit| is_near(commit)).cloned().collect();
        // A level of which nothing is near its mean is no level, but its commits are all there is.
        let kept = if near.is_empty() { commits } else { near };
        kept.into_iter().flat_map(|commit| &self.witnesses[commit])
    }

    /// How many runs hold the level. Outliers are told among its newest only.
    fn held_runs(&self) -> usize {
        self.held().count() + self.level.runs.len().saturating_sub(self.witnesses.len())
    }

    /// The newest one or two runs, if each of them is better than the best level before them by more than the
    /// improvement threshold and the noise: a new level at once, so that no gain is lost unseen. The interval of a
    /// candidate against so few runs is wide of itself, and if the next run is as before, it was a fluke and is forgotten.
    fn newest_better(&self, improvement_percent: f64) -> Option<Level> {
        let n = self.places.len();
        // Where the best level has taken in the gain already, there is nothing to add to it.
        let bar = self.level.place - self.scale.gain(self.level.place, improvement_percent);
        let better = self.places.iter().rev().take(FEWEST_RUNS - 1).take_while(|place| **place < bar).count();
        (n - better..n).find_map(|start| {
            let bar = self.bar(&self.places[..start], improvement_percent)?;
            let newest = Level::of_all(&self.past, &self.places, start, &self.noise)?;
            self.places[start..].iter().all(|place| *place < bar).then_some(newest)
        })
    }

    /// What a single run has to be below to be better than the best level of these.
    fn bar(&self, older: &[f64], improvement_percent: f64) -> Option<f64> {
        let level = Level::best(&self.past, older, &self.noise)?;
        let t = distribution::student_quantile(1.0 - self.alpha, self.noise.degrees)?;
        let by_noise = t * (self.noise.sigma.powi(2) + level.sigma.powi(2)).sqrt();
        let by_excursion = excursion::limit(older, 1, Towards::Better);
        Some(level.place - by_noise.max(by_excursion).max(self.scale.gain(level.place, improvement_percent)))
    }

    fn baseline(&self) -> Baseline {
        let half_width = distribution::student_quantile(0.975, self.noise.degrees).map(|t| t * self.level.sigma);
        let ends = half_width.and_then(|half| self.interval(self.level.place, half));
        let mut commits: Vec<_> = self.held().map(|run| run.commit).collect();
        commits.dedup();
        commits.drain(..commits.len().saturating_sub(Baseline::MOST_COMMITS));
        Baseline {
            value: self.value(),
            low: ends.map(|(low, _)| low),
            high: ends.map(|(_, high)| high),
            commits,
            runs: self.held_runs(),
        }
    }

    /// The values around a place, lower end first; `None` where they leave the range of a double.
    fn interval(&self, place: f64, half_width: f64) -> Option<(f64, f64)> {
        let (one, other) = (self.scale.value(place - half_width), self.scale.value(place + half_width));
        (one.is_finite() && other.is_finite()).then(|| (one.min(other), one.max(other)))
    }

    /// The level as a value. What differs from a measured value by no more than rounding is that value, so that equal runs
    /// give exactly what they measured.
    fn value(&self) -> f64 {
        let distance = |value: &f64| (self.scale.place(*value) - self.level.place).abs();
        let measured = self.held().map(MeasuredRun::value);
        let nearest = measured.min_by(|one, other| distance(one).total_cmp(&distance(other)));
        nearest.filter(|value| distance(value) < ROUNDING).unwrap_or_else(|| self.scale.value(self.level.place))
    }
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
