//! Where there are no process groups nothing is run: a measurement that cannot be stopped would be worse than none.

use std::io;
use std::process::Command;

use super::finished::{Finished, RunOptions};

/// A process group.
pub(in crate::harness) type GroupId = u32;

/// There is never a group to kill here.
pub(in crate::harness) fn kill_now(_group: GroupId) {}

/// Refuses.
pub(super) fn run(_command: &mut Command, _options: RunOptions<'_>) -> io::Result<Finished> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "commands are measured on Unix only"))
}
