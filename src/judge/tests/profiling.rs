//! Which points are worth a look at the counters.

use super::*;

fn reasons(judged: &[&SeriesVerdict], percent: f64) -> Vec<(ProfileReason, usize)> {
    let series = judged.iter().map(|series| (*series).clone()).collect();
    let judgement = Judgement { candidate: commit(1), base: None, series, followers: Vec::new() };
    let thresholds = ProfileThresholds { regression_percent: percent, improvement_percent: percent };
    profile_targets(&judgement, thresholds).iter().map(|target| (target.reason, target.series.len())).collect()
}

#[test]
fn a_loss_or_gain_of_at_least_so_much_is_a_reason_unless_it_passes() {
    let of = |value: f64| Given::new(exact("spills"), &[100.0], &[value]).judge();
    let (worse, better) = (of(120.0), of(80.0));
    let same = of(100.0);
    assert_eq!(reasons(&[&worse], 20.0), [(ProfileReason::Regression, 1)]);
    assert_eq!(reasons(&[&better], 20.0), [(ProfileReason::Improvement, 1)]);
    assert_eq!(reasons(&[&worse, &better, &same], 20.5), []);
    assert_eq!(reasons(&[&same], 0.0), []);
    // Series of one point come together, and the loss weighs more; another point stands for itself.
    assert_eq!(reasons(&[&better, &worse], 20.0), [(ProfileReason::Regression, 2)]);
    let mut elsewhere = worse.clone();
    elsewhere.key.config = "S=1024".parse().unwrap();
    let mut other = worse.clone();
    other.key.benchmark = BenchmarkName::new("softmax").unwrap();
    assert_eq!(reasons(&[&better, &elsewhere, &other], 20.0).len(), 3);
    let undecided = Given::times(&[0.010], 0.0105).check(Verdict::Undecided);
    assert_eq!(reasons(&[&undecided], 4.0), [(ProfileReason::Regression, 1)]);
}
