//! The plain rules: `best-run`, and exact metrics.

use super::Verdict::{Improvement, Pass, Regression};
use super::*;

#[track_caller]
fn check_best_run(history: &[f64], candidate: f64, expected: Verdict) -> SeriesVerdict {
    Given::times(history, candidate).by(BaselineRule::BestRun).check(expected)
}

#[track_caller]
fn check_spills(history: &[f64], candidate: f64, expected: Verdict) -> SeriesVerdict {
    Given::new(exact("spills"), history, &[candidate]).check(expected)
}

#[test]
fn best_run_holds_the_candidate_against_the_best_ever() {
    let judged = check_best_run(&[12.0, 10.0, 11.0], 10.31, Regression);
    assert_eq!(judged.baseline.unwrap().commits, [commit(1)]);
    assert!(judged.reasons.exact && judged.reasons.noise_percent.is_none());
    check_best_run(&[12.0, 10.0, 11.0], 10.29, Pass);
    check_best_run(&[12.0, 10.0, 11.0], 9.51, Pass);
    check_best_run(&[12.0, 10.0, 11.0], 9.49, Improvement);
    Given::new(throughput(), &[10.0, 12.0], &[11.0]).by(BaselineRule::BestRun).check(Regression);
}

#[test]
fn any_worsening_of_an_exact_metric_is_a_regression() {
    check_spills(&[40.0, 32.0, 36.0], 33.0, Regression);
    check_spills(&[40.0, 32.0, 36.0], 32.0, Pass);
    check_spills(&[40.0, 32.0, 36.0], 31.0, Improvement);
    let tolerant = Thresholds::for_metric(&exact("spills"), Some(10.0), None);
    Given { thresholds: tolerant, ..Given::new(exact("spills"), &[100.0], &[105.0]) }.check(Pass);
}

#[test]
fn from_zero_there_is_no_percentage_but_a_verdict() {
    let judged = check_spills(&[0.0, 4.0], 5.0, Regression);
    assert_eq!((judged.change_percent, judged.baseline.unwrap().value), (None, 0.0));
    assert_eq!(check_spills(&[0.0], 0.0, Pass).change_percent, Some(0.0));
    assert_eq!(check_spills(&[5.0], 0.0, Improvement).change_percent, Some(100.0));
}

#[test]
fn exact_runs_that_differ_are_told_and_the_worst_counts() {
    let judged = Given::new(exact("spills"), &[4.0], &[4.0, 6.0, 4.0]).check(Regression);
    assert_eq!(judged.candidate.unwrap().value, 6.0);
    assert_eq!(judged.warnings, [JudgeWarning::ExactRunsDiffer]);
}

#[test]
fn thresholds_default_by_the_kind_of_metric() {
    assert_eq!(Thresholds::for_metric(&Metric::time(), None, None), Thresholds::default());
    assert_eq!(Thresholds::for_metric(&exact("spills"), None, None), Thresholds::EXACT);
    let given = Thresholds::for_metric(&Metric::time(), Some(10.0), None);
    assert_eq!((given.regression_percent, given.improvement_percent), (10.0, 5.0));
}

#[test]
fn the_worst_verdict_is_the_verdict() {
    let judgement = |verdicts: &[(f64, f64)]| {
        let series = verdicts.iter().map(|(old, new)| Given::times(&[*old; 9], *new).judge()).collect();
        Judgement { candidate: commit(1), base: None, series, followers: Vec::new() }.verdict()
    };
    assert_eq!(judgement(&[]), Verdict::NotMeasured);
    assert_eq!(judgement(&[(1.0, 1.0), (1.0, 0.5)]), Pass);
    assert_eq!(judgement(&[(1.0, 0.4), (1.0, 0.5)]), Improvement);
    assert_eq!(judgement(&[(1.0, 0.4), (1.0, 2.0), (1.0, 1.0)]), Regression);
    assert!(Verdict::Undecided > Pass && Verdict::NotMeasured > Verdict::Undecided && Regression > Verdict::NotMeasured);
    assert!(Verdict::New < Improvement && !Verdict::Undecided.holds() && Verdict::New.holds());
}

#[test]
fn the_same_machine_code_is_told_where_the_value_moved() {
    let given = |history: [Option<&str>; 2], candidate: Option<&str>, value: f64| {
        let mut given = Given::new(exact("spills"), &[4.0, 5.0], &[value]);
        for (run, code) in given.series.runs.iter_mut().zip(history).chain(given.candidate.runs.iter_mut().zip([candidate])) {
            run.machine_code = code.map(str::to_owned);
        }
        given
    };
    let same = given([Some("a"), Some("b")], Some("a"), 6.0).check(Regression);
    assert_eq!((same.reasons.same_machine_code, &same.warnings[..]), (Some(true), &[JudgeWarning::SameMachineCode][..]));
    let held = given([Some("a"), Some("b")], Some("a"), 4.0).check(Pass);
    assert_eq!((held.reasons.same_machine_code, &held.warnings[..]), (Some(true), &[][..]));
    let other = given([Some("a"), Some("b")], Some("b"), 6.0).check(Regression);
    assert_eq!((other.reasons.same_machine_code, &other.warnings[..]), (Some(false), &[][..]), "b did not hold the baseline");
    assert_eq!(given([None, Some("a")], Some("a"), 6.0).check(Regression).reasons.same_machine_code, None);
    assert_eq!(given([Some("a"), None], None, 6.0).check(Regression).reasons.same_machine_code, None);
}
