//! `bench`: run the benchmarks of ratchet.toml and record their results on HEAD, or on commits that are named.

mod commits;
mod plan;

use std::path::Path;
use std::time::Duration;

use super::away::{self, Errand};
use super::context::Context;
use super::error::{CommandError, During};
use super::gpu::{self, ClockWish, GpuResults, Schedule};
use super::kernels::{self, CodeResults, KernelPoint};
use super::points::PlannedPoint;
use super::progress::ShownProgress;
use super::recorder::{Recorder, State};
use super::recording;
use super::suites::{self, SuiteRuns};
use super::unchanged::Unchanged;
use super::workspace::Workspace;
use crate::cli::BenchArgs;
use crate::exit::Exit;
use crate::harness::{BenchFailure, ExecutionError, Interrupt, MonotonicClock, ProcessExecutor, run_benchmark};
use crate::model::Measurement;
use crate::report::check_text::{TextOptions, write_notice};
use crate::report::number::count;
use crate::report::progress::ProgressLine;
use crate::report::words::{SHORT_ID, point_name};
use crate::report::{Notice, code_text, escape, records_json, show_text};
use plan::{Planned, changed, changed_suites, list, max_time, plan, unchanged};

/// Runs the command.
pub fn run(arguments: &BenchArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let workspace = Workspace::open(context)?;
    if let Some(range) = &arguments.commits {
        return commits::run(arguments, range, &workspace, context);
    }
    let root = workspace.store.work_dir().ok_or_else(|| {
        CommandError::failure("a bare repository has no files to run benchmarks in")
            .with_hint("run it in a clone or a worktree, or name --commits to be checked out")
    })?;
    let mut planned = plan(arguments, &workspace, root)?;
    if arguments.list {
        return list(&planned, arguments, context);
    }
    if let Some(place) = &arguments.place.on {
        let parts = planned.parts(arguments.jobs);
        let errand = Errand { checkout: Some(away::clean_head(&workspace)?), parts, ..Errand::default() };
        return away::run(place, errand, &workspace, context);
    }
    let before = State::of(&workspace)?;
    let mut unchanged = unchanged(arguments, &before, &workspace, context)?;
    if let Some(unchanged) = &mut unchanged {
        planned.commands = changed(planned.commands, unchanged, &workspace)?;
        planned.suites = changed_suites(planned.suites, unchanged)?;
    }
    let recorder = Recorder::new(&workspace, before, arguments.dry_run)?;
    let interrupt = Interrupt::on_ctrl_c().during("cannot start measuring")?;
    let bench = Bench { arguments, workspace: &workspace, root, interrupt: &interrupt };
    let (exit, _) = bench.carry_out(&planned, unchanged, recorder, context)?;
    Ok(exit)
}

/// Where and how everything is measured.
#[derive(Clone, Copy)]
struct Bench<'a> {
    arguments: &'a BenchArgs,
    workspace: &'a Workspace,
    /// The files that are measured.
    root: &'a Path,
    interrupt: &'a Interrupt,
}

impl Bench<'_> {
    /// Measures what is planned, records it as it comes, and shows it. Tells how long builds took, too.
    fn carry_out(
        self,
        planned: &Planned<'_>,
        mut unchanged: Option<Unchanged<'_>>,
        mut recorder: Recorder<'_>,
        context: &mut Context,
    ) -> Result<(Exit, Duration), CommandError> {
        let Self { arguments, workspace, root, interrupt } = self;
        let began = (context.clock)();
        let code = kernels::compile(&planned.kernels, workspace, context)?;
        for (testbed, measurements) in &code.runs {
            recorder.begin(testbed.clone(), began, recording::own_name());
            recorder.add(measurements, context);
        }
        let mut measured = measure(arguments, &planned.commands, (interrupt, &mut recorder), workspace, context)?;
        let suites = (planned.suites.as_slice(), arguments.runs);
        measured.add(suites::measure(suites, root, (interrupt, &mut recorder), workspace, context)?, interrupt);
        let kernels = match interrupt.is_requested() || recorder.has_moved() || arguments.compile_only {
            true => GpuResults::default(),
            false => {
                let with = (unchanged.as_mut(), &mut recorder);
                measure_kernels((arguments, &planned.kernels), with, interrupt, workspace, context)?
            }
        };
        let building = measured.building;
        let exit = finish(arguments, Finished { code, measured, kernels, unchanged }, recorder, context)?;
        Ok((exit, building))
    }
}

/// Results of each run, and what failed.
#[derive(Default)]
struct Measured {
    runs: Vec<(chrono::DateTime<chrono::Utc>, Vec<Measurement>)>,
    failures: Vec<BenchFailure>,
    notices: Vec<Notice>,
    /// How long builds took.
    building: Duration,
    interrupted: bool,
}

impl Measured {
    fn add(&mut self, suites: SuiteRuns, interrupt: &Interrupt) {
        self.runs.extend(suites.runs);
        self.failures.extend(suites.failures);
        self.notices.extend(suites.notices);
        self.building += suites.building;
        self.interrupted = interrupt.is_requested();
    }
}

/// Times the kernels where there is a GPU.
fn measure_kernels(
    (arguments, points): (&BenchArgs, &[KernelPoint]),
    (unchanged, recorder): (Option<&mut Unchanged<'_>>, &mut Recorder<'_>),
    interrupt: &Interrupt,
    workspace: &Workspace,
    context: &mut Context,
) -> Result<GpuResults, CommandError> {
    let lock = arguments.lock_clocks.as_deref().map(ClockWish::parse).transpose()?;
    let max_time = arguments.max_time.as_deref().map(max_time).transpose()?;
    let schedule = Schedule { runs: arguments.runs, max_time, lock, interrupt };
    gpu::measure(points, &schedule, unchanged, recorder, workspace, context)
}

fn measure(
    arguments: &BenchArgs,
    planned: &[PlannedPoint],
    (interrupt, recorder): (&Interrupt, &mut Recorder<'_>),
    workspace: &Workspace,
    context: &mut Context,
) -> Result<Measured, CommandError> {
    if planned.is_empty() {
        return Ok(Measured::default());
    }
    let testbed = recording::this_testbed(workspace.settings.testbed.as_deref())?;
    let clock = MonotonicClock::new();
    let mut executor = ProcessExecutor::new(interrupt.clone());
    let total = planned.len() as u64 * u64::from(arguments.runs);
    let mut line = ProgressLine::new(total, context.terminal.progress);
    let mut measured = Measured::default();
    for _ in 0..arguments.runs {
        let began = (context.clock)();
        recorder.begin(testbed.clone(), began, recording::own_name());
        let mut results = Vec::new();
        for PlannedPoint { point, sampling } in planned {
            let mut progress = ShownProgress::new(&mut line, context.err);
            match run_benchmark(point, &mut executor, sampling, &clock, &mut progress) {
                Ok(measurements) => {
                    recorder.add(&measurements, context);
                    results.extend(measurements);
                }
                Err(failure) if matches!(failure.error, ExecutionError::Interrupted) => break,
                Err(failure) => measured.failures.push(failure),
            }
            if recorder.has_moved() {
                break;
            }
        }
        measured.runs.push((began, results));
        measured.interrupted = interrupt.is_requested();
        if measured.interrupted || recorder.has_moved() {
            break;
        }
    }
    line.finish();
    measured.building = executor.building();
    Ok(measured)
}

/// What is left to show.
struct Finished<'a> {
    unchanged: Option<Unchanged<'a>>,
    code: CodeResults,
    measured: Measured,
    kernels: GpuResults,
}

fn finish(
    arguments: &BenchArgs,
    finished: Finished<'_>,
    mut recorder: Recorder<'_>,
    context: &mut Context,
) -> Result<Exit, CommandError> {
    let Finished { unchanged, code, measured, kernels } = finished;
    let written = recorder.finish(unchanged.as_ref().map_or_else(Vec::new, Unchanged::entries), context);
    if recorder.has_moved() {
        return written.map(|()| Exit::Failure);
    }
    show(arguments, (&code, &measured, &kernels, unchanged.as_ref()), context)?;
    let verdict = kernel_verdict(&kernels, context)?;
    if let Some(notice) = recorder.dirty() {
        write_notice(context.err, &notice, context.terminal.color)?;
    }
    written?;
    if !arguments.json && recorder.recorded() > 0 {
        writeln!(context.out, "recorded {} on {}", count(recorder.recorded(), "result"), recorder.head().short(SHORT_ID))?;
    }
    for notice in code.notices.iter().chain(&measured.notices).chain(&kernels.notices) {
        write_notice(context.err, notice, context.terminal.color)?;
    }
    for warning in &code.warnings {
        writeln!(context.err, "warning: {}", escape::terminal_lines(warning))?;
    }
    for failure in code.failures.iter().chain(&kernels.failures) {
        writeln!(context.err, "error: {}", escape::terminal_lines(failure))?;
    }
    for failure in &measured.failures {
        writeln!(context.err, "error: {failure}")?;
    }
    if measured.interrupted || kernels.interrupted {
        return Err(CommandError::failure("interrupted; the points that were finished are recorded"));
    }
    let has_failed = !(measured.failures.is_empty() && code.failures.is_empty() && kernels.failures.is_empty());
    Ok(if has_failed { Exit::Failure } else { verdict })
}

/// Tells of kernels that failed their verification, and of those that could hardly be measured.
fn kernel_verdict(kernels: &GpuResults, context: &mut Context) -> Result<Exit, CommandError> {
    let mut exit = Exit::Holds;
    let mut told: Vec<String> = Vec::new();
    for measured in kernels.measurements() {
        let Some(why) = &measured.barred else { continue };
        let message = format!("{}: {why}; its times are never a baseline", point_name(&measured.benchmark, &measured.config));
        let is_throttled = gpu::is_throttled(measured);
        exit = if is_throttled && exit == Exit::Holds { Exit::NoVerdict } else { exit };
        exit = if is_throttled { exit } else { Exit::Regression };
        if !told.contains(&message) {
            writeln!(context.err, "error: {}", escape::terminal_lines(&message))?;
            told.push(message);
        }
    }
    Ok(exit)
}

fn show(
    arguments: &BenchArgs,
    (code, measured, kernels, unchanged): (&CodeResults, &Measured, &GpuResults, Option<&Unchanged<'_>>),
    context: &mut Context,
) -> Result<(), CommandError> {
    if arguments.json {
        let results = measured.runs.iter().map(|(_, run)| run.iter().map(records_json::measurement).collect::<Vec<_>>());
        let failures: Vec<String> = code
            .failures
            .iter()
            .chain(&kernels.failures)
            .cloned()
            .chain(measured.failures.iter().map(ToString::to_string))
            .collect();
        let timed = kernels.testbed.iter().flat_map(|testbed| {
            kernels.runs.iter().map(|(_, run)| {
                let results: Vec<_> = run.iter().map(records_json::measurement).collect();
                serde_json::json!({ "testbed": testbed.key(), "results": results })
            })
        });
        let compiled = code.runs.iter().map(|(testbed, run)| {
            let results: Vec<_> = run.iter().map(records_json::measurement).collect();
            serde_json::json!({ "testbed": testbed.key(), "results": results })
        });
        let object = serde_json::json!({
            "version": 1,
            "code": compiled.collect::<Vec<_>>(),
            "kernels": timed.collect::<Vec<_>>(),
            "runs": results.collect::<Vec<_>>(),
            "inherited": unchanged.map_or_else(Vec::new, Unchanged::json),
            "failures": failures,
        });
        writeln!(context.out, "{object}")?;
        return Ok(());
    }
    let options = TextOptions { width: context.terminal.width, color: context.terminal.color, verbose: false };
    for (testbed, measurements) in &code.runs {
        code_text::write(context.out, testbed.key(), measurements, options)?;
    }
    for (_, measurements) in measured.runs.iter().chain(&kernels.runs).filter(|(_, measurements)| !measurements.is_empty()) {
        show_text::measurements(context.out, measurements, options)?;
    }
    unchanged.map_or(Ok(()), |unchanged| unchanged.tell(context))
}
