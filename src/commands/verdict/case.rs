//! Every series of the evidence is judged, on every core.

use std::cell::Cell;
use std::num::NonZero;
use std::ops::Range;
use std::thread::ScopedJoinHandle;

use chrono::{DateTime, Utc};

use super::super::evidence::{Evidence, Unusable};
use super::super::followers;
use super::super::selection::Selection;
use super::Overrides;
use super::required::{require, unmeasured_notice, unselected_notice};
use super::suspects::is_suspect;
use crate::cli::CheckArgs;
use crate::judge::{
    self, BaselineRule, Candidate, Follower, MeasuredRun, NoisePrior, Older, Pair, Series, SeriesInput, SeriesVerdict, Thresholds,
};
use crate::model::{Metric, SeriesKey};
use crate::report::Notice;
use crate::settings::Settings;

/// What is asked of the evidence.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) arguments: &'a CheckArgs,
    pub(super) overrides: Overrides,
    pub(super) selection: &'a Selection,
    pub(super) policy: &'a Settings,
    pub(super) rule: BaselineRule,
    pub(super) now: DateTime<Utc>,
    pub(super) confirms: bool,
}

/// What came of it.
pub(super) struct Heard<'a> {
    pub(super) court: Court<'a>,
    /// The series that were judged; with their histories only where they may be judged again.
    pub(super) sides: Vec<(Series, Candidate)>,
    pub(super) series: Vec<SeriesVerdict>,
    /// The metrics that were left out since they follow from others.
    pub(super) followers: Vec<Follower>,
    pub(super) unmeasured: Option<Notice>,
}

impl<'a> Case<'a> {
    /// Judges every series by its history. What is not at hand is loaded for one series at a time.
    pub(super) fn hear(self, evidence: &Evidence) -> Result<Heard<'a>, Unusable> {
        let mut sides = evidence.outlines(self.selection)?;
        sides.retain(|(series, _)| !series.metric.is_descriptive());
        let is_nothing = sides.is_empty() && !self.selection.is_everything();
        let unmeasured = if is_nothing { unselected_notice(evidence)? } else { unmeasured_notice(&sides, evidence) };
        require(&mut sides, self.policy, self.selection, evidence)?;
        let followers = followers::set_aside(&mut sides, self.selection, self.policy);
        sides.iter_mut().try_for_each(|(series, _)| {
            // At least as many as noise is pooled from.
            let at_hand = evidence.digest(series).map(|digest| evidence.count(series) - digest.first_at_hand());
            evidence.load(series, at_hand.unwrap_or(NoisePrior::MOST_RUNS))
        })?;
        let court = Court {
            prior: NoisePrior::pooled(sides.iter().map(|(series, _)| series)),
            excuses: evidence.excuses(),
            rule: self.rule,
            overrides: self.overrides,
            policy: self.policy,
            arguments: self.arguments,
            now: self.now,
            family: sides.len(),
        };
        let verdicts = self.judge_all(&court, &mut sides, evidence)?;
        Ok(Heard { court, sides, series: verdicts, followers, unmeasured })
    }

    /// Judges on every core: each has the whole history of one series in memory at a time, at most.
    fn judge_all(
        &self,
        court: &Court<'_>,
        sides: &mut [(Series, Candidate)],
        evidence: &Evidence,
    ) -> Result<Vec<SeriesVerdict>, Unusable> {
        let judge = |side: &mut (Series, Candidate), spare: &mut Vec<MeasuredRun>| {
            if let Some(verdict) = court.judge_by_digest(side, evidence)? {
                if self.confirms && is_suspect(&verdict) {
                    evidence.load(&mut side.0, usize::MAX)?;
                }
                return Ok(verdict);
            }
            if side.0.runs.len() < evidence.count(&side.0) {
                side.0.runs = std::mem::take(spare);
            }
            evidence.load(&mut side.0, usize::MAX)?;
            let verdict = court.judge(side, &[], 1);
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
pub(super) struct Court<'a> {
    prior: NoisePrior,
    excuses: Vec<judge::PlacedExcuse>,
    rule: BaselineRule,
    overrides: Overrides,
    policy: &'a Settings,
    pub(super) arguments: &'a CheckArgs,
    now: DateTime<Utc>,
    family: usize,
}

impl Court<'_> {
    pub(super) fn judge(&self, side: &(Series, Candidate), pairs: &[Pair], suspects: usize) -> SeriesVerdict {
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
