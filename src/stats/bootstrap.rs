//! Bootstrap intervals, for where a user asks for them: random, but seeded.

use super::random::SplitMix64;
use super::{Interval, distribution, mean, quantile};

/// How to resample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// How many resamples are drawn.
    pub resamples: usize,
    /// The confidence of the interval, such as 0.95.
    pub confidence: f64,
    /// The same seed gives the same interval.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { resamples: 10_000, confidence: 0.95, seed: 0 }
    }
}

impl Bootstrap {
    /// The interval between the outer quantiles of the statistic over resamples (Efron and Tibshirani, *An Introduction
    /// to the Bootstrap*, section 13.3). `None` of nothing.
    pub fn percentile(&self, values: &[f64], statistic: impl Fn(&[f64]) -> f64) -> Option<Interval> {
        let replicates = self.replicates(values, &statistic)?;
        let tail = (1.0 - self.confidence) / 2.0;
        Some(Interval { low: quantile(&replicates, tail)?, high: quantile(&replicates, 1.0 - tail)? })
    }

    /// The bias-corrected and accelerated interval (Efron, *Better bootstrap confidence intervals*, 1987): the quantiles
    /// are moved by the median bias of the resamples and by the skewness of the jackknife.
    ///
    /// `None` below two values, and where the statistic does not vary at all over resamples or jackknife.
    pub fn bca(&self, values: &[f64], statistic: impl Fn(&[f64]) -> f64) -> Option<Interval> {
        let replicates = self.replicates(values, &statistic)?;
        let bias = median_bias(&replicates, statistic(values))?;
        let acceleration = jackknife_acceleration(values, &statistic)?;
        let moved = |p: f64| -> Option<f64> {
            let z = bias + distribution::normal_quantile(p)?;
            let level = distribution::normal_cdf(bias + z / (1.0 - acceleration * z));
            quantile(&replicates, level)
        };
        let tail = (1.0 - self.confidence) / 2.0;
        Some(Interval { low: moved(tail)?, high: moved(1.0 - tail)? })
    }

    /// The statistic of every resample, ascending.
    fn replicates(&self, values: &[f64], statistic: &impl Fn(&[f64]) -> f64) -> Option<Vec<f64>> {
        if values.is_empty() || self.resamples == 0 {
            return None;
        }
        let mut random = SplitMix64::new(self.seed);
        let mut resample = vec![0.0; values.len()];
        let draw = |_| {
            resample.fill_with(|| values[random.below(values.len())]);
            statistic(&resample)
        };
        let mut replicates: Vec<f64> = (0..self.resamples).map(draw).collect();
        replicates.sort_unstable_by(f64::total_cmp);
        Some(replicates)
    }
}

/// z₀: how far the observed statistic lies from the median of its replicates, in normal units; ties count half.
fn median_bias(replicates: &[f64], observed: f64) -> Option<f64> {
    let below = replicates.partition_point(|replicate| *replicate < observed);
    let up_to = replicates.partition_point(|replicate| *replicate <= observed);
    let share = (below + up_to) as f64 / (2 * replicates.len()) as f64;
    distribution::normal_quantile(share).filter(|z| z.is_finite())
}

/// The acceleration from leaving out one value at a time: Σd³ / (6 (Σd²)^1.5), d = mean − replicate.
fn jackknife_acceleration(values: &[f64], statistic: &impl Fn(&[f64]) -> f64) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let without = |left_out: usize| {
        let rest: Vec<f64> = values.iter().enumerate().filter(|(i, _)| *i != left_out).map(|(_, value)| *value).collect();
        statistic(&rest)
    };
    let replicates: Vec<f64> = (0..values.len()).map(without).collect();
    let centre = mean(&replicates)?;
    let power = |exponent| replicates.iter().map(|replicate| (centre - replicate).powi(exponent)).sum::<f64>();
    let squares = power(2);
    (squares > 0.0).then(|| power(3) / (6.0 * squares.powf(1.5)))
}
