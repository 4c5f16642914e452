//! Excursions: commits that stood out from those around them, and were not followed.
//!
//! Noise between runs has heavier tails than a normal distribution: a backup, a neighbour on the same host, a cold cache
//! slow the runs of one commit by a third, and the next are as before. What a history has shown to come and go by itself
//! proves nothing.

use super::noise::newest;
use crate::stats;

/// This many commits on either side say what a block of commits stands out from.
pub(super) const AROUND: usize = 5;
/// Fewer than this many on a side do not say it.
const FEWEST_AROUND: usize = 2;

/// To prove a change, it has to be this many times as large as what came and went.
const FACTOR: f64 = 2.0;

/// What comes and goes no more often than this does not count: the p at which a history convicts.
const RARE: f64 = 0.001;

/// To which side a block stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Towards {
    /// Upwards on the scale of comparison.
    Worse,
    /// Downwards.
    Better,
}

/// The change that a block of `length` commits has to be larger than: twice the largest excursion of such blocks, apart from
/// those that are as rare as one in a thousand; zero where the history shows none.
pub(super) fn limit(places: &[f64], length: usize, towards: Towards) -> f64 {
    let mut known = excursions(newest(places), length, towards);
    let rare = (RARE * known.len() as f64) as usize;
    if known.is_empty() {
        return 0.0;
    }
    let (_, excursion, _) = known.select_nth_unstable_by(rare, |one, other| other.total_cmp(one));
    FACTOR * excursion.max(0.0)
}

/// The largest excursion of a single commit for the worse; zero where there was none.
pub(super) fn largest(places: &[f64]) -> f64 {
    excursions(newest(places), 1, Towards::Worse).into_iter().fold(0.0, f64::max)
}

/// For each block of `length` neighbours: by how much its median lies beyond the medians of what is before and behind it,
/// whichever is nearer. A step has one side that is as high, and is no excursion.
fn excursions(places: &[f64], length: usize, towards: Towards) -> Vec<f64> {
    let sign = if towards == Towards::Worse { 1.0 } else { -1.0 };
    // The same neighbours are before one block and behind another.
    let around: Vec<f64> = places.windows(AROUND).filter_map(middle).collect();
    let before = |start: usize| match start.checked_sub(AROUND) {
        Some(first) => around.get(first).copied(),
        None => middle(&places[..start]),
    };
    let after = |end: usize| around.get(end).copied().or_else(|| middle(&places[end..]));
    let of_block = |start: usize| {
        let block = middle(&places[start..start + length])?;
        let beyond = |around: f64| sign * (block - around);
        Some(beyond(before(start)?).min(beyond(after(start + length)?)))
    };
    let last = (places.len() + 1).saturating_sub(length + FEWEST_AROUND);
    (FEWEST_AROUND..last).filter_map(of_block).collect()
}

/// The median; of one, three or five values, the usual case, without an allocation.
fn middle(values: &[f64]) -> Option<f64> {
    match values {
        [only] => Some(*only),
        [a, b, c] => Some(of_three(*a, *b, *c)),
        [a, b, c, d, e] => {
            // Neither the lower of the two lower ones nor the higher of the two higher ones is the middle of five.
            let (low, high) = (a.min(*b).max(c.min(*d)), a.max(*b).min(c.max(*d)));
            Some(of_three(*e, low, high))
        }
        _ => stats::median(values),
    }
}

fn of_three(a: f64, b: f64, c: f64) -> f64 {
    a.max(b).min(a.min(b).max(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(at: &[(usize, f64)]) -> Vec<f64> {
        let mut places = vec![0.0; 60];
        at.iter().for_each(|(at, place)| places[*at] = *place);
        places
    }

    #[test]
    fn the_middle_of_few_is_their_median() {
        let mut random = crate::stats::random::SplitMix64::new(5);
        for _ in 0..2000 {
            let values: Vec<f64> = (0..1 + random.below(7)).map(|_| random.below(6) as f64).collect();
            assert_eq!(middle(&values), stats::median(&values), "{values:?}");
        }
    }

    #[test]
    fn what_came_and_went_sets_the_limit_of_its_own_side() {
        let places = with(&[(20, 0.3), (40, 0.1), (50, -0.2)]);
        assert_eq!(limit(&places, 1, Towards::Worse), 0.6);
        assert_eq!(limit(&places, 1, Towards::Better), 0.4);
        assert_eq!(limit(&places, 3, Towards::Worse), 0.0, "no three neighbours stood out");
        assert_eq!(limit(&with(&[(20, 0.3), (21, 0.2)]), 3, Towards::Worse), 0.4);
        assert_eq!(largest(&places), 0.3);
    }

    #[test]
    fn a_step_is_no_excursion_and_neither_are_the_ends() {
        let step: Vec<f64> = (0..60).map(|at| if at < 30 { 0.0 } else { 0.3 }).collect();
        let ends = with(&[(0, 0.3), (1, 0.3), (58, 0.3), (59, 0.3)]);
        for places in [step, ends] {
            assert_eq!(
                (largest(&places), excursions(&places, 1, Towards::Better).iter().copied().fold(0.0, f64::max)),
                (0.0, 0.0)
            );
        }
        assert_eq!(largest(&[0.0, 0.0, 0.3, 0.0, 0.0]), 0.3, "two on either side are enough to tell");
        assert_eq!((largest(&[0.0, 0.3, 0.0, 0.0]), largest(&[0.0, 0.0, 0.3, 0.0])), (0.0, 0.0));
        assert_eq!(limit(&[0.0, 0.0, 0.3, 0.3, 0.3, 0.0, 0.0], 3, Towards::Worse), 0.6);
    }

    #[test]
    fn one_in_a_thousand_does_not_count() {
        let mut long = vec![0.0; 1500];
        long[700] = 0.3;
        assert_eq!(limit(&long, 1, Towards::Worse), 0.0);
        long[900] = 0.2;
        assert_eq!(limit(&long, 1, Towards::Worse), 0.4);
        assert_eq!(largest(&long), 0.3);
    }
}
