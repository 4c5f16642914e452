//! Uniting the local notes with fetched ones, note by note and line by line.
//!
//! The union takes nothing away: a line that stands here stays here, whatever the other side did, so that no fetch can
//! ever cost a record. A merge is a commit with both parents; where one side has everything, its commit is taken as
//! it is.

use super::difference::Differing;
use super::notes::refuse_too_large;
use super::objects::{ours, theirs};
use super::{Store, StoreError};
use crate::codec::{self, Note};
use crate::model::ObjectId;

/// How many lines one side has that the other lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Surplus {
    /// Lines of every kind: runs, records, excuses, and what this version cannot read.
    pub lines: usize,
    /// Records among them.
    pub records: usize,
    /// Notes in which they stand.
    pub notes: usize,
}

impl Surplus {
    pub(super) fn count(&mut self, lines: &[u8]) {
        if lines.is_empty() {
            return;
        }
        self.notes += 1;
        self.lines += lines.iter().filter(|byte| **byte == b'\n').count();
        self.records += Note::decode(lines).records.len();
    }
}

impl std::ops::AddAssign for Surplus {
    fn add_assign(&mut self, other: Self) {
        self.lines += other.lines;
        self.records += other.records;
        self.notes += other.notes;
    }
}

/// What two notes refs have that the other lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Comparison {
    /// What only the local notes have.
    pub here: Surplus,
    /// What only the other notes have.
    pub there: Surplus,
    /// Notes to which both sides added lines.
    pub united: usize,
}

/// How the notes ref came to its new commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeKind {
    /// It stayed where it was.
    UpToDate,
    /// It took the other commit as it is.
    FastForward,
    /// A commit with both parents was made.
    Merge,
}

/// What a merge did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merged {
    /// How.
    pub kind: MergeKind,
    /// The commit of the notes ref now.
    pub commit: ObjectId,
    /// What each side had before.
    pub before: Comparison,
}

impl Store {
    /// What the local notes and those of another notes commit have that the other lacks. Writes nothing.
    pub fn compare_notes(&self, other: ObjectId) -> Result<Comparison, StoreError> {
        let old = self.notes_commit(&self.notes_ref)?;
        Ok(self.plan(old, theirs(other), Unions::Counted)?.comparison)
    }

    /// Whether a ref names notes that were not merged yet: a commit that is no ancestor of the local notes.
    pub fn is_unmerged(&self, ref_name: &str) -> Result<bool, StoreError> {
        match (self.notes_commit(&self.notes_ref)?, self.notes_commit(ref_name)?) {
            (_, None) => Ok(false),
            (None, Some(_)) => Ok(true),
            (Some(local), Some(other)) => Ok(local != other && !self.is_ancestor(ours(other), ours(local))?),
        }
    }

    /// Unites the local notes with those of another notes commit; `source` names it in the commit's message.
    pub fn merge_notes(&self, other: ObjectId, source: &str) -> Result<Merged, StoreError> {
        let mut done = (MergeKind::UpToDate, Comparison::default());
        let moved = self.move_notes_ref(|old| {
            let (kind, comparison, new) = self.write_merge(old, theirs(other), source)?;
            done = (kind, comparison);
            Ok(new)
        })?;
        let (kind, before) = done;
        Ok(Merged { kind, commit: moved.commit.map_or(other, ours), before })
    }

    /// Writes the objects of a merge; the commit is `None` where the notes ref has to stay.
    fn write_merge(
        &self,
        old: Option<gix::ObjectId>,
        other: gix::ObjectId,
        source: &str,
    ) -> Result<(MergeKind, Comparison, Option<gix::ObjectId>), StoreError> {
        // What was merged before is not brought back: lines that were removed here on purpose stay removed.
        let is_known = old.map_or(Ok(false), |old| self.is_ancestor(ours(other), ours(old)))?;
        let plan = self.plan(old, other, if is_known { Unions::Counted } else { Unions::Written })?;
        let Some(old) = old.filter(|_| !is_known) else {
            let kind = if is_known { MergeKind::UpToDate } else { MergeKind::FastForward };
            let comparison = if is_known { Comparison { there: Surplus::default(), ..plan.comparison } } else { plan.comparison };
            return Ok((kind, comparison, (!is_known).then_some(other)));
        };
        // A descendant that dropped lines must not be taken as it is: that would drop them here.
        if plan.comparison.here.lines == 0 && self.is_ancestor(ours(old), ours(other))? {
            return Ok((MergeKind::FastForward, plan.comparison, Some(other)));
        }
        let tree = self.put_notes(self.tree_of(old)?, &plan.edits, plan.is_tidy)?;
        let message = format!("git ratchet: merge the notes of {source}");
        let commit = self.write_commit(tree, [old, other], &message)?;
        Ok((MergeKind::Merge, plan.comparison, Some(commit)))
    }

    /// Finds what has to be written, and counts.
    fn plan(&self, old: Option<gix::ObjectId>, other: gix::ObjectId, unions: Unions) -> Result<Plan, StoreError> {
        let old_tree = old.map(|commit| self.tree_of(commit)).transpose()?;
        let difference = self.difference(old_tree, Some(self.tree_of(other)?))?;
        let mut plan = Plan { is_tidy: difference.left_is_tidy, ..Plan::default() };
        for note in difference.notes {
            self.plan_note(note, unions, &mut plan)?;
        }
        Ok(plan)
    }

    fn plan_note(&self, note: Differing, unions: Unions, plan: &mut Plan) -> Result<(), StoreError> {
        let annotated = note.annotated;
        let read = |blobs: &[ObjectId]| self.read_note(annotated, blobs.iter().copied());
        let there = match read(&note.right) {
            // Nothing has to be read to take a note that stands on one side only.
            Err(StoreError::NoteTooLarge { .. }) if note.left.is_empty() && note.right.len() == 1 => {
                plan.edits.push((annotated, note.right[0]));
                return Ok(());
            }
            read => read?,
        };
        let here = match read(&note.left) {
            Err(StoreError::NoteTooLarge { .. }) if note.right.is_empty() => {
                // Its lines cannot be counted, but they are here and not there.
                plan.comparison.here.lines += 1;
                plan.comparison.here.notes += 1;
                return Ok(());
            }
            read => read?,
        };
        let (only_here, only_there) = (codec::difference(&here, &there), codec::difference(&there, &here));
        plan.comparison.here.count(&only_here);
        plan.comparison.there.count(&only_there);
        plan.comparison.united += usize::from(!only_here.is_empty() && !only_there.is_empty());
        if only_there.is_empty() {
            return Ok(());
        }
        match note.right.as_slice() {
            [blob] if only_here.is_empty() => plan.edits.push((annotated, *blob)),
            _ if unions == Unions::Written => {
                let union = codec::union([here.as_slice(), there.as_slice()]);
                refuse_too_large(annotated, &union)?;
                plan.edits.push((annotated, self.write_blob(&union)?));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Whether the lines of both sides are put together, or only counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unions {
    Counted,
    Written,
}

/// What a merge has to write.
#[derive(Default)]
struct Plan {
    /// Annotated objects and their new note blobs, which are written already.
    edits: Vec<(ObjectId, ObjectId)>,
    is_tidy: bool,
    comparison: Comparison,
}
