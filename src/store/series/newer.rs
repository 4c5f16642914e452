//! What came after the file was written: newer commits, and notes that changed. Few of both, so they are read in full.
//!
//! Only what can be put on top is taken: commits that follow the file's newest in one line, and notes that gained lines.
//! Everything else, such as a commit that restores an older tree or a record that is there already, asks for a new
//! file. That is always right, and rare.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::blocks::Damaged;
use super::stored::{Base, Figures, Instant};
use crate::codec::{self, Note};
use crate::model::{LineId, Metric, ObjectId, Record, Run, SeriesKey};
use crate::store::annotated::{AnnotatedCommit, AnnotatedHistory};
use crate::store::by_tree::{ByTree, Counts};
use crate::store::difference::Differing;
use crate::store::objects::theirs;
use crate::store::{History, HistoryCommit, Store, StoreError};

/// More changed notes than this, and a new file is written.
const MOST_CHANGED: usize = 256;

/// The file cannot answer: a new one has to be made. Where the repository itself is at fault, making it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outdated;

impl From<Damaged> for Outdated {
    fn from(_: Damaged) -> Self {
        Self
    }
}

impl From<StoreError> for Outdated {
    fn from(_: StoreError) -> Self {
        Self
    }
}

/// A record that the file does not have.
#[derive(Debug, Clone)]
pub(super) struct NewRecord {
    pub(super) instant: Instant,
    pub(super) run: LineId,
    pub(super) time: chrono::DateTime<chrono::Utc>,
    pub(super) metric: Metric,
    pub(super) dirty: bool,
    pub(super) barred: bool,
    pub(super) machine_code: Option<String>,
    pub(super) figures: Figures,
}

/// Everything since the file.
#[derive(Debug, Default)]
pub(super) struct Newer {
    /// The records of each series, in their order.
    pub(super) records: BTreeMap<SeriesKey, Vec<NewRecord>>,
    /// What counts for the candidate's own commits, the excuses along the whole history, and the warnings.
    pub(super) annotated: AnnotatedHistory,
}

/// What a question is about, and where its answer is looked for.
pub(super) struct Search<'a> {
    pub(super) store: &'a Store,
    pub(super) base: &'a Base,
    /// The root of the notes now.
    pub(super) notes_tree: ObjectId,
    /// The commits of the history that are newer than the file, newest first.
    pub(super) fresh: &'a [HistoryCommit],
    /// The candidate's own commits, newest first, before the history.
    pub(super) own: &'a [HistoryCommit],
}

impl Search<'_> {
    pub(super) fn run(&self) -> Result<Newer, Outdated> {
        let mut reading = Reading { search: self, changed: BTreeMap::new(), unchanged: HashMap::new() };
        reading.changes()?;
        let records = reading.new_records()?;
        let counts = reading.counts()?;
        Ok(Newer { records, annotated: reading.annotated(counts)? })
    }

    /// How many commits the history has now.
    fn len(&self) -> usize {
        self.base.len() as usize + self.fresh.len()
    }

    /// The age of a newer commit.
    fn fresh_age(&self, place: usize) -> u32 {
        (self.len() - 1 - place) as u32
    }

    /// The age of the newest commit with this tree.
    fn age_of(&self, tree: ObjectId) -> Result<Option<u32>, Outdated> {
        if let Some(place) = self.fresh.iter().position(|commit| commit.tree == tree) {
            return Ok(Some(self.fresh_age(place)));
        }
        Ok(self.base.ages_of(tree)?.last().copied())
    }
}

/// A note that changed: as it was, as it is, and the ids of the lines that were added.
struct Changed {
    before: Note,
    now: Rc<Note>,
    added: HashSet<LineId>,
}

/// The notes that are read.
struct Reading<'a> {
    search: &'a Search<'a>,
    changed: BTreeMap<ObjectId, Changed>,
    unchanged: HashMap<ObjectId, Rc<Note>>,
}

impl Reading<'_> {
    fn changes(&mut self) -> Result<(), Outdated> {
        let (old, new) = (theirs(self.search.base.notes_tree()?), theirs(self.search.notes_tree));
        let difference = self.search.store.difference(Some(old), Some(new))?;
        if difference.notes.len() > MOST_CHANGED {
            return Err(Outdated);
        }
        for note in difference.notes {
            let changed = self.change(&note)?;
            self.changed.insert(note.annotated, changed);
        }
        Ok(())
    }

    /// Takes a note that only gained lines.
    fn change(&self, note: &Differing) -> Result<Changed, Outdated> {
        let read = |blobs: &[ObjectId]| self.search.store.read_note(note.annotated, blobs.iter().copied());
        let (before, now) = (read(&note.left)?, read(&note.right)?);
        if !codec::difference(&before, &now).is_empty() {
            return Err(Outdated);
        }
        let added = Note::decode(&codec::difference(&now, &before));
        let (before, now) = (Note::decode(&before), Note::decode(&now));
        // Lines that take an id from each other, or a run that finds its records, are not simply more lines.
        let all_count = now.unreadable.len() == before.unreadable.len() + added.unreadable.len();
        if !all_count || Counts::of_note(&before, note.annotated).without_run > 0 {
            return Err(Outdated);
        }
        let ids = added.records.iter().map(|record| record.id).collect();
        Ok(Changed { before, now: Rc::new(now), added: ids })
    }

    /// The note of an object as it is now; `None` where it has none.
    fn note(&mut self, annotated: ObjectId) -> Result<Option<Rc<Note>>, Outdated> {
        if let Some(changed) = self.changed.get(&annotated) {
            return Ok(Some(Rc::clone(&changed.now)));
        }
        if let Some(note) = self.unchanged.get(&annotated) {
            return Ok(Some(Rc::clone(note)));
        }
        let store = self.search.store;
        let found = store.find_note(theirs(self.search.notes_tree), annotated)?;
        if found.blobs.is_empty() {
            return Ok(None);
        }
        let note = match store.read_note(annotated, found.blobs.into_iter()) {
            // It is told of, and counts for nothing.
            Err(StoreError::NoteTooLarge { .. }) => Note::default(),
            read => Note::decode(&read?),
        };
        let note = Rc::new(note);
        self.unchanged.insert(annotated, Rc::clone(&note));
        Ok(Some(note))
    }

    /// The notes that have something about a tree, by the objects that they hang at.
    fn notes_about(&mut self, tree: ObjectId) -> Result<Vec<(ObjectId, Rc<Note>)>, Outdated> {
        let is_about =
            |note: &Note| note.runs.iter().any(|run| run.tree == tree) || note.excuses.iter().any(|excuse| excuse.tree == tree);
        let changed = self.changed.iter().filter(|(_, changed)| is_about(&changed.now)).map(|(annotated, _)| *annotated);
        let annotated: BTreeSet<ObjectId> = changed.chain(self.search.base.mentions_of(tree)?).collect();
        let mut notes = Vec::new();
        for annotated in annotated {
            notes.extend(self.note(annotated)?.map(|note| (annotated, note)));
        }
        Ok(notes)
    }

    /// The records that count for newer commits, and those that were added for older ones.
    fn new_records(&mut self) -> Result<BTreeMap<SeriesKey, Vec<NewRecord>>, Outdated> {
        let mut taken = Taken { base: self.search.base, records: BTreeMap::new(), ids: HashSet::new() };
        let trees: BTreeSet<ObjectId> = self.search.fresh.iter().map(|commit| commit.tree).collect();
        for tree in &trees {
            let age = self.search.age_of(*tree)?.ok_or(Outdated)?;
            let notes = self.notes_about(*tree)?;
            // What was measured at an older commit with this tree would have to move here.
            if !notes.is_empty() && !self.search.base.ages_of(*tree)?.is_empty() {
                return Err(Outdated);
            }
            for (_, note) in notes {
                taken.take(&note, age, |run, _| run.tree == *tree)?;
            }
        }
        for changed in self.changed.values() {
            let about: BTreeSet<ObjectId> = changed.now.runs.iter().map(|run| run.tree).collect();
            for tree in about.difference(&trees) {
                if let Some(age) = self.search.age_of(*tree)? {
                    taken.take(&changed.now, age, |run, record| run.tree == *tree && changed.added.contains(&record.id))?;
                }
            }
        }
        taken.records.values_mut().for_each(|records| records.sort_unstable_by_key(|record| record.instant));
        Ok(taken.records)
    }

    /// What is wrong with the notes that hang at the commits of the history and at the candidate's own.
    fn counts(&mut self) -> Result<Counts, Outdated> {
        let mut counts = self.search.base.directory.counts;
        let of_base: Vec<ObjectId> = self.changed.keys().copied().collect();
        for annotated in of_base {
            if self.search.base.has_commit(annotated)? {
                let tree = self.search.store.commit(annotated)?.tree;
                let changed = self.changed.get(&annotated).ok_or(Outdated)?;
                counts = counts.replacing(Counts::of_note(&changed.before, tree), Counts::of_note(&changed.now, tree));
            }
        }
        for commit in self.search.own.iter().chain(self.search.fresh) {
            if let Some(note) = self.note(commit.id)? {
                counts += Counts::of_note(&note, commit.tree);
            }
        }
        Ok(counts)
    }

    /// What counts for the candidate's own commits, and the excuses of the whole history.
    fn annotated(&mut self, counts: Counts) -> Result<AnnotatedHistory, Outdated> {
        let own: BTreeSet<ObjectId> = self.search.own.iter().map(|commit| commit.tree).collect();
        let mut wanted: BTreeSet<ObjectId> = self.search.base.directory.excused.iter().filter_map(|id| id.parse().ok()).collect();
        wanted
            .extend(self.changed.iter().filter(|(_, changed)| !changed.now.excuses.is_empty()).map(|(annotated, _)| *annotated));
        for tree in &own {
            wanted.extend(self.notes_about(*tree)?.into_iter().map(|(annotated, _)| annotated));
        }
        let mut by_tree = ByTree::default();
        for annotated in wanted {
            let Some(note) = self.note(annotated)? else { continue };
            by_tree.add(only(&note, &own), annotated, None);
        }
        by_tree.counts = counts;
        by_tree.too_large = self.search.base.directory.too_large.iter().filter_map(|id| id.parse().ok()).collect();
        let excused = by_tree.excused_trees();
        let mut history = History { commits: self.search.own.to_vec(), truncated: false };
        history.commits.extend_from_slice(self.search.fresh);
        let positions = self.older_excused(&excused, &mut history)?;
        let mut annotated = by_tree.join(&history);
        let near = self.search.own.len() + self.search.fresh.len();
        for commit in &mut annotated.commits {
            commit.position =
                commit.position.checked_sub(near).and_then(|at| positions.get(at).copied()).unwrap_or(commit.position);
        }
        annotated.commits.sort_by_key(|commit: &AnnotatedCommit| commit.position);
        Ok(annotated)
    }

    /// Adds the commits of the file that excuses are about, and gives their positions.
    fn older_excused(&self, excused: &BTreeSet<ObjectId>, history: &mut History) -> Result<Vec<usize>, Outdated> {
        let mut positions = Vec::new();
        for tree in excused {
            for age in self.search.base.ages_of(*tree)? {
                positions.push(self.search.own.len() + self.search.len() - 1 - age as usize);
                history.commits.push(HistoryCommit { id: self.search.base.commit(age)?, tree: *tree, time: 0 });
            }
        }
        Ok(positions)
    }
}

/// The excuses of a note, and its runs and records about certain trees.
fn only(note: &Note, trees: &BTreeSet<ObjectId>) -> Note {
    let runs: Vec<Run> = note.runs.iter().filter(|run| trees.contains(&run.tree)).cloned().collect();
    let ids: HashSet<LineId> = runs.iter().map(|run| run.id).collect();
    let records = note.records.iter().filter(|record| ids.contains(&record.run)).cloned().collect();
    Note { runs, records, excuses: note.excuses.clone(), ..Note::default() }
}

/// New records, each once.
struct Taken<'a> {
    base: &'a Base,
    records: BTreeMap<SeriesKey, Vec<NewRecord>>,
    ids: HashSet<LineId>,
}

impl Taken<'_> {
    fn take(&mut self, note: &Note, age: u32, counts: impl Fn(&Run, &Record) -> bool) -> Result<(), Outdated> {
        for record in &note.records {
            let Some(run) = note.run_of(record).filter(|run| counts(run, record)) else { continue };
            let key = SeriesKey::of(record, run);
            if !self.ids.insert(record.id) || self.is_known(&key, record.id)? {
                return Err(Outdated);
            }
            self.records.entry(key).or_default().push(NewRecord {
                instant: Instant::new(age, run.time, record.id),
                run: run.id,
                time: run.time,
                metric: record.metric.clone(),
                dirty: run.dirty,
                barred: record.barred.is_some(),
                machine_code: record.machine_code.clone(),
                figures: Figures::of(&record.summary),
            });
        }
        Ok(())
    }

    fn is_known(&self, key: &SeriesKey, id: LineId) -> Result<bool, Outdated> {
        match self.base.series(key) {
            Some(series) => Ok(self.base.may_hold(series, id)?),
            None => Ok(false),
        }
    }
}
