//! What may be said in the end: who is measured against the default in pairs, and what the pairs prove.

/// Points that are held against the default, at most.
const MOST_FINALISTS: usize = 3;
/// The p at which a difference between a finalist and the default is proven; shared by the finalists.
const ALPHA: f64 = 0.001;
/// A smaller gain is not worth a change of the manifest.
pub const LEAST_GAIN_PERCENT: f64 = 1.0;

/// What pairs of one config show: a finalist against the default.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// The change in percent; positive is better.
    pub change_percent: f64,
    /// The worse end of its 95 % interval, where there are enough pairs for one.
    pub low_percent: Option<f64>,
    /// The better end.
    pub high_percent: Option<f64>,
    /// Probability of such a difference without a cause, two-sided.
    pub p: f64,
    /// How many pairs.
    pub pairs: usize,
}

impl Evidence {
    /// Whether the difference is there, for better or for worse, where so many finalists had the chance to be lucky.
    pub fn is_proven(&self, finalists: usize) -> bool {
        self.p <= ALPHA / finalists.max(1) as f64
    }

    /// The time over the default's.
    fn ratio(&self) -> f64 {
        1.0 - self.change_percent / 100.0
    }
}

/// The best few of `ranked` (the best first) that scored better than the default; without a score of the default the best few.
pub fn finalists(ranked: &[(f64, usize)], default: Option<usize>) -> Vec<usize> {
    let of_default = ranked.iter().find(|(_, point)| Some(*point) == default).map(|(score, _)| *score);
    let is_better = |score: f64| of_default.is_none_or(|known| score < known);
    let better = ranked.iter().filter(|(score, point)| Some(*point) != default && is_better(*score));
    better.map(|(_, point)| *point).take(MOST_FINALISTS).collect()
}

/// The proven gain over the default in percent, the geometric mean over configs; `None` where it is below
/// [`LEAST_GAIN_PERCENT`]. A config whose difference is not proven counts as unchanged.
pub fn gain(of_configs: &[Evidence], finalists: usize) -> Option<f64> {
    let ratios = of_configs.iter().map(|evidence| if evidence.is_proven(finalists) { evidence.ratio() } else { 1.0 });
    let gain = 100.0 * (1.0 - geometric_mean(ratios)?);
    (gain >= LEAST_GAIN_PERCENT).then_some(gain)
}

/// The geometric mean; `None` of nothing, and where a value is not positive.
pub fn geometric_mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0);
    for value in values {
        if value.is_nan() || value <= 0.0 {
            return None;
        }
        sum += value.ln();
        count += 1;
    }
    (count > 0).then(|| (sum / f64::from(count)).exp())
}
