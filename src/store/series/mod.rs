//! A history sorted into series, kept in a file so that a check need not read a history that it has seen.
//!
//! The file stands under `ratchet/series/` of the folder that linked worktrees share. It is derived from what git has: the
//! history down from one commit, and one tree of notes, both named in it by their ids. What came later is put on top
//! while reading ([`newer`]), and once that is much, a new file is written. A file that is damaged, of another version or
//! about something else is not used and made again; where none can be written, a nameless one in the system's temporary
//! folder serves. So deleting the folder costs time only.
//!
//! What this is not: a store of its own, or a place for anything that cannot be read from the notes again. Shallow clones
//! and repositories with replace refs, whose histories change while ids stay, are read without it.

mod blocks;
mod build;
mod newer;
mod piles;
mod places;
mod stored;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::ops::Range;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use self::blocks::Part;
use self::newer::{NewRecord, Newer, Outdated, Search};
use self::stored::{Base, Row, RunTime, StoredUnit};
use super::objects::ours;
use super::{AnnotatedHistory, HistoryCommit, Store, StoreError, Walk};
use crate::judge::Digest;
use crate::model::{LineId, Metric, ObjectId, SeriesKey, Summary, Unit};

/// More commits than this since the file was written, and a new one is.
const MOST_FRESH: usize = 256;

/// So many runs of one commit may have lower numbers than the first of a series. Were there more, the notes would answer.
const MOST_RUNS_BEFORE: u64 = 4096;

/// So many rows are read at once: they stay in the processor's cache until they are understood.
const ROWS_AT_ONCE: usize = 3600;

/// Several branches are checked in turn; each has a file, up to this many.
const MOST_FILES: usize = 4;

/// One run of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesRun {
    /// The age of the commit that it counts for: 0 is the oldest of the history.
    pub age: usize,
    /// That commit.
    pub commit: ObjectId,
    /// The run.
    pub run: LineId,
    /// When it began.
    pub time: DateTime<Utc>,
    /// Its statistics, without mean and extremes.
    pub summary: Summary,
    /// The hash of the machine code that ran.
    pub machine_code: Option<String>,
}

/// How many records a series has, seen from one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeriesCounts {
    /// Those that may be a baseline.
    pub runs: usize,
    /// Measured with uncommitted changes.
    pub dirty: usize,
    /// Never a baseline for another reason.
    pub barred: usize,
    /// In other units.
    pub other_unit: usize,
}

/// The series of a history. The runs of each are read when they are asked for.
#[derive(Debug)]
pub struct SeriesHistory {
    base: Base,
    /// Commits that are newer than the file, newest first.
    fresh: Vec<HistoryCommit>,
    newer: Newer,
}

impl Store {
    /// The series along the ancestors of `tip`, itself included, and what counts for the commits before them, `own`
    /// (newest first). `None` where this repository has to be read without the file: then
    /// [`Store::annotated_history`] answers.
    pub fn series_history(&self, own: &[HistoryCommit], tip: ObjectId, walk: Walk) -> Result<Option<SeriesHistory>, StoreError> {
        let Some(notes) = self.notes_commit(&self.notes_ref)?.filter(|_| self.may_keep_series()) else {
            return Ok(None);
        };
        let notes_tree = ours(self.tree_of(notes)?);
        if let Some(known) = self.known_series(own, tip, walk, notes_tree) {
            return Ok(Some(known));
        }
        let Some(file) = self.write_series(tip, walk, notes_tree)? else {
            return Ok(None);
        };
        let answer = || SeriesHistory::new(self, Base::open(file, tip)?, Vec::new(), own, notes_tree);
        Ok(answer().ok())
    }

    /// The files are of no use where ids do not say what a history holds.
    fn may_keep_series(&self) -> bool {
        let is_off = self.repo.config_snapshot().boolean("ratchet.cache") == Some(false);
        let replaces = || self.has_refs("refs/replace/").unwrap_or(true);
        !is_off && !self.is_shallow() && !replaces()
    }

    /// From a file of this tip or of one of its ancestors.
    fn known_series(&self, own: &[HistoryCommit], tip: ObjectId, walk: Walk, notes_tree: ObjectId) -> Option<SeriesHistory> {
        let folder = self.series_folder();
        let known: Vec<ObjectId> = files_of(&folder).iter().filter_map(|path| tip_of(path, walk)).collect();
        let is_known = |id: ObjectId| known.contains(&id);
        let (fresh, found) = self.line_to(tip, walk, MOST_FRESH, is_known).ok()?.filter(|_| !known.is_empty())?;
        let base = Base::open(File::open(folder.join(file_name(found, walk))).ok()?, found).ok()?;
        SeriesHistory::new(self, base, fresh, own, notes_tree).ok()
    }

    /// Reads everything and writes a file; `None` where nothing can be written.
    fn write_series(&self, tip: ObjectId, walk: Walk, notes_tree: ObjectId) -> Result<Option<File>, StoreError> {
        let history = self.history(&[tip], walk)?;
        let folder = self.series_folder();
        let place = fs::create_dir_all(&folder).and_then(|()| tempfile::NamedTempFile::new_in(&folder));
        if let Ok(place) = place
            && build::write(place.as_file(), &folder, &history, self.reopened()?, notes_tree)?.is_ok()
        {
            // Another process may have written the same: one of both stays, and both are right.
            return Ok(place
                .persist(folder.join(file_name(tip, walk)))
                .ok()
                .inspect(|_| tidy(&folder))
                .and(File::open(folder.join(file_name(tip, walk))).ok()));
        }
        let Ok(nameless) = tempfile::tempfile() else { return Ok(None) };
        Ok(build::write(&nameless, &tempfile::env::temp_dir(), &history, self.reopened()?, notes_tree)?.ok().map(|()| nameless))
    }

    fn series_folder(&self) -> PathBuf {
        self.common_dir().join("ratchet").join("series")
    }
}

impl SeriesHistory {
    fn new(
        store: &Store,
        base: Base,
        fresh: Vec<HistoryCommit>,
        own: &[HistoryCommit],
        notes_tree: ObjectId,
    ) -> Result<Self, Outdated> {
        let newer = Search { store, base: &base, notes_tree, fresh: &fresh, own }.run()?;
        Ok(Self { base, fresh, newer })
    }

    /// What counts for the candidate's own commits, and the excuses of all of them and of the history, where a position
    /// counts from the candidate; and what was noticed.
    pub fn annotated(&self) -> &AnnotatedHistory {
        &self.newer.annotated
    }

    /// How many commits the history has.
    pub fn len(&self) -> usize {
        self.base.len() as usize + self.fresh.len()
    }

    /// Whether the history has no commit.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The ids of the history, newest first. `None` where the file turns out to be damaged.
    pub fn line(&self) -> Option<Vec<ObjectId>> {
        let older = self.base.all_commits().ok()?;
        Some(self.fresh.iter().map(|commit| commit.id).chain(older.into_iter().rev()).collect())
    }

    /// Every series with the metric of its newest record, in the order of their keys. `None` where the file turns out to
    /// be damaged.
    pub fn series(&self) -> Option<Vec<(SeriesKey, Metric)>> {
        let mut series = BTreeMap::new();
        for stored in &self.base.directory.series {
            let key = stored.key().ok()?;
            let newer = self.newer.records.get(&key).and_then(|records| records.last());
            let metric = match newer.filter(|newer| newer.instant > stored.newest) {
                Some(newer) => newer.metric.clone(),
                None => stored.metric().ok()?,
            };
            series.insert(key, metric);
        }
        for (key, records) in &self.newer.records {
            let newest = records.last()?;
            series.entry(key.clone()).or_insert_with(|| newest.metric.clone());
        }
        Some(series.into_iter().collect())
    }

    /// How many records a series has.
    pub fn counts(&self, key: &SeriesKey, unit: &Unit) -> SeriesCounts {
        let mut counts = SeriesCounts::default();
        for stored in self.base.series(key).iter().flat_map(|series| &series.units) {
            let runs = stored.rows.len as usize;
            if stored.unit == unit.symbol() {
                counts = SeriesCounts { runs: counts.runs + runs, dirty: stored.dirty, barred: stored.barred, ..counts };
            } else {
                counts.other_unit += runs + stored.dirty + stored.barred;
            }
        }
        for record in self.newer.records.get(key).into_iter().flatten() {
            let of = match record {
                _ if record.metric.unit != *unit => &mut counts.other_unit,
                NewRecord { dirty: true, .. } => &mut counts.dirty,
                NewRecord { barred: true, .. } => &mut counts.barred,
                _ => &mut counts.runs,
            };
            *of += 1;
        }
        counts
    }

    /// What the oldest runs of a series come to that may be a baseline, where that was kept and nothing was added among
    /// them since. `None` as well where the file turns out to be damaged: then all runs have to be asked for.
    pub fn digest(&self, key: &SeriesKey, unit: &Unit) -> Option<Digest> {
        let stored = self.stored_unit(key, unit)?;
        let digest = self.base.digest(stored).ok()??;
        let last = digest.runs().checked_sub(1)? as u64;
        let newest = self.base.reader.read(stored.rows, last..last + 1).ok()?;
        let newest = Row::from_bytes(&newest).age;
        self.newer_runs(key, unit).all(|record| record.instant.age > newest).then_some(digest)
    }

    /// The newest runs of a series that may be a baseline, oldest first and at most `most`, each made into what the caller
    /// keeps, in a list that may have been used before. `None` where the file turns out to be damaged.
    pub fn runs<T>(
        &self,
        key: &SeriesKey,
        unit: &Unit,
        most: usize,
        keep: impl Fn(SeriesRun) -> T,
        kept: &mut Vec<T>,
    ) -> Option<()> {
        kept.clear();
        let mut newer = self.newer_runs(key, unit).peekable();
        if newer.peek().is_none() {
            return self.older_runs(key, unit, most, |_, run| kept.push(keep(run)));
        }
        let mut runs = Vec::new();
        self.older_runs(key, unit, most, |id, run| runs.push((id, run)))?;
        for NewRecord { instant, run, time, figures, machine_code, .. } in newer {
            let age = instant.age as usize;
            let (commit, summary, machine_code) = (self.commit(age)?, figures.summary(), machine_code.clone());
            runs.push((instant.id, SeriesRun { age, commit, run: *run, time: *time, summary, machine_code }));
        }
        let place = |(id, run): &([u8; 16], SeriesRun)| (run.age, run.time, *id);
        // What came later may count for an older commit.
        if !runs.is_sorted_by_key(place) {
            runs.sort_by_key(place);
        }
        let first = runs.len().saturating_sub(most);
        kept.extend(runs.into_iter().skip(first).map(|(_, run)| keep(run)));
        Some(())
    }

    /// Some of the runs that a digest stands for, by their numbers from the oldest on. `None` where the file turns out to
    /// be damaged.
    pub fn sealed_runs(&self, key: &SeriesKey, unit: &Unit, numbers: Range<usize>) -> Option<Vec<SeriesRun>> {
        let reader = &self.base.reader;
        let rows = reader.read(self.stored_unit(key, unit)?.rows, numbers.start as u64..numbers.end as u64).ok()?;
        let rows: Vec<Row> = rows.chunks_exact(Row::SIZE).map(Row::from_bytes).collect();
        let ages = rows.first()?.age..=rows.last()?.age;
        let runs = rows.iter().map(|row| row.run).min()?..=rows.iter().map(|row| row.run).max()?;
        let commits = reader.part(self.base.directory.commits, u64::from(*ages.start())..u64::from(*ages.end()) + 1).ok()?;
        let runs = reader.part(self.base.directory.runs, u64::from(*runs.start())..u64::from(*runs.end()) + 1).ok()?;
        rows.iter().map(|row| self.run_of(row, &commits, &runs)).collect()
    }

    /// The records since the file that may be a baseline.
    fn newer_runs(&self, key: &SeriesKey, unit: &Unit) -> impl Iterator<Item = &NewRecord> {
        let newer = self.newer.records.get(key).into_iter().flatten();
        newer.filter(move |record| record.metric.unit == *unit && !record.dirty && !record.barred)
    }

    /// The commit of an age.
    fn commit(&self, age: usize) -> Option<ObjectId> {
        match self.len().checked_sub(1 + age).and_then(|place| self.fresh.get(place)) {
            Some(commit) => Some(commit.id),
            None => self.base.commit(u32::try_from(age).ok()?).ok(),
        }
    }
}

impl SeriesHistory {
    fn stored_unit(&self, key: &SeriesKey, unit: &Unit) -> Option<&StoredUnit> {
        self.base.series(key)?.units.iter().find(|stored| stored.unit == unit.symbol())
    }

    /// Hands over the newest runs that the file has, oldest first, with the ids of their records.
    fn older_runs(&self, key: &SeriesKey, unit: &Unit, most: usize, mut take: impl FnMut([u8; 16], SeriesRun)) -> Option<()> {
        let Some(stored) = self.stored_unit(key, unit) else { return Some(()) };
        let (reader, len) = (&self.base.reader, stored.rows.len);
        let first = len.saturating_sub(most as u64);
        let Some(oldest) =
            reader.read(stored.rows, first..len.min(first + 1)).ok()?.chunks_exact(Row::SIZE).next().map(Row::from_bytes)
        else {
            return Some(());
        };
        let commits = self.base.commits.from(reader, u64::from(oldest.age)).ok()?;
        // Runs are numbered by the age of what they measured, so that only those of the same commit may stand before.
        let runs = self.base.runs.from(reader, u64::from(oldest.run).saturating_sub(MOST_RUNS_BEFORE)).ok()?;
        for some in (first..len).step_by(ROWS_AT_ONCE) {
            let rows = reader.read(stored.rows, some..len.min(some + ROWS_AT_ONCE as u64)).ok()?;
            for row in rows.chunks_exact(Row::SIZE).map(Row::from_bytes) {
                take(row.id, self.run_of(&row, &commits, &runs)?);
            }
        }
        Some(())
    }

    /// What a row says, with the part of the commits and of the runs that it names.
    fn run_of(&self, row: &Row, commits: &Part, runs: &Part) -> Option<SeriesRun> {
        let RunTime { id, time } = RunTime::from_bytes(runs.get(u64::from(row.run))?);
        let commit = ObjectId::from_bytes(commits.get(u64::from(row.age))?)?;
        let (summary, machine_code) = (row.figures.summary(), self.base.code(row.code).ok()?);
        Some(SeriesRun { age: row.age as usize, commit, run: id, time, summary, machine_code })
    }
}

/// A file's name says which history it is about.
fn file_name(tip: ObjectId, walk: Walk) -> String {
    let walk = match walk {
        Walk::FirstParent => "first-parent",
        Walk::All => "all",
    };
    format!("{walk}-{tip}")
}

fn tip_of(path: &Path, walk: Walk) -> Option<ObjectId> {
    let name = path.file_name()?.to_str()?;
    let tip: ObjectId = name.rsplit('-').next()?.parse().ok()?;
    (file_name(tip, walk) == name).then_some(tip)
}

/// The files of a folder, newest first, leftovers of killed processes among them.
fn files_of(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .filter_map(|entry| Some((entry.metadata().ok().filter(fs::Metadata::is_file)?.modified().ok()?, entry.path())))
        .collect();
    files.sort();
    files.into_iter().rev().map(|(_, path)| path).collect()
}

/// Lets go of the oldest. What another process is writing is younger than the files that stay; were it taken away, that
/// process would do with a nameless file.
fn tidy(folder: &Path) {
    for file in files_of(folder).into_iter().skip(MOST_FILES) {
        // Another process may have been quicker.
        let _ = fs::remove_file(file);
    }
}
