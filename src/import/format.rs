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
    /// PyTorch's benchmark format, version 3.
    Pytorch,
    /// Kernel Tuner: its cache file or its results in the T4 format.
    KernelTuner,
    /// `vllm bench serve`, `latency` or `throughput`.
    Vllm,
    /// The JSON Lines of SGLang's benchmarks.
    Sglang,
    /// What criterion prints.
    CriterionText,
    /// The tree that divan prints.
    Divan,
    /// What Rust's own `#[bench]` prints.
    Libtest,
    /// What Catch2 prints of its benchmarks.
    Catch2,
    /// A result file of asv.
    Asv,
    /// What Julia's `BenchmarkTools.save` writes.
    Julia,
    /// JMH, `-rf json`.
    Jmh,
    /// BenchmarkDotNet's JSON.
    BenchmarkDotNet,
    /// `vitest bench --outputJson`.
    Vitest,
    /// Machine code of CUDA kernels: a CUBIN, a fatbin, or an object, library or program with fatbins in it.
    Cubin,
}

impl Format {
    /// Every format, in the order in which help lists them.
    pub const ALL: [Self; 25] = [
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
        Self::Pytorch,
        Self::KernelTuner,
        Self::Vllm,
        Self::Sglang,
        Self::CriterionText,
        Self::Divan,
        Self::Libtest,
        Self::Catch2,
        Self::Asv,
        Self::Julia,
        Self::Jmh,
        Self::BenchmarkDotNet,
        Self::Vitest,
        Self::Cubin,
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
            Self::Pytorch => "pytorch",
            Self::KernelTuner => "kernel-tuner",
            Self::Vllm => "vllm",
            Self::Sglang => "sglang",
            Self::CriterionText => "criterion-text",
            Self::Divan => "divan",
            Self::Libtest => "libtest",
            Self::Catch2 => "catch2",
            Self::Asv => "asv",
            Self::Julia => "julia",
            Self::Jmh => "jmh",
            Self::BenchmarkDotNet => "benchmarkdotnet",
            Self::Vitest => "vitest",
            Self::Cubin => "cubin",
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
