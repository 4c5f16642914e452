//! Two sides of one series compared: how large the difference is and whether it is there. No gate, no verdict.

use super::scale::Scale;
use super::verdict::Estimate;
use crate::model::{Direction, Metric, SeriesKey, Summary};
use crate::stats::{self, effect, rank};

/// Confidence of every interval here.
const CONFIDENCE: f64 = 0.95;

/// One run of a side.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparedRun {
    /// Its statistics, in base units.
    pub summary: Summary,
    /// Its values as far as they were kept, in base units; empty where only statistics are known.
    pub values: Vec<f64>,
}

/// Which numbers the statistics are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Basis {
    /// The values within the newest run of each side: blind to what differs from run to run, and so too sure of itself.
    WithinRuns,
    /// The medians of several runs of each side.
    BetweenRuns,
    /// Short runs measured in turn in one session.
    Pairs,
}

impl Basis {
    /// The word of the JSON contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WithinRuns => "within_runs",
            Self::BetweenRuns => "between_runs",
            Self::Pairs => "pairs",
        }
    }
}

/// What two sides of a series show.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Which numbers the statistics are about.
    pub basis: Basis,
    /// The first side.
    pub before: Estimate,
    /// The second side.
    pub after: Estimate,
    /// How many numbers of each side took part in the statistics below.
    pub counts: (usize, usize),
    /// Hodges-Lehmann shift as a change in percent, positive is better; `None` from zero.
    pub change_percent: Option<f64>,
    /// Worse end of its 95 % interval; `None` where there are too few numbers.
    pub low_percent: Option<f64>,
    /// Better end of it.
    pub high_percent: Option<f64>,
    /// Cliff's delta from −1 to 1: positive where the second side tends to be better.
    pub delta: f64,
    /// Hedges' g on the scale of comparison: positive where the second side is better; `None` without spread.
    pub hedges_g: Option<f64>,
    /// Two-sided Mann-Whitney probability of a difference like this without a cause.
    pub p: f64,
}

/// A series and what its two sides show.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesComparison {
    /// The series.
    pub key: SeriesKey,
    /// Unit and direction.
    pub metric: Metric,
    /// Whether somebody vouches for each side, where only what is signed counts.
    pub trusted: (bool, bool),
    /// The statistics.
    pub comparison: Comparison,
}

/// Compares two sides by their stored runs, oldest first. `None` where a side has none.
///
/// Where both have several runs their medians are compared, else the values within the newest run of each.
pub fn compare_runs(better: Direction, before: &[ComparedRun], after: &[ComparedRun]) -> Option<Comparison> {
    let basis = if before.len() > 1 && after.len() > 1 { Basis::BetweenRuns } else { Basis::WithinRuns };
    let numbers = |runs: &[ComparedRun]| match basis {
        Basis::WithinRuns => runs.last().map(values_of),
        _ => Some(medians(runs)),
    };
    let estimates = (estimate(before, basis)?, estimate(after, basis)?);
    compare(better, basis, estimates, (&numbers(before)?, &numbers(after)?))
}

/// Compares the two sides of measured pairs. `None` without any.
pub fn compare_pairs(better: Direction, before: &[f64], after: &[f64]) -> Option<Comparison> {
    let estimates = (between(before)?, between(after)?);
    compare(better, Basis::Pairs, estimates, (before, after))
}

fn compare(
    better: Direction,
    basis: Basis,
    (before, after): (Estimate, Estimate),
    (first, second): (&[f64], &[f64]),
) -> Option<Comparison> {
    let scale = Scale::for_values(better, &[first, second, &[before.value, after.value]].concat());
    let places = |values: &[f64]| values.iter().map(|value| scale.place(*value)).collect::<Vec<_>>();
    let (first, second) = (places(first), places(second));
    let shift = effect::hodges_lehmann(&first, &second, CONFIDENCE)?;
    let level = scale.place(before.value);
    let percent = |shift: f64| scale.percent(level, shift);
    let ends = shift.interval.and_then(|interval| percent(interval.low).zip(percent(interval.high)));
    Some(Comparison {
        basis,
        counts: (first.len(), second.len()),
        change_percent: percent(shift.estimate),
        low_percent: ends.map(|(one, other)| one.min(other)),
        high_percent: ends.map(|(one, other)| one.max(other)),
        // Lower places are better.
        delta: effect::cliffs_delta(&first, &second)?,
        hedges_g: effect::hedges_g(&first, &second),
        p: rank::mann_whitney(&first, &second)?.p_two_sided,
        before,
        after,
    })
}

fn estimate(runs: &[ComparedRun], basis: Basis) -> Option<Estimate> {
    match basis {
        Basis::WithinRuns => {
            runs.last().map(|run| Estimate { value: run.summary.median, low: run.summary.low, high: run.summary.high, runs: 1 })
        }
        _ => between(&medians(runs)),
    }
}

/// The median over runs, with the interval that six of them or more have.
fn between(values: &[f64]) -> Option<Estimate> {
    let interval = stats::median_interval(&stats::sorted(values), CONFIDENCE);
    Some(Estimate {
        value: stats::median(values)?,
        low: interval.map(|interval| interval.low),
        high: interval.map(|interval| interval.high),
        runs: values.len(),
    })
}

fn medians(runs: &[ComparedRun]) -> Vec<f64> {
    runs.iter().map(|run| run.summary.median).collect()
}

/// A run without values stands for its median.
fn values_of(run: &ComparedRun) -> Vec<f64> {
    if run.values.is_empty() { vec![run.summary.median] } else { run.values.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(values: &[f64]) -> ComparedRun {
        ComparedRun { summary: stats::summarize(values).unwrap(), values: values.to_vec() }
    }

    fn close(value: Option<f64>, expected: f64) -> bool {
        (value.unwrap() - expected).abs() < 1e-9
    }

    #[test]
    fn single_runs_are_compared_by_their_values() {
        let (before, after) = ([10.0, 10.1, 10.2, 10.3, 10.4], [20.0, 20.2, 20.4, 20.6, 20.8]);
        let compared = compare_runs(Direction::Lower, &[run(&before)], &[run(&after)]).unwrap();
        assert_eq!((compared.basis, compared.counts), (Basis::WithinRuns, (5, 5)));
        assert!(close(compared.change_percent, -100.0), "{compared:?}");
        assert_eq!(compared.delta, -1.0);
        assert!(compared.hedges_g.is_some_and(|g| g < -10.0), "far apart, and for the worse: {compared:?}");
        assert!((compared.p - 2.0 / 252.0).abs() < 1e-12, "all of 252 splits but two are less extreme");
        assert!(compared.low_percent < compared.change_percent && compared.change_percent < compared.high_percent);
    }

    #[test]
    fn several_runs_are_compared_by_their_medians() {
        let runs = |centre: f64| [run(&[centre, 99.0, 0.1]), run(&[centre * 1.01, 99.0, 0.1])];
        let compared = compare_runs(Direction::Lower, &runs(10.0), &runs(5.0)).unwrap();
        assert_eq!((compared.basis, compared.counts), (Basis::BetweenRuns, (2, 2)));
        assert!(close(compared.change_percent, 50.0), "{compared:?}");
        assert_eq!((compared.delta, compared.low_percent), (1.0, None), "two runs have no interval");
    }

    #[test]
    fn a_side_of_one_run_is_compared_by_values_and_says_its_own_interval() {
        let several = [run(&[10.0; 7]), run(&[10.0, 10.1, 10.2, 10.3, 10.4, 10.5, 10.6])];
        for (before, after, values) in [(1, 2, (7, 7)), (2, 1, (7, 7)), (2, 2, (2, 2))] {
            let compared = compare_runs(Direction::Lower, &several[2 - before..], &several[2 - after..]).unwrap();
            assert_eq!(compared.counts, values);
            let of_newest = (Some(10.0), Some(10.6), 1);
            let expected = if values == (7, 7) { of_newest } else { (None, None, 2) };
            assert_eq!((compared.before.low, compared.before.high, compared.before.runs), expected);
        }
    }

    #[test]
    fn six_pairs_have_an_interval_with_the_worse_end_first() {
        let before = [100.0, 101.0, 102.0, 103.0, 104.0, 105.0];
        let after = before.map(|value| 2.0 * value);
        for better in [Direction::Lower, Direction::Higher] {
            let compared = compare_pairs(better, &before, &after).unwrap();
            assert_eq!((compared.before.low, compared.before.high, compared.before.runs), (Some(100.0), Some(105.0), 6));
            assert!(compared.low_percent < compared.change_percent && compared.change_percent < compared.high_percent);
        }
    }

    #[test]
    fn positive_is_better_for_rates_too() {
        let compared = compare_pairs(Direction::Higher, &[100.0, 100.0], &[150.0, 150.0]).unwrap();
        assert!(close(compared.change_percent, 50.0) && compared.delta == 1.0, "{compared:?}");
    }

    #[test]
    fn statistics_without_values_are_one_number() {
        let only = |median| [ComparedRun { summary: Summary::single(median), values: Vec::new() }];
        let compared = compare_runs(Direction::Lower, &only(10.0), &only(11.0)).unwrap();
        assert_eq!((compared.counts, compared.p), ((1, 1), 1.0));
        assert_eq!(compare_runs(Direction::Lower, &only(10.0), &[]), None);
    }
}
