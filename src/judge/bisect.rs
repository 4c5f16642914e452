//! Finding the commit that moved a series: which commit to measure next, and on which side of the move a measured one is.
//!
//! Every commit is held against the oldest one, in pairs of one session. What lies between the levels of the two ends is
//! halved: a commit is on the side whose level is nearer. Who stops when is decided here; measuring is not.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::scale::Scale;
use crate::model::Direction;
use crate::stats::{self, effect};

/// A binary search along a line of commits, numbered from the oldest on: the first and the last are the ends, which differ.
///
/// It begins where records say that the series moved. Commits that cannot be measured are passed over, so that several
/// may be left.
#[derive(Debug, Clone)]
pub struct Search {
    /// The newest commit that is known to be as the old end.
    before: usize,
    /// The oldest that is known to be as the new end.
    after: usize,
    unusable: BTreeSet<usize>,
    suspected: Vec<usize>,
}

/// On which side of the move a commit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MoveSide {
    /// As the old end.
    Before,
    /// As the new end.
    After,
}

impl MoveSide {
    /// The word of the JSON contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

impl Search {
    /// Along `commits` commits, ends included, of which `suspected` are measured first (see [`suspected_move`]).
    pub fn new(commits: usize, suspected: Option<(usize, usize)>) -> Self {
        let suspected = suspected.map_or_else(Vec::new, |(before, after)| vec![before, after]);
        Self { before: 0, after: commits.saturating_sub(1), unusable: BTreeSet::new(), suspected }
    }

    /// The commit to measure next; `None` where nothing is left to be asked.
    pub fn next(&self) -> Option<usize> {
        let open: Vec<usize> = (self.before + 1..self.after).filter(|at| !self.unusable.contains(at)).collect();
        let suspected = self.suspected.iter().find(|at| open.binary_search(at).is_ok());
        // The middle of what is left, or what is nearest to it; the first of two.
        let distance = |at: &usize| at.abs_diff(self.before + (self.after - self.before) / 2);
        suspected.copied().or_else(|| open.into_iter().min_by_key(distance))
    }

    /// A commit was measured.
    pub fn told(&mut self, at: usize, side: MoveSide) {
        match side {
            MoveSide::Before => self.before = self.before.max(at),
            MoveSide::After => self.after = self.after.min(at),
        }
    }

    /// A commit cannot be measured.
    pub fn passed_over(&mut self, at: usize) {
        self.unusable.insert(at);
    }

    /// The commits of which one moved the series: a single one, unless some could not be measured.
    pub fn found(&self) -> RangeInclusive<usize> {
        self.before + 1..=self.after
    }

    /// How many commits will be measured, about.
    pub fn steps_left(&self) -> u32 {
        let left = self.after - self.before;
        usize::BITS - left.saturating_sub(1).leading_zeros()
    }
}

/// Where records say that a series moved: the last measured commit before, and the first after the move. `measured` has
/// the commits' numbers and values in base units, the oldest first.
///
/// The split whose two halves vary least (least squares on the scale of comparison). `None` where fewer than three commits
/// were measured, or the values do not differ.
pub fn suspected_move(better: Direction, measured: &[(usize, f64)]) -> Option<(usize, usize)> {
    let values: Vec<f64> = measured.iter().map(|(_, value)| *value).collect();
    let scale = Scale::for_values(better, &values);
    let places: Vec<f64> = values.iter().map(|value| scale.place(*value)).collect();
    // What two halves of n and m values vary less by than the whole: n m times the squared distance of their means, over the
    // number of all values, which is the same for every split.
    let gain = |split: usize| {
        let (before, after) = places.split_at(split);
        let weight = (before.len() * after.len()) as f64;
        stats::mean(before).zip(stats::mean(after)).map_or(0.0, |(before, after)| weight * (before - after).powi(2))
    };
    let best = (1..places.len()).max_by(|one, other| gain(*one).total_cmp(&gain(*other)))?;
    (places.len() >= 3 && gain(best) > 0.0).then(|| (measured[best - 1].0, measured[best].0))
}

/// The neighbours of `measured` between which most of the move from its first to its last value lies: by the two, every value
/// before is on the one side and every value from there on the other. `None` where no step is so clear.
pub fn clear_move(better: Direction, measured: &[(usize, f64)]) -> Option<[(usize, f64); 2]> {
    let (_, after) = suspected_move(better, measured)?;
    let split = measured.iter().position(|(number, _)| *number == after)?;
    let values: Vec<f64> = measured.iter().map(|(_, value)| *value).collect();
    let scale = Scale::for_values(better, &values);
    let places: Vec<f64> = values.iter().map(|value| scale.place(*value)).collect();
    let moved = places.last()? - places.first()?;
    let towards: Vec<f64> = places.iter().map(|place| place * moved.signum()).collect();
    let (before, from) = towards.split_at(split);
    let farthest = before.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let nearest = from.iter().copied().fold(f64::INFINITY, f64::min);
    let is_most = 2.0 * (towards[split] - towards[split - 1]) > moved.abs();
    (farthest < nearest && is_most).then(|| [measured[split - 1], measured[split]])
}

/// By how much one commit differs from another, by pairs of one session.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedShift {
    /// How many pairs were measured.
    pub pairs: usize,
    /// The Hodges-Lehmann shift as a change in percent, positive is better; `None` from zero.
    pub percent: Option<f64>,
    /// Worse end of its 99.9 % interval; `None` where there are too few pairs.
    pub low_percent: Option<f64>,
    /// Better end of it.
    pub high_percent: Option<f64>,
}

impl PairedShift {
    /// What pairs show, the first of each being `reference`; `None` without any.
    pub fn of(better: Direction, reference: &[f64], other: &[f64]) -> Option<Self> {
        let scale = Scale::for_values(better, &[reference, other].concat());
        let found = found_shift(scale, reference, other)?;
        let level = scale.place(stats::median(reference)?);
        let percent = |shift: f64| scale.percent(level, shift);
        let ends = found.interval.and_then(|ends| percent(ends.low).zip(percent(ends.high)));
        Some(Self {
            pairs: other.len(),
            percent: percent(found.estimate),
            low_percent: ends.map(|(one, other)| one.min(other)),
            high_percent: ends.map(|(one, other)| one.max(other)),
        })
    }

    /// Whether the interval leaves zero out.
    pub fn is_clear(&self) -> bool {
        self.low_percent.zip(self.high_percent).is_some_and(|(low, high)| low > 0.0 || high < 0.0)
    }
}

/// Intervals are looked at after every pair and in every step, so they are wide: seven pairs have the first.
const CONFIDENCE: f64 = 0.999;

/// Whether pairs of the two ends tell the size of the move to a half of it.
pub fn ends_are_known(better: Direction, old: &[f64], new: &[f64]) -> bool {
    Halves::between(better, old, new)
        .is_some_and(|halves| halves.placed(old, new) == Some(Placed { side: MoveSide::After, is_sure: true }))
}

/// What lies between the levels of the two ends, halved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Halves {
    scale: Scale,
    /// Half the way from the old end to the new one, on the scale of comparison.
    border: f64,
}

/// The side of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Where the commit is.
    pub side: MoveSide,
    /// Whether the interval says so; otherwise only the estimate does.
    pub is_sure: bool,
}

impl Halves {
    /// By pairs of the two ends. `None` where they are not proven to differ.
    pub fn between(better: Direction, old: &[f64], new: &[f64]) -> Option<Self> {
        let scale = Scale::for_values(better, &[old, new].concat());
        let shift = found_shift(scale, old, new)?;
        let is_proven = shift.interval.is_some_and(|ends| ends.low > 0.0 || ends.high < 0.0);
        is_proven.then_some(Self { scale, border: shift.estimate / 2.0 })
    }

    /// On which side a commit is, by its pairs with the old end; `None` without any.
    pub fn placed(&self, old: &[f64], other: &[f64]) -> Option<Placed> {
        let shift = found_shift(self.scale, old, other)?;
        let is_after = (shift.estimate - self.border) * self.border.signum() > 0.0;
        let side = if is_after { MoveSide::After } else { MoveSide::Before };
        Some(Placed { side, is_sure: shift.interval.is_some_and(|ends| ends.low > self.border || ends.high < self.border) })
    }
}

/// The shift of `other` against `reference` on the scale, positive is worse.
fn found_shift(scale: Scale, reference: &[f64], other: &[f64]) -> Option<effect::Shift> {
    let places = |values: &[f64]| values.iter().map(|value| scale.place(*value)).collect::<Vec<_>>();
    effect::hodges_lehmann(&places(reference), &places(other), CONFIDENCE)
}
