//! What can be wrong with a file of results, and what is merely worth saying.

use std::path::PathBuf;

use super::{Format, MAX_FILE_BYTES};
use crate::cubin::CubinError;
use crate::model::{InvalidValue, ParseQuantityError};

/// Why results could not be imported. `at` says where in the file: `results[3].times[0]`, `line 12`.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file or folder cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Its path, or `standard input`.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is larger than [`MAX_FILE_BYTES`].
    #[error(
        "{path} has more than {} MiB, the most that is read: export fewer benchmarks, or statistics without samples",
        MAX_FILE_BYTES >> 20
    )]
    TooLarge {
        /// Its path, or `standard input`.
        path: PathBuf,
    },
    /// There is nothing in the file.
    #[error("the file is empty: did the benchmark fail before it wrote its results?")]
    Empty,
    /// The file is not UTF-8 text.
    #[error(
        "not UTF-8 text (byte {offset} is wrong): all formats of results are UTF-8; a shell that redirects as UTF-16 has to be told so"
    )]
    NotText {
        /// How many bytes are fine.
        offset: usize,
    },
    /// The machine code of kernels cannot be read.
    #[error("cannot read machine code of kernels: {0}")]
    MachineCode(CubinError),
    /// Nothing in a file of machine code can be recorded.
    #[error("the file holds no machine code of CUDA kernels: {0}")]
    NoMachineCode(&'static str),
    /// No importer knows the content.
    #[error(
        "unknown format of results: known are {}; name one (--format, or `format` of a [[suite]]), or convert to `ratchet`",
        Format::words()
    )]
    UnknownFormat,
    /// Criterion's results are a folder, not a file.
    #[error(
        "criterion's results are a folder: give the path of target/criterion, or the output of `cargo criterion --message-format json`"
    )]
    NeedsFolder,
    /// A folder without results of criterion.
    #[error(
        "{path} is a folder without criterion results (no new/benchmark.json below it): run `cargo bench`, then give target/criterion"
    )]
    NoCriterionResults {
        /// The folder.
        path: PathBuf,
    },
    /// What is there was there before the program ran.
    #[error("{path} was not written by this run: its results are older")]
    NotWritten {
        /// The file or folder.
        path: PathBuf,
    },
    /// A folder was given with the format of a file.
    #[error("{path} is a folder, but results of {format} are a file")]
    NotAFile {
        /// The folder.
        path: PathBuf,
        /// The format asked for.
        format: Format,
    },
    /// The text is not JSON.
    #[error("not valid JSON: {message} (was the file cut off, or is something printed into it?)")]
    NotJson {
        /// What is wrong, with line and column.
        message: String,
    },
    /// `NaN` or `Infinity`, which Python writes but JSON does not have.
    #[error(
        "line {line}, column {column}: `{literal}` is not a number in JSON; the tool failed to measure this value, so remove the entry or measure again"
    )]
    NotANumber {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// `NaN`, `Infinity` or `-Infinity`.
        literal: &'static str,
    },
    /// Something else stands where the format wants a certain value.
    #[error("{at}: expected {expected}, found {found}")]
    Unexpected {
        /// Where in the file.
        at: String,
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A field that the schema of `ratchet` does not have.
    #[error("{at}: there is no such field in the ratchet format (see docs/results.schema.json): is it misspelled?")]
    UnknownField {
        /// Where in the file.
        at: String,
    },
    /// Something is wrong in one file of a folder.
    #[error("{path}: {source}")]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        source: Box<ImportError>,
    },
    /// A version of the format that this program does not know.
    #[error("version {found} of the {format} format is not known here: a newer git-ratchet may read it")]
    UnknownVersion {
        /// The format.
        format: Format,
        /// The version in the file.
        found: String,
    },
    /// A name, parameter or value that the model refuses.
    #[error("{at}: {source}")]
    Invalid {
        /// Where in the file.
        at: String,
        /// Why.
        source: InvalidValue,
    },
    /// A unit or a number with a unit that cannot be read.
    #[error("{at}: {source}")]
    Quantity {
        /// Where in the file.
        at: String,
        /// Why.
        source: ParseQuantityError,
    },
    /// Nothing tells whether larger or smaller is better.
    #[error("{at}: nothing tells whether a larger or a smaller `{metric}` is better: say --better lower or --better higher")]
    NoDirection {
        /// Where in the file.
        at: String,
        /// The metric.
        metric: String,
    },
    /// The file does not tell what was measured.
    #[error("this {format} file does not name what it measured: say --benchmark NAME")]
    NoName {
        /// The format.
        format: Format,
    },
    /// The same point is measured twice.
    #[error(
        "{at}: {point} stands in the file twice, and the two are not samples of one run: remove one, or give them different configs"
    )]
    Duplicate {
        /// Where the second one is.
        at: String,
        /// Benchmark, config and metric.
        point: String,
    },
    /// Samples of one metric in units that cannot be compared.
    #[error("{at}: {point} is given in {unit} here and in {earlier} before: one metric has one unit")]
    MixedUnits {
        /// Where the second unit is.
        at: String,
        /// Benchmark, config and metric.
        point: String,
        /// The unit here.
        unit: String,
        /// The unit before.
        earlier: String,
    },
    /// The file is fine but holds nothing that can be recorded.
    #[error("no results in this {format} file{}", reasons(.warnings))]
    NoResults {
        /// The format.
        format: Format,
        /// Why entries were left out.
        warnings: Vec<ImportWarning>,
    },
}

impl ImportError {
    /// The complaint about the results of this name; those that name a file themselves do it once.
    pub fn about(&self, name: &str) -> String {
        match self {
            Self::Read { .. }
            | Self::TooLarge { .. }
            | Self::NoCriterionResults { .. }
            | Self::NotWritten { .. }
            | Self::NotAFile { .. }
            | Self::InFile { .. } => self.to_string(),
            _ => format!("{name}: {self}"),
        }
    }

    /// The same complaint about one line of JSON Lines, of which the parser knows only the column.
    pub(super) fn in_line(self, number: usize) -> Self {
        match self {
            Self::NotANumber { column, literal, .. } => Self::NotANumber { line: number, column, literal },
            Self::NotJson { message } => Self::NotJson { message: format!("line {number}: {message}") },
            other => other,
        }
    }
}

fn reasons(warnings: &[ImportWarning]) -> String {
    match warnings {
        [] => String::new(),
        [only] => format!(": {only}"),
        [first, rest @ ..] => format!(": {first} (and {} more warnings)", rest.len()),
    }
}

/// Something about a file that a person should know, as data. `at` says where: `results[3]`, `line 12`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportWarning {
    /// The tool says that it did not measure this.
    #[error("{at}: skipped by the tool: {reason}")]
    Skipped {
        /// Where, with the benchmark's name.
        at: String,
        /// What the tool says.
        reason: String,
    },
    /// The tool says that this failed.
    #[error("{at}: failed in the tool: {reason}")]
    Failed {
        /// Where, with the benchmark's name.
        at: String,
        /// What the tool says.
        reason: String,
    },
    /// A metric beside others was left out, since nothing tells its direction.
    #[error("{at}: `{metric}` left out: nothing tells whether larger or smaller is better (say --better lower or higher)")]
    NoDirection {
        /// Where.
        at: String,
        /// The metric.
        metric: String,
    },
    /// Imported, but there is reason to doubt it.
    #[error("{at}: {reason}")]
    Doubtful {
        /// Where.
        at: String,
        /// Why.
        reason: String,
    },
    /// Something was left out.
    #[error("{at}: {what} left out: {reason}")]
    LeftOut {
        /// Where.
        at: String,
        /// What.
        what: String,
        /// Why.
        reason: String,
    },
}
