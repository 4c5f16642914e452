//! The one impure thing behind a trait: executing a benchmark point.

use std::fmt;
use std::time::Duration;

use super::{ExtractError, Point};
use crate::model::{BenchmarkName, Config, Metric, MetricName, is_unshowable};

/// What an executor executes: a point of a benchmark, whatever that is made of.
pub trait Target {
    /// The benchmark.
    fn benchmark(&self) -> &BenchmarkName;
    /// The point of it.
    fn config(&self) -> &Config;
}

/// Executes one benchmark point, as often as it is asked.
///
/// An executor holds one point at a time: `prepare`, any number of `execute`, `verify`, `finish`. A runner that compares
/// two candidates holds two executors and executes them in turn.
pub trait Executor<T: Target = Point> {
    /// Readies `point`: builds, prepares, verifies. Tells what an execution will measure.
    fn prepare(&mut self, point: &T) -> Result<Prepared, ExecutionError>;

    /// One execution of the prepared point.
    fn execute(&mut self) -> Result<Observation, ExecutionError>;

    /// After the last execution: why the results may never be a baseline, as far as that shows only now.
    fn verify(&mut self) -> Result<Option<String>, ExecutionError> {
        Ok(None)
    }

    /// Leaves the prepared point: cleans up. Called once after each `prepare`, also where it or an execution failed.
    fn finish(&mut self) -> Result<(), ExecutionError>;
}

/// A point that is ready to be executed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Prepared {
    /// The metrics, in the order of [`Observation::values`].
    pub metrics: Vec<Metric>,
    /// Why these results may never be a baseline (a failed verification).
    pub barred: Option<String>,
    /// Hash of what is executed, where it is known.
    pub machine_code: Option<String>,
    /// Shorter times than this are dominated by what starts the measured thing, and are warned of.
    pub shortest_time: Duration,
    /// What the user should know before the results.
    pub remarks: Vec<String>,
}

/// What one execution measured.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observation {
    /// One value in base units for each metric of [`Prepared::metrics`]; `None` where this execution cannot tell.
    /// A metric of which any measured execution cannot tell is left out of the results.
    pub values: Vec<Option<f64>>,
    /// The device was throttled: the observation is dropped and counted.
    pub throttled: bool,
}

/// Which command of a point failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Once per benchmark.
    Build,
    /// Before a point's series.
    Prepare,
    /// The measured command.
    Execute,
    /// After a point's series.
    Cleanup,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Build => "build",
            Self::Prepare => "prepare",
            Self::Execute => "command",
            Self::Cleanup => "cleanup",
        })
    }
}

/// Why a point could not be executed. [`super::BenchFailure`] says which point it was.
#[derive(Debug, thiserror::Error)]
pub enum ExecutionError {
    /// The program could not be started.
    #[error("cannot start the {step} `{command}`: {source}; {hint}")]
    NotStarted {
        /// Which command.
        step: Step,
        /// The command as a shell would take it.
        command: String,
        /// Why.
        source: std::io::Error,
        /// What to look at next.
        hint: &'static str,
    },
    /// The working folder does not exist.
    #[error("the working folder {} does not exist; `dir` is relative to the root of the repository", directory.display())]
    NoDirectory {
        /// The folder.
        directory: std::path::PathBuf,
    },
    /// The program ended with an error or was killed.
    #[error("the {step} `{command}` {ending}{output}")]
    Failed {
        /// Which command.
        step: Step,
        /// The command as a shell would take it.
        command: String,
        /// How it ended.
        ending: Ending,
        /// The last that it printed.
        output: Box<LastLines>,
    },
    /// The execution took too long and was killed with all its children.
    #[error("the command `{command}` was killed after its timeout of {after:?}; a longer `timeout` may be set{output}")]
    TimedOut {
        /// The command as a shell would take it.
        command: String,
        /// The timeout.
        after: Duration,
        /// The last that it printed.
        output: Box<LastLines>,
    },
    /// A metric does not stand in the output.
    #[error("the metric `{metric}` cannot be read: {source}{output}")]
    NoValue {
        /// The metric.
        metric: MetricName,
        /// Why not.
        source: Box<ExtractError>,
        /// The last that the program printed.
        output: Box<LastLines>,
    },
    /// Every execution was dropped because the device was throttled.
    #[error("all {dropped} executions were dropped: the device was throttled; let it cool down or lower its clocks")]
    AllThrottled {
        /// How many.
        dropped: u32,
    },
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// The operating system refused something.
    #[error("cannot watch the {step} `{command}`: {source}")]
    System {
        /// Which command.
        step: Step,
        /// The command as a shell would take it.
        command: String,
        /// Why.
        source: std::io::Error,
    },
    /// Trouble of another kind of executor, in its own words.
    #[error(transparent)]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

/// How a program ended other than well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Code(code) => write!(f, "failed with exit code {code}"),
            Self::Signal(signal) => match signal_name(signal) {
                Some(name) => write!(f, "was killed by {name} (signal {signal})"),
                None => write!(f, "was killed by signal {signal}"),
            },
        }
    }
}

/// The signals that have the same number on every Unix.
fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        _ => return None,
    })
}

/// The last lines that a program printed, fit for a terminal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LastLines {
    /// Of its standard output.
    pub stdout: Vec<String>,
    /// Of its standard error.
    pub stderr: Vec<String>,
}

impl LastLines {
    /// How many lines of each stream are kept.
    pub const LINES: usize = 10;
    const LINE_CHARS: usize = 300;

    /// The last lines of what both streams held: control characters are escaped, long lines cut.
    pub fn of(stdout: &[u8], stderr: &[u8]) -> Self {
        Self { stdout: last_lines(stdout), stderr: last_lines(stderr) }
    }
}

fn last_lines(output: &[u8]) -> Vec<String> {
    let end = output.trim_ascii_end();
    let mut lines: Vec<String> = end
        .rsplit(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
        .take(LastLines::LINES)
        .map(|line| escape(&String::from_utf8_lossy(&line[..line.len().min(4 * LastLines::LINE_CHARS)])))
        .collect();
    lines.reverse();
    lines
}

/// One line with everything visible that could move a cursor or hide text.
pub(super) fn escape(line: &str) -> String {
    let mut escaped = String::new();
    let line = line.trim_end_matches('\r');
    for character in line.chars().take(LastLines::LINE_CHARS) {
        match character {
            '\t' => escaped.push(' '),
            c if is_unshowable(c) => escaped.extend(c.escape_default()),
            c => escaped.push(c),
        }
    }
    if line.chars().nth(LastLines::LINE_CHARS).is_some() {
        escaped.push('…');
    }
    escaped
}

impl fmt::Display for LastLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (stream, lines) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            for line in lines {
                write!(f, "\n  {stream} | {line}")?;
            }
        }
        Ok(())
    }
}
