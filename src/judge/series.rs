//! Series: the runs that may be compared, along a history.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::{DateTime, Utc};

use crate::model::{Direction, LineId, Metric, MetricName, ObjectId, Record, Run, SeriesKey, Summary};

/// One run's sample of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredRun {
    /// The commit it counts for: the one that was measured, or one with the same tree.
    pub commit: ObjectId,
    /// Where that commit stands in the history: 0 is the newest.
    pub position: usize,
    /// The run.
    pub run: LineId,
    /// When it began.
    pub time: DateTime<Utc>,
    /// Statistics of the sample, in base units. The run's value is the median.
    pub summary: Summary,
    /// Hash of what ran, where the record says.
    pub machine_code: Option<String>,
}

impl MeasuredRun {
    /// The run's value: the median of its sample, in base units.
    pub fn value(&self) -> f64 {
        self.summary.median
    }
}

/// The runs of each commit, as ranges of `runs`, which are sorted by position. Runs of one commit share what its binary's
/// layout and its session gave them: they are one piece of evidence about a level, known the better the more there are.
pub(super) fn by_commit(runs: &[MeasuredRun]) -> Vec<Range<usize>> {
    let mut end = 0;
    let same_commit = runs.chunk_by(|one, other| one.position == other.position);
    same_commit
        .map(|of_commit| {
            end += of_commit.len();
            end - of_commit.len()..end
        })
        .collect()
}

/// Runs that were left out of a series because they can be no baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Excluded {
    /// Measured with uncommitted changes.
    pub dirty: usize,
    /// Failed verification, or beyond the physical limit.
    pub barred: usize,
    /// Measured in another unit, which cannot be compared.
    pub other_unit: usize,
    /// Not signed, where only what is signed counts.
    pub untrusted: usize,
}

impl Excluded {
    /// How many there are.
    pub fn total(&self) -> usize {
        self.dirty + self.barred + self.other_unit + self.untrusted
    }
}

/// The runs of one (benchmark, config, metric, testbed) along a history.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What makes its runs comparable.
    pub key: SeriesKey,
    /// Unit and direction.
    pub metric: Metric,
    /// The runs that may be a baseline, oldest first.
    pub runs: Vec<MeasuredRun>,
    /// How many others there were.
    pub excluded: Excluded,
    /// What was better when the history was last recorded, where the candidate says the opposite.
    pub was_better: Option<Direction>,
}

/// What is held against the baseline: the runs of one commit, in any order. Dirty and barred runs may be among them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Candidate {
    /// Its runs; empty where the commit was not measured.
    pub runs: Vec<MeasuredRun>,
    /// Whether any of them was measured with uncommitted changes.
    pub dirty: bool,
    /// Why any of them may never be a baseline.
    pub barred: Option<String>,
    /// Nobody signed for them, where only what is signed counts.
    pub untrusted: bool,
    /// The metric that the newest of them follows from.
    pub follows: Option<MetricName>,
}

/// A record where it counts: on the commit that was measured, or on one with the same tree.
#[derive(Debug, Clone, Copy)]
pub struct HistoryRecord<'a> {
    /// The commit that it counts for.
    pub commit: ObjectId,
    /// Where that commit stands in the history: 0 is the newest. Of no meaning for a candidate.
    pub position: usize,
    /// The record's run.
    pub run: &'a Run,
    /// The record.
    pub record: &'a Record,
}

impl HistoryRecord<'_> {
    fn key(&self) -> SeriesKey {
        SeriesKey {
            benchmark: self.record.benchmark.clone(),
            config: self.record.config.clone(),
            metric: self.record.metric.name.clone(),
            testbed: self.run.testbed.key().to_owned(),
        }
    }

    fn measured(&self) -> MeasuredRun {
        MeasuredRun {
            commit: self.commit,
            position: self.position,
            run: self.run.id,
            time: self.run.time,
            summary: self.record.summary.clone(),
            machine_code: self.record.machine_code.clone(),
        }
    }
}

/// Sorts the records of a history and of a candidate into series, in the order of their keys.
///
/// A record that counts for several commits (they have the same tree) is one piece of evidence and stands at the newest
/// of them. Unit and direction are the candidate's, else the newest record's; runs in another unit are left out and
/// counted, as are dirty, barred and untrusted ones. A series that only one side knows has nothing on the other. Untrusted
/// records make a candidate only where there are no others: added to those, they could lift it.
pub fn assemble<'a>(
    history: impl IntoIterator<Item = HistoryRecord<'a>>,
    candidate: impl IntoIterator<Item = HistoryRecord<'a>>,
) -> Vec<(Series, Candidate)> {
    let mut gathered: BTreeMap<SeriesKey, Gathered<'a>> = BTreeMap::new();
    for record in history {
        gathered.entry(record.key()).or_default().history.push(record);
    }
    for record in candidate {
        gathered.entry(record.key()).or_default().candidate.push(record);
    }
    gathered.into_iter().filter_map(|(key, records)| records.into_series(key)).collect()
}

/// The records of one series.
#[derive(Default)]
struct Gathered<'a> {
    history: Vec<HistoryRecord<'a>>,
    candidate: Vec<HistoryRecord<'a>>,
}

impl Gathered<'_> {
    fn into_series(mut self, key: SeriesKey) -> Option<(Series, Candidate)> {
        keep_newest(&mut self.history);
        keep_newest(&mut self.candidate);
        if self.candidate.iter().any(|record| !record.record.is_untrusted()) {
            self.candidate.retain(|record| !record.record.is_untrusted());
        }
        let metric = Metric { follows: None, ..self.candidate.last().or(self.history.last())?.record.metric.clone() };
        let was = self.history.last().map(|record| record.record.metric.better);
        let mut series = Series::empty(key, metric);
        series.was_better = was.filter(|was| *was != series.metric.better);
        self.history.iter().for_each(|record| series.take(record));
        let comparable = self.candidate.iter().filter(|record| record.record.metric.unit == series.metric.unit);
        let mut candidate = Candidate::default();
        comparable.for_each(|record| candidate.take(record));
        Some((series, candidate))
    }
}

/// Oldest first, every record once.
fn keep_newest(records: &mut Vec<HistoryRecord<'_>>) {
    records.sort_by_key(|record| (record.record.id, record.position));
    records.dedup_by_key(|record| record.record.id);
    records.sort_by_key(|record| (std::cmp::Reverse(record.position), record.run.time, record.record.id));
}

impl Series {
    /// A series without runs.
    pub fn empty(key: SeriesKey, metric: Metric) -> Self {
        Self { key, metric, runs: Vec::new(), excluded: Excluded::default(), was_better: None }
    }

    fn take(&mut self, record: &HistoryRecord<'_>) {
        if record.record.metric.unit != self.metric.unit {
            self.excluded.other_unit += 1;
        } else if record.run.dirty {
            self.excluded.dirty += 1;
        } else if record.record.is_untrusted() {
            self.excluded.untrusted += 1;
        } else if record.record.barred.is_some() {
            self.excluded.barred += 1;
        } else {
            self.runs.push(record.measured());
        }
    }
}

impl Candidate {
    fn take(&mut self, record: &HistoryRecord<'_>) {
        self.dirty |= record.run.dirty;
        let is_untrusted = record.record.is_untrusted();
        self.untrusted |= is_untrusted;
        self.barred = self.barred.take().or_else(|| record.record.barred.clone().filter(|_| !is_untrusted));
        self.follows = record.record.metric.follows.clone();
        self.runs.push(record.measured());
    }
}
