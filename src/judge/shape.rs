//! Where in the distribution a change sits: all of it moved, or a part of it.

use crate::model::Direction;
use crate::stats;

/// The quantiles that are compared, as shares of the sample from its best value to its worst.
const SHARES: [f64; 7] = [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0];

/// Fewer values than this have no shape.
const FEWEST_VALUES: usize = 8;

/// A loss of the slow end below this many percent is no mode of its own.
const LEAST_LOSS: f64 = 1.0;

/// One quantile of both samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantileRow {
    /// Which share of the values is better: 0 is the best value, 0.5 the median, 1 the worst.
    pub share: f64,
    /// The quantile before, in base units.
    pub before: f64,
    /// The quantile after.
    pub after: f64,
    /// The change in percent, positive is better; `None` from zero.
    pub change_percent: Option<f64>,
}

/// How a distribution changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// The better and the worse quarter moved alike: every measurement is affected.
    Shifted,
    /// The better quarter stayed, the worse part moved: a slow mode or a longer tail.
    SlowPart,
    /// The worse part moved more than the better one.
    Spread,
    /// It did not get worse.
    NotWorse,
}

impl Shape {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shifted => "shifted",
            Self::SlowPart => "slow_part",
            Self::Spread => "spread",
            Self::NotWorse => "not_worse",
        }
    }
}

/// Two samples, quantile by quantile.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantiles {
    /// From the best value to the worst.
    pub rows: Vec<QuantileRow>,
    /// What they show.
    pub shape: Shape,
}

/// Compares two samples in any order. `None` where one has too few values to have a shape.
pub fn compare_quantiles(better: Direction, before: &[f64], after: &[f64]) -> Option<Quantiles> {
    if before.len().min(after.len()) < FEWEST_VALUES {
        return None;
    }
    let (before, after) = (sorted(before), sorted(after));
    let row = |share: f64| {
        let p = if better == Direction::Lower { share } else { 1.0 - share };
        let (before, after) = (stats::quantile(&before, p)?, stats::quantile(&after, p)?);
        let change = Some(better.change_percent(before, after)).filter(|percent| percent.is_finite());
        Some(QuantileRow { share, before, after, change_percent: change })
    };
    let rows: Vec<QuantileRow> = SHARES.into_iter().map(row).collect::<Option<_>>()?;
    let loss = |shares: &[f64]| {
        let lost = rows.iter().filter(|row| shares.contains(&row.share)).filter_map(|row| Some(-row.change_percent?));
        lost.fold(0.0, f64::max)
    };
    let shape = shape(loss(&[0.1, 0.25]), loss(&[0.75, 0.9]));
    Some(Quantiles { rows, shape })
}

fn shape(fast: f64, slow: f64) -> Shape {
    if fast.max(slow) < LEAST_LOSS {
        Shape::NotWorse
    } else if fast >= 0.5 * slow {
        Shape::Shifted
    } else if fast < 0.2 * slow {
        Shape::SlowPart
    } else {
        Shape::Spread
    }
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}
