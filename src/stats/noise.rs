//! How much a series scatters, apart from where it moves; and cleaning it of single outliers.

use super::median;

/// 1/(√2 · Φ⁻¹(¾)): turns the median absolute difference of two normal values into their standard deviation.
const DIFFERENCE_TO_SIGMA: f64 = 1.0484;

/// The standard deviation of a series' noise from differences `lag` apart: 1.0484 · median `|y[i+lag] − y[i]|`.
///
/// Steps of the level touch few of the differences and the median ignores those; what drifts more slowly than the lag
/// hardly enters. Of an even number of differences the lower middle one counts, so that the one step of a very short
/// series is not taken for noise. `None` where there is no such difference.
pub fn lagged_noise(values: &[f64], lag: usize) -> Option<f64> {
    let differences: Vec<f64> = values.iter().zip(values.get(lag..)?).map(|(from, to)| (to - from).abs()).collect();
    low_median(differences).map(|middle| DIFFERENCE_TO_SIGMA * middle)
}

/// A robust Allan deviation: the standard deviation of the mean of `length` neighbouring values, estimated from
/// neighbouring means (Allan, *Statistics of atomic frequency standards*, 1966, in its overlapping form, with the median
/// of [`lagged_noise`] in place of the mean square).
///
/// Where values are independent it is their deviation over √length; where noise is shared by neighbours it is larger.
/// `None` where the series is shorter than two means.
pub fn allan_deviation(values: &[f64], length: usize) -> Option<f64> {
    if length == 0 || values.len() < 2 * length {
        return None;
    }
    let sums = prefix_sums(values);
    let mean_from = |start: usize| (sums[start + length] - sums[start]) / length as f64;
    let starts = 0..=values.len() - 2 * length;
    let differences = starts.map(|start| (mean_from(start + length) - mean_from(start)).abs()).collect();
    low_median(differences).map(|middle| DIFFERENCE_TO_SIGMA * middle)
}

/// `sums[i]` is the sum of the first i values; differences of it are sums of stretches.
pub fn prefix_sums(values: &[f64]) -> Vec<f64> {
    let mut sums = Vec::with_capacity(values.len() + 1);
    let mut sum = 0.0;
    sums.push(sum);
    sums.extend(values.iter().map(|value| {
        sum += value;
        sum
    }));
    sums
}

fn low_median(mut values: Vec<f64>) -> Option<f64> {
    let middle = values.len().checked_sub(1)? / 2;
    Some(*values.select_nth_unstable_by(middle, f64::total_cmp).1)
}

/// Replaces every value further than `limit` from the median of the `2 · reach + 1` values around it by that median
/// (Hampel, *The influence curve and its role in robust estimation*, 1974). At the ends the window is cut short.
pub fn hampel(values: &[f64], reach: usize, limit: f64) -> Vec<f64> {
    let clean = |(place, value): (usize, &f64)| {
        let window = &values[place.saturating_sub(reach)..(place + reach + 1).min(values.len())];
        // The median lies among them: where none is far away, it is not either. This spares most windows the median.
        if window.iter().all(|other| (value - other).abs() <= limit) {
            return *value;
        }
        median(window).filter(|centre| (value - centre).abs() > limit).unwrap_or(*value)
    };
    values.iter().enumerate().map(clean).collect()
}
