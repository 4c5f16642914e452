//! Which point to measure next.
//!
//! A random sample first, then what promises most by a [model](super::learn) of the scores so far, with a [child](super::breed) of
//! the best points or a random point now and then. On recorded spaces of real kernels that finds a fast point sooner than chance, climbing or breeding do
//! (docs/results/tune.md has the tables).

use super::learn::Learner;
use super::{Space, breed};
use crate::stats::random::SplitMix64;

/// How points are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// A random sample, then what promises most by a model of the scores so far.
    #[default]
    Learn,
    /// In random order.
    Random,
}

impl Strategy {
    /// The word of flags and results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Learn => "learn",
            Self::Random => "random",
        }
    }
}

/// Random points before anything is learnt.
const SAMPLE: usize = 12;
/// How often a random point is taken afterwards: what the model is sure of may be wrong.
const FRESH_SHARE: f64 = 0.1;
/// How often a child of the best points is taken: where the ground is rough, no model sees the last steps.
const BRED_SHARE: f64 = 0.3;

/// A search that is under way.
#[derive(Debug, Clone)]
pub struct Search<'a> {
    space: &'a Space,
    random: SplitMix64,
    /// All points in random order, the next one last; some may have been asked for since.
    order: Vec<usize>,
    asked: Vec<bool>,
    asked_count: usize,
    /// What was told, the best first; what failed is not there.
    ranked: Vec<(f64, usize)>,
    /// What was learnt, where the strategy is to learn.
    learner: Option<Learner>,
}

impl<'a> Search<'a> {
    /// A search that begins with `first`, where that is a point. The same seed and the same scores give the same points.
    pub fn new(space: &'a Space, first: Option<usize>, strategy: Strategy, seed: u64) -> Self {
        let mut random = SplitMix64::new(seed);
        let mut order: Vec<usize> = (0..space.len()).collect();
        shuffle(&mut order, &mut random);
        order.extend(first.filter(|point| *point < space.len()));
        let asked = vec![false; space.len()];
        let learner = (strategy == Strategy::Learn).then(|| Learner::new(space));
        Self { space, random, order, asked, asked_count: 0, ranked: Vec::new(), learner }
    }

    /// A point that was not asked for before; `None` where there is none left.
    pub fn ask(&mut self) -> Option<usize> {
        let chosen = if self.asked_count < SAMPLE { None } else { self.promising() };
        let point = chosen.or_else(|| self.fresh())?;
        self.asked[point] = true;
        self.asked_count += 1;
        if let Some(learner) = &mut self.learner {
            learner.asked(point);
        }
        Some(point)
    }

    /// What a point scored, lower is better; `None` where it failed.
    pub fn tell(&mut self, point: usize, score: Option<f64>) {
        let score = score.filter(|score| score.is_finite());
        if let Some(learner) = &mut self.learner {
            learner.tell(self.space, point, score);
        }
        if let Some(score) = score {
            let place = self.ranked.partition_point(|(other, _)| *other <= score);
            self.ranked.insert(place, (score, point));
        }
    }

    /// What was told, the best first.
    pub fn ranked(&self) -> &[(f64, usize)] {
        &self.ranked
    }

    fn promising(&mut self) -> Option<usize> {
        let learner = self.learner.as_mut()?;
        let draw = self.random.unit();
        if draw < FRESH_SHARE {
            None
        } else if draw < FRESH_SHARE + BRED_SHARE {
            breed::child(self.space, &self.ranked, &self.asked, &mut self.random)
        } else {
            learner.choose(self.space, &self.asked, &mut self.random)
        }
    }

    fn fresh(&mut self) -> Option<usize> {
        while let Some(point) = self.order.pop() {
            if !self.asked[point] {
                return Some(point);
            }
        }
        None
    }
}

/// Fisher and Yates.
fn shuffle(items: &mut [usize], random: &mut SplitMix64) {
    for last in (1..items.len()).rev() {
        items.swap(last, random.below(last + 1));
    }
}
