//! `profile`: run benchmarks under Nsight Compute and record what it counted; or compare what was recorded.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::away::{self, Errand};
use super::context::Context;
use super::error::CommandError;
use super::points;
use super::profile_diff;
use super::profile_targets::{self, TargetPoint};
use super::profiling::{ProfileFailure, ProfileOptions, Profiler};
use super::profiling_kernels;
use super::profiling_session::{self, Planned, profile_all};
use super::selection::Selection;
use super::suites;
use super::workspace::Workspace;
use crate::cli::ProfileArgs;
use crate::exit::Exit;
use crate::model::{BenchmarkName, Config, ObjectId, Profile, Quantity, Run, Unit};
use crate::report::check_text::{TextOptions, write_notice};
use crate::report::number::count;
use crate::report::words::SHORT_ID;
use crate::report::{Notice, escape, profile_json, profile_text};
use crate::settings::{LaunchSelection, Settings};

/// Runs the command.
pub fn run(arguments: &ProfileArgs, context: &mut Context) -> Result<Exit, CommandError> {
    if !arguments.diff.is_empty() {
        return profile_diff::run(arguments, context);
    }
    let workspace = Workspace::open(context)?;
    let options = options(arguments, context)?;
    let planned = plan(arguments, &workspace, context)?;
    if let Some(place) = &arguments.place.on {
        let errand = Errand { checkout: Some(away::clean_head(&workspace)?), ..Errand::default() };
        return away::run(place, errand, &workspace, context);
    }
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
    let (runs, failures) = all.into_runs(&profiler, (before.0, before.1 || after.1), &workspace, context)?;
    finish(arguments, &workspace, Outcome { head: before.0, runs, failures }, context)
}

/// What came of profiling.
struct Outcome {
    head: ObjectId,
    runs: Vec<(Run, Vec<Profile>)>,
    failures: Vec<ProfileFailure>,
}

fn options(arguments: &ProfileArgs, context: &Context) -> Result<ProfileOptions, CommandError> {
    Ok(ProfileOptions {
        launches: LaunchSelection {
            kernel: arguments.kernel.clone(),
            launch_skip: arguments.launch_skip,
            launch_count: arguments.launch_count,
        },
        set: arguments.set.clone(),
        extra: arguments.ncu_args.clone(),
        timeout: arguments.timeout.as_deref().map(timeout).transpose()?,
        folder: arguments.output.as_ref().map(|folder| context.path(folder)),
    })
}

fn timeout(text: &str) -> Result<Duration, CommandError> {
    let quantity: Quantity = text.parse()?;
    let time = Duration::try_from_secs_f64(quantity.value).ok().filter(|time| !time.is_zero() && quantity.unit == Unit::SECOND);
    time.ok_or_else(|| CommandError::usage(format!("--timeout {text} is no time; it looks like 300s")))
}

fn plan(arguments: &ProfileArgs, workspace: &Workspace, context: &Context) -> Result<Planned, CommandError> {
    let root = workspace.store.work_dir().ok_or_else(|| {
        CommandError::failure("a bare repository has no files to profile").with_hint("run it in a clone or a worktree")
    })?;
    if workspace.settings.benchmarks.is_empty() && workspace.settings.suites.is_empty() {
        return Err(CommandError::usage("nothing to profile: ratchet.toml names no [[benchmark]] and no [[suite]]")
            .with_hint("git ratchet init writes one to fill in"));
    }
    if let Some(file) = &arguments.targets {
        return targeted(&profile_targets::read(&context.path(file))?, workspace, root);
    }
    let filter: Config = arguments.config.as_deref().unwrap_or_default().parse()?;
    let (of_suites, own) = by_who_measures(&arguments.names, &workspace.settings)?;
    let mut planned = Planned::default();
    if of_suites.is_empty() || !own.is_empty() {
        let commands = points::plan(&workspace.settings, root, &own, &filter)?;
        planned.commands = commands.into_iter().map(|planned| planned.point).collect();
        planned.kernels = profiling_kernels::plan(workspace, root, &own, &filter)?;
    }
    if !of_suites.is_empty() {
        let names: Vec<String> = of_suites.iter().map(ToString::to_string).collect();
        let selection = Selection::of_points(of_suites, filter.clone());
        let recorded = suites::recorded(workspace, &workspace.settings, workspace.store.head()?, &selection)?;
        if recorded.is_empty() {
            return Err(CommandError::usage(format!("no suite has measured {} at HEAD", names.join(", ")))
                .with_hint("git ratchet bench measures; git ratchet show lists what was measured"));
        }
        recorded.iter().try_for_each(|part| planned.add(workspace, root, (&part.benchmark, &part.config)))?;
    }
    if planned.commands.is_empty() && planned.kernels.is_empty() {
        return Err(CommandError::usage(format!("no benchmark has a config with {filter}"))
            .with_hint("git ratchet bench --list shows them all"));
    }
    Ok(planned)
}

/// Names of a suite's benchmarks, which only its results know, and of benchmarks with a table of their own.
fn by_who_measures(names: &[String], settings: &Settings) -> Result<(Vec<BenchmarkName>, Vec<String>), CommandError> {
    let (mut of_suites, mut own) = (Vec::new(), Vec::new());
    for text in names {
        let name = BenchmarkName::new(text)?;
        if settings.suites.iter().any(|suite| suite.name == name) {
            return Err(
                CommandError::usage(format!("{name} is a suite")).with_hint("name one of the benchmarks that it measures")
            );
        }
        if settings.suite_of(&name).is_some() { of_suites.push(name) } else { own.push(text.clone()) }
    }
    Ok((of_suites, own))
}

fn targeted(targets: &[TargetPoint], workspace: &Workspace, root: &Path) -> Result<Planned, CommandError> {
    let mut planned = Planned::default();
    targets.iter().try_for_each(|target| planned.add(workspace, root, (&target.benchmark, &target.config)))?;
    Ok(planned)
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
        profiling_session::record(workspace, head, runs)?;
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
