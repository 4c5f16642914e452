//! How much evidence a conviction takes.

use super::*;
use Verdict::Regression;

/// The least factor, in steps of half a per cent, that convicts.
fn least_convicted(slower_by: impl Fn(f64) -> Given) -> f64 {
    let factors = (1..100).map(|step| 1.0 + 0.005 * f64::from(step));
    factors.into_iter().find(|factor| slower_by(*factor).judge().verdict == Regression).unwrap()
}

#[test]
fn one_of_many_series_needs_stronger_evidence() {
    let history = Noisy::new(12, 0.01).many(0.010, 30);
    let least = |family| least_convicted(|factor| Given { family, ..Given::times(&history, 0.010 * factor) });
    assert!(least(1000) > least(1), "{} and {}", least(1000), least(1));
    assert_eq!(least(5), least(1), "among a few, each may err once in a thousand");
}

#[test]
fn repeated_runs_of_a_commit_are_stronger_evidence() {
    let history = Noisy::new(12, 0.01).many(0.010, 30);
    let least = |runs| least_convicted(|factor| Given::new(Metric::time(), &history, &vec![0.010 * factor; runs]));
    assert!(least(9) < least(1), "{} and {}", least(9), least(1));
}

#[test]
fn verdicts_turn_at_the_smallest_change_that_a_history_can_prove() {
    for (seed, runs, sigma) in [(13, 3, 0.01), (14, 12, 0.004), (15, 40, 0.01), (16, 120, 0.02)] {
        let history = Noisy::new(seed, sigma).many(0.010, runs);
        let clean = Given::times(&history, 0.010).judge();
        let level = clean.baseline.unwrap().value;
        let provable = clean.reasons.history.unwrap().detectable_percent.unwrap();
        let at = |share: f64| Given::times(&history, level * (1.0 + share * provable / 100.0)).judge().verdict;
        assert_eq!(at(1.01), Regression, "{runs} runs, {provable} %");
        assert_ne!(at(0.99), Regression, "{runs} runs, {provable} %");
    }
}
