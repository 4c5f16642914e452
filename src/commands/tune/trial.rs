//! One point at one config: readied, verified, raced against the best so far. Whatever goes wrong with it is counted, never
//! fatal.

use std::time::Duration;

use crate::cuda::{FailureKind, WorkerError};
use crate::harness::{Clock, ExecutionError, Executor, Target};
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
pub(super) fn run<T: Target>(executor: &mut dyn Executor<T>, point: &T, best: Option<f64>, clock: &dyn Clock) -> Trial {
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

fn measure<T: Target>(
    executor: &mut dyn Executor<T>,
    point: &T,
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::harness::{Observation, Prepared};
    use crate::model::{BenchmarkName, Config};

    struct Named(BenchmarkName, Config);

    impl Target for Named {
        fn benchmark(&self) -> &BenchmarkName {
            &self.0
        }

        fn config(&self) -> &Config {
            &self.1
        }
    }

    /// A kernel that takes `seconds`.
    #[derive(Default)]
    struct Fake {
        seconds: f64,
        barred: Option<String>,
        throttled: bool,
        fails: Option<ExecutionError>,
        fault_afterwards: Option<String>,
        executed: usize,
        verified: usize,
        finished: usize,
    }

    impl Executor<Named> for Fake {
        fn prepare(&mut self, _point: &Named) -> Result<Prepared, ExecutionError> {
            Ok(Prepared { barred: self.barred.clone(), ..Prepared::default() })
        }

        fn execute(&mut self) -> Result<Observation, ExecutionError> {
            self.executed += 1;
            let observation = Observation { values: vec![Some(self.seconds)], throttled: self.throttled };
            self.fails.take().map_or(Ok(observation), Err)
        }

        fn verify(&mut self) -> Result<Option<String>, ExecutionError> {
            self.verified += 1;
            Ok(self.fault_afterwards.clone())
        }

        fn finish(&mut self) -> Result<(), ExecutionError> {
            self.finished += 1;
            Ok(())
        }
    }

    /// Every look at it takes this long.
    struct Ticking(Duration, Cell<Duration>);

    impl Clock for Ticking {
        fn now(&self) -> Duration {
            self.1.set(self.1.get() + self.0);
            self.1.get()
        }
    }

    fn tried(fake: &mut Fake, best: Option<f64>, tick: Duration) -> Trial {
        let point = Named(BenchmarkName::new("k").unwrap(), Config::empty());
        let trial = run(fake, &point, best, &Ticking(tick, Cell::new(Duration::ZERO)));
        assert_eq!(fake.finished, 1, "it is left in every case");
        trial
    }

    #[track_caller]
    fn time(trial: Trial) -> Time {
        match trial {
            Trial::Done(Outcome::Timed(time)) => time,
            _ => panic!("no time"),
        }
    }

    #[track_caller]
    fn cause(trial: Trial) -> Cause {
        match trial {
            Trial::Done(Outcome::Failed { cause, .. }) => cause,
            _ => panic!("no failure"),
        }
    }

    #[test]
    fn a_good_point_is_measured_to_the_end_and_verified_again() {
        let mut fake = Fake { seconds: 1e-3, ..Fake::default() };
        let time = time(tried(&mut fake, Some(1e-3), Duration::ZERO));
        assert_eq!((time.median, time.n, time.source), (1e-3, 72, Source::Measured));
        assert_eq!((fake.executed, fake.verified), (72, 1));
        let mut fake = Fake { seconds: 1e-3, fault_afterwards: Some("skips work".to_owned()), ..Fake::default() };
        assert_eq!(cause(tried(&mut fake, None, Duration::ZERO)), Cause::WrongResult);
    }

    #[test]
    fn a_loser_costs_a_few_launches() {
        let mut fake = Fake { seconds: 2e-3, ..Fake::default() };
        let time = time(tried(&mut fake, Some(1e-3), Duration::ZERO));
        assert_eq!((time.median, time.n, time.source), (2e-3, 8, Source::Dropped));
        assert_eq!((fake.executed, fake.verified), (8, 0));
    }

    #[test]
    fn a_slow_point_is_measured_only_so_long() {
        let mut fake = Fake { seconds: 0.5, ..Fake::default() };
        assert_eq!(time(tried(&mut fake, None, Duration::from_secs(2))).n, 3);
    }

    #[test]
    fn what_goes_wrong_is_told_by_its_cause() {
        let mut wrong = Fake { barred: Some("`y` is NaN".to_owned()), ..Fake::default() };
        assert_eq!(cause(tried(&mut wrong, None, Duration::ZERO)), Cause::WrongResult);
        assert_eq!(wrong.executed, 0, "wrong points are not timed");
        let mut throttled = Fake { seconds: 1e-3, throttled: true, ..Fake::default() };
        assert_eq!(cause(tried(&mut throttled, None, Duration::ZERO)), Cause::Throttled);
        let after = Duration::from_secs(4);
        for (error, expected) in [
            (WorkerError::TimedOut { after }, Cause::TimedOut),
            (WorkerError::Gone { last_lines: Vec::new() }, Cause::LaunchFailed),
        ] {
            let mut failing = Fake { fails: Some(ExecutionError::Other(Box::new(error))), ..Fake::default() };
            assert_eq!(cause(tried(&mut failing, None, Duration::ZERO)), expected);
        }
        let mut stopped = Fake { fails: Some(ExecutionError::Interrupted), ..Fake::default() };
        assert!(matches!(tried(&mut stopped, None, Duration::ZERO), Trial::Interrupted));
    }
}
