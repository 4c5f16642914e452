//! The search on the device: points are ordered from the compilers, tried one after the other, and told to the search, until
//! the space, the budget or the user's patience is at its end.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::ahead::{self, Ahead, Built, Unbuilt};
use super::kept::{self, Kept};
use super::target::Target;
use super::trial::{self, Trial};
use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::gpu::Gpu;
use crate::commands::kernels::KernelPoint;
use crate::cuda::{self, Execution, KernelExecutor};
use crate::harness::{Clock, Interrupt, MonotonicClock};
use crate::model::Config;
use crate::report::tune_progress::TuneProgress;
use crate::report::tuning::{Cause, Code, Ended, Outcome, Source, TunedPoint};
use crate::tune::{Search, Space, Strategy, geometric_mean};

/// The share of the budget that the search may take; the rest is for the comparison with the default.
const SEARCH_SHARE: f64 = 0.8;
/// A point that takes this many times as long as the slowest good one hangs, or is no candidate …
const HANG_FACTOR: u32 = 5;
/// … where it takes longer than this, too.
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(1);
/// A worker gives a point its timeout several times over: to ready it, to measure it, to verify it again.
const TIMEOUTS_OF_A_POINT: u32 = 8;

/// What a search works on.
pub(super) struct Session<'a> {
    pub(super) target: &'a Target,
    pub(super) space: &'a Space,
    pub(super) default: &'a Config,
    pub(super) gpu: &'a Gpu,
    pub(super) strategy: Strategy,
    pub(super) seed: u64,
    /// The longest that one step of a kernel may take, by ratchet.toml.
    pub(super) timeout: Duration,
    pub(super) clock: &'a MonotonicClock,
    pub(super) budget: Duration,
    pub(super) interrupt: &'a Interrupt,
}

/// What a search found.
pub(super) struct Searched {
    /// In the order tried.
    pub(super) points: Vec<TunedPoint>,
    pub(super) ended: Ended,
}

/// How one point ended.
enum Tried {
    Point(Box<TunedPoint>),
    Over(Ended),
}

impl Session<'_> {
    /// Searches until something ends it.
    pub(super) fn search(&self, kept: &mut Kept, context: &mut Context) -> Result<Searched, CommandError> {
        let mut progress = TuneProgress::new(self.space.len(), context.terminal.progress);
        let found = ahead::with(self.gpu.compiler(), |ahead| Run::new(self, kept).search(ahead, &mut progress, context));
        progress.finish();
        found
    }

    /// How much of the search's share of the budget is left.
    fn left(&self) -> Duration {
        self.budget.mul_f64(SEARCH_SHARE).saturating_sub(self.clock.now())
    }

    /// The values of a point; the default may stand outside the space.
    fn tunables(&self, point: usize) -> Config {
        if point < self.space.len() { self.space.config(point) } else { self.default.clone() }
    }
}

/// A search under way.
struct Run<'a, 'b> {
    session: &'a Session<'a>,
    kept: &'b mut Kept,
    executor: KernelExecutor,
    points: Vec<TunedPoint>,
    /// The best median of each config.
    best: Vec<Option<f64>>,
    /// What was measured, by what it depends on.
    by_key: HashMap<String, Outcome>,
    /// The longest time that a point with a time took.
    longest: Option<Duration>,
}

impl<'a, 'b> Run<'a, 'b> {
    fn new(session: &'a Session<'a>, kept: &'b mut Kept) -> Self {
        let best = vec![None; session.target.configs().len()];
        let executor = session.gpu.executor(Execution::Shot);
        Self { session, kept, executor, points: Vec::new(), best, by_key: HashMap::new(), longest: None }
    }

    fn search(mut self, ahead: &mut Ahead, progress: &mut TuneProgress, context: &mut Context) -> Result<Searched, CommandError> {
        let session = self.session;
        let first = session.space.find(session.default);
        let mut search = Search::new(session.space, first, session.strategy, session.seed);
        let mut waiting = VecDeque::new();
        if first.is_none() {
            self.order(session.space.len(), ahead);
            waiting.push_back(session.space.len());
        }
        let ended = loop {
            while waiting.len() < ahead.depth
                && let Some(point) = search.ask()
            {
                self.order(point, ahead);
                waiting.push_back(point);
            }
            let Some(point) = waiting.pop_front() else { break Ended::Exhausted };
            match self.try_point(point, ahead)? {
                Tried::Over(ended) => break ended,
                Tried::Point(tried) => {
                    search.tell(point, tried.score);
                    self.points.push(*tried);
                    self.show(progress, context)?;
                }
            }
        };
        Ok(Searched { points: self.points, ended })
    }

    fn order(&self, point: usize, ahead: &Ahead) {
        let points = self.session.target.with(&self.session.tunables(point));
        ahead.order(point, points.iter().map(|point| self.session.gpu.plan(point)).collect());
    }

    fn try_point(&mut self, point: usize, ahead: &mut Ahead) -> Result<Tried, CommandError> {
        let session = self.session;
        let is_over = || session.interrupt.is_requested() || session.left().is_zero();
        let over = || Tried::Over(if session.interrupt.is_requested() { Ended::Interrupted } else { Ended::Budget });
        // The default is always tried: without it nothing can be said.
        if is_over() && !self.points.is_empty() {
            return Ok(over());
        }
        let Some(built) = ahead.wait(point, &is_over) else { return Ok(over()) };
        let tunables = session.tunables(point);
        let code = built.iter().find_map(|built| built.as_ref().ok()).map(code_of);
        let mut outcomes = Vec::new();
        let began = session.clock.now();
        for (place, (config, built)) in session.target.with(&tunables).iter().zip(built).enumerate() {
            match self.outcome(place, config, built)? {
                Some(outcome) => outcomes.push(outcome),
                None => return Ok(over()),
            }
            if matches!(outcomes.last(), Some(Outcome::Failed { .. })) {
                break;
            }
        }
        let medians = outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Timed(time) => Some(time.median),
            Outcome::Failed { .. } => None,
        });
        let medians: Vec<f64> = medians.collect();
        let score = geometric_mean(medians.iter().copied()).filter(|_| medians.len() == self.best.len());
        if score.is_some() {
            self.longest = self.longest.max(Some(session.clock.now() - began));
        }
        let is_default = tunables == *session.default;
        Ok(Tried::Point(Box::new(TunedPoint { tunables, is_default, score, outcomes, code })))
    }

    /// What came out of one config; `None` where the search is over.
    fn outcome(
        &mut self,
        place: usize,
        point: &KernelPoint,
        built: Result<Built, Unbuilt>,
    ) -> Result<Option<Outcome>, CommandError> {
        let built = match built {
            Ok(built) => built,
            Err((cause, message)) => return Ok(Some(Outcome::Failed { cause, message })),
        };
        let (timeout, is_cut) = self.timeout();
        let kernel = self.session.gpu.kernel(point, built.plan, (&built.own, built.reference.as_ref()), timeout);
        let key = kept::key(&kernel);
        if let Some(outcome) = self.by_key.get(&key).map(same_code).or_else(|| self.kept.get(&key)) {
            self.note_best(place, &outcome);
            self.by_key.insert(key, outcome.clone());
            return Ok(Some(outcome));
        }
        let best = self.best.get(place).copied().flatten();
        let outcome = match trial::run(&mut self.executor, &kernel, best, self.session.clock) {
            Trial::Interrupted => return Ok(None),
            Trial::Broken(why) => return Err(CommandError::failure(why)),
            // It is the budget that was short, and not the point that hangs.
            Trial::Done(Outcome::Failed { cause: Cause::TimedOut, .. }) if is_cut => return Ok(None),
            Trial::Done(outcome) => outcome,
        };
        self.kept.put(&key, &outcome);
        self.note_best(place, &outcome);
        self.by_key.insert(key, outcome.clone());
        Ok(Some(outcome))
    }

    fn note_best(&mut self, place: usize, outcome: &Outcome) {
        if let (Some(best), Outcome::Timed(time)) = (self.best.get_mut(place), outcome) {
            *best = Some(best.map_or(time.median, |known| known.min(time.median)));
        }
    }

    /// How long a step of the next point may take, and whether it is the budget that says so.
    fn timeout(&self) -> (Duration, bool) {
        let session = self.session;
        let usual = self.longest.map(|longest| (HANG_FACTOR * longest / TIMEOUTS_OF_A_POINT).max(SHORTEST_TIMEOUT));
        let own = usual.map_or(session.timeout, |usual| usual.min(session.timeout));
        let left = session.left() / TIMEOUTS_OF_A_POINT;
        if left < own { (left, true) } else { (own, false) }
    }

    fn show(&self, progress: &mut TuneProgress, context: &mut Context) -> Result<(), CommandError> {
        let scored = self.points.iter().filter_map(|point| Some((point.score?, point)));
        let best = scored.min_by(|one, other| one.0.total_cmp(&other.0));
        let default = self.points.iter().find(|point| point.is_default).and_then(|point| point.score);
        let words = best.map_or_else(String::new, |(_, point)| point.tunables.to_string());
        let best = best.map(|(score, _)| (score, words.as_str()));
        Ok(progress.done(context.err, self.points.len(), (best, default), self.session.left())?)
    }
}

/// A result that another point with the same code, launch and arguments has.
fn same_code(outcome: &Outcome) -> Outcome {
    match outcome {
        Outcome::Timed(time) => Outcome::Timed(crate::report::tuning::Time { source: Source::SameCode, ..*time }),
        failed => failed.clone(),
    }
}

fn code_of(built: &Built) -> Code {
    let code = &built.own.code;
    let launch = &built.plan.launch;
    let threads = launch.block.iter().product();
    Code {
        registers: code.registers,
        spill_bytes: u64::from(code.spill_stores) + u64::from(code.spill_loads),
        shared_bytes: Some(u64::from(code.shared_bytes) + u64::from(launch.shared_bytes)),
        occupancy_percent: cuda::occupancy(built.arch, code, threads, launch.shared_bytes)
            .map(|occupancy| 100.0 * occupancy.share),
        instructions: code.instructions,
    }
}
