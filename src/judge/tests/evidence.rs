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
