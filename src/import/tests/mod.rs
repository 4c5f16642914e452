//! What every test of this module needs, and the tests of what is common to all formats.

mod common;
mod criterion;
mod cubin;
mod go;
mod hostile;
mod hyperfine;
mod languages;
mod measures;
mod ml;
mod nvbench;
mod own;
mod printed;
mod real_files;
mod tools;

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Format, ImportError, ImportOptions, Imported, detect, import, import_path};
use crate::model::{Direction, Measurement, Summary};

/// The path of one of our own fixtures.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/import").join(name)
}

/// A file of each kind that a format has, for what holds for all of them.
const FIXTURES: [(&str, Format); 39] = [
    ("ratchet/results.json", Format::Ratchet),
    ("seed/single.json", Format::Seed),
    ("seed/configs.json", Format::Seed),
    ("hyperfine/v1.15.0.json", Format::Hyperfine),
    ("hyperfine/v2.0.0.json", Format::Hyperfine),
    ("cargo-criterion/messages.jsonl", Format::CargoCriterion),
    ("google-benchmark/repetitions.json", Format::GoogleBenchmark),
    ("google-benchmark/aggregates-only.json", Format::GoogleBenchmark),
    ("nvbench/samples.json", Format::Nvbench),
    ("pytest-benchmark/v5.3.1.json", Format::PytestBenchmark),
    ("go/small.txt", Format::GoBench),
    ("bmf/measures.json", Format::Bmf),
    ("github-action-benchmark/custom.json", Format::GithubActionBenchmark),
    ("pytorch/records.json", Format::Pytorch),
    ("pytorch/records.jsonl", Format::Pytorch),
    ("pytorch/record.json", Format::Pytorch),
    ("kernel-tuner/cache.json", Format::KernelTuner),
    ("kernel-tuner/open.json", Format::KernelTuner),
    ("kernel-tuner/t4.json", Format::KernelTuner),
    ("vllm/serve.json", Format::Vllm),
    ("vllm/serve-detailed.jsonl", Format::Vllm),
    ("vllm/latency.json", Format::Vllm),
    ("vllm/throughput.json", Format::Vllm),
    ("sglang/serving.jsonl", Format::Sglang),
    ("sglang/one-batch.jsonl", Format::Sglang),
    ("sglang/offline.jsonl", Format::Sglang),
    ("divan/small.txt", Format::Divan),
    ("libtest/small.txt", Format::Libtest),
    ("criterion-text/small.txt", Format::CriterionText),
    ("catch2/small.txt", Format::Catch2),
    ("asv/box/plain.json", Format::Asv),
    ("julia/trials.json", Format::Julia),
    ("jmh/results.json", Format::Jmh),
    ("benchmarkdotnet/full.json", Format::BenchmarkDotNet),
    ("vitest/small.json", Format::Vitest),
    ("cubin/zstd.fatbin", Format::Cubin),
    ("cubin/lz4.fatbin", Format::Cubin),
    ("cubin/object.o", Format::Cubin),
    ("cubin/cuda12.8-sm_90a.cubin", Format::Cubin),
];

/// Imports a fixture with the defaults.
fn import_fixture(name: &str) -> Imported {
    import_path(&fixture(name), &ImportOptions::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The same file, as plain JSON.
fn json_fixture(name: &str) -> Value {
    let text = std::fs::read_to_string(fixture(name)).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The numbers that a JSON pointer leads to.
fn numbers(value: &Value, pointer: &str) -> Vec<f64> {
    let array = value.pointer(pointer).and_then(Value::as_array).unwrap_or_else(|| panic!("no array at {pointer}"));
    array.iter().map(|number| number.as_f64().unwrap()).collect()
}

/// The number that a JSON pointer leads to.
fn number(value: &Value, pointer: &str) -> f64 {
    value.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("no number at {pointer}"))
}

/// Imports a text, format found from its content.
fn import_text(text: &str) -> Result<Imported, ImportError> {
    import(text.as_bytes(), &ImportOptions::default())
}

/// The message of the error that importing a text of a known format gives.
fn complaint(format: Format, text: &str) -> String {
    let options = ImportOptions { format: Some(format), ..ImportOptions::default() };
    import(text.as_bytes(), &options).expect_err("should be refused").to_string()
}

/// The measurement of one metric of one point; `config` as it is displayed.
fn find<'a>(imported: &'a Imported, benchmark: &str, config: &str, metric: &str) -> &'a Measurement {
    let is_it = |m: &&Measurement| {
        m.benchmark.as_str() == benchmark && m.config.to_string() == config && m.metric.name.as_str() == metric
    };
    let mut found = imported.measurements.iter().filter(is_it);
    let first = found.next().unwrap_or_else(|| panic!("no {benchmark} {config} {metric} in {:#?}", keys(imported)));
    assert!(found.next().is_none(), "{benchmark} {config} {metric} twice");
    first
}

/// `benchmark | config | metric` of all measurements, in order.
fn keys(imported: &Imported) -> Vec<String> {
    let key = |m: &Measurement| format!("{} | {} | {}", m.benchmark, m.config, m.metric.name);
    imported.measurements.iter().map(key).collect()
}

/// The warnings as text.
fn warnings(imported: &Imported) -> Vec<String> {
    imported.warnings.iter().map(ToString::to_string).collect()
}

/// Asserts that two numbers agree but for rounding.
fn assert_close(actual: f64, expected: f64) {
    let error = (actual - expected).abs();
    assert!(error <= 1e-12 * expected.abs(), "{actual} is not {expected}");
}

/// Asserts that a statistic is that of a sample, but for what is lost where a record rounds the sample's values.
fn assert_kept(actual: f64, expected: f64) {
    let error = (actual - expected).abs();
    assert!(error <= 1e-5 * expected.abs(), "{actual} is not {expected}");
}

/// Asserts unit, direction and every value of a sample, and that its statistics are those of the values.
fn assert_sample(measured: &Measurement, unit: &str, better: Direction, expected: &[f64]) {
    assert_eq!((measured.metric.unit.symbol(), measured.metric.better), (unit, better));
    assert_eq!(measured.values.len(), expected.len());
    measured.values.iter().zip(expected).for_each(|(actual, expected)| assert_close(*actual, *expected));
    let mean = expected.iter().sum::<f64>() / expected.len() as f64;
    assert_eq!(measured.summary.n, expected.len() as u64);
    assert_kept(measured.summary.mean.unwrap(), mean);
    assert_kept(measured.summary.min.unwrap(), expected.iter().copied().fold(f64::INFINITY, f64::min));
    assert_kept(measured.summary.max.unwrap(), expected.iter().copied().fold(0.0, f64::max));
}

/// Asserts unit, direction and the only value of a sample of one.
fn assert_value(measured: &Measurement, unit: &str, better: Direction, expected: f64) {
    assert_eq!((measured.metric.unit.symbol(), measured.metric.better, measured.values.len()), (unit, better, 1));
    assert_close(measured.values[0], expected);
    assert_kept(measured.summary.median, expected);
}

/// Asserts unit and direction of a measurement of which only statistics are known.
fn assert_statistics(measured: &Measurement, unit: &str, better: Direction, expected: &Summary) {
    assert_eq!((measured.metric.unit.symbol(), measured.metric.better), (unit, better));
    assert_eq!(&measured.summary, expected);
    assert!(measured.values.is_empty());
}
