//! A session of paired measurements: commits checked out beside the user's files, and points measured in turn.
//!
//! The commands are those of one `ratchet.toml`, whichever commit they run in. Each commit is checked out and built
//! once, unless a worktree of it was kept or may move to another one ([`super::builds`]); what cannot be measured is told as a notice, never as a failure of the command.

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::builds::{self, BuildTimes};
use super::context::Context;
use super::error::{CommandError, During};
use super::matchup::{MatchedPoint, Matchup};
use super::paired_kernels::PairedKernels;
use super::points;
use super::recording;
use super::suites;
use super::workspace::Workspace;
use crate::cuda::ClockState;
use crate::harness::{
    self, BenchFailure, Clock, Contest, ExecutionError, Executor, Executors, Interrupt, MeasuredPair, MonotonicClock, Next,
    Point, Prepared, ProcessExecutor, Step,
};
use crate::judge::ConfirmPlan;
use crate::model::{BenchmarkName, Metric, ObjectId, Testbed};
use crate::report::Notice;
use crate::report::words::{self, SHORT_ID};
use crate::settings::Settings;
use crate::stats::random::SplitMix64;
use crate::store::{Checkout, Origin, StoreError, Worktrees};

/// The code of a notice.
const EMPTY_SUBMODULES: &str = "submodules_not_checked_out";

/// A point in a checkout.
type PointIn<'p> = dyn Fn(&Path) -> Result<Point, CommandError> + 'p;

/// What a session measured of one matchup.
pub struct Measured {
    /// The metrics, in the order of [`harness::ShortRun::values`].
    pub metrics: Vec<Metric>,
    /// The commits that were measured against, by [`MeasuredPair::reference_index`].
    pub references: Vec<ObjectId>,
    /// Why the candidate may never be a baseline.
    pub barred: Option<String>,
    /// The pairs, in the order measured.
    pub pairs: Vec<MeasuredPair>,
}

/// What a session has measured of one matchup, while it goes on.
#[derive(Clone, Copy)]
pub struct SoFar<'a> {
    /// The commits that are measured against, by [`MeasuredPair::reference_index`].
    pub references: &'a [ObjectId],
    /// The metrics, in the order of [`harness::ShortRun::values`].
    pub metrics: &'a [Metric],
    /// The pairs, the newest last.
    pub pairs: &'a [MeasuredPair],
}

/// One side, checked out, built and tried.
struct Side {
    commit: ObjectId,
    folder: PathBuf,
    point: Point,
    prepared: Prepared,
}

/// Both sides have executors of their own, and worktrees, so that a commit can be held against itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Reference,
    Candidate,
}

/// Worktrees and executors that live for one command. Dropped, it removes or keeps the worktrees.
pub struct Session<'a> {
    settings: &'a Settings,
    worktrees: Worktrees<'a>,
    not_building: HashSet<(ObjectId, BenchmarkName)>,
    reference: ProcessExecutor,
    candidate: ProcessExecutor,
    interrupt: Interrupt,
    clock: MonotonicClock,
    random: SplitMix64,
    /// Where kernels are measured, if some are to be.
    kernels: Option<PairedKernels<'a>>,
    times: BuildTimes,
    /// What could not be measured, and why.
    pub notices: Vec<Notice>,
}

impl<'a> Session<'a> {
    /// Begins a session with the benchmarks of `settings`, and catches Ctrl-C. Where kernels are to be measured, `kernels`
    /// is the state of the clocks to do it in.
    pub fn begin(
        workspace: &'a Workspace,
        settings: &'a Settings,
        kernels: Option<ClockState>,
        context: &Context,
    ) -> Result<Self, CommandError> {
        let interrupt = Interrupt::on_ctrl_c().during("cannot start measuring")?;
        let kernels = kernels.map(|clocks| PairedKernels::begin(workspace, clocks, &interrupt, context));
        let random = SplitMix64::new((context.random)() as u64);
        Ok(Self {
            settings,
            worktrees: workspace.store.worktrees(builds::keeping(settings, context))?,
            not_building: HashSet::new(),
            reference: ProcessExecutor::new(interrupt.clone()),
            candidate: ProcessExecutor::new(interrupt.clone()),
            interrupt,
            clock: MonotonicClock::new(),
            random,
            kernels,
            times: BuildTimes::default(),
            notices: Vec::new(),
        })
    }

    /// Ends it: says how long it took, and returns what could not be measured, and why.
    pub fn finish(mut self, err: &mut dyn Write) -> io::Result<Vec<Notice>> {
        if let Some(line) = self.times.line() {
            writeln!(err, "  {line}")?;
        }
        self.notices.extend(self.times.notice(self.settings));
        Ok(self.notices)
    }

    /// The device that kernels are measured on, where there is one.
    pub fn gpu_testbed(&self) -> Result<Option<Testbed>, CommandError> {
        Ok(self.kernels.as_ref().map(PairedKernels::testbed).transpose()?.flatten())
    }

    /// Measures a matchup until `next` says stop. `None` where it cannot be measured; a notice then says why.
    ///
    /// # Errors
    /// The user wants to stop.
    pub fn measure(
        &mut self,
        matchup: &Matchup,
        next: &mut dyn FnMut(SoFar<'_>) -> Next,
    ) -> Result<Option<Measured>, CommandError> {
        let settings = self.settings;
        match (settings.benchmark(&matchup.benchmark), settings.suite_of(&matchup.benchmark), matchup.parts.first()) {
            (Some(benchmark), ..) if benchmark.kernel.is_some() => match &self.kernels {
                Some(kernels) => {
                    let seed = self.random.next_u64();
                    kernels.measure(benchmark, matchup, (&self.clock, seed), &mut self.notices, next)
                }
                None => Ok(None),
            },
            (Some(benchmark), ..) => {
                self.measure_in_worktrees(matchup, &|folder| points::point(benchmark, &matchup.config, folder), next)
            }
            (None, Some(suite), Some(first)) => {
                if let Err(why) = suite.command_for(&first.benchmark, &first.config, "") {
                    self.notices.push(not_remeasured(matchup, &why.to_string()));
                    return Ok(None);
                }
                let here = recording::this_testbed(settings.testbed.as_deref())?;
                let all = (first, matchup.parts.as_slice());
                self.measure_in_worktrees(matchup, &|folder| suites::parts(suite, all, here.key(), folder), next)
            }
            _ => Ok(None),
        }
    }

    fn measure_in_worktrees(
        &mut self,
        matchup: &Matchup,
        point_in: &PointIn<'_>,
        next: &mut dyn FnMut(SoFar<'_>) -> Next,
    ) -> Result<Option<Measured>, CommandError> {
        self.worktrees.begin(std::iter::once(matchup.candidate).chain(matchup.references.iter().copied()));
        let candidate = match self.ready(Role::Candidate, point_in, matchup, matchup.candidate)? {
            Ok(side) => side,
            Err(why) => {
                self.notices.push(not_remeasured(matchup, &format!("this commit cannot be measured now: {why}")));
                return Ok(None);
            }
        };
        let references = self.ready_references(point_in, matchup)?;
        if references.is_empty() {
            let why = format!("none of the {} commits that it is held against can be measured now", matchup.references.len());
            self.notices.push(not_remeasured(matchup, &why));
            return Ok(None);
        }
        self.run_pairs(matchup, candidate, references, next)
    }

    fn run_pairs(
        &mut self,
        matchup: &Matchup,
        candidate: Side,
        references: Vec<Side>,
        next: &mut dyn FnMut(SoFar<'_>) -> Next,
    ) -> Result<Option<Measured>, CommandError> {
        let commits: Vec<ObjectId> = references.iter().map(|side| side.commit).collect();
        let folders: Vec<PathBuf> = references.iter().chain([&candidate]).map(|side| side.folder.clone()).collect();
        let points: Vec<Point> = references.into_iter().map(|side| side.point).collect();
        let Prepared { metrics, barred, .. } = candidate.prepared;
        let contest =
            Contest { references: &points, candidate: &candidate.point, metrics: &metrics, seed: self.random.next_u64() };
        let executors = Executors { reference: &mut self.reference, candidate: &mut self.candidate };
        let mut look = |pairs: &[MeasuredPair]| next(SoFar { references: &commits, metrics: &metrics, pairs });
        let began = self.clock.now();
        let run = harness::run_pairs(contest, executors, &self.clock, &mut look);
        self.times.measuring += self.clock.now() - began;
        if run.failure.is_some() {
            folders.iter().for_each(|folder| self.worktrees.spoil(folder));
        }
        match run.failure {
            _ if self.interrupt.is_requested() => Err(interrupted()),
            Some(failure) => {
                self.notices.push(not_remeasured(matchup, &first_line(&failure)));
                Ok(None)
            }
            None => {
                let measured = Measured { metrics, references: commits, barred, pairs: run.pairs };
                self.notices.extend(untold(matchup, &measured));
                Ok(Some(measured))
            }
        }
    }

    /// The first few references that can be measured.
    fn ready_references(&mut self, point_in: &PointIn<'_>, matchup: &Matchup) -> Result<Vec<Side>, CommandError> {
        let mut usable = Vec::new();
        for commit in &matchup.references {
            if usable.len() == ConfirmPlan::MOST_REFERENCES {
                break;
            }
            let why = match self.ready(Role::Reference, point_in, matchup, *commit)? {
                Ok(Side { prepared: Prepared { barred: Some(why), .. }, .. }) | Err(why) => why,
                Ok(side) => {
                    usable.push(side);
                    continue;
                }
            };
            self.notices.push(passed_over(matchup, *commit, &why));
        }
        Ok(usable)
    }

    /// Checks `commit` out, builds and tries the point there; the inner error says why that is not possible.
    fn ready(
        &mut self,
        role: Role,
        point_in: &PointIn<'_>,
        matchup: &Matchup,
        commit: ObjectId,
    ) -> Result<Result<Side, String>, CommandError> {
        let builder = self.builder(matchup);
        if self.not_building.contains(&(commit, builder.clone())) {
            return Ok(Err("it does not build".to_owned()));
        }
        let began = self.clock.now();
        let folder = match self.checkout(commit) {
            Ok(folder) => folder,
            Err(_) if self.interrupt.is_requested() => return Err(interrupted()),
            Err(error) => return Ok(Err(error.to_string())),
        };
        let point = point_in(&folder)?;
        let executor: &mut dyn Executor = match role {
            Role::Reference => &mut self.reference,
            Role::Candidate => &mut self.candidate,
        };
        let ready = harness::ready(&point, executor);
        self.times.readying += self.clock.now() - began;
        if ready.is_err() {
            self.worktrees.spoil(&folder);
        }
        match ready {
            _ if self.interrupt.is_requested() => Err(interrupted()),
            Ok(prepared) => Ok(Ok(Side { commit, folder, point, prepared })),
            Err(failure) => {
                if is_of_build(&failure) {
                    self.not_building.insert((commit, builder));
                }
                Ok(Err(first_line(&failure)))
            }
        }
    }

    /// The benchmark or suite of the settings whose build it takes.
    fn builder(&self, matchup: &Matchup) -> BenchmarkName {
        let suite = self.settings.suite_of(&matchup.benchmark).filter(|_| !matchup.parts.is_empty());
        suite.map_or_else(|| matchup.benchmark.clone(), |suite| suite.name.clone())
    }

    fn checkout(&mut self, commit: ObjectId) -> Result<PathBuf, StoreError> {
        let Checkout { folder, empty_submodules, origin } = self.worktrees.take(commit)?;
        self.times.count(origin);
        if origin != Origin::Session {
            self.reference.forget_builds(&folder);
            self.candidate.forget_builds(&folder);
        }
        if !empty_submodules.is_empty() && !self.notices.iter().any(|notice| notice.code == EMPTY_SUBMODULES) {
            self.notices.push(without_submodules(commit, &empty_submodules));
        }
        Ok(folder)
    }
}

/// The points of which no pair tells anything: results of an older commit may lack a benchmark.
fn untold(matchup: &Matchup, measured: &Measured) -> Vec<Notice> {
    let is_told =
        |pair: &MeasuredPair, place: usize| pair.reference.median(place).is_some() && pair.candidate.median(place).is_some();
    let is_untold =
        |point: &MatchedPoint<'_>| !measured.pairs.iter().any(|pair| point.places.clone().any(|place| is_told(pair, place)));
    let untold = matchup.points(measured.metrics.len()).into_iter().filter(|_| matchup.parts.len() > 1).filter(is_untold);
    let notice = |point: MatchedPoint<'_>| {
        let name = points::point_name(point.benchmark, point.config);
        let message = format!("{name}: it is not in the results of both commits");
        Notice::new("not_confirmed", message).hint("what was recorded decides")
    };
    untold.map(notice).collect()
}

fn is_of_build(failure: &BenchFailure) -> bool {
    matches!(
        failure.error,
        ExecutionError::Failed { step: Step::Build, .. } | ExecutionError::NotStarted { step: Step::Build, .. }
    )
}

/// A failure without the output of the program that failed, for one line.
fn first_line(failure: &BenchFailure) -> String {
    failure.error.to_string().lines().next().unwrap_or_default().to_owned()
}

/// What a session runs, to be said before it does: commands of the `ratchet.toml` of `policy`, kernels, and of which
/// revisions.
pub fn announcement(settings: &Settings, matchups: &[Matchup], policy: &str, revisions: &str) -> String {
    let is_kernel = |matchup: &&Matchup| settings.benchmark(&matchup.benchmark).is_some_and(|known| known.kernel.is_some());
    let names = |wanted: bool| {
        let mut names: Vec<&str> = Vec::new();
        for matchup in matchups.iter().filter(|matchup| is_kernel(matchup) == wanted) {
            let of_parts = matchup.parts.iter().map(|part| &part.benchmark);
            for name in std::iter::once(&matchup.benchmark).chain(of_parts).map(BenchmarkName::as_str) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        (!names.is_empty()).then(|| words::a_few(&names))
    };
    let commands = names(false)
        .map(|names| format!("running the commands of {names} (ratchet.toml of {policy}) in temporary worktrees of {revisions}"));
    let kernels = names(true).map(|names| format!("compiling and launching the kernels of {names} as they are in {revisions}"));
    commands.into_iter().chain(kernels).collect::<Vec<_>>().join("; ")
}

/// A commit that is not measured against.
pub fn passed_over(matchup: &Matchup, commit: ObjectId, why: &str) -> Notice {
    let commit = commit.short(SHORT_ID);
    Notice::new("confirm_commit_skipped", format!("{matchup}: {commit} is passed over, it cannot be measured now: {why}"))
}

/// A checkout that is not whole.
pub fn without_submodules(commit: ObjectId, paths: &[String]) -> Notice {
    let (commit, paths) = (commit.short(SHORT_ID), paths.join(", "));
    let message = format!("this clone lacks submodules that {commit} wants, its temporary worktree is without them: {paths}");
    Notice::new(EMPTY_SUBMODULES, message).hint("git submodule update --init --recursive, or fetch in the submodule")
}

/// A matchup that is not measured.
pub fn not_remeasured(matchup: &Matchup, why: &str) -> Notice {
    Notice::new("not_confirmed", format!("{matchup}: {why}"))
        .hint("what was recorded decides; try the command by hand in a worktree of that commit")
}

/// The user stopped the session.
pub fn interrupted() -> CommandError {
    CommandError::failure("interrupted; nothing was recorded")
}
