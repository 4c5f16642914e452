//! The measuring: the two ends first, then commit after commit, each in turn with the old end; at last what was found in
//! turn with the commit before it.

use super::Subject;
use super::line::Line;
use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::paired::{Session, SoFar, not_remeasured};
use crate::harness::Next;
use crate::judge::{Halves, PairedShift, Placed, Search, ends_are_known};
use crate::model::{Metric, MetricName, ObjectId};
use crate::report::bisection::{Bisection, BisectionStep};
use crate::report::overview::CommitEntry;
use crate::report::progress::ProgressLine;
use crate::report::words::{self, SHORT_ID};
use crate::store::Store;

/// A search under way.
pub(super) struct Hunt<'a, 'b, 'c> {
    pub(super) session: &'a mut Session<'b>,
    pub(super) subject: &'a Subject,
    pub(super) line: &'a Line,
    /// Of two commits.
    pub(super) most_pairs: usize,
    pub(super) context: &'a mut Context<'c>,
}

/// What came out.
pub(super) struct Hunted {
    metric: Metric,
    whole: PairedShift,
    steps: Vec<BisectionStep>,
    /// The stretches of which one moved the series.
    found: std::ops::RangeInclusive<usize>,
    of_found: Option<PairedShift>,
}

/// Pairs of two commits: the values of both sides.
struct Pairs {
    metric: Metric,
    reference: Vec<f64>,
    other: Vec<f64>,
}

impl Pairs {
    fn are_of_known_ends(&self) -> bool {
        ends_are_known(self.metric.better, &self.reference, &self.other)
    }

    fn placed(&self, halves: &Halves) -> Option<Placed> {
        halves.placed(&self.reference, &self.other)
    }

    fn shift(&self) -> Result<PairedShift, CommandError> {
        PairedShift::of(self.metric.better, &self.reference, &self.other)
            .ok_or_else(|| CommandError::failure("nothing was measured"))
    }
}

/// Pairs as they come, and why there are none.
struct Collected<'a> {
    wanted: Option<&'a MetricName>,
    pairs: Option<Pairs>,
    missing: Option<Missing>,
}

enum Missing {
    /// The benchmark does not have it.
    Metric,
    /// One of the two commits does not tell it.
    Value,
}

impl Collected<'_> {
    /// Takes the newest pair; `None` where there is nothing to take.
    fn take(&mut self, so_far: SoFar<'_>) -> Option<&Pairs> {
        let place = self.wanted.map_or(Some(0), |wanted| so_far.metrics.iter().position(|metric| metric.name == *wanted));
        let Some((place, metric)) = place.and_then(|place| Some((place, so_far.metrics.get(place)?))) else {
            self.missing = Some(Missing::Metric);
            return None;
        };
        let newest = so_far.pairs.last()?;
        let Some((reference, other)) = newest.reference.median(place).zip(newest.candidate.median(place)) else {
            self.missing = Some(Missing::Value);
            return None;
        };
        let pairs = self.pairs.get_or_insert_with(|| Pairs { metric: metric.clone(), reference: Vec::new(), other: Vec::new() });
        pairs.reference.push(reference);
        pairs.other.push(other);
        Some(pairs)
    }
}

impl Hunt<'_, '_, '_> {
    /// Measures until a commit is found.
    ///
    /// # Errors
    /// The ends cannot be measured or do not differ, or the user wants to stop.
    pub(super) fn run(mut self, suspected: Option<(usize, usize)>) -> Result<Hunted, CommandError> {
        let last = self.line.len() - 1;
        let mut search = Search::new(self.line.len(), suspected);
        // The ends, the steps, and what was found; a suspicion that proves false costs two more.
        let most = 2 + search.steps_left() + if suspected.is_some() { 2 } else { 0 };
        let mut progress = ProgressLine::new(u64::from(most), self.context.terminal.progress);
        let ends = self.pairs(0, last, &mut progress, &Pairs::are_of_known_ends)?;
        let ends = ends.ok_or_else(|| {
            CommandError::no_verdict("the two ends cannot be measured here").with_hint("--old and --new name others")
        })?;
        let whole = ends.shift()?;
        let halves = Halves::between(ends.metric.better, &ends.reference, &ends.other).ok_or_else(|| self.no_move(&whole))?;
        let mut steps = Vec::new();
        while let Some(at) = search.next() {
            let measured =
                self.pairs(0, at, &mut progress, &|pairs: &Pairs| pairs.placed(&halves).is_some_and(|placed| placed.is_sure))?;
            let placed = measured.as_ref().and_then(|pairs| pairs.placed(&halves));
            let Some((pairs, Placed { side, is_sure })) = measured.zip(placed) else {
                search.passed_over(at);
                continue;
            };
            search.told(at, side);
            steps.push(BisectionStep { commit: self.line.measured(at), shift: pairs.shift()?, side, is_sure });
        }
        let found = search.found();
        let only = *found.end();
        let of_found = if last == 1 {
            Some(whole)
        } else if *found.start() == only {
            let pairs = self.pairs(only - 1, only, &mut progress, &Pairs::are_of_known_ends)?;
            pairs.map(|pairs| pairs.shift()).transpose()?
        } else {
            None
        };
        progress.finish();
        Ok(Hunted { metric: ends.metric, whole, steps, found, of_found })
    }

    /// Measures one commit in turn with another until it is enough; `None` where one of them cannot be measured.
    fn pairs(
        &mut self,
        reference: usize,
        other: usize,
        progress: &mut ProgressLine,
        is_enough: &dyn Fn(&Pairs) -> bool,
    ) -> Result<Option<Pairs>, CommandError> {
        let matchup = self.subject.matchup(self.line.measured(reference), self.line.measured(other));
        let name = |commit: ObjectId| commit.short(SHORT_ID);
        let title = format!("{} against {}", name(matchup.candidate), name(self.line.measured(reference)));
        progress.begin(self.context.err, &title)?;
        let most_pairs = self.most_pairs;
        let mut collected = Collected { wanted: self.subject.metric.as_ref(), pairs: None, missing: None };
        let measured = self.session.measure(&matchup, &mut |so_far| {
            let Some(pairs) = collected.take(so_far) else { return Next::Stop };
            progress.advance(pairs.other.len() as f64 / most_pairs as f64);
            if let Ok(shift) = pairs.shift() {
                progress.update(&title, &format!("{} pairs, {}", shift.pairs, words::paired_shift(&shift)), None);
            }
            if pairs.other.len() >= most_pairs || is_enough(pairs) { Next::Stop } else { Next::Measure }
        })?;
        progress.end();
        let Collected { pairs, missing, .. } = collected;
        match missing {
            Some(Missing::Metric) => return Err(self.no_such_metric()),
            Some(Missing::Value) => {
                self.session.notices.push(not_remeasured(&matchup, "it does not tell the metric"));
                return Ok(None);
            }
            None => {}
        }
        // Pairs before a failure prove nothing.
        let pairs = pairs.filter(|_| measured.is_some());
        if let Some(pairs) = pairs.as_ref().filter(|_| !self.context.terminal.progress) {
            let shift = pairs.shift()?;
            writeln!(self.context.err, "  {} pairs, {}", shift.pairs, words::paired_shift(&shift))?;
        }
        Ok(pairs)
    }

    fn no_such_metric(&self) -> CommandError {
        let metric = self.subject.metric.as_ref().map_or("a metric", MetricName::as_str);
        CommandError::usage(format!("{} does not tell {metric} when it is measured", self.subject.benchmark))
            .with_hint("--metric names another")
    }

    fn no_move(&self, whole: &PairedShift) -> CommandError {
        let (old, new) = (self.line.measured(0).short(SHORT_ID), self.line.measured(self.line.len() - 1).short(SHORT_ID));
        let found = format!("{} pairs, {}", whole.pairs, words::paired_shift(whole));
        CommandError::no_verdict(format!("{} does not differ here between {old} and {new}: {found}", self.subject.benchmark))
            .with_hint("the change is not the code's, or this computer is too busy to see it in so few --pairs; --old and --new name other commits")
    }
}

impl Hunted {
    /// With the commits as people name them.
    pub(super) fn described(self, subject: &Subject, line: &Line, store: &Store) -> Result<Bisection, CommandError> {
        let entry = |id: ObjectId| {
            let info = store.commit(id)?;
            Ok::<_, CommandError>(CommitEntry { id, time: info.time, author: info.author.name, subject: info.subject })
        };
        let found: Vec<CommitEntry> = self.found.map(|at| entry(line.first(at))).collect::<Result<_, _>>()?;
        let parents = match found.as_slice() {
            [only] => store.commit(only.id)?.parents.len(),
            _ => 1,
        };
        Ok(Bisection {
            benchmark: subject.benchmark.clone(),
            config: subject.config.clone(),
            metric: self.metric,
            old: entry(line.measured(0))?,
            new: entry(line.measured(line.len() - 1))?,
            commits: line.commits(),
            left_alone: line.left_alone(),
            whole: self.whole,
            steps: self.steps,
            found,
            of_found: self.of_found,
            is_merge: parents > 1,
        })
    }
}
