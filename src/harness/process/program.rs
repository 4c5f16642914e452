//! Programs that help with measuring and are not measured themselves, such as a profiler around a benchmark's command.

use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::child;
use super::finished::{EndedBy, RunOptions};
use super::{forget_repository, located};
use crate::harness::{Ending, Interrupt};

/// A program to run to its end.
#[derive(Debug, Clone, Copy)]
pub struct Program<'a> {
    /// The program and its arguments. A program with a slash is relative to the folder.
    pub argv: &'a [String],
    /// Where it runs.
    pub directory: &'a Path,
    /// Added to the environment.
    pub environment: &'a [(String, String)],
    /// The most that it may take.
    pub timeout: Duration,
}

/// A program that came to an end.
#[derive(Debug)]
pub struct Ran {
    /// What ended it.
    pub ended_by: EndedBy,
    /// Where it did not exit with zero: how it ended.
    pub ending: Option<Ending>,
    /// The beginning and the end of its standard output.
    pub stdout: Vec<u8>,
    /// The same of its standard error.
    pub stderr: Vec<u8>,
}

/// Runs a program in a process group of its own, with nothing on its standard input. The group is killed when the time
/// is over, when the user wants to stop, and with what is left in it when the program ends.
///
/// # Errors
/// It cannot be started or waited for.
pub fn run_program(program: &Program<'_>, interrupt: &Interrupt) -> io::Result<Ran> {
    let (name, arguments) = program.argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let directory = std::path::absolute(program.directory)?;
    #[expect(clippy::disallowed_methods, reason = "helpers of measuring are started here")]
    let mut command = Command::new(located(&directory, name));
    let environment = program.environment.iter().map(|(name, value)| (name, value));
    forget_repository(&mut command, &directory);
    command.args(arguments).current_dir(directory).envs(environment);
    let options = RunOptions { timeout: Some(program.timeout), kill_leftovers: true, interrupt };
    let finished = child::run(&mut command, options)?;
    Ok(Ran { ended_by: finished.ended_by, ending: finished.ending, stdout: finished.stdout.bytes, stderr: finished.stderr.bytes })
}
