//! The numbers against scipy's (tests/data/stats/make_golden.py), and properties that hold for any sample.

use proptest::prelude::*;
use serde_json::Value;

use super::bootstrap::Bootstrap;
use super::effect::{cliffs_delta, hedges_g, hodges_lehmann};
use super::noise::{allan_deviation, hampel, lagged_noise};
use super::random::SplitMix64;
use super::rank::{Method, critical_rank, mann_whitney};
use super::segment::Segmentation;
use super::{distribution, median, median_interval, quantile, sorted, summarize, summarize_kept, summarize_measured};

fn golden(part: &str) -> Vec<Value> {
    let text = include_str!("../../tests/data/stats/golden.json");
    let all: Value = serde_json::from_str(text).unwrap();
    all[part].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[track_caller]
fn close(got: f64, expected: &Value, tolerance: f64) {
    let expected = expected.as_f64().unwrap();
    let error = (got - expected).abs() / expected.abs().max(1e-300);
    assert!(got == expected || error <= tolerance, "got {got:e}, scipy says {expected:e}");
}

/// Independent normal numbers, the same for every run of the tests.
fn normal_values(n: usize, seed: u64) -> Vec<f64> {
    let mut random = SplitMix64::new(seed);
    (0..n).map(|_| distribution::normal_quantile(random.unit()).unwrap()).collect()
}

#[test]
fn mann_whitney_agrees_with_scipy() {
    for case in golden("mann_whitney") {
        let got = mann_whitney(&numbers(&case["x"]), &numbers(&case["y"])).unwrap();
        let expected = if case["method"] == "exact" { Method::Exact } else { Method::Normal };
        assert_eq!(got.method, expected);
        close(got.u, &case["u"], 0.0);
        close(got.p_less, &case["p_less"], 1e-9);
        close(got.p_greater, &case["p_greater"], 1e-9);
        close(got.p_two_sided, &case["p_two_sided"], 1e-9);
    }
}

#[test]
fn effect_sizes_agree_with_scipy() {
    for case in golden("effect") {
        let (x, y) = (numbers(&case["x"]), numbers(&case["y"]));
        let shift = hodges_lehmann(&y, &x, 0.95).unwrap();
        close(shift.estimate, &case["shift"], 1e-9);
        let interval = shift.interval.unwrap();
        close(interval.low, &case["low"], 1e-9);
        close(interval.high, &case["high"], 1e-9);
        close(cliffs_delta(&x, &y).unwrap(), &case["cliffs_delta"], 1e-12);
        close(hedges_g(&x, &y).unwrap(), &case["hedges_g"], 1e-9);
    }
}

// Of all splits one has every x below every y, and n + m choose n there are.
#[test]
fn the_farthest_tail_is_one_split_of_all() {
    for (n, m) in [(1, 1), (3, 2), (2, 60), (20, 20), (30, 17), (50, 50)] {
        let splits: f64 = (1..=n).map(|step| (m + step) as f64 / step as f64).product();
        let values: Vec<f64> = (0..n + m).map(|value| value as f64).collect();
        let (x, y) = values.split_at(n);
        let test = mann_whitney(x, y).unwrap();
        assert!((test.p_less * splits - 1.0).abs() < 1e-12, "{n} and {m}: {} of {splits}", test.p_less);
        assert!((test.p_greater - 1.0).abs() < 1e-12, "{n} and {m}: {}", test.p_greater);
    }
}

// Up to a hundred values counted with whole numbers of any size, beyond that floor(nm/2 − z √(nm(n + m + 1)/12)).
#[test]
fn the_differences_that_bound_a_shift_are_those_of_the_test() {
    for (n, m, tail, rank) in [
        (5, 5, 0.025, Some(3)),
        (10, 7, 0.005, Some(10)),
        (3, 3, 0.025, None),
        (50, 50, 0.025, Some(966)),
        (4, 96, 0.005, Some(53)),
        (3, 97, 0.005, Some(28)),
        (60, 41, 0.025, Some(946)),
        (3, 98, 0.005, Some(18)),
        (1, 100, 0.005, None),
    ] {
        assert_eq!(critical_rank(n, m, tail), rank, "{n} and {m} values");
    }
}

/// The ranks that tables of the sign test give at 95 %.
#[test]
fn the_interval_of_a_median_is_that_of_the_tables() {
    for (n, low, high) in
        [(6, 1, 6), (8, 1, 8), (9, 2, 8), (11, 2, 10), (12, 3, 10), (15, 4, 12), (17, 5, 13), (20, 6, 15), (25, 8, 18)]
    {
        let values: Vec<f64> = (1..=n).map(f64::from).collect();
        let interval = median_interval(&values, 0.95).unwrap();
        assert_eq!((interval.low, interval.high), (f64::from(low), f64::from(high)), "{n} values");
    }
    assert_eq!(median_interval(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.95), None);
}

/// Too long for all of the differences: evenly spaced order statistics stand for the sample, its ends among them.
#[test]
fn a_shift_of_a_long_sample_is_that_of_evenly_spaced_values_of_it() {
    let squares: Vec<f64> = (0..2998).rev().map(|root| f64::from(root * root)).collect();
    let shift = |confidence| hodges_lehmann(&[0.0], &squares, confidence).unwrap();
    let middle = median(&squares).unwrap();
    assert!((shift(0.5).estimate / middle - 1.0).abs() < 1e-5);
    // At this confidence the first and the last of a thousand differences are the bounds.
    let ends = shift(0.91548).interval.unwrap();
    assert_eq!((ends.low, ends.high), (0.0, 2997.0 * 2997.0));
}

#[test]
fn summaries_agree_with_numpy() {
    for case in golden("summary") {
        let values = numbers(&case["values"]);
        let summary = summarize(&values).unwrap();
        assert_eq!(summary.n, values.len() as u64);
        close(summary.median, &case["median"], 1e-12);
        close(median(&values).unwrap(), &case["median"], 1e-12);
        close(summary.mean.unwrap(), &case["mean"], 1e-12);
        close(summary.stddev.unwrap(), &case["stddev"], 1e-9);
        close(quantile(&sorted(&values), 0.25).unwrap(), &case["quartile"], 1e-12);
        close(quantile(&sorted(&values), 0.9).unwrap(), &case["p90"], 1e-12);
        assert_eq!(summary.low, case["low"].as_f64());
        assert_eq!(summary.high, case["high"].as_f64());
    }
}

#[test]
fn what_was_measured_is_summarised_as_its_record_will_say() {
    assert_eq!(summarize_measured(&[2.5]), Some(crate::model::Summary::single(2.5)));
    assert_eq!(summarize_kept(&crate::model::Sample::new(&[2.5]).unwrap()).stddev, None);
    // Of so many a record keeps only some: the statistics are those of all.
    let many: Vec<f64> = (1..302).map(|root| f64::from(root * root)).collect();
    assert_eq!(summarize_measured(&many), summarize(&many).map(|summary| summary.rounded()));
}

#[test]
fn bootstrap_intervals_agree_with_scipy_within_resampling_error() {
    for case in golden("bootstrap") {
        let values = numbers(&case["values"]);
        let bootstrap = Bootstrap { resamples: 50_000, seed: 1, ..Bootstrap::default() };
        let mean = |sample: &[f64]| super::mean(sample).unwrap();
        for (got, key) in [(bootstrap.percentile(&values, mean), "percentile"), (bootstrap.bca(&values, mean), "bca")] {
            let (got, expected) = (got.unwrap(), numbers(&case[key]));
            let tolerance = 0.02 * (expected[1] - expected[0]);
            assert!((got.low - expected[0]).abs() < tolerance, "{key}: {got:?}, scipy says {expected:?}");
            assert!((got.high - expected[1]).abs() < tolerance, "{key}: {got:?}, scipy says {expected:?}");
        }
        assert_eq!(bootstrap.bca(&values, mean), bootstrap.bca(&values, mean), "the seed decides");
    }
}

#[test]
fn distributions_agree_with_scipy() {
    for case in golden("normal") {
        close(distribution::normal_cdf(case[0].as_f64().unwrap()), &case[1], 1e-9);
    }
    for case in golden("normal_quantile") {
        close(distribution::normal_quantile(case[0].as_f64().unwrap()).unwrap(), &case[1], 1e-9);
    }
    for case in golden("student_quantile") {
        close(distribution::student_quantile(case[0].as_f64().unwrap(), case[1].as_f64().unwrap()).unwrap(), &case[2], 1e-7);
    }
    for case in golden("student_upper_tail") {
        close(distribution::student_upper_tail(case[0].as_f64().unwrap(), case[1].as_f64().unwrap()).unwrap(), &case[2], 1e-7);
    }
    for case in golden("binomial") {
        close(distribution::binomial_cdf(case[0].as_u64().unwrap(), case[1].as_u64().unwrap(), 0.5).unwrap(), &case[2], 1e-9);
    }
}

#[test]
fn nothing_has_no_statistics() {
    assert_eq!(summarize(&[]), None);
    assert_eq!(median(&[]), None);
    assert!(mann_whitney(&[], &[1.0]).is_none() && hodges_lehmann(&[1.0], &[], 0.95).is_none());
    assert_eq!(cliffs_delta(&[], &[1.0]), None);
    assert_eq!(hedges_g(&[1.0], &[2.0, 3.0]), None);
    assert_eq!(hedges_g(&[1.0, 1.0], &[2.0, 2.0]), None, "a difference in units of no spread");
    assert_eq!(lagged_noise(&[1.0], 1), None);
    assert_eq!(lagged_noise(&[1.0], 9), None);
    assert_eq!(allan_deviation(&[1.0; 5], 3), None);
    let tail = |t| distribution::student_upper_tail(t, 5.0);
    assert_eq!([f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(tail), [None, Some(0.0), Some(1.0)]);
    assert!(Bootstrap::default().bca(&[1.0; 8], |values| values[0]).is_none());
}

#[test]
fn noise_estimates_see_the_scatter_and_not_the_steps() {
    let mut values = normal_values(2000, 5);
    values.iter_mut().skip(700).for_each(|value| *value += 40.0);
    for lag in [1, 4, 16] {
        let sigma = lagged_noise(&values, lag).unwrap();
        assert!((0.93..1.1).contains(&sigma), "lag {lag}: {sigma}");
    }
    let of_sixteen = allan_deviation(&values, 16).unwrap();
    assert!((0.2..0.32).contains(&of_sixteen), "independent values average out: {of_sixteen}");
    assert_eq!(lagged_noise(&[1.0, 1.0, 2.0], 1), Some(0.0), "one step is not noise");
}

#[test]
fn allan_deviation_sees_what_neighbours_share() {
    let shared: Vec<f64> = normal_values(200, 6).into_iter().flat_map(|value| [value; 8]).collect();
    assert_eq!(lagged_noise(&shared, 1), Some(0.0));
    assert!(allan_deviation(&shared, 8).unwrap() > 0.4);
    assert_eq!(allan_deviation(&[1.0, 2.0, 4.0, 3.0], 2), Some(1.0484 * 2.0), "two means are enough");
}

#[test]
fn hampel_removes_single_outliers_and_keeps_steps() {
    assert_eq!(hampel(&[5.0, 5.0, 5.0, 1.0, 5.0, 5.0, 5.0], 3, 1.0), [5.0; 7]);
    assert_eq!(hampel(&[-1.2, -1.2, -1.2, 0.4, -1.2, -1.2, -1.2], 3, 1.0), [-1.2; 7]);
    let cleaned = hampel(&[1.0, 9.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 5.0, 5.0, 5.0, 5.0], 3, 1.0);
    assert_eq!(cleaned, [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 5.0, 5.0, 5.0, 5.0]);
}

#[test]
fn segments_are_the_stretches_between_steps() {
    let mut values = normal_values(300, 8);
    values.iter_mut().skip(100).for_each(|value| *value += 6.0);
    values.iter_mut().skip(220).for_each(|value| *value -= 9.0);
    let segments = Segmentation::with_noise(1.0).segments(&values);
    assert_eq!(segments, [0..100, 100..220, 220..300]);
}

#[test]
fn short_and_constant_series_are_one_stretch() {
    let segmentation = Segmentation::with_noise(1.0);
    assert!(segmentation.segments(&[]).is_empty());
    for n in 1..6 {
        assert_eq!(segmentation.segments(&vec![3.0; n]), std::slice::from_ref(&(0..n)));
    }
}

/// Without pruning, by trying every partition's last stretch.
fn least_cost(values: &[f64], segmentation: &Segmentation) -> f64 {
    let penalty = segmentation.penalty * segmentation.sigma.powi(2) * (values.len() as f64).ln();
    let mut best = vec![f64::INFINITY; values.len() + 1];
    best[0] = -penalty;
    for end in segmentation.shortest..=values.len() {
        for start in 0..=end - segmentation.shortest {
            best[end] = best[end].min(best[start] + deviation(&values[start..end]) + penalty);
        }
    }
    best[values.len()]
}

fn deviation(values: &[f64]) -> f64 {
    let centre = super::mean(values).unwrap();
    values.iter().map(|value| (value - centre).powi(2)).sum()
}

fn samples() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    // Few distinct values, so that ties are common.
    let value = (0u8..30).prop_map(|value| f64::from(value) / 4.0);
    (prop::collection::vec(value.clone(), 1..14), prop::collection::vec(value, 1..14))
}

proptest! {
    /// Both ways to the statistics of a sample agree, and the quicker one says nothing that a note would round.
    #[test]
    fn a_kept_sample_has_the_statistics_of_its_values(x in prop::collection::vec(1e-3_f64..1e3, 2..=100)) {
        let kept = crate::model::Sample::new(&x).unwrap();
        let (quick, plain) = (summarize_kept(&kept), summarize(&kept.values().collect::<Vec<_>>()).unwrap());
        prop_assert_eq!(&quick.rounded(), &quick);
        prop_assert_eq!((quick.n, quick.low, quick.high, quick.min, quick.max), (plain.n, plain.low, plain.high, plain.min, plain.max));
        let near = |one: f64, other: f64| (one - other).abs() <= 1e-11 * plain.max.unwrap();
        prop_assert!(near(quick.median, plain.median) && near(quick.mean.unwrap(), plain.mean.unwrap()));
        prop_assert!(near(quick.stddev.unwrap(), plain.stddev.unwrap()));
        prop_assert_eq!(summarize_measured(&x).unwrap(), quick);
    }

    #[test]
    fn swapping_the_samples_mirrors_the_test((x, y) in samples()) {
        let (there, back) = (mann_whitney(&x, &y).unwrap(), mann_whitney(&y, &x).unwrap());
        prop_assert!((there.p_less - back.p_greater).abs() < 1e-12);
        prop_assert_eq!(there.u + back.u, (x.len() * y.len()) as f64);
        prop_assert!((cliffs_delta(&x, &y).unwrap() + cliffs_delta(&y, &x).unwrap()).abs() < 1e-12);
        let shift = hodges_lehmann(&x, &y, 0.9).unwrap();
        prop_assert!((shift.estimate + hodges_lehmann(&y, &x, 0.9).unwrap().estimate).abs() < 1e-12);
    }

    #[test]
    fn only_the_order_matters_to_ranks((x, y) in samples(), factor in 0.01f64..100.0) {
        let scaled = |values: &[f64]| values.iter().map(|value| (value * factor).powi(3)).collect::<Vec<_>>();
        prop_assert_eq!(mann_whitney(&x, &y), mann_whitney(&scaled(&x), &scaled(&y)));
        prop_assert_eq!(cliffs_delta(&x, &y), cliffs_delta(&scaled(&x), &scaled(&y)));
    }

    #[test]
    fn the_order_of_measuring_does_not_matter((x, y) in samples()) {
        let reversed: Vec<f64> = x.iter().rev().copied().collect();
        prop_assert_eq!(mann_whitney(&x, &y), mann_whitney(&reversed, &y));
        prop_assert_eq!(summarize(&x), summarize(&reversed));
        prop_assert_eq!(hodges_lehmann(&x, &y, 0.95), hodges_lehmann(&reversed, &y, 0.95));
    }

    #[test]
    fn probabilities_are_probabilities((x, y) in samples()) {
        let got = mann_whitney(&x, &y).unwrap();
        for p in [got.p_less, got.p_greater, got.p_two_sided] {
            prop_assert!(p > 0.0 && p <= 1.0 + 1e-12);
        }
        prop_assert!(got.p_less + got.p_greater >= 1.0 - 1e-12, "the observed value is in both tails");
        let cliff = 2.0 * got.u / (x.len() * y.len()) as f64 - 1.0;
        prop_assert!((cliff - cliffs_delta(&x, &y).unwrap()).abs() < 1e-12);
    }

    #[test]
    fn the_median_lies_in_its_interval(values in prop::collection::vec(0.0f64..10.0, 6..200)) {
        let values = sorted(&values);
        let interval = median_interval(&values, 0.95).unwrap();
        let middle = median(&values).unwrap();
        prop_assert!(interval.low <= middle && middle <= interval.high);
        prop_assert_eq!(quantile(&values, 0.0), values.first().copied());
        prop_assert_eq!(quantile(&values, 1.0), values.last().copied());
    }

    #[test]
    fn pruning_loses_no_better_partition(values in prop::collection::vec(0.0f64..6.0, 2..60), sigma in 0.1f64..2.0) {
        let segmentation = Segmentation::with_noise(sigma);
        let segments = segmentation.segments(&values);
        let penalty = segmentation.penalty * sigma.powi(2) * (values.len() as f64).ln();
        let cost: f64 = segments.iter().map(|stretch| deviation(&values[stretch.clone()])).sum::<f64>()
            + penalty * (segments.len() - 1) as f64;
        prop_assert!((cost - least_cost(&values, &segmentation)).abs() < 1e-6);
        prop_assert!(segments.iter().all(|stretch| stretch.len() >= 2));
    }
}

/// Too long to be cut value by value: the cuts still stand where the levels change.
#[test]
fn a_long_series_is_cut_where_its_levels_change() {
    let mut random = super::random::SplitMix64::new(7);
    let level = |i: usize| if (7_001..13_003).contains(&i) { 1.05 } else { 1.0 };
    let values: Vec<f64> = (0..20_000).map(|i| level(i) + 0.01 * (random.unit() - 0.5)).collect();
    let found = Segmentation::with_noise(0.003).segments(&values);
    assert_eq!(found, [0..7_001, 7_001..13_003, 13_003..20_000]);
}

/// A level that lasts for a thousand values and differs by less than half of their noise: that of their blocks is less.
#[test]
fn the_blocks_of_a_long_series_are_less_noisy_than_its_values() {
    let level = |i: usize| if (7_003..8_004).contains(&i) { 0.4 } else { 0.0 };
    let values: Vec<f64> = (0..20_000).map(level).collect();
    assert_eq!(Segmentation::with_noise(1.0).segments(&values), [0..7_003, 7_003..8_004, 8_004..20_000]);
    assert_eq!(Segmentation::with_noise(3.0).segments(&values), std::slice::from_ref(&(0..20_000)));
}
