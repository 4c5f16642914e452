//! Notes as text: what stands in `refs/notes/ratchet`, and how two notes become one.
//!
//! A note is UTF-8 JSON Lines. Every line is a `run`, a `record`, a `profile` or an `excuse`, with `"v":1` and a unique id; the
//! order of fields is fixed and lines are sorted by their bytes, so that a union made here has the same bytes as one
//! made by `git notes merge -s cat_sort_uniq`. A line that this version cannot read is kept byte for byte.
//!
//! This module knows text only: no git, no files.

mod note;
mod skim;
mod thin;
mod v1;

pub use note::{Line, Note, Unreadable, difference, union};
pub use skim::{Point, Skimmed, SkimmedNote, Skimmer};
pub use thin::{Fate, Thinned, thin};

/// Longest line that is read. A longer one is kept, but its content is not looked at.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// One line of a note, decoded.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// One execution of benchmarks.
    Run(crate::model::Run),
    /// One sample's statistics and values.
    Record(crate::model::Record),
    /// What a profiler counted.
    Profile(crate::model::Profile),
    /// A permission to regress.
    Excuse(crate::model::Excuse),
}

impl Entry {
    /// The line for this entry, without the final line feed.
    pub fn encode(&self) -> String {
        v1::encode(self)
    }
}

#[cfg(test)]
mod tests;
