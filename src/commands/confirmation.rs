//! Suspicious series measured again: candidate and baseline in turn, in one session, until the plan of each suspect
//! has seen enough.

use std::collections::BTreeMap;

use super::context::Context;
use super::error::CommandError;
use super::matchup::{MatchedPoint, Matchup};
use super::paired::{self, Measured, Session, SoFar};
use super::points;
use super::recording::{self, SessionRun};
use super::suites::{self, SuitePart};
use super::workspace::Workspace;
use crate::cuda::ClockState;
use crate::harness::{MeasuredPair, Next};
use crate::judge::{ConfirmPlan, Pair, Step};
use crate::model::{BenchmarkName, Config, Metric, ObjectId, SeriesKey, Testbed};
use crate::report::progress::ProgressLine;
use crate::report::words::{self, SHORT_ID};
use crate::report::{Notice, escape};
use crate::settings::{self, Settings};

/// A series to be measured again.
pub struct Suspect {
    /// The series.
    pub key: SeriesKey,
    /// Its metric.
    pub metric: Metric,
    /// When to stop, and what the pairs say.
    pub plan: ConfirmPlan,
    /// The commits that held its baseline, oldest first.
    pub commits: Vec<ObjectId>,
    /// The pairs so far, in the order measured.
    pub pairs: Vec<Pair>,
    stopped: bool,
}

impl Suspect {
    /// A suspect that was not measured again yet.
    pub fn new(key: SeriesKey, metric: Metric, plan: ConfirmPlan, commits: Vec<ObjectId>) -> Self {
        Self { key, metric, plan, commits, pairs: Vec::new(), stopped: false }
    }

    /// Takes the newest pair, unless this suspect has seen enough or the pair does not tell its metric.
    fn take(&mut self, metric: usize, pair: &MeasuredPair, reference_commit: ObjectId) {
        let values = pair.reference.median(metric).zip(pair.candidate.median(metric));
        if let Some((reference, candidate)) = values.filter(|_| !self.stopped) {
            self.pairs.push(Pair { reference, candidate, reference_commit });
            self.stopped = matches!(self.plan.next_step(&self.pairs), Step::Stop(_));
        }
    }

    /// Whether it waits for more pairs. Where all commits had their turn and none told of it, there is nothing to wait for.
    fn is_open(&self, pairs: usize, references: usize) -> bool {
        !self.stopped && pairs < self.plan.most_pairs && (pairs < references || !self.pairs.is_empty())
    }

    fn said(&self) -> String {
        self.plan.outcome(&self.pairs).map_or_else(String::new, |outcome| words::so_far(&outcome, self.plan.most_pairs))
    }
}

/// Measures series of one candidate again.
pub struct Confirmer<'a> {
    workspace: &'a Workspace,
    candidate: ObjectId,
    settings: Settings,
    testbed: Testbed,
}

impl<'a> Confirmer<'a> {
    /// With the benchmarks of the candidate's own `ratchet.toml`, on this computer.
    pub fn new(workspace: &'a Workspace, candidate: ObjectId) -> Result<Self, CommandError> {
        let settings = workspace.settings_of(candidate, &candidate.short(SHORT_ID))?;
        let testbed = recording::this_testbed(workspace.settings.testbed.as_deref())?;
        Ok(Self { workspace, candidate, settings, testbed })
    }

    /// Why a series cannot be measured again here, if so.
    pub fn obstacle(&self, key: &SeriesKey, metric: &Metric) -> Option<Notice> {
        let name = format!("{} {} {}", key.benchmark, key.config, key.metric);
        let told = |why: &str, hint: String| {
            Some(Notice::new("not_confirmed", format!("{name}: suspicious, but not measured again: {why}")).hint(hint))
        };
        if self.is_kernel(&key.benchmark) {
            // Whether it was measured here is looked at when the device is open.
            let is_compiled = metric.exact || ClockState::of_key(&key.testbed).is_none();
            let hint = "compile it again: git ratchet bench --compile-only".to_owned();
            return is_compiled.then(|| told("what a compiler says is not measured", hint)).flatten();
        }
        if let Some(suite) = self.settings.suite_of(&key.benchmark) {
            // Where it was measured its results will say.
            let unasked = suite.command_for(&key.benchmark, &key.config, "").err();
            return unasked.and_then(|why| told(&why.to_string(), "only what `one` of the suite can name can be".to_owned()));
        }
        if key.testbed != self.testbed.key() {
            return told(&format!("it was measured on `{}`", key.testbed), format!("this computer is `{}`", self.testbed.key()));
        }
        let file = format!("{} of {}", settings::FILE_NAME, self.candidate.short(SHORT_ID));
        let benchmark = self.settings.benchmark(&key.benchmark).filter(|benchmark| benchmark.configs().contains(&key.config));
        let Some(benchmark) = benchmark else {
            let hint = "only what git ratchet bench runs can be: a [[benchmark]], or a [[suite]] for what other tools measure";
            return told(&format!("{file} does not have it"), hint.to_owned());
        };
        let measured = benchmark.metrics.iter().map(|metric| points::metric_of(&metric.source));
        if !measured.into_iter().any(|known| known.name == metric.name && known.unit == metric.unit) {
            return told(&format!("{file} does not have the metric in {}", metric.unit), "record it as it is there".to_owned());
        }
        None
    }

    /// Measures the suspects again. Those that cannot be keep no pairs; the notices say why.
    ///
    /// # Errors
    /// The user wants to stop, or there is no room for worktrees.
    pub fn confirm(&self, suspects: &mut [Suspect], record: bool, context: &mut Context) -> Result<Vec<Notice>, CommandError> {
        let matchups = self.matchups(suspects);
        self.announce(&matchups, context)?;
        let time = (context.clock)();
        let mut session = Session::begin(self.workspace, &self.settings, self.clocks_of_kernels(suspects), context)?;
        let gpu = session.gpu_testbed()?;
        let mut line = ProgressLine::new(matchups.len() as u64, context.terminal.progress);
        let mut of_testbeds: Vec<(Testbed, Vec<SessionRun>)> = Vec::new();
        for matchup in &matchups {
            let mut own: Vec<&mut Suspect> = suspects.iter_mut().filter(|suspect| is_of(suspect, matchup)).collect();
            line.begin(context.err, &matchup.to_string())?;
            let is_kernel = self.is_kernel(&matchup.benchmark);
            if let Some(gpu) = gpu.as_ref().filter(|_| is_kernel) {
                own.retain(|suspect| suspect.key.testbed == gpu.key());
                if own.is_empty() {
                    session.notices.push(measured_elsewhere(matchup, gpu));
                    line.end();
                    continue;
                }
            }
            let measured = session.measure(matchup, &mut |so_far| {
                let next = step(&mut own, matchup, so_far);
                if let Some(open) = own.iter().find(|suspect| !suspect.stopped) {
                    line.advance(open.pairs.len() as f64 / open.plan.most_pairs as f64);
                    line.update(&matchup.to_string(), &open.said(), None);
                }
                next
            });
            line.end();
            match measured? {
                Some(measured) => {
                    let (testbed, runs) = (self.testbed_of(matchup, gpu.as_ref())?, session_runs(matchup, &measured));
                    match of_testbeds.iter_mut().find(|(known, _)| known.key() == testbed.key()) {
                        Some((_, known)) => known.extend(runs),
                        None => of_testbeds.push((testbed, runs)),
                    }
                }
                // Pairs before a failure prove nothing.
                None => own.iter_mut().for_each(|suspect| suspect.pairs.clear()),
            }
            tell(&own, matchup, context)?;
        }
        line.finish();
        let mut notices = session.finish(context.err)?;
        for (testbed, runs) in of_testbeds.into_iter().filter(|_| record) {
            let recorded = recording::write_session(&self.workspace.store, runs, (&testbed, time), context);
            notices.extend(recorded.err().map(|error| {
                Notice::new("confirmation_not_recorded", format!("the pairs could not be recorded: {}", error.message))
            }));
        }
        Ok(notices)
    }

    /// What a matchup was measured on: the GPU, what the results of a suite name, or this computer.
    fn testbed_of(&self, matchup: &Matchup, gpu: Option<&Testbed>) -> Result<Testbed, CommandError> {
        match (matchup.parts.first(), gpu.filter(|_| self.is_kernel(&matchup.benchmark))) {
            (_, Some(gpu)) => Ok(gpu.clone()),
            (Some(part), None) if part.testbed != self.testbed.key() => recording::named_testbed(&part.testbed, BTreeMap::new()),
            _ => Ok(self.testbed.clone()),
        }
    }

    fn is_kernel(&self, benchmark: &BenchmarkName) -> bool {
        self.settings.benchmark(benchmark).is_some_and(|benchmark| benchmark.kernel.is_some())
    }

    /// The clocks of the testbed where the first kernel among the suspects was measured; `None` where there is no kernel.
    fn clocks_of_kernels(&self, suspects: &[Suspect]) -> Option<ClockState> {
        let first = suspects.iter().find(|suspect| self.is_kernel(&suspect.key.benchmark))?;
        Some(ClockState::of_key(&first.key.testbed).unwrap_or(ClockState::Free))
    }

    /// One matchup for each point with suspects, of a suite for each testbed; the newest commits of their levels first. What one
    /// command of a suite measures against the same commits is one matchup.
    fn matchups(&self, suspects: &[Suspect]) -> Vec<Matchup> {
        let mut matchups: BTreeMap<(&BenchmarkName, &Config, Option<&str>), Matchup> = BTreeMap::new();
        for Suspect { key, metric, commits, .. } in suspects {
            let of_suite = self.settings.suite_of(&key.benchmark).map(|_| key.testbed.as_str());
            let matchup = matchups.entry((&key.benchmark, &key.config, of_suite)).or_insert_with(|| Matchup {
                benchmark: key.benchmark.clone(),
                config: key.config.clone(),
                references: Vec::new(),
                candidate: self.candidate,
                parts: Vec::from_iter(of_suite.map(|testbed| SuitePart {
                    benchmark: key.benchmark.clone(),
                    config: key.config.clone(),
                    testbed: testbed.to_owned(),
                    metrics: Vec::new(),
                })),
            });
            matchup.parts.iter_mut().for_each(|part| part.metrics.push(metric.clone()));
            let known = matchup.references.clone();
            matchup.references.extend(commits.iter().rev().filter(|commit| !known.contains(commit)));
        }
        let mut matchups = suites::shared(&self.settings, matchups.into_values().collect());
        if self.settings.incremental {
            // What is held against the same commits is measured one after the other, so that worktrees do not move to and fro.
            matchups.sort_by(|one, other| one.references.cmp(&other.references));
        }
        matchups
    }

    /// Nothing of a repository is run without saying so.
    fn announce(&self, matchups: &[Matchup], context: &mut Context) -> Result<(), CommandError> {
        let candidate = self.candidate.short(SHORT_ID).to_string();
        let what = paired::announcement(&self.settings, matchups, &candidate, &format!("{candidate} and of baseline commits"));
        let text = format!("measuring again: {what}");
        Ok(writeln!(context.err, "{}", escape::terminal(&text))?)
    }
}

fn measured_elsewhere(matchup: &Matchup, gpu: &Testbed) -> Notice {
    Notice::new("not_confirmed", format!("{matchup}: suspicious, but not measured again: it was measured on another testbed"))
        .hint(format!("this GPU is `{}`", gpu.key()))
}

fn is_of(suspect: &Suspect, matchup: &Matchup) -> bool {
    matchup.points(0).iter().any(|point| is_at(suspect, point))
}

fn is_at(Suspect { key, .. }: &Suspect, point: &MatchedPoint<'_>) -> bool {
    let is_same = key.benchmark == *point.benchmark && key.config == *point.config;
    is_same && point.testbed.is_none_or(|testbed| testbed == key.testbed)
}

/// The place of the suspect's metric among those that are measured.
fn place_of(suspect: &Suspect, matchup: &Matchup, metrics: &[Metric]) -> Option<usize> {
    let own = matchup.points(metrics.len()).into_iter().find(|point| is_at(suspect, point))?;
    own.places.into_iter().find(|place| metrics.get(*place).is_some_and(|metric| metric.name == suspect.key.metric))
}

/// Hands the newest pair to every suspect; goes on while one of them wants more.
fn step(suspects: &mut [&mut Suspect], matchup: &Matchup, SoFar { references, metrics, pairs }: SoFar<'_>) -> Next {
    let Some(newest) = pairs.last() else { return Next::Measure };
    for suspect in suspects.iter_mut() {
        let metric = place_of(suspect, matchup, metrics);
        if let Some((metric, commit)) = metric.zip(references.get(newest.reference_index)) {
            suspect.take(metric, newest, *commit);
        }
    }
    if suspects.iter().any(|suspect| suspect.is_open(pairs.len(), references.len())) { Next::Measure } else { Next::Stop }
}

/// What came out for each suspect of a point, where no bar shows it.
fn tell(suspects: &[&mut Suspect], matchup: &Matchup, context: &mut Context) -> Result<(), CommandError> {
    for suspect in suspects.iter().filter(|suspect| !suspect.pairs.is_empty() && !context.terminal.progress) {
        let name = if matchup.parts.len() > 1 { words::series_name(&suspect.key) } else { suspect.key.metric.to_string() };
        writeln!(context.err, "  {}: {}", escape::terminal(&name), suspect.said())?;
    }
    Ok(())
}

/// What was measured, as runs of the commits: first the candidate's, then each reference's.
fn session_runs(matchup: &Matchup, measured: &Measured) -> Vec<SessionRun> {
    let points = matchup.points(measured.metrics.len());
    let of = |commit, barred: Option<&String>, runs: Vec<_>| {
        let pooled = |point: &MatchedPoint<'_>| {
            recording::pooled((point.benchmark, point.config), (&measured.metrics, point.places.clone()), barred, &runs)
        };
        SessionRun { commit, measurements: points.iter().flat_map(pooled).collect() }
    };
    let candidate = measured.pairs.iter().map(|pair| &pair.candidate).collect();
    let references = measured.references.iter().enumerate().map(|(index, commit)| {
        let own = measured.pairs.iter().filter(|pair| pair.reference_index == index);
        of(*commit, None, own.map(|pair| &pair.reference).collect())
    });
    std::iter::once(of(matchup.candidate, measured.barred.as_ref(), candidate)).chain(references).collect()
}
