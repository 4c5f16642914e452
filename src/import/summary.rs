//! Statistics of imported values.

use crate::model::Summary;

/// Statistics of `values`, which must not be empty; the interval of the median is left out.
pub(super) fn summary_of(values: &[f64]) -> Summary {
    let n = values.len();
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mean = values.iter().sum::<f64>() / n as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Summary {
        n: n as u64,
        median: (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0,
        low: None,
        high: None,
        mean: Some(mean),
        stddev: (n > 1).then(|| (squares / (n - 1) as f64).sqrt()),
        min: sorted.first().copied(),
        max: sorted.last().copied(),
    }
}
