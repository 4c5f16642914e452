//! What follows a check where the verdict asks for profiles: the list of points, and the profiles themselves.
//!
//! Whatever goes wrong here is a warning. The verdict was there before, and stays what it is.

use std::path::Path;

use serde_json::{Value, json};

use super::context::Context;
use super::error::CommandError;
use super::output::write_whole;
use super::points::point_name;
use super::profile_diff::{self, Profiles};
use super::profiling::{ProfileOptions, Profiler};
use super::profiling_session::{self, Planned, profile_all};
use super::selection::Selection;
use super::workspace::Workspace;
use crate::cli::CheckArgs;
use crate::judge::{Judgement, ProfileTarget, ProfileThresholds, profile_targets};
use crate::model::{BenchmarkName, Config, ObjectId, Profile, Run};
use crate::report::series_json::config;
use crate::report::words::{self, SHORT_ID};
use crate::report::{Notice, escape, profile_text};

/// Findings of one point that a check repeats; `profile --diff` has them all.
const TOLD_FINDINGS: usize = 3;

/// A list of points is small.
const LARGEST_LIST_BYTES: u64 = 16 << 20;

/// Does what the flags of a finished check ask for. The notices tell what came of it.
pub fn follow(arguments: &CheckArgs, judgement: &Judgement, context: &mut Context) -> Vec<Notice> {
    if !arguments.profile && arguments.profile_targets.is_none() {
        return Vec::new();
    }
    match Workspace::open(context) {
        Ok(workspace) => followed(&workspace, arguments, judgement, context),
        Err(error) => vec![nothing_profiled(error)],
    }
}

fn nothing_profiled(error: CommandError) -> Notice {
    Notice { hint: error.hint, ..Notice::new("not_profiled", format!("nothing was profiled: {}", error.message)) }
}

fn followed(workspace: &Workspace, arguments: &CheckArgs, judgement: &Judgement, context: &mut Context) -> Vec<Notice> {
    let settings = &workspace.settings.profile;
    let thresholds =
        ProfileThresholds { regression_percent: settings.regression_percent, improvement_percent: settings.improvement_percent };
    let targets = profile_targets(judgement, thresholds);
    let mut notices = Vec::new();
    if let Some(file) = &arguments.profile_targets {
        let text = format!("{}\n", list(judgement.candidate, &targets));
        let written = write_whole(&context.path(file), text.as_bytes());
        notices.extend(written.err().map(|error| {
            Notice::new("targets_not_written", format!("the list of points to profile is not in {}: {error}", file.display()))
        }));
    }
    if arguments.profile && !targets.is_empty() {
        let profiled = profile(workspace, judgement, &targets, arguments, context);
        notices.extend(profiled.unwrap_or_else(|error| vec![nothing_profiled(error)]));
    }
    notices
}

fn list(candidate: ObjectId, targets: &[ProfileTarget]) -> Value {
    let series = |target: &ProfileTarget| -> Vec<Value> {
        let of_series = target.series.iter().map(|series| {
            json!({
                "metric": series.metric.name.as_str(),
                "testbed": series.key.testbed,
                "verdict": series.verdict.as_str(),
                "change_percent": series.change_percent,
            })
        });
        of_series.collect()
    };
    let target = |target: &ProfileTarget| {
        json!({
            "benchmark": target.benchmark.as_str(),
            "config": config(target.config),
            "reason": target.reason.as_str(),
            "series": series(target),
        })
    };
    json!({
        "version": 1,
        "candidate": { "commit": candidate.to_string() },
        "targets": targets.iter().map(target).collect::<Vec<_>>(),
    })
}

/// Profiles the targets on the checked-out candidate, records what was counted, and says what differs from the newest
/// profile of the baseline, where it has one.
fn profile(
    workspace: &Workspace,
    judgement: &Judgement,
    targets: &[ProfileTarget],
    arguments: &CheckArgs,
    context: &mut Context,
) -> Result<Vec<Notice>, CommandError> {
    let (head, is_dirty) = (workspace.store.head()?, workspace.store.is_dirty()?);
    let root = workspace.store.work_dir().filter(|_| head == judgement.candidate).ok_or_else(|| {
        CommandError::failure(format!("{} is not what is checked out", judgement.candidate.short(SHORT_ID)))
            .with_hint("check it out first: profiling runs the files of the work tree")
    })?;
    let options = ProfileOptions::default();
    let mut profiler = Profiler::new(workspace, head, &options, context)?;
    let (mut planned, mut notices) = (Planned::default(), Vec::new());
    for target in targets {
        let point = (target.benchmark, target.config);
        let added = planned.add(workspace, root, point);
        notices.extend(added.err().map(|error| not_profiled(&point_name(point.0, point.1), error.message, error.hint)));
    }
    let names: Vec<String> = targets.iter().map(|target| point_name(target.benchmark, target.config)).collect();
    let announced = format!("profiling: running {} under Nsight Compute", words::a_few(&names));
    writeln!(context.err, "{}", escape::terminal(&announced))?;
    let profiled = profile_all(&mut profiler, &planned, &options, context)?;
    let state = (head, is_dirty || workspace.store.is_dirty()?);
    let (runs, failures) = profiled.into_runs(&profiler, state, workspace, context)?;
    notices.extend(
        failures
            .iter()
            .map(|failure| not_profiled(&failure.name, failure.cause.to_string(), failure.cause.hint().map(str::to_owned))),
    );
    if runs.is_empty() || workspace.store.head()? != head {
        return Ok(notices);
    }
    notices.extend(reasons(workspace, targets, &fresh(&runs))?);
    if !arguments.no_record {
        profiling_session::record(workspace, head, runs)?;
    }
    Ok(notices)
}

fn not_profiled(name: &str, why: String, hint: Option<String>) -> Notice {
    Notice { hint, ..Notice::new("not_profiled", format!("{name}: not profiled: {why}")) }
}

fn fresh(runs: &[(Run, Vec<Profile>)]) -> Profiles {
    let mut fresh = Profiles::new();
    for (run, profile) in runs.iter().flat_map(|(run, profiles)| profiles.iter().map(move |profile| (run, profile))) {
        let point = profile_diff::ProfiledPoint {
            benchmark: profile.benchmark.clone(),
            config: profile.config.clone(),
            testbed: run.testbed.key().to_owned(),
        };
        fresh.entry(point).or_default().insert(profile.counted.kernel.clone(), profile.counted.clone());
    }
    fresh
}

/// What differs from the newest commit of each baseline that has a profile of the point.
fn reasons(workspace: &Workspace, targets: &[ProfileTarget], fresh: &Profiles) -> Result<Vec<Notice>, CommandError> {
    let mut notices = Vec::new();
    for target in targets {
        let of_target = |(point, _): &(&profile_diff::ProfiledPoint, _)| {
            point.benchmark == *target.benchmark && point.config == *target.config
        };
        let own: Profiles = fresh.iter().filter(of_target).map(|(point, kernels)| (point.clone(), kernels.clone())).collect();
        let baselines = target.series.iter().filter_map(|series| series.baseline.as_ref());
        for commit in baselines.flat_map(|baseline| baseline.commits.iter().rev()) {
            let (old, _) = profile_diff::newest(&workspace.store, *commit, &Selection::default())?;
            let (pairs, _) = profile_diff::pair(old, own.clone());
            if pairs.is_empty() {
                continue;
            }
            let name = point_name(target.benchmark, target.config);
            let told = pairs.iter().flat_map(|pair| &pair.findings).take(TOLD_FINDINGS);
            notices.extend(told.map(|finding| {
                let sentence = profile_text::sentence(finding);
                Notice::new("profile_finding", format!("{name}: {sentence} (since {})", commit.short(SHORT_ID)))
            }));
            break;
        }
    }
    Ok(notices)
}

/// A point of a list.
pub struct TargetPoint {
    /// The benchmark.
    pub benchmark: BenchmarkName,
    /// The point of it.
    pub config: Config,
}

/// Reads a list as `check --profile-targets` writes it.
pub fn read(file: &Path) -> Result<Vec<TargetPoint>, CommandError> {
    let unreadable = |why: &dyn std::fmt::Display| CommandError::usage(format!("cannot read the list {}: {why}", file.display()));
    let bytes = std::fs::metadata(file).map_err(|error| unreadable(&error))?.len();
    if bytes > LARGEST_LIST_BYTES {
        return Err(unreadable(&format!("it has {bytes} bytes")));
    }
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(&error))?;
    let list: Value = serde_json::from_str(&text).map_err(|error| unreadable(&error))?;
    if list["version"] != 1 {
        return Err(unreadable(&"its version is not 1"));
    }
    let targets = list["targets"].as_array().ok_or_else(|| unreadable(&"it has no targets"))?;
    let point = |target: &Value| -> Result<TargetPoint, CommandError> {
        let benchmark = target["benchmark"].as_str().ok_or_else(|| unreadable(&"a target has no benchmark"))?;
        let empty = serde_json::Map::new();
        let parameters = target["config"].as_object().unwrap_or(&empty).iter();
        let parameters = parameters.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()));
        Ok(TargetPoint { benchmark: BenchmarkName::new(benchmark)?, config: Config::new(parameters)? })
    };
    targets.iter().map(point).collect()
}
