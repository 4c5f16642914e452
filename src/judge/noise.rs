//! The noise between runs: how far two runs of unchanged code lie apart.

use super::scale::Scale;
use super::{MeasuredRun, Series};
use crate::model::Summary;
use crate::stats::{self, distribution, noise};

/// Lags of the differences that noise is estimated from; the larger ones see what neighbours in time share.
const LAGS: [usize; 3] = [1, 4, 16];

/// A lag above one is looked at from this many times as many runs: one step of the level then touches a quarter of
/// the differences at most, and is not taken for noise.
const RUNS_PER_LAG: usize = 5;

/// Degrees of freedom that one more run adds to an estimate from medians of differences.
const DEGREES_PER_RUN: f64 = 0.4;

/// The noise of today is what counts, and this many runs know it to 2 %; older ones would only cost time.
const MOST_RUNS: usize = 2000;

/// Of so few runs, a single change of level would make up most of what looks like noise.
const FEW_RUNS: usize = 3;

/// A difference between two neighbouring runs beyond this many of its believed standard deviations is a change.
const CHANGE_LIMIT: f64 = 6.0;

/// No computer is steadier than this from run to run.
pub(super) const LEAST_SIGMA: f64 = 0.001;

/// How many runs and series it takes before a testbed's noise is pooled.
const FEWEST_POOLED_RUNS: usize = 8;
const FEWEST_POOLED_SERIES: usize = 3;

/// What is believed of the noise between runs before a series is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoisePrior {
    /// Standard deviation between runs on the log scale: 0.015 is 1.5 %.
    pub sigma: f64,
    /// How many degrees of freedom that belief is worth.
    pub weight: f64,
}

impl Default for NoisePrior {
    /// 1.5 % at the weight of 3 degrees of freedom.
    fn default() -> Self {
        Self { sigma: 0.015, weight: 3.0 }
    }
}

impl NoisePrior {
    /// No more than the newest of a series' runs are looked at.
    pub const MOST_RUNS: usize = MOST_RUNS;

    /// The median noise of the series of one testbed at the weight of 5 degrees of freedom; the default where fewer
    /// than three of them have eight runs. Exact metrics have no noise and are left out.
    pub fn pooled<'a>(series: impl IntoIterator<Item = &'a Series>) -> Self {
        let of_each: Vec<f64> = series.into_iter().filter_map(noise_of).collect();
        match stats::median(&of_each) {
            Some(sigma) if of_each.len() >= FEWEST_POOLED_SERIES => Self { sigma: sigma.max(LEAST_SIGMA), weight: 5.0 },
            _ => Self::default(),
        }
    }
}

fn noise_of(series: &Series) -> Option<f64> {
    if series.metric.exact || series.runs.len() < FEWEST_POOLED_RUNS {
        return None;
    }
    let runs = newest(&series.runs);
    let values: Vec<f64> = runs.iter().map(MeasuredRun::value).collect();
    let scale = Scale::for_values(series.metric.better, &values);
    largest_lagged(&scale.places_by_commit(runs))
}

/// The noise that places show, by the lag that shows most.
pub(super) fn largest_lagged(places: &[f64]) -> Option<f64> {
    let informative = |lag: &&usize| **lag == 1 || places.len() >= RUNS_PER_LAG * **lag;
    LAGS.iter().filter(informative).filter_map(|lag| noise::lagged_noise(places, *lag)).max_by(f64::total_cmp)
}

/// The noise of one series: what its runs show, shrunk towards the prior.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Noise {
    /// Standard deviation between runs.
    pub(super) sigma: f64,
    /// Degrees of freedom of that estimate.
    pub(super) degrees: f64,
}

impl Noise {
    /// σ̂² = (ν₀σ₀² + νs²)/(ν₀ + ν) with ν = 0.4(N − 1). `within` is the error of one run's own median: runs cannot agree
    /// better than that, whatever the prior says. What a plain change separates in a very short series is not noise.
    pub(super) fn estimate(places: &[f64], prior: NoisePrior, within: f64) -> Self {
        let believed = prior.sigma.max(within);
        let places = since_change(newest(places), believed);
        let seen = largest_lagged(places);
        let weight = seen.map_or(0.0, |_| DEGREES_PER_RUN * (places.len() - 1) as f64);
        let degrees = prior.weight + weight;
        let variance = (prior.weight * believed.powi(2) + weight * seen.unwrap_or(0.0).powi(2)) / degrees;
        Self { sigma: variance.sqrt(), degrees }
    }

    /// The degrees of freedom after `more` runs.
    pub(super) fn degrees_after(&self, more: usize) -> f64 {
        self.degrees + DEGREES_PER_RUN * more as f64
    }
}

/// As many of the newest as noise is estimated from.
pub(super) fn newest<T>(all: &[T]) -> &[T] {
    &all[all.len().saturating_sub(MOST_RUNS)..]
}

/// Of two or three runs that move one way only: those after the last plain change. Noise that large would rather turn
/// back, and taking the first improvement of a series for noise would let it be lost again unseen.
fn since_change(places: &[f64], believed: f64) -> &[f64] {
    let one_way = places.is_sorted() || places.is_sorted_by(|a, b| a >= b);
    if places.len() > FEW_RUNS || !one_way {
        return places;
    }
    let change = places.windows(2).rposition(|neighbours| is_plain_change(neighbours[0], neighbours[1], believed));
    &places[change.map_or(0, |before| before + 1)..]
}

/// Whether neighbours lie apart by far more than noise of this standard deviation explains.
pub(super) fn is_plain_change(one: f64, next: f64, sigma: f64) -> bool {
    (next - one).abs() > CHANGE_LIMIT * std::f64::consts::SQRT_2 * sigma
}

/// The typical standard error of a run's median, from the intervals or deviations within the runs; 0 where none is known.
pub(super) fn error_within(scale: &Scale, runs: &[&Summary]) -> f64 {
    let half_width = distribution::normal_quantile(0.975).unwrap_or(f64::INFINITY);
    let errors: Vec<f64> = newest(runs).iter().filter_map(|summary| error_of_median(scale, summary, half_width)).collect();
    stats::median(&errors).unwrap_or(0.0)
}

/// `half_width` is that of the summary's interval in standard errors.
fn error_of_median(scale: &Scale, summary: &Summary, half_width: f64) -> Option<f64> {
    let distance = |from: f64, to: f64| (scale.place(to) - scale.place(from)).abs();
    if let (Some(low), Some(high)) = (summary.low, summary.high) {
        return Some(distance(low, high) / (2.0 * half_width));
    }
    // The median of n normal values scatters by √(π/2n) of their deviation.
    let of_median = summary.stddev? * (std::f64::consts::FRAC_PI_2 / summary.n.max(1) as f64).sqrt();
    Some(distance(summary.median, summary.median + of_median))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Direction;

    const PRIOR: NoisePrior = NoisePrior { sigma: 0.01, weight: 3.0 };

    #[track_caller]
    fn near(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-9, "{found} and {expected}");
    }

    /// Up and down by turns: all differences at lag 1 are `step`, and there are none at even lags.
    fn zigzag(runs: usize, step: f64) -> Vec<f64> {
        (0..runs).map(|at| step * (at % 2) as f64).collect()
    }

    #[test]
    fn an_estimate_is_the_prior_and_what_was_seen_by_their_degrees_of_freedom() {
        let seen = 1.0484_f64 * 0.02;
        for runs in [2, 3, 30] {
            let degrees = 3.0 + 0.4 * (runs - 1) as f64;
            let noise = Noise::estimate(&zigzag(runs, 0.02), PRIOR, 0.0);
            near(noise.degrees, degrees);
            near(noise.sigma.powi(2), (3.0 * 0.01_f64.powi(2) + (degrees - 3.0) * seen.powi(2)) / degrees);
            near(noise.degrees_after(5), degrees + 2.0);
        }
        let alone = Noise::estimate(&[1.0], PRIOR, 0.0);
        assert_eq!((alone.sigma, alone.degrees), (0.01, 3.0), "one run shows no noise");
        // Runs that do not know their own median cannot agree better.
        near(Noise::estimate(&[1.0], PRIOR, 0.04).sigma, 0.04);
        near(Noise::estimate(&[0.0; 11], PRIOR, 0.04).sigma.powi(2), 3.0 * 0.04_f64.powi(2) / 7.0);
    }

    #[test]
    fn only_the_newest_two_thousand_runs_say_how_noisy_it_is() {
        let calm_since = |runs: usize| [zigzag(2100, 0.5), vec![0.0; runs]].concat();
        near(Noise::estimate(&calm_since(2000), PRIOR, 0.0).degrees, 3.0 + 0.4 * 1999.0);
        assert!(Noise::estimate(&calm_since(2000), PRIOR, 0.0).sigma < 0.001);
        assert!(Noise::estimate(&calm_since(900), PRIOR, 0.0).sigma > 0.1);
    }

    /// Groups of runs that share their noise show it between groups; with few runs a step would look the same.
    #[test]
    fn a_lag_counts_from_five_times_as_many_runs() {
        let in_groups = |group: usize, runs: usize| (0..runs).map(|at| (at / group % 2) as f64).collect::<Vec<f64>>();
        for lag in [4, 16] {
            assert_eq!(largest_lagged(&in_groups(lag, 5 * lag - 1)), Some(0.0), "lag {lag}");
            near(largest_lagged(&in_groups(lag, 5 * lag)).unwrap(), 1.0484);
        }
        assert_eq!(largest_lagged(&[1.0]), None);
        near(largest_lagged(&[1.0, 2.0]).unwrap(), 1.0484);
    }

    #[test]
    fn of_two_or_three_runs_one_way_only_those_after_a_plain_change_are_noise() {
        let plain = 6.0 * 2.0_f64.sqrt() * 0.01;
        let since = |places: &[f64]| since_change(places, 0.01).len();
        let (above, below) = (1.001 * plain, 0.999 * plain);
        assert_eq!((since(&[0.0, above]), since(&[0.0, below])), (1, 2));
        assert_eq!((since(&[0.0, -above]), since(&[0.0, -below])), (1, 2));
        assert_eq!((since(&[0.0, above, above]), since(&[0.0, 0.0, above]), since(&[0.0, above, 2.0 * above])), (2, 1, 1));
        assert_eq!(since(&[0.0, above, 0.0]), 3, "it turns back");
        assert_eq!(since(&[0.0, 0.0, 0.0, above]), 4, "four are enough to tell");
    }

    #[test]
    fn the_error_of_a_median_comes_from_its_interval_or_its_deviation() {
        let scale = Scale::logarithmic(Direction::Lower);
        let single = Summary::single(2.0);
        let with_interval = Summary { low: Some(1.8), high: Some(2.3), stddev: Some(9.0), ..single.clone() };
        // 1.959964 is scipy.stats.norm.ppf(0.975).
        let by_interval = (2.3_f64 / 1.8).ln() / (2.0 * 1.959963984540054);
        near(error_within(&scale, &[&with_interval]), by_interval);
        let with_deviation = Summary { n: 10, stddev: Some(0.3), low: None, high: None, ..single.clone() };
        let by_deviation = (1.0 + 0.3 * (std::f64::consts::PI / 20.0).sqrt() / 2.0).ln();
        near(error_within(&scale, &[&with_deviation]), by_deviation);
        assert_eq!(error_within(&scale, &[&Summary { stddev: None, low: None, high: None, ..single.clone() }]), 0.0);
        near(error_within(&scale, &[&with_interval, &with_interval, &with_deviation]), by_interval);
    }
}
