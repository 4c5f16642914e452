//! Excuses: how a recorded permission to regress resets a series.

use crate::model::Excuse;

/// Where along the history an excuse stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExcusePlace {
    /// On the candidate, or on a commit between the base and the candidate: it forgives the candidate.
    Candidate,
    /// On the commit at this position of the history (0 is the newest): older runs no longer bind.
    History(usize),
}

/// An excuse and its place, found by the commit it is attached to or by that commit's tree.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacedExcuse {
    /// The excuse.
    pub excuse: Excuse,
    /// Where it stands.
    pub place: ExcusePlace,
}
