//! The rule of the level without a re-measurement: what the history alone decides.

use super::Verdict::{Improvement, New, NotMeasured, Pass, Regression, Undecided};
use super::*;

#[track_caller]
fn check(history: &[f64], candidate: f64, expected: Verdict) -> SeriesVerdict {
    Given::times(history, candidate).check(expected)
}

/// What someone expects who records one commit, then the next, and checks.
#[test]
fn one_run_of_history_decides_what_is_plain() {
    check(&[0.010], 0.020, Regression);
    check(&[0.010], 0.013, Regression);
    check(&[0.010], 0.0105, Undecided);
    check(&[0.010], 0.0102, Pass);
    check(&[0.010], 0.010, Pass);
    check(&[0.010], 0.0095, Pass);
    check(&[0.010], 0.005, Improvement);
}

#[test]
fn a_missing_side_is_said_and_never_passes_unseen() {
    let new = Given::new(Metric::time(), &[], &[0.01]).check(New);
    assert_eq!((new.change_percent, &new.baseline), (None, &None));
    assert_eq!(new.candidate.unwrap().value, 0.01);
    let missing = Given::new(Metric::time(), &[0.01, 0.01], &[]).check(NotMeasured);
    assert_eq!((missing.reasons.history_runs, missing.baseline.unwrap().value), (2, 0.01));
    Given::new(Metric::time(), &[], &[]).check(NotMeasured);
}

#[test]
fn equal_runs_give_exactly_their_value() {
    let judged = check(&[0.0123; 7], 0.0123, Pass);
    let baseline = judged.baseline.unwrap();
    assert_eq!((baseline.value, baseline.runs, baseline.commits.len()), (0.0123, 7, 7));
    assert_eq!(judged.change_percent, Some(0.0));
    assert!(baseline.low.unwrap() < 0.0123 && baseline.high.unwrap() > 0.0123);
}

#[test]
fn undecided_says_how_many_runs_would_decide_and_strict_fails() {
    let small = check(&[0.010], 0.0105, Undecided);
    assert_eq!(small.reasons.more_runs_needed, None, "no number of runs of two commits tells layout from loss");
    let judged = check(&[0.010], 0.0115, Undecided);
    let more = judged.reasons.more_runs_needed.unwrap();
    assert!((1..20).contains(&more), "{more}");
    let decided = Given::new(Metric::time(), &vec![0.010; 1 + more], &vec![0.0115; 1 + more]);
    decided.check(Regression);
    let strict = Given { strict: true, ..Given::times(&[0.010], 0.0105) };
    strict.check(Regression);
    Given { strict: true, ..Given::times(&[0.010], 0.0102) }.check(Pass);
}

#[test]
fn the_threshold_agrees_with_the_change_that_is_shown() {
    // A long, quiet history: only the threshold decides.
    let history = vec![1.0; 200];
    let judged = check(&history, 1.0299, Pass);
    assert!(judged.reasons.suspicious, "worth a confirmation: {judged:?}");
    check(&history, 1.0301, Regression);
    Given::new(throughput(), &history, &[0.9701]).check(Pass);
    Given::new(throughput(), &history, &[0.9699]).check(Regression);
    check(&history, 0.9499, Improvement);
    check(&history, 0.9501, Pass);
    Given::new(throughput(), &history, &[1.0501]).check(Improvement);
}

#[test]
fn the_change_is_negative_for_the_worse_in_either_direction() {
    assert!((check(&[1.0; 9], 1.2, Regression).change_percent.unwrap() + 20.0).abs() < 1e-9);
    let slower = Given::new(throughput(), &[1.0; 9], &[0.8]).check(Regression);
    assert!((slower.change_percent.unwrap() + 20.0).abs() < 1e-9);
}

#[test]
fn one_lucky_run_is_not_a_level() {
    let mut history = Noisy::new(1, 0.005).many(0.010, 40);
    history[20] = 0.0080;
    let judged = check(&history, 0.010, Pass);
    assert!((0.0098..0.0101).contains(&judged.baseline.unwrap().value));
    Given::times(&history, 0.010).by(BaselineRule::BestRun).check(Regression);
}

#[test]
fn a_better_level_binds_as_soon_as_it_was_reached_twice() {
    let mut noisy = Noisy::new(2, 0.005);
    let mut history = noisy.many(0.010, 30);
    history.extend(noisy.many(0.008, 2));
    let judged = check(&history, 0.010, Regression);
    let baseline = judged.baseline.unwrap();
    assert_eq!((baseline.runs, baseline.commits), (2, vec![commit(30), commit(31)]));
    assert!(!judged.reasons.provisional, "no fluke comes twice");
}

/// What its filter takes for an outlier does not hold the level, and is not built again to measure against.
#[test]
fn an_outlier_among_the_runs_of_a_level_does_not_hold_it() {
    let mut history = vec![0.010; 12];
    history[8] = 0.014;
    let baseline = check(&history, 0.010, Pass).baseline.unwrap();
    assert_eq!((baseline.runs, baseline.commits.contains(&commit(8)), baseline.commits.len()), (11, false, 11));
}

/// The variance of a commit's place is ½ + ½ · π/2n of that of one run: layout stays, noise averages out.
#[test]
fn a_level_of_commits_that_were_measured_repeatedly_is_known_better() {
    let width = |times: usize| {
        let mut given = Given::times(&vec![0.010; 10 * times], 0.010);
        given.series.runs.iter_mut().for_each(|run| run.position /= times);
        let baseline = given.check(Pass).baseline.unwrap();
        (baseline.high.unwrap() / baseline.low.unwrap()).ln()
    };
    let narrower = (width(9) / width(1)).powi(2);
    assert!((narrower - (0.5 + 0.5 * std::f64::consts::PI / 18.0)).abs() < 1e-9, "{narrower}");
}

/// The promise of the name: whatever is let in later, what was reached stays the bar.
#[test]
fn a_ratchet_does_not_loosen_without_an_excuse() {
    for history in [&[10.0, 20.0][..], &[10.0, 20.0, 20.0], &[118.0, 112.0, 300.0], &[33.0, 33.0, 70.0, 70.0]] {
        let values: Vec<f64> = history.iter().map(|milliseconds| milliseconds / 1000.0).collect();
        let best = values.iter().copied().fold(f64::INFINITY, f64::min);
        for more in 0..=6 - values.len() {
            let grown = [values.clone(), vec![values[values.len() - 1]; more]].concat();
            let judged = Given::times(&grown, best * 1.6).judge();
            assert!(judged.baseline.unwrap().value < best * 1.05, "{grown:?}");
        }
    }
    // Twice is enough to be remembered for good.
    let long = [vec![0.118, 0.112], vec![0.3; 100]].concat();
    assert!(check(&long, 0.2, Regression).baseline.unwrap().value < 0.119);
}

/// Otherwise a gain could be lost unseen by the very next commit.
#[test]
fn a_plainly_better_newest_run_binds_at_once() {
    let mut history = Noisy::new(3, 0.005).many(0.010, 30);
    history.push(0.008);
    let judged = check(&history, 0.010, Regression);
    assert!(judged.reasons.provisional);
    assert_eq!(judged.baseline.unwrap().commits, [commit(30)]);
    check(&history, 0.008, Pass);
    // The next run came out as before: the fast one was a fluke.
    history.push(0.010);
    check(&history, 0.010, Pass);
}

/// What the first commits of a repository look like.
#[test]
fn the_first_improvements_of_a_young_series_bind() {
    for (history, lost) in [
        (&[20.0, 10.0][..], 20.0),
        (&[20.0, 10.0, 10.1], 20.0),
        (&[20.0, 20.1, 10.0], 20.0),
        (&[20.0, 10.0, 5.0], 10.0),
        (&[310.0, 33.0, 33.2], 215.0),
    ] {
        let judged = check(history, lost, Regression);
        assert!(judged.baseline.unwrap().value < 0.6 * lost, "{history:?}");
        check(history, history[history.len() - 1], Pass);
    }
    Given::new(throughput(), &[100.0, 150.0], &[75.0]).check(Regression);
    check(&[310.0], 33.0, Improvement);
}

/// Runs that go up and down are noise however few they are.
#[test]
fn three_runs_that_turn_back_are_noise() {
    check(&[0.010, 0.0101, 0.007], 0.010, Regression);
    check(&[0.010, 0.007, 0.010], 0.010, Undecided);
}

#[test]
fn a_regression_that_was_let_in_stays_one() {
    let mut noisy = Noisy::new(4, 0.004);
    let mut history = noisy.many(0.010, 30);
    history.extend(noisy.many(0.0115, 10));
    let judged = check(&history, 0.0115, Regression);
    let creep = judged.reasons.creep.unwrap();
    assert!(creep.own_percent.unwrap().abs() < 2.0, "the candidate itself lost nothing: {creep:?}");
    assert_eq!((creep.to, creep.commits >= 10), (commit(39), true));
}

#[test]
fn ten_commits_of_one_percent_each_are_caught() {
    let mut noisy = Noisy::new(5, 0.002);
    let mut history = noisy.many(0.010, 60);
    let caught = (1..=10).find_map(|step| {
        let next = noisy.around(0.010 * 1.01_f64.powi(step));
        let judged = Given::times(&history, next).judge();
        history.push(next);
        (judged.verdict == Regression).then_some((step, judged))
    });
    let (step, judged) = caught.unwrap();
    assert!((3..=5).contains(&step), "at a total loss of three percent or little more, not at {step}");
    let creep = judged.reasons.creep.unwrap();
    assert!(creep.own_percent.unwrap() > -2.0 && creep.total_percent.unwrap() < -3.0, "{creep:?}");
    assert_eq!(creep.to, commit(60 + step as usize - 2));
    assert!((commit(55)..=commit(61)).contains(&creep.from), "it began after the flat stretch: {creep:?}");
}

#[test]
fn in_a_long_noisy_history_what_noise_explains_passes_with_a_warning() {
    let history = Noisy::new(6, 0.03).many(0.010, 60);
    let judged = check(&history, 0.0105, Pass);
    let [JudgeWarning::NoiseHidesLoss { detectable_percent: Some(percent) }] = judged.warnings.as_slice() else {
        panic!("{:?}", judged.warnings);
    };
    assert!((8.0..20.0).contains(percent), "{percent}");
    check(&history, 0.0125, Regression);
    check(&history[..20], 0.0105, Undecided);
}

#[test]
fn scatter_within_the_runs_widens_what_little_history_allows() {
    let scattered = |value: f64| Summary { low: Some(value * 0.85), high: Some(value * 1.18), ..Summary::single(value) };
    let mut given = Given::times(&[0.010], 0.013);
    given.check(Regression);
    given.series.runs[0].summary = scattered(0.010);
    given.candidate.runs[0].summary = scattered(0.013);
    given.check(Undecided);
}

#[test]
fn several_runs_of_the_candidate_count_by_their_median() {
    let history = Noisy::new(7, 0.01).many(0.010, 30);
    let judged = Given::new(Metric::time(), &history, &[0.0101, 0.0150, 0.0100]).check(Pass);
    let candidate = judged.candidate.unwrap();
    assert_eq!((candidate.value, candidate.runs), (0.0101, 3));
    assert!(candidate.low.unwrap() < 0.0101 && candidate.high.unwrap() > 0.0101);
    Given::new(Metric::time(), &history, &[0.0106]).check(Regression);
}

#[test]
fn a_revision_as_baseline_takes_all_its_runs() {
    let judged = Given::times(&[0.010, 0.011, 0.012, 0.011, 0.010], 0.010).by(BaselineRule::Revision).check(Pass);
    let baseline = judged.baseline.unwrap();
    assert_eq!(baseline.runs, 5);
    assert!((0.0107..0.0109).contains(&baseline.value));
}

#[test]
fn zero_and_negative_values_have_a_scale_too() {
    let degrees = |history: &[f64], candidate: f64| {
        let mut metric = throughput();
        metric.better = crate::model::Direction::Lower;
        Given::new(metric, history, &[candidate]).judge()
    };
    let from_zero = degrees(&[0.0; 12], 5.0);
    assert_eq!((from_zero.verdict, from_zero.change_percent), (Regression, None));
    assert_eq!(degrees(&[0.0; 12], 0.0).verdict, Pass);
    assert_eq!(degrees(&[-2.0; 12], -2.0).change_percent, Some(0.0));
    assert_eq!(degrees(&[-2.0; 12], -1.0).verdict, Regression);
    assert_eq!(degrees(&[-2.0; 12], -3.0).verdict, Improvement);
    let least = f64::from_bits(1);
    assert_eq!(degrees(&[least; 2], 0.0).candidate.map(|candidate| candidate.value), Some(0.0), "the smallest numbers there are");
}

#[test]
fn an_interval_that_no_number_can_say_is_not_said() {
    let baseline = check(&[1.79e308; 3], 1.79e308, Pass).baseline.unwrap();
    assert_eq!((baseline.value, baseline.low, baseline.high), (1.79e308, None, None));
}

#[test]
fn pooled_noise_sharpens_the_verdict_on_a_young_series() {
    let quiet: Vec<Series> = (0..4).map(|seed| Given::times(&Noisy::new(seed, 0.002).many(1.0, 20), 1.0).series).collect();
    let prior = NoisePrior::pooled(&quiet);
    assert!((0.001..0.004).contains(&prior.sigma) && prior.weight == 5.0, "{prior:?}");
    let young = Given::times(&[0.010], 0.0105);
    young.check(Undecided);
    Given { prior, ..young }.check(Regression);
    assert_eq!(NoisePrior::pooled(&quiet[..2]), NoisePrior::default());
}

#[test]
fn stretches_are_the_levels_of_a_series() {
    let mut noisy = Noisy::new(8, 0.01);
    let mut history = noisy.many(0.010, 30);
    history.extend(noisy.many(0.012, 20));
    history[10] = 0.030;
    let found = stretches(&Given::times(&history, 0.01).series, NoisePrior::default());
    assert_eq!(found.iter().map(|stretch| stretch.runs.clone()).collect::<Vec<_>>(), [0..30, 30..50]);
    assert!((found[1].value / 0.012 - 1.0).abs() < 0.01);
    let spills = Given::new(exact("spills"), &[0.0, 0.0, 4.0, 0.0], &[]).series;
    assert_eq!(stretches(&spills, NoisePrior::default()).len(), 3);
}

#[test]
fn stretches_of_a_very_short_history_join_no_values_that_lie_far_apart() {
    let cut =
        |series: &Series| stretches(series, NoisePrior::default()).into_iter().map(|stretch| stretch.runs).collect::<Vec<_>>();
    let of_times = |history: &[f64]| cut(&Given::times(history, 0.01).series);
    assert_eq!(of_times(&[0.013, 0.0019]), [0..1, 1..2]);
    assert_eq!(of_times(&[0.013, 0.0019, 0.0018, 0.0018]), [0..1, 1..4]);
    assert_eq!(of_times(&[0.013, 0.0019, 0.0018, 0.0018, 0.0046, 0.0046]), [0..1, 1..4, 4..6]);
    assert_eq!(of_times(&[0.010, 0.0103, 0.0098, 0.0101]).len(), 1);
    // Runs that do not know their own median do not lie apart.
    let mut vague = Given::times(&[0.010, 0.014], 0.01).series;
    for run in &mut vague.runs {
        (run.summary.low, run.summary.high) = (Some(run.value() * 0.8), Some(run.value() * 1.25));
    }
    assert_eq!(cut(&vague).len(), 1);
    vague.runs.iter_mut().for_each(|run| (run.summary.low, run.summary.high) = (None, None));
    assert_eq!(cut(&vague), [0..1, 1..2]);
}

/// Whole runs are slow now and then, and the next is as before.
#[test]
fn what_came_and_went_before_does_not_convict_one_commit_but_does_when_it_lasts() {
    let mut history = Noisy::new(9, 0.004).many(0.010, 60);
    (history[20], history[45]) = (0.013, 0.0125);
    let judged = check(&history, 0.0135, Pass);
    let test = judged.reasons.history.unwrap();
    assert!((25.0..35.0).contains(&test.excursion_percent.unwrap()), "{test:?}");
    assert!(test.p <= test.alpha, "by the usual noise alone it would be one");
    check(&history, 0.020, Regression);
    check(&history[..40], 0.0135, Undecided);
    assert_eq!(check(&[0.010; 60], 0.0135, Regression).reasons.history.unwrap().excursion_percent, None);
    history.push(0.0128);
    check(&history, 0.0128, Regression);
    // What is mended is not blamed for what was before.
    check(&history, 0.0101, Pass);
}

#[test]
fn a_loss_that_noise_hides_in_one_commit_shows_when_it_lasts() {
    let mut noisy = Noisy::new(10, 0.01);
    let mut history = noisy.many(0.010, 80);
    let convicted_after = (1..=10).find(|_| {
        let next = noisy.around(0.0105);
        let judged = Given::times(&history, next).judge();
        history.push(next);
        judged.verdict == Regression
    });
    assert!(convicted_after.is_some_and(|commits| commits <= 7), "{convicted_after:?}");
}

/// A fast run that was a fluke must not make the next one guilty, where flukes are known.
#[test]
fn fast_flukes_of_the_past_keep_the_next_one_from_binding() {
    let mut history = Noisy::new(11, 0.004).many(0.010, 40);
    history[15] = 0.008;
    history.push(0.0078);
    let judged = check(&history, 0.010, Pass);
    assert!(!judged.reasons.provisional);
    check(&history[..40], 0.0078, Pass);
}
