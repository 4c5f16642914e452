//! A list of points under the profiler, and their profiles as runs of the commit: what `profile` and `check --profile`
//! have in common.

use std::ops::ControlFlow;
use std::path::Path;

use super::context::Context;
use super::error::CommandError;
use super::kernels::KernelPoint;
use super::points::{self, point_name};
use super::profiling::{FailureCause, ProfileFailure, ProfileOptions, Profiler};
use super::profiling_kernels;
use super::recording::{self, PointProfile};
use super::suites::{self, SuitePart};
use super::workspace::Workspace;
use crate::codec::Entry;
use crate::harness::Point;
use crate::model::{BenchmarkName, Config, ObjectId, Profile, Run, Testbed};
use crate::report::progress::ProgressLine;

/// What is to be profiled.
#[derive(Default)]
pub struct Planned {
    /// Commands, in this computer's processes.
    pub commands: Vec<Point>,
    /// Kernels, on its GPU.
    pub kernels: Vec<KernelPoint>,
}

/// What was profiled: commands on this computer, kernels on its GPU.
#[derive(Default)]
pub struct Profiled {
    /// Of commands.
    pub of_commands: Vec<PointProfile>,
    /// Of kernels.
    pub of_kernels: Vec<PointProfile>,
    /// The GPU.
    pub testbed: Option<Testbed>,
    /// What could not be profiled.
    pub failures: Vec<ProfileFailure>,
}

impl Planned {
    /// Adds one point of the settings.
    ///
    /// # Errors
    /// The settings do not have it.
    pub fn add(
        &mut self,
        workspace: &Workspace,
        root: &Path,
        (benchmark, config): (&BenchmarkName, &Config),
    ) -> Result<(), CommandError> {
        if let Some(suite) = workspace.settings.suite_of(benchmark) {
            let (benchmark, config) = (benchmark.clone(), config.clone());
            let part = SuitePart { benchmark, config, testbed: String::new(), metrics: Vec::new() };
            self.commands.push(suites::parts(suite, (&part, std::slice::from_ref(&part)), "", root)?);
            return Ok(());
        }
        let unknown = || CommandError::usage(format!("ratchet.toml does not have the point {}", point_name(benchmark, config)));
        let known = workspace.settings.benchmark(benchmark).ok_or_else(unknown)?;
        if known.kernel.is_some() {
            let mut kernels = profiling_kernels::plan(workspace, root, &[benchmark.to_string()], config)?;
            kernels.retain(|kernel| kernel.config == *config);
            self.kernels.push(kernels.pop().ok_or_else(unknown)?);
        } else if known.configs().contains(config) {
            self.commands.push(points::point(known, config, root)?);
        } else {
            return Err(unknown());
        }
        Ok(())
    }
}

/// Runs with the profiles that were made in them, and what failed.
pub type Runs = (Vec<(Run, Vec<Profile>)>, Vec<ProfileFailure>);

impl Profiled {
    /// The profiles as runs of a commit: one on this computer, one on its GPU.
    ///
    /// # Errors
    /// Nobody knows who writes, or the testbed cannot be described.
    pub fn into_runs(
        self,
        profiler: &Profiler,
        (head, dirty): (ObjectId, bool),
        workspace: &Workspace,
        context: &Context,
    ) -> Result<Runs, CommandError> {
        let mut runs = Vec::new();
        if !self.of_commands.is_empty() {
            let facts = profiler.facts(head, dirty, context)?;
            runs.push(recording::profiled(&workspace.store, facts, self.of_commands, context)?);
        }
        if let Some(testbed) = self.testbed.filter(|_| !self.of_kernels.is_empty()) {
            let facts = profiler.facts_on(&testbed, (head, dirty), context)?;
            runs.push(recording::profiled(&workspace.store, facts, self.of_kernels, context)?);
        }
        Ok((runs, self.failures))
    }
}

/// Profiles everything that is planned, until something fails for all.
///
/// # Errors
/// The progress cannot be written.
pub fn profile_all(
    profiler: &mut Profiler,
    planned: &Planned,
    options: &ProfileOptions,
    context: &mut Context,
) -> Result<Profiled, CommandError> {
    let mut all = Profiled::default();
    let ready = profiler.ready(&planned.kernels, context);
    all.testbed = ready.testbed;
    let not_ready = |(name, why)| ProfileFailure { name, cause: FailureCause::Kernel(why) };
    all.failures.extend(ready.failures.into_iter().map(not_ready));
    let total = planned.commands.len() + ready.kernels.len();
    let mut line = ProgressLine::new(total as u64, context.terminal.progress);
    for point in &planned.commands {
        line.begin(context.err, &point_name(&point.benchmark, &point.config))?;
        let profiled = profiler.profile(point, options);
        line.end();
        if take(profiled, &mut all.of_commands, &mut all.failures).is_break() {
            line.finish();
            return Ok(all);
        }
    }
    for kernel in &ready.kernels {
        line.begin(context.err, &point_name(&kernel.benchmark, &kernel.config))?;
        let profiled = profiler.profile_kernel(kernel, options);
        line.end();
        if take(profiled, &mut all.of_kernels, &mut all.failures).is_break() {
            break;
        }
    }
    line.finish();
    Ok(all)
}

/// Keeps what came of one point; breaks where every other point would fail for the same reason.
fn take(
    profiled: Result<Vec<PointProfile>, ProfileFailure>,
    profiles: &mut Vec<PointProfile>,
    failures: &mut Vec<ProfileFailure>,
) -> ControlFlow<()> {
    match profiled {
        Ok(kernels) => {
            profiles.extend(kernels);
            ControlFlow::Continue(())
        }
        Err(failure) => {
            let is_about_everything = failure.cause.is_about_everything();
            failures.push(failure);
            if is_about_everything { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
}

/// Writes the runs and their profiles to the note of their commit.
pub fn record(workspace: &Workspace, head: ObjectId, runs: Vec<(Run, Vec<Profile>)>) -> Result<(), CommandError> {
    let lines =
        |(run, profiles): (Run, Vec<Profile>)| std::iter::once(Entry::Run(run)).chain(profiles.into_iter().map(Entry::Profile));
    recording::write(&workspace.store, head, runs.into_iter().flat_map(lines).collect())
}
