//! Suites: programs that measure many benchmarks themselves. A suite is measured whole, or one of its benchmarks alone where a
//! verdict, a comparison or a search wants it in turn with another commit.

mod reader;
mod run;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::error::CommandError;
use super::history;
use super::matchup::Matchup;
use super::points;
use super::selection::Selection;
use super::workspace::Workspace;
use crate::harness::{MetricSource, Point};
use crate::import::Format;
use crate::judge::ConfirmPlan;
use crate::model::{BenchmarkName, Config, Metric, ObjectId, SeriesKey};
use crate::settings::{CommandLine, Settings, Suite};
use reader::Reader;
pub use run::{SuiteRuns, measure};

/// A suite may take this long where the settings do not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3600);

/// Series of one benchmark of a suite that were recorded, to be measured again.
#[derive(Debug, Clone, PartialEq)]
pub struct SuitePart {
    /// The benchmark, as the results call it.
    pub benchmark: BenchmarkName,
    /// The point of it.
    pub config: Config,
    /// What it was measured on: results may name a GPU.
    pub testbed: String,
    /// The metrics that are wanted.
    pub metrics: Vec<Metric>,
}

impl SuitePart {
    /// It, at a commit against others.
    pub fn matchup(self, references: Vec<ObjectId>, candidate: ObjectId) -> Matchup {
        Matchup { benchmark: self.benchmark.clone(), config: self.config.clone(), references, candidate, parts: vec![self] }
    }
}

impl fmt::Display for SuitePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&points::point_name(&self.benchmark, &self.config))
    }
}

/// Matchups of one command that would be run in the same commits become one: each run of it serves all of them. Where the first
/// commits cannot be measured the next are taken, so only those that all of them are held against stay.
pub fn shared(settings: &Settings, matchups: Vec<Matchup>) -> Vec<Matchup> {
    let mut shared: Vec<(Option<Executed>, Matchup)> = Vec::new();
    for matchup in matchups {
        let executed = Executed::of(settings, &matchup);
        match shared.iter_mut().find(|(known, _)| executed.is_some() && *known == executed) {
            Some((_, known)) => {
                known.references.retain(|commit| matchup.references.contains(commit));
                known.parts.extend(matchup.parts);
            }
            None => shared.push((executed, matchup)),
        }
    }
    shared.into_iter().map(|(_, matchup)| matchup).collect()
}

/// What is executed for a matchup, and where.
#[derive(PartialEq)]
struct Executed {
    suite: BenchmarkName,
    command: CommandLine,
    testbed: String,
    references: Vec<ObjectId>,
    candidate: ObjectId,
}

impl Executed {
    /// `None` where it is nothing that a suite can be asked for.
    fn of(settings: &Settings, matchup: &Matchup) -> Option<Self> {
        let SuitePart { benchmark, config, testbed, .. } = matchup.parts.first()?;
        let suite = settings.suite_of(benchmark)?;
        Some(Self {
            suite: suite.name.clone(),
            command: suite.command_for(benchmark, config, "").ok()?,
            testbed: testbed.clone(),
            references: matchup.references.iter().take(ConfirmPlan::MOST_REFERENCES).copied().collect(),
            candidate: matchup.candidate,
        })
    }
}

/// The suites that were asked for, in the order of the file. A config is nothing that a suite could be asked for.
///
/// # Errors
/// A suite whose results nobody could read, before it is run.
pub fn plan<'a>(settings: &'a Settings, names: &[String], filter: &Config) -> Result<Vec<&'a Suite>, CommandError> {
    let wanted = settings.suites.iter().filter(|suite| filter.is_empty() && points::is_wanted(&suite.name, names));
    wanted.map(|suite| format_of(suite).map(|_| suite)).collect()
}

/// The format of its results, where the settings name it. They know no formats, so its word is looked at here.
///
/// # Errors
/// The word means none.
pub fn format_of(suite: &Suite) -> Result<Option<Format>, CommandError> {
    let format = suite.format.as_deref().map(str::parse).transpose();
    format.map_err(|error: String| CommandError::usage(format!("ratchet.toml: the suite {}: {error}", suite.name)))
}

/// The whole suite in the checkout at `root`, and who reads its results.
fn whole(suite: &Suite, root: &Path) -> Result<(Point, Arc<Reader>), CommandError> {
    let reader = Arc::new(Reader::of_all(suite, &folder(suite, root))?);
    let command = suite.command(reader.file());
    Ok((point(suite, suite.name.clone(), Config::empty(), (command, Arc::clone(&reader)), root), reader))
}

/// What one command measures of the suite in the checkout at `root`: `all` of these, of which it is asked for the `first`.
/// `here` is the key of this computer.
///
/// # Errors
/// The suite cannot be asked for it.
pub fn parts(suite: &Suite, (first, all): (&SuitePart, &[SuitePart]), here: &str, root: &Path) -> Result<Point, CommandError> {
    let reader = Arc::new(Reader::of_parts(suite, &folder(suite, root), all, here)?);
    let command = suite.command_for(&first.benchmark, &first.config, reader.file()).map_err(CommandError::usage)?;
    let metrics = all.iter().flat_map(|part| &part.metrics).cloned().map(MetricSource::Results).collect();
    Ok(Point { metrics, ..point(suite, first.benchmark.clone(), first.config.clone(), (command, reader), root) })
}

fn point(
    suite: &Suite,
    benchmark: BenchmarkName,
    config: Config,
    (command, reader): (CommandLine, Arc<Reader>),
    root: &Path,
) -> Point {
    Point {
        benchmark,
        config,
        command: points::command(command),
        build: suite.build.clone().map(points::command),
        prepare: suite.prepare.clone().map(points::command),
        cleanup: suite.cleanup.clone().map(points::command),
        directory: folder(suite, root),
        environment: suite.env.clone(),
        timeout: suite.timeout.unwrap_or(DEFAULT_TIMEOUT),
        metrics: Vec::new(),
        results: Some(reader),
    }
}

fn folder(suite: &Suite, root: &Path) -> std::path::PathBuf {
    suite.dir.as_ref().map_or_else(|| root.to_owned(), |dir| root.join(dir))
}

/// What was recorded of a commit that suites of `settings` measure, one part for each point and testbed.
pub fn recorded(
    workspace: &Workspace,
    settings: &Settings,
    commit: ObjectId,
    selection: &Selection,
) -> Result<Vec<SuitePart>, CommandError> {
    if settings.suites.is_empty() {
        return Ok(Vec::new());
    }
    let annotated = history::of_commit(&workspace.store, commit)?;
    let mut parts: BTreeMap<(BenchmarkName, Config, String), Vec<Metric>> = BTreeMap::new();
    for found in history::records(&annotated.commits, selection) {
        let SeriesKey { benchmark, config, testbed, .. } = SeriesKey::of(found.record, found.run);
        if settings.suite_of(&benchmark).is_some() {
            let metrics = parts.entry((benchmark, config, testbed)).or_default();
            if !metrics.contains(&found.record.metric) {
                metrics.push(found.record.metric.clone());
            }
        }
    }
    let part = |((benchmark, config, testbed), metrics)| SuitePart { benchmark, config, testbed, metrics };
    Ok(parts.into_iter().map(part).collect())
}
