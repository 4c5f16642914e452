//! Long histories: what the oldest runs of a series come to, so that a judgement need not look at them again.
//!
//! Runs that more than two thousand commits have followed are *sealed*, in blocks of 1,024 commits from the oldest on.
//! What is sealed was cleaned of outliers by the noise of its own block, for good, and counts by the lowest stretches in
//! it ([`Lowest`]) and by its best run. Everything else that a verdict depends on (today's noise, what comes and goes, creep)
//! looks at newer runs only.
//!
//! A history is sealed in the same way whether it is all at hand or comes as a [`Digest`] that somebody kept: a digest
//! saves time and changes no verdict.

use std::borrow::Cow;
use std::ops::Range;

use super::level::{HAMPEL_LIMIT, without_flukes};
use super::lowest::{Lowest, number};
use super::noise::{LEAST_SIGMA, largest_lagged};
use super::scale::Scale;
use super::series::by_commit;
use super::{Candidate, ExcusePlace, MeasuredRun, PlacedExcuse, Series};
use crate::model::Direction;

/// Commits of one block.
const BLOCK: usize = 1024;

/// At least this many of the newest commits are not sealed: as many as noise is estimated from, and what filters at
/// the ends see beyond.
const OPEN: usize = 2048;

/// So many commits before the open ones are at hand as well: those that may stand for a level that reaches into them.
pub(super) const WITNESSES: usize = 256;

fn is_better(better: Direction, one: f64, other: f64) -> bool {
    match better {
        Direction::Lower => one < other,
        Direction::Higher => one > other,
    }
}

/// How many of so many commits are sealed.
fn sealed(commits: usize) -> usize {
    commits.saturating_sub(OPEN) / BLOCK * BLOCK
}

/// What the sealed runs of a series come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Digest {
    better: Direction,
    /// The best value, and the number of the newest run that has it.
    best: (f64, usize),
    /// The first commit that has to be at hand, and the number of its first run.
    at_hand: (usize, usize),
    lowest: Lowest,
}

impl Digest {
    /// Of the runs of a series, oldest first: the age of the commit of each (larger is newer), and its value. `None` where
    /// nothing is old enough, and where values are not positive: their scale depends on all of them.
    pub fn of(better: Direction, runs: &[(u32, f64)]) -> Option<Self> {
        let commits: Vec<&[(u32, f64)]> = runs.chunk_by(|one, other| one.0 == other.0).collect();
        let sealed_runs: usize = commits.iter().take(sealed(commits.len())).map(|commit| commit.len()).sum();
        if sealed_runs == 0 || runs.iter().any(|(_, value)| *value <= 0.0) {
            return None;
        }
        let scale = Scale::logarithmic(better);
        let value_of = |commit: &&[(u32, f64)]| scale.place_of_commit(commit.iter().map(|(_, value)| *value));
        let places: Vec<f64> = commits.iter().filter_map(value_of).collect();
        let counts = commits.iter().map(|commit| commit.len()).collect();
        let past = Past { lowest: Lowest::default(), at_hand: (0, 0), counts }.sealed(&places);
        let first = past.lowest.len() - WITNESSES;
        let values = runs[..sealed_runs].iter().map(|(_, value)| *value);
        let best = values.zip(0..).reduce(|best, next| if is_better(better, best.0, next.0) { best } else { next })?;
        Some(Self { better, best, at_hand: (first, past.counts[..first].iter().sum()), lowest: past.lowest })
    }

    /// How many of the oldest runs it stands for.
    pub fn runs(&self) -> usize {
        self.lowest.runs()
    }

    /// The number of the oldest run that has to be at hand beside it.
    pub fn first_at_hand(&self) -> usize {
        self.at_hand.1
    }

    /// Whether it says of this series, of which the newest runs are at hand, what all of them would. An excuse may set
    /// aside some of those that it stands for, and values that are not positive ask for another scale.
    pub fn serves(&self, series: &Series, candidate: &Candidate, excuses: &[PlacedExcuse]) -> bool {
        let oldest = series.runs.first().map_or(0, |run| run.position);
        let is_older = |place| matches!(place, ExcusePlace::History(position) if position >= oldest);
        let cuts = |placed: &PlacedExcuse| is_older(placed.place) && placed.excuse.scope.covers(&series.key);
        let is_positive = |run: &MeasuredRun| run.value() > 0.0;
        self.better == series.metric.better
            && series.runs.iter().chain(&candidate.runs).all(is_positive)
            && !excuses.iter().any(cuts)
    }

    /// As numbers, for [`Digest::from_words`].
    pub fn words(&self) -> Vec<u64> {
        let better = u64::from(self.better == Direction::Higher);
        let (value, run) = self.best;
        let head = [better, value.to_bits(), run as u64, self.at_hand.0 as u64, self.at_hand.1 as u64];
        head.into_iter().chain(self.lowest.words()).collect()
    }

    /// Back from numbers; `None` where they cannot be that.
    pub fn from_words(words: &[u64]) -> Option<Self> {
        let words = &mut words.iter().copied();
        let better = if words.next()? == 0 { Direction::Lower } else { Direction::Higher };
        let best = (f64::from_bits(words.next()?), number(words)?);
        let at_hand = (number(words)?, number(words)?);
        let lowest = Lowest::from_words(words)?;
        (at_hand.0 <= lowest.len() && at_hand.1 <= lowest.runs()).then_some(Self { better, best, at_hand, lowest })
    }
}

/// The oldest runs of a series that are not at hand.
#[derive(Clone, Copy)]
pub struct Older<'a> {
    /// What they come to.
    pub digest: &'a Digest,
    /// Brings some of them, by their numbers from the oldest on.
    pub read: &'a dyn Fn(Range<usize>) -> Vec<MeasuredRun>,
}

/// The runs that bind, oldest first.
#[derive(Clone, Copy)]
pub(super) struct Binding<'a> {
    pub(super) older: Option<Older<'a>>,
    /// All of them, or from [`Digest::first_at_hand`] on.
    pub(super) runs: &'a [MeasuredRun],
}

impl<'a> Binding<'a> {
    /// How many runs bind.
    pub(super) fn len(&self) -> usize {
        self.first_run() + self.runs.len()
    }

    /// The number of the first run at hand.
    fn first_run(&self) -> usize {
        self.older.map_or(0, |older| older.digest.at_hand.1)
    }

    /// The best of all runs; of equally good ones the newest: its commit is the easiest to build again.
    pub(super) fn best(&self, better: Direction) -> Option<Cow<'a, MeasuredRun>> {
        let order = |a: &&MeasuredRun, b: &&MeasuredRun| match better {
            Direction::Lower => a.value().total_cmp(&b.value()),
            Direction::Higher => b.value().total_cmp(&a.value()),
        };
        let at_hand = self.runs.iter().rev().min_by(order)?;
        match self.older {
            Some(Older { digest, read }) if is_better(better, digest.best.0, at_hand.value()) => {
                read(digest.best.1..digest.best.1 + 1).pop().map(Cow::Owned)
            }
            _ => Some(Cow::Borrowed(at_hand)),
        }
    }

    /// The runs with these numbers, of no more than the newest [`WITNESSES`] of their commits. The numbers begin and end
    /// with commits.
    pub(super) fn newest_of(&self, numbers: Range<usize>) -> Cow<'a, [MeasuredRun]> {
        let newest = |runs: &[MeasuredRun]| {
            let commits = by_commit(runs);
            commits.len().checked_sub(WITNESSES).map_or(0, |first| commits[first..].first().map_or(0, |range| range.start))
        };
        let first_run = self.first_run();
        if let Some(older) = self.older.filter(|older| numbers.end <= older.digest.runs()) {
            let mut first = numbers.start.max(numbers.end.saturating_sub(WITNESSES + 1));
            loop {
                let mut runs = (older.read)(first..numbers.end);
                if first == numbers.start || by_commit(&runs).len() > WITNESSES || runs.is_empty() {
                    runs.drain(..newest(&runs));
                    return Cow::Owned(runs);
                }
                // Several runs of a commit: look further back.
                first = numbers.start.max(first.saturating_sub(numbers.end - first));
            }
        }
        let runs = &self.runs[numbers.start.saturating_sub(first_run)..numbers.end - first_run];
        Cow::Borrowed(&runs[newest(runs)..])
    }

    /// What is sealed of these runs, whose commits have these places.
    pub(super) fn past(&self, places: &[f64]) -> Past {
        let counts = by_commit(self.runs).iter().map(ExactSizeIterator::len).collect();
        let (lowest, at_hand) =
            self.older.map_or_else(Default::default, |older| (older.digest.lowest.clone(), older.digest.at_hand));
        Past { lowest, at_hand, counts }.sealed(places)
    }
}

/// What is sealed of a history, beside the places of the commits at hand.
pub(super) struct Past {
    /// The sealed commits.
    pub(super) lowest: Lowest,
    /// The first commit at hand, and the number of its first run.
    at_hand: (usize, usize),
    /// How many runs each commit at hand has.
    counts: Vec<usize>,
}

impl Past {
    /// Where among the places at hand those begin that are not sealed.
    fn open(&self) -> usize {
        self.lowest.len().saturating_sub(self.at_hand.0)
    }

    /// How many commits there are up to a place at hand.
    pub(super) fn number_of(&self, at: usize) -> usize {
        self.at_hand.0 + at
    }

    /// The number of the first run of a commit at hand.
    pub(super) fn run_of(&self, at: usize) -> usize {
        self.at_hand.1 + self.counts[..at].iter().sum::<usize>()
    }

    /// Seals whatever these places, all there are, let be sealed.
    fn sealed(mut self, places: &[f64]) -> Self {
        let end = sealed(self.number_of(places.len()));
        while self.lowest.len() < end {
            let block = self.open()..self.open() + BLOCK;
            let sigma = largest_lagged(&places[block.clone()]).unwrap_or(0.0).max(LEAST_SIGMA);
            let cleaned = without_flukes(places, block.clone(), HAMPEL_LIMIT * sigma);
            self.lowest.extend(cleaned.into_iter().zip(self.counts[block].iter().copied()));
        }
        self
    }

    /// The lowest stretches up to the last of these places at hand, whose outliers lie beyond `limit`; and the open places
    /// without those.
    pub(super) fn lowest_with(&self, places: &[f64], limit: f64) -> (Lowest, Vec<f64>) {
        let open = self.open()..places.len();
        let cleaned = without_flukes(places, open.clone(), limit);
        let mut lowest = self.lowest.clone();
        lowest.extend(cleaned.iter().copied().zip(self.counts[open].iter().copied()));
        (lowest, cleaned)
    }
}
