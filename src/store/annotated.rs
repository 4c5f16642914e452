//! History and notes joined: which records count for which commit.
//!
//! The rule is one line: **a record counts for a commit if its run measured the commit's root tree**, wherever the
//! note hangs. So amend, squash-merge, rebase and cherry-pick lose nothing, a note whose commit is long gone still
//! counts, and `git notes copy` onto other content proves nothing about that content.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::by_tree::{ByTree, tree_of_run};
use super::decode;
use super::{History, Notes, Store, StoreError, StoreWarning};
use crate::codec::Note;
use crate::model::{Excuse, LineId, ObjectId};

/// A commit of the history with everything that counts for it.
#[derive(Debug, Clone, PartialEq)]
pub struct AnnotatedCommit {
    /// The commit.
    pub commit: ObjectId,
    /// Its place in [`History::commits`].
    pub position: usize,
    /// The runs, records, profiles and excuses about its tree, each id once. Commits with the same tree share it. Records that
    /// are not trusted are barred ([`UNTRUSTED`](crate::model::Record::UNTRUSTED)).
    pub note: Arc<Note>,
    /// Excuses about its tree that are not trusted: they excuse nothing.
    pub untrusted_excuses: Vec<Excuse>,
}

/// The commits of a history for which something counts, newest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AnnotatedHistory {
    /// The commits.
    pub commits: Vec<AnnotatedCommit>,
    /// Excuses about no tree of this history, with the commit that they hang at: a branch may have been merged since.
    pub elsewhere: Vec<(ObjectId, Excuse)>,
    /// The commits that each excuse hangs at.
    pub excused: HashMap<LineId, Vec<ObjectId>>,
    /// What was noticed.
    pub warnings: Vec<StoreWarning>,
}

impl AnnotatedHistory {
    /// Every excuse about a tree of this history with its position. One that hangs at a commit of this history stands there only:
    /// whoever goes back to that content later has not been excused. Elsewhere it stands wherever the tree does.
    pub fn excuses(&self) -> impl Iterator<Item = (usize, &Excuse)> {
        let everywhere = || self.commits.iter().flat_map(|at| at.note.excuses.iter().map(move |excuse| (at, excuse)));
        let hangs_at = |commit: ObjectId, excuse: &Excuse| self.excused.get(&excuse.id).is_some_and(|at| at.contains(&commit));
        let at_home: HashSet<LineId> =
            everywhere().filter(|(at, excuse)| hangs_at(at.commit, excuse)).map(|(_, excuse)| excuse.id).collect();
        let stands = move |at: &AnnotatedCommit, excuse: &Excuse| !at_home.contains(&excuse.id) || hangs_at(at.commit, excuse);
        everywhere().filter(move |(at, excuse)| stands(at, excuse)).map(|(at, excuse)| (at.position, excuse))
    }
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
        let order = reading_order(notes, |id| positions.get(id).copied());
        let vouched = self.vouched(notes)?;
        let untrusted = RefCell::new(Vec::new());
        let trusted = readable(&order, notes, &mut by_tree.too_large).map(|read| {
            let (annotated, note) = read?;
            let Some(vouched) = &vouched else { return Ok((annotated, note)) };
            let split = vouched.split(notes, annotated, note)?;
            if !split.untrusted.is_empty() {
                untrusted.borrow_mut().push((annotated, split.untrusted));
            }
            Ok((annotated, split.trusted))
        });
        let trusted = decoded(trusted)?;
        let mut runs: HashMap<ObjectId, HashMap<LineId, ObjectId>> = HashMap::new();
        let untrusted = decoded(untrusted.into_inner().into_iter().map(Ok))?;
        for (annotated, note) in trusted {
            if !untrusted.is_empty() {
                runs.insert(annotated, tree_of_run(&note));
            }
            let tree = positions.get(&annotated).map(|position| history.commits[*position].tree);
            by_tree.add(note, annotated, tree);
        }
        for (annotated, note) in untrusted {
            by_tree.add_untrusted(note, runs.remove(&annotated).unwrap_or_default(), positions.contains_key(&annotated));
        }
        Ok(by_tree.join(history))
    }
}

/// Notes decoded on all cores, in the order they came in.
fn decoded(notes: impl Iterator<Item = Result<(ObjectId, Vec<u8>), StoreError>>) -> Result<Vec<(ObjectId, Note)>, StoreError> {
    let decode = |decoded: &mut Vec<(usize, ObjectId, Note)>, number, annotated, note: &[u8]| {
        decoded.push((number, annotated, Note::decode(note)));
    };
    let mut decoded: Vec<_> = decode::on_all_cores(notes, Vec::new, decode)?.into_iter().flatten().collect();
    decoded.sort_unstable_by_key(|(number, ..)| *number);
    Ok(decoded.into_iter().map(|(_, annotated, note)| (annotated, note)).collect())
}

/// The notes of these objects, without those that are too large.
pub(super) fn readable<'a>(
    order: &'a [ObjectId],
    notes: &'a Notes<'_>,
    too_large: &'a mut Vec<ObjectId>,
) -> impl Iterator<Item = Result<(ObjectId, Vec<u8>), StoreError>> + 'a {
    order.iter().filter_map(|annotated| match notes.read(*annotated) {
        Ok(bytes) => Some(Ok((*annotated, bytes))),
        Err(StoreError::NoteTooLarge { annotated }) => {
            too_large.push(annotated);
            None
        }
        Err(error) => Some(Err(error)),
    })
}

/// Oldest first: a pack stores old notes as differences from newer ones, and its cache then serves every step.
pub(super) fn reading_order(notes: &Notes<'_>, position: impl Fn(&ObjectId) -> Option<usize>) -> Vec<ObjectId> {
    let mut ordered: Vec<ObjectId> = notes.ids().collect();
    ordered.sort_by_cached_key(|id| std::cmp::Reverse(position(id)));
    ordered
}
