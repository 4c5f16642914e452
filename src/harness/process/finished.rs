//! How a child process is run, and what is known of it when it is over: the same wherever processes can be run or not.

use std::time::Duration;

use crate::harness::extract::Output;
use crate::harness::{Ending, Interrupt};

/// What wakes a watchdog before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::harness) enum Wake {
    /// The process ended.
    #[cfg(unix)]
    Ended,
    /// The user wants to stop.
    Interrupted,
}

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
    /// Where it did not exit with zero: how it ended.
    pub(super) ending: Option<Ending>,
    /// From just before it was started until its end was noticed.
    pub(super) wall: Duration,
    /// User and system time of it and the children that it waited for.
    pub(super) cpu: Duration,
    /// Largest resident set of it or a child that it waited for, in bytes.
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
