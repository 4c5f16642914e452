//! The formulas of level and noise, against the same written down once more as plainly as can be.

use proptest::prelude::*;

use super::super::level::{Level, without_flukes};
use super::super::lowest::Lowest;
use super::super::noise::Noise;
use super::super::past::Binding;
use super::*;
use crate::stats::noise::allan_deviation;

fn mean(values: &[f64]) -> f64 {
    crate::stats::mean(values).unwrap()
}

fn near(found: f64, expected: f64) -> bool {
    (found - expected).abs() < 1e-9
}

/// Places whose neighbours share what they scatter by, in groups of this many.
fn shared(values: &[f64], group: usize) -> Vec<f64> {
    values.iter().flat_map(|value| std::iter::repeat_n(*value, group)).collect()
}

/// `Allan(L)·√L/σ̂`, the largest up to this length; lengths are looked at where there are ten times as many runs.
fn inflation(places: &[f64], length: usize, sigma: f64) -> f64 {
    let looked_at = [2, 4, 8, 16].into_iter().filter(|tried| *tried <= length && 10 * tried <= places.len());
    looked_at.map(|tried| allan_deviation(places, tried).unwrap() * (tried as f64).sqrt() / sigma).fold(1.0, f64::max)
}

proptest! {
    /// W* = argmin mean(W) + σ_L (κ + √(2 ln(eN/L))), κ = 1.
    #[test]
    fn the_best_level_is_the_stretch_of_the_formula(values in prop::collection::vec(-2.0f64..2.0, 1..60), group in 1usize..5, sigma in 0.3f64..2.0) {
        let places = shared(&values, group);
        let n = places.len();
        let runs = Given::times(&vec![1.0; n], 1.0).series.runs;
        let noise = Noise { sigma, degrees: 10.0 };
        let past = Binding { older: None, runs: &runs }.past(&places);
        let level = Level::best(&past, &places, &noise).unwrap();

        let cleaned = without_flukes(&places, 0..n, 4.0 * sigma);
        let mut lowest = Lowest::default();
        lowest.extend(cleaned.iter().map(|place| (*place, 1)));
        let sigma_of = |length: usize| sigma / (length as f64).sqrt() * inflation(&cleaned, length, sigma);
        let shares = |length: usize| n as f64 / length as f64;
        let score = |length: usize, mean: f64| mean + sigma_of(length) * (1.0 + (2.0 * (std::f64::consts::E * shares(length)).ln()).sqrt());
        let least = |fewest: usize| lowest.stretches().filter(|stretch| stretch.length >= fewest)
            .map(|stretch| score(stretch.length, stretch.mean)).fold(f64::INFINITY, f64::min);

        let length = level.stretch.len();
        let fewest = if n > 6 { 2 } else { 1 };
        prop_assert!(near(score(length, level.place), least(fewest)));
        prop_assert!(near(level.sigma, sigma_of(length)));
        prop_assert!(near(level.luck, (2.0 * shares(length).ln()).sqrt() * sigma_of(length)));
        prop_assert_eq!(&level.stretch, &level.runs);
        prop_assert!(near(level.place, mean(&cleaned[level.stretch.clone()])));

        let from = n / 3;
        let all = Level::of_all(&past, &places, from, &noise).unwrap();
        prop_assert!(near(all.place, mean(&places[from..])) && near(all.sigma, sigma / ((n - from) as f64).sqrt()));
        prop_assert_eq!((all.luck, all.stretch, all.runs), (0.0, from..n, from..n));
    }

    /// So that a history which is cleaned block by block is the history that is cleaned at once.
    #[test]
    fn what_is_a_fluke_does_not_depend_on_where_one_looks(
        places in prop::collection::vec(prop::sample::select(vec![0.0, 0.1, 5.0]), 10..40),
        start in 0usize..30,
        length in 8usize..30,
    ) {
        let some = start.min(places.len() - 8)..(start + length).min(places.len());
        let everywhere = without_flukes(&places, 0..places.len(), 1.0);
        prop_assert_eq!(without_flukes(&places, some.clone(), 1.0), &everywhere[some]);
    }
}

/// P − t √(σ̂² + σ_L²): the newest run alone is a level where the best level of those before it, as a prediction, excludes it.
#[test]
fn the_newest_run_binds_alone_from_where_noise_does_not_explain_it() {
    // Seven equal runs and the newest: the median difference is zero, so that the noise is what is believed before.
    let prior = NoisePrior { sigma: 0.03, weight: 3.0 };
    let degrees = 3.0 + 0.4 * 7.0;
    let sigma = 0.03 * (3.0_f64 / degrees).sqrt();
    let bar = distribution::student_quantile(0.999, degrees).unwrap() * sigma * (1.0_f64 + 1.0 / 7.0).sqrt();
    let binds = |below: f64| {
        let history = [vec![0.010; 7], vec![0.010 * (-below).exp()]].concat();
        Given { prior, ..Given::times(&history, 0.010) }.judge().reasons.provisional
    };
    assert_eq!((binds(1.001 * bar), binds(0.999 * bar)), (true, false));
}

/// ± t(0.975) σ̂ times what so many runs of one commit leave of the deviation, and ± t(0.975) σ_L for the level.
#[test]
fn intervals_of_candidate_and_level_are_those_of_the_formula() {
    let degrees = 3.0 + 0.4 * 9.0;
    let half = distribution::student_quantile(0.975, degrees).unwrap() * 0.015 * (3.0_f64 / degrees).sqrt();
    for (runs, spread) in [(2, 0.5 + 0.5 * std::f64::consts::PI / 4.0), (9, 0.5 + 0.5 * std::f64::consts::PI / 18.0)] {
        let judged = Given::new(Metric::time(), &[0.010; 10], &vec![0.020; runs]).judge();
        let (candidate, level) = (judged.candidate.unwrap(), judged.baseline.unwrap());
        for (low, value, high, expected) in [
            (candidate.low, candidate.value, candidate.high, half * spread.sqrt()),
            (level.low, level.value, level.high, half / 10.0_f64.sqrt()),
        ] {
            assert!(near((high.unwrap() / value).ln(), expected) && near((value / low.unwrap()).ln(), expected));
        }
    }
}

#[test]
fn suspicion_begins_at_six_tenths_of_the_threshold_and_noise_is_said_in_percent() {
    let given = |factor: f64| Given::times(&[0.010; 10], 0.010 * factor).judge().reasons;
    let gate = 1.03_f64.powf(0.6);
    assert!(near(given(1.0).gate_percent.unwrap(), 100.0 * (gate - 1.0)));
    assert!(near(given(1.0).noise_percent.unwrap(), 1.5 * (3.0_f64 / 6.6).sqrt()));
    assert_eq!((given(gate * 1.0001).suspicious, given(gate * 0.9999).suspicious), (true, false));
}

/// The candidate's own loss is that against the median of the three commits before it.
#[test]
fn a_loss_most_of_which_was_there_before_crept_in() {
    let history = [vec![1.0; 20], vec![1.05, 1.05, 1.05, 1.2, 1.05]].concat();
    let creep = |candidate: f64| Given::times(&history, candidate).judge().reasons.creep;
    let found = creep(1.095).unwrap();
    assert!(near(found.total_percent.unwrap(), -9.5) && near(found.own_percent.unwrap(), -100.0 * 0.045 / 1.05));
    assert_eq!((found.from, found.to, found.commits), (commit(19), commit(24), 5));
    assert_eq!(creep(1.11), None, "more than half is its own");
    assert_eq!(creep(1.025), None, "within the threshold nothing is lost");
}

#[test]
fn with_fifty_commits_the_noise_is_known_and_what_it_hides_passes() {
    let unsteady: Vec<f64> = (0..50).map(|at| if at % 2 == 0 { 0.010 } else { 0.0104 }).collect();
    Given::times(&unsteady[..49], 0.0108).check(Verdict::Undecided);
    let judged = Given::times(&unsteady, 0.0108).check(Verdict::Pass);
    assert!(matches!(judged.warnings[..], [JudgeWarning::NoiseHidesLoss { .. }]), "{:?}", judged.warnings);
}

/// A series whose runs go up and down by turns: its noise is 1.0484 times the step.
fn unsteady(metric: Metric, runs: usize, step: f64) -> Series {
    let values: Vec<f64> = (0..runs).map(|at| (step * (at % 2) as f64).exp()).collect();
    Given::new(metric, &values, &[]).series
}

#[test]
fn the_noise_of_a_testbed_is_the_median_of_its_series_that_have_runs_enough() {
    let of = |steps: &[(usize, f64)]| -> Vec<Series> {
        steps.iter().map(|(runs, step)| unsteady(Metric::time(), *runs, *step)).collect()
    };
    let pooled = NoisePrior::pooled(&of(&[(8, 0.02), (8, 0.03), (40, 0.05)]));
    assert!(near(pooled.sigma, 1.0484 * 0.03) && pooled.weight == 5.0, "{pooled:?}");
    // A series of seven runs is too short, an exact one has no noise, and two series are too few.
    assert_eq!(NoisePrior::pooled(&of(&[(8, 0.02), (7, 0.03), (40, 0.05)])), NoisePrior::default());
    let spills = unsteady(exact("spills"), 20, 0.5);
    assert_eq!(NoisePrior::pooled(of(&[(8, 0.02), (8, 0.03)]).iter().chain([&spills])), NoisePrior::default());
    let with_spills = [of(&[(8, 0.02), (8, 0.03), (8, 0.05)]), vec![spills]].concat();
    assert_eq!(NoisePrior::pooled(&with_spills), pooled);
    assert_eq!(NoisePrior::pooled(&of(&[(9, 0.0); 3])).sigma, 0.001, "no computer is steadier");
}
