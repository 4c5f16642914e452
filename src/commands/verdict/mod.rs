//! From evidence to verdicts: what `check` shows, and what the pre-push hook holds a push against.

mod case;
mod required;
mod suspects;

use super::confirmation::Confirmer;
use super::context::Context;
use super::error::CommandError;
use super::evidence::{Evidence, EvidenceRequest, ReadNotes, Unusable};
use super::selection::Selection;
use super::workspace::Workspace;
use crate::cli::CheckArgs;
use crate::exit::Exit;
use crate::judge::{BaselineRule, Judgement, SeriesVerdict, Verdict};
use crate::model::ObjectId;
use crate::report::Notice;
use crate::report::words::SHORT_ID;
use crate::settings::{BaselineMode, ConfirmMode, Settings};
use case::{Case, Heard};
use suspects::confirm;

/// Thresholds of the command line: above everything.
#[derive(Clone, Copy)]
struct Overrides {
    regression: Option<f64>,
    improvement: Option<f64>,
}

impl Overrides {
    fn new(arguments: &CheckArgs) -> Result<Self, CommandError> {
        let magnitude = |flag: &str, given: Option<f64>| match given {
            Some(percent) if !percent.is_finite() => Err(CommandError::usage(format!("{flag} {percent} is not a percentage"))),
            given => Ok(given.map(f64::abs)),
        };
        Ok(Self {
            regression: magnitude("--regression", arguments.regression)?,
            improvement: magnitude("--improvement", arguments.improvement)?,
        })
    }
}

/// What came of a check.
pub struct Judged {
    /// The verdicts.
    pub judgement: Judgement,
    /// What was noticed on the way.
    pub notices: Vec<Notice>,
    /// The notes, where they had to be read for it.
    pub read: Option<ReadNotes>,
}

/// Gathers the evidence, judges every series of it, and measures suspicious ones again where that is asked for.
pub fn judge(arguments: &CheckArgs, context: &mut Context) -> Result<Judged, CommandError> {
    let overrides = Overrides::new(arguments)?;
    let selection = Selection::new(&arguments.series)?;
    let workspace = Workspace::open(context)?;
    let (rule, revision) = rule(arguments, &workspace)?;
    let gather = |kept: bool| {
        let (rev, against, history) = (arguments.rev.as_str(), arguments.past.against.clone(), arguments.past.history);
        Evidence::gather(EvidenceRequest { rev, against, history, revision, kept }, &workspace)
    };
    let mut evidence = gather(true)?;
    let policy = policy(arguments, &evidence, &workspace)?;
    let confirms = confirms(arguments, &policy, context);
    let case = Case { arguments, overrides, selection: &selection, policy: &policy, rule, now: (context.clock)(), confirms };
    let mut heard = case.hear(&evidence);
    if heard.is_err() {
        // What was kept of earlier checks is damaged: the notes themselves have everything.
        evidence = gather(false)?;
        heard = case.hear(&evidence);
    }
    let Heard { court, sides, mut series, followers, unmeasured } = heard.map_err(|Unusable| {
        CommandError::failure("the series of the history cannot be read")
            .with_hint("git config ratchet.cache false does without what is kept of them")
    })?;
    let mut notices = evidence.notices(&workspace.store)?;
    notices.extend(unmeasured);
    if confirms {
        let confirmer = Confirmer::new(&workspace, evidence.candidate)?;
        notices.extend(confirm(&confirmer, &court, &sides, &mut series, context)?);
    }
    if evidence.is_truncated() {
        series.iter_mut().for_each(doubt);
    }
    for verdict in &mut series {
        verdict.reasons.only_recorded = !workspace.settings.measures(&verdict.key.benchmark);
    }
    let judgement = Judgement { candidate: evidence.candidate, base: evidence.newest_of_history(), series, followers };
    Ok(Judged { judgement, notices, read: evidence.into_notes() })
}

/// The series that most wants an explanation ([`Judgement::worst`]).
///
/// # Errors
/// Nothing was measured, or nothing binds.
pub fn worst(judgement: &Judgement) -> Result<&SeriesVerdict, CommandError> {
    judgement.worst().ok_or_else(|| {
        let commit = judgement.candidate.short(SHORT_ID);
        if judgement.series.iter().any(|series| series.candidate.is_some()) {
            return CommandError::no_verdict(format!(
                "nothing binds these results of {commit}: there is no baseline to compare with"
            ));
        }
        CommandError::no_verdict(format!("{commit} has no such results"))
            .with_hint("git ratchet show lists what was measured; git ratchet bench measures")
    })
}

/// The settings that judge: the base revision's where the change must not loosen them.
fn policy(arguments: &CheckArgs, evidence: &Evidence, workspace: &Workspace) -> Result<Settings, CommandError> {
    match evidence.base.as_ref().filter(|_| arguments.policy_from_base) {
        Some(base) => workspace.settings_of(base.commit, &base.rev_name),
        None => Ok(workspace.settings.clone()),
    }
}

/// Whether suspicious series are measured again: flag over settings.
fn confirms(arguments: &CheckArgs, policy: &Settings, context: &Context) -> bool {
    arguments.confirm || (confirms_by_settings(policy, context) && !arguments.no_confirm)
}

/// The same where no flag says it.
pub fn confirms_by_settings(settings: &Settings, context: &Context) -> bool {
    match settings.confirm {
        ConfirmMode::Never => false,
        ConfirmMode::Always => true,
        ConfirmMode::Ci => context.env("CI").is_some_and(|value| value != "false" && value != "0"),
    }
}

/// What the candidate is held against, and the revision where one is named.
fn rule(arguments: &CheckArgs, workspace: &Workspace) -> Result<(BaselineRule, Option<ObjectId>), CommandError> {
    match arguments.past.baseline.as_deref() {
        Some("level") => Ok((BaselineRule::Level, None)),
        Some("best-run") => Ok((BaselineRule::BestRun, None)),
        Some(revision) => {
            let commit = workspace.store.resolve(revision).map_err(|error| {
                CommandError::from(error).with_hint("--baseline takes level, best-run, or a revision whose runs are the baseline")
            })?;
            Ok((BaselineRule::Revision, Some(commit)))
        }
        None => Ok(match workspace.settings.baseline {
            BaselineMode::Level => (BaselineRule::Level, None),
            BaselineMode::BestRun => (BaselineRule::BestRun, None),
        }),
    }
}

/// A history that is cut off may miss better levels: what holds against the rest is not decided.
fn doubt(series: &mut SeriesVerdict) {
    if series.verdict.holds() {
        series.verdict = Verdict::Undecided;
    }
}

/// The exit code of what was judged.
pub fn exit_of(judgement: &Judgement, arguments: &CheckArgs) -> Exit {
    let verdict = judgement.verdict();
    let has_new = judgement.series.iter().any(|series| series.verdict == Verdict::New);
    match verdict {
        Verdict::Regression => Exit::Regression,
        verdict if !verdict.holds() => Exit::NoVerdict,
        _ if has_new && arguments.require_baseline => Exit::NoVerdict,
        _ => Exit::Holds,
    }
}
