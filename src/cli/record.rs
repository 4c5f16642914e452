//! The arguments of `record`.

use std::path::PathBuf;

use clap::Args;

/// Record results that something else measured.
///
/// Reads result files of other tools (the format is found from their content), standard input (`-`), or values given
/// on the command line:
///
///   git ratchet record --benchmark attention --config 'B=32 H=8' --metric time=12.3ms
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// Result files, criterion's target folder, or `-` for standard input.
    #[arg(value_name = "FILE", conflicts_with = "metrics", required_unless_present = "metrics")]
    pub files: Vec<PathBuf>,
    /// The benchmark that the values of --metric belong to, or what every result of the files is recorded under.
    #[arg(long, value_name = "NAME")]
    pub benchmark: Option<String>,
    /// Its parameters, such as 'B=32 H=8'.
    #[arg(long, value_name = "PARAMS", requires = "metrics", default_value = "", hide_default_value = true)]
    pub config: String,
    /// A measured value with its unit, such as time=12.3ms; repeat it, or separate by commas, for several samples.
    #[arg(long = "metric", value_name = "NAME=VALUE", requires = "benchmark")]
    pub metrics: Vec<String>,
    /// Which way a metric without a telling unit or name gets better.
    #[arg(long, value_name = "lower|higher")]
    pub better: Option<String>,
    /// The values are free of noise (instruction counts, bytes): compare them exactly.
    #[arg(long, requires = "metrics")]
    pub exact: bool,
    /// Read the files as this format instead of finding it from their content: ratchet, seed, hyperfine, criterion,
    /// cargo-criterion, google-benchmark, nvbench, pytest-benchmark, go, bmf, github-action-benchmark, pytorch,
    /// kernel-tuner, vllm, sglang, criterion-text, divan, libtest, catch2, asv, julia, jmh, benchmarkdotnet, vitest, cubin.
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// The commit that was measured.
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    pub commit: String,
    /// Where it was measured: results are compared only within one testbed. Default: this computer, or what the file says.
    #[arg(long, value_name = "LABEL")]
    pub testbed: Option<String>,
    /// Mark the results as measured on changed files: they are shown, never a baseline.
    #[arg(long)]
    pub dirty: bool,
    /// Show what would be recorded, write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}
