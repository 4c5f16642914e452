//! The recorded profiles of two commits side by side: for `profile --diff`, and for what `check --profile` says about why.

use std::collections::{BTreeMap, HashMap};

use super::context::Context;
use super::error::CommandError;
use super::history::{self, store_notices};
use super::points::point_name;
use super::selection::Selection;
use super::workspace::Workspace;
use crate::cli::{ProfileArgs, SeriesArgs};
use crate::exit::Exit;
use crate::model::{BenchmarkName, Config, KernelProfile, LineId, ObjectId, Profile, Run};
use crate::profile::{Finding, findings};
use crate::report::check_text::{TextOptions, write_notice};
use crate::report::profile_text::ComparedProfile;
use crate::report::words::SHORT_ID;
use crate::report::{Notice, profile_json, profile_text};
use crate::store::{AnnotatedHistory, Store};

/// Runs `profile --diff A [B]`.
pub fn run(arguments: &ProfileArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let workspace = Workspace::open(context)?;
    let store = &workspace.store;
    let selection = Selection::new(&SeriesArgs {
        benchmarks: arguments.names.clone(),
        config: arguments.config.clone(),
        metrics: Vec::new(),
        testbed: arguments.testbed.clone(),
    })?;
    let resolve = |at: usize| store.resolve(arguments.diff.get(at).map_or("HEAD", String::as_str));
    let (before, after) = (resolve(0)?, resolve(1)?);
    let mut sides = Vec::new();
    for commit in [before, after] {
        let (profiles, notices) = newest(store, commit, &selection)?;
        notices.iter().try_for_each(|notice| write_notice(context.err, notice, context.terminal.color))?;
        if profiles.is_empty() {
            return Err(not_profiled(commit));
        }
        sides.push(profiles);
    }
    let [old, new] = <[Profiles; 2]>::try_from(sides).unwrap_or_default();
    let (pairs, left_over) = pair(old, new);
    left_over.iter().try_for_each(|notice| write_notice(context.err, notice, context.terminal.color))?;
    if pairs.is_empty() {
        return Err(CommandError::no_verdict("the two commits have no profile of the same point on the same testbed")
            .with_hint("git ratchet show lists what each has"));
    }
    let compared: Vec<ComparedProfile> = pairs.iter().map(Pair::shown).collect();
    if arguments.json {
        writeln!(context.out, "{}", profile_json::diff((before, after), &compared))?;
    } else {
        let options = TextOptions { width: context.terminal.width, color: context.terminal.color, verbose: arguments.verbose };
        profile_text::diff(context.out, (before, after), &compared, options)?;
    }
    Ok(Exit::Holds)
}

fn not_profiled(commit: ObjectId) -> CommandError {
    let short = commit.short(SHORT_ID);
    CommandError::no_verdict(format!("there is no such profile of {short}"))
        .with_hint(format!("check it out and run: git ratchet profile (git ratchet show {short} lists what it has)"))
}

/// What is profiled: one point on one testbed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProfiledPoint {
    /// The benchmark.
    pub benchmark: BenchmarkName,
    /// The point of it.
    pub config: Config,
    /// The testbed's key.
    pub testbed: String,
}

/// The newest profile of each kernel of each point.
pub type Profiles = BTreeMap<ProfiledPoint, BTreeMap<String, KernelProfile>>;

/// The newest profiles that count for a commit, and what the store has to say.
pub fn newest(store: &Store, commit: ObjectId, selection: &Selection) -> Result<(Profiles, Vec<Notice>), CommandError> {
    let annotated = history::of_commit(store, commit)?;
    let notices = store_notices(&annotated, store)?;
    Ok((newest_of(&annotated, selection), notices))
}

/// The newest profiles of what counts for one commit.
pub fn newest_of(annotated: &AnnotatedHistory, selection: &Selection) -> Profiles {
    let mut newest = Profiles::new();
    let Some(own) = annotated.commits.first() else { return newest };
    let runs: HashMap<LineId, &Run> = own.note.runs.iter().map(|run| (run.id, run)).collect();
    // Ids sort by time: what comes later replaces what was there.
    let mut profiles: Vec<&Profile> = own.note.profiles.iter().collect();
    profiles.sort_by_key(|profile| profile.id);
    for profile in profiles {
        let Some(run) = runs.get(&profile.run).filter(|run| selection.covers_profile(profile, run)) else { continue };
        let point = ProfiledPoint {
            benchmark: profile.benchmark.clone(),
            config: profile.config.clone(),
            testbed: run.testbed.key().to_owned(),
        };
        newest.entry(point).or_default().insert(profile.counted.kernel.clone(), profile.counted.clone());
    }
    newest
}

/// Two profiles of one kernel, and what changed between them.
pub struct Pair {
    point: ProfiledPoint,
    before: KernelProfile,
    after: KernelProfile,
    /// What changed, the most telling first.
    pub findings: Vec<Finding>,
}

impl Pair {
    fn new(point: ProfiledPoint, before: KernelProfile, after: KernelProfile) -> Self {
        let findings = findings(&before, &after);
        Self { point, before, after, findings }
    }

    fn shown(&self) -> ComparedProfile<'_> {
        ComparedProfile {
            benchmark: &self.point.benchmark,
            config: &self.point.config,
            testbed: &self.point.testbed,
            before: &self.before,
            after: &self.after,
            findings: &self.findings,
        }
    }
}

/// Kernels of the same name are compared; where a point has a single kernel left on each side, these are, since a
/// kernel's name changes with its template parameters. The notices tell what only one side has.
pub fn pair(mut old: Profiles, new: Profiles) -> (Vec<Pair>, Vec<Notice>) {
    let (mut pairs, mut notices) = (Vec::new(), Vec::new());
    for (point, mut kernels) in new {
        let mut known = old.remove(&point).unwrap_or_default();
        let names: Vec<String> = kernels.keys().filter(|name| known.contains_key(*name)).cloned().collect();
        for name in names {
            if let (Some(before), Some(after)) = (known.remove(&name), kernels.remove(&name)) {
                pairs.push(Pair::new(point.clone(), before, after));
            }
        }
        if kernels.len() == 1 && known.len() == 1 {
            let both = std::mem::take(&mut known).into_values().zip(std::mem::take(&mut kernels).into_values());
            pairs.extend(both.map(|(before, after)| Pair::new(point.clone(), before, after)));
        }
        notices.extend(only_in("older", &point, &known));
        notices.extend(only_in("newer", &point, &kernels));
    }
    notices.extend(old.iter().flat_map(|(point, kernels)| only_in("older", point, kernels)));
    (pairs, notices)
}

fn only_in(side: &str, point: &ProfiledPoint, kernels: &BTreeMap<String, KernelProfile>) -> Option<Notice> {
    let first = kernels.keys().next()?;
    let more = if kernels.len() > 1 { format!(" and {} more", kernels.len() - 1) } else { String::new() };
    let name = point_name(&point.benchmark, &point.config);
    let first: String = first.chars().take(80).collect();
    Some(Notice::new(
        "profiled_once",
        format!("{name}: only the {side} commit has a profile of {first}{more} on {}", point.testbed),
    ))
}
