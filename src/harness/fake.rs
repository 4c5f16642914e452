//! An executor and a clock for tests: whole schedules without a process or a wait.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use super::{Clock, Event, ExecutionError, Executor, Observation, Point, Prepared, Progress};
use crate::model::{BenchmarkName, Config, Metric};

/// Stands still until somebody moves it.
#[derive(Debug, Clone, Default)]
pub(crate) struct FakeClock(Rc<Cell<Duration>>);

impl FakeClock {
    pub(crate) fn advance(&self, time: Duration) {
        self.0.set(self.0.get() + time);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Duration {
        self.0.get()
    }
}

/// Executes nothing: each execution takes its value's time on the fake clock.
pub(crate) struct FakeExecutor {
    pub(crate) clock: FakeClock,
    pub(crate) metrics: Vec<Metric>,
    /// Values of the first metric; when they are used up the last is repeated.
    pub(crate) values: VecDeque<f64>,
    /// Makes an observation of the number of the execution (warm-up counts too) and its value.
    pub(crate) observe: fn(u32, f64) -> Result<Observation, ExecutionError>,
    pub(crate) barred: Option<String>,
    /// What a verification after the executions finds.
    pub(crate) barred_afterwards: Option<String>,
    pub(crate) fails_to_finish: bool,
    /// What was called: `p`repare, e`x`ecute, `v`erify, `f`inish.
    pub(crate) calls: String,
}

impl FakeExecutor {
    /// Measures time: these values in seconds.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        Self {
            clock: FakeClock::default(),
            metrics: vec![Metric::time()],
            values: values.into_iter().collect(),
            observe: |_, value| Ok(Observation { values: vec![Some(value)], throttled: false }),
            barred: None,
            barred_afterwards: None,
            fails_to_finish: false,
            calls: String::new(),
        }
    }
}

impl Executor for FakeExecutor {
    fn prepare(&mut self, _point: &Point) -> Result<Prepared, ExecutionError> {
        self.calls.push('p');
        Ok(Prepared {
            metrics: self.metrics.clone(),
            barred: self.barred.clone(),
            machine_code: None,
            shortest_time: Duration::from_millis(5),
            remarks: Vec::new(),
        })
    }

    fn execute(&mut self) -> Result<Observation, ExecutionError> {
        self.calls.push('x');
        let value = if self.values.len() > 1 { self.values.pop_front() } else { self.values.front().copied() };
        let value = value.unwrap_or(1.0);
        self.clock.advance(Duration::from_secs_f64(value));
        (self.observe)(self.calls.matches('x').count() as u32, value)
    }

    fn verify(&mut self) -> Result<Option<String>, ExecutionError> {
        self.calls.push('v');
        Ok(self.barred_afterwards.clone())
    }

    fn finish(&mut self) -> Result<(), ExecutionError> {
        self.calls.push('f');
        if self.fails_to_finish { Err(ExecutionError::Other("the cleanup failed".into())) } else { Ok(()) }
    }
}

/// Keeps what it hears, as text.
#[derive(Debug, Default)]
pub(crate) struct Heard(pub(crate) Vec<String>);

impl Progress for Heard {
    fn event(&mut self, event: Event<'_>) {
        self.0.push(format!("{event:?}"));
    }
}

/// A point of a benchmark named `sort`.
pub(crate) fn point() -> Point {
    Point {
        benchmark: BenchmarkName::new("sort").unwrap(),
        config: Config::new([("N", "8")]).unwrap(),
        command: super::CommandSpec::Argv(vec!["true".to_owned()]),
        build: None,
        prepare: None,
        cleanup: None,
        directory: std::env::temp_dir(),
        environment: Vec::new(),
        timeout: Point::DEFAULT_TIMEOUT,
        metrics: super::MetricSource::defaults(),
        results: None,
    }
}
