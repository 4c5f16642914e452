//! Simulated kernels: how long each point takes, made from a seed. Tests and the bench share them.
//!
//! The logarithm of a time is a sum: a curve for each tunable, a term for some pairs of them, and a roughness of each point.
//! Some combinations are not valid, some valid points fail. Nothing here was ever measured.

/// A simulated kernel.
pub struct Landscape {
    /// How many values each tunable has.
    pub sizes: Vec<usize>,
    /// The valid points, and the seconds that each takes; `None` where it fails.
    pub points: Vec<(Vec<usize>, Option<f64>)>,
}

impl Landscape {
    /// The landscape that these draws (uniform between 0 and 1) make.
    pub fn new(unit: &mut dyn FnMut() -> f64) -> Self {
        let mut below = |bound: usize| ((unit() * bound as f64) as usize).min(bound - 1);
        let sizes: Vec<usize> = (0..4 + below(2)).map(|_| 2 + below(5)).collect();
        let last = sizes.len() - 1;
        let curves: Vec<Vec<f64>> = sizes.iter().map(|size| curve(*size, unit)).collect();
        let pairs: Vec<(usize, usize, f64)> = (0..last)
            .map(|one| (one, one + 1 + ((unit() * (last - one) as f64) as usize).min(last - one - 1), 0.8 * (unit() - 0.5)))
            .collect();
        let bad = (unit(), unit());
        let mut points = Vec::new();
        for index in 0..sizes.iter().product() {
            let at = coordinates(index, &sizes);
            let place = |dimension: usize| at[dimension] as f64 / (sizes[dimension] - 1) as f64;
            let roughness = unit();
            // Too much of the first and the last together does not fit.
            if place(0) + place(last) > 1.6 {
                continue;
            }
            let alone: f64 = at.iter().zip(&curves).map(|(value, curve)| curve[*value]).sum();
            let together: f64 =
                pairs.iter().map(|(one, other, weight)| weight * (place(*one) - 0.5) * (place(*other) - 0.5)).sum();
            let fails = (place(1) - bad.0).abs() < 0.1 && (place(last) - bad.1).abs() < 0.3;
            let seconds = 1e-4 * (alone + together + 0.04 * roughness).exp();
            points.push((at, (!fails).then_some(seconds)));
        }
        Self { sizes, points }
    }
}

/// What each value of a tunable adds: least somewhere, more on both sides.
fn curve(size: usize, unit: &mut dyn FnMut() -> f64) -> Vec<f64> {
    let (centre, depth) = (unit(), 0.1 + 0.7 * unit());
    (0..size).map(|value| depth * (value as f64 / (size - 1) as f64 - centre).powi(2) + 0.05 * depth * unit()).collect()
}

/// Where the `index`-th point of the whole grid stands.
fn coordinates(index: usize, sizes: &[usize]) -> Vec<usize> {
    let mut rest = index;
    let mut at: Vec<usize> = sizes
        .iter()
        .rev()
        .map(|size| {
            let value = rest % size;
            rest /= size;
            value
        })
        .collect();
    at.reverse();
    at
}
