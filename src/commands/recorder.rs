//! Results recorded while others are still being measured: what ends the program costs the point it was at, not the run.
//!
//! A record cannot be unwritten, so the repository is looked at before each write: what was measured between two looks at
//! a clean tree of the same HEAD belongs to that commit, whatever happens later. Once tracked files differ, the rest goes
//! into a run of its own that is dirty; once HEAD has moved, nothing more is written.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::context::{Context, IdSequence};
use super::error::CommandError;
use super::recording::{self, RunFacts};
use super::workspace::Workspace;
use crate::codec::Entry;
use crate::harness::{Clock, MonotonicClock};
use crate::model::{Measurement, ObjectId, Record, Run, Testbed};
use crate::report::Notice;
use crate::report::number::count;
use crate::report::words::SHORT_ID;

/// A write takes the longer the more is in the note, so one is due only when this many times its cost has passed.
const WRITES_ARE_RARE: u32 = 20;

/// What the repository is like at one moment.
pub struct State {
    /// The commit that is checked out.
    pub head: ObjectId,
    /// Whether tracked files differ from it.
    pub dirty: bool,
}

impl State {
    /// The state now.
    pub fn of(workspace: &Workspace) -> Result<Self, CommandError> {
        Ok(Self { head: workspace.store.head()?, dirty: workspace.store.is_dirty()? })
    }
}

/// Writes the runs of one call of `bench` to the note of one commit.
pub struct Recorder<'a> {
    workspace: &'a Workspace,
    /// Whether what is measured are the user's files, which may change meanwhile, and not a checkout of our own.
    is_watched: bool,
    /// HEAD at the beginning; dirty as soon as it was seen so.
    state: State,
    has_moved: bool,
    dry_run: bool,
    runs: Vec<Begun>,
    /// Lines whose write failed.
    unwritten: Vec<Entry>,
    recorded: usize,
    recorded_dirty: usize,
    clock: MonotonicClock,
    next_write: Duration,
}

/// A run that was begun; its line is written with its first records.
struct Begun {
    testbed: Testbed,
    time: DateTime<Utc>,
    tool: String,
    line: Option<(Run, IdSequence)>,
    waiting: Vec<Measurement>,
}

impl<'a> Recorder<'a> {
    /// Records on the HEAD of `state`, or nothing at all where it is a dry run.
    ///
    /// # Errors
    /// Without an author nothing can be recorded, which is better told before anything is measured.
    pub fn new(workspace: &'a Workspace, state: State, dry_run: bool) -> Result<Self, CommandError> {
        Self::of(workspace, (state, true), dry_run)
    }

    /// Records on `commit`, which is checked out where nobody else works.
    ///
    /// # Errors
    /// Without an author nothing can be recorded.
    pub fn of_checkout(workspace: &'a Workspace, commit: ObjectId, dry_run: bool) -> Result<Self, CommandError> {
        Self::of(workspace, (State { head: commit, dirty: false }, false), dry_run)
    }

    fn of(workspace: &'a Workspace, (state, is_watched): (State, bool), dry_run: bool) -> Result<Self, CommandError> {
        if !dry_run {
            workspace.store.author()?;
        }
        let (clock, next_write) = (MonotonicClock::new(), Duration::ZERO);
        let (runs, unwritten) = (Vec::new(), Vec::new());
        let (has_moved, recorded, recorded_dirty) = (false, 0, 0);
        Ok(Self {
            workspace,
            is_watched,
            state,
            has_moved,
            dry_run,
            runs,
            unwritten,
            recorded,
            recorded_dirty,
            clock,
            next_write,
        })
    }

    /// The commit that is recorded on.
    pub fn head(&self) -> ObjectId {
        self.state.head
    }

    /// What is to be told of a work tree that is not what HEAD says.
    pub fn dirty(&self) -> Option<Notice> {
        let clean = self.recorded - self.recorded_dirty;
        let message = match clean {
            0 => "tracked files differ from HEAD: these results are shown, but never a baseline".to_owned(),
            some => format!(
                "tracked files came to differ from HEAD while the benchmarks ran: only {} from before may be a baseline",
                count(some, "result")
            ),
        };
        self.state.dirty.then(|| Notice::new("dirty", message).hint("commit, then measure again"))
    }

    /// Whether HEAD has moved: what is measured from now on has no commit that it belongs to.
    pub fn has_moved(&self) -> bool {
        self.has_moved
    }

    /// How many results are recorded.
    pub fn recorded(&self) -> usize {
        self.recorded
    }

    /// What is added from now on belongs to another run, which `tool` measures.
    pub fn begin(&mut self, testbed: Testbed, time: DateTime<Utc>, tool: String) {
        self.runs.push(Begun { testbed, time, tool, line: None, waiting: Vec::new() });
    }

    /// Adds results to the run that was begun last, and writes if that is due.
    ///
    /// A write that fails is tried again with a later point, and told of by [`Self::finish`]: measuring goes on.
    pub fn add(&mut self, measurements: &[Measurement], context: &Context) {
        let Some(run) = self.runs.last_mut().filter(|_| !self.dry_run && !measurements.is_empty()) else { return };
        run.waiting.extend_from_slice(measurements);
        let now = self.clock.now();
        if now >= self.next_write {
            let _ = self.write(Vec::new(), context);
            let took = self.clock.now().saturating_sub(now);
            self.next_write = self.clock.now() + took * WRITES_ARE_RARE;
        }
    }

    /// Writes what is left, and the lines of `inherited` where the tree is clean.
    ///
    /// # Errors
    /// HEAD has moved, or lines could not be written.
    pub fn finish(&mut self, inherited: Vec<Entry>, context: &Context) -> Result<(), CommandError> {
        self.write(inherited, context)
    }

    fn write(&mut self, inherited: Vec<Entry>, context: &Context) -> Result<(), CommandError> {
        self.look()?;
        if self.dry_run {
            return Ok(());
        }
        for run in &mut self.runs {
            run.settle(self.workspace, &self.state, &mut self.unwritten, context)?;
        }
        let inherited = inherited.into_iter().filter(|_| !self.state.dirty);
        let lines: Vec<Entry> = self.unwritten.iter().cloned().chain(inherited).collect();
        if !lines.is_empty() {
            recording::write(&self.workspace.store, self.state.head, lines)?;
        }
        let records = self.unwritten.drain(..).filter(|line| matches!(line, Entry::Record(_))).count();
        self.recorded += records;
        self.recorded_dirty += if self.state.dirty { records } else { 0 };
        Ok(())
    }

    /// Compares the repository with what it was.
    fn look(&mut self) -> Result<(), CommandError> {
        if !self.is_watched {
            return Ok(());
        }
        let now = State::of(self.workspace)?;
        self.has_moved |= now.head != self.state.head;
        self.state.dirty |= now.dirty;
        if !self.has_moved {
            return Ok(());
        }
        let kept = match self.recorded {
            0 => "nothing was recorded".to_owned(),
            some => format!("{} keeps {} from before", self.head().short(SHORT_ID), count(some, "result")),
        };
        let message = format!("HEAD moved while the benchmarks ran, so nobody knows which commit they measured since; {kept}");
        Err(CommandError::failure(message).with_hint("run git ratchet bench again and leave the work tree alone meanwhile"))
    }
}

impl Begun {
    /// Makes lines of what waits. The line of the run is among them each time; a note holds it once.
    fn settle(
        &mut self,
        workspace: &Workspace,
        state: &State,
        lines: &mut Vec<Entry>,
        context: &Context,
    ) -> Result<(), CommandError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let known = self.line.take().filter(|(run, _)| run.dirty == state.dirty);
        let (run, ids) = match known {
            Some(line) => self.line.insert(line),
            None => {
                let (testbed, time, tool) = (self.testbed.clone(), self.time, self.tool.clone());
                let facts = RunFacts { commit: state.head, dirty: state.dirty, testbed, tool, time };
                let run = recording::run(&workspace.store, facts, context)?;
                let ids = IdSequence::after(run.id);
                self.line.insert((run, ids))
            }
        };
        lines.push(Entry::Run(run.clone()));
        let records = self.waiting.drain(..).map(|measured| Record::new(ids.next_id(context), run.id, measured));
        lines.extend(records.map(Entry::Record));
        Ok(())
    }
}
