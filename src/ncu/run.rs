//! Running Nsight Compute: profile into a report, print the report, read what is printed.

use std::time::Duration;

use super::command::import_line;
use super::csv;
use super::diagnosis::Aftermath;
use super::{Ncu, NcuError, Permission, ProfileRequest, kernel_profiles};
use crate::harness::{EndedBy, Interrupt, LastLines, Program, Ran, run_program};
use crate::model::KernelProfile;

/// What running depends on besides the request.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// Stops it.
    pub interrupt: &'a Interrupt,
    /// What the driver says.
    pub permission: Permission,
}

/// What came of a profiled command.
#[derive(Debug, Clone, PartialEq)]
pub struct Profiled {
    /// One profile for each kernel, in the order of their first launches.
    pub kernels: Vec<KernelProfile>,
}

/// Reading a report takes seconds.
const IMPORT_TIMEOUT: Duration = Duration::from_secs(120);

/// The version is a line.
const VERSION_TIMEOUT: Duration = Duration::from_secs(20);

impl Ncu {
    /// Runs a command under the profiler and reads what it counted. The report stays where the request says.
    ///
    /// # Errors
    /// Everything that can go wrong between here and the counters; see [`NcuError`].
    pub fn profile(&self, request: &ProfileRequest, surroundings: Surroundings<'_>) -> Result<Profiled, NcuError> {
        // A program that the user named may be a script with permissions of its own.
        if surroundings.permission == Permission::Refused && !self.is_configured {
            return Err(NcuError::NotPermitted);
        }
        // An older report must not be taken for the result of a run that made none.
        remove_report(request);
        let ran = self.run(request.command_line(&self.path), request, request.timeout, surroundings.interrupt)?;
        let aftermath = Aftermath {
            stdout: &ran.stdout,
            stderr: &ran.stderr,
            ending: ran.ending,
            has_report: request.report.is_file(),
            asked: (request.kernel.as_deref(), request.launch_skip),
        };
        if let Some(error) = aftermath.diagnose() {
            remove_report(request);
            return Err(error);
        }
        self.import(request, surroundings.interrupt)
    }

    fn import(&self, request: &ProfileRequest, interrupt: &Interrupt) -> Result<Profiled, NcuError> {
        let line = import_line(&self.path, &request.report);
        let ran = self.run(line, request, IMPORT_TIMEOUT, interrupt)?;
        let output = || Box::new(LastLines::of(&ran.stdout, &ran.stderr));
        if ran.ending.is_some() {
            return Err(NcuError::Failed { ending: ran.ending, errors: Vec::new(), output: output() });
        }
        let text = String::from_utf8_lossy(&ran.stdout);
        let launches = csv::read(&text).map_err(|source| NcuError::Unreadable { source, output: output() })?;
        let kernels = kernel_profiles(&launches);
        if kernels.is_empty() { Err(NcuError::NoKeyMetrics) } else { Ok(Profiled { kernels }) }
    }

    /// The version, such as `2025.3.1.0`; `None` where it does not say.
    pub fn version(&self, interrupt: &Interrupt) -> Option<String> {
        let argv = [self.path.to_string_lossy().into_owned(), "--version".to_owned()];
        let program = Program {
            argv: &argv,
            directory: std::path::Path::new("/"),
            environment: &[("LC_ALL".to_owned(), "C".to_owned())],
            timeout: VERSION_TIMEOUT,
        };
        let ran = run_program(&program, interrupt).ok()?;
        let text = String::from_utf8_lossy(&ran.stdout).into_owned();
        let version = text.lines().find_map(|line| line.trim().strip_prefix("Version "))?.split_whitespace().next()?;
        let is_version =
            version.len() <= 40 && version.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'));
        is_version.then(|| version.to_owned())
    }

    fn run(
        &self,
        argv: Vec<String>,
        request: &ProfileRequest,
        timeout: Duration,
        interrupt: &Interrupt,
    ) -> Result<Ran, NcuError> {
        let mut environment = request.environment.clone();
        environment.push(("LC_ALL".to_owned(), "C".to_owned()));
        let program = Program { argv: &argv, directory: &request.directory, environment: &environment, timeout };
        let ran = run_program(&program, interrupt).map_err(|source| NcuError::NotRun { path: self.path.clone(), source })?;
        match ran.ended_by {
            EndedBy::ItsOwn => Ok(ran),
            EndedBy::Interrupted => Err(NcuError::Interrupted),
            EndedBy::TimedOut => {
                Err(NcuError::TimedOut { after: timeout, output: Box::new(LastLines::of(&ran.stdout, &ran.stderr)) })
            }
        }
    }
}

/// Where it cannot be removed, writing the new one will fail and tell.
fn remove_report(request: &ProfileRequest) {
    let _ = std::fs::remove_file(&request.report);
}
