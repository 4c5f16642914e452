//! One `[[benchmark]]` of the settings, checked.

use std::time::Duration;

use super::placeholder::Pattern;
use super::profile::LaunchSelection;
use super::thresholds::PartialThresholds;
use crate::model::{BenchmarkName, Config, Metric, MetricName};

/// A benchmark as the settings describe it.
#[derive(Debug, Clone, PartialEq)]
pub struct Benchmark {
    /// Its name, unique in the file.
    pub name: BenchmarkName,
    /// Where an execution may take at most this long; absent means the harness's default.
    pub timeout: Option<Duration>,
    /// Whether `check` must find it measured.
    pub required: bool,
    /// Globs of the files that it depends on.
    pub inputs: Vec<String>,
    /// Thresholds of this benchmark.
    pub thresholds: PartialThresholds,
    /// Sampling of this benchmark, what is absent is in [`super::Settings::sampling`].
    pub sampling: Sampling,
    /// Which launches of its command are profiled.
    pub profile: LaunchSelection,
    /// What a command measures, never empty: the first metric that is not exact decides when a sample is precise enough.
    /// Of a kernel only those that have thresholds of their own.
    pub metrics: Vec<MetricSettings>,
    /// The kernel that is measured; `None` for a command.
    pub kernel: Option<KernelSettings>,
    pub(super) configs: Vec<Config>,
    /// Of a command.
    pub(super) patterns: Option<CommandPatterns>,
}

/// What the GPU's second-level cache holds before a kernel is launched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub enum CacheState {
    /// Other data.
    Cold,
    /// What the launch before left.
    Hot,
}

/// A CUDA kernel as a benchmark. Its points are those of its manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct KernelSettings {
    /// The manifest, from the root of the repository.
    pub manifest: String,
    /// What is compiled for, such as `sm_90a`; empty leaves it to the program.
    pub archs: Vec<String>,
    /// Values of tunables in place of the manifest's defaults.
    pub tunables: Config,
    /// What the cache holds before each launch; absent means the harness's default.
    pub cache: Option<CacheState>,
    /// Which points of the manifest: those that contain one of these; empty is all.
    pub configs: Vec<Config>,
}

impl KernelSettings {
    /// Whether a point of the manifest is measured.
    pub fn selects(&self, config: &Config) -> bool {
        self.configs.is_empty() || self.configs.iter().any(|wanted| config.contains(wanted))
    }
}

/// The texts in which parameters are replaced.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CommandPatterns {
    pub(super) command: CommandPattern,
    pub(super) build: Option<CommandPattern>,
    pub(super) prepare: Option<CommandPattern>,
    pub(super) cleanup: Option<CommandPattern>,
    pub(super) dir: Option<Pattern>,
    pub(super) env: Vec<(String, Pattern)>,
}

/// A command before its placeholders are filled in.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum CommandPattern {
    Argv(Vec<Pattern>),
    Shell(Pattern),
}

/// A command to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandLine {
    /// Program and arguments, run without a shell.
    Argv(Vec<String>),
    /// A line for `sh -c`.
    Shell(String),
}

/// The commands of one point: parameters are filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointCommands {
    /// What is measured.
    pub command: CommandLine,
    /// Runs once per benchmark, before its first point.
    pub build: Option<CommandLine>,
    /// Runs before this point's series of executions.
    pub prepare: Option<CommandLine>,
    /// Runs after this point's series of executions, also when one failed.
    pub cleanup: Option<CommandLine>,
    /// Working folder relative to the root of the repository; `None` is the root.
    pub dir: Option<String>,
    /// Added to the environment, in the order of the file.
    pub env: Vec<(String, String)>,
}

/// Unmeasured executions before the measured ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warmup {
    /// This many executions.
    Count(u32),
    /// Executions until this much time has passed.
    Time(Duration),
}

/// When a kernel has enough values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub enum StopRule {
    /// When the interval of the median is narrow enough.
    Interval,
    /// When the entropy of the values no longer changes.
    Entropy,
}

/// How a benchmark is sampled; what is absent is left to the harness's defaults.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sampling {
    /// Unmeasured executions.
    pub warmup: Option<Warmup>,
    /// Fewest measured executions, where the time allows.
    pub min_runs: Option<u32>,
    /// Most measured executions.
    pub max_runs: Option<u32>,
    /// Measure at least this long.
    pub min_time: Option<Duration>,
    /// Stop measuring after this time.
    pub max_time: Option<Duration>,
    /// Wanted half width of the 95 % interval of the median, in percent of the median.
    pub precision_percent: Option<f64>,
    /// When there are enough values; of kernels only.
    pub stop: Option<StopRule>,
}

impl Sampling {
    /// These values, completed by `fallback`.
    pub fn or(self, fallback: &Self) -> Self {
        Self {
            warmup: self.warmup.or(fallback.warmup),
            min_runs: self.min_runs.or(fallback.min_runs),
            max_runs: self.max_runs.or(fallback.max_runs),
            min_time: self.min_time.or(fallback.min_time),
            max_time: self.max_time.or(fallback.max_time),
            precision_percent: self.precision_percent.or(fallback.precision_percent),
            stop: self.stop.or(fallback.stop),
        }
    }
}

/// One metric of a benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSettings {
    /// The metric's name, unique in the benchmark.
    pub name: MetricName,
    /// Where its values come from.
    pub source: MetricSource,
    /// Thresholds of this metric of this benchmark.
    pub thresholds: PartialThresholds,
}

/// Where the values of a metric come from.
#[derive(Debug, Clone, PartialEq)]
pub enum MetricSource {
    /// Wall-clock time of the execution.
    Time,
    /// User plus system processor time.
    CpuTime,
    /// Largest resident set.
    PeakMemory,
    /// What the kernel harness measures under this name.
    Kernel,
    /// A number that the program prints.
    Output {
        /// Name, base unit, direction, exactness.
        metric: Metric,
        /// The unit that the program prints, such as `ms` or `GB/s`.
        unit: String,
        /// Where the number stands.
        extract: Extract,
        /// In which stream.
        stream: Stream,
    },
}

/// Where a number stands in the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extract {
    /// The first group of the last match of this regular expression.
    Regex(String),
    /// This JSON pointer.
    Json(String),
}

/// An output stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stream {
    /// Standard output.
    #[default]
    Stdout,
    /// Standard error.
    Stderr,
}

impl Benchmark {
    /// The points of a command: the matrix's cartesian product, the last parameter changing fastest, or the points given one by
    /// one; a single empty config where there are none. A kernel has its points in its manifest, and none here.
    pub fn configs(&self) -> &[Config] {
        &self.configs
    }

    /// The commands of one point; `None` for a kernel. Placeholders were checked against every config of this benchmark; a parameter that
    /// a foreign `config` lacks stays as it is written.
    pub fn commands(&self, config: &Config) -> Option<PointCommands> {
        let patterns = self.patterns.as_ref()?;
        let fill = |pattern: &Option<CommandPattern>| pattern.as_ref().map(|pattern| pattern.fill(config));
        Some(PointCommands {
            command: patterns.command.fill(config),
            build: fill(&patterns.build),
            prepare: fill(&patterns.prepare),
            cleanup: fill(&patterns.cleanup),
            dir: patterns.dir.as_ref().map(|dir| dir.fill(config)),
            env: patterns.env.iter().map(|(name, value)| (name.clone(), value.fill(config))).collect(),
        })
    }
}

impl CommandPattern {
    /// The names of its placeholders.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &str> {
        let words = match self {
            Self::Argv(words) => words.as_slice(),
            Self::Shell(line) => std::slice::from_ref(line),
        };
        words.iter().flat_map(Pattern::parameters)
    }

    pub(super) fn fill(&self, config: &Config) -> CommandLine {
        match self {
            Self::Argv(words) => CommandLine::Argv(words.iter().map(|word| word.fill(config)).collect()),
            Self::Shell(line) => CommandLine::Shell(line.fill(config)),
        }
    }
}
