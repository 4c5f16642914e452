//! How long a point is measured: clear losers are dropped after a few launches, the others are measured to the end.

use crate::stats;

/// Times are looked at when there are this many, which is the fewest that an interval of their median takes …
const FIRST_LOOK: usize = 8;
/// … and then at three times as many as before, up to this many.
pub const MOST_TIMES: usize = 72;
/// A point whose median surely lies this far above the best one's has lost.
const LOST_BY: f64 = 1.02;
/// How sure: the confidence of the interval of its median.
const CONFIDENCE: f64 = 0.95;

/// What to do after the times so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Measure until there are this many times.
    MeasureTo(usize),
    /// It cannot win any more.
    Lost,
    /// It is known well enough.
    Known,
}

/// What to do after these times of a point, in the order measured, where the best so far has this median.
pub fn next_look(times: &[f64], best: Option<f64>) -> Look {
    if times.len() < FIRST_LOOK {
        return Look::MeasureTo(FIRST_LOOK);
    }
    let low = stats::median_interval(&stats::sorted(times), CONFIDENCE).map(|interval| interval.low);
    if low.zip(best).is_some_and(|(low, best)| low > LOST_BY * best) {
        return Look::Lost;
    }
    if times.len() >= MOST_TIMES { Look::Known } else { Look::MeasureTo((3 * times.len()).min(MOST_TIMES)) }
}
