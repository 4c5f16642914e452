//! The formats by name.

use std::fmt;
use std::str::FromStr;

/// A format that results can be imported from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// git-ratchet's own JSON, see `docs/results.schema.json`.
    Ratchet,
    /// The result files of the seed system: one kernel per object, times in milliseconds, a GPU's name.
    Seed,
    /// `hyperfine --export-json`, versions 1 and 2.
    Hyperfine,
    /// A folder that criterion wrote, such as `target/criterion`.
    Criterion,
    /// `cargo criterion --message-format json`.
    CargoCriterion,
    /// Google Benchmark, `--benchmark_format=json`.
    GoogleBenchmark,
    /// NVBench, `--json` or `--jsonbin`.
    Nvbench,
    /// `pytest --benchmark-json`.
    PytestBenchmark,
    /// The text that `go test -bench` prints.
    GoBench,
    /// Bencher Metric Format.
    Bmf,
    /// The custom format of github-action-benchmark.
    GithubActionBenchmark,
}

impl Format {
    /// Every format, in the order in which help lists them.
    pub const ALL: [Self; 11] = [
        Self::Ratchet,
        Self::Seed,
        Self::Hyperfine,
        Self::Criterion,
        Self::CargoCriterion,
        Self::GoogleBenchmark,
        Self::Nvbench,
        Self::PytestBenchmark,
        Self::GoBench,
        Self::Bmf,
        Self::GithubActionBenchmark,
    ];

    /// The word for `--format`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ratchet => "ratchet",
            Self::Seed => "seed",
            Self::Hyperfine => "hyperfine",
            Self::Criterion => "criterion",
            Self::CargoCriterion => "cargo-criterion",
            Self::GoogleBenchmark => "google-benchmark",
            Self::Nvbench => "nvbench",
            Self::PytestBenchmark => "pytest-benchmark",
            Self::GoBench => "go",
            Self::Bmf => "bmf",
            Self::GithubActionBenchmark => "github-action-benchmark",
        }
    }

    /// All words for `--format`, for messages.
    pub(super) fn words() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a format of results: say one of {}", Self::words()))
    }
}
