//! Where there are no process groups nothing is run: a measurement that cannot be stopped would be worse than none.

use std::io;
use std::process::Command;
use std::time::Duration;

use crate::harness::extract::Output;
use crate::harness::{Ending, Interrupt};

/// A process group.
pub(in crate::harness) type GroupId = u32;

/// What wakes a watchdog before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::harness) enum Wake {
    /// The user wants to stop.
    Interrupted,
}

/// There is never a group to kill here.
pub(in crate::harness) fn kill_now(_group: GroupId) {}

/// What ended a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// It came to its end by itself.
    ItsOwn,
    /// It took too long.
    TimedOut,
    /// The user wanted to stop.
    Interrupted,
}

/// A finished process.
#[derive(Debug)]
pub(super) struct Finished {
    /// What ended it.
    pub(super) ended_by: EndedBy,
    /// How it ended.
    pub(super) ending: Option<Ending>,
    /// From its start to its end.
    pub(super) wall: Duration,
    /// Its processor time.
    pub(super) cpu: Duration,
    /// Its largest resident set.
    pub(super) peak_memory: u64,
    /// Its standard output.
    pub(super) stdout: Output,
    /// Its standard error.
    pub(super) stderr: Output,
}

/// How a process is run.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunOptions<'a> {
    /// It is killed after this time.
    pub(super) timeout: Option<Duration>,
    /// Whether what it leaves in its group is killed when it ends.
    pub(super) kill_leftovers: bool,
    /// Who may want to stop it.
    pub(super) interrupt: &'a Interrupt,
}

/// Refuses.
pub(super) fn run(_command: &mut Command, _options: RunOptions<'_>) -> io::Result<Finished> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "commands are measured on Unix only"))
}
