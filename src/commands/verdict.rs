//! From evidence to verdicts: what `check` shows, and what the pre-push hook holds a push against.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::num::NonZero;
use std::ops::Range;
use std::thread::ScopedJoinHandle;

use super::confirmation::{Confirmer, Suspect};
use super::context::Context;
use super::error::CommandError;
use super::evidence::{Evidence, EvidenceRequest, ReadNotes, Unusable};
use super::followers;
use super::points;
use super::selection::Selection;
use super::workspace::Workspace;
use crate::cli::CheckArgs;
use crate::exit::Exit;
use crate::judge::{
    self, BaselineRule, Candidate, Excluded, ExcuseEffect, Follower, Judgement, MeasuredRun, NoisePrior, Older, Pair, Series,
    SeriesInput, SeriesVerdict, Thresholds, Verdict,
};
use crate::model::{Config, Metric, ObjectId, SeriesKey};
use crate::report::Notice;
use crate::report::words::SHORT_ID;
use crate::settings::{BaselineMode, ConfirmMode, Settings};

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

/// Gathers the evidence, judges every series of it, and measures suspicious ones again where that is asked for.
pub fn judge(arguments: &CheckArgs, context: &mut Context) -> Result<(Judgement, Vec<Notice>), CommandError> {
    judge_and_keep(arguments, context).map(|(judgement, notices, _)| (judgement, notices))
}

/// The same, with the notes that had to be read for it.
pub fn judge_and_keep(
    arguments: &CheckArgs,
    context: &mut Context,
) -> Result<(Judgement, Vec<Notice>, Option<ReadNotes>), CommandError> {
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
        evidence = gather(false)?;
        heard = case.hear(&evidence);
    }
    let Heard { bench, sides, mut series, followers, unmeasured } =
        heard.map_err(|Unusable| CommandError::failure("the series of the history cannot be read"))?;
    let mut notices = evidence.notices(&workspace.store)?;
    notices.extend(unmeasured);
    if confirms {
        let confirmer = Confirmer::new(&workspace, evidence.candidate)?;
        notices.extend(confirm(&confirmer, &bench, &sides, &mut series, context)?);
    }
    if evidence.is_truncated() {
        series.iter_mut().for_each(doubt);
    }
    let judgement = Judgement { candidate: evidence.candidate, base: evidence.newest_of_history(), series, followers };
    Ok((judgement, notices, evidence.into_notes()))
}

/// The series that most wants an explanation: the worst verdict, what is measured before what is counted, the largest loss.
///
/// # Errors
/// Nothing was measured, or nothing binds.
pub fn worst(judgement: &Judgement) -> Result<&SeriesVerdict, CommandError> {
    let commit = judgement.candidate.short(SHORT_ID);
    let measured = judgement.series.iter().filter(|series| series.candidate.is_some());
    let with_baseline = measured.clone().filter(|series| series.baseline.is_some());
    let loss = |series: &SeriesVerdict| -series.change_percent.unwrap_or(0.0);
    let rank = |series: &SeriesVerdict| (series.verdict, !series.metric.exact);
    let worst = with_baseline.max_by(|a, b| rank(a).cmp(&rank(b)).then(loss(a).total_cmp(&loss(b))));
    worst.ok_or_else(|| match measured.count() {
        0 => CommandError::no_verdict(format!("{commit} has no such results"))
            .with_hint("git ratchet show lists what was measured; git ratchet bench measures"),
        _ => CommandError::no_verdict(format!("nothing binds these results of {commit}: there is no baseline to compare with")),
    })
}

/// What is asked of the evidence.
#[derive(Clone, Copy)]
struct Case<'a> {
    arguments: &'a CheckArgs,
    overrides: Overrides,
    selection: &'a Selection,
    policy: &'a Settings,
    rule: BaselineRule,
    now: chrono::DateTime<chrono::Utc>,
    confirms: bool,
}

/// What came of it.
struct Heard<'a> {
    bench: Bench<'a>,
    /// The series that were judged; with their histories only where they may be judged again.
    sides: Vec<(Series, Candidate)>,
    series: Vec<SeriesVerdict>,
    /// The metrics that were left out since they follow from others.
    followers: Vec<Follower>,
    unmeasured: Option<Notice>,
}

impl<'a> Case<'a> {
    /// Judges every series by its history. What is not at hand is loaded for one series at a time.
    fn hear(self, evidence: &Evidence) -> Result<Heard<'a>, Unusable> {
        let mut sides = evidence.outlines(self.selection)?;
        sides.retain(|(series, _)| !series.metric.is_descriptive());
        let unmeasured = unmeasured_notice(&sides, evidence);
        require(&mut sides, self.policy, self.selection);
        let followers = followers::set_aside(&mut sides, self.selection, self.policy);
        sides.iter_mut().try_for_each(|(series, _)| {
            // At least as many as noise is pooled from.
            let at_hand = evidence.digest(series).map(|digest| evidence.count(series) - digest.first_at_hand());
            evidence.load(series, at_hand.unwrap_or(NoisePrior::MOST_RUNS))
        })?;
        let bench = Bench {
            prior: NoisePrior::pooled(sides.iter().map(|(series, _)| series)),
            excuses: evidence.excuses(),
            rule: self.rule,
            overrides: self.overrides,
            policy: self.policy,
            arguments: self.arguments,
            now: self.now,
            family: sides.len(),
        };
        let verdicts = self.judge_all(&bench, &mut sides, evidence)?;
        Ok(Heard { bench, sides, series: verdicts, followers, unmeasured })
    }

    /// Judges on every core: each has the whole history of one series in memory at a time, at most.
    fn judge_all(
        &self,
        bench: &Bench<'_>,
        sides: &mut [(Series, Candidate)],
        evidence: &Evidence,
    ) -> Result<Vec<SeriesVerdict>, Unusable> {
        let judge = |side: &mut (Series, Candidate), spare: &mut Vec<MeasuredRun>| {
            if let Some(verdict) = bench.judge_by_digest(side, evidence)? {
                if self.confirms && is_suspect(&verdict) {
                    evidence.load(&mut side.0, usize::MAX)?;
                }
                return Ok(verdict);
            }
            if side.0.runs.len() < evidence.count(&side.0) {
                side.0.runs = std::mem::take(spare);
            }
            evidence.load(&mut side.0, usize::MAX)?;
            let verdict = bench.judge(side, &[], 1);
            if !self.confirms {
                // Fresh memory for each series of a long history would cost more than judging it.
                *spare = std::mem::take(&mut side.0.runs);
                spare.clear();
            }
            Ok(verdict)
        };
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        let share = sides.len().div_ceil(threads).max(1);
        std::thread::scope(|scope| {
            let start = |part: &mut [(Series, Candidate)]| {
                let mut spare = Vec::new();
                part.iter_mut().map(|side| judge(side, &mut spare)).collect::<Result<Vec<_>, Unusable>>()
            };
            let workers: Vec<_> = sides.chunks_mut(share).map(|part| scope.spawn(move || start(part))).collect();
            let join = |worker: ScopedJoinHandle<'_, _>| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            let parts: Result<Vec<Vec<SeriesVerdict>>, Unusable> = workers.into_iter().map(join).collect();
            parts.map(|parts| parts.concat())
        })
    }
}

/// What every series of one check is judged by.
struct Bench<'a> {
    prior: NoisePrior,
    excuses: Vec<judge::PlacedExcuse>,
    rule: BaselineRule,
    overrides: Overrides,
    policy: &'a Settings,
    arguments: &'a CheckArgs,
    now: chrono::DateTime<chrono::Utc>,
    family: usize,
}

impl Bench<'_> {
    fn judge(&self, side: &(Series, Candidate), pairs: &[Pair], suspects: usize) -> SeriesVerdict {
        self.judge_with(side, None, pairs, suspects)
    }

    /// By the newest runs, and a digest in place of the others, where there is one that serves.
    fn judge_by_digest(&self, side: &(Series, Candidate), evidence: &Evidence) -> Result<Option<SeriesVerdict>, Unusable> {
        let (series, candidate) = side;
        let digest = evidence.digest(series).filter(|digest| digest.serves(series, candidate, &self.excuses));
        let Some(digest) = digest else { return Ok(None) };
        let is_unusable = Cell::new(false);
        let read = |numbers: Range<usize>| {
            evidence.sealed_runs(series, numbers).unwrap_or_else(|Unusable| {
                is_unusable.set(true);
                Vec::new()
            })
        };
        let verdict = self.judge_with(side, Some(Older { digest: &digest, read: &read }), &[], 1);
        if is_unusable.get() { Err(Unusable) } else { Ok(Some(verdict)) }
    }

    fn judge_with(
        &self,
        (series, candidate): &(Series, Candidate),
        older: Option<Older<'_>>,
        pairs: &[Pair],
        suspects: usize,
    ) -> SeriesVerdict {
        let input = SeriesInput {
            series,
            candidate,
            thresholds: self.thresholds(&series.key, &series.metric),
            rule: self.rule,
            strict: self.arguments.strict,
            excuses: &self.excuses,
            now: self.now,
            prior: self.prior,
            pairs,
            suspects,
            family: self.family,
        };
        judge::judge_long_series(&input, older)
    }

    fn thresholds(&self, key: &SeriesKey, metric: &Metric) -> Thresholds {
        let given = self.policy.thresholds_for(&key.benchmark, &key.metric, metric.exact);
        Thresholds::for_metric(
            metric,
            self.overrides.regression.or(given.regression_percent),
            self.overrides.improvement.or(given.improvement_percent),
        )
    }
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
    let by_settings = match policy.confirm {
        ConfirmMode::Never => false,
        ConfirmMode::Always => true,
        ConfirmMode::Ci => context.env("CI").is_some_and(|value| value != "false" && value != "0"),
    };
    arguments.confirm || (by_settings && !arguments.no_confirm)
}

/// Measures what is suspicious again and judges it by that. The runs that the session records are not among `sides`: they
/// count once here, as pairs, and as ordinary runs from the next check on.
fn confirm(
    confirmer: &Confirmer<'_>,
    bench: &Bench<'_>,
    sides: &[(Series, Candidate)],
    series: &mut [SeriesVerdict],
    context: &mut Context,
) -> Result<Vec<Notice>, CommandError> {
    let mut notices = Vec::new();
    let mut places = Vec::new();
    for (place, verdict) in series.iter().enumerate().filter(|(_, verdict)| is_suspect(verdict)) {
        match confirmer.obstacle(&verdict.key, &verdict.metric) {
            // What looks better needs no excuse for not being measured again.
            Some(notice) => notices.extend(verdict.reasons.suspicious.then_some(notice)),
            None => places.push(place),
        }
    }
    let suspect = |place: &usize| {
        // Judged anew, since the plan depends on how many suspects there are.
        let SeriesVerdict { key, metric, reasons, baseline, .. } = bench.judge(&sides[*place], &[], places.len());
        reasons.plan.zip(baseline).map(|(plan, baseline)| (*place, Suspect::new(key, metric, plan, baseline.commits)))
    };
    let (judged, mut suspects): (Vec<usize>, Vec<Suspect>) = places.iter().filter_map(suspect).unzip();
    if suspects.is_empty() {
        return Ok(notices);
    }
    notices.extend(confirmer.confirm(&mut suspects, !bench.arguments.no_record, context)?);
    for (place, suspect) in judged.iter().zip(&suspects).filter(|(_, suspect)| !suspect.pairs.is_empty()) {
        series[*place] = bench.judge(&sides[*place], &suspect.pairs, places.len());
    }
    Ok(notices)
}

/// A loss beyond the gate that no excuse forgives, or a gain that would be celebrated.
fn is_suspect(verdict: &SeriesVerdict) -> bool {
    let forgiven = verdict.excuse.as_ref().is_some_and(|applied| matches!(applied.effect, ExcuseEffect::Forgave { .. }));
    verdict.reasons.plan.is_some() && !forgiven
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

/// Leaves what is judged: series that the candidate measured, and required ones that it did not.
fn require(sides: &mut Vec<(Series, Candidate)>, policy: &Settings, selection: &Selection) {
    let measured: BTreeSet<_> = sides
        .iter()
        .filter(|(_, candidate)| !candidate.runs.is_empty())
        .map(|(series, _)| (series.key.benchmark.clone(), series.key.config.clone()))
        .collect();
    let no_config = Config::empty();
    let mut missing = Vec::new();
    for benchmark in policy.required() {
        // A kernel's points stand in its manifest; that it was measured at all is what can be told here.
        if benchmark.kernel.is_some() && !measured.iter().any(|(name, _)| *name == benchmark.name) {
            missing.push((benchmark, &no_config));
        }
        for config in benchmark.configs().iter().filter(|config| !measured.contains(&(benchmark.name.clone(), (*config).clone())))
        {
            missing.push((benchmark, config));
        }
    }
    let is_missing =
        |key: &SeriesKey| missing.iter().any(|(benchmark, config)| benchmark.name == key.benchmark && **config == key.config);
    sides.retain(|(series, candidate)| !candidate.runs.is_empty() || is_missing(&series.key));
    for (benchmark, config) in missing {
        let known = sides.iter().any(|(series, _)| series.key.benchmark == benchmark.name && series.key.config == *config);
        let metric = benchmark.metrics.first().map_or_else(Metric::time, |metric| points::metric_of(&metric.source));
        let key = SeriesKey {
            benchmark: benchmark.name.clone(),
            config: config.clone(),
            metric: metric.name.clone(),
            testbed: "any".to_owned(),
        };
        if !known && selection.covers(&key) {
            sides.push((Series { key, metric, runs: Vec::new(), excluded: Excluded::default() }, Candidate::default()));
        }
    }
}

/// Series of the history that this commit was not measured for, on the testbeds that it was measured on.
fn unmeasured_notice(sides: &[(Series, Candidate)], evidence: &Evidence) -> Option<Notice> {
    let testbeds: BTreeSet<&str> =
        sides.iter().filter(|(_, candidate)| !candidate.runs.is_empty()).map(|(series, _)| series.key.testbed.as_str()).collect();
    let left_out: Vec<&Series> = sides
        .iter()
        .filter(|(series, candidate)| {
            candidate.runs.is_empty() && testbeds.contains(series.key.testbed.as_str()) && evidence.count(series) > 0
        })
        .map(|(series, _)| series)
        .collect();
    let first = left_out.first()?;
    let more = if left_out.len() > 1 { format!(" and {} more", left_out.len() - 1) } else { String::new() };
    Some(Notice::new(
        "not_measured_here",
        format!(
            "{} {} {}{more}: measured before, but not on this commit",
            first.key.benchmark, first.key.config, first.key.metric
        ),
    ))
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
