//! Pairs: two sides measured next to each other in one session, so that what differs between sessions touches both.
//!
//! One element of a pair is a short run of one side: it is prepared, executed up to five times within about half a
//! second (at least once, however long that takes), and cleaned up. Its value is the median. Which side comes first is
//! drawn anew for each pair, so that a drift favours neither. The caller looks at the pairs after each one and says
//! when to stop.

use std::time::Duration;

use super::{BenchFailure, Clock, ExecutionError, Executor, Point, Prepared, Target};
use crate::model::Metric;
use crate::stats;
use crate::stats::random::SplitMix64;

/// A short run has at most this many executions, and begins none after this time: enough for a median where executions
/// are short, and one long execution is a run of its own.
const MOST_EXECUTIONS: usize = 5;
const SHORT_RUN_TIME: Duration = Duration::from_millis(500);

/// A throttled execution is repeated; a device that throttles this often in one short run is not measured on.
const MOST_THROTTLED: u32 = 20;

/// What is measured against what.
#[derive(Debug, Clone, Copy)]
pub struct Contest<'a, T = Point> {
    /// The references; pair number k is measured against number k modulo their count. Without any nothing is measured.
    pub references: &'a [T],
    /// What is held against them.
    pub candidate: &'a T,
    /// What is measured of both sides, as the candidate tells it. A reference may tell other metrics, or in another order.
    pub metrics: &'a [Metric],
    /// Draws which side comes first.
    pub seed: u64,
}

/// The executors of the two sides.
pub struct Executors<'a, T: Target = Point> {
    /// Executes the references, one after the other.
    pub reference: &'a mut dyn Executor<T>,
    /// Executes the candidate.
    pub candidate: &'a mut dyn Executor<T>,
}

/// One element of a pair.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShortRun {
    /// For each of [`Contest::metrics`] its values in the order measured, in base units; `None` where an execution could not
    /// tell.
    pub values: Vec<Option<Vec<f64>>>,
}

impl ShortRun {
    /// The median of one metric, by its place in [`Contest::metrics`].
    pub fn median(&self, metric: usize) -> Option<f64> {
        stats::median(self.values.get(metric)?.as_ref()?)
    }
}

/// Two short runs next to each other.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredPair {
    /// Which of [`Contest::references`] it was.
    pub reference_index: usize,
    /// The reference's short run.
    pub reference: ShortRun,
    /// The candidate's short run.
    pub candidate: ShortRun,
}

/// What the caller says after each pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Measure another pair.
    Measure,
    /// Enough is known.
    Stop,
}

/// What was measured, up to the end or to what ended it.
#[derive(Debug)]
pub struct PairsRun {
    /// The complete pairs, in the order measured.
    pub pairs: Vec<MeasuredPair>,
    /// What ended the measuring early.
    pub failure: Option<BenchFailure>,
}

/// Builds `point` and executes it once, unmeasured: says whether it can be measured, and warms it up.
pub fn ready<T: Target>(point: &T, executor: &mut dyn Executor<T>) -> Result<Prepared, BenchFailure> {
    let prepared = executor.prepare(point);
    let tried = prepared.and_then(|prepared| executor.execute().map(|_| prepared));
    let finished = executor.finish();
    tried.and_then(|prepared| finished.map(|()| prepared)).map_err(|error| failed(point, 0, error))
}

/// Measures pair after pair until `next` says stop or an execution fails. `next` is asked after every pair.
pub fn run_pairs<T: Target>(
    contest: Contest<'_, T>,
    executors: Executors<'_, T>,
    clock: &dyn Clock,
    next: &mut dyn FnMut(&[MeasuredPair]) -> Next,
) -> PairsRun {
    let mut random = SplitMix64::new(contest.seed);
    let mut pairs = Vec::new();
    while let Some(reference) = contest.references.get(pairs.len() % contest.references.len().max(1)) {
        let reference_index = pairs.len() % contest.references.len();
        let reference_first = random.below(2) == 0;
        let mut of_reference = || short_run(reference, contest.metrics, executors.reference, clock);
        let mut of_candidate = || short_run(contest.candidate, contest.metrics, executors.candidate, clock);
        let measured = if reference_first {
            of_reference().and_then(|reference| Ok((reference, of_candidate()?)))
        } else {
            of_candidate().and_then(|candidate| Ok((of_reference()?, candidate)))
        };
        match measured {
            Ok((reference, candidate)) => pairs.push(MeasuredPair { reference_index, reference, candidate }),
            Err(failure) => return PairsRun { pairs, failure: Some(failure) },
        }
        if next(&pairs) == Next::Stop {
            break;
        }
    }
    PairsRun { pairs, failure: None }
}

/// One element: prepared and cleaned up by itself, since what `prepare` starts may stand in the other side's way.
fn short_run<T: Target>(
    point: &T,
    metrics: &[Metric],
    executor: &mut dyn Executor<T>,
    clock: &dyn Clock,
) -> Result<ShortRun, BenchFailure> {
    let mut completed = 0;
    let prepared = executor.prepare(point);
    let measured = prepared.and_then(|prepared| execute(&places(metrics, &prepared), executor, clock, &mut completed));
    let finished = executor.finish();
    measured.and_then(|run| finished.map(|()| run)).map_err(|error| failed(point, completed, error))
}

/// Where the wanted metrics stand among those that a side tells. A point may tell one metric of several things: the first that
/// is wanted is then the first that is told, and so on.
fn places(metrics: &[Metric], prepared: &Prepared) -> Vec<Option<usize>> {
    let is_same = |one: &Metric, other: &Metric| (&one.name, &one.unit) == (&other.name, &other.unit);
    let place = |(index, wanted): (usize, &Metric)| {
        let earlier = metrics[..index].iter().filter(|metric| is_same(metric, wanted)).count();
        let told = prepared.metrics.iter().enumerate().filter(|(_, told)| is_same(told, wanted));
        told.map(|(place, _)| place).nth(earlier)
    };
    metrics.iter().enumerate().map(place).collect()
}

fn execute<T: Target>(
    places: &[Option<usize>],
    executor: &mut dyn Executor<T>,
    clock: &dyn Clock,
    completed: &mut u32,
) -> Result<ShortRun, ExecutionError> {
    let began = clock.now();
    let mut throttled = 0;
    let mut run = ShortRun { values: vec![Some(Vec::new()); places.len()] };
    while (*completed as usize) < MOST_EXECUTIONS && (*completed == 0 || clock.now() - began < SHORT_RUN_TIME) {
        let observation = executor.execute()?;
        if observation.throttled {
            throttled += 1;
            if throttled >= MOST_THROTTLED {
                return Err(ExecutionError::AllThrottled { dropped: throttled });
            }
            continue;
        }
        *completed += 1;
        for (place, column) in places.iter().zip(&mut run.values) {
            let value = place.and_then(|place| observation.values.get(place).copied().flatten());
            *column = column.take().zip(value).map(|(mut values, value)| {
                values.push(value);
                values
            });
        }
    }
    Ok(run)
}

fn failed<T: Target>(point: &T, completed: u32, error: ExecutionError) -> BenchFailure {
    BenchFailure { benchmark: point.benchmark().clone(), config: point.config().clone(), completed, error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::Observation;
    use crate::harness::fake::{FakeClock, FakeExecutor, point};
    use crate::model::{MetricName, Unit};

    /// Runs `count` pairs of two fakes on one clock.
    fn pairs(reference: &mut FakeExecutor, candidate: &mut FakeExecutor, references: usize, count: usize) -> PairsRun {
        let clock = FakeClock::default();
        (reference.clock, candidate.clock) = (clock.clone(), clock.clone());
        let references = vec![point(); references];
        let metrics = candidate.metrics.clone();
        let contest = Contest { references: &references, candidate: &point(), metrics: &metrics, seed: 1 };
        let stop = |pairs: &[MeasuredPair]| if pairs.len() < count { Next::Measure } else { Next::Stop };
        run_pairs(contest, Executors { reference, candidate }, &clock, &mut { stop })
    }

    #[test]
    fn short_executions_are_repeated_and_long_ones_are_not() {
        for (seconds, executions) in [(0.01, 5), (0.2, 3), (3.0, 1)] {
            let (mut reference, mut candidate) = (FakeExecutor::of([seconds]), FakeExecutor::of([seconds]));
            let run = pairs(&mut reference, &mut candidate, 1, 2);
            assert_eq!(run.pairs.len(), 2);
            let element = format!("p{}f", "x".repeat(executions));
            assert_eq!(reference.calls, element.repeat(2), "{seconds} s");
            assert_eq!(candidate.calls, element.repeat(2), "{seconds} s");
        }
    }

    #[test]
    fn an_element_is_the_median_of_its_executions() {
        let (mut reference, mut candidate) = (FakeExecutor::of([0.01]), FakeExecutor::of([0.02, 0.05, 0.03, 0.9, 0.01]));
        let run = pairs(&mut reference, &mut candidate, 1, 1);
        assert_eq!(run.pairs[0].reference.median(0), Some(0.01));
        assert_eq!(run.pairs[0].candidate.median(0), Some(0.04), "half a second was over after four");
        assert_eq!(run.pairs[0].candidate.median(1), None, "there is one metric");
    }

    #[test]
    fn a_reference_that_tells_its_metrics_in_another_order_is_matched_by_name() {
        let (mut reference, mut candidate) = (FakeExecutor::of([0.01]), FakeExecutor::of([0.02]));
        let size = Metric::infer(MetricName::new("size").unwrap(), Unit::BYTE).unwrap();
        reference.metrics = vec![size, Metric::time()];
        reference.observe = |_, seconds| Ok(Observation { values: vec![Some(4096.0), Some(seconds)], throttled: false });
        let run = pairs(&mut reference, &mut candidate, 1, 1);
        assert_eq!((run.pairs[0].reference.median(0), run.pairs[0].candidate.median(0)), (Some(0.01), Some(0.02)));
        reference.metrics.pop();
        assert_eq!(pairs(&mut reference, &mut candidate, 1, 1).pairs[0].reference.median(0), None);
    }

    #[test]
    fn a_metric_of_several_things_is_told_in_the_same_order() {
        let (mut reference, mut candidate) = (FakeExecutor::of([0.01]), FakeExecutor::of([0.02]));
        for executor in [&mut reference, &mut candidate] {
            executor.metrics = vec![Metric::time(), Metric::peak_memory(), Metric::time()];
            executor.observe =
                |_, seconds| Ok(Observation { values: vec![Some(seconds), None, Some(seconds * 4.0)], throttled: false });
        }
        let pair = pairs(&mut reference, &mut candidate, 1, 1).pairs.remove(0);
        assert_eq!(
            [pair.reference.median(0), pair.reference.median(1), pair.reference.median(2)],
            [Some(0.01), None, Some(0.04)]
        );
        assert_eq!([pair.candidate.median(0), pair.candidate.median(2)], [Some(0.02), Some(0.08)]);
    }

    #[test]
    fn references_take_turns() {
        let (mut reference, mut candidate) = (FakeExecutor::of([0.01]), FakeExecutor::of([0.01]));
        let run = pairs(&mut reference, &mut candidate, 3, 7);
        let turns: Vec<usize> = run.pairs.iter().map(|pair| pair.reference_index).collect();
        assert_eq!(turns, [0, 1, 2, 0, 1, 2, 0]);
        assert!(pairs(&mut reference, &mut candidate, 0, 7).pairs.is_empty());
    }

    #[test]
    fn both_orders_occur() {
        let (mut reference, mut candidate) = (FakeExecutor::of([0.001]), FakeExecutor::of([0.001]));
        // On a fake clock that only moves while something is executed, order shows in who fails first.
        let mut failed_first = [0, 0];
        for seed in 0..64 {
            reference.observe = |_, _| Err(ExecutionError::Other("reference".into()));
            candidate.observe = |_, _| Err(ExecutionError::Other("candidate".into()));
            let contest = Contest { references: &[point()], candidate: &point(), metrics: &[Metric::time()], seed };
            let executors = Executors { reference: &mut reference, candidate: &mut candidate };
            let run = run_pairs(contest, executors, &FakeClock::default(), &mut |_| Next::Stop);
            let failure = run.failure.unwrap().to_string();
            failed_first[usize::from(failure.contains("candidate"))] += 1;
        }
        assert!(failed_first.iter().all(|count| *count > 16), "{failed_first:?}");
    }

    #[test]
    fn a_failure_keeps_the_complete_pairs_and_cleans_up() {
        let (mut reference, mut candidate) = (FakeExecutor::of([0.3]), FakeExecutor::of([0.3]));
        candidate.observe = |run, value| match run {
            5 => Err(ExecutionError::Other("the kernel crashed".into())),
            _ => Ok(Observation { values: vec![Some(value)], throttled: false }),
        };
        let run = pairs(&mut reference, &mut candidate, 1, 10);
        assert_eq!(run.pairs.len(), 2);
        assert_eq!(run.failure.unwrap().to_string(), "sort [N=8]: the kernel crashed");
        assert_eq!(candidate.calls, "pxxfpxxfpxf");
    }

    #[test]
    fn a_metric_that_an_execution_cannot_tell_has_no_median() {
        let (mut reference, mut candidate) = (FakeExecutor::of([0.3]), FakeExecutor::of([0.3]));
        for executor in [&mut reference, &mut candidate] {
            executor.metrics = vec![Metric::peak_memory(), Metric::time()];
            executor.observe =
                |run, value| Ok(Observation { values: vec![(run != 2).then_some(4096.0), Some(value)], throttled: false });
        }
        let run = pairs(&mut reference, &mut candidate, 1, 1);
        assert_eq!((run.pairs[0].candidate.median(0), run.pairs[0].candidate.median(1)), (None, Some(0.3)));
    }

    #[test]
    fn throttled_executions_are_repeated_until_there_are_too_many() {
        let (mut reference, mut candidate) = (FakeExecutor::of([0.01]), FakeExecutor::of([0.01]));
        candidate.observe = |run, value| Ok(Observation { values: vec![Some(value)], throttled: run % 2 == 0 });
        let run = pairs(&mut reference, &mut candidate, 1, 1);
        assert_eq!(run.pairs[0].candidate.values, [Some(vec![0.01; 5])]);
        candidate.observe = |_, value| Ok(Observation { values: vec![Some(value)], throttled: true });
        let failure = pairs(&mut reference, &mut candidate, 1, 1).failure.unwrap();
        assert!(failure.to_string().contains("throttled"), "{failure}");
    }

    #[test]
    fn readying_executes_once_and_cleans_up_also_after_a_failure() {
        let mut executor = FakeExecutor::of([0.1]);
        assert_eq!(ready(&point(), &mut executor).unwrap().metrics, [Metric::time()]);
        executor.observe = |_, _| Err(ExecutionError::Other("no such file".into()));
        assert!(ready(&point(), &mut executor).is_err());
        assert_eq!(executor.calls, "pxfpxf");
    }
}
