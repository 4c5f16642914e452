//! One point at one config: readied, verified, raced against the best so far. Whatever goes wrong with it is counted, never
//! fatal.

use std::time::Duration;

use crate::cuda::{FailureKind, KernelPoint, WorkerError};
use crate::harness::{Clock, ExecutionError, Executor};
use crate::report::tuning::{Cause, Outcome, Source, Time};
use crate::stats;
use crate::tune::{Look, next_look};

/// A point is measured no longer than this, once it has the fewest times that say anything.
const MOST_TIME: Duration = Duration::from_secs(1);
const FEWEST_TIMES: usize = 3;
/// Throttled launches in a row before a point is given up.
const MOST_THROTTLED: usize = 200;

/// How a trial ended.
pub(super) enum Trial {
    /// With a time, or with a failure of the point.
    Done(Outcome),
    /// The user wants to stop.
    Interrupted,
    /// Nothing can be measured any more: the worker cannot be started.
    Broken(String),
}

/// Tries a point against the best median so far.
pub(super) fn run(executor: &mut dyn Executor<KernelPoint>, point: &KernelPoint, best: Option<f64>, clock: &dyn Clock) -> Trial {
    let tried = measure(executor, point, best, clock);
    let finished = executor.finish();
    match tried.and_then(|outcome| finished.map(|()| outcome)) {
        Ok(outcome) => Trial::Done(outcome),
        Err(ExecutionError::Interrupted) => Trial::Interrupted,
        Err(error) => failed(error),
    }
}

fn failed(error: ExecutionError) -> Trial {
    let message = error.to_string();
    let of_worker = match &error {
        ExecutionError::Other(inner) => inner.downcast_ref::<WorkerError>(),
        _ => None,
    };
    let cause = match of_worker {
        Some(WorkerError::NotStarted { .. }) => return Trial::Broken(message),
        Some(WorkerError::TimedOut { .. }) => Cause::TimedOut,
        Some(WorkerError::Failed(failure)) => match failure.kind {
            FailureKind::OutOfMemory => Cause::OutOfMemory,
            FailureKind::DoesNotFit => Cause::DoesNotFit,
            FailureKind::Other => Cause::LaunchFailed,
        },
        _ => Cause::LaunchFailed,
    };
    Trial::Done(Outcome::Failed { cause, message })
}

fn measure(
    executor: &mut dyn Executor<KernelPoint>,
    point: &KernelPoint,
    best: Option<f64>,
    clock: &dyn Clock,
) -> Result<Outcome, ExecutionError> {
    let wrong = |message| Outcome::Failed { cause: Cause::WrongResult, message };
    if let Some(why) = executor.prepare(point)?.barred {
        return Ok(wrong(why));
    }
    let began = clock.now();
    let (mut times, mut throttled) = (Vec::new(), 0);
    let source = loop {
        let wanted = match next_look(&times, best) {
            Look::Lost => break Source::Dropped,
            Look::Known => break Source::Measured,
            Look::MeasureTo(wanted) => wanted,
        };
        let is_over = |times: &[f64]| times.len() >= FEWEST_TIMES && clock.now() - began > MOST_TIME;
        while times.len() < wanted && throttled < MOST_THROTTLED && !is_over(&times) {
            let observation = executor.execute()?;
            match observation.values.first().copied().flatten() {
                Some(seconds) if !observation.throttled => times.push(seconds),
                _ => throttled += 1,
            }
        }
        if times.len() < wanted {
            break Source::Measured;
        }
    };
    let Some(summary) = stats::summarize(&times) else {
        let message = "every launch was throttled; let the device cool down or lower its clocks".to_owned();
        return Ok(Outcome::Failed { cause: Cause::Throttled, message });
    };
    // A loser was verified before it was timed, and nothing is claimed of it.
    if source == Source::Measured
        && let Some(why) = executor.verify()?
    {
        return Ok(wrong(why));
    }
    Ok(Outcome::Timed(Time { median: summary.median, low: summary.low, high: summary.high, n: summary.n, source }))
}
