//! Adding lines to notes: one commit on the notes ref per call, never a line lost.
//!
//! Objects are written first and the ref last, on the condition that nobody moved it: killed at any instant, the ref
//! names the old commit or the new one. A lost race begins again from the winner's notes.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, Instant};

use gix::bstr::ByteSlice;
use gix::note::plumbing::State;

use super::notes::{Prefix, Step, Stray, refuse_too_large};
use super::objects::{classify, ours, theirs, unreadable};
use super::refs::{Swap, Update};
use super::{Store, StoreError};
use crate::codec::{self, Entry};
use crate::model::ObjectId;

/// How long a write is tried while others keep winning.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// How long a lock file may stand while nothing moves, before it is called a leftover.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// Longest pause between two attempts, in microseconds.
const LONGEST_PAUSE_US: u64 = 100_000;

/// What an append did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The notes commit that now holds the lines; `None` when all of them were there already or none was given.
    pub commit: Option<ObjectId>,
    /// How many lines were given.
    pub lines: usize,
    /// How many times the write was tried: more than one after a lost race.
    pub attempts: u32,
}

impl Store {
    /// Adds lines to the notes of objects, in one notes commit with this message.
    ///
    /// Each note becomes the union of its lines and the new ones, in the order of the codec. Appending what is there
    /// already changes nothing.
    pub fn append(&self, lines: &[(ObjectId, Vec<Entry>)], message: &str) -> Result<Appended, StoreError> {
        self.author()?;
        let additions: Vec<(ObjectId, Vec<u8>)> = lines.iter().map(|(id, entries)| (*id, encode(entries))).collect();
        let count = lines.iter().map(|(_, entries)| entries.len()).sum();
        let moved = self.move_notes_ref(|old| self.write_notes(old, &additions, message))?;
        Ok(Appended { commit: moved.commit.map(ours), lines: count, attempts: moved.attempts })
    }

    /// Sets the notes ref to what `write` makes of its present commit, if nobody moved it meanwhile; after a lost race
    /// again from the winner's commit. `write` answers `None` where nothing is to change.
    pub(super) fn move_notes_ref(
        &self,
        mut write: impl FnMut(Option<gix::ObjectId>) -> Result<Option<gix::ObjectId>, StoreError>,
    ) -> Result<Moved, StoreError> {
        let name = &self.notes_ref;
        let began = Instant::now();
        let mut locked_since: Option<Instant> = None;
        for attempts in 1.. {
            let old = self.notes_commit(name)?;
            let Some(new) = write(old)? else {
                return Ok(Moved { commit: old, attempts });
            };
            match self.refs.swap(&self.repo, &Update { name, old, new, message: "notes: git ratchet" })? {
                Swap::Done => return Ok(Moved { commit: Some(new), attempts }),
                Swap::Lost => locked_since = None,
                Swap::Locked(lock) => {
                    if locked_since.get_or_insert_with(Instant::now).elapsed() > LOCK_PATIENCE {
                        return Err(StoreError::RefLocked { name: name.clone(), lock });
                    }
                }
            }
            if began.elapsed() > PATIENCE {
                return Err(StoreError::RefContended { name: name.clone(), attempts, seconds: PATIENCE.as_secs() });
            }
            rest(pause(attempts));
        }
        Err(StoreError::RefContended { name: name.clone(), attempts: u32::MAX, seconds: PATIENCE.as_secs() })
    }

    /// Writes the blobs, trees and commit of the new notes; `None` when nothing changes.
    fn write_notes(
        &self,
        old: Option<gix::ObjectId>,
        additions: &[(ObjectId, Vec<u8>)],
        message: &str,
    ) -> Result<Option<gix::ObjectId>, StoreError> {
        let old_tree = old.map(|commit| self.tree_of(commit)).transpose()?;
        let root = old_tree.unwrap_or_else(|| gix::ObjectId::empty_tree(self.repo.object_hash()));
        let mut edits = Vec::new();
        let mut is_tidy = true;
        for (annotated, added) in additions {
            let found = self.find_note(root, *annotated)?;
            is_tidy &= found.is_tidy;
            let before = self.read_note(*annotated, found.blobs.iter().copied())?;
            let after = codec::union([before.as_slice(), added.as_slice()]);
            refuse_too_large(*annotated, &after)?;
            if !added.is_empty() && after != before {
                edits.push((*annotated, self.write_blob(&after)?));
            }
        }
        if edits.is_empty() {
            return Ok(None);
        }
        let tree = self.put_notes(root, &edits, is_tidy)?;
        self.write_commit(tree, old, message).map(Some)
    }

    /// The notes tree with these notes put in. `is_tidy`: each note that is touched stands once, in lower-case digits.
    pub(super) fn put_notes(
        &self,
        root: gix::ObjectId,
        edits: &[(ObjectId, ObjectId)],
        is_tidy: bool,
    ) -> Result<gix::ObjectId, StoreError> {
        if is_tidy { self.edit_tree(root, edits) } else { self.rebuild_tree(root, edits, &HashSet::new()) }
    }

    pub(super) fn write_blob(&self, bytes: &[u8]) -> Result<ObjectId, StoreError> {
        let blob = self.repo.write_blob(bytes);
        blob.map(ours).map_err(|error| classify("writing a note".into(), &error))
    }

    /// The notes tree with these notes put in; gix chooses the fan-out as git does, and rewrites touched trees only.
    fn edit_tree(&self, root: gix::ObjectId, edits: &[(ObjectId, ObjectId)]) -> Result<gix::ObjectId, StoreError> {
        let write = || -> gix::Result<gix::ObjectId> {
            let mut state = State::new(root, &self.repo)?;
            for (annotated, blob) in edits {
                state.edit(theirs(*annotated), Some(theirs(*blob)), &self.repo)?;
            }
            state.write(&self.repo)
        };
        write().map_err(|error| classify("writing the notes tree".into(), &error))
    }

    /// The same for a tree in which an object has several notes, which gix refuses: every note is put into a new tree,
    /// and what is no note is put back where it was. The notes of `dropped` stay behind.
    pub(super) fn rebuild_tree(
        &self,
        root: gix::ObjectId,
        edits: &[(ObjectId, ObjectId)],
        dropped: &HashSet<ObjectId>,
    ) -> Result<gix::ObjectId, StoreError> {
        let mut listing = self.list_notes(root, &self.notes_ref)?;
        listing.notes.retain(|(annotated, _)| !dropped.contains(annotated));
        listing.notes.sort_unstable();
        listing.notes.dedup();
        let mut all = Vec::new();
        for same in listing.notes.chunk_by(|one, other| one.0 == other.0) {
            let blob = match same {
                [(_, only)] => *only,
                several => self.write_blob(&self.read_note(several[0].0, several.iter().map(|(_, blob)| *blob))?)?,
            };
            all.push((same[0].0, blob));
        }
        all.extend_from_slice(edits);
        let tree = self.edit_tree(gix::ObjectId::empty_tree(self.repo.object_hash()), &all)?;
        self.put_back(tree, &listing.strays).map_err(|error| classify("writing the notes tree".into(), &error))
    }

    fn put_back(&self, tree: gix::ObjectId, strays: &[Stray]) -> gix::Result<gix::ObjectId> {
        let mut editor = self.repo.edit_tree(tree)?;
        for stray in strays {
            editor.upsert(stray.path.as_bstr(), stray.kind, stray.id)?;
        }
        Ok(editor.write()?.detach())
    }

    /// Writes the commit object, signed where [`Store::signs`] says so; the ref is not touched.
    pub(super) fn write_commit(
        &self,
        tree: gix::ObjectId,
        parents: impl IntoIterator<Item = gix::ObjectId>,
        message: &str,
    ) -> Result<gix::ObjectId, StoreError> {
        if self.signs() {
            return self.write_signed_commit(tree, parents, message);
        }
        let failed = |error: &gix::Error| classify("writing the notes commit".into(), error);
        let mut author = self.repo.author().ok_or(StoreError::NoIdentity)?.map_err(|error| failed(&error))?;
        let mut committer = self.repo.committer().ok_or(StoreError::NoIdentity)?.map_err(|error| failed(&error))?;
        // gix took the time when the repository was opened, which is before the benchmarks ran.
        let now = gix::date::Time::now_local_or_utc().to_string();
        if self.git_setting("gitoxide.commit.authorDate").is_none() {
            author.time = &now;
        }
        if self.git_setting("gitoxide.commit.committerDate").is_none() {
            committer.time = &now;
        }
        let message = format!("{}\n", message.trim_end());
        let commit = self.repo.new_commit_as(committer, author, message, tree, parents);
        commit.map(|commit| commit.id).map_err(|error| failed(&error))
    }

    /// The blobs of one object's note, found by walking down its id instead of listing the whole tree.
    pub(super) fn find_note(&self, root: gix::ObjectId, annotated: ObjectId) -> Result<Found, StoreError> {
        let mut found = Found { blobs: Vec::new(), is_tidy: true };
        let mut open = vec![(root, Prefix::default())];
        while let Some((tree, prefix)) = open.pop() {
            if tree.is_empty_tree() {
                continue;
            }
            let object = self.find(tree)?;
            for entry in gix::objs::TreeRefIter::from_bytes(&object.data, tree.kind()) {
                let entry = entry.map_err(|error| unreadable(format!("the notes tree {tree}"), &error))?;
                match prefix.read(&entry, tree.kind()) {
                    Some(Step::Note(id)) if id == annotated => found.blobs.push(ours(entry.oid)),
                    Some(Step::Below(longer)) if longer.begins(annotated) => open.push((entry.oid.to_owned(), longer)),
                    Some(_) => {}
                    None => continue,
                }
                found.is_tidy &= !entry.filename.iter().any(u8::is_ascii_uppercase);
            }
        }
        found.is_tidy &= found.blobs.len() < 2;
        Ok(found)
    }
}

/// Where the notes ref stands after a write.
pub(super) struct Moved {
    /// The commit that it names now.
    pub commit: Option<gix::ObjectId>,
    /// How many times the write was tried.
    pub attempts: u32,
}

/// One object's note in a notes tree.
pub(super) struct Found {
    pub(super) blobs: Vec<ObjectId>,
    /// Each note stands once, in lower-case digits: the only shape that gix edits.
    pub(super) is_tidy: bool,
}

fn encode(entries: &[Entry]) -> Vec<u8> {
    let lines: Vec<String> = entries.iter().map(Entry::encode).collect();
    lines.join("\n").into_bytes()
}

/// Lets the winner of a race finish.
#[expect(clippy::disallowed_methods, reason = "the winner of a lost race needs a moment; the pause is random")]
pub(super) fn rest(pause: Duration) {
    std::thread::sleep(pause);
}

/// A random pause that grows with the attempts, so that writers who met once do not meet again.
pub(super) fn pause(attempts: u32) -> Duration {
    up_to(Duration::from_micros((1000_u64 << attempts.min(7)).min(LONGEST_PAUSE_US)))
}

/// A random time shorter than this.
pub(super) fn up_to(longest: Duration) -> Duration {
    // The standard library seeds each hasher at random; that is all the randomness needed here.
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    Duration::from_micros(random % u64::try_from(longest.as_micros()).unwrap_or(u64::MAX).max(1))
}
