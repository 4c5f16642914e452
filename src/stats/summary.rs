//! The summary of one sample: median with its interval, mean, spread, range.

use std::sync::OnceLock;

use super::{Interval, distribution, mean, sorted, variance};
use crate::model::{Sample, Summary, rounded};

/// The confidence of the interval in a [`Summary`].
const SUMMARY_CONFIDENCE: f64 = 0.95;

/// Summarises a sample in any order; `None` of nothing.
///
/// The interval is that of [`median_interval`] at 95 %; a sample of fewer than six values has none.
pub fn summarize(values: &[f64]) -> Option<Summary> {
    let sorted = sorted(values);
    let interval = median_interval(&sorted, SUMMARY_CONFIDENCE);
    Some(Summary {
        n: sorted.len() as u64,
        median: quantile(&sorted, 0.5)?,
        low: interval.map(|interval| interval.low),
        high: interval.map(|interval| interval.high),
        mean: mean(&sorted),
        stddev: variance(&sorted).map(f64::sqrt),
        min: sorted.first().copied(),
        max: sorted.last().copied(),
    })
}

/// Summarises what was measured as its record will say it, to the last bit: where a record keeps all of the values, the
/// statistics are those of the values that it keeps. `None` of nothing, and of values that are not finite.
///
/// Of a single value the median says all.
pub fn summarize_measured(values: &[f64]) -> Option<Summary> {
    let kept = Sample::new(values).ok()?;
    match values {
        [value] => Some(Summary::single(rounded(*value))),
        _ if kept.keeps(values) => Some(summarize_kept(&kept)),
        _ => summarize(values).map(|summary| summary.rounded()),
    }
}

/// The statistics that follow from a sample as a record keeps it: as [`summarize`], with every number rounded as notes do.
///
/// They are computed from whole ticks, which are exact, so that they need not be stored beside the sample. It is called for
/// every record of a history, and so is frugal.
pub fn summarize_kept(sample: &Sample) -> Summary {
    let ticks = sample.ticks();
    let n = ticks.len();
    let value = |at: usize| ticks.get(at).map(|ticks| rounded_value(sample, *ticks));
    let scale = sample.value_of(1);
    let sum: i128 = ticks.iter().map(|ticks| i128::from(*ticks)).sum();
    let mean = sum as f64 / n as f64;
    let squares: f64 = ticks.iter().map(|ticks| (*ticks as f64 - mean) * (*ticks as f64 - mean)).sum();
    let rank = rank_of_kept(n);
    let middle = (value((n - 1) / 2), value(n / 2));
    Summary {
        n: n as u64,
        median: middle.0.zip(middle.1).map_or(f64::NAN, |(low, high)| rounded(midpoint(low, high))),
        low: rank.and_then(|k| value(k - 1)),
        high: rank.and_then(|k| value(n - k)),
        mean: Some(rounded(mean * scale)),
        stddev: (n > 1).then(|| rounded((squares / (n - 1) as f64).sqrt() * scale)),
        min: value(0),
        max: value(n - 1),
    }
}

/// A value of at most twelve digits is what it would be rounded to.
fn rounded_value(sample: &Sample, ticks: i64) -> f64 {
    const TWELVE_DIGITS: u64 = 1_000_000_000_000;
    let value = sample.value_of(ticks);
    if ticks.unsigned_abs() < TWELVE_DIGITS { value } else { rounded(value) }
}

/// [`largest_rank`] of the samples that records keep, remembered.
fn rank_of_kept(n: usize) -> Option<usize> {
    static RANKS: [OnceLock<Option<usize>>; Sample::MAX_VALUES + 1] = [const { OnceLock::new() }; Sample::MAX_VALUES + 1];
    let rank = || largest_rank(n as u64, (1.0 - SUMMARY_CONFIDENCE) / 2.0).map(|rank| rank as usize);
    RANKS.get(n).map_or_else(rank, |known| *known.get_or_init(rank))
}

/// The median of values in any order; of an even number of them the mean of the two in the middle.
pub fn median(values: &[f64]) -> Option<f64> {
    let middle = values.len().checked_sub(1)? / 2;
    let mut values = values.to_vec();
    let (_, low, above) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let low = *low;
    let high = above.iter().copied().min_by(f64::total_cmp).filter(|_| values.len().is_multiple_of(2));
    Some(high.map_or(low, |high| midpoint(low, high)))
}

/// The quantile `p` in 0..=1 of ascending values, by linear interpolation between the order statistics around
/// (n − 1)p: type 7 of Hyndman and Fan, *Sample quantiles in statistical packages*, 1996; the default of R and numpy.
pub fn quantile(sorted: &[f64], p: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    if !(0.0..=1.0).contains(&p) {
        return None;
    }
    let place = p * last as f64;
    let below = place.floor() as usize;
    let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
    let fraction = place - below as f64;
    Some(if fraction == 0.5 { midpoint(low, high) } else { low + fraction * (high - low) })
}

/// Half way between two values, without overflow and exact where they are equal.
fn midpoint(low: f64, high: f64) -> f64 {
    low / 2.0 + high / 2.0
}

/// The interval of the median by order statistics, free of any assumption about the distribution: `[x(k), x(n+1−k)]`
/// with the largest k for which P(Bin(n, ½) ≤ k − 1) ≤ α/2 (David and Nagaraja, *Order Statistics*, section 7.1).
///
/// It covers the true median with at least `confidence`. `None` where the sample is too small for that: below six
/// values at 95 %.
pub fn median_interval(sorted: &[f64], confidence: f64) -> Option<Interval> {
    let n = sorted.len() as u64;
    let tail = (1.0 - confidence) / 2.0;
    let k = largest_rank(n, tail)? as usize;
    Some(Interval { low: sorted[k - 1], high: sorted[sorted.len() - k] })
}

/// The largest k ≥ 1 with P(Bin(n, ½) ≤ k − 1) ≤ `tail`. The probability grows with k, so halving finds it.
fn largest_rank(n: u64, tail: f64) -> Option<u64> {
    let fits = |k: u64| distribution::binomial_cdf(k - 1, n, 0.5).is_some_and(|p| p <= tail);
    if n == 0 || !fits(1) {
        return None;
    }
    let (mut fitting, mut too_large) = (1, n / 2 + 2);
    while too_large - fitting > 1 {
        let middle = fitting + (too_large - fitting) / 2;
        if fits(middle) { fitting = middle } else { too_large = middle }
    }
    Some(fitting)
}
