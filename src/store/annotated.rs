//! History and notes joined: which records count for which commit.
//!
//! The rule is one line: **a record counts for a commit if its run measured the commit's root tree**, wherever the
//! note hangs. So amend, squash-merge, rebase and cherry-pick lose nothing, a note whose commit is long gone still
//! counts, and `git notes copy` onto other content proves nothing about that content.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::decode;
use super::{History, Notes, Store, StoreError};
use crate::codec::Note;
use crate::model::{Excuse, LineId, ObjectId};

/// Something that was noticed while reading; the result is still good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreWarning {
    /// Lines that this version cannot read: newer or malformed. They are kept.
    #[error("{lines} lines in {notes} notes cannot be read by this version; they are kept as they are")]
    UnreadableLines {
        /// How many lines.
        lines: usize,
        /// In how many notes.
        notes: usize,
    },
    /// Records and excuses that hang at a commit with another tree than the one they are about; they count there only.
    #[error("{commits} commits carry results of another tree; those do not count there")]
    OtherTree {
        /// How many commits carry such lines.
        commits: usize,
    },
    /// Records and profiles whose run stands nowhere in the notes that were read.
    #[error("{records} records name a run that is not there; they do not count")]
    WithoutRun {
        /// How many records.
        records: usize,
    },
    /// A note that could not be read at all, because it is too large.
    #[error("the note of {annotated} is too large to be read; it does not count")]
    TooLarge {
        /// The annotated object.
        annotated: ObjectId,
    },
}

impl StoreWarning {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnreadableLines { .. } => "unreadable_lines",
            Self::OtherTree { .. } => "other_tree",
            Self::WithoutRun { .. } => "without_run",
            Self::TooLarge { .. } => "note_too_large",
        }
    }
}

/// A commit of the history with everything that counts for it.
#[derive(Debug, Clone, PartialEq)]
pub struct AnnotatedCommit {
    /// The commit.
    pub commit: ObjectId,
    /// Its place in [`History::commits`].
    pub position: usize,
    /// The runs, records, profiles and excuses about its tree, each id once. Commits with the same tree share it.
    pub note: Arc<Note>,
}

/// The commits of a history for which something counts, newest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AnnotatedHistory {
    /// The commits.
    pub commits: Vec<AnnotatedCommit>,
    /// Excuses about no tree of this history, with the commit that they hang at: a branch may have been merged since.
    pub elsewhere: Vec<(ObjectId, Excuse)>,
    /// What was noticed.
    pub warnings: Vec<StoreWarning>,
}

impl Store {
    /// For each commit of the history, what counts for it: of its own note and of the notes of any commit with the
    /// same tree. Commits for which nothing counts are left out.
    pub fn annotated_history(&self, history: &History, notes: &Notes<'_>) -> Result<AnnotatedHistory, StoreError> {
        let positions: HashMap<ObjectId, usize> = match notes.is_empty() {
            true => HashMap::new(),
            false => history.commits.iter().enumerate().map(|(position, commit)| (commit.id, position)).collect(),
        };
        let mut by_tree = ByTree::default();
        let order = reading_order(notes, &positions);
        let decoded = decode::on_all_cores(order.iter().filter_map(|annotated| match notes.read(*annotated) {
            Ok(bytes) => Some(Ok((*annotated, bytes))),
            Err(StoreError::NoteTooLarge { annotated }) => {
                by_tree.too_large.push(annotated);
                None
            }
            Err(error) => Some(Err(error)),
        }))?;
        for (annotated, note) in decoded {
            let tree = positions.get(&annotated).map(|position| history.commits[*position].tree);
            by_tree.add(note, annotated, tree);
        }
        Ok(by_tree.join(history))
    }
}

/// Oldest first: a pack stores old notes as differences from newer ones, and its cache then serves every step.
fn reading_order(notes: &Notes<'_>, positions: &HashMap<ObjectId, usize>) -> Vec<ObjectId> {
    let mut ordered: Vec<ObjectId> = notes.ids().collect();
    ordered.sort_by_cached_key(|id| std::cmp::Reverse(positions.get(id).copied()));
    ordered
}

/// What was read, sorted by the tree it is about.
#[derive(Default)]
struct ByTree {
    trees: HashMap<ObjectId, Note>,
    excused: Vec<(ObjectId, Excuse)>,
    unreadable_lines: usize,
    unreadable_notes: usize,
    other_tree: usize,
    without_run: usize,
    too_large: Vec<ObjectId>,
}

impl ByTree {
    /// Takes the lines of one note apart. `annotated_tree` is the tree of the commit that it hangs at, where that is
    /// part of the history.
    fn add(&mut self, note: Note, annotated: ObjectId, annotated_tree: Option<ObjectId>) {
        if annotated_tree.is_some() && !note.unreadable.is_empty() {
            self.unreadable_lines += note.unreadable.len();
            self.unreadable_notes += 1;
        }
        let tree_of_run: HashMap<LineId, ObjectId> = note.runs.iter().map(|run| (run.id, run.tree)).collect();
        let is_other = |tree: &ObjectId| annotated_tree.is_some_and(|annotated| annotated != *tree);
        let about = tree_of_run.values().copied().chain(note.excuses.iter().map(|excuse| excuse.tree));
        self.other_tree += usize::from(about.into_iter().any(|tree| is_other(&tree)));
        for run in note.runs {
            self.trees.entry(run.tree).or_default().runs.push(run);
        }
        for record in note.records {
            match tree_of_run.get(&record.run) {
                Some(tree) => self.trees.entry(*tree).or_default().records.push(record),
                None => self.without_run += usize::from(annotated_tree.is_some()),
            }
        }
        for profile in note.profiles {
            match tree_of_run.get(&profile.run) {
                Some(tree) => self.trees.entry(*tree).or_default().profiles.push(profile),
                None => self.without_run += usize::from(annotated_tree.is_some()),
            }
        }
        for excuse in note.excuses {
            self.excused.push((annotated, excuse.clone()));
            self.trees.entry(excuse.tree).or_default().excuses.push(excuse);
        }
    }

    fn join(self, history: &History) -> AnnotatedHistory {
        let warnings = self.warnings();
        let elsewhere = self.elsewhere(history);
        let unique = |(tree, note)| (tree, Arc::new(each_once(note)));
        let trees: HashMap<ObjectId, Arc<Note>> = self.trees.into_iter().map(unique).collect();
        let commits = history.commits.iter().enumerate().filter_map(|(position, commit)| {
            let note = trees.get(&commit.tree)?.clone();
            Some(AnnotatedCommit { commit: commit.id, position, note })
        });
        AnnotatedHistory { commits: if trees.is_empty() { Vec::new() } else { commits.collect() }, elsewhere, warnings }
    }

    fn elsewhere(&self, history: &History) -> Vec<(ObjectId, Excuse)> {
        if self.excused.is_empty() {
            return Vec::new();
        }
        let trees: HashSet<ObjectId> = history.commits.iter().map(|commit| commit.tree).collect();
        self.excused.iter().filter(|(_, excuse)| !trees.contains(&excuse.tree)).cloned().collect()
    }

    fn warnings(&self) -> Vec<StoreWarning> {
        let mut warnings = Vec::new();
        if self.unreadable_lines > 0 {
            warnings.push(StoreWarning::UnreadableLines { lines: self.unreadable_lines, notes: self.unreadable_notes });
        }
        if self.other_tree > 0 {
            warnings.push(StoreWarning::OtherTree { commits: self.other_tree });
        }
        if self.without_run > 0 {
            warnings.push(StoreWarning::WithoutRun { records: self.without_run });
        }
        warnings.extend(self.too_large.iter().map(|annotated| StoreWarning::TooLarge { annotated: *annotated }));
        warnings
    }
}

/// The same line may have come from several notes: `git notes copy` and our own inheritance make copies.
fn each_once(mut note: Note) -> Note {
    note.runs.sort_by_key(|run| run.id);
    note.runs.dedup_by_key(|run| run.id);
    note.records.sort_by_key(|record| record.id);
    note.records.dedup_by_key(|record| record.id);
    note.profiles.sort_by_key(|profile| profile.id);
    note.profiles.dedup_by_key(|profile| profile.id);
    note.excuses.sort_by_key(|excuse| excuse.id);
    note.excuses.dedup_by_key(|excuse| excuse.id);
    note
}
