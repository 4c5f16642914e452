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
    assert!(judged.reasons.exact && judged.reasons.noise_percent.is_none() && judged.reasons.history_runs == 3);
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
fn a_change_of_just_the_threshold_is_within_it() {
    let with = |metric: Metric, candidate: f64| {
        let thresholds = Thresholds::for_metric(&metric, Some(10.0), Some(10.0));
        Given { thresholds, ..Given::new(metric, &[100.0], &[candidate]) }
    };
    for candidate in [110.0, 90.0] {
        with(exact("spills"), candidate).check(Pass);
        with(Metric { exact: true, ..throughput() }, candidate).check(Pass);
    }
    with(exact("spills"), 111.0).check(Regression);
    with(exact("spills"), 89.0).check(Improvement);
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
    let occupancy = Metric { exact: true, ..throughput() };
    assert_eq!(Given::new(occupancy, &[4.0], &[4.0, 3.0, 4.0]).check(Regression).candidate.unwrap().value, 3.0);
    assert_eq!(Given::new(exact("spills"), &[4.0], &[4.0, 4.0]).check(Pass).warnings, []);
    // Noisy runs may differ, and count by their median.
    let noisy = Given::new(Metric::time(), &[4.0], &[4.1, 9.0, 3.0]).by(BaselineRule::BestRun).check(Pass);
    assert_eq!((noisy.candidate.unwrap().value, &noisy.warnings[..]), (4.1, &[][..]));
}

#[test]
fn a_single_run_brings_its_own_interval_and_several_have_none() {
    let wide = |value: f64| Summary { low: Some(0.9 * value), high: Some(1.1 * value), ..Summary::single(value) };
    let judged = |runs: usize| {
        let mut given = Given::new(Metric::time(), &[4.0, 5.0], &vec![4.0; runs]).by(BaselineRule::BestRun);
        given.series.runs.iter_mut().chain(&mut given.candidate.runs).for_each(|run| run.summary = wide(run.value()));
        given.check(Pass)
    };
    let (one, baseline) = (judged(1).candidate.unwrap(), judged(1).baseline.unwrap());
    assert_eq!((one.low, one.high, baseline.low, baseline.high), (Some(3.6), Some(4.4), Some(3.6), Some(4.4)));
    assert_eq!(judged(2).candidate.map(|two| (two.low, two.high, two.runs)), Some((None, None, 2)));
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
fn the_worst_series_is_the_one_to_explain() {
    let exact_loss = |old: f64, new: f64| Given::new(exact("spills"), &[old], &[new]).judge();
    let timed_loss = |new: f64| Given::times(&[1.0; 9], new).judge();
    let worst = |series: &[&SeriesVerdict]| {
        let series = series.iter().map(|series| (*series).clone()).collect();
        let judgement = Judgement { candidate: commit(1), base: None, series, followers: Vec::new() };
        judgement.worst().map(|series| (series.metric.exact, series.change_percent.unwrap().round()))
    };
    let (loss, larger, gain) = (timed_loss(2.0), timed_loss(3.0), timed_loss(0.4));
    let (counted, unmeasured) = (exact_loss(1.0, 9.0), Given::new(Metric::time(), &[1.0], &[]).judge());
    let without_baseline = Given::new(Metric::time(), &[], &[1.0]).judge();
    assert_eq!(worst(&[&loss, &larger, &gain]), Some((false, -200.0)), "the largest loss");
    assert_eq!(worst(&[&larger, &loss]), Some((false, -200.0)));
    assert_eq!(worst(&[&counted, &loss]), Some((false, -100.0)), "what is measured before what is counted");
    assert_eq!(worst(&[&counted, &gain]), Some((true, -800.0)), "a loss before a gain");
    assert_eq!(worst(&[&unmeasured, &gain, &without_baseline]), Some((false, 60.0)), "what has two sides");
    assert_eq!(worst(&[&unmeasured, &without_baseline]), None);
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
