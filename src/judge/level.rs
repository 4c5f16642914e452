//! The best level that a series has held: not its luckiest run.
//!
//! The best of many noisy runs drifts down for ever. A level is the mean over a stretch of neighbouring runs, and a
//! short stretch, of which there are many to choose from, has to be better by more to count.

use std::ops::Range;

use super::lowest::Stretch;
use super::noise::{Noise, newest};
use super::past::Past;
use crate::stats::noise::{allan_deviation, hampel};

/// A level is established by at least this many runs, where there are as many.
pub(super) const FEWEST_RUNS: usize = 3;

/// Hampel's filter looks at 2 · 3 + 1 runs and removes what lies beyond 4 deviations.
pub(super) const HAMPEL_REACH: usize = 3;
pub(super) const HAMPEL_LIMIT: f64 = 4.0;

/// κ: what a stretch has to be better by, in its own standard deviations, besides the price of choosing it.
const CAUTION: f64 = 1.0;

/// Stretches for which what neighbours share is measured; a longer one inherits from the longest.
const ALLAN_LENGTHS: [usize; 4] = [2, 4, 8, 16];

/// A length is looked at from this many times as many runs: one step of the level then touches a quarter of the
/// neighbouring means at most, and is not taken for noise.
const RUNS_PER_LENGTH: usize = 10;

/// A stretch of runs and its centre, on the scale where lower is better.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Level {
    /// The mean over the stretch.
    pub(super) place: f64,
    /// The standard deviation of that mean.
    pub(super) sigma: f64,
    /// By how much the best of so many stretches is expected to be lucky.
    pub(super) luck: f64,
    /// Which commits of the history.
    pub(super) stretch: Range<usize>,
    /// The numbers of their runs.
    pub(super) runs: Range<usize>,
}

impl Level {
    /// The commits at hand from this one on as one level; `None` of nothing.
    pub(super) fn of_all(past: &Past, places: &[f64], from: usize, noise: &Noise) -> Option<Self> {
        Some(Self {
            place: crate::stats::mean(&places[from..])?,
            sigma: noise.sigma / ((places.len() - from) as f64).sqrt(),
            luck: 0.0,
            stretch: past.number_of(from)..past.number_of(places.len()),
            runs: past.run_of(from)..past.run_of(places.len()),
        })
    }

    /// The stretch W of L runs that minimises mean(W) + σ_L (κ + √(2 ln(eN/L))), after single outliers are replaced.
    ///
    /// σ_L is σ̂/√L, inflated where neighbours share their noise. The root is the expected luck of the best of N/L
    /// independent stretches. `lowest` says which stretches are looked at, and `past` how long histories are dealt with.
    pub(super) fn best(past: &Past, places: &[f64], noise: &Noise) -> Option<Self> {
        let (lowest, cleaned) = past.lowest_with(places, HAMPEL_LIMIT * noise.sigma);
        let n = lowest.len();
        let shared = SharedNoise::of(newest(&cleaned), noise);
        let of_stretch = |Stretch { start, length, mean, first_run, end_run }: Stretch| {
            let sigma = noise.sigma / (length as f64).sqrt() * shared.factor(length);
            let luck = (2.0 * (1.0 + (n as f64 / length as f64).ln())).sqrt();
            let chosen = (2.0 * (n as f64 / length as f64).ln()).sqrt() * sigma;
            let level = Self { place: mean, sigma, luck: chosen, stretch: start..start + length, runs: first_run..end_run };
            (mean + sigma * (CAUTION + luck), level)
        };
        let long_enough = lowest.stretches().filter(|stretch| stretch.length >= fewest_runs(n));
        long_enough.map(of_stretch).min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, level)| level)
    }
}

/// Some of the places, with single outliers replaced by the median of what is around them. An outlier stands alone: two
/// neighbours that agree are a level, however short, and what was reached twice must not be forgotten. Fewer places than
/// the filter looks at say nothing about outliers.
pub(super) fn without_flukes(places: &[f64], some: Range<usize>, limit: f64) -> Vec<f64> {
    // What the filter of these sees, and that of their neighbours.
    let seen = some.start.saturating_sub(HAMPEL_REACH + 1)..(some.end + HAMPEL_REACH + 1).min(places.len());
    let (some, places) = (some.start - seen.start..some.end - seen.start, &places[seen]);
    if places.len() <= 2 * HAMPEL_REACH {
        return places[some].to_vec();
    }
    let filtered = hampel(places, HAMPEL_REACH, limit);
    let is_replaced = |at: usize| filtered.get(at).zip(places.get(at)).is_some_and(|(after, before)| after != before);
    let stands_alone = |at: usize| !is_replaced(at + 1) && !at.checked_sub(1).is_some_and(is_replaced);
    some.map(|at| if is_replaced(at) && stands_alone(at) { filtered[at] } else { places[at] }).collect()
}

/// The fewest runs that make a level among `n`. A single run may be luck, and once there are enough others to tell, it is
/// not taken for a level.
fn fewest_runs(n: usize) -> usize {
    if n <= 2 * HAMPEL_REACH { 1 } else { 2 }
}

/// By how much means over stretches scatter more than independent noise would let them.
struct SharedNoise {
    /// Ascending lengths with the largest factor up to each.
    factors: Vec<(usize, f64)>,
}

impl SharedNoise {
    fn of(places: &[f64], noise: &Noise) -> Self {
        let mut largest = 1.0_f64;
        let enough = |length: &&usize| places.len() >= RUNS_PER_LENGTH * **length;
        let factors = ALLAN_LENGTHS.iter().filter(enough).filter_map(|&length| {
            let independent = noise.sigma / (length as f64).sqrt();
            largest = largest.max(allan_deviation(places, length)? / independent);
            Some((length, largest)).filter(|(_, factor)| factor.is_finite())
        });
        Self { factors: factors.collect() }
    }

    fn factor(&self, length: usize) -> f64 {
        self.factors.iter().rev().find(|(upto, _)| *upto <= length).map_or(1.0, |(_, factor)| *factor)
    }
}
