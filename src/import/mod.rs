//! Results that other programs measured, turned into measurements.
//!
//! One file here knows one format and implements one trait, `Importer`; [`detect`] asks each of them whether a file
//! is theirs. What an importer hands over passes through one gate, `collect`, which builds every value with the model's
//! constructors: an impossible number, an unknown unit or a name that cannot be shown is refused with an error that
//! says where in the file it stands.
//!
//! Two rules hold for every format. Numbers that the file carries are imported, numbers that could be computed from
//! them (a throughput from a declared byte count) are not: they would be the same series twice. And nothing is
//! invented: an interval, a deviation or a direction that the file does not give stays absent, or is asked for.
//!
//! Files are read, never run, and never beyond [`MAX_FILE_BYTES`]. Nothing here knows git.

mod asv;
mod benchmarkdotnet;
mod bmf;
mod cargo_criterion;
mod catch2;
mod collect;
mod criterion;
mod criterion_text;
mod cubin;
mod divan;
mod error;
mod format;
mod github_action;
mod go_bench;
mod google_benchmark;
mod hyperfine;
mod jmh;
mod json;
mod julia;
mod kernel_tuner;
mod libtest;
mod nvbench;
mod pytest_benchmark;
mod pytorch;
mod ratchet;
mod seed;
mod serving;
mod sglang;
mod source;
#[cfg(test)]
mod tests;
mod text;
mod vitest;
mod vllm;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use chrono::{DateTime, Utc};

use crate::cubin::is_binary;
use crate::model::{BenchmarkName, Direction, Measurement};

pub use error::{ImportError, ImportWarning};
pub use format::Format;

use collect::Collector;
use source::{Importer, Source};

/// The largest file that is read. A parsed JSON file takes some ten times its size in memory.
pub const MAX_FILE_BYTES: u64 = 128 << 20;

/// How to read a file of results.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// The format; found from the content when absent.
    pub format: Option<Format>,
    /// The better direction of metrics for which neither the file nor the unit nor the name tells it.
    pub better: Option<Direction>,
    /// Records every entry under this name, for files whose entries are configs of one benchmark.
    pub benchmark: Option<BenchmarkName>,
    /// The name of what a file does not name; without it, and without [`Self::benchmark`], such a file is refused.
    pub unnamed: Option<BenchmarkName>,
    /// Leaves out what was written before this file was: results of an earlier run in the same place.
    pub newer_than: Option<PathBuf>,
}

/// What a file of results holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Which format it was.
    pub format: Format,
    /// The measurements in the order of the file.
    pub measurements: Vec<Measurement>,
    /// What was left out, and what the tool itself complained about.
    pub warnings: Vec<ImportWarning>,
    /// The program that measured, such as `hyperfine 2.0.0`, where the file tells.
    pub tool: Option<String>,
    /// The testbed that the file names: a GPU. CPU facts are in `facts`, since they are not an identity of their own.
    pub testbed: Option<String>,
    /// When the measuring began or ended, where the file tells.
    pub time: Option<DateTime<Utc>>,
    /// What else the file tells about the testbed, such as `cpu`.
    pub facts: BTreeMap<String, String>,
}

/// Every format that is a file of text, in the order in which they are asked. Own ones first: they claim little.
const IMPORTERS: [&dyn Importer; 23] = [
    &ratchet::Ratchet,
    &seed::Seed,
    &hyperfine::Hyperfine,
    &cargo_criterion::CargoCriterion,
    &nvbench::Nvbench,
    &pytest_benchmark::PytestBenchmark,
    &google_benchmark::GoogleBenchmark,
    &github_action::GithubActionBenchmark,
    &pytorch::Pytorch,
    &kernel_tuner::KernelTuner,
    &vllm::Vllm,
    &sglang::Sglang,
    &asv::Asv,
    &julia::Julia,
    &jmh::Jmh,
    &benchmarkdotnet::BenchmarkDotNet,
    &vitest::Vitest,
    &bmf::Bmf,
    &go_bench::GoBench,
    &divan::Divan,
    &libtest::Libtest,
    &catch2::Catch2,
    &criterion_text::CriterionText,
];

/// The format of a file, judged by its content; `None` where no importer knows it.
pub fn detect(bytes: &[u8]) -> Option<Format> {
    if is_binary(bytes) {
        return Some(Format::Cubin);
    }
    let source = Source::new(bytes, None).ok()?;
    find_importer(&source).map(|importer| importer.format())
}

/// Reads results from the content of a file.
///
/// # Errors
/// [`ImportError`] names the entry that cannot be imported. A file is imported whole or not at all; only entries that
/// the tool itself declared skipped or failed are left out, with a warning.
pub fn import(bytes: &[u8], options: &ImportOptions) -> Result<Imported, ImportError> {
    import_source(bytes, None, options)
}

/// Reads results from an open file or standard input, up to [`MAX_FILE_BYTES`].
///
/// # Errors
/// As [`import`], and where reading fails.
pub fn import_reader(reader: &mut dyn Read, options: &ImportOptions) -> Result<Imported, ImportError> {
    import(&read_capped(reader, Path::new("standard input"))?, options)
}

/// Reads results from a file, or from a folder that criterion wrote (`target/criterion` or a part of it).
///
/// # Errors
/// As [`import`], and where reading fails.
pub fn import_path(path: &Path, options: &ImportOptions) -> Result<Imported, ImportError> {
    if path.is_dir() {
        return import_folder(path, options);
    }
    if is_older(path, options)? {
        return Err(ImportError::NotWritten { path: path.to_owned() });
    }
    let mut file = File::open(path).map_err(|source| ImportError::Read { path: path.to_owned(), source })?;
    let bytes = read_capped(&mut file, path)?;
    import_source(&bytes, path.parent(), options)
}

/// Whether a file was there before what [`ImportOptions::newer_than`] names.
fn is_older(path: &Path, options: &ImportOptions) -> Result<bool, ImportError> {
    let Some(marker) = &options.newer_than else { return Ok(false) };
    let written = |path: &Path| {
        let modified = std::fs::metadata(path).and_then(|metadata| metadata.modified());
        let modified = modified.map_err(|source| ImportError::Read { path: path.to_owned(), source })?;
        Ok(modified.duration_since(UNIX_EPOCH).unwrap_or_default())
    };
    let (written, began): (Duration, Duration) = (written(path)?, written(marker)?);
    // Some file systems keep whole seconds: what is written there after the marker elsewhere may look older than it.
    let began = if written.subsec_nanos() == 0 { Duration::from_secs(began.as_secs()) } else { began };
    Ok(written < began)
}

fn import_folder(path: &Path, options: &ImportOptions) -> Result<Imported, ImportError> {
    if let Some(format) = options.format.filter(|format| *format != Format::Criterion) {
        return Err(ImportError::NotAFile { path: path.to_owned(), format });
    }
    let mut collector = Collector::new(options);
    criterion::read_folder(path, &mut collector)?;
    collector.finish(Format::Criterion)
}

fn import_source(bytes: &[u8], folder: Option<&Path>, options: &ImportOptions) -> Result<Imported, ImportError> {
    let mut collector = Collector::new(options);
    if options.format.map_or_else(|| is_binary(bytes), |asked| asked == Format::Cubin) {
        cubin::read(bytes, &mut collector)?;
        return collector.finish(Format::Cubin);
    }
    let source = Source::new(bytes, folder)?;
    let importer = choose_importer(&source, options.format)?;
    importer.read(&source, &mut collector)?;
    collector.finish(importer.format())
}

fn choose_importer(source: &Source<'_>, asked: Option<Format>) -> Result<&'static dyn Importer, ImportError> {
    match asked {
        None => find_importer(source).ok_or_else(|| source.syntax_error().unwrap_or(ImportError::UnknownFormat)),
        Some(format) => IMPORTERS.into_iter().find(|importer| importer.format() == format).ok_or(ImportError::NeedsFolder),
    }
}

fn find_importer(source: &Source<'_>) -> Option<&'static dyn Importer> {
    IMPORTERS.into_iter().find(|importer| importer.recognizes(source))
}

fn read_capped(reader: &mut dyn Read, path: &Path) -> Result<Vec<u8>, ImportError> {
    let mut bytes = Vec::new();
    let read = reader.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|source| ImportError::Read { path: path.to_owned(), source })?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(ImportError::TooLarge { path: path.to_owned() });
    }
    Ok(bytes)
}
