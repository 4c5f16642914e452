//! What goes over a worker's pipes: a line for each request and each reply.
//!
//! A kernel may print, and CUDA prints for it on the worker's standard output. So a reply's line begins with a mark
//! that nothing else begins with, and everything else is passed over.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use crate::cuda::device::Properties;
use crate::cuda::job::{Bytes, Job};
use crate::cuda::session::{Readiness, Shot};

/// What a line of ours begins with.
const MARK: &str = "\u{1}ratchet ";

/// What a worker is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(in crate::cuda) enum Request {
    /// Opens the device of this number. Before everything else.
    Open { device: u32 },
    /// Gives the program of [`crate::cuda::support_program`], compiled for the device. Before the first kernel.
    Support { cubin: Option<Bytes> },
    /// Loads, verifies and calibrates a kernel, and keeps it in this slot.
    Prepare { slot: u32, job: Box<Job>, seed: u64 },
    /// Measures one batch.
    Measure { slot: u32 },
    /// Verifies again.
    Verify { slot: u32 },
    /// Empties the slot.
    Release { slot: u32 },
}

/// What a worker answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub(in crate::cuda) enum Reply {
    /// The device is open.
    Opened(Opened),
    /// It was done, and there is nothing to tell.
    Done,
    /// The kernel is ready.
    Prepared(Readiness),
    /// Times of one batch.
    Measured { shots: Vec<Shot>, throttled: Option<String> },
    /// What the second verification found; nothing is good.
    Verified { faults: Vec<String> },
    /// It did not work.
    Failed(Failure),
}

/// A device that is open.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Opened {
    /// What it is.
    pub properties: Properties,
    /// Facts of it for a testbed.
    pub facts: BTreeMap<String, String>,
    /// Why NVML tells nothing, where it does not.
    pub unwatched: Option<String>,
}

/// Why a worker could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// In words.
    pub message: String,
    /// Nothing works any more in this worker.
    pub is_final: bool,
    /// What kind of failure it is.
    pub kind: FailureKind,
}

/// Kinds of failures, for whom the words are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The device's memory does not hold the kernel's buffers.
    OutOfMemory,
    /// Not even one block fits on a multiprocessor.
    DoesNotFit,
    /// Anything else: the launch or the device failed.
    #[default]
    Other,
}

/// Writes one line. What a kernel printed before may have left a line open.
pub(super) fn write_line(out: &mut dyn Write, message: &impl Serialize) -> io::Result<()> {
    writeln!(out, "\n{MARK}{}", serde_json::to_string(message)?)?;
    out.flush()
}

/// Reads one line; `None` where it is not ours.
pub(super) fn read_line<T: for<'de> Deserialize<'de>>(line: &str) -> Option<Result<T, serde_json::Error>> {
    line.strip_prefix(MARK).map(serde_json::from_str)
}
