//! Taking the samples of old records away, on request: their statistics stay, and so does every level that they hold.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::{Store, StoreError};
use crate::codec::{self, Fate};
use crate::model::{LineId, ObjectId, Record, Run};

/// Which samples may go.
#[derive(Debug, Clone, Copy)]
pub struct ThinRequest<'a> {
    /// Those of runs that began before.
    pub before: DateTime<Utc>,
    /// But not those of these records.
    pub held: &'a HashSet<LineId>,
}

/// What would go or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ThinnedNotes {
    /// Notes in which records lose their samples.
    pub notes: usize,
    /// Those records.
    pub records: usize,
    /// By how many bytes the notes become shorter, before git packs them.
    pub bytes: usize,
    /// Old records that keep theirs, since they hold a level.
    pub held: usize,
}

/// Annotated objects and their notes, as they become.
type Changed = Vec<(ObjectId, Vec<u8>)>;

impl Store {
    /// Counts what would go; writes nothing.
    pub fn thinnable(&self, request: &ThinRequest<'_>) -> Result<ThinnedNotes, StoreError> {
        Ok(self.thinned(request)?.0)
    }

    /// Takes the samples away, in one commit on the notes ref.
    pub fn thin(&self, request: &ThinRequest<'_>) -> Result<ThinnedNotes, StoreError> {
        self.author()?;
        let mut done = ThinnedNotes::default();
        self.move_notes_ref(|old| {
            let (counted, notes) = self.thinned(request)?;
            done = counted;
            let Some(old) = old.filter(|_| !notes.is_empty()) else { return Ok(None) };
            let root = self.tree_of(old)?;
            let (mut edits, mut is_tidy) = (Vec::new(), true);
            for (annotated, note) in notes {
                is_tidy &= self.find_note(root, annotated)?.is_tidy;
                edits.push((annotated, self.write_blob(&note)?));
            }
            let tree = self.put_notes(root, &edits, is_tidy)?;
            self.write_commit(tree, [old], &format!("git ratchet: thin the samples of {} records", done.records)).map(Some)
        })?;
        Ok(done)
    }

    /// The notes that change.
    fn thinned(&self, request: &ThinRequest<'_>) -> Result<(ThinnedNotes, Changed), StoreError> {
        if self.is_shallow() {
            return Err(StoreError::ShallowPrune);
        }
        let notes = self.notes()?;
        let vouched = self.vouched(&notes)?;
        let fate = |record: &Record, run: &Run| match run.time < request.before {
            true if request.held.contains(&record.id) => Fate::Held,
            true => Fate::Goes,
            false => Fate::Stays,
        };
        let (mut counted, mut changed) = (ThinnedNotes::default(), Changed::new());
        for annotated in notes.ids() {
            let note = match notes.read(annotated) {
                Err(StoreError::NoteTooLarge { .. }) => continue,
                read => read?,
            };
            let (before, mut rest) = (note.len(), Vec::new());
            let trusted = match &vouched {
                None => note,
                // A thinned line is a new line, which this commit vouches for: only what was vouched for before may become one.
                Some(vouched) => {
                    let split = vouched.split(&notes, annotated, note)?;
                    rest = split.untrusted;
                    split.trusted
                }
            };
            let thinned = codec::thin(&trusted, fate);
            counted.held += thinned.held;
            if thinned.records > 0 {
                let note = codec::union([thinned.note.as_slice(), rest.as_slice()]);
                counted.notes += 1;
                counted.records += thinned.records;
                counted.bytes += before.saturating_sub(note.len());
                changed.push((annotated, note));
            }
        }
        Ok((counted, changed))
    }
}
