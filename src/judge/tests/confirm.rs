//! The paired re-measurement: when it goes on, when it stops, and what it overrules.

use super::Verdict::{Improvement, Pass, Regression, Undecided};
use super::*;

fn pairs(noisy: &mut Noisy, reference: f64, candidate: f64, count: usize) -> Vec<Pair> {
    let pair = |_| Pair { reference: noisy.around(reference), candidate: noisy.around(candidate), reference_commit: commit(0) };
    (0..count).map(pair).collect()
}

fn suspected(candidate: f64) -> Given {
    Given::times(&Noisy::new(21, 0.01).many(1.0, 30), candidate)
}

fn plan(given: &Given) -> ConfirmPlan {
    given.judge().reasons.plan.unwrap()
}

/// Measures as the plan asks, as a live confirmation would.
fn drive(plan: &ConfirmPlan, mut measure: impl FnMut() -> Pair) -> (StopReason, usize) {
    let mut measured = Vec::new();
    loop {
        match plan.next_step(&measured) {
            Step::Stop(reason) => return (reason, measured.len()),
            Step::Continue => assert!(measured.len() < plan.most_pairs),
        }
        measured.push(measure());
    }
}

#[test]
fn a_real_loss_is_proven_early() {
    let plan = plan(&suspected(1.06));
    let mut noisy = Noisy::new(22, 0.01);
    let (reason, count) = drive(&plan, || pairs(&mut noisy, 1.0, 1.08, 1)[0]);
    assert_eq!((plan.side, reason, count), (Side::Loss, StopReason::Proven, 8));
}

#[test]
fn no_loss_is_futile_after_four_pairs() {
    let plan = plan(&suspected(1.06));
    let mut noisy = Noisy::new(23, 0.002);
    assert_eq!(drive(&plan, || pairs(&mut noisy, 1.0, 1.0, 1)[0]), (StopReason::Futile, 4));
}

#[test]
fn a_loss_short_of_the_threshold_is_not_proven() {
    let plan = plan(&suspected(1.06));
    let mut noisy = Noisy::new(24, 0.001);
    let (reason, count) = drive(&plan, || pairs(&mut noisy, 1.0, 1.025, 1)[0]);
    assert_eq!((reason, count), (StopReason::NotProven, plan.most_pairs));
}

/// A busy computer scatters more than the history it is held against: the pairs go on for as long as it takes.
#[test]
fn the_number_of_pairs_does_not_depend_on_the_noise_of_the_history() {
    let most_pairs = |sigma| plan(&Given::times(&Noisy::new(25, sigma).many(1.0, 200), 1.5)).most_pairs;
    assert_eq!((most_pairs(0.005), most_pairs(0.2)), (24, 24));
}

/// Measures a candidate in turn with four commits of the level whose binaries differ by `layouts`.
fn against_binaries(plan: &ConfirmPlan, layouts: [f64; 4], candidate: f64, noisy: &mut Noisy) -> (StopReason, usize) {
    let mut turn = 0;
    drive(plan, || {
        let (number, layout) = (turn % 4, layouts[turn % 4]);
        turn += 1;
        Pair { reference: noisy.around(layout), candidate: noisy.around(candidate), reference_commit: commit(number) }
    })
}

#[test]
fn a_loss_no_larger_than_what_binaries_of_the_level_differ_by_is_not_the_commits_fault() {
    let plan = plan(&suspected(1.06));
    let mut noisy = Noisy::new(26, 0.002);
    let unlike = against_binaries(&plan, [0.96, 0.99, 1.01, 1.04], 1.05, &mut noisy);
    assert_eq!(unlike, (StopReason::WithinLayoutNoise, plan.most_pairs));
    let alike = against_binaries(&plan, [0.999, 1.0, 1.001, 1.0], 1.05, &mut noisy);
    assert_eq!(alike, (StopReason::Proven, 8));
}

/// Noise of the session must not be taken for layouts: binaries that are alike but measured badly differ, too.
#[test]
fn a_noisy_session_is_not_taken_for_unlike_binaries() {
    let plan = plan(&suspected(1.06));
    let mut noisy = Noisy::new(27, 0.03);
    let proven = (0..100).filter(|_| against_binaries(&plan, [1.0; 4], 1.10, &mut noisy).0 == StopReason::Proven).count();
    assert!(proven >= 95, "{proven} of 100");
}

/// A single commit of the level shows nothing of layouts, and may itself be a lucky one.
#[test]
fn with_one_commit_to_measure_against_more_is_needed_than_with_four() {
    let mut noisy = Noisy::new(32, 0.001);
    let mut needed = |references: usize| {
        let pair = |at: usize| Pair { reference_commit: commit(at % references), ..pairs(&mut noisy, 1.0, 1.1, 1)[0] };
        let measured = Given { pairs: (0..12).map(pair).collect(), thresholds: narrow(), ..suspected(1.1) }.judge();
        measured.reasons.confirmation.unwrap().needed_percent.unwrap()
    };
    let (one, four) = (needed(1), needed(4));
    assert!(one < four && four <= -1.0, "{one} % and {four} %");
}

/// A level was chosen for being fast, and a loss has to be more than the luck in that. A gain is better than even that.
#[test]
fn the_luck_of_the_level_is_asked_for_on_top_of_a_loss_and_not_of_a_gain() {
    let history = [vec![1.0; 30], vec![0.95; 5]].concat();
    let needed = |candidate: f64| {
        let thresholds = Thresholds { regression_percent: 10.0, improvement_percent: 10.0 };
        let pair = |at: usize| Pair { reference: 0.95, candidate, reference_commit: commit(30 + at % 4) };
        let given = Given { thresholds, pairs: (0..12).map(pair).collect(), ..Given::times(&history, candidate) };
        given.judge().reasons.confirmation.unwrap().needed_percent.unwrap()
    };
    assert!((needed(0.7) - 10.0).abs() < 1e-9, "{}", needed(0.7));
    assert!(needed(1.2) < -10.1, "{}", needed(1.2));
}

fn narrow() -> Thresholds {
    Thresholds { regression_percent: 1.0, ..Thresholds::default() }
}

#[test]
fn the_confirmation_overrules_the_history_both_ways() {
    let mut noisy = Noisy::new(28, 0.01);
    suspected(1.10).check(Regression);
    let cleared = Given { pairs: pairs(&mut noisy, 1.1, 1.1, 10), ..suspected(1.10) }.check(Pass);
    let confirmation = cleared.reasons.confirmation.unwrap();
    assert_eq!(confirmation.stopped, StopReason::Futile);
    let undecided = Given::times(&[1.0], 1.05);
    undecided.check(Undecided);
    let judged = Given { pairs: pairs(&mut noisy, 1.0, 1.07, 10), ..undecided }.check(Regression);
    let confirmation = judged.reasons.confirmation.unwrap();
    assert_eq!((confirmation.stopped, confirmation.pairs), (StopReason::Proven, 10));
    assert!(confirmation.low_percent < confirmation.shift_percent && confirmation.shift_percent < confirmation.high_percent);
    assert!((-9.0..-5.0).contains(&confirmation.shift_percent.unwrap()) && confirmation.p < 0.001);
}

#[test]
fn a_confirmation_cut_short_decides_nothing() {
    let mut noisy = Noisy::new(29, 0.01);
    let judged = Given { pairs: pairs(&mut noisy, 1.0, 1.07, 5), ..suspected(1.05) }.check(Undecided);
    assert_eq!(judged.reasons.confirmation.unwrap().stopped, StopReason::TooFewPairs);
}

/// Of so many confirmations in sessions with this much noise, how many end in each of these ways.
fn count_stops(noise: f64, loss: f64, trials: u64, ends: &[StopReason]) -> usize {
    let plan = plan(&suspected(1.06));
    let ends_so = |trial: &u64| {
        let mut noisy = Noisy::new(4_000_000 + trial, noise);
        ends.contains(&drive(&plan, || pairs(&mut noisy, 1.0, 1.0 + loss, 1)[0]).0)
    };
    (0..trials).filter(ends_so).count()
}

#[test]
fn a_computer_too_noisy_to_tell_is_not_taken_for_a_clean_commit() {
    let clears = [StopReason::Futile, StopReason::NotProven, StopReason::WithinLayoutNoise];
    for noise in [0.05, 0.2] {
        let cleared = count_stops(noise, 0.062, 50, &clears);
        assert!(cleared <= 12, "{cleared} of 50 losses of 6 % pass where runs scatter by {noise}");
    }
}

/// A loss of 9 % that is plainly there, against four commits that lie up to 14 % apart. Where single runs scatter as much, noise
/// explains that as well as layouts do, and must not clear it.
#[test]
fn commits_that_noise_sets_apart_do_not_excuse_a_loss() {
    let stopped = |scatter: f64| {
        let pair = |at: usize| {
            let run = [-1.5, -0.8, -0.3, 0.3, 0.8, 1.5][at / 4] * scatter;
            let layout = [-0.07, -0.014, 0.014, 0.07][at % 4];
            // No two runs are the same.
            let candidate = 0.09 + run + 1e-4 * at as f64;
            Pair { reference: (layout + run).exp(), candidate: candidate.exp(), reference_commit: commit(at % 4) }
        };
        let measured: Vec<Pair> = (0..24).map(pair).collect();
        let outcome = plan(&suspected(1.06)).outcome(&measured).unwrap();
        assert!(outcome.p < 0.001 && outcome.shift_percent > outcome.needed_percent, "{outcome:?}");
        outcome.stopped
    };
    assert_eq!((stopped(0.06), stopped(0.005)), (StopReason::TooNoisy, StopReason::WithinLayoutNoise));
}

#[test]
fn a_quiet_computer_is_never_too_noisy() {
    for noise in [0.002, 0.02] {
        for loss in [0.0, 0.02, 0.10] {
            assert_eq!(count_stops(noise, loss, 40, &[StopReason::TooNoisy]), 0, "{loss} where runs scatter by {noise}");
        }
    }
}

/// A session with no difference between the two, in which single runs lie up to a factor of e apart.
fn busy(given: Given) -> Given {
    let pair = |at: usize| {
        let value = ((7 * at % 24) as f64 / 24.0).exp();
        Pair { reference: value, candidate: value, reference_commit: commit(at % 4) }
    };
    Given { pairs: (0..24).map(pair).collect(), ..given }
}

#[test]
fn what_cannot_be_told_is_undecided_even_where_history_alone_would_convict() {
    suspected(1.10).check(Regression);
    let judged = busy(suspected(1.10)).check(Undecided);
    let confirmation = judged.reasons.confirmation.unwrap();
    assert_eq!((confirmation.stopped, confirmation.pairs), (StopReason::TooNoisy, 24));
    assert!(confirmation.low_percent.unwrap() < -6.0, "{confirmation:?}");
    assert_eq!(judged.reasons.more_runs_needed, None, "more of the same noise would not tell");
    assert!(matches!(judged.warnings[..], [JudgeWarning::TooNoisyToConfirm { .. }]), "{:?}", judged.warnings);
    Given { strict: true, ..busy(suspected(1.10)) }.check(Regression);
}

#[test]
fn what_cannot_be_told_passes_where_both_measurements_lie_within_the_threshold() {
    let judged = busy(suspected(1.023)).check(Pass);
    assert!(matches!(judged.warnings[..], [JudgeWarning::TooNoisyToConfirm { .. }]), "{:?}", judged.warnings);
    let mut looks_like_a_loss = busy(suspected(1.023));
    looks_like_a_loss.pairs.iter_mut().for_each(|pair| pair.candidate *= 1.05);
    looks_like_a_loss.check(Undecided);
}

/// A long history in which runs always scattered like this has said already that such a loss means nothing here.
#[test]
fn a_computer_that_is_always_this_noisy_is_judged_as_its_history_says() {
    let after = |runs, noise| busy(Given::times(&Noisy::new(33, noise).many(1.0, runs), 1.1));
    after(20, 0.3).check(Undecided);
    let judged = after(120, 0.3).check(Pass);
    assert!(
        matches!(judged.warnings[..], [JudgeWarning::NoiseHidesLoss { .. }, JudgeWarning::TooNoisyToConfirm { .. }]),
        "{:?}",
        judged.warnings
    );
    after(120, 0.03).check(Undecided);
}

#[test]
fn a_gain_that_cannot_be_told_passes() {
    let judged = busy(suspected(0.90)).check(Pass);
    assert_eq!((judged.reasons.plan.unwrap().side, judged.warnings.len()), (Side::Gain, 0));
    assert_ne!(judged.reasons.confirmation.unwrap().stopped, StopReason::TooNoisy);
}

#[test]
fn an_improvement_is_confirmed_the_same_way() {
    let mut noisy = Noisy::new(30, 0.01);
    let better = suspected(0.90);
    assert_eq!(plan(&better).side, Side::Gain);
    let judged = Given { pairs: pairs(&mut noisy, 1.0, 0.90, 10), ..better.clone() }.check(Improvement);
    let confirmation = judged.reasons.confirmation.unwrap();
    assert!(confirmation.low_percent < confirmation.shift_percent && confirmation.shift_percent < confirmation.high_percent);
    Given { pairs: pairs(&mut noisy, 1.0, 1.0, 10), ..better }.check(Pass);
}

#[test]
fn several_suspects_need_surer_proof_and_can_still_be_convicted() {
    let given = suspected(1.06);
    let planned = |suspects| {
        let input = SeriesInput {
            series: &given.series,
            candidate: &given.candidate,
            thresholds: given.thresholds,
            rule: given.rule,
            strict: false,
            excuses: &[],
            now: given.now,
            prior: given.prior,
            pairs: &[],
            suspects,
            family: 1,
        };
        judge_series(&input).reasons.plan.unwrap()
    };
    assert!((planned(20).alpha - planned(1).alpha / 20.0).abs() < 1e-12);
    let mut noisy = Noisy::new(31, 0.001);
    for suspects in [1, 20, 1_000_000] {
        let (reason, _) = drive(&planned(suspects), || pairs(&mut noisy, 1.0, 1.2, 1)[0]);
        assert_eq!(reason, StopReason::Proven, "{suspects} suspects can still be convicted");
    }
}

#[test]
fn nothing_suspicious_has_no_plan() {
    assert_eq!(suspected(1.0).judge().reasons.plan, None);
}
