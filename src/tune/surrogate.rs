//! What the scores of some points say about the others: a Gaussian process over the grid.
//!
//! Two points are alike by the product, over their tunables, of how alike the values are (Matérn 5/2 of their distance). How
//! far that reaches along each tunable, and how much of a score is noise, are chosen by the likelihood of what was told.
//! Rasmussen and Williams, *Gaussian Processes for Machine Learning*, 2006: algorithm 2.1 for the fit, chapter 4 for Matérn,
//! chapter 5 for the likelihood. Nothing here is random, and nothing knows which point to take.

use super::Dimension;
use crate::stats::distribution::normal_cdf;

/// Points that are looked at together, so that the processor's lanes are full.
const LANES: usize = 8;
/// The logarithm of the reach that is expected along a tunable, in ranges of its values …
const USUAL_REACH: f64 = 0.0;
/// … and how far from that it may well be.
const REACH_SPREAD: f64 = 1.0;
/// The logarithm of the share of noise that is expected …
const USUAL_NOISE: f64 = -5.0;
/// … how far from that it may well be …
const NOISE_SPREAD: f64 = 1.5;
/// … and the least, for numbers that stay regular.
const LEAST_NOISE: f64 = -10.0;

/// Where each value of each tunable stands, from 0 to 1.
#[derive(Debug, Clone)]
pub(super) struct Scale(Vec<Vec<f64>>);

impl Scale {
    /// Positive numbers by their logarithms, since tunables are sizes as a rule; else by their places.
    pub(super) fn new(dimensions: &[Dimension]) -> Self {
        Self(dimensions.iter().map(|dimension| stands(&dimension.values)).collect())
    }

    /// How many tunables there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

fn stands(values: &[String]) -> Vec<f64> {
    let numbers: Option<Vec<f64>> =
        values.iter().map(|value| value.parse().ok().filter(|number: &f64| *number > 0.0 && number.is_finite())).collect();
    let raw = numbers.map_or_else(
        || (0..values.len()).map(|place| place as f64).collect::<Vec<f64>>(),
        |numbers| numbers.iter().map(|number| number.log2()).collect(),
    );
    let least = raw.iter().copied().fold(f64::INFINITY, f64::min);
    let most = raw.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    raw.iter().map(|at| if most > least { (at - least) / (most - least) } else { 0.0 }).collect()
}

/// What has to be believed before anything can be said.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Belief {
    /// The logarithm of the reach along each tunable.
    pub(super) reach: Vec<f64>,
    /// The logarithm of the share of a score's variance that is noise.
    pub(super) noise: f64,
}

impl Belief {
    /// What is usual.
    pub(super) fn usual(dimensions: usize) -> Self {
        Self { reach: vec![USUAL_REACH; dimensions], noise: USUAL_NOISE }
    }

    /// The logarithm of how likely it is beforehand, but for a constant.
    fn log_prior(&self) -> f64 {
        let far = |value: f64, usual: f64, spread: f64| -0.5 * ((value - usual) / spread).powi(2);
        let reach: f64 = self.reach.iter().map(|reach| far(*reach, USUAL_REACH, REACH_SPREAD)).sum();
        reach + far(self.noise, USUAL_NOISE, NOISE_SPREAD)
    }
}

/// How alike two values of a tunable are, for each pair of them.
#[derive(Debug, Clone)]
struct Likeness {
    values: usize,
    of_pairs: Vec<f64>,
}

impl Likeness {
    fn new(stands: &[f64], log_reach: f64) -> Self {
        let reach = log_reach.exp();
        let matern = |one: &f64, other: &f64| {
            let far = 5f64.sqrt() * (one - other).abs() / reach;
            (1.0 + far + far * far / 3.0) * (-far).exp()
        };
        let of_pairs = stands.iter().flat_map(|one| stands.iter().map(move |other| matern(one, other))).collect();
        Self { values: stands.len(), of_pairs }
    }
}

/// A process that has seen some points.
#[derive(Debug, Clone)]
pub(super) struct Surrogate<'a> {
    likeness: Vec<Likeness>,
    seen: Vec<&'a [usize]>,
    /// The lower triangle of Cholesky's factor, by rows.
    factor: Vec<Vec<f64>>,
    weights: Vec<f64>,
    mean: f64,
    /// The standard deviation of scores where nothing is known.
    pub(super) deviation: f64,
    /// The logarithm of how likely the belief is, after what was seen; but for a constant.
    pub(super) log_likelihood: f64,
}

impl<'a> Surrogate<'a> {
    /// The process that saw these points (coordinates) score these values. `None` where the numbers do not allow it.
    pub(super) fn new(scale: &Scale, belief: &Belief, seen: &[&'a [usize]], values: &[f64]) -> Option<Self> {
        let likeness = scale.0.iter().zip(&belief.reach).map(|(stands, reach)| Likeness::new(stands, *reach)).collect();
        let mut this = Self {
            likeness,
            seen: seen.to_vec(),
            factor: Vec::with_capacity(seen.len()),
            weights: Vec::new(),
            mean: 0.0,
            deviation: 0.0,
            log_likelihood: f64::NEG_INFINITY,
        };
        this.factorize(belief.noise.max(LEAST_NOISE).exp())?;
        let ones = this.forward(&vec![1.0; seen.len()]);
        let scores = this.forward(values);
        this.mean = dot(&ones, &scores) / dot(&ones, &ones);
        let mut rest: Vec<f64> = scores.iter().zip(&ones).map(|(score, one)| score - this.mean * one).collect();
        let variance = (dot(&rest, &rest) / seen.len() as f64).max(1e-12);
        this.deviation = variance.sqrt();
        let log_determinant: f64 = this.factor.iter().filter_map(|row| row.last()).map(|pivot| pivot.ln()).sum();
        this.log_likelihood = belief.log_prior() - 0.5 * seen.len() as f64 * variance.ln() - log_determinant;
        this.backward(&mut rest);
        this.weights = rest;
        this.mean.is_finite().then_some(this)
    }

    fn factorize(&mut self, noise: f64) -> Option<()> {
        for (number, point) in self.seen.iter().enumerate() {
            let mut row = Vec::with_capacity(number + 1);
            for (before, other) in self.factor.iter().zip(&self.seen) {
                let place = row.len();
                row.push((self.alike(point, other) - dot(&row, &before[..place])) / before[place]);
            }
            let pivot = 1.0 + noise - dot(&row, &row);
            row.push(Some(pivot.sqrt()).filter(|root| *root > 1e-6)?);
            self.factor.push(row);
        }
        Some(())
    }

    fn alike(&self, one: &[usize], other: &[usize]) -> f64 {
        let of_tunable =
            |((likeness, one), other): ((&Likeness, &usize), &usize)| likeness.of_pairs[likeness.values * one + other];
        self.likeness.iter().zip(one).zip(other).map(of_tunable).product()
    }

    /// Solves with the factor.
    fn forward(&self, values: &[f64]) -> Vec<f64> {
        let mut solved = Vec::with_capacity(values.len());
        for (row, value) in self.factor.iter().zip(values) {
            let place = solved.len();
            solved.push((value - dot(&solved, &row[..place])) / row[place]);
        }
        solved
    }

    /// Solves with the factor's transpose, in place.
    fn backward(&self, values: &mut [f64]) {
        for (place, row) in self.factor.iter().enumerate().rev() {
            let (before, here) = values.split_at_mut(place);
            here[0] /= row[place];
            for (value, factor) in before.iter_mut().zip(row) {
                *value -= factor * here[0];
            }
        }
    }

    /// What a point may be expected to score.
    pub(super) fn expected(&self, at: &[usize]) -> f64 {
        let seen = self.seen.iter().zip(&self.weights);
        self.mean + seen.map(|(point, weight)| weight * self.alike(point, at)).sum::<f64>()
    }

    /// The place of the point with the largest expected improvement on `best`, of those at these coordinates.
    pub(super) fn most_promising(&self, best: f64, points: &[&[usize]]) -> Option<usize> {
        let mut order: Vec<(f64, usize)> = points.iter().enumerate().map(|(place, at)| (self.expected(at), place)).collect();
        order.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut most: (f64, Option<usize>) = (0.0, None);
        for lanes in order.chunks(LANES) {
            // What is less certain promises more, and nothing is less certain than this: the rest is worse.
            if lanes.first().is_some_and(|(expected, _)| improvement(best - expected, self.deviation) <= most.0) {
                break;
            }
            let spreads = self.spreads(lanes, points);
            for ((expected, place), spread) in lanes.iter().zip(spreads) {
                let promise = improvement(best - expected, spread);
                if promise > most.0 {
                    most = (promise, Some(*place));
                }
            }
        }
        most.1
    }

    /// How far the scores of these points may well be from what is expected: standard deviations.
    fn spreads(&self, lanes: &[(f64, usize)], points: &[&[usize]]) -> [f64; LANES] {
        let mut solved: Vec<[f64; LANES]> = Vec::with_capacity(self.seen.len());
        let mut known = [0.0; LANES];
        for (row, seen) in self.factor.iter().zip(&self.seen) {
            let mut here = [0.0; LANES];
            for (value, (_, place)) in here.iter_mut().zip(lanes) {
                *value = self.alike(seen, points[*place]);
            }
            for (factor, before) in row.iter().zip(&solved) {
                for (value, before) in here.iter_mut().zip(before) {
                    *value -= factor * before;
                }
            }
            let pivot = row[solved.len()];
            for (value, known) in here.iter_mut().zip(&mut known) {
                *value /= pivot;
                *known += *value * *value;
            }
            solved.push(here);
        }
        known.map(|known| self.deviation * (1.0 - known).max(1e-9).sqrt())
    }
}

/// How much better than the best a score may be expected to be that is `better` by expectation, with this deviation (Jones,
/// Schonlau and Welch, *Efficient global optimization of expensive black-box functions*, 1998).
fn improvement(better: f64, deviation: f64) -> f64 {
    let z = better / deviation;
    let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
    better * normal_cdf(z) + deviation * density
}

/// The sum of products, in eight sums beside each other: the order is fixed, and the lanes are full.
fn dot(one: &[f64], other: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (ones, others) = (one.chunks_exact(8), other.chunks_exact(8));
    let rest: f64 = ones.remainder().iter().zip(others.remainder()).map(|(one, other)| one * other).sum();
    for (one, other) in ones.zip(others) {
        for ((sum, one), other) in sums.iter_mut().zip(one).zip(other) {
            *sum += one * other;
        }
    }
    rest + sums.iter().sum::<f64>()
}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert_eq, proptest};

    use super::*;
    use crate::stats::random::SplitMix64;

    fn scale(sizes: &[usize]) -> Scale {
        let values = |size: &usize| (0..*size).map(|value| value.to_string()).collect();
        Scale::new(&sizes.iter().map(|size| Dimension { name: "T".to_owned(), values: values(size) }).collect::<Vec<_>>())
    }

    fn all(sizes: [usize; 2]) -> Vec<[usize; 2]> {
        (0..sizes[0] * sizes[1]).map(|index| [index / sizes[1], index % sizes[1]]).collect()
    }

    #[test]
    fn sizes_stand_by_their_logarithms_and_words_by_their_places() {
        let of = |values: &[&str]| stands(&values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["16", "32", "64"]), [0.0, 0.5, 1.0]);
        assert_eq!(of(&["row", "column", "both"]), [0.0, 0.5, 1.0]);
        assert_eq!(of(&["0", "4", "16"]), [0.0, 0.5, 1.0], "nothing has a logarithm of zero");
        assert_eq!(of(&["8"]), [0.0]);
        assert_eq!(of(&["inf", "NaN", "1"]), [0.0, 0.5, 1.0]);
    }

    #[test]
    fn what_was_seen_is_expected_and_what_is_far_is_not_known() {
        let scale = scale(&[9, 2]);
        let seen: Vec<&[usize]> = vec![&[0, 0], &[1, 0], &[2, 0]];
        let belief = Belief { reach: vec![-1.5, 0.0], noise: -9.0 };
        let model = Surrogate::new(&scale, &belief, &seen, &[3.0, 2.0, 1.0]).unwrap();
        for (point, score) in seen.iter().zip([3.0, 2.0, 1.0]) {
            assert!((model.expected(point) - score).abs() < 0.01, "{point:?}");
        }
        assert!(model.expected(&[3, 0]) < 1.5, "it goes on falling a little");
        assert!((model.expected(&[8, 0]) - model.mean).abs() < 0.1);
        let points: Vec<&[usize]> = vec![&[1, 0], &[3, 0], &[8, 0]];
        let spreads = model.spreads(&[(0.0, 0), (0.0, 1), (0.0, 2)], &points);
        assert!(spreads[0] < 0.1 * spreads[1] && spreads[1] < spreads[2], "{spreads:?}");
    }

    #[test]
    fn the_likelier_belief_is_the_true_one() {
        let scale = scale(&[12, 12]);
        let points = all([12, 12]);
        let seen: Vec<&[usize]> = points.iter().step_by(5).map(|at| at.as_slice()).collect();
        let scores: Vec<f64> = seen.iter().map(|at| (at[0] as f64 / 4.0).sin()).collect();
        let likelihood = |reach| Surrogate::new(&scale, &Belief { reach, noise: -5.0 }, &seen, &scores).unwrap().log_likelihood;
        assert!(likelihood(vec![-1.0, 2.0]) > likelihood(vec![2.0, -1.0]), "only the first tunable matters");
        assert!(likelihood(vec![-1.0, 2.0]) > likelihood(vec![-4.0, -4.0]), "neighbours are alike");
    }

    proptest! {
        /// Leaving out what cannot promise more changes nothing.
        #[test]
        fn the_most_promising_point_is_the_one_that_a_look_at_each_finds(seed: u64) {
            let scale = scale(&[6, 7]);
            let mut random = SplitMix64::new(seed);
            let (seen, open): (Vec<_>, Vec<_>) = all([6, 7]).into_iter().partition(|_| random.below(3) == 0);
            let seen: Vec<&[usize]> = seen.iter().map(|at| at.as_slice()).collect();
            let open: Vec<&[usize]> = open.iter().map(|at| at.as_slice()).collect();
            let scores: Vec<f64> = seen.iter().map(|_| random.unit()).collect();
            let best = scores.iter().copied().fold(f64::INFINITY, f64::min);
            let belief = Belief { reach: vec![random.unit() - 1.0, random.unit() - 1.0], noise: -4.0 };
            if let Some(model) = Surrogate::new(&scale, &belief, &seen, &scores) {
                let promise = |at: &&[usize]| improvement(best - model.expected(at), model.spreads(&[(0.0, 0)], &[*at])[0]);
                let most = open.iter().enumerate().max_by(|one, other| promise(one.1).total_cmp(&promise(other.1)));
                prop_assert_eq!(model.most_promising(best, &open), most.map(|(place, _)| place));
            }
        }
    }
}
