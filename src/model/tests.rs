//! What the constructors let in, and what they keep out.

use proptest::prelude::*;

use super::*;

#[test]
fn a_config_is_the_same_point_in_any_order_and_keeps_its_order_for_display() {
    let given: Config = "B=32 H=8".parse().unwrap();
    let turned: Config = "H=8 B=32".parse().unwrap();
    assert_eq!(given, turned);
    assert_eq!(given.to_string(), "B=32 H=8");
    assert_eq!(turned.to_string(), "H=8 B=32");
    assert!(given.contains(&"H=8".parse().unwrap()));
    assert!(!given.contains(&"H=9".parse().unwrap()));
}

#[test]
fn configs_that_cannot_be_told_apart_or_shown_are_refused() {
    for bad in ["B=1 B=2", "B", "=3", "a\u{7}=1", "x=a\u{202e}b", "'unclosed=1"] {
        assert!(bad.parse::<Config>().is_err(), "{bad:?} was accepted");
    }
    assert_eq!("path='a b' e=".parse::<Config>().unwrap().to_string().parse::<Config>().unwrap().get("path"), Some("a b"));
}

#[test]
fn names_may_be_strange_but_not_invisible_or_endless() {
    for good in ["attention|f16", "héllo 🦀", "a/b::c<T>", "@everyone"] {
        assert_eq!(BenchmarkName::new(good).unwrap().as_str(), good);
    }
    for bad in ["", "  ", "a\nb", "\u{1b}[31m", "a\u{200b}b", &"x".repeat(200_000)] {
        assert!(BenchmarkName::new(bad).is_err());
    }
    assert!(MetricName::new("a=b").is_err());
}

#[test]
fn quantities_become_the_decimal_number_a_person_would_write() {
    for (text, value, unit) in [
        ("12.3ms", 0.0123, "s"),
        ("1.5 us", 1.5e-6, "s"),
        ("7ns", 7e-9, "s"),
        ("2min", 120.0, "s"),
        ("640 GB/s", 640e9, "B/s"),
        ("3 KiB", 3072.0, "B"),
        ("51283 GFLOP/s", 51_283e9, "FLOP/s"),
        ("1e-3s", 1e-3, "s"),
        ("42", 42.0, "1"),
        ("99.5%", 99.5, "%"),
        ("12{tokens}/s", 12.0, "{tokens}/s"),
        ("-4", -4.0, "1"),
    ] {
        let quantity: Quantity = text.parse().unwrap();
        assert_eq!((quantity.value, quantity.unit.symbol()), (value, unit), "{text}");
    }
}

#[test]
fn what_is_no_quantity_is_refused_with_the_offending_part() {
    for (text, part) in
        [("12.3parsecs", "parsecs"), ("fast", "fast"), ("", "finite"), ("NaNms", "NaNms"), ("1e999s", "1e999s"), ("inf", "inf")]
    {
        let error = text.parse::<Quantity>().unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn the_direction_is_inferred_only_where_it_is_clear() {
    let infer = |name: &str, value: &str| {
        let quantity: Quantity = value.parse().unwrap();
        Metric::infer(MetricName::new(name).unwrap(), quantity.unit).map(|metric| metric.better)
    };
    assert_eq!(infer("anything", "3ms"), Some(Direction::Lower));
    assert_eq!(infer("anything", "3 GB/s"), Some(Direction::Higher));
    assert_eq!(infer("registers", "64"), Some(Direction::Lower));
    assert_eq!(infer("achieved_occupancy", "64%"), Some(Direction::Higher));
    assert_eq!(infer("score", "64"), None);
}

#[test]
fn impossible_values_are_refused() {
    let time = Unit::SECOND;
    for value in [f64::NAN, f64::INFINITY, 0.0, -1.0] {
        assert!(Summary::single(value).check(&time).is_err(), "{value} s");
    }
    assert!(Summary::single(0.0).check(&Unit::BYTE).is_ok());
    assert!(Summary::single(-1.0).check(&Unit::BYTE).is_err());
    assert!(Summary::single(-1.0).check(&Unit::ONE).is_ok());
    assert!(Summary { stddev: Some(-1.0), ..Summary::single(1.0) }.check(&time).is_err());
}

#[test]
fn change_is_positive_when_it_is_better_whatever_the_direction() {
    assert_eq!(Direction::Lower.change_percent(2.0, 1.0), 50.0);
    assert_eq!(Direction::Lower.change_percent(1.0, 2.0), -100.0);
    assert_eq!(Direction::Higher.change_percent(1.0, 2.0), 100.0);
    assert_eq!(Direction::Higher.change_percent(-4.0, -2.0), 50.0);
    assert_eq!(Direction::Lower.change_percent(0.0, 0.0), 0.0);
    assert_eq!(Direction::Lower.change_percent(0.0, 5.0), f64::NEG_INFINITY);
}

#[test]
fn a_small_sample_of_written_numbers_is_kept_exactly() {
    let values = [0.0131, 0.011, 0.012];
    let kept: Vec<f64> = Sample::new(&values).unwrap().values().collect();
    assert_eq!(kept, [0.011, 0.012, 0.0131]);
    assert_eq!(Sample::new(&[123_456_789.0]).unwrap().values().next(), Some(123_456_789.0));
}

#[test]
fn a_long_sample_is_thinned_to_its_order_statistics() {
    let values: Vec<f64> = (0..10_000).map(|i| f64::from((i * 7919) % 10_000) + 1.0).collect();
    let sample = Sample::new(&values).unwrap();
    let kept: Vec<f64> = sample.values().collect();
    assert_eq!(kept.len(), Sample::MAX_VALUES);
    assert_eq!((kept[0], kept[99]), (1.0, 10_000.0));
    assert!((kept[49] - 4950.5).abs() < 101.0, "the middle moved to {}", kept[49]);
}

proptest! {
    /// A rounded number is written with twelve digits at most, and read back as it was.
    #[test]
    fn rounding_is_done_once(mantissa in -10.0_f64..10.0, power in -60_i32..60) {
        let value = mantissa * 10_f64.powi(power);
        let kept = rounded(value);
        prop_assert!((kept - value).abs() <= value.abs() * 5.001e-12);
        prop_assert_eq!(rounded(kept).to_bits(), kept.to_bits());
        let written: f64 = format!("{kept:.11e}").parse().unwrap();
        prop_assert!(is_whole(kept) || written.to_bits() == kept.to_bits());
    }

    #[test]
    fn counts_are_kept_as_they_are(counts in prop::collection::vec(0_u64..1 << 53, 1..100)) {
        let mut counts: Vec<f64> = counts.into_iter().map(|count| count as f64).collect();
        counts.sort_by(f64::total_cmp);
        prop_assert_eq!(Sample::new(&counts).unwrap().values().collect::<Vec<_>>(), counts);
    }

    #[test]
    fn a_sample_keeps_its_quartiles_within_a_thousandth_of_their_distance(values in prop::collection::vec(1e-7_f64..1e3, 4..80)) {
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let quartile = |of: &[f64], q: usize| of[(of.len() - 1) * q / 4];
        let kept: Vec<f64> = Sample::new(&values).unwrap().values().collect();
        let spread = quartile(&sorted, 3) - quartile(&sorted, 1);
        let coarsest = sorted[sorted.len() - 1] * 1e-5;
        for q in 1..4 {
            prop_assert!((quartile(&kept, q) - quartile(&sorted, q)).abs() <= (spread / 1000.0).max(coarsest));
        }
    }

    #[test]
    fn object_ids_round_trip(bytes in prop::collection::vec(any::<u8>(), 20..=20), long in any::<bool>()) {
        let raw = if long { [bytes.as_slice(), &bytes[..12]].concat() } else { bytes };
        let id = ObjectId::from_bytes(&raw).unwrap();
        prop_assert_eq!(id.to_string().parse::<ObjectId>().unwrap(), id);
        prop_assert_eq!(id.as_bytes(), raw.as_slice());
    }
}
