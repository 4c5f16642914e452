//! The point that promises most, by what was told so far.
//!
//! Failures are told to the model as if they scored like the slowest point, so that it keeps away from where points fail.
//! Points that were asked for and are not told yet count as if they scored what is expected of them, so that the next one
//! is another (Ginsbourger, Le Riche and Carraro, *Kriging is well-suited to parallelize optimization*, 2010).

use super::Space;
use super::surrogate::{Belief, Scale, Surrogate};
use crate::stats::random::SplitMix64;

/// Scores before anything is learnt from them.
const FEWEST: usize = 3;
/// The model sees this many points at most: what an answer takes grows with the square of it.
const MOST_SEEN: usize = 200;
/// Points drawn from the space, of which the most promising is taken; all where there are not more …
const DRAWN: usize = 1000;
/// … and the neighbours of this many best points beside them.
const SUMMITS: usize = 8;
/// How far another belief is from the present one: of one tunable's reach, of all of them, of the noise.
const STEPS: [f64; 3] = [1.0, 0.5, 0.3];

/// What is learnt during a search.
#[derive(Debug, Clone)]
pub(super) struct Learner {
    scale: Scale,
    belief: Belief,
    /// The logarithms of scores; `None` where the point failed.
    told: Vec<(usize, Option<f64>)>,
    pending: Vec<usize>,
    /// Whether something was told since the belief was looked at.
    is_new: bool,
}

impl Learner {
    /// One that knows nothing of this space.
    pub(super) fn new(space: &Space) -> Self {
        let scale = Scale::new(space.dimensions());
        let belief = Belief::usual(scale.len());
        Self { scale, belief, told: Vec::new(), pending: Vec::new(), is_new: false }
    }

    /// A point was asked for.
    pub(super) fn asked(&mut self, point: usize) {
        self.pending.push(point);
    }

    /// What a point scored. One outside the space teaches nothing.
    pub(super) fn tell(&mut self, space: &Space, point: usize, score: Option<f64>) {
        self.pending.retain(|other| *other != point);
        if point < space.len() {
            self.told.push((point, score.map(|score| score.max(f64::MIN_POSITIVE).ln())));
            self.is_new = true;
        }
    }

    /// The most promising point that was not asked for; `None` where too little is known.
    pub(super) fn choose(&mut self, space: &Space, asked: &[bool], random: &mut SplitMix64) -> Option<usize> {
        let mut good: Vec<(f64, usize)> = self.told.iter().filter_map(|(point, score)| Some(((*score)?, *point))).collect();
        if good.len() < FEWEST {
            return None;
        }
        good.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (best, worst) = (good.first()?.0, good.last()?.0);
        let (mut points, mut values) = self.seen(space, worst);
        let mut model = self.believe(&points, &values, random)?;
        if !self.pending.is_empty() {
            let deviation = model.deviation;
            let pending = self.pending.iter().map(|point| space.coordinates(*point)).filter(|at| at.len() == self.scale.len());
            for at in pending {
                points.push(at);
                values.push(model.expected(at));
            }
            model = Surrogate::new(&self.scale, &self.belief, &points, &values)?;
            // Guesses do not make anything more certain than it is.
            model.deviation = deviation;
        }
        let drawn = candidates(space, asked, good.iter().take(SUMMITS).map(|(_, point)| *point), random);
        let at: Vec<&[usize]> = drawn.iter().map(|point| space.coordinates(*point)).collect();
        drawn.get(model.most_promising(best, &at)?).copied()
    }

    /// The coordinates and values that the model sees: of too many the best half, and of the others some of every rank.
    fn seen<'a>(&self, space: &'a Space, worst: f64) -> (Vec<&'a [usize]>, Vec<f64>) {
        let mut told: Vec<(usize, f64)> = self.told.iter().map(|(point, score)| (*point, score.unwrap_or(worst))).collect();
        if told.len() > MOST_SEEN {
            told.sort_by(|one, other| one.1.total_cmp(&other.1));
            let half = MOST_SEEN / 2;
            let others = told.split_off(half);
            told.extend((0..half).filter_map(|number| others.get(number * others.len() / half)));
        }
        told.into_iter().map(|(point, value)| (space.coordinates(point), value)).unzip()
    }

    /// The model by the present belief, or by a likelier one that lies near it. The fewer points, the more are tried: each
    /// costs less, and says more.
    fn believe<'a>(&mut self, points: &[&'a [usize]], values: &[f64], random: &mut SplitMix64) -> Option<Surrogate<'a>> {
        let mut model = Surrogate::new(&self.scale, &self.belief, points, values);
        let tries = if self.is_new { 1 + 240 / points.len().max(1) } else { 0 };
        self.is_new = false;
        for _ in 0..tries {
            let belief = another(&self.belief, random);
            let other = Surrogate::new(&self.scale, &belief, points, values);
            let log_likelihood = model.as_ref().map_or(f64::NEG_INFINITY, |model| model.log_likelihood);
            if other.as_ref().is_some_and(|other| other.log_likelihood > log_likelihood) {
                (model, self.belief) = (other, belief);
            }
        }
        model
    }
}

/// A belief near this one.
fn another(belief: &Belief, random: &mut SplitMix64) -> Belief {
    let mut other = belief.clone();
    if random.below(2) == 0 {
        let tunable = random.below(other.reach.len() + 1);
        match other.reach.get_mut(tunable) {
            Some(reach) => *reach += STEPS[0] * normal(random),
            None => other.noise += STEPS[0] * normal(random),
        }
    } else {
        for reach in &mut other.reach {
            *reach += STEPS[1] * normal(random);
        }
        other.noise += STEPS[2] * normal(random);
    }
    other
}

/// A normal variate (Box and Muller).
fn normal(random: &mut SplitMix64) -> f64 {
    (-2.0 * random.unit().ln()).sqrt() * (std::f64::consts::TAU * random.unit()).cos()
}

/// Points that were not asked for: all of a small space; of a large one some, and the neighbours of its summits.
fn candidates(space: &Space, asked: &[bool], summits: impl Iterator<Item = usize>, random: &mut SplitMix64) -> Vec<usize> {
    let is_open = |point: &usize| !asked[*point];
    if space.len() <= DRAWN {
        return (0..space.len()).filter(is_open).collect();
    }
    let mut found: Vec<usize> = (0..DRAWN).map(|_| random.below(space.len())).filter(is_open).collect();
    found.extend(summits.flat_map(|point| space.around(point)).filter(is_open));
    found.sort_unstable();
    found.dedup();
    found
}
