//! Where in the distribution a change sits.

use super::*;
use crate::model::Direction;

fn shape_of(better: Direction, change: impl Fn(usize, f64) -> f64) -> Shape {
    let before = Noisy::new(1, 0.01).many(1.0, 60);
    let fresh = Noisy::new(2, 0.01).many(1.0, 60);
    let after: Vec<f64> = fresh.iter().enumerate().map(|(at, value)| change(at, *value)).collect();
    compare_quantiles(better, &before, &after).unwrap().shape
}

#[test]
fn a_shift_a_slow_mode_and_neither_are_told_apart() {
    for better in [Direction::Lower, Direction::Higher] {
        let worse = |value: f64, factor: f64| if better == Direction::Lower { value * factor } else { value / factor };
        assert_eq!(shape_of(better, |_, value| worse(value, 1.2)), Shape::Shifted);
        assert_eq!(shape_of(better, |at, value| if at % 3 == 0 { worse(value, 1.5) } else { value }), Shape::SlowPart);
        assert_eq!(shape_of(better, |at, value| worse(value, if at % 3 == 0 { 1.5 } else { 1.15 })), Shape::Spread);
        assert_eq!(shape_of(better, |_, value| value), Shape::NotWorse);
        assert_eq!(shape_of(better, |_, value| worse(value, 0.8)), Shape::NotWorse);
    }
}

#[test]
fn rows_go_from_the_best_value_to_the_worst() {
    let numbers: Vec<f64> = (1..=9).map(f64::from).collect();
    let doubled: Vec<f64> = numbers.iter().map(|value| value * 2.0).collect();
    let rows = compare_quantiles(Direction::Higher, &numbers, &doubled).unwrap().rows;
    assert_eq!((rows[0].before, rows[0].after, rows[0].change_percent), (9.0, 18.0, Some(100.0)));
    assert_eq!((rows[3].share, rows[3].before), (0.5, 5.0));
    assert_eq!(compare_quantiles(Direction::Higher, &numbers[..7], &doubled), None, "too few values have no shape");
    assert!(compare_quantiles(Direction::Higher, &numbers[..8], &doubled).is_some());
}
