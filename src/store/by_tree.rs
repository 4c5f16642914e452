//! The lines of many notes, sorted by the tree that they are about; what hangs where it is not about is counted.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::annotated::{AnnotatedCommit, AnnotatedHistory};
use super::{History, StoreWarning};
use crate::codec::Note;
use crate::model::{Excuse, LineId, ObjectId, Record};

/// What was read, sorted by the tree it is about.
#[derive(Default)]
pub(super) struct ByTree {
    trees: HashMap<ObjectId, Note>,
    /// The same of lines that are not trusted.
    untrusted: HashMap<ObjectId, Note>,
    excused: Vec<(ObjectId, Excuse)>,
    pub(super) counts: Counts,
    pub(super) too_large: Vec<ObjectId>,
}

/// What is wrong with the notes that hang at the commits of a history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    pub(super) unreadable_lines: usize,
    pub(super) unreadable_notes: usize,
    pub(super) other_tree: usize,
    pub(super) without_run: usize,
}

impl Counts {
    /// Of one note: its unreadable lines, the trees that its runs and excuses are about, the tree of the commit that it
    /// hangs at, and its records without a run.
    pub(super) fn of(
        unreadable: usize,
        about: impl IntoIterator<Item = ObjectId>,
        annotated_tree: ObjectId,
        without_run: usize,
    ) -> Self {
        Self {
            unreadable_lines: unreadable,
            unreadable_notes: usize::from(unreadable > 0),
            other_tree: usize::from(about.into_iter().any(|tree| tree != annotated_tree)),
            without_run,
        }
    }

    /// Of a decoded note that hangs at a commit with this tree.
    pub(super) fn of_note(note: &Note, annotated_tree: ObjectId) -> Self {
        let runs: HashSet<LineId> = note.runs.iter().map(|run| run.id).collect();
        let named = note.records.iter().map(|record| record.run).chain(note.profiles.iter().map(|profile| profile.run));
        let without_run = named.filter(|run| !runs.contains(run)).count();
        let about = note.runs.iter().map(|run| run.tree).chain(note.excuses.iter().map(|excuse| excuse.tree));
        Self::of(note.unreadable.len(), about, annotated_tree, without_run)
    }

    /// With what one note adds in place of what it added before.
    pub(super) fn replacing(self, before: Self, now: Self) -> Self {
        let replace = |all: usize, before: usize, now: usize| (all + now).saturating_sub(before);
        Self {
            unreadable_lines: replace(self.unreadable_lines, before.unreadable_lines, now.unreadable_lines),
            unreadable_notes: replace(self.unreadable_notes, before.unreadable_notes, now.unreadable_notes),
            other_tree: replace(self.other_tree, before.other_tree, now.other_tree),
            without_run: replace(self.without_run, before.without_run, now.without_run),
        }
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.unreadable_lines += other.unreadable_lines;
        self.unreadable_notes += other.unreadable_notes;
        self.other_tree += other.other_tree;
        self.without_run += other.without_run;
    }
}

impl ByTree {
    /// Takes the lines of one note apart. `annotated_tree` is the tree of the commit that it hangs at, where that is
    /// part of the history.
    pub(super) fn add(&mut self, note: Note, annotated: ObjectId, annotated_tree: Option<ObjectId>) {
        if let Some(tree) = annotated_tree {
            self.counts += Counts::of_note(&note, tree);
        }
        let tree_of_run = tree_of_run(&note);
        self.excused.extend(note.excuses.iter().map(|excuse| (annotated, excuse.clone())));
        sort(note, &tree_of_run, &mut self.trees);
    }

    /// The same for lines that are not trusted; `runs` are the trusted ones of the same note, with their trees. Whatever they say,
    /// nothing of them may stand in the way of a trusted line: they are kept apart until those have been taken.
    pub(super) fn add_untrusted(&mut self, mut note: Note, runs: HashMap<LineId, ObjectId>, is_in_history: bool) {
        if is_in_history {
            self.counts.unreadable_lines += note.unreadable.len();
            self.counts.unreadable_notes += usize::from(!note.unreadable.is_empty());
        }
        let mut tree_of_run = tree_of_run(&note);
        tree_of_run.extend(runs);
        note.records.iter_mut().for_each(|record| record.barred = Some(Record::UNTRUSTED.to_owned()));
        sort(note, &tree_of_run, &mut self.untrusted);
    }

    pub(super) fn join(mut self, history: &History) -> AnnotatedHistory {
        let mut warnings = self.warnings();
        let elsewhere = self.elsewhere(history);
        let mut excused: HashMap<LineId, Vec<ObjectId>> = HashMap::new();
        for (annotated, excuse) in &self.excused {
            excused.entry(excuse.id).or_default().push(*annotated);
        }
        let mut untrusted_excuses: HashMap<ObjectId, Vec<Excuse>> = HashMap::new();
        for (tree, untrusted) in std::mem::take(&mut self.untrusted) {
            let note = self.trees.entry(tree).or_default();
            // Behind the trusted lines: of two with the same id the first stays.
            note.runs.extend(untrusted.runs);
            note.records.extend(untrusted.records);
            note.profiles.extend(untrusted.profiles);
            let trusted: HashSet<LineId> = note.excuses.iter().map(|excuse| excuse.id).collect();
            let mut excuses = untrusted.excuses;
            keep_first(&mut excuses, |excuse| excuse.id);
            excuses.retain(|excuse| !trusted.contains(&excuse.id));
            untrusted_excuses.insert(tree, excuses);
        }
        let unique = |(tree, note)| (tree, Arc::new(each_once(note)));
        let trees: HashMap<ObjectId, Arc<Note>> = self.trees.into_iter().map(unique).collect();
        warnings.extend(untrusted(history, &trees, &untrusted_excuses));
        let commits = history.commits.iter().enumerate().filter_map(|(position, commit)| {
            let note = trees.get(&commit.tree)?.clone();
            let untrusted_excuses = untrusted_excuses.get(&commit.tree).cloned().unwrap_or_default();
            Some(AnnotatedCommit { commit: commit.id, position, note, untrusted_excuses })
        });
        AnnotatedHistory { commits: if trees.is_empty() { Vec::new() } else { commits.collect() }, elsewhere, excused, warnings }
    }

    /// The trees that excuses are about.
    pub(super) fn excused_trees(&self) -> BTreeSet<ObjectId> {
        self.excused.iter().map(|(_, excuse)| excuse.tree).collect()
    }

    fn elsewhere(&self, history: &History) -> Vec<(ObjectId, Excuse)> {
        if self.excused.is_empty() {
            return Vec::new();
        }
        let trees: HashSet<ObjectId> = history.commits.iter().map(|commit| commit.tree).collect();
        let mut elsewhere: Vec<_> = self.excused.iter().filter(|(_, excuse)| !trees.contains(&excuse.tree)).cloned().collect();
        elsewhere.sort_by_key(|(annotated, excuse)| (excuse.id, *annotated));
        elsewhere
    }

    fn warnings(&self) -> Vec<StoreWarning> {
        let Counts { unreadable_lines, unreadable_notes, other_tree, without_run } = self.counts;
        let mut warnings = Vec::new();
        if unreadable_lines > 0 {
            warnings.push(StoreWarning::UnreadableLines { lines: unreadable_lines, notes: unreadable_notes });
        }
        if other_tree > 0 {
            warnings.push(StoreWarning::OtherTree { commits: other_tree });
        }
        if without_run > 0 {
            warnings.push(StoreWarning::WithoutRun { records: without_run });
        }
        let mut too_large = self.too_large.clone();
        too_large.sort_unstable();
        warnings.extend(too_large.into_iter().map(|annotated| StoreWarning::TooLarge { annotated }));
        warnings
    }
}

/// What nobody vouches for of the trees of a history; `excuses` has every tree with such lines.
fn untrusted(
    history: &History,
    trees: &HashMap<ObjectId, Arc<Note>>,
    excuses: &HashMap<ObjectId, Vec<Excuse>>,
) -> Option<StoreWarning> {
    let of_history: HashSet<ObjectId> = match excuses.is_empty() {
        true => HashSet::new(),
        false => history.commits.iter().map(|commit| commit.tree).filter(|tree| excuses.contains_key(tree)).collect(),
    };
    let records = |tree| trees.get(tree).map_or(0, |note| note.records.iter().filter(|record| record.is_untrusted()).count());
    let (records, excuses) = (of_history.iter().map(records).sum(), of_history.iter().map(|tree| excuses[tree].len()).sum());
    (records + excuses > 0).then_some(StoreWarning::Untrusted { records, excuses })
}

/// The tree that each run of a note measured.
pub(super) fn tree_of_run(note: &Note) -> HashMap<LineId, ObjectId> {
    note.runs.iter().map(|run| (run.id, run.tree)).collect()
}

/// Sorts the lines of a note by the tree that they are about. What names a run that is not there is about none, and is left out.
fn sort(note: Note, tree_of_run: &HashMap<LineId, ObjectId>, trees: &mut HashMap<ObjectId, Note>) {
    for run in note.runs {
        trees.entry(run.tree).or_default().runs.push(run);
    }
    for record in note.records {
        if let Some(tree) = tree_of_run.get(&record.run) {
            trees.entry(*tree).or_default().records.push(record);
        }
    }
    for profile in note.profiles {
        if let Some(tree) = tree_of_run.get(&profile.run) {
            trees.entry(*tree).or_default().profiles.push(profile);
        }
    }
    for excuse in note.excuses {
        trees.entry(excuse.tree).or_default().excuses.push(excuse);
    }
}

/// The same line may have come from several notes: `git notes copy` and our own inheritance make copies.
fn each_once(mut note: Note) -> Note {
    keep_first(&mut note.runs, |run| run.id);
    keep_first(&mut note.records, |record| record.id);
    keep_first(&mut note.profiles, |profile| profile.id);
    keep_first(&mut note.excuses, |excuse| excuse.id);
    note
}

/// Of lines with the same id, the first.
fn keep_first<T>(lines: &mut Vec<T>, id: impl Fn(&T) -> LineId) {
    lines.sort_by_key(&id);
    lines.dedup_by_key(|line| id(line));
}
