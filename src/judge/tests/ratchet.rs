//! The ratchet line: it steps where the baseline moves, and nowhere else.

use super::*;
use crate::model::{Excuse, ExcuseScope};

fn line(history: &[f64], excuses: &[PlacedExcuse]) -> Vec<RatchetStep> {
    let given = Given::times(history, 1.0);
    ratchet_line(&given.series, excuses, BaselineRule::Level, NoisePrior::default(), given.now)
}

#[test]
fn it_steps_down_with_a_better_level_and_never_back() {
    let mut noisy = Noisy::new(3, 0.003);
    let history = [noisy.many(0.010, 40), noisy.many(0.008, 40), noisy.many(0.011, 40)].concat();
    let line = line(&history, &[]);
    assert!(line.windows(2).all(|pair| pair[0].run < pair[1].run), "{line:#?}");
    // As more runs of a level come in its centre is known better: steps of a part of the noise, and no loss among them.
    let since: Vec<_> = line.iter().filter(|step| step.run >= 42).collect();
    assert!(since.iter().all(|step| (step.value - 0.008).abs() < 0.00004), "{line:#?}");
    assert!(line.iter().any(|step| (40..43).contains(&step.run)), "the better level binds at once: {line:#?}");
    let before: Vec<_> = line.iter().filter(|step| step.run < 40).collect();
    assert!(before.iter().all(|step| step.value > 0.0098), "{line:#?}");
}

#[test]
fn it_says_what_a_check_would_have_said() {
    let mut noisy = Noisy::new(5, 0.01);
    let history = [noisy.many(0.010, 7), noisy.many(0.009, 6)].concat();
    let given = Given::times(&history, 0.009);
    let newest = line(&history, &[]).last().copied().unwrap();
    let baseline = given.judge().baseline.unwrap();
    assert!((newest.value - baseline.value).abs() <= 0.001 * baseline.value, "{newest:?} {baseline:?}");
}

#[test]
fn an_excuse_lets_it_go_back() {
    let history = [vec![0.010; 10], vec![0.012; 10]].concat();
    let excuse = Excuse {
        id: LineId::from_parts(5, 5),
        time: at(0),
        author: Author::default(),
        tree: commit(7),
        scope: ExcuseScope::default(),
        reason: "stability".to_owned(),
        until: None,
        expires: None,
    };
    let held = line(&history, &[]);
    assert_eq!(held.len(), 1, "without an excuse the loss moves nothing: {held:?}");
    let excused = line(&history, &[PlacedExcuse { excuse, place: ExcusePlace::History(9) }]);
    let steps: Vec<(usize, f64)> = excused.iter().map(|step| (step.run, step.value)).collect();
    assert_eq!(steps, [(0, 0.010), (10, 0.012)]);
}

fn exact_line(history: &[f64], excuses: &[PlacedExcuse]) -> Vec<RatchetStep> {
    let given = Given::new(exact("instructions"), history, &[]);
    ratchet_line(&given.series, excuses, BaselineRule::Level, NoisePrior::default(), given.now)
}

/// More moves than anybody looks at: what stands out among them is still drawn where it was.
#[test]
fn the_largest_moves_are_found_first() {
    for (large, small) in [(40, 1700), (1700, 40), (1000, 1003)] {
        let fall = |at: usize, from: usize, to: f64| if at < from { 1.0 } else { to };
        let history: Vec<f64> =
            (0..2000).map(|at| 0.997_f64.powi(at as i32) * fall(at, large, 0.5) * fall(at, small, 0.7)).collect();
        let line = exact_line(&history, &[]);
        assert!(line.len() <= 48, "{}", line.len());
        for at in [large, small] {
            assert!([at - 1, at].iter().all(|run| line.iter().any(|step| step.run == *run)), "{at} of {line:?}");
        }
        assert!(line.iter().all(|step| step.value == history[step.run]));
    }
}

/// What was lost with an excuse and won back soon after would lie unseen between two equal ends.
#[test]
fn both_sides_of_an_excuse_are_looked_at() {
    let mut history = vec![100.0; 2000];
    history[700..704].fill(120.0);
    let excused = PlacedExcuse { excuse: super::excuse::excuse(), place: ExcusePlace::History(1299) };
    let line = exact_line(&history, &[excused]);
    assert_eq!(line.iter().map(|step| (step.run, step.value)).collect::<Vec<_>>(), [(0, 100.0), (700, 120.0), (704, 100.0)]);
}

#[test]
fn a_move_of_less_than_a_thousandth_is_none() {
    let steps = |history: &[f64]| exact_line(history, &[]).iter().map(|step| (step.run, step.value)).collect::<Vec<_>>();
    assert_eq!(steps(&[1000.0, 1000.0, 999.1, 999.1]), [(0, 1000.0)]);
    assert_eq!(steps(&[1000.0, 1000.0, 998.9, 998.9]), [(0, 1000.0), (2, 998.9)]);
}

#[test]
fn nothing_has_no_line() {
    assert_eq!(line(&[], &[]), []);
}
