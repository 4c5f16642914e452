//! Where two notes trees differ: both are walked side by side, and only folders that differ are opened.
//!
//! Fan-out does not matter: a folder `ab/` on one side meets the notes that begin with `ab` on the other. Two trees of
//! 200,000 notes that differ in a hundred cost a few hundred small trees.

use std::collections::BTreeMap;

use gix::objs::TreeRefIter;

use super::notes::{MAX_ENTRIES, Prefix, Step};
use super::objects::{ours, unreadable};
use super::{Store, StoreError};
use crate::model::ObjectId;

/// An object whose notes are not the same on both sides.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Differing {
    /// The annotated object.
    pub annotated: ObjectId,
    /// Its note blobs on the left side.
    pub left: Vec<ObjectId>,
    /// Its note blobs on the right side.
    pub right: Vec<ObjectId>,
}

/// What differs between two notes trees.
#[derive(Debug, Default)]
pub(super) struct Difference {
    /// The objects, in ascending order.
    pub notes: Vec<Differing>,
    /// The part of the left tree that was opened has every note once and in lower-case digits, as gix edits it.
    pub left_is_tidy: bool,
}

impl Store {
    /// What differs between two notes trees; `None` is an empty one.
    pub(super) fn difference(&self, left: Option<gix::ObjectId>, right: Option<gix::ObjectId>) -> Result<Difference, StoreError> {
        let mut walk = Walk { store: self, entries: 0, is_tidy: true, found: Vec::new() };
        let root = |tree: Option<gix::ObjectId>| {
            let folders = tree.filter(|tree| !tree.is_empty_tree()).map(|tree| (tree, Prefix::default()));
            Side { folders: folders.into_iter().collect(), notes: Vec::new() }
        };
        let (left, right) = (root(left), root(right));
        if left != right {
            walk.compare(left, right, 0)?;
        }
        Ok(Difference { left_is_tidy: walk.is_tidy, notes: walk.found })
    }
}

/// What one tree holds below a prefix: folders that are not opened yet, and notes that stand further up.
#[derive(Debug, Default, PartialEq, Eq)]
struct Side {
    folders: Vec<(gix::ObjectId, Prefix)>,
    notes: Vec<(ObjectId, ObjectId)>,
}

struct Walk<'store> {
    store: &'store Store,
    entries: usize,
    is_tidy: bool,
    found: Vec<Differing>,
}

impl Walk<'_> {
    /// Compares what the two sides hold below one prefix, which is `depth` bytes long.
    fn compare(&mut self, left: Side, right: Side, depth: usize) -> Result<(), StoreError> {
        if left.folders.is_empty() && right.folders.is_empty() {
            self.compare_notes(left.notes, right.notes);
            return Ok(());
        }
        let (lefts, is_tidy) = self.open(left, depth)?;
        self.is_tidy &= is_tidy;
        let (rights, _) = self.open(right, depth)?;
        let mut pairs: BTreeMap<u8, (Side, Side)> = BTreeMap::new();
        lefts.into_iter().for_each(|(byte, side)| pairs.entry(byte).or_default().0 = side);
        rights.into_iter().for_each(|(byte, side)| pairs.entry(byte).or_default().1 = side);
        for (left, right) in pairs.into_values() {
            if left != right {
                self.compare(left, right, depth + 1)?;
            }
        }
        Ok(())
    }

    /// Opens the folders of a side and sorts everything below by its next byte. Also tells whether the names are
    /// spelled as gix edits them.
    fn open(&mut self, side: Side, depth: usize) -> Result<(BTreeMap<u8, Side>, bool), StoreError> {
        let mut below: BTreeMap<u8, Side> = BTreeMap::new();
        let mut is_tidy = true;
        let byte_of = |annotated: ObjectId| annotated.as_bytes().get(depth).copied().unwrap_or_default();
        for note in side.notes {
            below.entry(byte_of(note.0)).or_default().notes.push(note);
        }
        for (tree, prefix) in side.folders {
            let object = self.store.find(tree)?;
            for entry in TreeRefIter::from_bytes(&object.data, tree.kind()) {
                let entry = entry.map_err(|error| unreadable(format!("the notes tree {tree}"), &error))?;
                self.entries += 1;
                if self.entries > MAX_ENTRIES {
                    return Err(StoreError::TooManyNotes { name: tree.to_string(), limit: MAX_ENTRIES });
                }
                match prefix.read(&entry, tree.kind()) {
                    Some(Step::Note(annotated)) => {
                        below.entry(byte_of(annotated)).or_default().notes.push((annotated, ours(entry.oid)));
                    }
                    Some(Step::Below(longer)) => {
                        let byte = longer.last().unwrap_or_default();
                        below.entry(byte).or_default().folders.push((entry.oid.to_owned(), longer));
                    }
                    None => continue,
                }
                is_tidy &= !entry.filename.iter().any(u8::is_ascii_uppercase);
            }
        }
        Ok((below, is_tidy))
    }

    fn compare_notes(&mut self, left: Vec<(ObjectId, ObjectId)>, right: Vec<(ObjectId, ObjectId)>) {
        let mut all: BTreeMap<ObjectId, (Vec<ObjectId>, Vec<ObjectId>)> = BTreeMap::new();
        left.into_iter().for_each(|(annotated, blob)| all.entry(annotated).or_default().0.push(blob));
        right.into_iter().for_each(|(annotated, blob)| all.entry(annotated).or_default().1.push(blob));
        for (annotated, (mut left, mut right)) in all {
            self.is_tidy &= left.len() < 2;
            for blobs in [&mut left, &mut right] {
                blobs.sort_unstable();
                blobs.dedup();
            }
            if left != right {
                self.found.push(Differing { annotated, left, right });
            }
        }
    }
}
