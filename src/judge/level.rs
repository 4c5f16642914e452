//! The best level that a series has held: not its luckiest run.
//!
//! The best of many noisy runs drifts down for ever. A level is the mean over a stretch of neighbouring runs, and a
//! short stretch, of which there are many to choose from, has to be better by more to count.

use std::ops::Range;

use super::noise::{Noise, newest};
use crate::stats::noise::{allan_deviation, hampel, prefix_sums};

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

/// Sums of places that differ by less are equal: the difference is how they were added up.
const ROUNDING: f64 = 1e-9;

/// Stretches of this many runs and fewer are looked at from every start; longer ones first from every sixteenth of
/// their length, then from every start around the best of those. Two neighbours in that grid share 15/16 of their runs,
/// so that no stretch worth finding lies unseen between them.
const STARTS_PER_LENGTH: usize = 16;

/// A stretch of runs and its centre, on the scale where lower is better.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Level {
    /// The mean over the stretch.
    pub(super) place: f64,
    /// The standard deviation of that mean.
    pub(super) sigma: f64,
    /// By how much the best of so many stretches is expected to be lucky.
    pub(super) luck: f64,
    /// Which runs.
    pub(super) stretch: Range<usize>,
}

impl Level {
    /// All of these runs as one level; `None` of nothing.
    pub(super) fn of_all(places: &[f64], noise: &Noise) -> Option<Self> {
        Some(Self {
            place: crate::stats::mean(places)?,
            sigma: noise.sigma / (places.len() as f64).sqrt(),
            luck: 0.0,
            stretch: 0..places.len(),
        })
    }

    /// The stretch W of L runs that minimises mean(W) + σ_L (κ + √(2 ln(eN/L))), after single outliers are replaced.
    ///
    /// σ_L is σ̂/√L, inflated where neighbours share their noise. The root is the expected luck of the best of N/L
    /// independent stretches. Lengths grow by a sixth beyond 12, and starts are spaced wider with them, so that a long
    /// history costs O(N); missing the best length by a twelfth costs less than 1 % of σ_L.
    pub(super) fn best(places: &[f64], noise: &Noise) -> Option<Self> {
        let n = places.len();
        let cleaned = without_flukes(places, HAMPEL_LIMIT * noise.sigma);
        let shared = SharedNoise::of(newest(&cleaned), noise);
        let sums = prefix_sums(&cleaned);
        let best_of_length = |length: usize| {
            let sigma = noise.sigma / (length as f64).sqrt() * shared.factor(length);
            let (start, place) = lowest_mean(&sums, length)?;
            let luck = (2.0 * (1.0 + (n as f64 / length as f64).ln())).sqrt();
            let chosen = (2.0 * (n as f64 / length as f64).ln()).sqrt() * sigma;
            Some((place + sigma * (CAUTION + luck), Self { place, sigma, luck: chosen, stretch: start..start + length }))
        };
        lengths(n).into_iter().filter_map(best_of_length).min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, level)| level)
    }
}

/// Where the stretch of `length` with the lowest mean begins, and that mean. Of equal stretches the newest: its commits
/// are the easiest to build again.
fn lowest_mean(sums: &[f64], length: usize) -> Option<(usize, f64)> {
    let last = sums.len().checked_sub(1 + length)?;
    let stride = (length / STARTS_PER_LENGTH).max(1);
    // From the newest on, so that the first of equals is the newest of them.
    let coarse = lowest_sum(sums, length, (0..=last).rev().step_by(stride))?;
    let around = coarse.0.saturating_sub(stride - 1)..=(coarse.0 + stride - 1).min(last);
    let (start, sum) = if stride == 1 { coarse } else { lowest_sum(sums, length, around.rev())? };
    Some((start, sum / length as f64))
}

/// The first of the starts whose stretch has the lowest sum, and that sum.
fn lowest_sum(sums: &[f64], length: usize, mut starts: impl Iterator<Item = usize>) -> Option<(usize, f64)> {
    let ends = &sums[length..];
    let sum_from = |start: usize| ends[start] - sums[start];
    let first = starts.next()?;
    let mut best = (first, sum_from(first));
    for start in starts {
        let sum = sum_from(start);
        if sum < best.1 - ROUNDING {
            best = (start, sum);
        }
    }
    Some(best)
}

/// The runs with single outliers replaced by the median around them. An outlier stands alone: two neighbours that agree
/// are a level, however short, and what was reached twice must not be forgotten. Fewer runs than the filter looks at
/// say nothing about outliers.
fn without_flukes(places: &[f64], limit: f64) -> Vec<f64> {
    if places.len() <= 2 * HAMPEL_REACH {
        return places.to_vec();
    }
    let filtered = hampel(places, HAMPEL_REACH, limit);
    let is_replaced = |at: usize| filtered.get(at).zip(places.get(at)).is_some_and(|(after, before)| after != before);
    let stands_alone = |at: usize| !is_replaced(at + 1) && !at.checked_sub(1).is_some_and(is_replaced);
    let kept = |(at, place): (usize, &f64)| if is_replaced(at) && stands_alone(at) { filtered[at] } else { *place };
    places.iter().enumerate().map(kept).collect()
}

/// The fewest runs that make a level among `n`. A single run may be luck, and once there are enough others to tell, it is
/// not taken for a level.
fn fewest_runs(n: usize) -> usize {
    if n <= 2 * HAMPEL_REACH { 1 } else { 2 }
}

/// The lengths of stretches that are tried among `n` runs; the whole is always one of them.
fn lengths(n: usize) -> Vec<usize> {
    let grow = |length: &usize| Some(length + (length / 6).max(1)).filter(|longer| *longer < n);
    let mut lengths: Vec<usize> = std::iter::successors(Some(fewest_runs(n)).filter(|fewest| *fewest <= n), grow).collect();
    if lengths.last().is_some_and(|last| *last < n) {
        lengths.push(n);
    }
    lengths
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
