//! The scale on which values are compared: logarithms, turned so that lower is better.

use std::ops::Range;

use super::MeasuredRun;
use super::series::by_commit;
use crate::model::Direction;
use crate::stats;

/// Maps values of a metric to the scale of comparison and back.
///
/// Factors matter, so the scale is logarithmic. Where a metric takes zero or negative values (a temperature, a count of
/// spills declared noisy) there is no logarithm: then the scale is linear, in units of the typical magnitude.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    better: Direction,
    /// The magnitude that one unit of a linear scale stands for; `None` on the logarithmic scale.
    magnitude: Option<f64>,
}

impl Scale {
    /// The scale of positive values.
    pub(super) fn logarithmic(better: Direction) -> Self {
        Self { better, magnitude: None }
    }

    /// The scale that suits all of these values.
    pub(super) fn for_values(better: Direction, values: &[f64]) -> Self {
        if values.iter().all(|value| *value > 0.0) {
            return Self::logarithmic(better);
        }
        let magnitudes: Vec<f64> = values.iter().map(|value| value.abs()).filter(|value| *value > 0.0).collect();
        let largest = magnitudes.iter().copied().fold(0.0, f64::max);
        // Never so small a unit that the largest value has no place, and never nothing: the median of the smallest numbers
        // there are can be zero.
        let typical = stats::median(&magnitudes).map(|typical| typical.max(largest * 1e-12).max(f64::MIN_POSITIVE));
        Self { better, magnitude: Some(typical.unwrap_or(1.0)) }
    }

    /// A value's place on the scale; lower is better.
    pub(super) fn place(&self, value: f64) -> f64 {
        self.sign() * self.magnitude.map_or_else(|| value.max(f64::MIN_POSITIVE).ln(), |magnitude| value / magnitude)
    }

    /// The place of each commit: the median of its runs.
    pub(super) fn places_by_commit(&self, runs: &[MeasuredRun]) -> Vec<f64> {
        let values = |commit: Range<usize>| runs[commit].iter().map(MeasuredRun::value);
        by_commit(runs).into_iter().filter_map(|commit| self.place_of_commit(values(commit))).collect()
    }

    /// The place of a commit: the median of its runs.
    pub(super) fn place_of_commit(&self, values: impl ExactSizeIterator<Item = f64>) -> Option<f64> {
        let mut places = values.map(|value| self.place(value));
        match places.len() {
            // Nearly always; it spares an allocation.
            1 => places.next(),
            _ => stats::median(&places.collect::<Vec<_>>()),
        }
    }

    /// The value at a place of the scale.
    pub(super) fn value(&self, place: f64) -> f64 {
        let turned = self.sign() * place;
        self.magnitude.map_or_else(|| turned.exp(), |magnitude| turned * magnitude)
    }

    /// How far above `level` a value lies that is `percent` worse: the distance at which `change_percent` shows
    /// minus this percentage.
    pub(super) fn loss(&self, level: f64, percent: f64) -> f64 {
        self.distance(level, percent, self.better == Direction::Lower)
    }

    /// How far below `level` a value lies that is `percent` better.
    pub(super) fn gain(&self, level: f64, percent: f64) -> f64 {
        self.distance(level, percent, self.better == Direction::Higher)
    }

    /// A higher value by this percentage is nearer on the log scale than a lower one; no positive value is lower by
    /// 100 % or more, so that distance is infinite.
    fn distance(&self, level: f64, percent: f64, upwards: bool) -> f64 {
        let share = percent.max(0.0) / 100.0;
        match self.magnitude {
            Some(_) => share * level.abs(),
            None if upwards => share.ln_1p(),
            None if share >= 1.0 => f64::INFINITY,
            None => -(-share).ln_1p(),
        }
    }

    /// The change in percent, positive for the better, of a move by `shift` (positive is worse) away from `level`.
    /// `None` where the level's value is zero and no percentage says the change.
    pub(super) fn percent(&self, level: f64, shift: f64) -> Option<f64> {
        let percent = self.better.change_percent(self.value(level), self.value(level + shift));
        percent.is_finite().then_some(percent)
    }

    /// Turned so that lower is better.
    fn sign(&self) -> f64 {
        match self.better {
            Direction::Lower => 1.0,
            Direction::Higher => -1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near(found: f64, expected: f64) -> bool {
        (found - expected).abs() <= 1e-9 * expected.abs().max(1.0)
    }

    fn directions() -> impl Strategy<Value = Direction> {
        prop::sample::select(vec![Direction::Lower, Direction::Higher])
    }

    proptest! {
        /// The percentages that are asked for are those that are shown, on both scales and in both directions.
        #[test]
        fn a_loss_or_gain_of_so_many_percent_shows_as_so_many_percent(
            better in directions(),
            values in prop::collection::vec(prop::sample::select(vec![-7.0, -2.5, 0.0, 0.01, 1.0, 3.0, 4e6]), 1..6),
            percent in 0.0f64..99.0,
        ) {
            let scale = Scale::for_values(better, &values);
            for value in values.iter().copied().filter(|value| *value != 0.0) {
                let level = scale.place(value);
                prop_assert!(near(scale.value(level), value));
                prop_assert!(near(scale.percent(level, scale.loss(level, percent)).unwrap(), -percent));
                prop_assert!(near(scale.percent(level, -scale.gain(level, percent)).unwrap(), percent));
                prop_assert_eq!((scale.loss(level, -1.0), scale.gain(level, -1.0)), (0.0, 0.0));
                let worse = value + if better == Direction::Lower { 0.1 } else { -0.1 } * value.abs();
                prop_assert!(scale.place(worse) > level, "lower is better on the scale");
            }
        }
    }

    #[test]
    fn no_positive_value_is_lower_by_a_hundred_percent() {
        let (times, rates) = (Scale::logarithmic(Direction::Lower), Scale::logarithmic(Direction::Higher));
        for percent in [100.0, 250.0] {
            assert_eq!((rates.loss(0.0, percent), times.gain(0.0, percent)), (f64::INFINITY, f64::INFINITY));
            assert!(near(times.percent(0.0, times.loss(0.0, percent)).unwrap(), -percent));
        }
        assert!(times.gain(0.0, 99.9) < 7.0);
    }

    /// The unit of a linear scale is the typical magnitude, so that the noise that is believed of logarithms fits.
    #[test]
    fn what_can_be_zero_is_compared_in_units_of_what_is_typical() {
        let scale = |values: &[f64]| Scale::for_values(Direction::Lower, values);
        assert_eq!(scale(&[0.0, 40.0, -50.0, 60.0]).place(25.0), 0.5);
        assert_eq!(scale(&[0.0, 0.0]).place(25.0), 25.0);
        assert_eq!(scale(&[1e-30, -1e-30, 1e-30, 1e30]).place(1e30), 1e12, "the largest has a place");
        assert_eq!(scale(&[0.0, 2.0]).percent(0.0, 1.0), None, "from zero there is no percentage");
    }
}
