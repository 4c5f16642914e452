//! `bench`: run the benchmarks of ratchet.toml and record their results on HEAD, or on commits that are named.

mod commits;

use std::path::Path;
use std::time::Duration;

use super::context::Context;
use super::error::{CommandError, During};
use super::gpu::{self, ClockWish, GpuResults, Schedule};
use super::kernels::{self, CodeResults, KernelPoint};
use super::points::{self, PlannedPoint};
use super::progress::ShownProgress;
use super::recorder::{Recorder, State};
use super::recording;
use super::suites::{self, SuiteRuns};
use super::unchanged::Unchanged;
use super::workspace::Workspace;
use crate::cli::{BenchArgs, CacheArg};
use crate::cuda;
use crate::exit::Exit;
use crate::harness::{BenchFailure, ExecutionError, Interrupt, MonotonicClock, ProcessExecutor, run_benchmark};
use crate::model::{Config, Measurement, Quantity, Unit};
use crate::report::check_text::{TextOptions, write_notice};
use crate::report::number::count;
use crate::report::progress::ProgressLine;
use crate::report::words::SHORT_ID;
use crate::report::{Notice, code_text, escape, records_json, show_text};
use crate::settings::Suite;

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
    let before = State::of(&workspace)?;
    let mut unchanged = unchanged(arguments, &before, &workspace, context)?;
    if let Some(unchanged) = &mut unchanged {
        planned.commands = changed(planned.commands, unchanged, &workspace)?;
        planned.suites = changed_suites(planned.suites, unchanged)?;
    }
    let recorder = Recorder::new(&workspace, before, arguments.dry_run)?;
    let interrupt = Interrupt::on_ctrl_c().during("cannot start measuring")?;
    let bench = Bench { arguments, workspace: &workspace, root, interrupt: &interrupt };
    bench.carry_out(&planned, unchanged, recorder, context)
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
    /// Measures what is planned, records it as it comes, and shows it.
    fn carry_out(
        self,
        planned: &Planned<'_>,
        mut unchanged: Option<Unchanged<'_>>,
        mut recorder: Recorder<'_>,
        context: &mut Context,
    ) -> Result<Exit, CommandError> {
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
        finish(arguments, Finished { code, measured, kernels, unchanged }, recorder, context)
    }
}

/// What earlier commits measured, where it may stand for HEAD.
fn unchanged<'a>(
    arguments: &BenchArgs,
    state: &State,
    workspace: &'a Workspace,
    context: &mut Context,
) -> Result<Option<Unchanged<'a>>, CommandError> {
    if arguments.if_changed && state.dirty {
        let notice = Notice::new("dirty", "tracked files differ from HEAD: everything is measured, in spite of --if-changed");
        write_notice(context.err, &notice, context.terminal.color)?;
        return Ok(None);
    }
    arguments.if_changed.then(|| Unchanged::gather(workspace, state.head)).transpose()
}

/// The points of commands whose content was not measured before.
fn changed(
    points: Vec<PlannedPoint>,
    unchanged: &mut Unchanged<'_>,
    workspace: &Workspace,
) -> Result<Vec<PlannedPoint>, CommandError> {
    let mut changed = Vec::new();
    for planned in points {
        let skipped = match workspace.settings.benchmark(&planned.point.benchmark) {
            Some(benchmark) => unchanged.skips_command(benchmark, &planned.point.config)?,
            None => false,
        };
        if !skipped {
            changed.push(planned);
        }
    }
    Ok(changed)
}

/// The suites whose content was not measured before.
fn changed_suites<'a>(suites: Vec<&'a Suite>, unchanged: &mut Unchanged<'_>) -> Result<Vec<&'a Suite>, CommandError> {
    let mut changed = Vec::new();
    for suite in suites {
        if !unchanged.skips_suite(suite)? {
            changed.push(suite);
        }
    }
    Ok(changed)
}

/// What is to be measured.
struct Planned<'a> {
    commands: Vec<PlannedPoint>,
    suites: Vec<&'a Suite>,
    kernels: Vec<KernelPoint>,
}

/// What is asked for, of the files at `root`.
fn plan<'a>(arguments: &BenchArgs, workspace: &'a Workspace, root: &Path) -> Result<Planned<'a>, CommandError> {
    if workspace.settings.benchmarks.is_empty() && workspace.settings.suites.is_empty() {
        let why = if workspace.has_settings {
            "ratchet.toml names no [[benchmark]] and no [[suite]]"
        } else {
            "there is no ratchet.toml"
        };
        return Err(CommandError::usage(format!("nothing to run: {why}"))
            .with_hint("git ratchet init writes one to fill in; results of other tools are recorded with git ratchet record"));
    }
    let filter: Config = arguments.config.as_deref().unwrap_or_default().parse()?;
    let mut planned = points::plan(&workspace.settings, root, &arguments.names, &filter)?;
    let kernels = kernel_points(arguments, workspace, root, &filter)?;
    let mut suites = suites::plan(&workspace.settings, &arguments.names, &filter)?;
    if arguments.compile_only {
        planned.clear();
        suites.clear();
    }
    if planned.is_empty() && kernels.is_empty() && suites.is_empty() {
        return Err(nothing_left(arguments, &filter));
    }
    if let Some(limit) = arguments.max_time.as_deref().map(max_time).transpose()? {
        planned.iter_mut().for_each(|point| {
            point.sampling.max_time = limit;
            point.sampling.min_time = point.sampling.min_time.min(limit);
        });
    }
    Ok(Planned { commands: planned, suites, kernels })
}

fn kernel_points(
    arguments: &BenchArgs,
    workspace: &Workspace,
    root: &Path,
    filter: &Config,
) -> Result<Vec<KernelPoint>, CommandError> {
    let asked = kernels::archs(&arguments.archs)?;
    let read = cuda::work_tree(root);
    let mut found = Vec::new();
    for benchmark in workspace.settings.benchmarks.iter().filter(|known| points::is_wanted(&known.name, &arguments.names)) {
        if let Some(kernel) = &benchmark.kernel {
            found.extend(kernels::points(benchmark, kernel, &read, filter, &asked)?);
        }
    }
    if let Some(cache) = arguments.cache {
        let cache = match cache {
            CacheArg::Cold => cuda::Cache::Cold,
            CacheArg::Hot => cuda::Cache::Hot,
        };
        found.iter_mut().for_each(|point| point.cache = cache);
    }
    Ok(found)
}

fn nothing_left(arguments: &BenchArgs, filter: &Config) -> CommandError {
    if arguments.compile_only {
        return CommandError::usage("there is no kernel to compile among these benchmarks")
            .with_hint("a kernel is a [[benchmark]] with kernel = \"kernels/NAME.toml\": docs/cuda.md");
    }
    CommandError::usage(format!("no benchmark has a config with {filter}")).with_hint("git ratchet bench --list shows them all")
}

fn max_time(text: &str) -> Result<Duration, CommandError> {
    let quantity: Quantity = text.parse()?;
    let seconds =
        Duration::try_from_secs_f64(quantity.value).ok().filter(|time| !time.is_zero() && quantity.unit == Unit::SECOND);
    seconds.ok_or_else(|| CommandError::usage(format!("--max-time {text} is no time; it looks like 10s")))
}

fn list(planned: &Planned<'_>, arguments: &BenchArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let commands = planned.commands.iter().map(|planned| (&planned.point.benchmark, &planned.point.config));
    let kernels = planned.kernels.iter().map(|point| (&point.benchmark, &point.config));
    let all = commands.chain(kernels);
    if arguments.json {
        let points = all.map(|(benchmark, config)| {
            serde_json::json!({ "benchmark": benchmark.as_str(), "config": crate::report::series_json::config(config) })
        });
        let suites: Vec<&str> = planned.suites.iter().map(|suite| suite.name.as_str()).collect();
        let object = serde_json::json!({ "version": 1, "points": points.collect::<Vec<_>>(), "suites": suites });
        writeln!(context.out, "{object}")?;
        return Ok(Exit::Holds);
    }
    for (benchmark, config) in all {
        let config = if config.is_empty() { String::new() } else { format!(" [{config}]") };
        writeln!(context.out, "{}", escape::terminal(&format!("{benchmark}{config}")))?;
    }
    for suite in &planned.suites {
        writeln!(context.out, "{} (a suite: its results name its benchmarks)", escape::terminal(suite.name.as_str()))?;
    }
    Ok(Exit::Holds)
}

/// Results of each run, and what failed.
#[derive(Default)]
struct Measured {
    runs: Vec<(chrono::DateTime<chrono::Utc>, Vec<Measurement>)>,
    failures: Vec<BenchFailure>,
    notices: Vec<Notice>,
    interrupted: bool,
}

impl Measured {
    fn add(&mut self, suites: SuiteRuns, interrupt: &Interrupt) {
        self.runs.extend(suites.runs);
        self.failures.extend(suites.failures);
        self.notices.extend(suites.notices);
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
        let message = format!("{} [{}]: {why}; its times are never a baseline", measured.benchmark, measured.config);
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
