//! `profile`: run benchmarks under Nsight Compute and record what it counted; or compare what was recorded.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::context::Context;
use super::error::CommandError;
use super::kernels::KernelPoint;
use super::points;
use super::profile_diff;
use super::profile_targets::{self, TargetPoint};
use super::profiling::{FailureCause, ProfileFailure, ProfileOptions, Profiler, point_name};
use super::profiling_kernels;
use super::recording::{self, PointProfile};
use super::workspace::Workspace;
use crate::cli::ProfileArgs;
use crate::codec::Entry;
use crate::exit::Exit;
use crate::harness::Point;
use crate::model::{Config, ObjectId, Profile, Quantity, Run, Testbed, Unit};
use crate::report::check_text::{TextOptions, write_notice};
use crate::report::number::count;
use crate::report::progress::ProgressLine;
use crate::report::words::SHORT_ID;
use crate::report::{Notice, escape, profile_json, profile_text};
use crate::settings::LaunchSelection;

/// Runs the command.
pub fn run(arguments: &ProfileArgs, context: &mut Context) -> Result<Exit, CommandError> {
    if !arguments.diff.is_empty() {
        return profile_diff::run(arguments, context);
    }
    let workspace = Workspace::open(context)?;
    let options = options(arguments)?;
    let planned = plan(arguments, &workspace)?;
    let before = (workspace.store.head()?, workspace.store.is_dirty()?);
    let mut profiler = Profiler::new(&workspace, before.0, &options, context)?;
    let all = profile_all(&mut profiler, &planned, &options, context)?;
    let after = (workspace.store.head()?, workspace.store.is_dirty()?);
    if before.0 != after.0 {
        return Err(CommandError::failure(
            "HEAD moved while the profiler ran, so nobody knows which commit it saw; nothing was recorded",
        )
        .with_hint("run git ratchet profile again and leave the work tree alone meanwhile"));
    }
    let state = (before.0, before.1 || after.1);
    let mut runs = Vec::new();
    if !all.of_commands.is_empty() {
        let facts = profiler.facts(state.0, state.1, context)?;
        runs.push(recording::profiled(&workspace.store, facts, all.of_commands, context)?);
    }
    if let Some(testbed) = all.testbed.filter(|_| !all.of_kernels.is_empty()) {
        let facts = profiler.facts_on(&testbed, state, context)?;
        runs.push(recording::profiled(&workspace.store, facts, all.of_kernels, context)?);
    }
    finish(arguments, &workspace, Outcome { head: state.0, runs, failures: all.failures }, context)
}

/// What is to be profiled.
#[derive(Default)]
struct Planned {
    commands: Vec<Point>,
    kernels: Vec<KernelPoint>,
}

/// What was profiled: commands on this computer, kernels on its GPU.
#[derive(Default)]
struct Profiled {
    of_commands: Vec<PointProfile>,
    of_kernels: Vec<PointProfile>,
    testbed: Option<Testbed>,
    failures: Vec<ProfileFailure>,
}

/// What came of profiling.
struct Outcome {
    head: ObjectId,
    runs: Vec<(Run, Vec<Profile>)>,
    failures: Vec<ProfileFailure>,
}

fn options(arguments: &ProfileArgs) -> Result<ProfileOptions, CommandError> {
    Ok(ProfileOptions {
        launches: LaunchSelection {
            kernel: arguments.kernel.clone(),
            launch_skip: arguments.launch_skip,
            launch_count: arguments.launch_count,
        },
        set: arguments.set.clone(),
        extra: arguments.ncu_args.clone(),
        timeout: arguments.timeout.as_deref().map(timeout).transpose()?,
        folder: arguments.output.clone(),
    })
}

fn timeout(text: &str) -> Result<Duration, CommandError> {
    let quantity: Quantity = text.parse()?;
    let time = Duration::try_from_secs_f64(quantity.value).ok().filter(|time| !time.is_zero() && quantity.unit == Unit::SECOND);
    time.ok_or_else(|| CommandError::usage(format!("--timeout {text} is no time; it looks like 300s")))
}

fn plan(arguments: &ProfileArgs, workspace: &Workspace) -> Result<Planned, CommandError> {
    let root = workspace.store.work_dir().ok_or_else(|| {
        CommandError::failure("a bare repository has no files to profile").with_hint("run it in a clone or a worktree")
    })?;
    if workspace.settings.benchmarks.is_empty() {
        return Err(CommandError::usage("nothing to profile: ratchet.toml names no [[benchmark]]")
            .with_hint("git ratchet init writes one to fill in"));
    }
    if let Some(file) = &arguments.targets {
        return targeted(&profile_targets::read(file)?, workspace, root);
    }
    let filter: Config = arguments.config.as_deref().unwrap_or_default().parse()?;
    let commands = points::plan(&workspace.settings, root, &arguments.names, &filter)?;
    let commands: Vec<Point> = commands.into_iter().map(|planned| planned.point).collect();
    let kernels = profiling_kernels::plan(workspace, root, &arguments.names, &filter)?;
    if commands.is_empty() && kernels.is_empty() {
        return Err(CommandError::usage(format!("no benchmark has a config with {filter}"))
            .with_hint("git ratchet bench --list shows them all"));
    }
    Ok(Planned { commands, kernels })
}

fn targeted(targets: &[TargetPoint], workspace: &Workspace, root: &Path) -> Result<Planned, CommandError> {
    let mut planned = Planned::default();
    for target in targets {
        let unknown = || {
            let name = point_name(&target.benchmark, &target.config);
            CommandError::usage(format!("ratchet.toml does not have the point {name}"))
        };
        let benchmark = workspace.settings.benchmark(&target.benchmark).ok_or_else(unknown)?;
        if benchmark.kernel.is_some() {
            let names = [target.benchmark.to_string()];
            let mut kernels = profiling_kernels::plan(workspace, root, &names, &target.config)?;
            kernels.retain(|kernel| kernel.config == target.config);
            planned.kernels.push(kernels.pop().ok_or_else(unknown)?);
        } else if benchmark.configs().contains(&target.config) {
            planned.commands.push(points::point(benchmark, &target.config, root)?);
        } else {
            return Err(unknown());
        }
    }
    Ok(planned)
}

fn profile_all(
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

fn finish(arguments: &ProfileArgs, workspace: &Workspace, outcome: Outcome, context: &mut Context) -> Result<Exit, CommandError> {
    show(arguments, &outcome, context)?;
    let Outcome { head, runs, failures } = outcome;
    if runs.iter().any(|(run, _)| run.dirty) {
        let notice = Notice::new("dirty", "tracked files differ from HEAD: these profiles are of the changed files");
        write_notice(context.err, &notice.hint("commit, then profile again"), context.terminal.color)?;
    }
    if !arguments.dry_run && !runs.is_empty() {
        let kernels = runs.iter().map(|(_, profiles)| profiles.len()).sum();
        record(workspace, head, runs)?;
        if !arguments.json {
            writeln!(context.out, "recorded {} on {}", count(kernels, "profile"), head.short(SHORT_ID))?;
        }
    }
    tell(&failures, context)?;
    if failures.iter().any(|failure| failure.cause.is_interruption()) {
        return Err(CommandError::failure("interrupted; the points that were finished are recorded"));
    }
    Ok(if failures.is_empty() { Exit::Holds } else { Exit::Failure })
}

/// Writes the runs and their profiles to the note of their commit.
fn record(workspace: &Workspace, head: ObjectId, runs: Vec<(Run, Vec<Profile>)>) -> Result<(), CommandError> {
    let lines =
        |(run, profiles): (Run, Vec<Profile>)| std::iter::once(Entry::Run(run)).chain(profiles.into_iter().map(Entry::Profile));
    recording::write(&workspace.store, head, runs.into_iter().flat_map(lines).collect())
}

/// Each failure, and each piece of advice once.
fn tell(failures: &[ProfileFailure], context: &mut Context) -> Result<(), CommandError> {
    let told = failures.iter().filter(|failure| !failure.cause.is_interruption());
    let mut hints = BTreeSet::new();
    for failure in told {
        let text = format!("{}: {}", failure.name, failure.cause);
        let mut lines = text.lines();
        writeln!(context.err, "error: {}", escape::terminal(lines.next().unwrap_or_default()))?;
        lines.try_for_each(|line| writeln!(context.err, "{}", escape::terminal(line)))?;
        hints.extend(failure.cause.hint());
    }
    hints.iter().try_for_each(|hint| Ok(writeln!(context.err, "hint: {hint}")?))
}

fn show(arguments: &ProfileArgs, outcome: &Outcome, context: &mut Context) -> Result<(), CommandError> {
    let profiles = || outcome.runs.iter().flat_map(|(run, profiles)| profiles.iter().map(move |profile| (run, profile)));
    if arguments.json {
        let failed = |failure: &ProfileFailure| -> Value {
            json!({ "point": failure.name, "message": failure.cause.to_string(), "hint": failure.cause.hint() })
        };
        let object = json!({
            "version": 1,
            "commit": outcome.head.to_string(),
            "profiles": profiles().map(|(run, profile)| profile_json::profile(profile, run.testbed.key())).collect::<Vec<_>>(),
            "failures": outcome.failures.iter().map(failed).collect::<Vec<_>>(),
        });
        writeln!(context.out, "{object}")?;
        return Ok(());
    }
    let options = TextOptions { width: context.terminal.width, color: context.terminal.color, verbose: arguments.verbose };
    for (_, profile) in profiles() {
        profile_text::profile(context.out, profile, options)?;
        writeln!(context.out)?;
    }
    Ok(())
}
