//! When to stop: the decisions of adaptive sampling, without doing any of it.

use std::time::Duration;

use super::entropy::Entropy;
use super::interval;

/// How one point is sampled.
#[derive(Debug, Clone, PartialEq)]
pub struct SamplingOptions {
    /// Unmeasured executions before the measured ones.
    pub warmup: Warmup,
    /// Fewest measured executions where [`Self::max_time`] allows; never below three.
    pub min_runs: u32,
    /// Most measured executions.
    pub max_runs: u32,
    /// Measure at least this long, warm-up not counted.
    pub min_time: Duration,
    /// Begin no execution after this time, warm-up not counted, once there are three values.
    pub max_time: Duration,
    /// Wanted half width of the 95 % interval of the median, in percent of the median.
    pub precision_percent: f64,
    /// When the sample is complete, within these limits.
    pub stop: StopRule,
}

impl Default for SamplingOptions {
    fn default() -> Self {
        Self {
            warmup: Warmup::Time(Duration::from_millis(200)),
            min_runs: 20,
            max_runs: 500,
            min_time: Duration::ZERO,
            max_time: Duration::from_secs(30),
            precision_percent: 0.5,
            stop: StopRule::Interval,
        }
    }
}

/// When there are enough values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopRule {
    /// When the interval of the median is as narrow as [`SamplingOptions::precision_percent`] says.
    Interval,
    /// When the entropy of the values no longer changes, as nvbench has it.
    Entropy,
}

/// Unmeasured executions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warmup {
    /// This many executions.
    Count(u32),
    /// Executions until this much time has passed.
    Time(Duration),
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Execute without measuring.
    WarmUp,
    /// Execute and keep the values.
    Measure,
    /// The sample is complete.
    Stop(StopReason),
}

/// Why a sample is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// The interval of the median is as narrow as asked for.
    Precise,
    /// The entropy of the values no longer changes.
    Settled,
    /// [`SamplingOptions::max_runs`] is reached.
    Runs,
    /// [`SamplingOptions::max_time`] is over.
    Time,
}

/// Values needed before time may end a sample: with fewer nothing at all can be said about noise.
const FEWEST: u32 = 3;

/// Decides, execution by execution, what comes next.
///
/// The interval is looked at when [`SamplingOptions::min_runs`] values are there and then at half as many more each
/// time, not after every value: frequent looks stop on lucky streaks. The entropy is looked at after every second value,
/// as in nvbench: its line through hundreds of values has no streaks.
#[derive(Debug, Clone)]
pub struct Sampler {
    options: SamplingOptions,
    began: Duration,
    warmups: u32,
    measuring_since: Option<Duration>,
    taken: u32,
    dropped: u32,
    next_look: u32,
    sorted: Vec<f64>,
    entropy: Entropy,
}

impl Sampler {
    /// Begins at `now`.
    pub fn new(options: SamplingOptions, now: Duration) -> Self {
        let next_look = options.min_runs.max(FEWEST);
        Self {
            options,
            began: now,
            warmups: 0,
            measuring_since: None,
            taken: 0,
            dropped: 0,
            next_look,
            sorted: Vec::new(),
            entropy: Entropy::default(),
        }
    }

    /// What to do at `now`.
    pub fn decide(&mut self, now: Duration) -> Decision {
        if self.measuring_since.is_none() && self.needs_warmup(now) {
            return Decision::WarmUp;
        }
        let elapsed = now.saturating_sub(*self.measuring_since.get_or_insert(now));
        let attempts = self.taken.saturating_add(self.dropped);
        if self.taken >= self.options.max_runs || attempts >= self.options.max_runs.saturating_mul(2) {
            return Decision::Stop(StopReason::Runs);
        }
        if elapsed >= self.options.max_time && (self.taken >= FEWEST || self.dropped > 0) {
            return Decision::Stop(StopReason::Time);
        }
        if self.taken >= self.next_look && elapsed >= self.options.min_time {
            match self.options.stop {
                StopRule::Interval if self.is_precise() => return Decision::Stop(StopReason::Precise),
                StopRule::Entropy if self.has_settled() => return Decision::Stop(StopReason::Settled),
                StopRule::Interval => self.next_look = self.taken.saturating_add(self.taken.div_ceil(2)),
                StopRule::Entropy => self.next_look = self.taken.saturating_add(2),
            }
        }
        Decision::Measure
    }

    fn needs_warmup(&self, now: Duration) -> bool {
        match self.options.warmup {
            Warmup::Count(count) => self.warmups < count,
            Warmup::Time(time) => now.saturating_sub(self.began) < time,
        }
    }

    /// A sample whose leading metric cannot be told is long enough at its first look: more of it tells no more.
    fn is_precise(&self) -> bool {
        self.half_width_percent().is_none_or(|reached| reached <= self.options.precision_percent)
    }

    /// As with the interval: where the leading metric cannot be told, more tells no more.
    fn has_settled(&self) -> bool {
        self.sorted.is_empty() || self.entropy.has_settled()
    }

    /// An unmeasured execution is done.
    pub fn warmed_up(&mut self) {
        self.warmups += 1;
    }

    /// A measured execution is done; `value` is that of the leading metric, `None` where it cannot be told.
    pub fn measured(&mut self, value: Option<f64>) {
        self.taken += 1;
        if let Some(value) = value {
            let at = self.sorted.partition_point(|other| other.total_cmp(&value).is_lt());
            let equals = self.sorted.iter().skip(at).take_while(|other| **other == value).count();
            self.sorted.insert(at, value);
            self.entropy.add(equals);
        }
    }

    /// A measured execution was dropped.
    pub fn dropped(&mut self) {
        self.dropped += 1;
    }

    /// Unmeasured executions so far.
    pub fn warmups(&self) -> u32 {
        self.warmups
    }

    /// Measured executions so far, dropped ones not counted.
    pub fn taken(&self) -> u32 {
        self.taken
    }

    /// Dropped executions so far.
    pub fn dropped_count(&self) -> u32 {
        self.dropped
    }

    /// The median of the leading metric so far, once there are three values.
    pub fn median(&self) -> Option<f64> {
        (self.sorted.len() >= FEWEST as usize).then(|| interval::median(&self.sorted))
    }

    /// Half width of the interval of that median, in percent of it; `None` below six values.
    pub fn half_width_percent(&self) -> Option<f64> {
        interval::half_width_percent(&self.sorted)
    }

    /// Estimated time until the sample is complete: an interval narrows with the square root of the sample's length. When
    /// an entropy settles nobody knows.
    pub fn remaining(&self, now: Duration) -> Option<Duration> {
        let elapsed = now.saturating_sub(self.measuring_since?);
        if self.taken == 0 || self.options.stop == StopRule::Entropy {
            return None;
        }
        let per_run = elapsed.as_secs_f64() / f64::from(self.taken);
        let for_time = if per_run > 0.0 { self.options.min_time.as_secs_f64() / per_run } else { 0.0 };
        let for_precision = match self.half_width_percent() {
            Some(reached) => f64::from(self.taken) * (reached / self.options.precision_percent).powi(2),
            None => 0.0,
        };
        let least = f64::from(self.options.min_runs.max(FEWEST)).max(for_time);
        let wanted = least.max(for_precision).min(f64::from(self.options.max_runs));
        let seconds = (wanted - f64::from(self.taken)).max(0.0) * per_run;
        let left = self.options.max_time.saturating_sub(elapsed);
        Some(Duration::try_from_secs_f64(seconds).map_or(left, |estimate| estimate.min(left)))
    }
}
