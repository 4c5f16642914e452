//! `bench --commits`: a history for those who begin without one. Each commit is checked out beside the user's files, measured as
//! the settings of today say, and gone again before the next, or the worktree moves on to that.

use std::path::Path;
use std::time::Duration;

use super::{Bench, Planned, plan};
use crate::cli::BenchArgs;
use crate::commands::away::{self, Errand, Part};
use crate::commands::builds::{self, BuildTimes};
use crate::commands::context::Context;
use crate::commands::error::{CommandError, During};
use crate::commands::history;
use crate::commands::paired::without_submodules;
use crate::commands::recorder::Recorder;
use crate::commands::recording;
use crate::commands::selection::Selection;
use crate::commands::workspace::Workspace;
use crate::exit::Exit;
use crate::harness::{Clock, Interrupt, MonotonicClock};
use crate::judge::HistoryRecord;
use crate::model::{BenchmarkName, Config, MetricName, ObjectId};
use crate::report::check_text::write_notice;
use crate::report::escape;
use crate::report::number::count;
use crate::report::words::SHORT_ID;
use crate::store::{Checkout, History, StoreError, Walk, Worktrees};

/// Measures every commit of `range`. What fails at one commit is told, and the next is measured.
pub(super) fn run(
    arguments: &BenchArgs,
    range: &str,
    workspace: &Workspace,
    context: &mut Context,
) -> Result<Exit, CommandError> {
    let commits = commits(range, workspace)?;
    if let Some(place) = &arguments.place.on {
        let errand = Errand { parts: parts(&commits, range, arguments.jobs, workspace)?, ..Errand::default() };
        return away::run(place, errand, workspace, context);
    }
    let interrupt = Interrupt::on_ctrl_c().during("cannot start measuring")?;
    let what = count(commits.len(), "commit");
    writeln!(context.err, "measuring {what} in temporary worktrees, as ratchet.toml says here")?;
    let mut worktrees = workspace.store.worktrees(builds::keeping(&workspace.settings, context))?;
    let mut worst = Exit::Holds;
    let mut times = BuildTimes::default();
    for (at, commit) in commits.iter().enumerate() {
        if interrupt.is_requested() {
            return Err(CommandError::failure("interrupted; the commits that were finished keep their results"));
        }
        announce(*commit, (at + 1, commits.len()), workspace, context)?;
        worst = worst.worse(one(arguments, *commit, (&mut worktrees, &mut times), (workspace, &interrupt), context)?);
        worktrees.put_down();
    }
    // Behind the results, also where both go to one terminal or file.
    context.out.flush()?;
    if let Some(line) = times.line() {
        writeln!(context.err, "{line}")?;
    }
    if let Some(notice) = times.notice(&workspace.settings) {
        write_notice(context.err, &notice, context.terminal.color)?;
    }
    Ok(worst)
}

/// The commits of `OLD..NEW` along first parents, or the one that is named; the oldest first.
fn commits(range: &str, workspace: &Workspace) -> Result<Vec<ObjectId>, CommandError> {
    let store = &workspace.store;
    let Some((old, new)) = range.split_once("..") else { return Ok(vec![store.resolve(range)?]) };
    if new.starts_with('.') {
        return Err(CommandError::usage(format!("--commits {range} has three dots")).with_hint("write OLD..NEW"));
    }
    let end = |name: &str| store.resolve(if name.is_empty() { "HEAD" } else { name });
    let (old, new) = (end(old)?, end(new)?);
    let History { commits, truncated } = store.history(&[new], Walk::FirstParent)?;
    let mut between = Vec::new();
    for commit in &commits {
        if store.is_ancestor(commit.id, old)? {
            between.reverse();
            return if between.is_empty() {
                Err(CommandError::usage(format!("no commit lies in {range}")).with_hint("write the older one first: OLD..NEW"))
            } else {
                Ok(between)
            };
        }
        between.push(commit.id);
    }
    let error = CommandError::usage(format!("{} and {} have no commit in common", old.short(SHORT_ID), new.short(SHORT_ID)));
    Err(if truncated { error.with_hint("this is a shallow clone: git fetch --unshallow") } else { error })
}

/// The commits of each of so many jobs: neighbours, since they are built in turn.
fn parts(commits: &[ObjectId], range: &str, jobs: Option<u32>, workspace: &Workspace) -> Result<Vec<Part>, CommandError> {
    let Some((old, _)) = range.split_once("..") else {
        return Ok(commits.iter().map(|commit| Part { commits: Some(commit.to_string()), names: Vec::new() }).collect());
    };
    let mut old = workspace.store.resolve(if old.is_empty() { "HEAD" } else { old })?;
    let jobs = jobs.map_or(1, |jobs| jobs as usize).min(commits.len());
    let bounds = (1..=jobs).map(|job| commits.len() * job / jobs);
    let part = |end: usize| {
        let new = *commits.get(end.checked_sub(1)?)?;
        let part = Part { commits: Some(format!("{old}..{new}")), names: Vec::new() };
        old = new;
        Some(part)
    };
    Ok(bounds.filter_map(part).collect())
}

/// Says which commit comes now, before the minutes that it may take.
fn announce(
    commit: ObjectId,
    (at, of): (usize, usize),
    workspace: &Workspace,
    context: &mut Context,
) -> Result<(), CommandError> {
    let subject = workspace.store.commit(commit)?.subject;
    let line = format!("commit {} ({at} of {of}) {subject}", commit.short(SHORT_ID));
    writeln!(context.out, "{}", escape::terminal(&line))?;
    Ok(context.out.flush()?)
}

fn one(
    arguments: &BenchArgs,
    commit: ObjectId,
    (worktrees, times): (&mut Worktrees<'_>, &mut BuildTimes),
    (workspace, interrupt): (&Workspace, &Interrupt),
    context: &mut Context,
) -> Result<Exit, CommandError> {
    let clock = MonotonicClock::new();
    worktrees.begin([commit]);
    // Git prints nothing of its own where the user pressed Ctrl-C.
    let Checkout { folder, empty_submodules, origin } = match worktrees.take(commit) {
        Err(_) if interrupt.is_requested() => return Ok(Exit::Holds),
        // A file of this commit may be what cannot be checked out.
        Err(error @ StoreError::GitFailed { .. }) => {
            writeln!(context.err, "error: {}", escape::terminal_lines(&error.to_string()))?;
            return Ok(Exit::Failure);
        }
        checked_out => checked_out?,
    };
    if !empty_submodules.is_empty() {
        write_notice(context.err, &without_submodules(commit, &empty_submodules), context.terminal.color)?;
    }
    let checked_out = clock.now();
    let measured = measure(arguments, commit, &folder, (workspace, interrupt), context);
    if interrupt.is_requested() || !matches!(measured, Ok((Exit::Holds | Exit::NoVerdict, _))) {
        worktrees.spoil(&folder);
    }
    let (exit, building) = measured?;
    times.count(origin);
    times.readying += checked_out + building;
    times.measuring += clock.now().saturating_sub(checked_out + building);
    Ok(exit)
}

/// Measures what is not measured yet in the checkout at `folder`. Tells how long builds took, too.
fn measure(
    arguments: &BenchArgs,
    commit: ObjectId,
    folder: &Path,
    (workspace, interrupt): (&Workspace, &Interrupt),
    context: &mut Context,
) -> Result<(Exit, Duration), CommandError> {
    let mut planned = match plan(arguments, workspace, folder) {
        Ok(planned) => planned,
        Err(error) => {
            writeln!(context.err, "error: {}", escape::terminal_lines(&error.message))?;
            return Ok((Exit::Failure, Duration::ZERO));
        }
    };
    if !arguments.again {
        leave_out_measured(&mut planned, arguments.compile_only, commit, workspace)?;
    }
    if planned.commands.is_empty() && planned.suites.is_empty() && planned.kernels.is_empty() {
        writeln!(context.out, "has its results")?;
        return Ok((Exit::Holds, Duration::ZERO));
    }
    let recorder = Recorder::of_checkout(workspace, commit, arguments.dry_run)?;
    Bench { arguments, workspace, root: folder, interrupt }.carry_out(&planned, None, recorder, context)
}

/// Takes away what was measured at `commit`: of commands on this testbed; of suites, whose results may name another, anywhere; of
/// kernels timed, or compiled where no more is asked for.
fn leave_out_measured(
    planned: &mut Planned<'_>,
    compile_only: bool,
    commit: ObjectId,
    workspace: &Workspace,
) -> Result<(), CommandError> {
    let annotated = history::of_commit(&workspace.store, commit)?;
    let mut records = history::records(&annotated.commits, &Selection::of_points(Vec::new(), Config::empty()));
    records.retain(|found| !found.run.dirty);
    let here = recording::this_testbed(workspace.settings.testbed.as_deref())?;
    let is_of = |found: &HistoryRecord<'_>, benchmark: &BenchmarkName, config: &Config| {
        found.record.benchmark == *benchmark && found.record.config == *config
    };
    planned.commands.retain(|planned| {
        let is_known = |found: &HistoryRecord<'_>| {
            found.run.testbed.key() == here.key() && is_of(found, &planned.point.benchmark, &planned.point.config)
        };
        !records.iter().any(is_known)
    });
    planned.suites.retain(|suite| {
        // A session measured some of its benchmarks only.
        let is_own = |found: &HistoryRecord<'_>| {
            found.run.session.is_none() && workspace.settings.suite_of(&found.record.benchmark) == Some(suite)
        };
        !records.iter().any(is_own)
    });
    planned.kernels.retain(|kernel| {
        let is_enough =
            |found: &HistoryRecord<'_>| compile_only || found.record.metric.name.as_str().starts_with(MetricName::TIME);
        !records.iter().any(|found| is_of(found, &kernel.benchmark, &kernel.config) && is_enough(found))
    });
    Ok(())
}
