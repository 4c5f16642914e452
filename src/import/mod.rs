//! Results that other programs measured, turned into measurements.
//!
//! One file here knows one format and implements one trait, [`Importer`]; [`detect`] asks each of them whether a file
//! is theirs. What an importer hands over passes through one gate, `collect`, which builds every value with the model's
//! constructors: an impossible number, an unknown unit or a name that cannot be shown is refused with an error that
//! says where in the file it stands.
//!
//! Two rules hold for every format. Numbers that the file carries are imported, numbers that could be computed from
//! them (a throughput from a declared byte count) are not: they would be the same series twice. And nothing is
//! invented: an interval, a deviation or a direction that the file does not give stays absent, or is asked for.
//!
//! Files are read, never run, and never beyond [`MAX_FILE_BYTES`]. Nothing here knows git.

mod error;
mod format;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use chrono::{DateTime, Utc};

use crate::model::{BenchmarkName, Direction, Measurement};

pub use error::{ImportError, ImportWarning};
pub use format::Format;

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

/// The format of a file, judged by its content; `None` where no importer knows it.
pub fn detect(_bytes: &[u8]) -> Option<Format> {
    None
}

/// Reads results from the content of a file.
///
/// # Errors
/// [`ImportError`] names the entry that cannot be imported. A file is imported whole or not at all; only entries that
/// the tool itself declared skipped or failed are left out, with a warning.
pub fn import(_bytes: &[u8], _options: &ImportOptions) -> Result<Imported, ImportError> {
    Err(ImportError::UnknownFormat)
}

/// Reads results from an open file or standard input, up to [`MAX_FILE_BYTES`].
///
/// # Errors
/// As [`import`], and where reading fails.
pub fn import_reader(_reader: &mut dyn Read, _options: &ImportOptions) -> Result<Imported, ImportError> {
    Err(ImportError::UnknownFormat)
}

/// Reads results from a file, or from a folder that criterion wrote (`target/criterion` or a part of it).
///
/// # Errors
/// As [`import`], and where reading fails.
pub fn import_path(_path: &Path, _options: &ImportOptions) -> Result<Imported, ImportError> {
    Err(ImportError::UnknownFormat)
}
