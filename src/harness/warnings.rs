//! What a finished sample is warned of.
//!
//! Exact metrics are never warned of. The limits are wide on purpose: a warning on every second sample is read by
//! nobody.

use std::time::Duration;

use super::interval::{half_percent, half_width_percent, median, sorted};
use crate::model::{Direction, Metric, MetricName, SampleWarning};

/// Share of severe outliers that is worth a word: the median and its interval stand a few without harm.
const OUTLIER_SHARE: f64 = 0.05;
/// Fewest values for which quartiles and halves mean something.
const FEWEST_FOR_SHAPE: usize = 8;
/// Fences are never narrower than this share of the median, else values that the clock rounds would all lie outside.
const LEAST_SPREAD: f64 = 0.005;
/// Smallest drift worth a word, in percent.
const LEAST_DRIFT_PERCENT: f64 = 1.0;
/// Two-sided one percent point of the normal distribution.
const DRIFT_Z: f64 = 2.576;
/// How much slower than the rest the first value must be.
const SLOW_FIRST_RATIO: f64 = 1.1;

/// What sampling knows besides the values.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Context {
    /// Wanted half width in percent, where time or count ran out before it was reached.
    pub(super) missed_precision: Option<f64>,
    /// Times shorter than this are dominated by starting what is measured.
    pub(super) shortest_time: Duration,
    /// Executions dropped because the device was throttled.
    pub(super) throttled: u32,
}

/// All warnings on `values`, in the order measured.
pub(super) fn warnings(metric: &Metric, values: &[f64], context: &Context) -> Vec<SampleWarning> {
    if metric.exact {
        return Vec::new();
    }
    let ascending = sorted(values);
    let throttled = (context.throttled > 0).then(|| SampleWarning::Throttled { dropped: context.throttled.into() });
    [
        too_short(metric, &ascending, context.shortest_time),
        wide_interval(&ascending, context.missed_precision),
        slow_first(metric, values),
        drift(values),
        outliers(&ascending),
        throttled,
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn too_short(metric: &Metric, ascending: &[f64], shortest: Duration) -> Option<SampleWarning> {
    let is_short = metric.name.as_str() == MetricName::TIME && median(ascending) < shortest.as_secs_f64();
    is_short.then_some(SampleWarning::TooShort)
}

/// Below six values no interval covers 95 %, so the range of the values stands in for it.
fn wide_interval(ascending: &[f64], wanted: Option<f64>) -> Option<SampleWarning> {
    let range = || Some(half_percent(*ascending.first()?, *ascending.last()?, median(ascending)));
    let percent = half_width_percent(ascending).or_else(range)?;
    (percent > wanted? && percent.is_finite()).then_some(SampleWarning::WideInterval { percent })
}

/// The first value, held against the fences of the others. Only times and rates can be slow.
fn slow_first(metric: &Metric, values: &[f64]) -> Option<SampleWarning> {
    let (first, rest) = values.split_first()?;
    if rest.len() < FEWEST_FOR_SHAPE {
        return None;
    }
    let rest = sorted(rest);
    let fences = Fences::of(&rest, 3.0);
    let unit = metric.unit.symbol();
    let is_slow = match metric.better {
        Direction::Lower if unit == "s" => *first > fences.high && *first > SLOW_FIRST_RATIO * median(&rest),
        Direction::Higher if unit.ends_with("/s") => *first < fences.low && *first < median(&rest) / SLOW_FIRST_RATIO,
        _ => false,
    };
    is_slow.then_some(SampleWarning::SlowFirst)
}

/// Compares the halves: a difference of more than one percent that the Mann-Whitney test finds beyond chance (normal
/// approximation, without the correction for ties, which errs on the silent side).
fn drift(values: &[f64]) -> Option<SampleWarning> {
    if values.len() < 2 * FEWEST_FOR_SHAPE {
        return None;
    }
    let (early, late) = values.split_at(values.len() / 2);
    let (early, late) = (sorted(early), sorted(late));
    let percent = 100.0 * (median(&late) - median(&early)) / median(&early).abs();
    let beyond_chance = mann_whitney_z(&early, &late).abs() > DRIFT_Z;
    (beyond_chance && percent.is_finite() && percent.abs() > LEAST_DRIFT_PERCENT).then_some(SampleWarning::Drift { percent })
}

/// The standardised Mann-Whitney statistic of two ascending samples; ties count half.
fn mann_whitney_z(a: &[f64], b: &[f64]) -> f64 {
    let wins: f64 = a
        .iter()
        .map(|x| {
            let below = b.partition_point(|y| y < x);
            let up_to = b.partition_point(|y| y <= x);
            below as f64 + 0.5 * (up_to - below) as f64
        })
        .sum();
    let (n, m) = (a.len() as f64, b.len() as f64);
    (wins - 0.5 * n * m) / (n * m * (n + m + 1.0) / 12.0).sqrt()
}

fn outliers(ascending: &[f64]) -> Option<SampleWarning> {
    if ascending.len() < FEWEST_FOR_SHAPE {
        return None;
    }
    let beyond = |ranges: f64| {
        let fences = Fences::of(ascending, ranges);
        ascending.iter().filter(|value| **value < fences.low || **value > fences.high).count() as u64
    };
    let (any, severe) = (beyond(1.5), beyond(3.0));
    let is_much = severe > 1 && severe as f64 > OUTLIER_SHARE * ascending.len() as f64;
    is_much.then_some(SampleWarning::Outliers { mild: any - severe, severe })
}

/// Tukey's fences: this many interquartile ranges beyond the quartiles.
struct Fences {
    low: f64,
    high: f64,
}

impl Fences {
    fn of(ascending: &[f64], ranges: f64) -> Self {
        let last = ascending.len() - 1;
        let (low, high) = (ascending[last / 4], ascending[last - last / 4]);
        let spread = (high - low).max(LEAST_SPREAD * median(ascending).abs());
        Self { low: low - ranges * spread, high: high + ranges * spread }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Unit;

    /// Values that wander by up to one percent around `centre`, without a trend.
    fn calm(centre: f64, count: usize) -> Vec<f64> {
        (0..count).map(|i| centre * (1.0 + 0.01 * ((i * 37 % 17) as f64 / 8.0 - 1.0))).collect()
    }

    fn of(values: &[f64]) -> Vec<SampleWarning> {
        warnings(&Metric::time(), values, &Context::default())
    }

    #[test]
    fn a_calm_sample_has_no_warnings() {
        assert_eq!(of(&calm(1.0, 40)), []);
    }

    #[test]
    fn few_outliers_are_harmless_and_many_are_not() {
        let mut values = calm(1.0, 40);
        values[20] = 3.0;
        values[30] = 3.0;
        assert_eq!(of(&values), [], "two of forty");
        values[10] = 4.0;
        assert_eq!(of(&values), [SampleWarning::Outliers { mild: 0, severe: 3 }]);
    }

    #[test]
    fn values_that_the_clock_rounds_are_no_outliers() {
        let values: Vec<f64> = (0..40).map(|i| if i % 10 == 3 { 1.001 } else { 1.0 }).collect();
        assert_eq!(of(&values), []);
    }

    #[test]
    fn drift_is_told_with_its_sign() {
        let rising: Vec<f64> = calm(1.0, 40).iter().enumerate().map(|(i, value)| value * (1.0 + 0.002 * i as f64)).collect();
        let falling: Vec<f64> = rising.iter().rev().copied().collect();
        assert!(
            matches!(of(&rising)[..], [SampleWarning::Drift { percent }] if (3.0..5.0).contains(&percent)),
            "{:?}",
            of(&rising)
        );
        assert!(matches!(of(&falling)[..], [SampleWarning::Drift { percent }] if percent < -3.0));
    }

    #[test]
    fn small_drift_is_harmless() {
        let rising: Vec<f64> = (0..40).map(|i| 1.0 + 0.0001 * f64::from(i)).collect();
        assert_eq!(of(&rising), [], "significant, but 0.2 %");
    }

    #[test]
    fn a_cold_start_is_told_for_times_and_for_rates() {
        let mut times = calm(1.0, 20);
        times[0] = 1.5;
        assert_eq!(of(&times), [SampleWarning::SlowFirst]);
        let rate = Metric { unit: Unit::PER_SECOND, better: Direction::Higher, ..Metric::time() };
        let mut rates = calm(1.0, 20);
        rates[0] = 0.5;
        assert_eq!(warnings(&rate, &rates, &Context::default()), [SampleWarning::SlowFirst]);
        rates[0] = 1.5;
        assert_eq!(warnings(&rate, &rates, &Context::default()), [], "a fast first is not slow");
    }

    #[test]
    fn short_times_are_told_only_of_the_time() {
        let context = Context { shortest_time: Duration::from_millis(5), ..Context::default() };
        assert_eq!(warnings(&Metric::time(), &calm(0.004, 20), &context), [SampleWarning::TooShort]);
        assert_eq!(warnings(&Metric::cpu_time(), &calm(0.004, 20), &context), []);
    }
}
