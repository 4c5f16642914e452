//! Real processes: what is measured, what is told when they fail, and that nothing is left running.

use std::time::{Duration, Instant};

use super::*;
use crate::harness::fake::point;
use crate::harness::{OutputMetric, OutputPattern};
use crate::model::{Direction, Metric, MetricName, Unit};

fn shell(line: &str) -> Point {
    Point { command: CommandSpec::Shell(line.to_owned()), timeout: Duration::from_secs(60), ..point() }
}

fn argv(words: &[&str]) -> Point {
    Point { command: CommandSpec::Argv(words.iter().map(|word| (*word).to_owned()).collect()), ..point() }
}

fn execute(point: &Point) -> Result<Observation, ExecutionError> {
    let mut executor = ProcessExecutor::default();
    executor.prepare(point)?;
    executor.execute()
}

fn error_of(point: &Point) -> String {
    execute(point).unwrap_err().to_string()
}

/// Whether a process runs; a zombie does not.
fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.trim().starts_with('Z'))
}

/// Waits for something that happens soon, without guessing when.
fn soon(happens: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        if happens() {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

fn pid_in(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_default().trim().to_owned()
}

#[test]
fn time_and_processor_time_are_plausible() {
    let start = Instant::now();
    let observation = execute(&shell("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done")).unwrap();
    let outside = start.elapsed().as_secs_f64();
    let (wall, cpu) = (observation.values[0].unwrap(), observation.values[1].unwrap());
    assert!(wall > 0.0 && wall <= outside, "{wall} within {outside}");
    assert!(cpu > 0.2 * wall.min(0.05) && cpu < 2.0 * wall + 0.05, "a busy loop of one process: {cpu} of {wall}");
}

#[test]
fn memory_of_a_large_child_is_seen_and_that_of_a_small_one_is_not_invented() {
    // Other tests of this process compile kernels meanwhile, and the child has to be larger than all of that.
    let bytes = memory::own_peak() + 500_000_000;
    let large = execute(&shell(&format!("head -c {} /dev/zero | tail -c {bytes} | wc -c", bytes + 50_000_000))).unwrap();
    assert!(large.values[2].unwrap() > 0.95 * bytes as f64, "{large:?}");
    let resident_here = vec![1_u8; 64 << 20];
    let small = execute(&argv(&["true"])).unwrap();
    assert_eq!(small.values[2], None, "`true` is smaller than this process");
    assert_eq!(resident_here.iter().rev().step_by(4096).count(), 16384);
}

#[test]
fn a_timeout_kills_grandchildren_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut point = shell("(trap '' TERM; sh -c 'echo $$ > grandchild; while :; do sleep 1; done') & echo waiting; wait");
    point.directory = folder.path().to_owned();
    point.timeout = Duration::from_millis(600);
    let error = error_of(&point);
    assert!(error.contains("killed after its timeout of 600ms") && error.ends_with("stdout | waiting"), "{error}");
    let pid = pid_in(&folder.path().join("grandchild"));
    assert!(!pid.is_empty() && soon(|| !runs(&pid)), "process {pid} still runs");
}

#[test]
fn what_an_execution_leaves_behind_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let point = Point { directory: folder.path().to_owned(), ..shell("sleep 1000 & echo $! > left") };
    let start = Instant::now();
    execute(&point).unwrap();
    let pid = pid_in(&folder.path().join("left"));
    assert!(!pid.is_empty() && soon(|| !runs(&pid)), "process {pid} still runs");
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[test]
fn what_prepare_leaves_in_the_background_lives_until_cleanup() {
    let folder = tempfile::tempdir().unwrap();
    let point = Point {
        directory: folder.path().to_owned(),
        prepare: Some(CommandSpec::Shell("sleep 1000 & echo $! > server".to_owned())),
        cleanup: Some(CommandSpec::Shell("kill $(cat server)".to_owned())),
        ..shell("kill -0 $(cat server)")
    };
    let mut executor = ProcessExecutor::default();
    executor.prepare(&point).unwrap();
    executor.execute().unwrap();
    executor.finish().unwrap();
    let pid = pid_in(&folder.path().join("server"));
    assert!(soon(|| !runs(&pid)));
}

#[test]
fn an_interrupt_ends_the_program_and_still_cleans_up() {
    let folder = tempfile::tempdir().unwrap();
    let started = folder.path().join("started");
    let point = Point {
        directory: folder.path().to_owned(),
        cleanup: Some(CommandSpec::Shell("echo done > cleaned".to_owned())),
        ..shell("echo $$ > started; exec sleep 1000")
    };
    let interrupt = Interrupt::default();
    let mut executor = ProcessExecutor::new(interrupt.clone());
    executor.prepare(&point).unwrap();
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| {
            soon(|| !pid_in(&started).is_empty());
            interrupt.request();
        });
        executor.execute()
    });
    assert!(matches!(outcome, Err(ExecutionError::Interrupted)), "{outcome:?}");
    assert!(soon(|| !runs(&pid_in(&started))));
    assert!(matches!(executor.execute(), Err(ExecutionError::Interrupted)), "nothing begins after it");
    executor.finish().unwrap();
    assert_eq!(pid_in(&folder.path().join("cleaned")), "done");
}

#[test]
fn output_beyond_every_pipe_is_read_and_cut() {
    let error = error_of(&shell("head -c 20000000 /dev/zero | tr '\\0' 'x'; echo; echo the end; exit 3"));
    assert!(error.contains("failed with exit code 3"), "{}", &error[error.len().saturating_sub(400)..]);
    assert!(error.ends_with("stdout | the end"), "{}", &error[error.len().saturating_sub(400)..]);
    assert!(error.len() < 2000, "{} bytes", error.len());
}

#[test]
fn a_missing_program_is_told_with_what_to_do() {
    let error = error_of(&argv(&["./no-such-program", "8"]));
    assert!(error.starts_with("cannot start the command `./no-such-program 8`: "), "{error}");
    assert!(error.contains("is it built and installed?"), "{error}");
}

#[test]
fn a_missing_folder_is_not_called_a_missing_program() {
    let error = error_of(&Point { directory: "/no/such/folder".into(), ..argv(&["true"]) });
    assert!(error.starts_with("the working folder /no/such/folder does not exist"), "{error}");
}

#[test]
fn a_failing_program_is_quoted_with_its_last_lines() {
    let error =
        error_of(&shell("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $i; done; printf 'bad \\033[31mred\\n' >&2; exit 7"));
    assert!(error.contains("failed with exit code 7"), "{error}");
    assert!(
        !error.contains("line 2\n") && error.contains("stdout | line 3\n") && error.contains("stdout | line 12\n"),
        "{error}"
    );
    assert!(error.ends_with("stderr | bad \\u{1b}[31mred"), "{error}");
}

#[test]
fn a_crash_is_told_by_its_signal() {
    assert!(error_of(&shell("kill -SEGV $$")).contains("was killed by SIGSEGV (signal 11)"));
}

#[test]
fn numbers_are_read_from_the_stream_that_is_named() {
    let metric = Metric {
        name: MetricName::new("rate").unwrap(),
        unit: Unit::ONE,
        better: Direction::Higher,
        exact: false,
        follows: None,
    };
    let pattern = || OutputPattern::Regex(regex::Regex::new(r"rate=(\S+)").unwrap());
    let of = |stream| MetricSource::Output(OutputMetric::new(metric.clone(), "1", pattern(), stream).unwrap());
    let line = "echo rate=1; echo rate=2 >&2; printf '\\377\\n'";
    let both = Point { metrics: vec![of(OutputStream::Stdout), of(OutputStream::Stderr)], ..shell(line) };
    assert_eq!(execute(&both).unwrap().values, [Some(1.0), Some(2.0)]);
    let missing = Point { metrics: vec![of(OutputStream::Stdout)], ..shell("echo slow") };
    let error = error_of(&missing);
    assert!(error.starts_with("the metric `rate` cannot be read: nothing in the output matches"), "{error}");
    assert!(error.ends_with("stdout | slow"), "{error}");
}

#[test]
fn a_build_runs_once_for_all_points() {
    let folder = tempfile::tempdir().unwrap();
    let point = Point {
        directory: folder.path().to_owned(),
        build: Some(CommandSpec::Shell("echo built >> log".to_owned())),
        prepare: Some(CommandSpec::Shell("echo prepared $SIZE >> log".to_owned())),
        environment: vec![("SIZE".to_owned(), "8".to_owned())],
        ..argv(&["true"])
    };
    let mut executor = ProcessExecutor::default();
    for _ in 0..2 {
        executor.prepare(&point).unwrap();
        executor.finish().unwrap();
    }
    assert_eq!(pid_in(&folder.path().join("log")), "built\nprepared 8\nprepared 8");
}

#[test]
fn standard_input_is_empty() {
    execute(&shell("test -z \"$(cat)\"")).unwrap();
}
