//! Pairs of kernels: both versions are read from the repository's objects, compiled, and launched in turn in one process.
//! No checkout, no worktree, no build.

use super::context::Context;
use super::error::CommandError;
use super::gpu::{ClockWish, Gpu, NoGpu};
use super::kernels::{self, KernelPoint};
use super::matchup::Matchup;
use super::paired::{Measured, SoFar, interrupted, not_remeasured, passed_over};
use super::workspace::Workspace;
use crate::cuda::{self, ClockState, Execution};
use crate::harness::{self, Contest, Executor, Executors, Interrupt, MeasuredPair, MonotonicClock, Next, Prepared};
use crate::judge::ConfirmPlan;
use crate::model::{Config, ObjectId, Testbed};
use crate::report::Notice;
use crate::settings::{Benchmark, KernelSettings};

/// A kernel as a commit has it, compiled and tried.
struct Side {
    commit: ObjectId,
    point: cuda::KernelPoint,
    prepared: Prepared,
}

/// A device on which kernels of several commits take turns.
pub struct PairedKernels<'a> {
    workspace: &'a Workspace,
    gpu: Result<Gpu, String>,
    interrupt: Interrupt,
}

impl<'a> PairedKernels<'a> {
    /// Opens the device, its clocks in the state that is asked for. That there is none is told with each matchup.
    pub fn begin(workspace: &'a Workspace, clocks: ClockState, interrupt: &Interrupt, context: &Context) -> Self {
        let lock = match clocks {
            ClockState::Free => None,
            ClockState::LockedAtBase => Some(ClockWish::Base),
            ClockState::LockedAt(mhz) => Some(ClockWish::Mhz(mhz)),
        };
        let gpu = Gpu::open(workspace, lock, interrupt, context).map_err(|error| match error {
            NoGpu::Absent(why) | NoGpu::Broken(why) => why,
        });
        Self { workspace, gpu, interrupt: interrupt.clone() }
    }

    /// What is measured on; `None` where there is no device.
    pub fn testbed(&self) -> Result<Option<Testbed>, CommandError> {
        self.gpu.as_ref().ok().map(|gpu| gpu.testbed(self.workspace)).transpose()
    }

    /// Measures a matchup until `next` says stop. `None` where it cannot be measured; a notice then says why.
    ///
    /// # Errors
    /// The user wants to stop.
    pub fn measure(
        &self,
        benchmark: &Benchmark,
        matchup: &Matchup,
        (clock, seed): (&MonotonicClock, u64),
        notices: &mut Vec<Notice>,
        next: &mut dyn FnMut(SoFar<'_>) -> Next,
    ) -> Result<Option<Measured>, CommandError> {
        let (Ok(gpu), Some(kernel)) = (&self.gpu, &benchmark.kernel) else {
            let why = self.gpu.as_ref().err().map_or("it is no kernel", String::as_str);
            notices.push(not_remeasured(matchup, why));
            return Ok(None);
        };
        let mut executors = (gpu.executor(Execution::Batch), gpu.executor(Execution::Batch));
        let candidate = self.ready(gpu, (benchmark, kernel), matchup, matchup.candidate, &mut executors.1)?;
        let candidate = match candidate {
            Ok(side) => side,
            Err(why) => {
                notices.push(not_remeasured(matchup, &format!("this commit cannot be measured now: {why}")));
                return Ok(None);
            }
        };
        let mut references = Vec::new();
        for commit in &matchup.references {
            if references.len() == ConfirmPlan::MOST_REFERENCES {
                break;
            }
            match self.ready(gpu, (benchmark, kernel), matchup, *commit, &mut executors.0)? {
                Ok(Side { prepared: Prepared { barred: Some(why), .. }, .. }) | Err(why) => {
                    notices.push(passed_over(matchup, *commit, &why));
                }
                Ok(side) => references.push(side),
            }
        }
        if references.is_empty() {
            let why = format!("none of the {} commits that it is held against can be measured now", matchup.references.len());
            notices.push(not_remeasured(matchup, &why));
            return Ok(None);
        }
        let commits: Vec<ObjectId> = references.iter().map(|side| side.commit).collect();
        let points: Vec<cuda::KernelPoint> = references.into_iter().map(|side| side.point).collect();
        let Prepared { metrics, barred, .. } = candidate.prepared;
        let contest = Contest { references: &points, candidate: &candidate.point, metrics: &metrics, seed };
        let both = Executors { reference: &mut executors.0, candidate: &mut executors.1 };
        let mut look = |pairs: &[MeasuredPair]| next(SoFar { references: &commits, metrics: &metrics, pairs });
        let run = harness::run_pairs(contest, both, clock, &mut look);
        let found_afterwards = executors.1.verify();
        match (run.failure, found_afterwards) {
            _ if self.interrupt.is_requested() => Err(interrupted()),
            (Some(failure), _) => {
                notices.push(not_remeasured(matchup, &failure.error.to_string()));
                Ok(None)
            }
            (None, Err(error)) => {
                notices.push(not_remeasured(matchup, &error.to_string()));
                Ok(None)
            }
            (None, Ok(found)) => Ok(Some(Measured { metrics, references: commits, barred: barred.or(found), pairs: run.pairs })),
        }
    }

    /// Reads, compiles and tries the kernel of `commit`; the inner error says why that is not possible.
    fn ready(
        &self,
        gpu: &Gpu,
        (benchmark, kernel): (&Benchmark, &KernelSettings),
        matchup: &Matchup,
        commit: ObjectId,
        executor: &mut dyn Executor<cuda::KernelPoint>,
    ) -> Result<Result<Side, String>, CommandError> {
        let timeout = benchmark.timeout.unwrap_or(cuda::KernelPoint::DEFAULT_TIMEOUT);
        let points = match points(self.workspace, benchmark, kernel, commit) {
            Ok(points) => points,
            Err(error) => return Ok(Err(error.message)),
        };
        let Some(point) = points.into_iter().find(|point| point.config == matchup.config) else {
            return Ok(Err(format!("its manifest has no config {}", matchup.config)));
        };
        let point = match gpu.ready(&[point], &|_| timeout).pop() {
            Some(Ok(point)) => point,
            Some(Err(why)) => return Ok(Err(why.lines().next().unwrap_or_default().to_owned())),
            None => return Ok(Err("it was not compiled".to_owned())),
        };
        match harness::ready(&point, executor) {
            _ if self.interrupt.is_requested() => Err(interrupted()),
            Ok(prepared) => Ok(Ok(Side { commit, point, prepared })),
            Err(failure) => Ok(Err(failure.error.to_string())),
        }
    }
}

/// The points of a kernel as `commit` has it, by their configs.
pub fn configs(
    workspace: &Workspace,
    benchmark: &Benchmark,
    kernel: &KernelSettings,
    commit: ObjectId,
) -> Result<Vec<Config>, CommandError> {
    Ok(points(workspace, benchmark, kernel, commit)?.into_iter().map(|point| point.config).collect())
}

/// The points of a kernel as `commit` has it.
fn points(
    workspace: &Workspace,
    benchmark: &Benchmark,
    kernel: &KernelSettings,
    commit: ObjectId,
) -> Result<Vec<KernelPoint>, CommandError> {
    kernels::points(benchmark, kernel, &workspace.files_of(commit), &Config::empty(), &[])
}
