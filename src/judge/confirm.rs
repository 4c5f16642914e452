//! The paired re-measurement: evidence within one session, free of what differs between sessions.

use crate::model::ObjectId;

/// Two runs measured next to each other in one session, in random order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Median of the run of a commit of the best level, in base units.
    pub reference: f64,
    /// Median of the candidate's run, in base units.
    pub candidate: f64,
    /// Which commit the reference was; references rotate through [`Baseline::commits`](super::Baseline::commits).
    pub reference_commit: ObjectId,
}
