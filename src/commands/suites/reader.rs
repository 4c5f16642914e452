//! Reads what a suite measured: from its standard output, from the file that it was told to write, or from where it leaves
//! its results. Results that were there before it ran are not taken for its own.

use std::error::Error;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::SuitePart;
use crate::commands::error::{CommandError, During};
use crate::harness::{Interrupt, Printed, ResultsReader, Scratch};
use crate::import::{self, Format, ImportError, ImportOptions, Imported};
use crate::model::{BenchmarkName, Measurement, Metric};
use crate::settings::Suite;

/// Where the results are.
#[derive(Debug)]
enum Place {
    Printed,
    /// The file that the command is given.
    Told,
    /// A file or folder of the suite's own.
    Left(PathBuf),
}

/// Reads the results of one suite.
#[derive(Debug)]
pub(super) struct Reader {
    suite: Suite,
    place: Place,
    format: Option<Format>,
    /// What is wanted, and the key of this computer; without it everything is kept for [`Self::take`].
    parts: Option<(Vec<SuitePart>, String)>,
    kept: Mutex<Option<Imported>>,
    /// The file that the command is given.
    told: String,
    /// Of the file, and of one that says when an execution began.
    folder: Scratch,
}

/// Why results are not taken.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("the results on standard output were cut; let the suite write them to a file: {{results}} in its command")]
    Cut,
    #[error("it left no results in {}", .0.display())]
    NotThere(PathBuf),
    #[error("its results are neither a file nor a folder: {}", .0.display())]
    NotAFile(PathBuf),
    #[error("{0}")]
    Unreadable(String),
    #[error("its results hold no benchmark that `benchmarks` of its [[suite]] names")]
    Nothing,
    #[error("its results do not hold {0}")]
    Lacks(String),
    #[error("its results are of `{found}`, and the series of `{wanted}`")]
    Elsewhere { found: String, wanted: String },
}

impl Reader {
    /// For everything that the suite measures in `folder`.
    pub(super) fn of_all(suite: &Suite, folder: &Path) -> Result<Self, CommandError> {
        let not_made = |error: std::io::Error| {
            CommandError::failure(format!("no temporary folder for results: {error}; TMPDIR says where they go"))
        };
        let interrupt = Interrupt::on_ctrl_c().during("cannot start measuring")?;
        let scratch = interrupt.scratch("git-ratchet-").map_err(not_made)?;
        let place = match &suite.results {
            Some(path) => Place::Left(folder.join(path)),
            None if suite.wants_file() => Place::Told,
            None => Place::Printed,
        };
        let format = super::format_of(suite)?;
        let told = scratch.path().join("results.json").to_string_lossy().into_owned();
        Ok(Self { suite: suite.clone(), place, format, parts: None, kept: Mutex::new(None), told, folder: scratch })
    }

    /// For some of its benchmarks; `here` is the key of this computer.
    pub(super) fn of_parts(suite: &Suite, folder: &Path, parts: &[SuitePart], here: &str) -> Result<Self, CommandError> {
        Ok(Self { parts: Some((parts.to_vec(), here.to_owned())), ..Self::of_all(suite, folder)? })
    }

    /// The file that the command is given.
    pub(super) fn file(&self) -> &str {
        &self.told
    }

    /// What the last execution measured.
    pub(super) fn take(&self) -> Option<Imported> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn marker(&self) -> PathBuf {
        self.folder.path().join("began")
    }

    fn import(&self, printed: Printed<'_>) -> Result<Imported, Box<dyn Error + Send + Sync>> {
        let (format, better, newer_than) = (self.format, self.suite.better, Some(self.marker()));
        let unnamed = BenchmarkName::new(self.suite.name.as_str()).ok();
        let options = ImportOptions { format, better, newer_than, unnamed, ..ImportOptions::default() };
        let mut imported = match &self.place {
            Place::Printed if printed.cut => return Err(Unusable::Cut.into()),
            Place::Printed => import::import(printed.bytes, &options).map_err(with_causes)?,
            Place::Told => import_left(Path::new(&self.told), &options)?,
            Place::Left(path) => import_left(path, &options)?,
        };
        imported.measurements.retain(|measured| self.suite.measures(&measured.benchmark));
        if imported.measurements.is_empty() { Err(Unusable::Nothing.into()) } else { Ok(imported) }
    }
}

/// Reads what the suite left. A pipe or a device is not read: it may have no end.
fn import_left(path: &Path, options: &ImportOptions) -> Result<Imported, Unusable> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Unusable::NotThere(path.to_owned())),
        Ok(metadata) if !(metadata.is_file() || metadata.is_dir()) => Err(Unusable::NotAFile(path.to_owned())),
        _ => import::import_path(path, options).map_err(with_causes),
    }
}

/// An error of the import with what caused it: whoever shows it shows one line.
fn with_causes(error: ImportError) -> Unusable {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(known) = cause {
        // Some errors say it themselves.
        if !text.ends_with(&known.to_string()) {
            text = format!("{text}: {known}");
        }
        cause = known.source();
    }
    Unusable::Unreadable(text)
}

impl ResultsReader for Reader {
    fn begin(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        if Path::new(&self.told).exists() {
            fs::remove_file(&self.told)?;
        }
        Ok(fs::write(self.marker(), [])?)
    }

    fn read(&self, printed: Printed<'_>) -> Result<Vec<Option<f64>>, Box<dyn Error + Send + Sync>> {
        let imported = self.import(printed)?;
        let Some((parts, here)) = &self.parts else {
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(imported);
            return Ok(Vec::new());
        };
        let found = imported.testbed.as_ref().unwrap_or(here);
        if let Some(part) = parts.iter().find(|part| part.testbed != *found) {
            return Err(Unusable::Elsewhere { found: found.clone(), wanted: part.testbed.clone() }.into());
        }
        let is_of =
            |part: &SuitePart, measured: &Measurement| measured.benchmark == part.benchmark && measured.config == part.config;
        let is_there = |part: &SuitePart| imported.measurements.iter().any(|measured| is_of(part, measured));
        if let Some(part) = parts.first().filter(|_| !parts.iter().any(is_there)) {
            return Err(Unusable::Lacks(part.to_string()).into());
        }
        let value = |part: &SuitePart, metric: &Metric| {
            let is_wanted = |found: &&Measurement| {
                is_of(part, found) && (&found.metric.name, &found.metric.unit) == (&metric.name, &metric.unit)
            };
            imported.measurements.iter().find(is_wanted).map(|measured| measured.summary.median)
        };
        Ok(parts.iter().flat_map(|part| part.metrics.iter().map(move |metric| value(part, metric))).collect())
    }
}
