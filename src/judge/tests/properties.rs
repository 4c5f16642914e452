//! What holds for any series.

use proptest::prelude::*;

use super::*;
use crate::model::Direction;

fn times() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(0.5f64..2.0, 1..40)
}

fn rules() -> impl Strategy<Value = BaselineRule> {
    prop::sample::select(vec![BaselineRule::Level, BaselineRule::BestRun, BaselineRule::Revision])
}

/// Percentages that mean the same factor for the inverse of a metric.
fn inverted(thresholds: Thresholds) -> Thresholds {
    let loss = 1.0 + thresholds.regression_percent / 100.0;
    let gain = 1.0 - thresholds.improvement_percent / 100.0;
    Thresholds { regression_percent: 100.0 * (1.0 - 1.0 / loss), improvement_percent: 100.0 * (1.0 / gain - 1.0) }
}

proptest! {
    #[test]
    fn the_unit_does_not_matter(history in times(), candidate in 0.5f64..2.0, rule in rules(), exponent in -30i32..30) {
        // Powers of two keep every bit of the values.
        let factor = 2f64.powi(exponent);
        let scaled: Vec<f64> = history.iter().map(|value| value * factor).collect();
        let (here, there) = (Given::times(&history, candidate).by(rule).judge(), Given::times(&scaled, candidate * factor).by(rule).judge());
        prop_assert_eq!(here.verdict, there.verdict);
        prop_assert!((here.change_percent.unwrap() - there.change_percent.unwrap()).abs() < 1e-6);
    }

    #[test]
    fn rates_and_times_are_judged_alike(history in times(), candidate in 0.5f64..2.0) {
        let as_time = Given::times(&history, candidate);
        let rates: Vec<f64> = history.iter().map(|value| 1.0 / value).collect();
        let mut metric = throughput();
        metric.better = Direction::Higher;
        let as_rate = Given { thresholds: inverted(as_time.thresholds), ..Given::new(metric, &rates, &[1.0 / candidate]) };
        let (time, rate) = (as_time.judge(), as_rate.judge());
        prop_assert_eq!(time.verdict, rate.verdict);
        let product = time.baseline.as_ref().unwrap().value * rate.baseline.as_ref().unwrap().value;
        prop_assert!((product - 1.0).abs() < 1e-9, "{:?} {:?}", time.baseline, rate.baseline);
    }

    #[test]
    fn a_plain_ratchet_never_loosens(history in times(), more in times(), candidate in 0.5f64..2.0) {
        let before = Given::times(&history, candidate).by(BaselineRule::BestRun).judge();
        let longer: Vec<f64> = more.iter().chain(&history).copied().collect();
        let after = Given::times(&longer, candidate).by(BaselineRule::BestRun).judge();
        prop_assert!(after.baseline.unwrap().value <= before.baseline.unwrap().value);
        prop_assert!(before.verdict != Verdict::Regression || after.verdict == Verdict::Regression);
    }

    #[test]
    fn worse_is_never_judged_better(history in times(), candidate in 0.5f64..2.0, worse in 1.0f64..2.0, rule in rules()) {
        let rank = |verdict| [Verdict::Improvement, Verdict::Pass, Verdict::Undecided, Verdict::Regression].iter().position(|v| *v == verdict);
        let better = Given::times(&history, candidate).by(rule).judge();
        let worse = Given::times(&history, candidate * worse).by(rule).judge();
        prop_assert!(rank(worse.verdict) >= rank(better.verdict), "{:?} then {:?}", better.verdict, worse.verdict);
    }

    #[test]
    fn whatever_is_measured_the_numbers_are_finite(
        history in prop::collection::vec(prop::sample::select(vec![0.0, -1.0, 1.0, 1e-300, 1e300, 5e-324, 3.5]), 0..20),
        candidate in prop::sample::select(vec![0.0, -1.0, 1.0, 1e-300, 1e300, 3.5]),
        rule in rules(),
    ) {
        let judged = Given::new(throughput(), &history, &[candidate]).by(rule).judge();
        prop_assert!(judged.change_percent.is_none_or(f64::is_finite));
        prop_assert!(judged.reasons.noise_percent.is_none_or(f64::is_finite));
        prop_assert!(judged.reasons.history.is_none_or(|test| !test.p.is_nan()));
        prop_assert!(judged.baseline.is_none_or(|baseline| baseline.value.is_finite()));
        prop_assert_ne!(judged.verdict, Verdict::NotMeasured);
    }

    #[test]
    fn a_verdict_against_oneself_is_a_pass(value in 1e-9f64..1e9, runs in 1usize..30) {
        let judged = Given::times(&vec![value; runs], value).judge();
        prop_assert_eq!((judged.verdict, judged.change_percent), (Verdict::Pass, Some(0.0)));
    }
}
