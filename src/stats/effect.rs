//! Effect sizes: how large a difference between two samples is, apart from whether it is there.

use super::{Interval, mean, quantile, rank, sorted, variance};

/// Samples longer than this are thinned to evenly spaced order statistics before all their differences are taken.
const MOST_FOR_PAIRS: usize = 1000;

/// By how much one sample lies above another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// The Hodges-Lehmann estimate.
    pub estimate: f64,
    /// Its interval; `None` where the samples are too small for the confidence.
    pub interval: Option<Interval>,
}

/// The shift from `reference` to `sample`: the median of all differences between their values (Hodges and Lehmann,
/// *Estimates of location based on rank tests*, 1963), with the interval that inverts the exact Mann-Whitney test
/// (Hollander and Wolfe, *Nonparametric Statistical Methods*, section 4.3).
///
/// On logarithms, the exponential of it is the ratio of the samples. `None` where a sample is empty.
pub fn hodges_lehmann(reference: &[f64], sample: &[f64], confidence: f64) -> Option<Shift> {
    let (reference, sample) = (thinned(reference), thinned(sample));
    let differences: Vec<f64> = sample.iter().flat_map(|s| reference.iter().map(move |r| s - r)).collect();
    let differences = sorted(&differences);
    let estimate = quantile(&differences, 0.5)?;
    let interval = rank::critical_rank(sample.len(), reference.len(), (1.0 - confidence) / 2.0)
        .map(|c| Interval { low: differences[c - 1], high: differences[differences.len() - c] });
    Some(Shift { estimate, interval })
}

fn thinned(values: &[f64]) -> Vec<f64> {
    let sorted = sorted(values);
    if sorted.len() <= MOST_FOR_PAIRS {
        return sorted;
    }
    let step = (sorted.len() - 1) as f64 / (MOST_FOR_PAIRS - 1) as f64;
    (0..MOST_FOR_PAIRS).map(|i| sorted[(i as f64 * step).round() as usize]).collect()
}

/// Cliff's delta, P(x > y) − P(x < y), from −1 to 1: 2U/(nm) − 1 with ties half (Cliff, *Dominance statistics*, 1993).
/// `None` where a sample is empty.
pub fn cliffs_delta(x: &[f64], y: &[f64]) -> Option<f64> {
    let y = sorted(y);
    if x.is_empty() || y.is_empty() {
        return None;
    }
    let dominance = |value: &f64| y.partition_point(|other| other < value) + y.partition_point(|other| other <= value);
    let doubled_u: usize = x.iter().map(dominance).sum();
    Some(doubled_u as f64 / (x.len() * y.len()) as f64 - 1.0)
}

/// Hedges' g of x against y: the difference of means in units of the pooled standard deviation, times the correction
/// 1 − 3/(4(n + m) − 9) for small samples (Hedges, *Distribution theory for Glass's estimator of effect size*, 1981).
///
/// Give it logarithms of times. `None` with fewer than two values in a sample, or without any spread.
pub fn hedges_g(x: &[f64], y: &[f64]) -> Option<f64> {
    let (n_x, n_y) = (x.len() as f64, y.len() as f64);
    let pooled = ((n_x - 1.0) * variance(x)? + (n_y - 1.0) * variance(y)?) / (n_x + n_y - 2.0);
    let correction = 1.0 - 3.0 / (4.0 * (n_x + n_y) - 9.0);
    (pooled > 0.0).then_some(correction * (mean(x)? - mean(y)?) / pooled.sqrt())
}
