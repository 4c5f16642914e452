//! Which point to measure next.
//!
//! On recorded spaces of real kernels no strategy wins everywhere, and greedy search often loses to random choice
//! (docs/tune.md has the table). What does well on all of them is to breed: a random sample first, then children of the best
//! points so far, with a random point now and then.

use super::Space;
use crate::stats::random::SplitMix64;

/// How points are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// A random sample, then neighbours and mixtures of the best points.
    #[default]
    Breed,
    /// The neighbours of one point until none is better, then from another random point.
    Climb,
    /// In random order.
    Random,
}

impl Strategy {
    /// The word of flags and results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Breed => "breed",
            Self::Climb => "climb",
            Self::Random => "random",
        }
    }
}

/// Random points before the first child.
const SAMPLE: usize = 20;
/// Parents are among this many best points.
const PARENTS: usize = 8;
/// The better half a dozen are chosen most: places are exponential with this mean.
const MEAN_PLACE: f64 = PARENTS as f64 / 3.0;
/// How often a random point is taken in place of a child.
const FRESH_SHARE: f64 = 0.1;
/// How often a child has two parents.
const MIXED_SHARE: f64 = 0.5;
/// How often such a child is changed, too.
const CHANGED_SHARE: f64 = 0.3;
/// Children that are known or not valid before a random point is taken.
const MOST_TRIES: usize = 30;

/// A search that is under way.
#[derive(Debug, Clone)]
pub struct Search<'a> {
    space: &'a Space,
    strategy: Strategy,
    random: SplitMix64,
    /// All points in random order, the next one last; some may have been asked for since.
    order: Vec<usize>,
    asked: Vec<bool>,
    asked_count: usize,
    /// What was told, the best first; what failed is not there.
    ranked: Vec<(f64, usize)>,
    /// Of a climb: where it stands.
    summit: Option<(f64, usize)>,
    /// Of a climb: neighbours of it that are not tried yet.
    around: Vec<usize>,
}

impl<'a> Search<'a> {
    /// A search that begins with `first`, where that is a point. The same seed and the same scores give the same points.
    pub fn new(space: &'a Space, first: Option<usize>, strategy: Strategy, seed: u64) -> Self {
        let mut random = SplitMix64::new(seed);
        let mut order: Vec<usize> = (0..space.len()).collect();
        shuffle(&mut order, &mut random);
        order.extend(first.filter(|point| *point < space.len()));
        let asked = vec![false; space.len()];
        Self { space, strategy, random, order, asked, asked_count: 0, ranked: Vec::new(), summit: None, around: Vec::new() }
    }

    /// A point that was not asked for before; `None` where there is none left.
    pub fn ask(&mut self) -> Option<usize> {
        let chosen = match self.strategy {
            Strategy::Breed if self.asked_count >= SAMPLE && self.random.unit() >= FRESH_SHARE => self.child(),
            Strategy::Climb => self.neighbour(),
            _ => None,
        };
        let point = chosen.or_else(|| self.fresh())?;
        self.asked[point] = true;
        self.asked_count += 1;
        Some(point)
    }

    /// What a point scored, lower is better; `None` where it failed.
    pub fn tell(&mut self, point: usize, score: Option<f64>) {
        let Some(score) = score.filter(|score| score.is_finite()) else { return };
        let place = self.ranked.partition_point(|(other, _)| *other <= score);
        self.ranked.insert(place, (score, point));
        if self.strategy == Strategy::Climb && self.summit.is_none_or(|(best, _)| score < best) {
            self.summit = Some((score, point));
            self.around = self.around(point);
        }
    }

    /// What was told, the best first.
    pub fn ranked(&self) -> &[(f64, usize)] {
        &self.ranked
    }

    fn fresh(&mut self) -> Option<usize> {
        while let Some(point) = self.order.pop() {
            if !self.asked[point] {
                // A climb begins anew from here.
                self.summit = None;
                return Some(point);
            }
        }
        None
    }

    fn child(&mut self) -> Option<usize> {
        for _ in 0..MOST_TRIES {
            let mut at = self.space.coordinates(self.parent()?).to_vec();
            let mut is_changed = true;
            if self.random.unit() < MIXED_SHARE {
                let other = self.space.coordinates(self.any_parent()?);
                let before = at.clone();
                for (value, others) in at.iter_mut().zip(other) {
                    if self.random.below(2) == 0 {
                        *value = *others;
                    }
                }
                is_changed = at == before || self.random.unit() < CHANGED_SHARE;
            }
            if is_changed {
                self.change_one(&mut at);
            }
            if let Some(point) = self.space.at(&at).filter(|point| !self.asked[*point]) {
                return Some(point);
            }
        }
        None
    }

    /// A good point, the best most often.
    fn parent(&mut self) -> Option<usize> {
        let place = (-self.random.unit().ln() * MEAN_PLACE) as usize;
        let last = self.ranked.len().min(PARENTS).checked_sub(1)?;
        self.ranked.get(place.min(last)).map(|(_, point)| *point)
    }

    fn any_parent(&mut self) -> Option<usize> {
        let place = self.random.below(self.ranked.len().min(PARENTS));
        self.ranked.get(place).map(|(_, point)| *point)
    }

    /// Gives one tunable the next value up or down, or any.
    fn change_one(&mut self, at: &mut [usize]) {
        let free: Vec<usize> = (0..at.len()).filter(|place| self.values(*place) > 1).collect();
        let Some(dimension) = free.get(self.random.below(free.len())).copied() else { return };
        let values = self.values(dimension);
        let any = self.random.below(values);
        at[dimension] = match self.random.below(4) {
            0 => at[dimension].saturating_sub(1),
            1 => (at[dimension] + 1).min(values - 1),
            _ => any,
        };
    }

    fn values(&self, dimension: usize) -> usize {
        self.space.dimensions().get(dimension).map_or(0, |dimension| dimension.values.len())
    }

    fn neighbour(&mut self) -> Option<usize> {
        self.summit?;
        while let Some(point) = self.around.pop() {
            if !self.asked[point] {
                return Some(point);
            }
        }
        None
    }

    /// The valid points that differ in one tunable, in random order.
    fn around(&mut self, point: usize) -> Vec<usize> {
        let at = self.space.coordinates(point);
        let mut found = Vec::new();
        for dimension in 0..at.len() {
            for value in (0..self.values(dimension)).filter(|value| *value != at[dimension]) {
                let mut other = at.to_vec();
                other[dimension] = value;
                found.extend(self.space.at(&other));
            }
        }
        shuffle(&mut found, &mut self.random);
        found
    }
}

/// Fisher and Yates.
fn shuffle(items: &mut [usize], random: &mut SplitMix64) {
    for last in (1..items.len()).rev() {
        items.swap(last, random.below(last + 1));
    }
}
