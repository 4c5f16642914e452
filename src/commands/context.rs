//! What a command may touch: its writers, the clock, randomness, the environment, the terminal. main.rs fills it in;
//! tests fill it in differently.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::model::{LineId, ObjectId};

/// The world of one command.
pub struct Context<'a> {
    /// Where results go.
    pub out: &'a mut dyn Write,
    /// Where progress, warnings and errors go.
    pub err: &'a mut dyn Write,
    /// The environment.
    pub env: HashMap<String, String>,
    /// The terminal behind `out` and `err`.
    pub terminal: Terminal,
    /// The clock.
    pub clock: fn() -> DateTime<Utc>,
    /// Eighty or more random bits.
    pub random: fn() -> u128,
    /// The folder to work in; `None` is the current one.
    pub dir: Option<PathBuf>,
    /// This program, for the commands that start it again.
    pub program: Option<PathBuf>,
    /// The command line as it was typed, for the same.
    pub arguments: Vec<OsString>,
    /// What was pinned when somebody asked for this command, which runs later.
    pub pinned: Pinned,
}

/// What a command is about, in place of what the repository says now.
#[derive(Debug, Clone, Default)]
pub struct Pinned {
    /// The settings file.
    pub settings: Option<String>,
    /// Revisions and the commits that they meant.
    pub revisions: Vec<(String, ObjectId)>,
}

/// What is known of the terminal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terminal {
    /// Columns to fill; `None` where the output is no terminal.
    pub width: Option<usize>,
    /// Whether results are coloured.
    pub color: bool,
    /// Whether a progress bar may be drawn on `err`.
    pub progress: bool,
}

impl Context<'_> {
    /// A fresh id, for a run.
    pub fn new_id(&self) -> LineId {
        let milliseconds = u64::try_from((self.clock)().timestamp_millis()).unwrap_or(0);
        LineId::from_parts(milliseconds, (self.random)())
    }

    /// A file that the user named, seen from the folder to work in.
    pub fn path(&self, named: &Path) -> PathBuf {
        self.dir.as_ref().map_or_else(|| named.to_owned(), |dir| dir.join(named))
    }

    /// One environment variable; empty counts as unset.
    pub fn env(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Gives ids that follow one another: a batch shares a prefix, which packs well, and sorts in the order it was made.
pub struct IdSequence {
    last: LineId,
}

impl IdSequence {
    /// Ids that follow `first`.
    pub fn after(first: LineId) -> Self {
        Self { last: first }
    }

    /// The next id. The 80 random bits leave room for more ids than memory; at their very end the ids start again at
    /// a new prefix one millisecond on.
    pub fn next_id(&mut self, context: &Context) -> LineId {
        self.last = self.last.next().unwrap_or_else(|| context.new_id());
        self.last
    }
}
