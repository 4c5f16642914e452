//! The luck of a layout: two builds of equally good code differ, and differ again each time they are measured.
//!
//! Where functions and data come to lie in memory can make a binary faster or slower by a per cent, and it sticks to the
//! binary: measuring it again does not average it out. Only other binaries show how much it is. A confirmation measures
//! several commits of the level, each a binary of its own, and what they differ by beyond the noise of the session is
//! layout. This is not a correction of the shift; it says how large a shift has to be to be more than luck.

use std::collections::BTreeMap;

use crate::model::ObjectId;
use crate::stats;

/// The share of the variance between runs that belongs to the binary and not to the run.
pub(super) const SHARE: f64 = 0.5;
/// Without evidence from the session, layouts are believed to scatter by no more than this: a noisy history says
/// that the computer was busy, and nothing about layouts.
const MOST_BELIEVED: f64 = 0.007;
/// How many degrees of freedom that belief is worth.
const WEIGHT: f64 = 3.0;
/// Φ⁻¹(0.999): luck beyond this many standard deviations is one in a thousand.
const LIMIT: f64 = 3.09;
/// The variance between four binaries that are alike is up to so many times the variance of each one's median, but for one
/// time in twenty: F with 3 and 20 degrees of freedom.
const NOISE_EASILY: f64 = 3.1;
/// The standard deviation of normal values in units of their median absolute deviation.
const DEVIATION_PER_MAD: f64 = 1.4826;

/// What is believed of layouts before the session.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Layout {
    /// τ₀: standard deviation between binaries.
    sigma: f64,
    /// By how much the binaries of the level are expected to be lucky, since they were chosen for being fast.
    luck: f64,
}

impl Layout {
    /// From the standard deviation σ̂ between runs, and by how much the choice of the level is expected to be lucky. Of that
    /// luck the binaries keep their share of the variance, τ₀²/σ̂²; the rest was the day's and is gone.
    pub(super) fn believed(noise: f64, luck_of_level: f64) -> Self {
        let kept = SHARE.min((MOST_BELIEVED / noise).powi(2));
        Self { sigma: noise * kept.sqrt(), luck: kept * luck_of_level }
    }

    /// The shift that it takes to be a loss of more than `threshold` and more than luck: max(δ, 3.09 τ̂ √(1 + 1/R)), and the
    /// luck of the level on top. One binary of the candidate stands against the mean of R others.
    pub(super) fn needed_shift(&self, threshold: f64, references: &Binaries) -> f64 {
        self.beyond_luck(threshold, self.variance(references, 1.0), references.count())
    }

    /// What of that remains if noise did as much to the binaries as it easily can: what is needed because of layouts for sure.
    pub(super) fn surely_needed(&self, threshold: f64, references: &Binaries) -> f64 {
        self.beyond_luck(threshold, self.variance(references, NOISE_EASILY), references.count())
    }

    /// The same with what is believed before the session shows anything.
    pub(super) fn needed_before(&self, threshold: f64, references: usize) -> f64 {
        self.beyond_luck(threshold, self.sigma.powi(2), references)
    }

    fn beyond_luck(&self, threshold: f64, variance: f64, references: usize) -> f64 {
        let share = 1.0 + 1.0 / references.max(1) as f64;
        self.luck + threshold.max(LIMIT * (variance * share).sqrt())
    }

    /// τ̂² = (3τ₀² + (R − 1)s²)/(3 + R − 1).
    fn variance(&self, references: &Binaries, noise: f64) -> f64 {
        let degrees = references.count().saturating_sub(1) as f64;
        (WEIGHT * self.sigma.powi(2) + degrees * references.seen_variance(noise)) / (WEIGHT + degrees)
    }
}

/// The runs of each reference of a session, on the scale of comparison.
pub(super) struct Binaries(Vec<Vec<f64>>);

impl Binaries {
    pub(super) fn of(runs: impl Iterator<Item = (ObjectId, f64)>) -> Self {
        let mut by_commit: BTreeMap<ObjectId, Vec<f64>> = BTreeMap::new();
        for (commit, place) in runs {
            by_commit.entry(commit).or_default().push(place);
        }
        Self(by_commit.into_values().collect())
    }

    /// With the runs of one more.
    pub(super) fn and(mut self, runs: Vec<f64>) -> Self {
        self.0.push(runs);
        self
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// s²: the variance between the medians of the binaries, less what the noise within the session puts there, or so many
    /// times that.
    fn seen_variance(&self, noise: f64) -> f64 {
        let medians: Vec<f64> = self.0.iter().filter_map(|runs| stats::median(runs)).collect();
        let Some(between) = stats::variance(&medians) else { return 0.0 };
        let each = self.runs() / self.count() as f64;
        // The median of n normal values has π/2n of their variance.
        let by_noise = std::f64::consts::FRAC_PI_2 / each * self.within_deviation().powi(2);
        (between - noise * by_noise).max(0.0)
    }

    /// The standard deviation of the runs of one binary, from the absolute deviations around each one's median: a few
    /// outliers do not move it.
    pub(super) fn within_deviation(&self) -> f64 {
        let deviations = |runs: &Vec<f64>| {
            let centre = stats::median(runs).unwrap_or(0.0);
            runs.iter().map(|place| (place - centre).abs()).collect::<Vec<f64>>()
        };
        let all: Vec<f64> = self.0.iter().filter(|runs| runs.len() > 1).flat_map(deviations).collect();
        let spread = DEVIATION_PER_MAD * stats::median(&all).unwrap_or(0.0);
        // Each median follows its own runs, which takes one degree of freedom from each binary.
        spread * (self.runs() / (self.runs() - self.count() as f64).max(1.0)).sqrt()
    }

    fn runs(&self) -> f64 {
        self.0.iter().map(Vec::len).sum::<usize>() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four commits of the level with six runs each, the medians of which lie at `places`, `apart` from their neighbours.
    fn four(places: [f64; 4], apart: f64) -> Binaries {
        let runs = places.map(|place| [-2.0, -1.0, 0.0, 0.0, 1.0, 2.0].map(|step| place + step * apart).to_vec());
        Binaries(runs.to_vec())
    }

    fn percent(shift: f64) -> f64 {
        (1000.0 * shift).round() / 10.0
    }

    #[test]
    fn the_numbers_of_docs_statistics_are_those_of_the_program() {
        let layout = Layout::believed(0.01, 0.0);
        assert_eq!(percent(layout.needed_shift(0.0, &four([0.0; 4], 0.0))), 1.7);
        assert_eq!(percent(layout.needed_shift(0.03, &four([0.0; 4], 0.0))), 3.0);
        // Of standard deviation 2 %.
        let apart = 0.02 * 3.0_f64.sqrt();
        assert_eq!(percent(layout.needed_shift(0.03, &four([0.0, apart, 0.0, apart], 0.0))), 5.2);
    }

    // Numbers of the formulas in docs/statistics.md, worked out with numpy's median and var.
    #[test]
    fn the_needed_shift_is_that_of_the_formulas() {
        let four = [&[0.0, 0.004, 0.001, 0.009][..], &[0.012, 0.010, 0.015], &[0.031, 0.030, 0.026, 0.0285, 0.027], &[0.02]];
        let needed = |noise, threshold, references: &[&[f64]]| {
            let references = Binaries(references.iter().map(|runs| runs.to_vec()).collect());
            Layout::believed(noise, 0.003).needed_shift(threshold, &references)
        };
        for (found, expected) in [
            (needed(0.004, 0.001, &four), 0.02899894506079321),
            (needed(0.02, 0.001, &four), 0.032003903745630176),
            (needed(0.02, 0.001, &four[..1]), 0.030956939354130047),
            (needed(0.004, 0.001, &four[..2]), 0.016590533747004733),
            (needed(0.004, 0.09, &four[..2]), 0.0915),
            (needed(0.004, 0.001, &[]), 0.0015 + 3.09 * 0.004),
        ] {
            assert!((found - expected).abs() < 1e-12, "{found} and {expected}");
        }
    }

    #[test]
    fn what_noise_within_the_commits_explains_is_not_layout() {
        let places = [0.0, 0.01, 0.0, 0.01];
        assert!(four(places, 0.001).seen_variance(1.0) > 3e-5);
        assert_eq!(four(places, 0.02).seen_variance(1.0), 0.0);
    }

    #[test]
    fn layouts_are_sure_only_beyond_what_noise_does_easily() {
        let layout = Layout::believed(0.01, 0.0);
        let needed = |apart| {
            let binaries = four([0.0, 0.02, 0.0, 0.02], apart);
            (layout.needed_shift(0.01, &binaries), layout.surely_needed(0.01, &binaries))
        };
        let (quiet, noisy) = (needed(0.0001), needed(0.01));
        assert!((quiet.0 - quiet.1).abs() < 1e-5, "{quiet:?}");
        assert!(noisy.1 < noisy.0 && (noisy.1 - layout.needed_before(0.01, 4)).abs() < 0.01, "{noisy:?}");
    }

    #[test]
    fn a_lucky_level_asks_for_more_and_noise_of_the_day_is_not_its_luck() {
        let needed = |noise, luck| Layout::believed(noise, luck).needed_shift(0.03, &four([0.0; 4], 0.0));
        assert_eq!(percent(needed(0.005, 0.02)), 4.0, "half of it stays with the binaries");
        assert!(needed(0.05, 0.02) < 0.031, "{}", needed(0.05, 0.02));
    }
}
