//! What `tune` found out, as every format of it shows it.

use super::Notice;
use crate::model::Config;
use crate::tune::Evidence;

/// A whole search.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuning {
    /// The benchmark.
    pub benchmark: String,
    /// The kernel's manifest, from the root of the repository.
    pub manifest: String,
    /// What was compiled for.
    pub arch: String,
    /// What was measured on.
    pub testbed: String,
    /// The configs that it was tuned for.
    pub configs: Vec<Config>,
    /// Points of the grid, valid or not.
    pub combinations: u128,
    /// Valid points.
    pub valid: usize,
    /// Whether the default is none of them, because a restriction leaves it out. It is tried all the same.
    pub default_is_outside: bool,
    /// How points were chosen.
    pub strategy: &'static str,
    /// What the choice was drawn from.
    pub seed: u64,
    /// How long it might take, in seconds.
    pub budget_seconds: f64,
    /// How long it took.
    pub spent_seconds: f64,
    /// Why it ended.
    pub ended: Ended,
    /// The points that were tried, the best first, those that failed last.
    pub points: Vec<TunedPoint>,
    /// Who was held against the default in pairs, the best first.
    pub finalists: Vec<Finalist>,
    /// The place in `points` of what is suggested.
    pub suggestion: Option<usize>,
    /// What that gains over the default, in percent; `None` where there is no default to compare with.
    pub gain_percent: Option<f64>,
    /// What of the manifest would change: a unified diff, ended by a line feed.
    pub diff: Option<String>,
    /// What the user should know.
    pub notices: Vec<Notice>,
}

impl Tuning {
    /// The default's point, where it was tried.
    pub fn default_point(&self) -> Option<&TunedPoint> {
        self.points.iter().find(|point| point.is_default)
    }

    /// How many points have a time for every config.
    pub fn timed(&self) -> usize {
        self.points.iter().filter(|point| point.score.is_some()).count()
    }

    /// How many failed for each cause, with the first one's words; the most frequent first.
    pub fn failures(&self) -> Vec<(Cause, usize, &str)> {
        let mut found: Vec<(Cause, usize, &str)> = Vec::new();
        for (cause, message) in self.points.iter().filter_map(TunedPoint::failure) {
            match found.iter_mut().find(|(known, ..)| *known == cause) {
                Some((_, count, _)) => *count += 1,
                None => found.push((cause, 1, message)),
            }
        }
        found.sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
        found
    }
}

/// Why a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every valid point was tried.
    Exhausted,
    /// The time was over.
    Budget,
    /// The user stopped it.
    Interrupted,
}

impl Ended {
    /// The word of the JSON contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exhausted => "exhausted",
            Self::Budget => "budget",
            Self::Interrupted => "interrupted",
        }
    }
}

/// A point that was tried.
#[derive(Debug, Clone, PartialEq)]
pub struct TunedPoint {
    /// Every tunable and its value.
    pub tunables: Config,
    /// Whether it is what `bench` measures now.
    pub is_default: bool,
    /// The geometric mean of its median times, in seconds; `None` where a config failed.
    pub score: Option<f64>,
    /// What came out for each config, in the order of [`Tuning::configs`]; those behind a failure are missing.
    pub outcomes: Vec<Outcome>,
    /// What the compiler says of its first config.
    pub code: Option<Code>,
}

impl TunedPoint {
    /// Why it failed.
    pub fn failure(&self) -> Option<(Cause, &str)> {
        self.outcomes.iter().find_map(|outcome| match outcome {
            Outcome::Failed { cause, message } => Some((*cause, message.as_str())),
            Outcome::Timed(_) => None,
        })
    }

    /// The time of a config.
    pub fn time(&self, config: usize) -> Option<&Time> {
        match self.outcomes.get(config) {
            Some(Outcome::Timed(time)) => Some(time),
            _ => None,
        }
    }
}

/// What came out of a point and a config.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It was verified and measured.
    Timed(Time),
    /// It was not, or its results are wrong.
    Failed {
        /// What kind of failure.
        cause: Cause,
        /// In words.
        message: String,
    },
}

/// A measured time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Time {
    /// Median in seconds.
    pub median: f64,
    /// Lower end of the 95 % interval of the median, where there are enough values.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// How many values.
    pub n: u64,
    /// Where it comes from.
    pub source: Source,
}

/// Where a time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// It was measured to the end.
    Measured,
    /// It was dropped early, since it could not win any more.
    Dropped,
    /// Another point has the same machine code and launch, and was measured.
    SameCode,
    /// An earlier `tune` measured it on this testbed.
    Kept,
}

impl Source {
    /// The word of the JSON contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Dropped => "dropped",
            Self::SameCode => "same_code",
            Self::Kept => "kept",
        }
    }
}

/// Why a point failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The manifest makes no plan for it.
    NoPlan,
    /// It does not compile.
    CompileError,
    /// A block does not fit on a multiprocessor: threads, registers, shared memory.
    DoesNotFit,
    /// The device's memory is too small.
    OutOfMemory,
    /// The launch, or the device, failed.
    LaunchFailed,
    /// It took too long, and was killed.
    TimedOut,
    /// Its results are wrong.
    WrongResult,
    /// The device was throttled all the time.
    Throttled,
}

impl Cause {
    /// The word of the JSON contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoPlan => "no_plan",
            Self::CompileError => "compile_error",
            Self::DoesNotFit => "does_not_fit",
            Self::OutOfMemory => "out_of_memory",
            Self::LaunchFailed => "launch_failed",
            Self::TimedOut => "timed_out",
            Self::WrongResult => "wrong_result",
            Self::Throttled => "throttled",
        }
    }

    /// The cause of such a word.
    pub fn parse(word: &str) -> Option<Self> {
        let all = [
            Self::NoPlan,
            Self::CompileError,
            Self::DoesNotFit,
            Self::OutOfMemory,
            Self::LaunchFailed,
            Self::TimedOut,
            Self::WrongResult,
            Self::Throttled,
        ];
        all.into_iter().find(|cause| cause.as_str() == word)
    }
}

/// What is known of a point without running it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Code {
    /// Registers of a thread.
    pub registers: u32,
    /// Bytes that a thread spills, both ways.
    pub spill_bytes: u64,
    /// Shared memory of a block, static and dynamic; `None` where only a device can tell.
    pub shared_bytes: Option<u64>,
    /// Theoretical occupancy in percent; `None` where it cannot be told.
    pub occupancy_percent: Option<f64>,
    /// SASS instructions.
    pub instructions: u32,
}

/// A point that was held against the default.
#[derive(Debug, Clone, PartialEq)]
pub struct Finalist {
    /// Its place in [`Tuning::points`].
    pub point: usize,
    /// What the pairs show, for each config; empty where they could not be measured.
    pub evidence: Vec<Evidence>,
    /// Why not, where they could not.
    pub failure: Option<String>,
    /// What is proven of it: the gain in percent.
    pub gain_percent: Option<f64>,
}
