//! The paired re-measurement: evidence within one session, free of what differs between sessions.
//!
//! The candidate is measured in turn with commits of the best level, in random order. If nothing changed, the two are
//! exchangeable within the session and the exact Mann-Whitney test keeps its level whatever the noise. The run that
//! raised suspicion takes no part.
//!
//! That level says how rarely good code is convicted, and nothing of bad code that gets away. So a suspicion is cleared only
//! by pairs whose interval excludes a loss well beyond the threshold; where a computer is too noisy for that, this says so.

use super::layout::{Binaries, Layout};
use super::reasons::{Confirmation, StopReason};
use super::scale::Scale;
use crate::model::ObjectId;
use crate::stats::{effect, rank};

/// Futility is looked at from this pair on.
const FIRST_LOOK: usize = 4;
/// Early proof is looked for from this pair on.
const FIRST_PROOF: usize = 8;
/// The p at which a change is proven at the last pair, and the one at which it is proven before.
const ALPHA: f64 = 0.001;
const EARLY_ALPHA: f64 = 0.0001;
/// Few pairs know the shift less well, and are looked at again and again: before the last pair it has to be larger by this
/// factor than it has to be at the end.
const EARLY_FACTOR: f64 = 1.1;
/// A suspicion of a loss is not cleared while the interval of the pairs reaches this many times as far as what it was
/// believed to take, before the session, to convict. A loss right at that point convicts half of the time at best, so that
/// less could not be asked for.
const HIDDEN_FACTOR: f64 = 2.0;
/// How many pairs are planned. The noise of the history says little about that of a session on a busy computer, so the plan
/// does not depend on it: where the session is quiet, early proof and futility end it soon. The most extreme outcome of so
/// many has p = 1/C(48, 24) < 10⁻¹³, enough for any number of suspects.
const MOST_PAIRS: usize = 24;

/// Two runs measured next to each other in one session, in random order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Median of the run of a commit of the best level, in base units.
    pub reference: f64,
    /// Median of the candidate's run, in base units.
    pub candidate: f64,
    /// Which commit the reference was; references rotate through [`Baseline::commits`](super::Baseline::commits).
    pub reference_commit: ObjectId,
}

/// Which change is to be confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// A suspected regression.
    Loss,
    /// A suspected improvement.
    Gain,
}

/// What to do after the pairs so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Measure another pair.
    Continue,
    /// Stop: [`StopReason::Proven`] convicts, [`StopReason::TooNoisy`] says nothing, everything else clears.
    Stop(StopReason),
}

/// The plan of a confirmation, made when suspicion arises. It drives the measuring and judges what was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConfirmPlan {
    /// What is suspected.
    pub side: Side,
    /// How many pairs are measured at most.
    pub most_pairs: usize,
    /// The p at which the last pair convicts.
    pub alpha: f64,
    early_alpha: f64,
    threshold: f64,
    layout: Layout,
    level: f64,
    scale: Scale,
}

/// What a plan depends on, on the scale of comparison.
#[derive(Debug, Clone, Copy)]
pub(super) struct Suspicion {
    pub(super) side: Side,
    /// The best level.
    pub(super) level: f64,
    /// The distance of the threshold from it.
    pub(super) threshold: f64,
    pub(super) layout: Layout,
    /// How many series are confirmed at once: each has to be surer by this factor (Bonferroni).
    pub(super) suspects: usize,
    pub(super) scale: Scale,
}

impl ConfirmPlan {
    /// Commits of the level that are measured against, at most, the newest first: each costs a checkout and a build, and
    /// several show and average out what the layout of one binary does by luck.
    pub const MOST_REFERENCES: usize = 4;

    pub(super) fn new(suspicion: &Suspicion) -> Self {
        let suspects = suspicion.suspects.max(1) as f64;
        let alpha = ALPHA / suspects;
        Self {
            side: suspicion.side,
            most_pairs: MOST_PAIRS,
            alpha,
            early_alpha: EARLY_ALPHA / suspects,
            threshold: suspicion.threshold,
            layout: suspicion.layout,
            level: suspicion.level,
            scale: suspicion.scale,
        }
    }

    /// What to do after these pairs, given in the order measured. Pairs beyond the plan are not looked at.
    pub fn next_step(&self, pairs: &[Pair]) -> Step {
        self.evaluate(pairs).map_or(Step::Continue, |evidence| self.step(&evidence))
    }

    /// What these pairs say; `None` without any.
    pub fn outcome(&self, pairs: &[Pair]) -> Option<Confirmation> {
        let evidence = self.evaluate(pairs)?;
        let percent = |shift: f64| self.scale.percent(self.level, self.sign() * shift);
        let ends = evidence.interval.and_then(|(near, far)| percent(near).zip(percent(far)));
        Some(Confirmation {
            pairs: evidence.pairs,
            references: evidence.references,
            shift_percent: percent(evidence.shift),
            low_percent: ends.map(|(near, far)| near.min(far)),
            high_percent: ends.map(|(near, far)| near.max(far)),
            needed_percent: percent(evidence.needed_shift),
            spread_percent: 100.0 * evidence.spread,
            p: evidence.p,
            stopped: match self.step(&evidence) {
                Step::Stop(reason) => reason,
                Step::Continue => StopReason::TooFewPairs,
            },
        })
    }

    fn step(&self, evidence: &Evidence) -> Step {
        let last = evidence.pairs >= self.most_pairs;
        let (alpha, factor) = if last { (self.alpha, 1.0) } else { (self.early_alpha, EARLY_FACTOR) };
        let unlikely = evidence.p <= alpha;
        let hides_loss = self.hides_loss(evidence);
        let is_there = unlikely && evidence.shift > self.threshold;
        if evidence.pairs >= FIRST_LOOK && evidence.shift <= self.threshold / 2.0 && !hides_loss {
            Step::Stop(StopReason::Futile)
        } else if evidence.pairs >= FIRST_PROOF && unlikely && evidence.shift > factor * evidence.needed_shift {
            Step::Stop(StopReason::Proven)
        } else if last && hides_loss && !(is_there && evidence.shift <= evidence.surely_needed) {
            Step::Stop(StopReason::TooNoisy)
        } else if last && is_there {
            Step::Stop(StopReason::WithinLayoutNoise)
        } else if last {
            Step::Stop(StopReason::NotProven)
        } else {
            Step::Continue
        }
    }

    /// Whether a loss well beyond the threshold would not contradict these pairs. A gain that is missed costs nobody
    /// anything: it becomes the level by itself.
    fn hides_loss(&self, evidence: &Evidence) -> bool {
        let excluded = HIDDEN_FACTOR * self.layout.needed_before(self.threshold, evidence.references);
        self.side == Side::Loss && evidence.interval.is_none_or(|(_, far)| far > excluded)
    }

    /// Everything turned to the suspected side: positive is what was suspected.
    fn evaluate(&self, pairs: &[Pair]) -> Option<Evidence> {
        let pairs = &pairs[..pairs.len().min(self.most_pairs)];
        let turned = |value: f64| self.sign() * self.scale.place(value);
        let references: Vec<f64> = pairs.iter().map(|pair| turned(pair.reference)).collect();
        let candidates: Vec<f64> = pairs.iter().map(|pair| turned(pair.candidate)).collect();
        let shift = effect::hodges_lehmann(&references, &candidates, 0.95)?;
        let binaries = Binaries::of(pairs.iter().map(|pair| pair.reference_commit).zip(references.iter().copied()));
        Some(Evidence {
            pairs: pairs.len(),
            references: binaries.count(),
            shift: shift.estimate,
            interval: shift.interval.map(|interval| (interval.low, interval.high)),
            p: rank::mann_whitney(&candidates, &references)?.p_greater,
            needed_shift: self.layout.needed_shift(self.threshold, &binaries),
            surely_needed: self.layout.surely_needed(self.threshold, &binaries),
            spread: binaries.and(candidates).within_deviation(),
        })
    }

    fn sign(&self) -> f64 {
        match self.side {
            Side::Loss => 1.0,
            Side::Gain => -1.0,
        }
    }
}

/// What pairs show, positive towards the suspected side.
struct Evidence {
    pairs: usize,
    references: usize,
    shift: f64,
    interval: Option<(f64, f64)>,
    p: f64,
    /// What the shift has to be larger than at the last pair.
    needed_shift: f64,
    /// What of that is owed to layouts, whatever noise did to the binaries.
    surely_needed: f64,
    /// By how much single runs of the same binary scatter, as a standard deviation.
    spread: f64,
}
