//! Excuses: what they set aside, what they forgive, and when they do nothing.

use super::Verdict::{New, Pass, Regression};
use super::*;
use crate::model::{Excuse, ExcuseScope};

/// Fast until commit 19, slow since; the candidate is as slow.
fn slowed_down() -> Given {
    let mut noisy = Noisy::new(11, 0.004);
    let mut history = noisy.many(0.010, 20);
    history.extend(noisy.many(0.012, 10));
    Given::times(&history, 0.012)
}

pub(super) fn excuse() -> Excuse {
    Excuse {
        id: LineId::from_parts(5, 5),
        time: at(0),
        author: Author { name: "Ada".to_owned(), email: "ada@example.org".to_owned() },
        tree: commit(7),
        scope: ExcuseScope::default(),
        reason: "numerical stability".to_owned(),
        until: None,
        expires: None,
    }
}

fn with(given: Given, excuse: Excuse, place: ExcusePlace) -> Given {
    Given { excuses: vec![PlacedExcuse { excuse, place }], ..given }
}

#[test]
fn from_the_excused_commit_on_older_levels_no_longer_bind() {
    slowed_down().check(Regression);
    let judged = with(slowed_down(), excuse(), ExcusePlace::History(9)).check(Pass);
    let applied = judged.excuse.unwrap();
    assert_eq!(applied.effect, ExcuseEffect::ResetBaseline { runs: 20 });
    assert_eq!(applied.excuse.author.name, "Ada");
    assert_eq!(judged.reasons.history_runs, 10);
    // Excused further back than the loss: the fast runs since then still bind.
    with(slowed_down(), excuse(), ExcusePlace::History(20)).check(Regression);
}

#[test]
fn after_an_excuse_the_ratchet_holds_again() {
    let mut given = with(slowed_down(), excuse(), ExcusePlace::History(9));
    given.candidate.runs[0].summary = Summary::single(0.0135);
    given.check(Regression);
}

#[test]
fn of_several_excuses_the_newest_resets() {
    let mut given = with(slowed_down(), excuse(), ExcusePlace::History(25));
    given.excuses.push(PlacedExcuse { excuse: excuse(), place: ExcusePlace::History(9) });
    given.check(Pass);
    given.excuses.reverse();
    given.check(Pass);
}

#[test]
fn an_excuse_newer_than_every_run_leaves_nothing_that_binds() {
    let mut given = with(slowed_down(), excuse(), ExcusePlace::History(0));
    given.series.runs.iter_mut().for_each(|run| run.position += 1);
    let judged = given.check(New);
    assert_eq!(judged.excuse.unwrap().effect, ExcuseEffect::ResetBaseline { runs: 30 });
}

#[test]
fn an_excuse_older_than_every_run_sets_nothing_aside() {
    let judged = with(slowed_down(), excuse(), ExcusePlace::History(29)).check(Regression);
    assert_eq!((judged.excuse, judged.reasons.history_runs), (None, 30));
}

#[test]
fn an_excuse_of_the_candidate_forgives_it() {
    let judged = with(slowed_down(), excuse(), ExcusePlace::Candidate).check(Pass);
    assert_eq!(judged.excuse.unwrap().effect, ExcuseEffect::Forgave { verdict: Regression });
    assert!(judged.change_percent.unwrap() < -15.0, "the loss is shown all the same");
    let needless = with(Given::times(&[0.010; 9], 0.010), excuse(), ExcusePlace::Candidate).check(Pass);
    assert_eq!(needless.excuse, None);
    let exact_metric = with(Given::new(exact("spills"), &[0.0], &[5.0]), excuse(), ExcusePlace::Candidate);
    exact_metric.check(Pass);
}

#[test]
fn beyond_its_limit_an_excuse_does_nothing() {
    for place in [ExcusePlace::Candidate, ExcusePlace::History(9)] {
        with(slowed_down(), Excuse { until: Some(0.0125), ..excuse() }, place).check(Pass);
        let judged = with(slowed_down(), Excuse { until: Some(0.0119), ..excuse() }, place).check(Regression);
        assert!(matches!(judged.warnings.as_slice(), [JudgeWarning::ExcuseExceeded { until: 0.0119, .. }]));
        assert_eq!(judged.excuse, None);
    }
    with(slowed_down(), Excuse { until: Some(0.012), ..excuse() }, ExcusePlace::Candidate).check(Pass);
    let throughput = Given::new(throughput(), &[100.0; 9], &[80.0]);
    with(throughput.clone(), Excuse { until: Some(80.0), ..excuse() }, ExcusePlace::Candidate).check(Pass);
    with(throughput.clone(), Excuse { until: Some(75.0), ..excuse() }, ExcusePlace::Candidate).check(Pass);
    with(throughput, Excuse { until: Some(85.0), ..excuse() }, ExcusePlace::Candidate).check(Regression);
}

#[test]
fn after_its_time_an_excuse_does_nothing() {
    let limited = with(slowed_down(), Excuse { expires: Some(at(100)), ..excuse() }, ExcusePlace::History(9));
    Given { now: at(99), ..limited.clone() }.check(Pass);
    let judged = Given { now: at(100), ..limited }.check(Regression);
    assert!(matches!(&judged.warnings[..], [JudgeWarning::ExcuseExpired { expired, .. }] if *expired == at(100)));
}

#[test]
fn an_excuse_of_another_series_does_nothing() {
    let scope = ExcuseScope { benchmark: Some(BenchmarkName::new("softmax").unwrap()), ..ExcuseScope::default() };
    let judged = with(slowed_down(), Excuse { scope, ..excuse() }, ExcusePlace::Candidate).check(Regression);
    assert_eq!((judged.excuse, judged.warnings.len()), (None, 0));
}
