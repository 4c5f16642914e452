//! Error rates by simulation, seeded. A bound is the promised rate plus what chance adds to it once in ten thousand.

use super::*;

/// The largest count that a rate explains with probability 0.9999.
fn most_by_chance(trials: u64, rate: f64) -> u64 {
    (0..=trials).find(|count| distribution::binomial_cdf(*count, trials, rate).unwrap() > 0.9999).unwrap()
}

/// Of `trials` candidates at `factor` times the level, how many are judged so.
fn count(verdict: Verdict, trials: u64, history: usize, sigma: f64, factor: f64) -> u64 {
    let judged = |trial| {
        let mut noisy = Noisy::new(trial, sigma);
        let runs = noisy.many(0.010, history);
        Given::times(&runs, noisy.around(0.010 * factor)).judge().verdict
    };
    (0..trials).filter(|trial| judged(*trial) == verdict).count() as u64
}

#[test]
fn clean_commits_are_rarely_convicted_by_history_alone() {
    for (history, sigma) in [(1, 0.01), (3, 0.01), (10, 0.01), (10, 0.02), (60, 0.01), (60, 0.03), (200, 0.02)] {
        let trials = 1000;
        let alarms = count(Verdict::Regression, trials, history, sigma, 1.0);
        assert!(alarms <= most_by_chance(trials, 0.003), "{alarms} of {trials} with {history} runs at {sigma}");
    }
}

#[test]
fn a_quiet_series_is_hardly_ever_undecided() {
    for history in [1, 5, 30] {
        let undecided = count(Verdict::Undecided, 500, history, 0.005, 1.0);
        assert!(undecided <= most_by_chance(500, 0.005), "{undecided} with {history} runs");
    }
}

#[test]
fn a_loss_of_five_percent_is_seen_with_enough_history() {
    for (history, least) in [(50, 0.4), (200, 0.2)] {
        let trials = 400;
        let seen = count(Verdict::Regression, trials, history, 0.01, 1.05);
        assert!(trials - seen <= most_by_chance(trials, 1.0 - least), "{seen} of {trials} with {history} runs");
    }
}

/// The candidate alone may look like what comes and goes; the newest commits together do not.
#[test]
fn a_loss_of_five_percent_that_lasts_is_seen_soon() {
    for history in [20, 50, 200] {
        let seen = |trial: u64| {
            let mut noisy = Noisy::new(3_000_000 + trial, 0.01);
            let mut runs = noisy.many(0.010, history);
            (0..7).any(|_| {
                let candidate = noisy.around(0.0105);
                let verdict = Given::times(&runs, candidate).judge().verdict;
                runs.push(candidate);
                verdict == Verdict::Regression
            })
        };
        let missed = (0..200).filter(|trial| !seen(*trial)).count() as u64;
        assert!(missed <= most_by_chance(200, 0.05), "{missed} of 200 after {history} runs");
    }
}

#[test]
fn with_little_history_a_loss_of_five_percent_does_not_pass() {
    let trials = 400;
    let passed = count(Verdict::Pass, trials, 3, 0.01, 1.05);
    assert!(passed <= most_by_chance(trials, 0.12), "{passed} of {trials}");
}

/// A gate and a paired re-measurement, as the rule promises it: the noise does not matter.
#[test]
fn a_confirmation_clears_clean_commits_and_convicts_losses() {
    let confirmed = |trial: u64, sigma: f64, factor: f64| {
        let mut noisy = Noisy::new(1_000_000 + trial, sigma);
        let mut given = Given::times(&noisy.many(1.0, 10), noisy.around(factor));
        let session = noisy.around(1.0);
        while let Some(plan) = given.judge().reasons.plan {
            if plan.side == Side::Gain || matches!(plan.next_step(&given.pairs), Step::Stop(_)) {
                break;
            }
            let (reference, candidate) = (noisy.around(session), noisy.around(session * factor));
            given.pairs.push(Pair { reference, candidate, reference_commit: commit(0) });
        }
        given.judge().verdict
    };
    for sigma in [0.01, 0.03] {
        let alarms = (0..300).filter(|trial| confirmed(*trial, sigma, 1.0) == Verdict::Regression).count() as u64;
        assert!(alarms <= most_by_chance(300, 0.001), "{alarms} of 300 at {sigma}");
    }
    let seen = (0..200).filter(|trial| confirmed(*trial, 0.01, 1.05) == Verdict::Regression).count() as u64;
    assert!(200 - seen <= most_by_chance(200, 0.1), "{seen} of 200");
}

/// One clean check of many noisy series: judged each for itself, some of them would look guilty.
#[test]
fn a_check_of_many_noisy_series_stays_quiet() {
    let alarms = |family| {
        let judged = |seed: u64| {
            let mut noisy = Noisy::new(2_000_000 + seed, 0.03);
            let runs = noisy.many(0.010, 12);
            Given { family, ..Given::times(&runs, noisy.around(0.010)) }.judge().verdict
        };
        (0..2000).filter(|seed| judged(*seed) == Verdict::Regression).count() as u64
    };
    let (alone, together) = (alarms(1), alarms(2000));
    assert!(together <= most_by_chance(1, 0.01), "{together} of 2000, and {alone} without a family");
    assert!(together <= alone);
    // What is plain stays plain.
    Given { family: 2000, ..Given::times(&Noisy::new(1, 0.01).many(0.010, 30), 0.013) }.check(Verdict::Regression);
}
