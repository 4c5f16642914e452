//! `bench` of whole suites: each is run, and what it measured is recorded.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::whole;
use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::recorder::Recorder;
use crate::commands::recording;
use crate::commands::workspace::Workspace;
use crate::harness::{BenchFailure, ExecutionError, Executor, Interrupt, ProcessExecutor};
use crate::import::Imported;
use crate::model::{Config, Measurement, Testbed};
use crate::report::Notice;
use crate::report::progress::ProgressLine;
use crate::settings::Suite;

/// What suites measured.
#[derive(Default)]
pub struct SuiteRuns {
    /// When each began, and what it measured.
    pub runs: Vec<(DateTime<Utc>, Vec<Measurement>)>,
    /// What failed.
    pub failures: Vec<BenchFailure>,
    /// What the results' own tools complained about.
    pub notices: Vec<Notice>,
    /// How long builds took that the settings name on their own.
    pub building: Duration,
}

/// Runs each suite `runs` times in the checkout at `root`, and records what it measured.
///
/// # Errors
/// The terminal cannot be written to.
pub fn measure(
    (suites, runs): (&[&Suite], u32),
    root: &Path,
    (interrupt, recorder): (&Interrupt, &mut Recorder<'_>),
    workspace: &Workspace,
    context: &mut Context,
) -> Result<SuiteRuns, CommandError> {
    let mut measured = SuiteRuns::default();
    let mut executor = ProcessExecutor::new(interrupt.clone());
    let mut line = ProgressLine::new(suites.len() as u64 * u64::from(runs), context.terminal.progress);
    for suite in (0..runs).flat_map(|_| suites) {
        if interrupt.is_requested() || recorder.has_moved() {
            break;
        }
        line.begin(context.err, suite.name.as_str())?;
        let began = (context.clock)();
        let ran = run(suite, root, &mut executor, workspace.settings.testbed.as_deref());
        line.end();
        let (testbed, imported) = match ran {
            Ok(ran) => ran,
            Err(ExecutionError::Interrupted) => break,
            Err(error) => {
                let (benchmark, config) = (suite.name.clone(), Config::empty());
                measured.failures.push(BenchFailure { benchmark, config, completed: 0, error });
                continue;
            }
        };
        let warning = |warning| Notice::new("import", format!("{}: {warning}", suite.name));
        measured.notices.extend(imported.warnings.iter().map(warning));
        recorder.begin(testbed, began, imported.tool.unwrap_or_else(recording::own_name));
        recorder.add(&imported.measurements, context);
        measured.runs.push((began, imported.measurements));
    }
    line.finish();
    measured.building = executor.building();
    Ok(measured)
}

/// Runs one suite. What fails is the suite: what others measured stays.
fn run(
    suite: &Suite,
    root: &Path,
    executor: &mut ProcessExecutor,
    label: Option<&str>,
) -> Result<(Testbed, Imported), ExecutionError> {
    let failed = |error: CommandError| ExecutionError::Other(error.message.into());
    let (point, reader) = whole(suite, root).map_err(failed)?;
    let executed = executor.prepare(&point).and_then(|_| executor.execute());
    let finished = executor.finish();
    executed.and(finished)?;
    let imported = usable(reader.take())?;
    let testbed = recording::testbed_of(imported.testbed.as_ref(), &imported.facts, label).map_err(failed)?;
    Ok((testbed, imported))
}

/// What was read, where it can be one run.
fn usable(imported: Option<Imported>) -> Result<Imported, ExecutionError> {
    let imported = imported.ok_or_else(|| ExecutionError::Other("nothing was read of its results".into()))?;
    recording::refuse_repetitions(&imported.measurements).map_err(|error| ExecutionError::Other(error.message.into()))?;
    Ok(imported)
}
