//! Taking notes away, on request and never in passing: those of commits that no branch or tag leads to any more.
//!
//! A record counts by the tree it was measured on, so the note of a vanished commit stays while any reachable commit has
//! that tree. What this repository cannot judge stays too: notes of commits that are not here (they may be on branches
//! of others), and notes with lines that this version cannot read.

use std::collections::HashSet;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use gix::note::plumbing::State;

use super::objects::{classify, ours, theirs};
use super::{Store, StoreError, Walk};
use crate::codec::Note;
use crate::model::ObjectId;

/// Which notes may go.
#[derive(Debug, Clone, Copy, Default)]
pub struct PruneRequest {
    /// Only notes of which every line is older.
    pub before: Option<DateTime<Utc>>,
    /// Also notes of commits that are not in this repository.
    pub missing: bool,
}

/// What would go or went, and why the notes of other unreachable commits stay.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pruned {
    /// The annotated commits whose notes go, ascending.
    pub commits: Vec<ObjectId>,
    /// How many records those notes hold.
    pub records: usize,
    /// Notes that stay since a reachable commit has the tree that was measured.
    pub same_tree: usize,
    /// Notes that stay since their commits are not here.
    pub missing: usize,
    /// Notes that stay since they hold lines that cannot be read.
    pub unreadable: usize,
    /// Notes that stay since they are not old enough.
    pub young: usize,
}

impl Store {
    /// Finds what may go; writes nothing.
    pub fn prunable(&self, request: &PruneRequest) -> Result<Pruned, StoreError> {
        if self.is_shallow() {
            return Err(StoreError::ShallowPrune);
        }
        let notes = self.notes()?;
        let (commits, trees) = self.reachable()?;
        let mut pruned = Pruned::default();
        for annotated in notes.ids().filter(|annotated| !commits.contains(annotated)) {
            if !request.missing && !self.repo.has_object(theirs(annotated)) {
                pruned.missing += 1;
                continue;
            }
            let note = Note::decode(&notes.read(annotated)?);
            match why_kept(&note, &trees, request) {
                Some(count) => *count(&mut pruned) += 1,
                None => {
                    pruned.records += note.records.len();
                    pruned.commits.push(annotated);
                }
            }
        }
        Ok(pruned)
    }

    /// Takes the notes away that may go, in one commit on the notes ref. What others record meanwhile stays.
    pub fn prune(&self, request: &PruneRequest) -> Result<Pruned, StoreError> {
        self.author()?;
        let mut pruned = Pruned::default();
        self.move_notes_ref(|old| {
            pruned = self.prunable(request)?;
            let Some(old) = old.filter(|_| !pruned.commits.is_empty()) else { return Ok(None) };
            let tree = self.without_notes(self.tree_of(old)?, &pruned.commits)?;
            let message = format!("git ratchet: prune {} notes of unreachable commits", pruned.commits.len());
            self.write_commit(tree, [old], &message).map(Some)
        })?;
        Ok(pruned)
    }

    fn without_notes(&self, root: gix::ObjectId, commits: &[ObjectId]) -> Result<gix::ObjectId, StoreError> {
        for commit in commits {
            if !self.find_note(root, *commit)?.is_tidy {
                return self.rebuild_tree(root, &[], &commits.iter().copied().collect());
            }
        }
        let write = || -> gix::Result<gix::ObjectId> {
            let mut state = State::new(root, &self.repo)?;
            for commit in commits {
                state.edit(theirs(*commit), None, &self.repo)?;
            }
            state.write(&self.repo)
        };
        write().map_err(|error| classify("writing the notes tree".into(), &error))
    }

    /// Every commit that a ref or the `HEAD` of a worktree leads to, and their trees. Refs of notes do not count, nor do worktrees
    /// of our own: they are kept for what is built in them.
    fn reachable(&self) -> Result<(HashSet<ObjectId>, HashSet<ObjectId>), StoreError> {
        let refs = self.git.output(&["for-each-ref", "--format=%(refname) %(objectname) %(*objectname)"])?;
        let worktrees = self.git.output(&["worktree", "list", "--porcelain"])?;
        let (refs, worktrees) = (String::from_utf8_lossy(&refs), String::from_utf8_lossy(&worktrees));
        let named = refs.lines().filter(|line| !line.starts_with("refs/notes/")).flat_map(|line| line.split(' ').skip(1));
        let path = |entry: &str| entry.lines().next().and_then(|line| line.strip_prefix("worktree ")).map(PathBuf::from);
        let is_ours = |entry: &str| path(entry).is_some_and(|path| self.is_own_worktree(&path));
        let listed = worktrees.split("\n\n").filter(|entry| !is_ours(entry));
        let heads = listed.flat_map(str::lines).filter_map(|line| line.strip_prefix("HEAD "));
        let mut tips = Vec::new();
        for id in named.chain(heads).filter_map(|id| id.parse::<ObjectId>().ok()) {
            // A ref may name a blob or a tree, and HEAD no commit yet.
            let object = self.repo.try_find_object(theirs(id)).ok().flatten();
            tips.extend(
                object.and_then(|object| object.peel_to_kind(gix::object::Kind::Commit).ok()).map(|commit| ours(commit.id)),
            );
        }
        tips.sort_unstable();
        tips.dedup();
        let history = self.history(&tips, Walk::All)?;
        Ok(history.commits.into_iter().map(|commit| (commit.id, commit.tree)).unzip())
    }
}

/// Where a note that stays is counted; `None` for one that goes.
fn why_kept(note: &Note, trees: &HashSet<ObjectId>, request: &PruneRequest) -> Option<fn(&mut Pruned) -> &mut usize> {
    let mut about = note.runs.iter().map(|run| run.tree).chain(note.excuses.iter().map(|excuse| excuse.tree));
    let mut times = note.runs.iter().map(|run| run.time).chain(note.excuses.iter().map(|excuse| excuse.time));
    if !note.unreadable.is_empty() {
        Some(|pruned| &mut pruned.unreadable)
    } else if about.any(|tree| trees.contains(&tree)) {
        Some(|pruned| &mut pruned.same_tree)
    } else if request.before.is_some_and(|before| times.any(|time| time >= before)) {
        Some(|pruned| &mut pruned.young)
    } else {
        None
    }
}
