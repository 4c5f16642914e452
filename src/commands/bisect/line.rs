//! The commits between two revisions, along first parents, as far as they may have moved a benchmark.

use std::collections::{BTreeMap, HashMap};

use super::Subject;
use crate::commands::error::CommandError;
use crate::commands::history;
use crate::commands::selection::Selection;
use crate::commands::unchanged::globs;
use crate::judge;
use crate::model::{BenchmarkName, Direction, ObjectId};
use crate::report::words::SHORT_ID;
use crate::stats;
use crate::store::{History, HistoryCommit, Store, Walk};

/// What is searched: stretches of commits whose inputs are the same, the oldest first.
pub(super) struct Line {
    /// Every commit from the old end to the new one, the oldest first.
    commits: Vec<HistoryCommit>,
    /// Where the stretches begin, as indices into `commits`.
    begins: Vec<usize>,
}

impl Line {
    /// From `old` to `new`.
    ///
    /// # Errors
    /// `old` is not on the line, or nothing lies between them that could have moved the benchmark.
    pub(super) fn between(
        store: &Store,
        (benchmark, inputs): (&BenchmarkName, &[String]),
        old: ObjectId,
        new: ObjectId,
    ) -> Result<Self, CommandError> {
        let (from, to) = (old.short(SHORT_ID), new.short(SHORT_ID));
        if old == new {
            return Err(CommandError::usage(format!("nothing lies between {from} and itself"))
                .with_hint("--old and --new name commits before and after the move"));
        }
        let History { mut commits, truncated } = store.history(&[new], Walk::FirstParent)?;
        let Some(end) = commits.iter().position(|commit| commit.id == old) else {
            let error = CommandError::usage(format!("{from} is not among the first parents of {to}"));
            return Err(if truncated {
                error.with_hint("this is a shallow clone: git fetch --unshallow")
            } else {
                error.with_hint(format!("name one of git log --first-parent {to} with --old"))
            });
        };
        commits.truncate(end + 1);
        commits.reverse();
        let begins = begins(store, inputs, &commits)?;
        if begins.len() < 2 {
            let inputs = inputs.join(", ");
            return Err(CommandError::no_verdict(format!(
                "no commit from {from} to {to} changes an input of {benchmark} ({inputs})"
            ))
            .with_hint("so it is not the code that moved; or `inputs` in ratchet.toml lacks a file that it depends on"));
        }
        Ok(Self { commits, begins })
    }

    /// How many stretches there are: what a search numbers.
    pub(super) fn len(&self) -> usize {
        self.begins.len()
    }

    /// How many commits came after the old end.
    pub(super) fn commits(&self) -> usize {
        self.commits.len() - 1
    }

    /// How many of them leave the inputs alone.
    pub(super) fn left_alone(&self) -> usize {
        self.commits.len() - self.begins.len()
    }

    /// The first commit of a stretch: the one that made its content.
    pub(super) fn first(&self, at: usize) -> ObjectId {
        self.commits[self.begins[at]].id
    }

    /// The commit that is measured for a stretch: of the ends, those that were named.
    pub(super) fn measured(&self, at: usize) -> ObjectId {
        if at + 1 == self.begins.len() { self.commits[self.commits.len() - 1].id } else { self.first(at) }
    }

    /// Where the recorded results of the subject moved, by stretches.
    pub(super) fn suspected(&self, store: &Store, subject: &Subject) -> Result<Option<(usize, usize)>, CommandError> {
        if !store.has_notes()? {
            return Ok(None);
        }
        let newest_first = History { commits: self.commits.iter().rev().copied().collect(), truncated: false };
        let annotated = store.annotated_history(&newest_first, &store.notes()?)?;
        let stretches = self.stretches();
        let mut by_testbed: BTreeMap<&str, BTreeMap<usize, Vec<f64>>> = BTreeMap::new();
        let mut better = Direction::Lower;
        for found in history::records(&annotated.commits, &Selection::default()) {
            let record = found.record;
            let is_metric = subject.metric.as_ref().is_some_and(|metric| record.metric.name == *metric);
            let is_usable = !found.run.dirty && record.barred.is_none();
            if record.benchmark == subject.benchmark && record.config == subject.config && is_metric && is_usable {
                better = record.metric.better;
                let at = stretches.get(&found.commit).copied().unwrap_or(0);
                by_testbed.entry(found.run.testbed.key()).or_default().entry(at).or_default().push(record.summary.median);
            }
        }
        // The testbed that knows most.
        let richest = by_testbed.into_values().max_by_key(BTreeMap::len).unwrap_or_default();
        let measured: Vec<(usize, f64)> =
            richest.into_iter().filter_map(|(at, values)| Some((at, stats::median(&values)?))).collect();
        Ok(judge::suspected_move(better, &measured))
    }

    /// The stretch of every commit.
    fn stretches(&self) -> HashMap<ObjectId, usize> {
        let stretch = |at: usize| self.begins.partition_point(|begin| *begin <= at) - 1;
        self.commits.iter().enumerate().map(|(at, commit)| (commit.id, stretch(at))).collect()
    }
}

/// Where the content of the benchmark's inputs changes; everywhere where nobody knows what it depends on.
fn begins(store: &Store, inputs: &[String], commits: &[HistoryCommit]) -> Result<Vec<usize>, CommandError> {
    if inputs.is_empty() {
        return Ok((0..commits.len()).collect());
    }
    let globs = globs(inputs)?;
    let mut begins = Vec::new();
    let mut last = None;
    for (at, commit) in commits.iter().enumerate() {
        let mut files = store.files(commit.id)?;
        files.retain(|(path, _)| globs.is_match(path));
        if last.as_ref() != Some(&files) {
            begins.push(at);
            last = Some(files);
        }
    }
    Ok(begins)
}
