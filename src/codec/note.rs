//! A note as a set of lines.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{Entry, MAX_LINE_BYTES, thin, v1};
use crate::model::{Excuse, LineId, Profile, Record, Run};

/// Why a line could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// Written by a newer version: `"v"` is not 1, or the type is not known.
    Newer,
    /// Not JSON, a field missing, wrong types, impossible values; the text says which.
    Malformed(String),
    /// Longer than [`MAX_LINE_BYTES`].
    TooLong,
}

/// One line of a note: its decoded content, or why there is none.
pub type Line = Result<Entry, Unreadable>;

/// The decoded content of one note.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Note {
    /// The runs.
    pub runs: Vec<Run>,
    /// The records.
    pub records: Vec<Record>,
    /// The profiles.
    pub profiles: Vec<Profile>,
    /// The excuses.
    pub excuses: Vec<Excuse>,
    /// Why lines could not be read, one entry for each such line.
    pub unreadable: Vec<Unreadable>,
}

impl Note {
    /// Decodes a note's bytes. Never fails: what cannot be read is counted in `unreadable`. Of two readable lines
    /// with the same id the first in sort order counts; identical lines are one line, and so are those of one record with and
    /// without its sample.
    pub fn decode(bytes: &[u8]) -> Self {
        let mut note = Self::default();
        let mut seen = BTreeMap::new();
        for line in sorted_lines([bytes]) {
            match decode_line(line) {
                Ok(entry) => note.add(entry, line, &mut seen),
                Err(reason) => note.unreadable.push(reason),
            }
        }
        note
    }

    fn add<'a>(&mut self, entry: Entry, line: &'a [u8], seen: &mut BTreeMap<LineId, &'a [u8]>) {
        let id = match &entry {
            Entry::Run(run) => run.id,
            Entry::Record(record) => record.id,
            Entry::Profile(profile) => profile.id,
            Entry::Excuse(excuse) => excuse.id,
        };
        if let Some(first) = seen.get(&id) {
            match (thin::twins(first, line), entry) {
                (Some(Ordering::Less), Entry::Record(record)) => {
                    seen.insert(id, line);
                    if let Some(known) = self.records.iter_mut().find(|known| known.id == id) {
                        *known = record;
                    }
                }
                (Some(_), _) => {}
                (None, _) => {
                    self.unreadable.push(Unreadable::Malformed(format!("the id {id} is used by another line")));
                }
            }
            return;
        }
        seen.insert(id, line);
        match entry {
            Entry::Run(run) => self.runs.push(run),
            Entry::Record(record) => self.records.push(record),
            Entry::Profile(profile) => self.profiles.push(profile),
            Entry::Excuse(excuse) => self.excuses.push(excuse),
        }
    }

    /// The run that a record belongs to.
    pub fn run_of(&self, record: &Record) -> Option<&Run> {
        self.runs.iter().find(|run| run.id == record.run)
    }
}

/// Decodes one line, without its line feed.
pub(super) fn decode_line(line: &[u8]) -> Line {
    if line.len() > MAX_LINE_BYTES {
        return Err(Unreadable::TooLong);
    }
    v1::decode(line)
}

/// The union of notes: all their lines, sorted by bytes, each once, empty lines dropped, every line ended.
///
/// These are the rules of git's `cat_sort_uniq` strategy, so the result has the same bytes as git's.
pub fn union<'a>(notes: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    ended(sorted_lines(notes))
}

/// The lines of one note that another lacks, sorted, each once, every line ended.
pub fn difference(note: &[u8], other: &[u8]) -> Vec<u8> {
    let known = sorted_lines([other]);
    ended(sorted_lines([note]).into_iter().filter(|line| known.binary_search(line).is_err()))
}

fn ended<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut note = Vec::new();
    for line in lines {
        note.extend_from_slice(line);
        note.push(b'\n');
    }
    note
}

pub(super) fn sorted_lines<'a>(notes: impl IntoIterator<Item = &'a [u8]>) -> Vec<&'a [u8]> {
    let mut lines: Vec<&[u8]> =
        notes.into_iter().flat_map(|note| note.split(|byte| *byte == b'\n')).filter(|line| !line.is_empty()).collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}
