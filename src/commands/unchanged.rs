//! `bench --if-changed`: what an earlier commit has already measured, of the same content on the same testbed, is inherited.
//!
//! The inherited lines keep their ids, so the same measurement at two commits stays one piece of evidence; only the run's
//! tree is HEAD's, since that is what makes results count for it. The run still names the commit that was checked out.

use std::collections::{BTreeMap, HashMap};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::context::Context;
use super::error::CommandError;
use super::points::point_name;
use super::recording;
use super::workspace::Workspace;
use crate::codec::Entry;
use crate::cuda;
use crate::model::{BenchmarkName, Config, LineId, MetricName, ObjectId, Record, Run};
use crate::report::words::SHORT_ID;
use crate::settings::{Benchmark, Settings, Suite};
use crate::store::{AnnotatedCommit, AnnotatedHistory, Walk};

/// What was measured before, and what of it is inherited.
pub struct Unchanged<'a> {
    workspace: &'a Workspace,
    head: ObjectId,
    head_tree: ObjectId,
    testbed: String,
    history: AnnotatedHistory,
    files: HashMap<ObjectId, Vec<(String, ObjectId)>>,
    inherited: Vec<Inherited>,
}

/// A point whose results are taken from an earlier commit.
struct Inherited {
    benchmark: BenchmarkName,
    config: Config,
    from: ObjectId,
    run: Run,
    records: Vec<Record>,
}

impl<'a> Unchanged<'a> {
    /// Reads what the first-parent history of HEAD has measured.
    pub fn gather(workspace: &'a Workspace, head: ObjectId) -> Result<Self, CommandError> {
        let store = &workspace.store;
        let history = store.history(&[head], Walk::FirstParent)?;
        Ok(Self {
            workspace,
            head,
            head_tree: store.commit(head)?.tree,
            testbed: recording::this_testbed(workspace.settings.testbed.as_deref())?.key().to_owned(),
            history: store.annotated_history(&history, &store.notes()?)?,
            files: HashMap::new(),
            inherited: Vec::new(),
        })
    }

    /// Whether a command need not run: its `inputs` and its settings are those of a commit that was measured here.
    /// Without `inputs` nobody knows what it depends on.
    pub fn skips_command(&mut self, benchmark: &Benchmark, config: &Config) -> Result<bool, CommandError> {
        let testbed = self.testbed.clone();
        let measured = || self.measured(&benchmark.name, config, &testbed, None);
        let found = if benchmark.inputs.is_empty() { Vec::new() } else { measured() };
        self.inherits(found, &benchmark.inputs, |then| then.benchmark(&benchmark.name) == Some(benchmark))
    }

    /// The same of a suite: one of its runs that was recorded. One whose results name a testbed of their own has none here.
    pub fn skips_suite(&mut self, suite: &Suite) -> Result<bool, CommandError> {
        let is_own = |record: &Record| self.workspace.settings.suite_of(&record.benchmark) == Some(suite);
        // A session measured some of its benchmarks in turn with another commit.
        let is_whole = |run: &Run, _: &Record| run.session.is_none();
        let point = (&suite.name, &Config::empty());
        let measured = || self.found(point, &self.testbed, &is_own, &is_whole);
        let found = if suite.inputs.is_empty() { Vec::new() } else { measured() };
        self.inherits(found, &suite.inputs, |then| then.suites.contains(suite))
    }

    /// Takes the first of what was `found` whose commit has the same `inputs` as HEAD, and the same settings.
    fn inherits(
        &mut self,
        found: Vec<Inherited>,
        inputs: &[String],
        same: impl Fn(&Settings) -> bool,
    ) -> Result<bool, CommandError> {
        let inputs = globs(inputs)?;
        for found in found {
            let same_settings = || {
                let then = self.workspace.settings_of(found.from, &found.from.short(SHORT_ID))?;
                Ok::<_, CommandError>(same(&then))
            };
            if self.chosen(found.from, &inputs)? == self.chosen(self.head, &inputs)? && same_settings()? {
                self.inherited.push(found);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a kernel need not be timed: its machine code, its launch and its arguments were timed on this testbed, with
    /// the caches in the same state.
    pub fn skips_kernel(&mut self, kernel: &cuda::KernelPoint, testbed: &str) -> bool {
        let time = format!("{}{}", MetricName::TIME, kernel.job.timing.cache.suffix());
        let is_timed = |found: &Inherited| found.records.iter().any(|record| record.metric.name.as_str() == time);
        let measured = self.measured(&kernel.benchmark, &kernel.config, testbed, Some(&kernel.machine_code));
        let found = measured.into_iter().find(is_timed);
        let is_there = found.is_some();
        self.inherited.extend(found);
        is_there
    }

    /// The commits where a point was measured well, newest first, each with its newest run.
    fn measured(&self, benchmark: &BenchmarkName, config: &Config, testbed: &str, machine_code: Option<&str>) -> Vec<Inherited> {
        let of_point = |record: &Record| record.benchmark == *benchmark && record.config == *config;
        let is_same = |_: &Run, record: &Record| machine_code.is_none_or(|code| record.machine_code.as_deref() == Some(code));
        self.found((benchmark, config), testbed, &of_point, &is_same)
    }

    /// The commits that have a clean run with records that are wanted, all of them good; of each the run that has most of
    /// them, and of those the newest.
    fn found(
        &self,
        (benchmark, config): (&BenchmarkName, &Config),
        testbed: &str,
        is_wanted: &dyn Fn(&Record) -> bool,
        is_good: &dyn Fn(&Run, &Record) -> bool,
    ) -> Vec<Inherited> {
        let of_commit = |annotated: &AnnotatedCommit| {
            let runs = annotated.note.runs.iter().filter(|run| run.testbed.key() == testbed && !run.dirty);
            let of_run = |run: &Run| {
                let is_own = |record: &&Record| record.run == run.id && is_wanted(record);
                let records: Vec<Record> = annotated.note.records.iter().filter(is_own).cloned().collect();
                let is_usable = |record: &Record| record.barred.is_none() && is_good(run, record);
                let (benchmark, config, from) = (benchmark.clone(), config.clone(), annotated.commit);
                let is_found = !records.is_empty() && records.iter().all(is_usable);
                is_found.then(|| Inherited { benchmark, config, from, run: run.clone(), records })
            };
            runs.filter_map(of_run).max_by_key(|found| found.records.len())
        };
        self.history.commits.iter().filter_map(of_commit).collect()
    }

    /// The files of a commit that globs choose.
    fn chosen(&mut self, commit: ObjectId, globs: &GlobSet) -> Result<Vec<(String, ObjectId)>, CommandError> {
        if !self.files.contains_key(&commit) {
            self.files.insert(commit, self.workspace.store.files(commit)?);
        }
        let files = self.files.get(&commit).into_iter().flatten();
        Ok(files.filter(|(path, _)| globs.is_match(path)).cloned().collect())
    }

    /// The lines that make the inherited results count for HEAD. What is there already is not written again.
    pub fn entries(&self) -> Vec<Entry> {
        let mut runs: BTreeMap<LineId, (&Run, Vec<&Record>)> = BTreeMap::new();
        for inherited in self.inherited.iter().filter(|inherited| inherited.run.tree != self.head_tree) {
            runs.entry(inherited.run.id).or_insert((&inherited.run, Vec::new())).1.extend(&inherited.records);
        }
        let lines = runs.into_values().flat_map(|(run, records)| {
            let run = Entry::Run(Run { tree: self.head_tree, ..run.clone() });
            std::iter::once(run).chain(records.into_iter().cloned().map(Entry::Record))
        });
        lines.collect()
    }

    /// What was inherited, for programs.
    pub fn json(&self) -> Vec<serde_json::Value> {
        let object = |inherited: &Inherited| {
            serde_json::json!({
                "benchmark": inherited.benchmark.as_str(),
                "config": crate::report::series_json::config(&inherited.config),
                "from": inherited.from.to_string(),
            })
        };
        self.inherited.iter().map(object).collect()
    }

    /// Says what was not measured, and whose results count instead.
    pub fn tell(&self, context: &mut Context) -> Result<(), CommandError> {
        for inherited in &self.inherited {
            let name = point_name(&inherited.benchmark, &inherited.config);
            let line = format!("unchanged: {name} has the results of {}", inherited.from.short(SHORT_ID));
            writeln!(context.out, "{}", crate::report::escape::terminal(&line))?;
        }
        Ok(())
    }
}

/// The files that `inputs` names: `src/*.cu` stops at a slash, `src/**` does not.
///
/// # Errors
/// A pattern is none.
pub fn globs(patterns: &[String]) -> Result<GlobSet, CommandError> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        set.add(glob.map_err(|error| CommandError::usage(format!("inputs: {error}")))?);
    }
    set.build().map_err(|error| CommandError::usage(format!("inputs: {error}")))
}
