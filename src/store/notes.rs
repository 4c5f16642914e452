//! The notes ref as it stands at one moment: which objects are annotated, and with what.
//!
//! Git keeps a note in the tree of the notes commit under the hexadecimal id of what it annotates, with slashes put in
//! at every second digit as the tree grows (fan-out). Other tools put them in elsewhere, and a merge by such a tool may
//! leave one object with notes at two depths: every depth is read here and all notes of an object are united.

use gix::objs::TreeRefIter;
use gix::objs::tree::{EntryKind, EntryRef};

use super::objects::{classify, ours, theirs, unreadable};
use super::{MAX_NOTE_BYTES, MAX_NOTE_LINES, Store, StoreError};
use crate::codec;
use crate::model::ObjectId;

/// Most entries of notes trees that are read at once: far more than any history of measurements has, and a bound on what a notes
/// tree made to exhaust memory can do.
pub(super) const MAX_ENTRIES: usize = 4_000_000;

/// A snapshot of the notes ref.
#[derive(Debug)]
pub struct Notes<'store> {
    store: &'store Store,
    commit: Option<ObjectId>,
    /// Annotated object and note blob, sorted; an object may stand more than once.
    entries: Vec<(ObjectId, ObjectId)>,
    len: usize,
}

impl<'store> Notes<'store> {
    /// Whether the notes ref exists. `false` right after a clone: notes are not fetched by default.
    pub fn exists(&self) -> bool {
        self.commit.is_some()
    }

    /// The commit of the notes ref.
    pub fn commit(&self) -> Option<ObjectId> {
        self.commit
    }

    /// How many objects are annotated.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is annotated.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the object is annotated.
    pub fn contains(&self, id: ObjectId) -> bool {
        !self.blobs(id).is_empty()
    }

    /// The annotated objects in ascending order, each once.
    pub fn ids(&self) -> impl Iterator<Item = ObjectId> + '_ {
        self.entries.chunk_by(|one, other| one.0 == other.0).map(|same| same[0].0)
    }

    /// The note of an object: empty where there is none, the union where there are several.
    pub fn read(&self, id: ObjectId) -> Result<Vec<u8>, StoreError> {
        self.store.read_note(id, self.blobs(id).iter().map(|(_, blob)| *blob))
    }

    /// The repository.
    pub(super) fn store(&self) -> &'store Store {
        self.store
    }

    /// The entries of one object.
    pub(super) fn blobs(&self, id: ObjectId) -> &[(ObjectId, ObjectId)] {
        let start = self.entries.partition_point(|(annotated, _)| *annotated < id);
        let end = self.entries.partition_point(|(annotated, _)| *annotated <= id);
        &self.entries[start..end]
    }
}

impl Store {
    /// Lists the notes ref. A missing ref is no error: [`Notes::exists`] tells.
    pub fn notes(&self) -> Result<Notes<'_>, StoreError> {
        self.notes_at(&self.notes_ref)
    }

    /// Whether the notes ref exists; nothing is listed.
    pub fn has_notes(&self) -> Result<bool, StoreError> {
        Ok(self.notes_tip()?.is_some())
    }

    /// The commit that the notes ref names.
    pub fn notes_tip(&self) -> Result<Option<ObjectId>, StoreError> {
        Ok(self.notes_commit(&self.notes_ref)?.map(ours))
    }

    /// Lists any notes ref, such as the one fetched from a remote; the full name.
    pub fn notes_at(&self, ref_name: &str) -> Result<Notes<'_>, StoreError> {
        let Some(commit) = self.notes_commit(ref_name)? else {
            return Ok(Notes { store: self, commit: None, entries: Vec::new(), len: 0 });
        };
        Ok(Notes { commit: Some(ours(commit)), ..self.notes_in(self.tree_of(commit)?)? })
    }

    /// Lists a notes tree.
    pub(super) fn notes_in(&self, tree: gix::ObjectId) -> Result<Notes<'_>, StoreError> {
        let mut entries = self.list_notes(tree, &self.notes_ref)?.notes;
        entries.sort_unstable();
        entries.dedup();
        let len = entries.chunk_by(|one, other| one.0 == other.0).count();
        Ok(Notes { store: self, commit: None, entries, len })
    }

    /// The commit that a notes ref names.
    pub(super) fn notes_commit(&self, ref_name: &str) -> Result<Option<gix::ObjectId>, StoreError> {
        let Some(id) = self.find_ref(ref_name)? else {
            return Ok(None);
        };
        let kind = self.find(id)?.kind;
        if kind != gix::object::Kind::Commit {
            return Err(StoreError::NotesRefKind { name: ref_name.to_owned(), kind: kind.to_string() });
        }
        Ok(Some(id))
    }

    /// The root tree of a commit.
    pub(super) fn tree_of(&self, commit: gix::ObjectId) -> Result<gix::ObjectId, StoreError> {
        let what = || format!("the commit {commit}");
        let object = self.find(commit)?.try_into_commit().map_err(|error| unreadable(what(), &error))?;
        object.tree_id().map(|id| id.detach()).map_err(|error| classify(what(), &error))
    }

    /// Every note below a notes tree, whatever its fan-out, and what else is there.
    pub(super) fn list_notes(&self, root: gix::ObjectId, ref_name: &str) -> Result<Listing, StoreError> {
        let mut listing = Listing::default();
        let mut open = vec![(root, Prefix::default())];
        let mut trees = 0_usize;
        while let Some((tree, prefix)) = open.pop() {
            trees += 1;
            if trees + open.len() + listing.notes.len() + listing.strays.len() > MAX_ENTRIES {
                return Err(StoreError::TooManyNotes { name: ref_name.to_owned(), limit: MAX_ENTRIES });
            }
            let object = self.find(tree)?;
            for entry in TreeRefIter::from_bytes(&object.data, tree.kind()) {
                let entry = entry.map_err(|error| unreadable(format!("the notes tree {tree}"), &error))?;
                match prefix.read(&entry, tree.kind()) {
                    Some(Step::Note(annotated)) => listing.notes.push((annotated, ours(entry.oid))),
                    Some(Step::Below(longer)) => open.push((entry.oid.to_owned(), longer)),
                    None => listing.strays.push(Stray::new(&prefix, &entry)),
                }
            }
        }
        Ok(listing)
    }

    /// The united content of note blobs. What is not a blob is passed over, as git does.
    pub(super) fn read_note(&self, annotated: ObjectId, blobs: impl Iterator<Item = ObjectId>) -> Result<Vec<u8>, StoreError> {
        let mut parts = Vec::new();
        for blob in blobs {
            parts.extend(self.read_note_blob(annotated, blob)?);
        }
        match parts.len() {
            1 => Ok(parts.pop().unwrap_or_default()),
            _ => Ok(codec::union(parts.iter().map(Vec::as_slice))),
        }
    }

    fn read_note_blob(&self, annotated: ObjectId, blob: ObjectId) -> Result<Option<Vec<u8>>, StoreError> {
        match self.repo.try_find_object(theirs(blob)) {
            Ok(Some(object)) if object.kind == gix::object::Kind::Blob => {
                refuse_too_large(annotated, &object.data)?;
                Ok(Some(object.detach().data))
            }
            Ok(Some(_)) => Ok(None),
            Ok(None) => Err(self.missing(theirs(blob))),
            // The limit was given to gix when the repository was opened.
            Err(error) if error.is_resource_exhausted() => Err(StoreError::NoteTooLarge { annotated }),
            Err(error) => Err(classify(format!("the note {blob} of {annotated}"), &error)),
        }
    }
}

/// A note has bounds, whoever wrote it.
pub(super) fn refuse_too_large(annotated: ObjectId, note: &[u8]) -> Result<(), StoreError> {
    let lines = || note.iter().filter(|byte| **byte == b'\n').count();
    // Counting is spared where there are not even that many bytes.
    let has_too_many_lines = note.len() > MAX_NOTE_LINES && lines() > MAX_NOTE_LINES;
    let is_too_large = note.len() as u64 > MAX_NOTE_BYTES || has_too_many_lines;
    if is_too_large { Err(StoreError::NoteTooLarge { annotated }) } else { Ok(()) }
}

/// Everything in a notes tree.
#[derive(Default)]
pub(super) struct Listing {
    /// Annotated object and note blob, in no order; an object may stand more than once.
    pub notes: Vec<(ObjectId, ObjectId)>,
    /// What is not a note. Git passes it over and keeps it, and so do we.
    pub strays: Vec<Stray>,
}

/// An entry of a notes tree that is not a note.
pub(super) struct Stray {
    /// The path from the root of the notes tree.
    pub path: Vec<u8>,
    /// What kind of entry it is.
    pub kind: EntryKind,
    /// What it names.
    pub id: gix::ObjectId,
}

impl Stray {
    fn new(prefix: &Prefix, entry: &EntryRef<'_>) -> Self {
        let folders = prefix.bytes[..prefix.len].iter().flat_map(|byte| format!("{byte:02x}/").into_bytes());
        let path = folders.chain(entry.filename.iter().copied()).collect();
        Self { path, kind: entry.mode.kind(), id: entry.oid.to_owned() }
    }
}

/// What an entry of a notes tree is.
pub(super) enum Step {
    /// The note of this object.
    Note(ObjectId),
    /// A fan-out folder that adds two digits.
    Below(Prefix),
}

/// The bytes of an annotated id that the path has spelled so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Prefix {
    bytes: [u8; 32],
    len: usize,
}

impl Prefix {
    /// Reads one entry of the tree at this prefix; `None` where it is not part of a notes tree.
    pub(super) fn read(&self, entry: &EntryRef<'_>, hash: gix::hash::Kind) -> Option<Step> {
        let rest = hash.len_in_bytes() - self.len;
        let digits = entry.filename.len();
        if entry.mode.is_blob() && digits == 2 * rest {
            let whole = self.extended(entry.filename)?;
            return ObjectId::from_bytes(&whole.bytes[..whole.len]).map(Step::Note);
        }
        if entry.mode.is_tree() && digits == 2 && rest > 1 {
            return self.extended(entry.filename).map(Step::Below);
        }
        None
    }

    /// Whether the id begins with these bytes.
    pub(super) fn begins(&self, id: ObjectId) -> bool {
        id.as_bytes().starts_with(&self.bytes[..self.len])
    }

    /// The last byte.
    pub(super) fn last(&self) -> Option<u8> {
        self.bytes[..self.len].last().copied()
    }

    fn extended(mut self, digits: &[u8]) -> Option<Self> {
        for pair in digits.chunks_exact(2) {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            *self.bytes.get_mut(self.len)? = (high << 4 | low) as u8;
            self.len += 1;
        }
        Some(self)
    }
}
