//! What the history alone says of a candidate: could the best level, unchanged, have come out like this?
//!
//! Two things have to be ruled out. One is the usual noise: a prediction interval does that, moved by the luck that the
//! choice of the best stretch brings. The other is what stands out and goes away by itself (`excursion`).
//! A large loss shows in the candidate itself; a small one shows when it lasts, in the median of the newest few commits.

use super::excursion::{self, AROUND, Towards};
use super::layout;
use super::level::Level;
use super::noise::Noise;
use super::{BaselineRule, SeriesInput};
use crate::stats::{self, distribution};

/// A change that noise alone would show this rarely is real.
const ALPHA: f64 = 0.001;
/// The probability that any of the series of one check, all of them clean, is convicted by its history.
const FAMILY_ALPHA: f64 = 0.01;
/// Blocks of the newest commits that are looked at: the candidate alone, and the median of it and those before it.
const BLOCKS: [usize; 3] = [1, 3, 7];
/// An answer to "how many more runs" that is larger than this is no answer.
const MOST_MORE_RUNS: usize = 30;

/// The p at which history alone convicts one of the series of a check: a thousand noisy series have a thousand chances
/// to look guilty (Bonferroni; it holds however the series depend on each other).
pub(super) fn alpha(input: &SeriesInput<'_>) -> f64 {
    ALPHA.min(FAMILY_ALPHA / input.family.max(1) as f64)
}

/// The variance of what n runs of one commit say, in units of the variance between runs: a part of it sticks to the
/// commit (the layout of its binary, its session), the rest shrinks as that of the median of n normal values.
pub(super) fn spread_of(runs: usize) -> f64 {
    layout::SHARE + (1.0 - layout::SHARE) * spread_of_median(runs).min(1.0)
}

/// The variance of the median of n normal values, at most: π/2n.
fn spread_of_median(n: usize) -> f64 {
    std::f64::consts::FRAC_PI_2 / n.max(1) as f64
}

/// A candidate and the history it is held against, on the scale of comparison.
#[derive(Clone, Copy)]
pub(super) struct ByHistory<'a> {
    pub(super) rule: BaselineRule,
    /// The commits of the history, oldest first.
    pub(super) places: &'a [f64],
    pub(super) level: &'a Level,
    pub(super) noise: &'a Noise,
    /// The candidate.
    pub(super) place: f64,
    /// The variance of its place in units of the variance between runs.
    pub(super) spread: f64,
    /// The p at which a change is real.
    pub(super) alpha: f64,
}

/// The newest commits up to the candidate.
struct Block {
    length: usize,
    /// How far its median lies above the level.
    loss: f64,
    /// The standard deviation of that without any change.
    sigma: f64,
}

impl ByHistory<'_> {
    /// How far the candidate lies above the level; negative is a gain.
    pub(super) fn loss(&self) -> f64 {
        self.place - self.level.place
    }

    /// Whether a loss of more than `needed` is real: in the candidate, or in the newest commits with it.
    pub(super) fn shows_loss(&self, needed: f64) -> bool {
        self.blocks()
            .any(|block| block.loss > needed && self.p_of(&block) <= self.alpha && block.loss > self.known(&block, needed))
    }

    /// Whether a gain is real.
    pub(super) fn shows_gain(&self) -> bool {
        self.p() <= self.alpha && -self.loss() > self.limit(1, Towards::Better)
    }

    /// The probability of a change this large to the candidate's side without any cause, over all blocks.
    pub(super) fn p(&self) -> f64 {
        if self.loss() < 0.0 {
            let t = -self.loss() / self.sigma(self.spread);
            return distribution::student_upper_tail(t, self.noise.degrees).unwrap_or(1.0);
        }
        self.blocks().map(|block| self.p_of(&block)).fold(1.0, f64::min)
    }

    /// The smallest loss of the candidate alone, and larger than `needed`, that would be real.
    pub(super) fn detectable(&self, needed: f64) -> Option<f64> {
        let t = distribution::student_quantile(1.0 - self.alpha / self.count(), self.noise.degrees)?;
        let by_noise = t * self.sigma(self.spread) + self.level.luck;
        let alone = Block { length: 1, loss: by_noise, sigma: 0.0 };
        Some(by_noise.max(needed).max(self.known(&alone, needed)))
    }

    /// The largest excursion of a single commit for the worse that the history shows; zero where it shows none.
    pub(super) fn excursion(&self) -> f64 {
        if self.rule == BaselineRule::Level { excursion::largest(self.places) } else { 0.0 }
    }

    /// How many more runs on both sides would make the loss real, from `measured` and `held` ones. `None` where no
    /// reasonable number does, or where it is no larger than what comes and goes.
    pub(super) fn more_runs_needed(&self, measured: usize, held: usize, needed: f64) -> Option<usize> {
        if self.loss() <= self.known(&Block { length: 1, loss: self.loss(), sigma: 0.0 }, needed) {
            return None;
        }
        let decides = |more: &usize| {
            let of_level = self.level.sigma.powi(2) * spread_of(held + more) / spread_of(held);
            let sigma = (self.noise.sigma.powi(2) * spread_of(measured + more) + of_level).sqrt();
            let t = distribution::student_quantile(1.0 - self.alpha / self.count(), self.noise.degrees_after(*more));
            t.is_some_and(|t| self.loss() - self.level.luck > t * sigma)
        };
        let counts: Vec<usize> = (1..=MOST_MORE_RUNS).collect();
        counts.get(counts.partition_point(|more| !decides(more))).copied()
    }

    /// The lengths of blocks that this history has something to say about.
    fn lengths(&self) -> impl Iterator<Item = usize> + use<'_> {
        let commits = self.places.len() + 1;
        let along = self.rule == BaselineRule::Level;
        BLOCKS.into_iter().filter(move |length| *length == 1 || (along && commits >= 2 * length))
    }

    fn count(&self) -> f64 {
        self.lengths().count() as f64
    }

    fn blocks(&self) -> impl Iterator<Item = Block> + use<'_> {
        self.lengths().filter_map(|length| {
            let newest = &self.places[self.places.len() + 1 - length..];
            let place = stats::median(&[newest, &[self.place]].concat())?;
            // Of one commit the runs count; several commits are as good as independent.
            let spread = if length == 1 { self.spread } else { spread_of_median(length) };
            Some(Block { length, loss: place - self.level.place, sigma: self.sigma(spread) })
        })
    }

    fn sigma(&self, spread: f64) -> f64 {
        (self.noise.sigma.powi(2) * spread + self.level.sigma.powi(2)).sqrt()
    }

    /// Of a loss beyond what luck in the choice of the level explains; as many chances as there are blocks (Bonferroni).
    fn p_of(&self, block: &Block) -> f64 {
        let t = (block.loss - self.level.luck) / block.sigma;
        let p = distribution::student_upper_tail(t, self.noise.degrees).unwrap_or(1.0);
        (p * self.count()).min(1.0)
    }

    /// What the history has shown to come and go, on top of what was lost within the threshold before the block.
    fn known(&self, block: &Block, needed: f64) -> f64 {
        let start = (self.places.len() + 1).saturating_sub(block.length);
        let before = stats::median(&self.places[start.saturating_sub(AROUND)..start]);
        let standing = before.map_or(0.0, |before| (before - self.level.place).max(0.0).min(needed));
        match self.limit(block.length, Towards::Worse) {
            0.0 => 0.0,
            limit => standing + limit,
        }
    }

    /// Runs of one revision have no order in which something could come and go.
    fn limit(&self, length: usize, towards: Towards) -> f64 {
        match self.rule {
            BaselineRule::Level => excursion::limit(self.places, length, towards),
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOISE: Noise = Noise { sigma: 0.01, degrees: 10.0 };
    const NEEDED: f64 = 0.03;

    /// A level of ten milliseconds, where times lie on the scale of comparison.
    const LEVEL: f64 = -4.605170185988091;

    /// A candidate that lies at `place` above the level and was measured once, and the commits of its history so far above.
    fn against<R>(places: &[f64], place: f64, ask: impl FnOnce(ByHistory<'_>) -> R) -> R {
        let places: Vec<f64> = places.iter().map(|place| LEVEL + place).collect();
        let level = Level { place: LEVEL, sigma: 0.004, luck: 0.002, stretch: 0..4, runs: 0..4 };
        ask(ByHistory {
            rule: BaselineRule::Level,
            places: &places,
            level: &level,
            noise: &NOISE,
            place: LEVEL + place,
            spread: 1.0,
            alpha: ALPHA,
        })
    }

    #[track_caller]
    fn near(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-9, "{found} and {expected}");
    }

    // Numbers of scipy.stats.t: sf(t, 10) and ppf(1 - 0.001 / blocks, 10), with σ of the block as docs/statistics.md has it.
    #[test]
    fn probabilities_are_those_of_the_formula() {
        let quiet = [0.0; 20];
        // Three blocks are looked at: three chances.
        near(against(&quiet, 0.06, |held| held.p()), 0.00046174025827505627);
        let of_revision = |held: ByHistory<'_>| ByHistory { rule: BaselineRule::Revision, ..held }.p();
        near(against(&quiet, 0.06, of_revision), 0.00015391341942501877);
        // A gain is the candidate's alone, and no luck of the level explains it.
        near(against(&quiet, -0.058, |held| held.p()), 0.00015391341942501877);
    }

    /// What lasts shows in the median of seven from thirteen commits of history on, and in that of three from five on.
    #[test]
    fn a_block_is_looked_at_once_its_history_is_as_long() {
        let p = |commits| against(&vec![0.02; commits], 0.02, |held| held.p());
        for (commits, expected) in [
            (20, 0.023619454511619155),
            (13, 0.023619454511619155),
            (12, 0.08177256934088797 * 2.0 / 3.0),
            (5, 0.08177256934088797 * 2.0 / 3.0),
            (4, 0.18843359867996162 / 3.0),
        ] {
            near(p(commits), expected);
        }
    }

    /// Single commits of this history came and went by 3 %, so that 6 % prove nothing and 7 % do. Where 2 % were lost just
    /// before, 7 % are no more than 5 % of the candidate's own.
    #[test]
    fn what_stands_before_a_block_is_what_the_commits_next_to_it_say() {
        let mut restless = [0.0; 20];
        restless[8] = 0.03;
        let detectable = |places: &[f64]| against(places, 0.0, |held| held.detectable(NEEDED)).unwrap();
        let shows = |places: &[f64]| against(places, 0.07, |held| held.shows_loss(NEEDED));
        near(detectable(&restless), 0.06);
        assert!(shows(&restless));
        restless[17..].fill(0.02);
        near(detectable(&restless), 0.08);
        assert!(!shows(&restless));
        // Two of the five next to it are not most of them.
        restless[17] = 0.0;
        near(detectable(&restless), 0.06);
    }

    #[test]
    fn what_can_be_proven_is_what_noise_luck_and_excursions_leave() {
        near(against(&[0.0; 20], 0.0, |held| held.detectable(NEEDED)).unwrap(), 0.05428679375558803);
        near(against(&[0.0; 20], 0.0, |held| held.detectable(0.1)).unwrap(), 0.1);
        let mut restless = [0.0; 20];
        restless[10] = 0.03;
        near(against(&restless, 0.0, |held| held.excursion()), 0.03);
        near(against(&restless, 0.0, |held| held.detectable(NEEDED)).unwrap(), 0.06);
        // Losses within the threshold that stand already come on top, up to the threshold.
        restless[15..].fill(0.02);
        near(against(&restless, 0.0, |held| held.detectable(NEEDED)).unwrap(), 0.08);
        near(against(&restless, 0.0, |held| held.detectable(0.015)).unwrap(), 0.075);
    }

    #[test]
    fn more_runs_are_as_many_as_the_formula_takes() {
        let more = |loss| against(&[0.0; 20], loss, |held| held.more_runs_needed(1, 4, NEEDED));
        assert_eq!([0.05, 0.045, 0.04, 0.035].map(more), [Some(2), Some(3), Some(8), Some(22)]);
        assert_eq!(more(0.03), None, "beyond thirty runs is no answer");
    }
}
