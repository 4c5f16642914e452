//! How long a kernel takes: events around single launches on a stream that never runs dry.
//!
//! A batch of launches is queued while the stream is held, and runs without gaps once it is released: the host's
//! launch latency is not measured. **Cold**, every launch finds the second-level cache filled with other data, and
//! takes another set of inputs than the one before; **hot**, launches follow one another on the same inputs. A kernel
//! that is too short for events (they resolve about half a microsecond) is launched many times by one graph between
//! two events, and divided; cold, its launches then go round enough sets of inputs to fill the cache twice.

use super::arguments::{Set, set_bytes};
use super::device::{Call, Device, DeviceError, Event, GraphId, MOST_HELD_WORK};
use super::health::Watch;
use super::job::Cache;
use super::peaks::Peaks;
use super::plan::KernelPlan;
use super::support::Support;
use super::verify::Loaded;
use crate::stats;

/// Kernels whose work takes less than this at the device's peak rates are timed in graphs. Decided by the work and not
/// by the clock, so that a kernel is not measured now in one way and now in the other.
const SHORT_ROOF_SECONDS: f64 = 2e-6;
/// The same where the work is not known, by a first measurement.
const SHORT_SECONDS: f64 = 5e-6;
/// A graph runs about this long …
const GRAPH_SECONDS: f64 = 200e-6;
/// … and has no more launches than this: a driver may queue each launch of a graph as if it stood alone.
const MOST_IN_GRAPH: usize = 128;
/// Sets of inputs that a cold graph may go round.
const MOST_SETS: u64 = 64;
/// A batch takes about this long …
const BATCH_SECONDS: f64 = 0.02;
/// … and has no more measurements than this: four entries of the queue each, and two events.
const MOST_IN_BATCH: usize = 64;
const _: () = assert!(4 * (MOST_IN_BATCH + 2) < MOST_HELD_WORK && 2 * MOST_IN_BATCH < super::device::EVENTS);
/// Throttled is a device whose clock lies below this share of the clock it is locked to …
const LOCKED_SHARE: f64 = 0.95;
/// … or, where it is not locked, of what is usual for this kernel: a kernel that always runs at the power limit, and
/// so below the highest clock, is as fast as it can be …
const USUAL_SHARE: f64 = 0.9;
/// … or of the highest clock.
const HIGHEST_SHARE: f64 = 0.5;
/// Looks at the clock before something is called usual.
const LOOKS: usize = 5;

/// Times of one batch.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Batch {
    /// Seconds of one launch each, in the order measured.
    pub(super) seconds: Vec<f64>,
    /// Why these times do not count, if so.
    pub(super) throttled: Option<String>,
}

/// What is launched between two events.
#[derive(Debug, Clone, Copy)]
enum Shot {
    Launch,
    Graph { graph: GraphId, launches: usize },
}

/// How many sets of arguments a kernel is timed with.
pub(super) fn sets_wanted(plan: &KernelPlan, device: &dyn Device, cache: Cache) -> usize {
    match cache {
        Cache::Hot => 1,
        Cache::Cold if is_short(plan, device, None) => rotation(plan, device).unwrap_or(2),
        Cache::Cold => 2,
    }
}

/// Sets that fill the second-level cache twice, where that many are sensible.
fn rotation(plan: &KernelPlan, device: &dyn Device) -> Option<usize> {
    let sets = (2 * device.properties().l2_bytes).div_ceil(set_bytes(plan).max(1)).max(2);
    (sets <= MOST_SETS).then_some(sets as usize)
}

/// Whether a kernel is too short for events.
fn is_short(plan: &KernelPlan, device: &dyn Device, measured: Option<f64>) -> bool {
    match Peaks::of(device.properties(), &plan.work).roof_seconds(&plan.work) {
        Some(roof) => roof < SHORT_ROOF_SECONDS,
        None => measured.is_some_and(|seconds| seconds < SHORT_SECONDS),
    }
}

/// Times one kernel.
pub(super) struct Timer {
    cache: Cache,
    shot: Shot,
    in_batch: usize,
    next_set: usize,
    locked_mhz: Option<u32>,
    highest_mhz: f64,
    /// What the looks at the clock have found so far.
    clocks: Vec<f64>,
    /// Work runs as it is queued, and not all of it behind one another.
    has_gaps: bool,
}

impl Timer {
    /// Decides how to time: by the work, and by a few launches.
    pub(super) fn calibrate(
        device: &mut dyn Device,
        support: &Support,
        (plan, loaded, sets): (&KernelPlan, Loaded, &[Set]),
        (cache, locked_mhz): (Cache, Option<u32>),
    ) -> Result<Self, DeviceError> {
        let highest_mhz = f64::from(device.properties().clock_khz) / 1e3;
        let clocks = Vec::new();
        let mut timer =
            Self { cache, shot: Shot::Launch, in_batch: 3, next_set: 0, locked_mhz, highest_mhz, clocks, has_gaps: false };
        timer.queue_and_read(device, support, (plan, loaded, sets))?;
        let first = timer.queue_and_read(device, support, (plan, loaded, sets))?;
        let seconds = first.into_iter().reduce(f64::min).unwrap_or(BATCH_SECONDS).max(1e-7);
        let goes_round = cache == Cache::Hot || rotation(plan, device).is_some_and(|wanted| sets.len() >= wanted);
        let (mut of_shot, mut most_in_batch) = (seconds, MOST_IN_BATCH);
        if goes_round && is_short(plan, device, Some(seconds)) {
            let launches =
                ((GRAPH_SECONDS / seconds).ceil() as usize).clamp(1, MOST_IN_GRAPH).next_multiple_of(sets.len().max(1));
            let calls: Vec<Call<'_>> = sets.iter().cycle().take(launches).map(|set| call(plan, loaded, set)).collect();
            let graph = device.capture(&calls)?;
            // As with kernels, the first launch may have to wait for the device, and is not made while work is held.
            device.replay(graph)?;
            device.synchronize()?;
            timer.shot = Shot::Graph { graph, launches };
            of_shot = seconds * launches as f64;
            // With the one graph that is not measured.
            most_in_batch = (MOST_HELD_WORK / (launches + 3)).saturating_sub(1).clamp(1, MOST_IN_BATCH);
        }
        let flush = if cache == Cache::Cold { 60e-6 } else { 0.0 };
        timer.in_batch = ((BATCH_SECONDS / (of_shot + flush)) as usize).clamp(1, most_in_batch);
        Ok(timer)
    }

    /// How many measurements a batch has.
    pub(super) fn in_batch(&self) -> usize {
        self.in_batch
    }

    /// How many launches one measurement covers.
    pub(super) fn launches(&self) -> usize {
        match self.shot {
            Shot::Launch => 1,
            Shot::Graph { launches, .. } => launches,
        }
    }

    /// Whether the host's launches are in the times, as far as they are not hidden behind a flush.
    pub(super) fn has_gaps(&self) -> bool {
        self.has_gaps
    }

    /// Measures one batch.
    pub(super) fn measure(
        &mut self,
        device: &mut dyn Device,
        support: &Support,
        watch: &dyn Watch,
        what: (&KernelPlan, Loaded, &[Set]),
    ) -> Result<Batch, DeviceError> {
        device.reset_persisting_cache();
        let seconds = self.queue_and_read(device, support, what)?;
        let clock = support.clock_mhz(device)?;
        Ok(Batch { seconds, throttled: self.throttled(clock, watch) })
    }

    /// Why the device was not at its usual speed, if so.
    fn throttled(&mut self, clock_mhz: Option<f64>, watch: &dyn Watch) -> Option<String> {
        let slow = clock_mhz.and_then(|mhz| {
            let least = self.least_clock_mhz();
            self.clocks.push(mhz);
            (mhz < least).then(|| format!("the clock was {mhz:.0} MHz, and at least {least:.0} MHz were expected"))
        });
        slow.or_else(|| watch.slowdown().map(str::to_owned))
    }

    fn least_clock_mhz(&self) -> f64 {
        if let Some(locked) = self.locked_mhz {
            return LOCKED_SHARE * f64::from(locked);
        }
        let usual = stats::median(&self.clocks).filter(|_| self.clocks.len() >= LOOKS);
        (USUAL_SHARE * usual.unwrap_or(0.0)).max(HIGHEST_SHARE * self.highest_mhz)
    }

    fn queue_and_read(
        &mut self,
        device: &mut dyn Device,
        support: &Support,
        what: (&KernelPlan, Loaded, &[Set]),
    ) -> Result<Vec<f64>, DeviceError> {
        let is_held = device.hold()?;
        let queued = self.queue(device, support, what);
        let was_held = device.release();
        queued?;
        // Everything is waited for, what the kernel may have started on streams of its own, too.
        device.synchronize()?;
        if is_held && !was_held {
            // Somebody waited in the middle of it. Once more, without holding: that is known before.
            return self.queue_and_read(device, support, what);
        }
        self.has_gaps |= !is_held;
        let launches = self.launches() as f64;
        (0..self.in_batch).map(|shot| Ok(device.elapsed(Event(2 * shot), Event(2 * shot + 1))? / launches)).collect()
    }

    fn queue(
        &mut self,
        device: &mut dyn Device,
        support: &Support,
        (plan, loaded, sets): (&KernelPlan, Loaded, &[Set]),
    ) -> Result<(), DeviceError> {
        // The first is not measured: it wakes the device.
        for shot in 0..=self.in_batch {
            let is_measured = shot > 0;
            if self.cache == Cache::Cold {
                support.flush(device)?;
            }
            if is_measured {
                device.record(Event(2 * (shot - 1)))?;
            }
            match self.shot {
                Shot::Launch => {
                    let set = sets.get(self.next_set % sets.len().max(1));
                    self.next_set += 1;
                    set.map_or(Ok(()), |set| device.launch(call(plan, loaded, set)))?;
                }
                Shot::Graph { graph, .. } => device.replay(graph)?,
            }
            if is_measured {
                device.record(Event(2 * (shot - 1) + 1))?;
            }
        }
        support.look_at_clock(device)
    }

    /// Gives back what the timer holds.
    pub(super) fn free(self, device: &mut dyn Device) {
        if let Shot::Graph { graph, .. } = self.shot {
            device.forget(graph);
        }
    }
}

fn call<'a>(plan: &'a KernelPlan, loaded: Loaded, set: &'a Set) -> Call<'a> {
    Call { kernel: loaded.kernel, launch: &plan.launch, parameters: &set.parameters }
}
