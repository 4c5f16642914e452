//! Measures programs: one process per execution.

mod capture;
#[cfg_attr(not(unix), path = "child_other.rs")]
pub(super) mod child;
pub(super) mod finished;
mod memory;
mod program;
mod relay;

#[cfg(test)]
#[cfg(unix)]
mod tests;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

pub use finished::EndedBy;
use finished::{Finished, RunOptions};
pub use program::{Program, Ran, run_program};
pub use relay::{Relayed, Said, relay};

use super::executor::escape;
use super::{
    Clock, CommandSpec, ExecutionError, Executor, Interrupt, LastLines, MetricSource, MonotonicClock, Observation, OutputStream,
    Point, Prepared, Printed, Step,
};

/// Below this, starting the process is a noticeable part of its time.
const SHORTEST_TIME: Duration = Duration::from_millis(5);

/// Longest command shown in an error, in characters.
const SHOWN_COMMAND_CHARS: usize = 200;

/// The environment variables by which git says which repository it was called for.
pub const REPOSITORY_VARIABLES: [&str; 5] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"];

/// Runs a point's command as a process of its own, with nothing on its standard input and in a process group of its
/// own, which is killed when it takes too long or when the user wants to stop.
///
/// What an execution leaves running in its group is killed too, so that it cannot disturb the next one. What `build`
/// and `prepare` leave in the background lives on: a server that the benchmark talks to is `cleanup`'s to end.
#[derive(Debug, Default)]
pub struct ProcessExecutor {
    interrupt: Interrupt,
    point: Option<Point>,
    built: HashSet<(CommandSpec, PathBuf)>,
    building: Duration,
}

impl ProcessExecutor {
    /// An executor that stops when `interrupt` says so.
    pub fn new(interrupt: Interrupt) -> Self {
        Self { interrupt, ..Self::default() }
    }

    /// The files in `folder` are others now: what is built there is built again.
    pub fn forget_builds(&mut self, folder: &Path) {
        self.built.retain(|(_, directory)| !directory.starts_with(folder));
    }

    /// How long all builds took so far.
    pub const fn building(&self) -> Duration {
        self.building
    }

    /// Runs the build of `point` unless this executor has run the same command in the same folder.
    fn build(&mut self, point: &Point) -> Result<(), ExecutionError> {
        let Some(build) = &point.build else { return Ok(()) };
        let key = (build.clone(), point.directory.clone());
        if !self.built.contains(&key) {
            let clock = MonotonicClock::new();
            let built = self.run(point, Step::Build, build);
            self.building += clock.now();
            built?;
            self.built.insert(key);
        }
        Ok(())
    }

    /// Runs one command of `point`; anything but a good end is an error.
    fn run(&self, point: &Point, step: Step, command: &CommandSpec) -> Result<Finished, ExecutionError> {
        // Cleanup runs also after the user asked to stop.
        if step != Step::Cleanup && self.interrupt.is_requested() {
            return Err(ExecutionError::Interrupted);
        }
        let options = RunOptions {
            timeout: (step == Step::Execute).then_some(point.timeout),
            kill_leftovers: step == Step::Execute,
            interrupt: &self.interrupt,
        };
        let mut process = process(point, command)?;
        let finished = child::run(&mut process, options).map_err(|source| not_run(step, command, source))?;
        let output = || last_lines(&finished);
        match (finished.ended_by, finished.ending) {
            (EndedBy::Interrupted, _) => Err(ExecutionError::Interrupted),
            (EndedBy::TimedOut, _) => {
                Err(ExecutionError::TimedOut { command: shown(command), after: point.timeout, output: output() })
            }
            (EndedBy::ItsOwn, Some(ending)) => {
                Err(ExecutionError::Failed { step, command: shown(command), ending, output: output() })
            }
            (EndedBy::ItsOwn, None) => Ok(finished),
        }
    }
}

impl Executor for ProcessExecutor {
    fn prepare(&mut self, point: &Point) -> Result<Prepared, ExecutionError> {
        self.point = Some(point.clone());
        self.build(point)?;
        if let Some(prepare) = &point.prepare {
            self.run(point, Step::Prepare, prepare)?;
        }
        let metrics = point.metrics.iter().map(MetricSource::metric).collect();
        // A time that the program takes by itself has nothing of the start of its process.
        let is_ours = point.metrics.iter().any(|metric| matches!(metric, MetricSource::Time));
        let shortest_time = if is_ours { SHORTEST_TIME } else { Duration::ZERO };
        Ok(Prepared { metrics, barred: None, machine_code: None, shortest_time, remarks: Vec::new() })
    }

    fn execute(&mut self) -> Result<Observation, ExecutionError> {
        // Without a prepared point there is nothing to measure.
        let Some(point) = &self.point else { return Ok(Observation::default()) };
        if let Some(results) = &point.results {
            results.begin().map_err(ExecutionError::Other)?;
            let Finished { stdout, .. } = self.run(point, Step::Execute, &point.command)?;
            let values = results.read(Printed { bytes: &stdout.bytes, cut: stdout.cut }).map_err(ExecutionError::Other)?;
            return Ok(Observation { values, throttled: false });
        }
        let finished = self.run(point, Step::Execute, &point.command)?;
        let floor = memory::own_peak();
        let values = point.metrics.iter().map(|metric| read(metric, &finished, floor)).collect::<Result<_, _>>()?;
        Ok(Observation { values, throttled: false })
    }

    fn finish(&mut self) -> Result<(), ExecutionError> {
        let Some(point) = self.point.take() else { return Ok(()) };
        match &point.cleanup {
            Some(cleanup) => self.run(&point, Step::Cleanup, cleanup).map(drop),
            None => Ok(()),
        }
    }
}

/// One metric of a finished execution, in base units; `None` where the system cannot tell it.
fn read(metric: &MetricSource, finished: &Finished, memory_floor: u64) -> Result<Option<f64>, ExecutionError> {
    match metric {
        MetricSource::Time => Ok(positive(finished.wall.as_secs_f64())),
        MetricSource::CpuTime => Ok(positive(finished.cpu.as_secs_f64())),
        MetricSource::PeakMemory => Ok((finished.peak_memory > memory_floor).then_some(finished.peak_memory as f64)),
        // Without a reader nobody knows them.
        MetricSource::Results(_) => Ok(None),
        MetricSource::Output(output) => {
            let stream = match output.stream {
                OutputStream::Stdout => &finished.stdout,
                OutputStream::Stderr => &finished.stderr,
            };
            output.read(stream).map(Some).map_err(|source| ExecutionError::NoValue {
                metric: output.metric.name.clone(),
                source: Box::new(source),
                output: last_lines(finished),
            })
        }
    }
}

fn last_lines(finished: &Finished) -> Box<LastLines> {
    Box::new(LastLines::of(&finished.stdout.bytes, &finished.stderr.bytes))
}

/// A time that the clock is too coarse for reads as zero, which says nothing.
fn positive(seconds: f64) -> Option<f64> {
    (seconds > 0.0).then_some(seconds)
}

fn process(point: &Point, command: &CommandSpec) -> Result<Command, ExecutionError> {
    let no_directory = || ExecutionError::NoDirectory { directory: point.directory.clone() };
    if !point.directory.is_dir() {
        return Err(no_directory());
    }
    let directory = std::path::absolute(&point.directory).map_err(|_| no_directory())?;
    let mut process = match command {
        CommandSpec::Argv(words) => {
            let (program, arguments) = words.split_first().map_or(("", words.as_slice()), |(first, rest)| (first, rest));
            #[expect(clippy::disallowed_methods, reason = "benchmarks are started here")]
            let mut process = Command::new(located(&directory, program));
            process.args(arguments);
            process
        }
        CommandSpec::Shell(line) => {
            #[expect(clippy::disallowed_methods, reason = "benchmarks are started here")]
            let mut process = Command::new("sh");
            process.arg("-c").arg(line);
            process
        }
    };
    forget_repository(&mut process, &directory);
    process.current_dir(directory).envs(point.environment.iter().map(|(name, value)| (name, value)));
    Ok(process)
}

/// What a hook of git's says of the repository that it runs for is not for a program in a checkout of its own: git in a build
/// would read and write the user's index there. Where the folder does not lead to a repository, only they do.
fn forget_repository(process: &mut Command, directory: &Path) {
    if directory.ancestors().any(|folder| folder.join(".git").exists()) {
        for name in REPOSITORY_VARIABLES {
            process.env_remove(name);
        }
    }
}

/// A program given by a path is looked for in the working folder, on every system alike; a bare name in `PATH`.
fn located(directory: &Path, program: &str) -> PathBuf {
    if program.contains('/') { directory.join(program) } else { PathBuf::from(program) }
}

fn not_run(step: Step, command: &CommandSpec, source: std::io::Error) -> ExecutionError {
    use std::io::ErrorKind;
    let hint = match source.kind() {
        ErrorKind::NotFound => {
            "is it built and installed? Paths are relative to the working folder, bare names are looked up in PATH"
        }
        ErrorKind::PermissionDenied => "is it executable? A script needs `chmod +x`, or its interpreter in front",
        ErrorKind::Unsupported => "record what another tool measured with `git ratchet record`",
        _ => "try to run it by hand",
    };
    ExecutionError::NotStarted { step, command: shown(command), source, hint }
}

/// The command as one line of a shell, shortened.
fn shown(command: &CommandSpec) -> String {
    let line = match command {
        CommandSpec::Argv(words) => shell_words::join(words),
        CommandSpec::Shell(line) => line.trim().to_owned(),
    };
    let mut start: String = line.chars().take(SHOWN_COMMAND_CHARS).collect();
    if start.len() < line.len() {
        start.push('…');
    }
    escape(&start)
}
