//! The rule of the level: history raises suspicion, a paired re-measurement convicts.
//!
//! Where nothing was re-measured the history alone decides, by a prediction interval: a loss that lies beyond the
//! threshold and beyond what one more run of the level could show is a regression, however short the history (a short
//! one makes the interval wide). A loss beyond the threshold that noise explains as well is undecided while there is
//! little history, and passes with a warning once the history is long enough for its noise to be known.

use std::ops::Range;

use super::confirm::LAYOUT_SHARE;
use super::confirm::{ConfirmPlan, Side, Suspicion};
use super::level::{FEWEST_RUNS, HAMPEL_LIMIT, Level};
use super::noise::{Noise, error_within};
use super::scale::Scale;
use super::series::by_commit;
use super::verdict::{Baseline, Creep, Estimate, HistoryTest, JudgeWarning, Reasons, StopReason, Verdict};
use super::{BaselineRule, Decision, MeasuredRun, SeriesInput};
use crate::model::Summary;
use crate::stats::{self, distribution};

/// Suspicion begins at this share of the threshold.
const GATE: f64 = 0.6;
/// A change that noise alone would show this rarely is real.
const ALPHA: f64 = 0.001;
/// The probability that any of the series of one check, all of them clean, is convicted by its history.
const FAMILY_ALPHA: f64 = 0.01;
/// With this many runs the noise of a series is known, and what it explains passes.
const ENOUGH_RUNS: usize = 50;
/// An answer to "how many more runs" that is larger than this is no answer.
const MOST_MORE_RUNS: usize = 30;
/// A change is the candidate's own against the median of this many runs before it.
const RECENT_RUNS: usize = 3;

/// Judges a candidate with at least one run against a history with at least one run.
pub(super) fn decide(input: &SeriesInput<'_>, runs: &[MeasuredRun]) -> Option<Decision> {
    let ground = Ground::survey(input, runs)?;
    let candidate = Placed::new(&ground, &input.candidate.runs)?;
    let case = Case { input, ground: &ground, place: candidate.place, spread: candidate.spread };
    let finding = case.find();
    let baseline = ground.baseline();
    // From the values that are shown, so that equal values show no change at all.
    let change = input.series.metric.better.change_percent(baseline.value, candidate.estimate.value);
    let mut reasons = case.reasons();
    reasons.confirmation = finding.confirmation;
    reasons.more_runs_needed = (finding.verdict == Verdict::Undecided).then(|| case.more_runs_needed()).flatten();
    Some(Decision {
        verdict: finding.verdict,
        change_percent: Some(change).filter(|change| change.is_finite()),
        baseline: Some(baseline),
        candidate: Some(candidate.estimate),
        reasons,
        warnings: finding.warnings,
    })
}

/// The p at which history alone convicts one of the series of a check: a thousand noisy series have a thousand chances
/// to look guilty (Bonferroni; it holds however the series depend on each other).
fn alpha(input: &SeriesInput<'_>) -> f64 {
    ALPHA.min(FAMILY_ALPHA / input.family.max(1) as f64)
}

/// The baseline alone, for a candidate that was not measured.
pub(super) fn baseline(input: &SeriesInput<'_>, runs: &[MeasuredRun]) -> Option<Baseline> {
    Ground::survey(input, runs).map(|ground| ground.baseline())
}

/// What the history says before the candidate is looked at.
struct Ground<'a> {
    runs: &'a [MeasuredRun],
    /// The runs of each commit.
    commits: Vec<Range<usize>>,
    /// The commits on the scale of comparison: the median of each one's runs.
    places: Vec<f64>,
    scale: Scale,
    noise: Noise,
    level: Level,
    provisional: bool,
    /// The p at which history alone convicts.
    alpha: f64,
}

impl<'a> Ground<'a> {
    fn survey(input: &SeriesInput<'_>, runs: &'a [MeasuredRun]) -> Option<Self> {
        let candidates = &input.candidate.runs;
        let measured: Vec<f64> = runs.iter().chain(candidates).map(MeasuredRun::value).collect();
        let paired = input.pairs.iter().flat_map(|pair| [pair.reference, pair.candidate]);
        let every: Vec<f64> = measured.iter().copied().chain(paired).collect();
        let scale = Scale::for_values(input.series.metric.better, &every);
        let (commits, places) = (by_commit(runs), scale.places_by_commit(runs));
        let summaries: Vec<&Summary> = runs.iter().chain(candidates).map(|run| &run.summary).collect();
        let noise = Noise::estimate(&places, input.prior, error_within(&scale, &summaries));
        if input.rule == BaselineRule::Revision {
            let level = Level::of_all(&places, &noise)?;
            return Some(Self { runs, commits, places, scale, noise, level, provisional: false, alpha: alpha(input) });
        }
        let level = Level::best(&places, &noise)?;
        let mut ground = Self { runs, commits, places, scale, noise, level, provisional: false, alpha: alpha(input) };
        if let Some(newest) = ground.newest_better(input.thresholds.improvement_percent) {
            (ground.level, ground.provisional) = (newest, true);
        }
        ground.level.sigma *= ground.repetition();
        Some(ground)
    }

    /// By how much the level is better known because its commits were measured repeatedly.
    fn repetition(&self) -> f64 {
        let spreads: Vec<f64> = self.commits[self.level.stretch.clone()].iter().map(|runs| spread_of(runs.len())).collect();
        stats::mean(&spreads).unwrap_or(1.0).sqrt()
    }

    /// The runs of the commits of the level, without those that its filter took for outliers.
    fn held(&self) -> impl Iterator<Item = &'a MeasuredRun> {
        let limit = HAMPEL_LIMIT * self.noise.sigma;
        let runs = self.runs;
        let stretch = self.level.stretch.clone();
        let near = stretch.clone().filter(move |at| (self.places[*at] - self.level.place).abs() <= limit);
        // A level of which nothing is near its mean is no level, but its commits are all there is.
        let kept: Vec<usize> = near.collect();
        let kept = if kept.is_empty() { stretch.collect() } else { kept };
        let ranges: Vec<Range<usize>> = kept.into_iter().map(|at| self.commits[at].clone()).collect();
        ranges.into_iter().flat_map(move |range| &runs[range])
    }

    /// The newest one or two runs, if each of them is better than the best level before them by more than the
    /// improvement threshold and the noise: a new level at once, so that no gain is lost unseen. The interval of a
    /// candidate against so few runs is wide of itself, and if the next run is as before, it was a fluke and is forgotten.
    fn newest_better(&self, improvement_percent: f64) -> Option<Level> {
        let n = self.places.len();
        // Where the best level has taken in the gain already, there is nothing to add to it.
        let bar = self.level.place - self.scale.gain(self.level.place, improvement_percent);
        let better = self.places.iter().rev().take((FEWEST_RUNS - 1).min(n - 1)).take_while(|place| **place < bar).count();
        (n - better..n).find_map(|start| {
            let bar = self.bar(&self.places[..start], improvement_percent)?;
            let newest = Level { stretch: start..n, ..Level::of_all(&self.places[start..], &self.noise)? };
            self.places[start..].iter().all(|place| *place < bar).then_some(newest)
        })
    }

    /// What a single run has to be below to be better than the best level of these.
    fn bar(&self, older: &[f64], improvement_percent: f64) -> Option<f64> {
        let level = Level::best(older, &self.noise)?;
        let t = distribution::student_quantile(1.0 - self.alpha, self.noise.degrees)?;
        let by_noise = t * (self.noise.sigma.powi(2) + level.sigma.powi(2)).sqrt();
        Some(level.place - by_noise.max(self.scale.gain(level.place, improvement_percent)))
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
            runs: self.held().count(),
        }
    }

    /// The values around a place, lower end first; `None` where they leave the range of a double.
    fn interval(&self, place: f64, half_width: f64) -> Option<(f64, f64)> {
        let (one, other) = (self.scale.value(place - half_width), self.scale.value(place + half_width));
        (one.is_finite() && other.is_finite()).then(|| (one.min(other), one.max(other)))
    }

    /// The level as a value: within what its runs measured, so that equal runs give exactly their value.
    fn value(&self) -> f64 {
        let measured = self.held().map(MeasuredRun::value);
        let (least, most) = measured.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), v| (v.min(least), v.max(most)));
        self.scale.value(self.level.place).max(least).min(most)
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

/// The variance of what n runs of one commit say, in units of the variance between runs: half of it sticks to the commit
/// (the layout of its binary, its session), the rest shrinks as that of the median of n normal values, at most π/2n.
fn spread_of(runs: usize) -> f64 {
    let of_median = (std::f64::consts::FRAC_PI_2 / runs.max(1) as f64).min(1.0);
    LAYOUT_SHARE + (1.0 - LAYOUT_SHARE) * of_median
}

/// A candidate before its history.
struct Case<'a> {
    input: &'a SeriesInput<'a>,
    ground: &'a Ground<'a>,
    place: f64,
    spread: f64,
}

/// A verdict, and what else came up on the way to it.
struct Finding {
    verdict: Verdict,
    confirmation: Option<super::Confirmation>,
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
        self.place - self.ground.level.place
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
            needed_shift: if side == Side::Loss { self.regression_shift() } else { self.improvement_shift() },
            sigma: self.ground.noise.sigma,
            suspects: self.input.suspects,
            scale: self.ground.scale,
        }))
    }

    fn find(&self) -> Finding {
        let Some(side) = self.suspected() else { return Finding::plain(Verdict::Pass) };
        match self.plan().and_then(|plan| plan.outcome(self.input.pairs)) {
            Some(outcome) => Finding { confirmation: Some(outcome), ..Finding::plain(self.confirmed(side, outcome.stopped)) },
            None if side == Side::Gain => Finding::plain(if self.real() { Verdict::Improvement } else { Verdict::Pass }),
            None => self.loss_by_history(),
        }
    }

    fn confirmed(&self, side: Side, stopped: StopReason) -> Verdict {
        match (side, stopped) {
            (Side::Loss, StopReason::Proven) => Verdict::Regression,
            (Side::Gain, StopReason::Proven) => Verdict::Improvement,
            (Side::Loss, StopReason::TooFewPairs) => self.undecided(),
            _ => Verdict::Pass,
        }
    }

    fn loss_by_history(&self) -> Finding {
        if self.loss() <= self.regression_shift() {
            Finding::plain(Verdict::Pass)
        } else if self.real() {
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

    /// The standard deviation of the difference between candidate and level without any change.
    fn sigma(&self) -> f64 {
        (self.ground.noise.sigma.powi(2) * self.spread + self.ground.level.sigma.powi(2)).sqrt()
    }

    /// The probability of a change this large without a cause.
    fn p(&self) -> f64 {
        let t = self.loss().abs() / self.sigma();
        distribution::student_upper_tail(t, self.ground.noise.degrees).unwrap_or(1.0)
    }

    fn real(&self) -> bool {
        self.p() <= self.ground.alpha
    }

    fn detectable_percent(&self) -> Option<f64> {
        let t = distribution::student_quantile(1.0 - self.ground.alpha, self.ground.noise.degrees)?;
        let shift = self.regression_shift().max(t * self.sigma());
        self.ground.scale.percent(self.ground.level.place, shift).map(f64::abs)
    }

    /// How many more runs on both sides would make a change of this size real.
    fn more_runs_needed(&self) -> Option<usize> {
        let (noise, level) = (&self.ground.noise, &self.ground.level);
        let (measured, held) = (self.input.candidate.runs.len(), self.ground.held().count());
        let decides = |more: &usize| {
            let of_level = level.sigma.powi(2) * spread_of(held + more) / spread_of(held);
            let sigma = (noise.sigma.powi(2) * spread_of(measured + more) + of_level).sqrt();
            let t = distribution::student_quantile(1.0 - self.ground.alpha, noise.degrees_after(*more));
            t.is_some_and(|t| self.loss() > t * sigma)
        };
        let counts: Vec<usize> = (1..=MOST_MORE_RUNS).collect();
        counts.get(counts.partition_point(|more| !decides(more))).copied()
    }

    fn reasons(&self) -> Reasons {
        let ground = self.ground;
        let gate_percent = ground.scale.percent(ground.level.place, GATE * self.regression_shift()).map(f64::abs);
        Reasons {
            rule: self.input.rule,
            exact: false,
            history_runs: ground.runs.len(),
            noise_percent: Some(100.0 * ground.noise.sigma),
            gate_percent,
            suspicious: self.suspected() == Some(Side::Loss),
            history: Some(HistoryTest { p: self.p(), alpha: ground.alpha, detectable_percent: self.detectable_percent() }),
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
        let end = ground.level.stretch.end;
        let newer = ground.places.get(end..)?;
        let before = stats::median(&newer[newer.len().saturating_sub(RECENT_RUNS)..])?;
        let own = self.place - before;
        if self.loss() <= self.regression_shift() || own >= self.loss() / 2.0 {
            return None;
        }
        let last_of_level = ground.commits.get(end.checked_sub(1)?)?.end.checked_sub(1)?;
        let (from, to) = (ground.runs.get(last_of_level)?, ground.runs.last()?);
        Some(Creep {
            total_percent: ground.scale.percent(ground.level.place, self.loss()),
            own_percent: ground.scale.percent(before, own),
            from: from.commit,
            to: to.commit,
            commits: from.position.saturating_sub(to.position),
        })
    }
}
