//! What is measured: one point of a benchmark, with its command and its metrics.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Target;
use crate::model::{BenchmarkName, Config, Metric, MetricName, ParseQuantityError, Quantity, Unit};

/// One point of a benchmark, ready to be executed: parameters are filled in.
#[derive(Debug, Clone)]
pub struct Point {
    /// The benchmark.
    pub benchmark: BenchmarkName,
    /// The point of it.
    pub config: Config,
    /// What is executed and measured.
    pub command: CommandSpec,
    /// Runs before the first point that carries it in this run; never limited in time.
    pub build: Option<CommandSpec>,
    /// Runs once before the warm-up of this point; never limited in time.
    pub prepare: Option<CommandSpec>,
    /// Runs once after this point, also when it failed; never limited in time.
    pub cleanup: Option<CommandSpec>,
    /// Working folder of all these commands.
    pub directory: PathBuf,
    /// Added to the environment of all these commands.
    pub environment: Vec<(String, String)>,
    /// The most that a single execution may take.
    pub timeout: Duration,
    /// What is measured in each execution. The first that is not exact decides when the sample is precise enough.
    pub metrics: Vec<MetricSource>,
    /// Where the program measures by itself: who reads its results. Its values are then those of all `metrics`.
    pub results: Option<Arc<dyn ResultsReader>>,
}

/// Reads the results of a program that measures by itself.
pub trait ResultsReader: fmt::Debug + Send + Sync {
    /// Before each execution: what is there is not its result.
    fn begin(&self) -> Result<(), Box<dyn Error + Send + Sync>>;

    /// After it: one value in base units for each metric of the point, from what the program printed or wrote.
    fn read(&self, printed: Printed<'_>) -> Result<Vec<Option<f64>>, Box<dyn Error + Send + Sync>>;
}

/// What a program printed on its standard output.
#[derive(Debug, Clone, Copy)]
pub struct Printed<'a> {
    /// What was kept of it.
    pub bytes: &'a [u8],
    /// Whether something in the middle was dropped.
    pub cut: bool,
}

impl Target for Point {
    fn benchmark(&self) -> &BenchmarkName {
        &self.benchmark
    }

    fn config(&self) -> &Config {
        &self.config
    }
}

impl Point {
    /// The timeout where the user gave none.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CommandSpec {
    /// Program and arguments, run without a shell. A program with a slash is relative to the point's folder.
    Argv(Vec<String>),
    /// A line for `sh -c`.
    Shell(String),
}

/// Where the values of a metric come from.
#[derive(Debug, Clone)]
pub enum MetricSource {
    /// `time`: wall-clock time from the start of the process to its end.
    Time,
    /// `cpu_time`: user plus system time of the process and the children it waited for.
    CpuTime,
    /// `peak_memory`: largest resident set of the process or a child it waited for, in bytes.
    PeakMemory,
    /// A number that the program prints.
    Output(OutputMetric),
    /// What [`Point::results`] reads.
    Results(Metric),
}

impl MetricSource {
    /// What is measured when the user names no metrics.
    pub fn defaults() -> Vec<Self> {
        vec![Self::Time, Self::CpuTime, Self::PeakMemory]
    }

    /// The metric, with unit and direction.
    pub fn metric(&self) -> Metric {
        match self {
            Self::Time => Metric::time(),
            Self::CpuTime => Metric::cpu_time(),
            Self::PeakMemory => Metric::peak_memory(),
            Self::Output(output) => output.metric.clone(),
            Self::Results(metric) => metric.clone(),
        }
    }
}

/// A number that a program prints: where it stands, and what it means.
#[derive(Debug, Clone)]
pub struct OutputMetric {
    pub(super) metric: Metric,
    pub(super) unit: String,
    pub(super) pattern: OutputPattern,
    pub(super) stream: OutputStream,
}

/// Where a number stands in the output.
#[derive(Debug, Clone)]
pub enum OutputPattern {
    /// The first group (or the whole match where there is none) of the last match.
    Regex(regex::Regex),
    /// A JSON pointer (RFC 6901) into the output, or into its last line where the whole is not one JSON document.
    Json(String),
}

/// An output stream of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Why a metric of the output cannot be measured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMetric {
    /// The unit is not known, or is not a spelling of the metric's base unit.
    #[error(transparent)]
    Unit(#[from] ParseQuantityError),
    /// The spelled unit belongs to another base unit than the metric's.
    #[error("the metric `{name}` is in {base}, but the program prints {printed}")]
    OtherUnit {
        /// The metric.
        name: MetricName,
        /// Its base unit.
        base: Unit,
        /// The unit that the program prints.
        printed: String,
    },
}

impl OutputMetric {
    /// A metric whose values are printed in `unit`, a spelling (such as `ms`) of the metric's base unit.
    pub fn new(metric: Metric, unit: &str, pattern: OutputPattern, stream: OutputStream) -> Result<Self, InvalidMetric> {
        let base = Quantity::new(1.0, unit)?.unit;
        if base != metric.unit {
            return Err(InvalidMetric::OtherUnit { name: metric.name, base: metric.unit, printed: unit.to_owned() });
        }
        Ok(Self { metric, unit: unit.to_owned(), pattern, stream })
    }
}
