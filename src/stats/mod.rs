//! Statistics on slices of numbers: summaries, intervals, rank tests, effect sizes, noise and change points.
//!
//! Nothing here knows what a benchmark is; what a number means, and on which scale it is compared, is decided by the
//! callers. All functions take finite values and give `None` where there are too few of them. Whatever is random
//! takes a seed.

pub mod bootstrap;
pub mod distribution;
pub mod effect;
pub mod noise;
pub mod random;
pub mod rank;
pub mod segment;
mod summary;
#[cfg(test)]
mod tests;

pub use summary::{median, median_interval, quantile, summarize, summarize_kept, summarize_measured};

/// An interval of the real line, ends included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// A copy of `values` in ascending order.
pub(crate) fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// The arithmetic mean; `None` of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The sample variance, with n − 1 in the denominator; `None` below two values.
pub fn variance(values: &[f64]) -> Option<f64> {
    let centre = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
    (values.len() > 1).then(|| squares / (values.len() - 1) as f64)
}
