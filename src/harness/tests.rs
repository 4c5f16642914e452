//! Whole schedules with a fake executor on a fake clock.

use std::time::Duration;

use super::fake::{FakeExecutor, Heard, point};
use super::*;
use crate::model::{Direction, Measurement, Metric, MetricName, SampleWarning, Unit};

fn measure(executor: &mut FakeExecutor, options: &SamplingOptions) -> Result<Vec<Measurement>, BenchFailure> {
    let clock = executor.clock.clone();
    run_benchmark(&point(), executor, options, &clock, &mut Silent)
}

/// Values around `centre` that differ by up to `percent`, in an order without a trend.
fn noisy(centre: f64, percent: f64, count: usize) -> Vec<f64> {
    (0..count).map(|i| centre * (1.0 + percent / 100.0 * ((i * 7919 % 1009) as f64 / 504.5 - 1.0))).collect()
}

fn no_warmup() -> SamplingOptions {
    SamplingOptions { warmup: Warmup::Count(0), ..SamplingOptions::default() }
}

#[test]
fn a_quiet_benchmark_stops_at_the_first_look() {
    let mut executor = FakeExecutor::of(noisy(0.1, 0.1, 100));
    let measured = measure(&mut executor, &no_warmup()).unwrap();
    assert_eq!(measured[0].summary.n, 20);
    assert_eq!(measured[0].values, noisy(0.1, 0.1, 20), "in the order measured");
    assert_eq!(measured[0].warnings, []);
    assert_eq!(executor.calls, format!("p{}vf", "x".repeat(20)));
}

#[test]
fn looks_come_at_half_as_many_values_more() {
    let mut executor = FakeExecutor::of(noisy(0.01, 4.0, 500));
    let measured = measure(&mut executor, &no_warmup()).unwrap();
    assert!([30, 45, 68, 102, 153, 230, 345].contains(&measured[0].summary.n), "{}", measured[0].summary.n);
    let (low, high) = (measured[0].summary.low.unwrap(), measured[0].summary.high.unwrap());
    assert!(50.0 * (high - low) / measured[0].summary.median <= 0.5);
}

#[test]
fn a_noisy_benchmark_ends_with_its_runs_and_says_so() {
    let mut executor = FakeExecutor::of(noisy(0.01, 60.0, 500));
    let options = SamplingOptions { max_runs: 50, ..no_warmup() };
    let measured = measure(&mut executor, &options).unwrap();
    assert_eq!(measured[0].summary.n, 50);
    let is_wide = |warning: &SampleWarning| matches!(warning, SampleWarning::WideInterval { percent } if *percent > 0.5);
    assert!(measured[0].warnings.iter().any(is_wide), "{:?}", measured[0].warnings);
}

#[test]
fn a_slow_benchmark_is_measured_three_times_at_least() {
    let mut executor = FakeExecutor::of([25.0, 26.0, 24.0, 25.0]);
    let measured = measure(&mut executor, &no_warmup()).unwrap();
    assert_eq!(measured[0].summary.n, 3, "three runs of 25 s, though 30 s are over after two");
    assert_eq!(measured[0].summary.low, None, "three values have no 95 % interval");
    assert_eq!(measured[0].warnings, [SampleWarning::WideInterval { percent: 4.0 }]);
}

#[test]
fn more_runs_than_the_most_are_never_made() {
    let mut executor = FakeExecutor::of([1.0]);
    let measured = measure(&mut executor, &SamplingOptions { max_runs: 1, ..no_warmup() }).unwrap();
    assert_eq!(measured[0].summary.n, 1);
}

#[test]
fn the_least_time_is_measured_even_when_precise() {
    let mut executor = FakeExecutor::of([0.1]);
    let options = SamplingOptions { min_time: Duration::from_secs(5), ..no_warmup() };
    let n = measure(&mut executor, &options).unwrap()[0].summary.n;
    assert!((50..=51).contains(&n), "{n} runs of 100 ms in 5 s");
}

#[test]
fn warming_up_is_not_measured() {
    let mut by_time = FakeExecutor::of([9.0, 9.0, 0.1]);
    let options = SamplingOptions { warmup: Warmup::Time(Duration::from_secs(15)), ..SamplingOptions::default() };
    assert_eq!(measure(&mut by_time, &options).unwrap()[0].summary.max, Some(0.1));
    let mut by_count = FakeExecutor::of([9.0, 0.1]);
    let options = SamplingOptions { warmup: Warmup::Count(1), ..SamplingOptions::default() };
    assert_eq!(measure(&mut by_count, &options).unwrap()[0].summary.max, Some(0.1));
    assert_eq!(by_count.calls.matches('x').count(), 21);
}

#[test]
fn a_failing_execution_fails_the_point_and_cleans_up() {
    let mut executor = FakeExecutor::of([0.1]);
    executor.observe = |run, value| match run {
        5 => Err(ExecutionError::Other("the kernel crashed".into())),
        _ => Ok(Observation { values: vec![Some(value)], throttled: false }),
    };
    let failure = measure(&mut executor, &no_warmup()).unwrap_err();
    assert_eq!(failure.completed, 4);
    assert_eq!(failure.to_string(), "sort [N=8]: the kernel crashed");
    assert_eq!(executor.calls, "pxxxxxf");
}

#[test]
fn a_failing_cleanup_fails_the_point() {
    let mut executor = FakeExecutor::of([0.1]);
    executor.fails_to_finish = true;
    assert_eq!(measure(&mut executor, &no_warmup()).unwrap_err().to_string(), "sort [N=8]: the cleanup failed");
}

fn two_metrics(observe: fn(u32, f64) -> Result<Observation, ExecutionError>) -> FakeExecutor {
    let mut executor = FakeExecutor::of(noisy(0.1, 0.1, 100));
    executor.metrics = vec![Metric::peak_memory(), Metric::time()];
    executor.observe = observe;
    executor
}

#[test]
fn a_metric_that_one_execution_cannot_tell_is_left_out() {
    let mut executor =
        two_metrics(|run, value| Ok(Observation { values: vec![(run != 7).then_some(4096.0), Some(value)], throttled: false }));
    let clock = executor.clock.clone();
    let mut heard = Heard::default();
    let measured = run_benchmark(&point(), &mut executor, &no_warmup(), &clock, &mut heard).unwrap();
    assert_eq!(measured.iter().map(|m| m.metric.name.as_str()).collect::<Vec<_>>(), ["time"]);
    assert!(heard.0.iter().any(|event| event.starts_with("Unavailable") && event.contains("peak_memory")));
}

#[test]
fn the_length_is_decided_by_the_first_metric_that_can_be_told() {
    let mut executor = two_metrics(|_, value| Ok(Observation { values: vec![None, Some(value)], throttled: false }));
    executor.values = noisy(0.01, 60.0, 500).into();
    let measured = measure(&mut executor, &SamplingOptions { max_runs: 40, ..no_warmup() }).unwrap();
    assert_eq!(measured[0].summary.n, 40);
}

fn exact_bytes() -> Metric {
    Metric { name: MetricName::new("bytes").unwrap(), unit: Unit::BYTE, better: Direction::Lower, exact: true, follows: None }
}

#[test]
fn an_exact_metric_needs_no_precision_and_gets_no_warning() {
    let mut executor = FakeExecutor::of(noisy(0.01, 60.0, 100));
    executor.metrics = vec![exact_bytes()];
    let measured = measure(&mut executor, &no_warmup()).unwrap();
    assert_eq!((measured[0].summary.n, measured[0].warnings.len()), (20, 0));
}

#[test]
fn an_exact_value_that_never_varied_is_told_once() {
    let mut executor = FakeExecutor::of([4096.0]);
    executor.metrics = vec![exact_bytes()];
    let measured = measure(&mut executor, &no_warmup()).unwrap();
    assert_eq!((measured[0].summary.n, &measured[0].values[..]), (1, &[4096.0][..]));
}

#[test]
fn throttled_executions_are_dropped_and_counted() {
    let mut executor = FakeExecutor::of([0.1]);
    executor.observe = |run, value| Ok(Observation { values: vec![Some(value)], throttled: run % 4 == 0 });
    let measured = measure(&mut executor, &no_warmup()).unwrap();
    assert_eq!(measured[0].summary.n, 20);
    assert_eq!(measured[0].warnings, [SampleWarning::Throttled { dropped: 6 }]);
}

#[test]
fn what_is_always_throttled_is_kept_and_barred() {
    let mut executor = FakeExecutor::of([0.1]);
    executor.observe = |run, _| Ok(Observation { values: vec![Some(1.0)], throttled: run != 3 });
    let options = SamplingOptions { max_runs: 10, ..no_warmup() };
    let measured = measure(&mut executor, &options).unwrap();
    assert_eq!(measured[0].summary.n, 19, "the throttled ones");
    assert_eq!(measured[0].barred.as_deref(), Some("the device was throttled in 19 of 20 executions"));
    assert!(measured[0].warnings.contains(&SampleWarning::Throttled { dropped: 19 }));
}

#[test]
fn what_shows_only_after_the_executions_bars_the_results() {
    let mut executor = FakeExecutor::of([0.1]);
    executor.barred_afterwards = Some("it skips work".to_owned());
    assert_eq!(measure(&mut executor, &no_warmup()).unwrap()[0].barred.as_deref(), Some("it skips work"));
    executor.barred = Some("wrong result".to_owned());
    assert_eq!(measure(&mut executor, &no_warmup()).unwrap()[0].barred.as_deref(), Some("wrong result"), "what came first");
}

#[test]
fn a_barred_point_bars_its_measurements() {
    let mut executor = FakeExecutor::of([0.1]);
    executor.barred = Some("wrong result".to_owned());
    assert_eq!(measure(&mut executor, &no_warmup()).unwrap()[0].barred.as_deref(), Some("wrong result"));
}

#[test]
fn news_come_in_order_with_an_estimate() {
    let mut executor = FakeExecutor::of([0.1]);
    let clock = executor.clock.clone();
    let mut heard = Heard::default();
    let options = SamplingOptions { warmup: Warmup::Count(1), ..SamplingOptions::default() };
    run_benchmark(&point(), &mut executor, &options, &clock, &mut heard).unwrap();
    let kinds: Vec<&str> = heard.0.iter().map(|event| event.split([' ', '{']).next().unwrap()).collect();
    assert_eq!(&kinds[..3], ["PointStarted", "WarmedUp", "SampleTaken"]);
    assert_eq!(kinds.last(), Some(&"PointDone"));
    assert!(
        heard.0[11].contains("taken: 10") && heard.0[11].contains("remaining: Some(1"),
        "ten of twenty runs of 100 ms: {}",
        heard.0[11]
    );
}
