//! What is told of notes beside what they say.

use crate::model::ObjectId;

/// Something that was noticed while reading; the result is still good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreWarning {
    /// Lines that this version cannot read: newer or malformed. They are kept.
    #[error("{} in {} cannot be read by this version; kept as they are", count(*lines, "line"), count(*notes, "note"))]
    UnreadableLines {
        /// How many lines.
        lines: usize,
        /// In how many notes.
        notes: usize,
    },
    /// Records and excuses that hang at a commit with another tree than the one they are about; they count there only.
    #[error("{} with results of another tree; those do not count there", count(*commits, "commit"))]
    OtherTree {
        /// How many commits carry such lines.
        commits: usize,
    },
    /// Records and profiles whose run stands nowhere in the notes that were read.
    #[error("{} without the run that they name; they do not count", count(*records, "record"))]
    WithoutRun {
        /// How many records.
        records: usize,
    },
    /// Lines about this history that nobody vouches for, where only what is signed counts.
    #[error(
        "{} and {} untrusted: no notes commit with a good signature of an allowed signer brought them; they do not count",
        count(*records, "record"), count(*excuses, "excuse")
    )]
    Untrusted {
        /// How many records.
        records: usize,
        /// How many excuses.
        excuses: usize,
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
            Self::Untrusted { .. } => "untrusted",
            Self::TooLarge { .. } => "note_too_large",
        }
    }
}

/// `1 note`, `5 notes`.
fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
