//! The user's `ratchet.toml` and `git config ratchet.*`, merged.
//!
//! The parser takes bytes, because the file is often read from a tree of the base revision and not from disk. What it
//! returns is checked: placeholders are known, regular expressions compile, durations are positive, names are unique,
//! a matrix is no larger than [`MAX_POINTS`]. Reading settings runs nothing.
//!
//! Precedence is flag > environment > `git config` > `ratchet.toml`; everything above the file arrives as
//! [`Overrides`].

mod benchmark;
mod check;
mod error;
mod fleet;
mod kernel;
mod matrix;
mod metrics;
mod overrides;
mod parameters;
mod place;
mod placeholder;
mod profile;
mod raw;
mod roofline;
mod suite;
mod template;
mod thresholds;
mod values;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use crate::model::{BenchmarkName, MetricName};

pub use benchmark::{
    Benchmark, CacheState, CommandLine, Extract, KernelSettings, MetricSettings, MetricSource, PointCommands, Sampling, StopRule,
    Stream, Warmup,
};
pub use error::SettingsError;
pub use fleet::Place;
pub use matrix::MAX_POINTS;
pub use overrides::Overrides;
pub use place::line_of_benchmark;
pub use profile::{LaunchSelection, ProfileSettings};
pub use roofline::RooflineSettings;
pub use suite::{NoCommand, Suite};
pub use template::Template;
pub use thresholds::{MetricThresholds, PartialThresholds};

/// The name of the settings file in the root of a repository.
pub const FILE_NAME: &str = "ratchet.toml";

/// Longest settings file that is read, in bytes.
pub const MAX_FILE_BYTES: usize = 1 << 20;

/// Which commits make a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(try_from = "String")]
pub enum HistoryMode {
    /// First parents only: what the branch really held.
    #[default]
    FirstParent,
    /// Every ancestor.
    All,
}

/// What a candidate is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(try_from = "String")]
pub enum BaselineMode {
    /// The best level that the series has held.
    #[default]
    Level,
    /// The best single run.
    BestRun,
}

/// Whether `check` measures suspicious series again before it calls them a regression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConfirmMode {
    /// Only where a flag asks for it.
    #[default]
    Never,
    /// Always.
    Always,
    /// Where the environment variable `CI` is set.
    Ci,
}

/// Settings in force: the file's, or the defaults where there is no file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// The base revision to check against, such as `origin/main`.
    pub base: Option<String>,
    /// Which commits make a history.
    pub history: HistoryMode,
    /// What a candidate is held against.
    pub baseline: BaselineMode,
    /// Whether `check` measures suspicious series again.
    pub confirm: ConfirmMode,
    /// Whether `build` notices whatever changed, so that a worktree may move from commit to commit with what is built in it.
    pub incremental: bool,
    /// So many worktrees are kept with what is built in them; only the clone's own configuration says so.
    pub keep_worktrees: usize,
    /// The user's label, added to the testbed key.
    pub testbed: Option<String>,
    /// Thresholds for everything.
    pub thresholds: PartialThresholds,
    /// Thresholds of one metric in all benchmarks.
    pub metric_thresholds: Vec<MetricThresholds>,
    /// Sampling for all benchmarks.
    pub sampling: Sampling,
    /// How kernels are profiled.
    pub profile: ProfileSettings,
    /// Limits of the chip.
    pub roofline: RooflineSettings,
    /// The benchmarks, in the order of the file.
    pub benchmarks: Vec<Benchmark>,
    /// The programs that measure many benchmarks themselves, in the order of the file.
    pub suites: Vec<Suite>,
    /// Where benchmarks run besides here, by name.
    pub fleet: BTreeMap<String, Place>,
    /// Thresholds from above the file: they win over every table of it.
    overriding: PartialThresholds,
}

impl Settings {
    /// Reads the bytes of a settings file. `origin` names it in errors: a path, or `ratchet.toml of origin/main`.
    pub fn parse(bytes: &[u8], origin: &str) -> Result<Self, SettingsError> {
        check::settings(bytes, origin)
    }

    /// Puts `overrides` above these settings.
    pub fn overridden_by(mut self, overrides: &Overrides) -> Self {
        overrides.apply(&mut self);
        self
    }

    /// Everything that is run to build, prepare and measure, and where: another text wherever that is something else.
    pub fn recipe(&self) -> String {
        let benchmarks: Vec<_> = self.benchmarks.iter().map(|benchmark| (&benchmark.name, &benchmark.patterns)).collect();
        let suites: Vec<_> = self.suites.iter().map(|suite| (&suite.name, suite.recipe())).collect();
        format!("{benchmarks:?}{suites:?}")
    }

    /// The benchmark of this name.
    pub fn benchmark(&self, name: &BenchmarkName) -> Option<&Benchmark> {
        self.benchmarks.iter().find(|benchmark| benchmark.name == *name)
    }

    /// The suite that measures a benchmark of this name; `None` where it has a table of its own.
    pub fn suite_of(&self, name: &BenchmarkName) -> Option<&Suite> {
        self.suites.iter().find(|suite| suite.measures(name)).filter(|_| self.benchmark(name).is_none())
    }

    /// Whether a benchmark of this name can be measured: by its own table or by a suite.
    pub fn measures(&self, name: &BenchmarkName) -> bool {
        self.benchmark(name).is_some() || self.suite_of(name).is_some()
    }

    /// The place of this name.
    ///
    /// # Errors
    /// There is none; the error says which there are, or which one is meant.
    pub fn place(&self, name: &str) -> Result<&Place, SettingsError> {
        let known = || self.fleet.keys().map(String::as_str).collect::<Vec<_>>();
        let unknown = || SettingsError::UnknownPlace { name: name.to_owned(), hint: error::hint_for_place(name, &known()) };
        self.fleet.get(name).ok_or_else(unknown)
    }

    /// The benchmarks that `check` must find measured.
    pub fn required(&self) -> impl Iterator<Item = &Benchmark> {
        self.benchmarks.iter().filter(|benchmark| benchmark.required)
    }

    /// The thresholds given for one metric of one benchmark. Each of the two is looked up on its own, the most specific
    /// first: an override, `[[benchmark.metrics]]`, `[benchmark.thresholds]` or `[suite.thresholds]`, `[metric.NAME]`,
    /// `[thresholds]`.
    ///
    /// An exact metric tolerates nothing unless somebody says so for it: the thresholds for everything, which are about
    /// noise, do not apply to it.
    pub fn thresholds_for(&self, benchmark: &BenchmarkName, metric: &MetricName, exact: bool) -> PartialThresholds {
        let of_suite = self.suite_of(benchmark).map(|suite| suite.thresholds);
        let benchmark = self.benchmark(benchmark);
        let of_metric = benchmark.and_then(|b| b.metrics.iter().find(|m| m.name == *metric)).map(|m| m.thresholds);
        let of_benchmark = benchmark.map(|b| b.thresholds).or(of_suite);
        let of_metric_everywhere = self.metric_thresholds.iter().find(|m| m.metric == *metric).map(|m| m.thresholds);
        let layers =
            [Some(self.overriding), of_metric, of_benchmark, of_metric_everywhere, Some(self.thresholds).filter(|_| !exact)];
        layers.into_iter().flatten().fold(PartialThresholds::default(), PartialThresholds::or)
    }

    /// Whether somebody gave a threshold for this very metric, of this benchmark or everywhere.
    pub fn names_threshold(&self, benchmark: &BenchmarkName, metric: &MetricName) -> bool {
        let of_benchmark = self.benchmark(benchmark).into_iter().flat_map(|benchmark| &benchmark.metrics);
        let of_benchmark = of_benchmark.filter(|known| known.name == *metric).map(|known| known.thresholds);
        let everywhere = self.metric_thresholds.iter().filter(|known| known.metric == *metric).map(|known| known.thresholds);
        of_benchmark.chain(everywhere).any(|thresholds| thresholds != PartialThresholds::default())
    }

    /// How a benchmark is sampled: its own `[benchmark.sampling]`, above `[sampling]`.
    pub fn sampling_for(&self, benchmark: &Benchmark) -> Sampling {
        benchmark.sampling.clone().or(&self.sampling)
    }
}

/// Reads the settings file at `path`.
pub fn load(path: &Path) -> Result<Settings, SettingsError> {
    let bytes = std::fs::read(path).map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?;
    Settings::parse(&bytes, &path.display().to_string())
}
