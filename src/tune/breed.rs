//! Children of the best points: one tunable changed, or a mixture of two.

use super::Space;
use crate::stats::random::SplitMix64;

/// Parents are among this many best points.
const PARENTS: usize = 8;
/// The better half a dozen are chosen most: places are exponential with this mean.
const MEAN_PLACE: f64 = PARENTS as f64 / 3.0;
/// How often a child has two parents.
const MIXED_SHARE: f64 = 0.5;
/// How often such a child is changed, too.
const CHANGED_SHARE: f64 = 0.3;
/// Children that are known or not valid before it is given up.
const MOST_TRIES: usize = 30;

/// A child of the best of `ranked` that was not asked for; `None` where none is found.
pub(super) fn child(space: &Space, ranked: &[(f64, usize)], asked: &[bool], random: &mut SplitMix64) -> Option<usize> {
    let parents = &ranked[..ranked.len().min(PARENTS)];
    for _ in 0..MOST_TRIES {
        let place = (-random.unit().ln() * MEAN_PLACE) as usize;
        let (_, parent) = parents.get(place.min(parents.len().checked_sub(1)?))?;
        let mut at = space.coordinates(*parent).to_vec();
        let mut is_changed = true;
        if random.unit() < MIXED_SHARE {
            let (_, other) = parents.get(random.below(parents.len()))?;
            let before = at.clone();
            for (value, others) in at.iter_mut().zip(space.coordinates(*other)) {
                if random.below(2) == 0 {
                    *value = *others;
                }
            }
            is_changed = at == before || random.unit() < CHANGED_SHARE;
        }
        if is_changed {
            change_one(space, &mut at, random);
        }
        if let Some(point) = space.at(&at).filter(|point| !asked[*point]) {
            return Some(point);
        }
    }
    None
}

/// Gives one tunable the next value up or down, or any.
fn change_one(space: &Space, at: &mut [usize], random: &mut SplitMix64) {
    let values = |tunable: usize| space.dimensions().get(tunable).map_or(0, |dimension| dimension.values.len());
    let free: Vec<usize> = (0..at.len()).filter(|tunable| values(*tunable) > 1).collect();
    let Some(tunable) = free.get(random.below(free.len())).copied() else { return };
    let any = random.below(values(tunable));
    at[tunable] = match random.below(4) {
        0 => at[tunable].saturating_sub(1),
        1 => (at[tunable] + 1).min(values(tunable) - 1),
        _ => any,
    };
}
