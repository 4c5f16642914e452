//! Where things are measured: one benchmark point at a time, as often as its sample needs.
//!
//! An [`Executor`] knows how to execute a [`Target`] once; [`run_benchmark`] asks it again and again, decides when the
//! sample is precise enough ([`Sampler`]), and hands back measurements with their warnings. Time comes from a
//! [`Clock`] and news go to a [`Progress`], so whole schedules run in tests without a process or a wait.
//!
//! [`run_pairs`] measures two points in turn, for a comparison within one session.
//!
//! [`ProcessExecutor`] measures programs, [`run_program`] runs helpers that are not measured, [`relay`] starts programs
//! that are listened to while they run. This module knows neither settings, nor git, nor how anything is shown.

mod bench;
mod clock;
mod entropy;
mod executor;
mod extract;
mod interrupt;
mod interval;
mod pairs;
mod point;
mod process;
mod progress;
mod sampling;
mod testbed;
mod warnings;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

pub use bench::{BenchFailure, run_benchmark};
pub use clock::{Clock, MonotonicClock};
pub use executor::{Ending, ExecutionError, Executor, LastLines, Observation, Prepared, Step, Target};
pub use extract::ExtractError;
pub use interrupt::{CannotCatchSignals, Interrupt, Scratch};
pub use pairs::{Contest, Executors, MeasuredPair, Next, PairsRun, ShortRun, ready, run_pairs};
pub use point::{
    CommandSpec, InvalidMetric, MetricSource, OutputMetric, OutputPattern, OutputStream, Point, Printed, ResultsReader,
};
pub use process::{EndedBy, ProcessExecutor, Program, REPOSITORY_VARIABLES, Ran, Relayed, Said, relay, run_program};
pub use progress::{Estimate, Event, Progress, Silent};
pub use sampling::{Decision, Sampler, SamplingOptions, StopReason, StopRule, Warmup};
pub use testbed::{TestbedOptions, testbed};
