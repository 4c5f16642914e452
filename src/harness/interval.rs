//! The statistics that sampling needs while it runs: median, its interval, a summary.

use crate::model::Summary;

/// The most that the ends of the interval may leave out on each side.
const TAIL: f64 = 0.025;

/// The 95 % interval of the median by order statistics: [x(k), x(n+1−k)] with the largest k for which
/// P(Bin(n, ½) ≤ k − 1) ≤ 0.025. Free of any assumption on the distribution. `None` below six values, where no
/// interval covers so much.
pub(super) fn median_interval(sorted: &[f64]) -> Option<(f64, f64)> {
    let k = interval_rank(sorted.len())?;
    Some((sorted[k - 1], sorted[sorted.len() - k]))
}

/// The rank k, counted from 1. Terms of the distribution are kept as logarithms, which no `n` makes underflow at once.
fn interval_rank(n: usize) -> Option<usize> {
    let mut ln_term = -(n as f64) * std::f64::consts::LN_2;
    let mut below = ln_term.exp();
    let mut k = 0;
    while below <= TAIL && k < n / 2 {
        k += 1;
        ln_term += ((n - k + 1) as f64 / k as f64).ln();
        below += ln_term.exp();
    }
    (k > 0).then_some(k)
}

/// The median of sorted values; NaN where there are none.
pub(super) fn median(sorted: &[f64]) -> f64 {
    let n = sorted.len();
    match n {
        0 => f64::NAN,
        _ if n % 2 == 1 => sorted[n / 2],
        _ => 0.5 * (sorted[n / 2 - 1] + sorted[n / 2]),
    }
}

/// Half the width of the median's interval in percent of the median.
pub(super) fn half_width_percent(sorted: &[f64]) -> Option<f64> {
    let (low, high) = median_interval(sorted)?;
    Some(half_percent(low, high, median(sorted)))
}

/// Half of `high − low` in percent of `centre`; nothing is nothing, whatever the centre.
pub(super) fn half_percent(low: f64, high: f64, centre: f64) -> f64 {
    if high == low { 0.0 } else { 50.0 * (high - low) / centre.abs() }
}

/// A copy in ascending order.
pub(super) fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// All statistics of a sample. The caller gives at least one value.
pub(super) fn summarize(values: &[f64]) -> Summary {
    let sorted = sorted(values);
    let n = sorted.len() as f64;
    let mean = sorted.iter().sum::<f64>() / n;
    let squares: f64 = sorted.iter().map(|value| (value - mean).powi(2)).sum();
    let interval = median_interval(&sorted);
    Summary {
        n: sorted.len() as u64,
        median: median(&sorted),
        low: interval.map(|(low, _)| low),
        high: interval.map(|(_, high)| high),
        mean: Some(mean),
        stddev: (sorted.len() > 1).then(|| (squares / (n - 1.0)).sqrt()),
        min: sorted.first().copied(),
        max: sorted.last().copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_the_binomial_tables() {
        let table = [(5, None), (6, Some(1)), (9, Some(2)), (20, Some(6)), (50, Some(18)), (100, Some(40)), (500, Some(228))];
        for (n, rank) in table {
            assert_eq!(interval_rank(n), rank, "n = {n}");
        }
    }

    #[test]
    fn a_large_sample_keeps_its_interval() {
        let n = 100_000;
        let expected = n as f64 / 2.0 - 0.98 * (n as f64).sqrt();
        let rank = interval_rank(n).unwrap() as f64;
        assert!((rank - expected).abs() < 2.0, "{rank} against {expected}");
    }

    #[test]
    fn a_summary_of_one_value_invents_nothing() {
        let summary = summarize(&[2.0]);
        assert_eq!((summary.n, summary.median, summary.low, summary.stddev), (1, 2.0, None, None));
    }

    #[test]
    fn a_summary_names_the_order_statistics() {
        let summary = summarize(&[6.0, 1.0, 5.0, 2.0, 4.0, 3.0]);
        assert_eq!((summary.low, summary.median, summary.high), (Some(1.0), 3.5, Some(6.0)));
        assert_eq!(summary.mean, Some(3.5));
        assert!((summary.stddev.unwrap() - 3.5_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn a_constant_zero_is_precise() {
        assert_eq!(half_width_percent(&[0.0; 8]), Some(0.0));
    }
}
