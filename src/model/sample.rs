//! A sample: the repeated measurements of one metric in one run, its statistics and its warnings.

use super::decimal::{from_ticks, is_whole, rounded, to_ticks};
use super::{InvalidValue, Unit};

/// Statistics of a sample in base units. What a foreign format does not carry is absent, never invented.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// How many measurements there were (before thinning); 1 where the source does not say.
    pub n: u64,
    /// The median; where the source gives only a mean, the mean stands in for it.
    pub median: f64,
    /// Lower end of the 95 % interval of the median.
    pub low: Option<f64>,
    /// Upper end of the 95 % interval of the median.
    pub high: Option<f64>,
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// Sample standard deviation (n − 1).
    pub stddev: Option<f64>,
    /// Smallest value.
    pub min: Option<f64>,
    /// Largest value.
    pub max: Option<f64>,
}

impl Summary {
    /// A summary of one number of which nothing else is known.
    pub fn single(value: f64) -> Self {
        Self { n: 1, median: value, low: None, high: None, mean: None, stddev: None, min: None, max: None }
    }

    /// The same with every number as a note keeps it ([`rounded`]).
    pub fn rounded(&self) -> Self {
        let Self { n, median, low, high, mean, stddev, min, max } = *self;
        let [low, high, mean, stddev, min, max] = [low, high, mean, stddev, min, max].map(|number| number.map(rounded));
        Self { n, median: rounded(median), low, high, mean, stddev, min, max }
    }

    /// Refuses what cannot have been measured: NaN, infinities, times that are zero or negative, negative sizes.
    pub fn check(&self, unit: &Unit) -> Result<(), InvalidValue> {
        check_value(self.median, unit)?;
        for value in [self.low, self.high, self.mean, self.min, self.max].into_iter().flatten() {
            check_value(value, unit)?;
        }
        match self.stddev {
            Some(stddev) if !stddev.is_finite() => Err(InvalidValue::NotFinite(stddev)),
            Some(stddev) if stddev < 0.0 => Err(InvalidValue::Impossible {
                value: stddev,
                unit: unit.to_string(),
                why: "a standard deviation is never negative",
            }),
            _ => Ok(()),
        }
    }
}

/// Refuses a value that cannot have been measured in `unit`.
pub(super) fn check_value(value: f64, unit: &Unit) -> Result<(), InvalidValue> {
    let impossible = |why| Err(InvalidValue::Impossible { value, unit: unit.to_string(), why });
    if !value.is_finite() {
        Err(InvalidValue::NotFinite(value))
    } else if unit.is_positive() && value <= 0.0 {
        impossible("a measured time is greater than zero")
    } else if unit.is_non_negative() && value < 0.0 {
        impossible("this quantity is never negative")
    } else {
        Ok(())
    }
}

/// Something noticed while sampling. Warnings are data: they travel with the record to every report.
#[derive(Debug, Clone, PartialEq)]
pub enum SampleWarning {
    /// Values far from the middle, by Tukey's fences: `severe` lie beyond 3 interquartile ranges, `mild` beyond 1.5.
    Outliers {
        /// Beyond 1.5 but not 3 interquartile ranges.
        mild: u64,
        /// Beyond 3 interquartile ranges.
        severe: u64,
    },
    /// The second half of the sample lies this much above (positive) or below the first half, in percent, more than
    /// chance explains.
    Drift {
        /// Difference of the halves' medians relative to the first.
        percent: f64,
    },
    /// Time or count ran out before the interval of the median was as narrow as asked for.
    WideInterval {
        /// Reached half width of the interval relative to the median.
        percent: f64,
    },
    /// The first measurement was much slower than the rest: caches or clocks were cold, more warm-up would help.
    SlowFirst,
    /// The measured time is so short that starting the process dominates it.
    TooShort,
    /// Samples dropped because the device was throttled.
    Throttled {
        /// How many were dropped.
        dropped: u64,
    },
}

/// The values of a sample, sorted, at a fixed resolution.
///
/// At most [`Sample::MAX_VALUES`] are kept: a longer sample is thinned to evenly spaced order statistics, smallest and
/// largest included, which keeps the shape of its distribution. Values are whole multiples of a power of ten fine
/// enough that the interquartile range spans a thousand steps or more; what is finer than that is noise of the clock. Counts
/// are kept as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    exponent: i32,
    ticks: Vec<i64>,
}

impl Sample {
    /// The most values that a record keeps.
    pub const MAX_VALUES: usize = 100;

    /// Sorts, thins and rounds `values` (any order, base units).
    pub fn new(values: &[f64]) -> Result<Self, InvalidValue> {
        if let Some(bad) = values.iter().find(|value| !value.is_finite()) {
            return Err(InvalidValue::NotFinite(*bad));
        }
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let kept = thin(&sorted, Self::MAX_VALUES);
        if kept.is_empty() {
            return Err(InvalidValue::NoValues);
        }
        let exponent = resolution(&kept);
        let ticks = kept.iter().map(|value| to_ticks(*value, exponent)).collect();
        Ok(Self { exponent, ticks }.without_trailing_zeros())
    }

    /// The parts as stored: values are `ticks[i] · 10^exponent`, ascending. `None` if they are empty, not sorted or too many, or if
    /// the exponent is out of range; within it, every value is a finite number.
    pub fn from_parts(exponent: i32, ticks: Vec<i64>) -> Option<Self> {
        let sample = Self { exponent, ticks };
        let sorted = sample.ticks.is_sorted();
        let fits = !sample.ticks.is_empty() && sample.ticks.len() <= Self::MAX_VALUES && (-40..=40).contains(&exponent);
        (sorted && fits).then_some(sample)
    }

    /// The power of ten that one tick stands for.
    pub fn exponent(&self) -> i32 {
        self.exponent
    }

    /// The values in ticks, ascending.
    pub fn ticks(&self) -> &[i64] {
        &self.ticks
    }

    /// The values in base units, ascending.
    pub fn values(&self) -> impl Iterator<Item = f64> + '_ {
        self.ticks.iter().map(|&ticks| self.value_of(ticks))
    }

    /// So many ticks in base units.
    pub fn value_of(&self, ticks: i64) -> f64 {
        from_ticks(ticks, self.exponent)
    }

    /// Whether every one of `values` is here, none thinned out, and as near as rounding leaves the usual sample. One that spans
    /// more than ten powers of ten is not: its smallest values have no digits left.
    pub fn keeps(&self, values: &[f64]) -> bool {
        const NEAR: f64 = 1e-4;
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let is_near = |(kept, value): (f64, &f64)| (kept - value).abs() <= NEAR * value.abs();
        sorted.len() == self.ticks.len() && self.values().zip(&sorted).all(is_near)
    }

    fn without_trailing_zeros(mut self) -> Self {
        while self.exponent < 40 && self.ticks.iter().all(|ticks| ticks % 10 == 0) && self.ticks.iter().any(|ticks| *ticks != 0) {
            self.ticks.iter_mut().for_each(|ticks| *ticks /= 10);
            self.exponent += 1;
        }
        self
    }
}

/// Evenly spaced order statistics of `sorted`, both ends included.
fn thin(sorted: &[f64], most: usize) -> Vec<f64> {
    if sorted.len() <= most {
        return sorted.to_vec();
    }
    let step = (sorted.len() - 1) as f64 / (most - 1) as f64;
    (0..most).map(|i| sorted[(i as f64 * step).round() as usize]).collect()
}

/// The decimal exponent of one tick: a thousandth of the interquartile range or finer, between 6 and 12 significant digits of the
/// largest magnitude. Small values beside large ones keep five digits, as long as that leaves at most 15 for the largest.
fn resolution(sorted: &[f64]) -> i32 {
    if sorted.iter().all(|value| is_whole(*value)) {
        return 0;
    }
    let magnitudes = || sorted.iter().map(|value| value.abs()).filter(|value| *value > 0.0);
    let largest = magnitudes().fold(0.0, f64::max);
    let power = |value: f64| value.log10().floor() as i32;
    let (top, bottom) = (power(largest), power(magnitudes().fold(largest, f64::min)));
    let quartile = |q: usize| sorted[(sorted.len() - 1) * q / 4];
    let spread = quartile(3) - quartile(1);
    let wanted = if spread > 0.0 { power(spread) - 3 } else { top - 11 };
    wanted.clamp(top - 11, top - 5).min(bottom - 4).max(top - 14).clamp(-40, 24)
}
