//! The search for the commit that moved a series.

use proptest::prelude::*;

use super::*;
use crate::model::Direction;

/// Answers every question by where the series really moved; the questions in order.
fn asked(search: &mut Search, moved_by: usize, unusable: &[usize]) -> Vec<usize> {
    let mut asked = Vec::new();
    while let Some(at) = search.next() {
        assert!(!asked.contains(&at), "{at} is asked twice: {asked:?}");
        asked.push(at);
        match unusable.contains(&at) {
            true => search.passed_over(at),
            false => search.told(at, if at < moved_by { MoveSide::Before } else { MoveSide::After }),
        }
    }
    asked
}

proptest! {
    #[test]
    fn it_ends_at_the_commit_that_moved_whatever_was_suspected(
        commits in 2usize..300,
        moved_by in any::<prop::sample::Index>(),
        suspected in proptest::option::of((0usize..300, 0usize..300)),
    ) {
        let moved_by = 1 + moved_by.index(commits - 1);
        let mut search = Search::new(commits, suspected);
        let asked = asked(&mut search, moved_by, &[]);
        prop_assert_eq!(search.found(), moved_by..=moved_by);
        prop_assert!(asked.len() as u32 <= 2 + commits.ilog2() + 1, "{:?}", asked);
    }

    #[test]
    fn what_cannot_be_measured_leaves_a_range_that_has_the_commit(
        commits in 2usize..60,
        moved_by in any::<prop::sample::Index>(),
        unusable in proptest::collection::vec(1usize..60, 0..50),
    ) {
        let moved_by = 1 + moved_by.index(commits - 1);
        let mut search = Search::new(commits, None);
        asked(&mut search, moved_by, &unusable);
        let found = search.found();
        prop_assert!(found.contains(&moved_by));
        // All but the last are there only because they could not be measured.
        prop_assert!(found.clone().take(found.clone().count() - 1).all(|at| unusable.contains(&at)), "{:?}", found);
    }
}

#[test]
fn a_right_suspicion_needs_two_measurements() {
    let mut search = Search::new(1000, Some((699, 700)));
    assert_eq!(asked(&mut search, 700, &[]), [699, 700]);
    assert_eq!(search.found(), 700..=700);
}

#[test]
fn two_neighbours_need_none() {
    let search = Search::new(2, None);
    assert_eq!((search.next(), search.found(), search.steps_left()), (None, 1..=1, 0));
    assert_eq!([3, 5, 9, 10].map(|commits| Search::new(commits, None).steps_left()), [1, 2, 3, 4]);
    let mut search = Search::new(10, None);
    search.told(7, MoveSide::Before);
    assert_eq!((search.next(), search.steps_left()), (Some(8), 1));
}

#[test]
fn records_point_to_the_largest_step() {
    let noisy = [(0, 10.0), (3, 10.2), (5, 9.9), (9, 12.0), (10, 12.3), (20, 11.9)];
    assert_eq!(suspected_move(Direction::Lower, &noisy), Some((5, 9)));
    assert_eq!(suspected_move(Direction::Higher, &noisy), Some((5, 9)));
    let numbered = |values: &[f64]| values.iter().copied().enumerate().collect::<Vec<_>>();
    let last = numbered(&[10.0, 10.0, 10.0, 10.0, 10.0, 20.0]);
    assert_eq!(suspected_move(Direction::Lower, &last), Some((4, 5)));
    let crept_on = numbered(&[10.0, 10.0, 10.0, 11.0, 11.0, 12.0]);
    assert_eq!(
        suspected_move(Direction::Lower, &crept_on),
        Some((2, 3)),
        "three commits weigh more than one that is further off"
    );
    assert_eq!(suspected_move(Direction::Lower, &noisy[..2]), None, "two records say nothing");
    assert_eq!(suspected_move(Direction::Lower, &[(0, 1.0), (1, 1.0), (2, 1.0)]), None);
}

#[test]
fn a_clear_move_is_most_of_what_was_lost_and_apart_from_noise() {
    let numbered = |values: &[f64]| values.iter().copied().enumerate().collect::<Vec<_>>();
    for better in [Direction::Lower, Direction::Higher] {
        let step = [(0, 10.0), (3, 10.2), (5, 9.9), (9, 12.0), (10, 12.3), (20, 11.9)];
        assert_eq!(clear_move(better, &step), Some([(5, 9.9), (9, 12.0)]));
        for unclear in [&[10.0, 10.5, 11.0, 11.5, 12.0, 12.5][..], &[10.0, 12.1, 9.9, 12.0, 12.3], &[10.0, 12.0], &[10.0; 4], &[]]
        {
            assert_eq!(clear_move(better, &numbered(unclear)), None, "{unclear:?}");
        }
    }
}

/// Runs of a commit that is so much slower than the old end.
fn runs(factor: f64, noise: f64, count: usize, seed: u64) -> Vec<f64> {
    let mut random = SplitMix64::new(seed);
    (0..count).map(|_| 10.0 * factor * (noise * distribution::normal_quantile(random.unit()).unwrap_or(0.0)).exp()).collect()
}

#[test]
fn commits_stand_on_the_side_whose_level_is_nearer() {
    for (better, factor) in [(Direction::Lower, 1.05), (Direction::Higher, 1.05), (Direction::Lower, 0.9)] {
        let (old, new) = (runs(1.0, 0.003, 10, 1), runs(factor, 0.003, 10, 2));
        let halves = Halves::between(better, &old, &new).unwrap();
        for (of_commit, side) in [(1.0, MoveSide::Before), (factor, MoveSide::After)] {
            let other = runs(of_commit, 0.003, 10, 3);
            assert_eq!(halves.placed(&old, &other), Some(Placed { side, is_sure: true }), "{better} {of_commit}");
        }
    }
}

#[test]
fn quiet_commits_take_few_pairs_and_noisy_ones_do_not_end() {
    let pairs_until = |noise: f64, enough: &dyn Fn(&[f64], &[f64]) -> bool| {
        (1..=24).find(|count| enough(&runs(1.0, noise, *count, 5), &runs(1.05, noise, *count, 6)))
    };
    let fewest = Some(7);
    let ends = |old: &[f64], new: &[f64]| ends_are_known(Direction::Lower, old, new);
    assert_eq!(pairs_until(0.001, &ends), fewest);
    assert_eq!(pairs_until(0.2, &ends), None);
    let halves = Halves::between(Direction::Lower, &runs(1.0, 0.001, 10, 7), &runs(1.05, 0.001, 10, 8)).unwrap();
    let sure = |old: &[f64], new: &[f64]| halves.placed(old, new).is_some_and(|placed| placed.is_sure);
    assert_eq!(pairs_until(0.001, &sure), fewest);
    assert_eq!(pairs_until(0.2, &sure), None);
}

#[test]
fn ends_that_do_not_differ_have_no_halves() {
    let mut found = 0;
    for seed in 0..200 {
        let (old, new) = (runs(1.0, 0.02, 24, 2 * seed), runs(1.0, 0.02, 24, 2 * seed + 1));
        found += usize::from(Halves::between(Direction::Lower, &old, &new).is_some());
    }
    // One in a thousand is expected: three of 200 are less likely than one in a hundred.
    assert!(found < 3, "{found} of 200");
}

#[test]
fn a_shift_says_how_much_and_whether_it_is_clear() {
    let shift = PairedShift::of(Direction::Lower, &runs(1.0, 0.001, 12, 1), &runs(1.1, 0.001, 12, 2)).unwrap();
    assert!((shift.percent.unwrap() + 10.0).abs() < 0.3 && shift.is_clear() && shift.pairs == 12, "{shift:?}");
    assert!(shift.low_percent < shift.percent && shift.percent < shift.high_percent, "{shift:?}");
    let better = PairedShift::of(Direction::Higher, &runs(1.0, 0.001, 12, 5), &runs(1.1, 0.001, 12, 6)).unwrap();
    assert!(better.percent > Some(0.0) && better.is_clear(), "{better:?}");
    let same = PairedShift::of(Direction::Lower, &runs(1.0, 0.01, 12, 3), &runs(1.0, 0.01, 12, 4)).unwrap();
    assert!(!same.is_clear(), "{same:?}");
    assert!(!PairedShift::of(Direction::Lower, &[1.0], &[2.0]).unwrap().is_clear(), "one pair has no interval");
}
