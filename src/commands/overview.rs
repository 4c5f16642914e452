//! From verdicts and history to what a report shows: every run of every series, its levels, its ratchet line, its excuses,
//! and the commits and testbeds behind them.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::num::NonZeroUsize;

use chrono::{DateTime, Utc};

use super::context::Context;
use super::error::CommandError;
use super::history;
use super::rooflines::{self, Limits};
use super::selection::Selection;
use super::verdict::Judged;
use super::workspace::Workspace;
use crate::judge::{
    self, BaselineRule, ExcuseEffect, ExcusePlace, HistoryRecord, Judgement, MeasuredRun, NoisePrior, PlacedExcuse, Series,
    SeriesVerdict,
};
use crate::model::{ObjectId, SeriesKey};
use crate::report::Notice;
use crate::report::overview::{
    CommitEntry, Commits, ExcuseMark, FactChange, Level, Overview, Point, SeriesHistory, Standing, Step, TestbedEntry,
};
use crate::report::roofline::TestbedRoofline;
use crate::store::{AnnotatedHistory, History, Store, Walk};

/// What to gather.
pub struct OverviewRequest<'a> {
    /// Which series.
    pub selection: &'a Selection,
    /// Which commits make the history.
    pub walk: Walk,
    /// Show only what this commit does not have (`A` of `A..B`).
    pub since: Option<ObjectId>,
    /// Whether levels and ratchet lines are drawn; a table needs neither.
    pub with_lines: bool,
    /// Whether the kernels of the commit are shown under their roofs.
    pub with_rooflines: bool,
}

/// Looks up everything that a report on this judgement shows. Notes that were read for it are not read again where they are
/// those of the same commits.
pub fn gather(
    judged: Judged,
    request: &OverviewRequest<'_>,
    workspace: &Workspace,
    context: &Context,
) -> Result<Overview, CommandError> {
    let Judged { judgement, mut notices, read } = judged;
    let store = &workspace.store;
    let walked = store.history(&[judgement.candidate], request.walk)?;
    let annotated = match read {
        Some(read) if read.history.commits == walked.commits => read.annotated,
        _ => store.annotated_history(&walked, &store.notes()?)?,
    };
    let mut records = history::records(&annotated.commits, request.selection);
    records.retain(|record| !record.record.metric.is_descriptive());
    let seen: Vec<Series> = judge::assemble(records.iter().copied(), []).into_iter().map(|(series, _)| series).collect();
    let line: Vec<ObjectId> = walked.commits.iter().map(|commit| commit.id).collect();
    let excuses = history::placed_excuses(store, &annotated, &line)?;
    let lines = if request.with_lines { lines(&seen, &excuses, &judgement, (context.clock)()) } else { Vec::new() };
    let shown = shown_commits(&walked, request.since, store)?;
    let rooflines = if request.with_rooflines {
        rooflines(judgement.candidate, &annotated, request.selection, workspace, &mut notices)
    } else {
        Vec::new()
    };
    let gathered = Gathered { judgement: &judgement, records: &records, shown, excuses: &excuses, walked: &walked };
    let commits = gathered.commits(store)?;
    let series = gathered.series(seen, lines, &commits);
    let testbeds = gathered.testbeds();
    let root = store.work_dir().unwrap_or(store.common_dir());
    let repository = root.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Ok(Overview { repository, made: (context.clock)(), judgement, notices, commits, series, testbeds, rooflines })
}

/// The testbeds with a kernel under a roof. Settings that name no chip cost the rooflines, not the report.
fn rooflines(
    commit: ObjectId,
    annotated: &AnnotatedHistory,
    selection: &Selection,
    workspace: &Workspace,
    notices: &mut Vec<Notice>,
) -> Vec<TestbedRoofline> {
    match Limits::new(&workspace.settings.roofline, None) {
        Ok(limits) => {
            let mut found = rooflines::gather(commit, annotated, selection, &limits);
            found.retain(|testbed| testbed.kernels.iter().any(|kernel| kernel.standing.is_some()));
            found
        }
        Err(error) => {
            let notice = Notice::new("no_roofline", format!("no roofline is shown: {}", error.message));
            notices.push(Notice { hint: error.hint, ..notice });
            Vec::new()
        }
    }
}

/// The commits to show; `None` shows all.
fn shown_commits(walked: &History, since: Option<ObjectId>, store: &Store) -> Result<Option<HashSet<ObjectId>>, CommandError> {
    let (Some(since), Some(tip)) = (since, walked.newest()) else { return Ok(None) };
    let between = store.commits_between(since, tip.id)?;
    Ok(Some(between.into_iter().map(|commit| commit.id).collect()))
}

/// Levels and ratchet line of one series.
#[derive(Default)]
struct Lines {
    levels: Vec<judge::Stretch>,
    ratchet: Vec<judge::RatchetStep>,
}

/// The lines of all series, on all processors: a long history costs milliseconds each.
fn lines(seen: &[Series], excuses: &[PlacedExcuse], judgement: &Judgement, now: DateTime<Utc>) -> Vec<Lines> {
    let prior = NoisePrior::pooled(seen);
    let judged = judgement.series.first().map(|series| series.reasons.rule);
    let rule = if judged == Some(BaselineRule::BestRun) { BaselineRule::BestRun } else { BaselineRule::Level };
    let of_series = |series: &Series| Lines {
        levels: judge::stretches(series, prior),
        ratchet: judge::ratchet_line(series, excuses, rule, prior, now),
    };
    let workers = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let chunk = seen.len().div_ceil(workers).max(1);
    std::thread::scope(|scope| {
        let started: Vec<_> =
            seen.chunks(chunk).map(|part| (part, scope.spawn(move || part.iter().map(of_series).collect()))).collect();
        let joined = started.into_iter().flat_map(|(part, worker)| {
            // A worker that died leaves its series without lines; they are decoration.
            worker.join().unwrap_or_else(|_| part.iter().map(|_| Lines::default()).collect::<Vec<_>>())
        });
        joined.collect()
    })
}

/// What was read, before it is put together.
struct Gathered<'a> {
    judgement: &'a Judgement,
    records: &'a [HistoryRecord<'a>],
    shown: Option<HashSet<ObjectId>>,
    excuses: &'a [PlacedExcuse],
    walked: &'a History,
}

impl Gathered<'_> {
    fn is_shown(&self, commit: ObjectId) -> bool {
        self.shown.as_ref().is_none_or(|shown| shown.contains(&commit)) || commit == self.judgement.candidate
    }

    fn commit_of(&self, excuse: &PlacedExcuse) -> Option<ObjectId> {
        match excuse.place {
            ExcusePlace::History(position) => Some(self.walked.commits.get(position)?.id),
            ExcusePlace::Candidate => Some(self.judgement.candidate),
        }
    }

    /// Only commits that are named are opened: those with results, those that hold a baseline, those with an excuse.
    fn commits(&self, store: &Store) -> Result<Commits, CommandError> {
        let mut named: HashSet<ObjectId> =
            self.records.iter().map(|record| record.commit).filter(|id| self.is_shown(*id)).collect();
        named.extend(
            self.judgement.series.iter().filter_map(|series| series.baseline.as_ref()).flat_map(|baseline| &baseline.commits),
        );
        named.extend(self.excuses.iter().filter_map(|excuse| self.commit_of(excuse)).filter(|id| self.is_shown(*id)));
        named.extend([Some(self.judgement.candidate), self.judgement.base].into_iter().flatten());
        let walked: Vec<ObjectId> =
            self.walked.commits.iter().rev().map(|commit| commit.id).filter(|id| named.remove(id)).collect();
        // What is left stands on another line of history: `--against` or `--baseline` named it.
        let mut elsewhere: Vec<ObjectId> = named.into_iter().collect();
        elsewhere.sort_unstable();
        let entries = elsewhere.into_iter().chain(walked).map(|id| {
            let info = store.commit(id)?;
            Ok(CommitEntry { id, time: info.time, author: info.author.name, subject: info.subject })
        });
        Ok(Commits::new(entries.collect::<Result<_, CommandError>>()?))
    }

    fn series(&self, seen: Vec<Series>, lines: Vec<Lines>, commits: &Commits) -> Vec<SeriesHistory> {
        let mut verdicts: BTreeMap<&SeriesKey, &SeriesVerdict> =
            self.judgement.series.iter().map(|verdict| (&verdict.key, verdict)).collect();
        let mut left_out: BTreeMap<SeriesKey, Vec<Point>> = BTreeMap::new();
        for record in self.records {
            let Some((standing, commit)) = standing(record).zip(commits.place(record.commit)) else { continue };
            let summary = &record.record.summary;
            let point = Point { commit, value: summary.median, low: summary.low, high: summary.high, n: summary.n, standing };
            if self.is_shown(record.commit) {
                left_out.entry(SeriesKey::of(record.record, record.run)).or_default().push(point);
            }
        }
        let lines = lines.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
        let mut all: Vec<SeriesHistory> = seen
            .into_iter()
            .zip(lines)
            .map(|(series, lines)| {
                let mut history = self.history(&series, lines.unwrap_or_default(), commits);
                history.verdict = verdicts.remove(&series.key).cloned();
                history.set_at = self.set_at(&history, commits);
                history.points.extend(left_out.remove(&series.key).into_iter().flatten());
                history.points.sort_by_key(|point| point.commit);
                history.is_follower = self.is_follower(&history, commits);
                history
            })
            .collect();
        all.extend(verdicts.into_values().map(without_history));
        all.retain(|series| series.verdict.is_some() || !series.points.is_empty());
        all.sort_by(|one, other| one.key.cmp(&other.key));
        all
    }

    /// Whether the judged commit has it, and another series says it all.
    fn is_follower(&self, history: &SeriesHistory, commits: &Commits) -> bool {
        let candidate = commits.place(self.judgement.candidate);
        let is_measured = history.points.iter().any(|point| Some(point.commit) == candidate);
        history.verdict.is_none()
            && is_measured
            && self.judgement.followers.iter().any(|follower| follower.metric == history.key.metric)
    }

    fn history(&self, series: &Series, lines: Lines, commits: &Commits) -> SeriesHistory {
        let place = |run: &MeasuredRun| commits.place(run.commit).filter(|_| self.is_shown(run.commit));
        let points = series.runs.iter().filter_map(|run| {
            let summary = &run.summary;
            let (low, high, n, standing) = (summary.low, summary.high, summary.n, Standing::Counts);
            Some(Point { commit: place(run)?, value: run.value(), low, high, n, standing })
        });
        let level = |stretch: &judge::Stretch| {
            let mut places = series.runs[stretch.runs.clone()].iter().filter_map(place);
            let from = places.next()?;
            Some(Level { from, to: places.next_back().unwrap_or(from), value: stretch.value })
        };
        let covering = self.excuses.iter().filter(|placed| placed.excuse.scope.covers(&series.key));
        let mark = |placed: &PlacedExcuse| {
            let commit = self.commit_of(placed).filter(|id| self.is_shown(*id)).and_then(|id| commits.place(id))?;
            let excuse = &placed.excuse;
            Some(ExcuseMark { commit, author: excuse.author.name.clone(), time: excuse.time, reason: excuse.reason.clone() })
        };
        let mut excuses: Vec<ExcuseMark> = covering.filter_map(mark).collect();
        excuses.sort_by_key(|mark| mark.commit);
        SeriesHistory {
            key: series.key.clone(),
            metric: series.metric.clone(),
            verdict: None,
            is_follower: false,
            set_at: None,
            points: points.collect(),
            levels: lines.levels.iter().filter_map(level).collect(),
            ratchet: self.steps(series, &lines.ratchet, commits),
            excuses,
        }
    }

    /// Where the baseline was set. A level names the commits that hold it; of exact values the judge names the newest, and
    /// the first that reached them is among the runs, unless only a part of those is shown.
    fn set_at(&self, history: &SeriesHistory, commits: &Commits) -> Option<usize> {
        let (verdict, baseline) = history.verdict.as_ref().zip(history.baseline())?;
        let known = baseline.commits.iter().find_map(|id| commits.place(*id))?;
        if self.shown.is_some() {
            return Some(known);
        }
        if !verdict.reasons.exact {
            let counting: Vec<_> = history.points.iter().filter(|point| point.standing == Standing::Counts).collect();
            let runs: Vec<_> = counting.iter().filter_map(|point| Some((commits.at(point.commit)?.id, point.value))).collect();
            let first = baseline.holds(&runs).into_iter().position(|holds| holds);
            return first.and_then(|first| commits.place(runs[first].0)).or(Some(known));
        }
        let is_reset =
            verdict.excuse.as_ref().is_some_and(|applied| matches!(applied.effect, ExcuseEffect::ResetBaseline { .. }));
        let excused = history.excuses.iter().rev().map(|mark| mark.commit).find(|commit| is_reset && *commit <= known);
        let binding = excused.unwrap_or(0)..=known;
        let holds = |point: &&Point| point.standing == Standing::Counts && point.value == baseline.value;
        let mut holding = history.points.iter().filter(holds).map(|point| point.commit).filter(|commit| binding.contains(commit));
        Some(holding.next().unwrap_or(known))
    }

    /// The ratchet line from the first commit that is shown on.
    fn steps(&self, series: &Series, ratchet: &[judge::RatchetStep], commits: &Commits) -> Vec<Step> {
        let Some(first) = series.runs.iter().position(|run| self.is_shown(run.commit)) else { return Vec::new() };
        let already = ratchet.iter().rposition(|step| step.run <= first).unwrap_or(0);
        let shown = ratchet.iter().skip(already).filter_map(|step| {
            let run = series.runs.get(step.run.max(first))?;
            Some(Step { commit: commits.place(run.commit)?, value: step.value, low: step.low, high: step.high })
        });
        shown.collect()
    }

    /// The facts of each testbed's newest run, and what changed since the runs that hold the baselines.
    fn testbeds(&self) -> Vec<TestbedEntry> {
        let holding: HashSet<ObjectId> = self
            .judgement
            .series
            .iter()
            .filter_map(|series| series.baseline.as_ref())
            .flat_map(|baseline| baseline.commits.clone())
            .collect();
        let keys: BTreeSet<&str> = self.records.iter().map(|record| record.run.testbed.key()).collect();
        let entry = |key: &str| {
            let of_testbed = || self.records.iter().filter(move |record| record.run.testbed.key() == key);
            let newest = of_testbed().min_by_key(|record| (record.position, std::cmp::Reverse(record.run.time)))?;
            let before = of_testbed()
                .filter(|record| holding.contains(&record.commit) && record.position > newest.position)
                .min_by_key(|record| (record.position, std::cmp::Reverse(record.run.time)));
            let facts = newest.run.testbed.facts.clone();
            let changed = before.map_or_else(Vec::new, |before| FactChange::between(&before.run.testbed.facts, &facts));
            Some(TestbedEntry { key: key.to_owned(), facts, changed })
        };
        keys.into_iter().filter_map(entry).collect()
    }
}

/// Why a run is left out of its series; `None` where it is not.
fn standing(record: &HistoryRecord<'_>) -> Option<Standing> {
    match record {
        _ if record.run.dirty => Some(Standing::Dirty),
        _ if record.record.is_untrusted() => Some(Standing::Untrusted),
        _ => record.record.barred.as_ref().map(|_| Standing::Barred),
    }
}

/// A required series that was never measured.
fn without_history(verdict: &SeriesVerdict) -> SeriesHistory {
    SeriesHistory {
        key: verdict.key.clone(),
        metric: verdict.metric.clone(),
        verdict: Some(verdict.clone()),
        is_follower: false,
        set_at: None,
        points: Vec::new(),
        levels: Vec::new(),
        ratchet: Vec::new(),
        excuses: Vec::new(),
    }
}
