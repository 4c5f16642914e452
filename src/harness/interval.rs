//! The statistics that sampling asks again and again: on values that are sorted already, and present.

use crate::stats;

/// The confidence of the interval that decides when a sample is precise enough.
const CONFIDENCE: f64 = 0.95;

/// The median of sorted values; NaN where there are none.
pub(super) fn median(sorted: &[f64]) -> f64 {
    stats::quantile(sorted, 0.5).unwrap_or(f64::NAN)
}

/// Half the width of the median's 95 % interval in percent of the median. `None` below six values, where no interval of
/// order statistics covers so much.
pub(super) fn half_width_percent(sorted: &[f64]) -> Option<f64> {
    let interval = stats::median_interval(sorted, CONFIDENCE)?;
    Some(half_percent(interval.low, interval.high, median(sorted)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_zero_is_precise() {
        assert_eq!(half_width_percent(&[0.0; 8]), Some(0.0));
    }

    #[test]
    fn five_values_have_no_interval() {
        assert_eq!(half_width_percent(&[1.0, 2.0, 3.0, 4.0, 5.0]), None);
    }
}
