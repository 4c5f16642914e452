//! One kernel from its verification to its last measurement, on a device.

use serde::{Deserialize, Serialize};

use super::arguments::{Set, set_bytes};
use super::data::Fingerprint;
use super::device::{Device, DeviceError};
use super::fault::Fault;
use super::guarded::GUARD;
use super::health::Watch;
use super::job::Job;
use super::peaks::{self, Peaks};
use super::plan::Role;
use super::support::Support;
use super::timer::{self, Timer};
use super::verify::{self, Loaded};
use crate::stats;

/// Further sets of inputs leave this share of the device's memory free.
const SPARE_SHARE: f64 = 0.1;
/// A kernel whose own buffers need more of the memory than this is at risk.
const RISKY_SHARE: f64 = 0.85;

/// What is said where work cannot be queued up before it runs.
const RUNS_DRY: &str = "launches run as they are queued, so times of short kernels have gaps in them: the driver cannot hold a \
    queue, or something waits for every launch (CUDA_LAUNCH_BLOCKING, a debugger, a profiler)";

/// Why a kernel cannot be measured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The device says no.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The kernel's buffers do not fit.
    #[error("out of memory: the kernel's buffers need {} MiB, and {} of {} MiB are free; nothing was measured", needed >> 20, free >> 20, total >> 20)]
    OutOfMemory {
        /// Bytes of all buffers.
        needed: u64,
        /// Bytes that are free.
        free: u64,
        /// Bytes of the device.
        total: u64,
    },
    /// Not even one block runs.
    #[error(
        "a block of {threads} threads with {shared_bytes} B of dynamic shared memory does not fit on a multiprocessor: too many threads, registers or shared memory"
    )]
    DoesNotFit {
        /// Threads of a block.
        threads: u32,
        /// Dynamic shared memory of a block.
        shared_bytes: u32,
    },
    /// The manifest's arguments are not those of the kernel.
    #[error("the kernel `{entry}` has {parameters} parameters, but the manifest gives {given} arguments")]
    Parameters {
        /// The entry point.
        entry: String,
        /// As compiled.
        parameters: usize,
        /// As given.
        given: usize,
    },
}

impl SessionError {
    /// Whether the device's context is lost.
    pub fn is_sticky(&self) -> bool {
        matches!(self, Self::Device(error) if error.is_sticky())
    }
}

/// What is known of a kernel before it is timed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Readiness {
    /// What verification found; empty is good.
    pub faults: Vec<String>,
    /// What the user should know.
    pub remarks: Vec<String>,
    /// Device memory that the kernel takes with one set of arguments, in bytes.
    pub peak_memory: u64,
    /// The least time of its work at the device's peak rates, in seconds.
    pub roof_seconds: Option<f64>,
    /// How many launches one measured time covers.
    pub launches: u64,
}

/// One measured time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Shot {
    /// Seconds of one launch.
    pub seconds: f64,
    /// The device was throttled meanwhile.
    pub throttled: bool,
}

/// A kernel that is ready to be timed. To be [freed](Session::free).
pub(super) struct Session {
    job: Job,
    loaded: Loaded,
    sets: Vec<Set>,
    /// What the outputs of each set hold after a launch, where verification found no fault.
    outputs: Vec<Vec<Fingerprint>>,
    timer: Option<Timer>,
    /// Contents that were not used yet begin here.
    next_round: u64,
    seconds: Vec<f64>,
    is_faulty: bool,
}

impl Session {
    /// Loads, verifies and calibrates.
    pub(super) fn begin(
        device: &mut dyn Device,
        support: &Support,
        job: Job,
        seed: u64,
    ) -> Result<(Self, Readiness), SessionError> {
        let before = device.memory()?;
        let (needed, buffers) = (set_bytes(&job.plan), job.plan.arguments.len() as u64);
        let reference = job.plan.reference.as_ref().zip(job.reference_cubin.as_ref());
        let kernel = device.load(&job.cubin.0, &job.plan.program.entry)?;
        let reference = reference.map(|(reference, cubin)| device.load(&cubin.0, &reference.program.entry)).transpose()?;
        let loaded = Loaded { kernel, reference };
        let mut session = Self {
            job,
            loaded,
            sets: Vec::new(),
            outputs: Vec::new(),
            timer: None,
            next_round: seed,
            seconds: Vec::new(),
            is_faulty: false,
        };
        let begun = session.check_parameters(device).and_then(|()| session.allocate_first(device, needed)).and_then(|()| {
            let taken = before.free.saturating_sub(device.memory()?.free).saturating_sub(buffers * 2 * GUARD);
            let mut readiness = session.ready(device, support)?;
            readiness.peak_memory = taken.max(needed);
            if needed as f64 > RISKY_SHARE * before.total as f64 {
                let share = 100.0 * needed as f64 / before.total as f64;
                readiness.remarks.push(format!("its buffers take {share:.0} % of the device's memory: it may run out of memory"));
            }
            Ok(readiness)
        });
        match begun {
            Ok(readiness) => Ok((session, readiness)),
            Err(error) => {
                session.free(device);
                Err(error)
            }
        }
    }

    fn check_parameters(&self, device: &dyn Device) -> Result<(), SessionError> {
        let given = self.job.plan.arguments.len();
        match device.parameters(self.loaded.kernel)? {
            Some(parameters) if parameters != given => {
                Err(SessionError::Parameters { entry: self.job.plan.program.entry.clone(), parameters, given })
            }
            _ => self.check_launch(device),
        }
    }

    /// A launch that does not fit fails with words that nobody understands.
    fn check_launch(&self, device: &dyn Device) -> Result<(), SessionError> {
        let launch = &self.job.plan.launch;
        let threads = launch.block.iter().product();
        match device.occupancy(self.loaded.kernel, threads, launch.shared_bytes)? {
            0 => Err(SessionError::DoesNotFit { threads, shared_bytes: launch.shared_bytes }),
            _ => Ok(()),
        }
    }

    fn allocate_first(&mut self, device: &mut dyn Device, needed: u64) -> Result<(), SessionError> {
        let memory = device.memory()?;
        let out_of_memory = SessionError::OutOfMemory { needed, free: memory.free, total: memory.total };
        if needed > memory.free {
            return Err(out_of_memory);
        }
        let set = Set::allocate(device, &self.job.plan);
        self.sets.push(set.map_err(|error| if error.is_out_of_memory() { out_of_memory } else { error.into() })?);
        Ok(())
    }

    /// Verifies every set, each with contents of its own, and the first once more with others at the same addresses.
    fn ready(&mut self, device: &mut dyn Device, support: &Support) -> Result<Readiness, SessionError> {
        let mut readiness = Readiness::default();
        let plan = &self.job.plan;
        let mut verified = verify::verify(device, plan, self.loaded, &mut self.sets[0], self.next_round)?;
        self.allocate_more(device, &mut readiness)?;
        let plan = &self.job.plan;
        for set in &mut self.sets {
            self.next_round += 1;
            if verified.faults.is_empty() {
                verified = verify::verify(device, plan, self.loaded, set, self.next_round)?;
                self.outputs.push(std::mem::take(&mut verified.outputs));
            } else {
                set.write_inputs(device, plan, self.next_round)?;
            }
        }
        self.next_round += 1;
        self.is_faulty = !verified.faults.is_empty();
        let timing = (self.job.timing.cache, self.job.timing.locked_mhz);
        let timer = Timer::calibrate(device, support, (plan, self.loaded, &self.sets), timing)?;
        readiness.launches = timer.launches() as u64;
        if timer.has_gaps() {
            readiness.remarks.push(RUNS_DRY.to_owned());
        }
        self.timer = Some(timer);
        readiness.faults = verified.faults.iter().map(ToString::to_string).collect();
        readiness.roof_seconds = Peaks::of(device.properties(), &plan.work).roof_seconds(&plan.work);
        Ok(readiness)
    }

    /// Further sets as far as the memory goes.
    fn allocate_more(&mut self, device: &mut dyn Device, readiness: &mut Readiness) -> Result<(), SessionError> {
        let plan = &self.job.plan;
        let wanted = timer::sets_wanted(plan, device, self.job.timing.cache);
        while self.sets.len() < wanted {
            let memory = device.memory()?;
            // A set, and the outputs of the reference while it is verified.
            let fits = memory.free as f64 - 3.0 * set_bytes(plan) as f64 > SPARE_SHARE * memory.total as f64;
            let set = if fits { Some(Set::allocate(device, plan)) } else { None };
            match set {
                Some(Ok(set)) => self.sets.push(set),
                Some(Err(error)) if !error.is_out_of_memory() => return Err(error.into()),
                Some(Err(_)) | None => {
                    readiness.remarks.push("its inputs are not rotated: there is no memory for a second set".to_owned());
                    break;
                }
            }
        }
        Ok(())
    }

    /// Measures one batch.
    pub(super) fn measure(
        &mut self,
        device: &mut dyn Device,
        support: &Support,
        watch: &dyn Watch,
    ) -> Result<(Vec<Shot>, Option<String>), SessionError> {
        let Some(timer) = self.timer.as_mut() else { return Ok((Vec::new(), None)) };
        let batch = timer.measure(device, support, watch, (&self.job.plan, self.loaded, &self.sets))?;
        let throttled = batch.throttled.is_some();
        if !throttled {
            self.seconds.extend(&batch.seconds);
        }
        let shots = batch.seconds.into_iter().map(|seconds| Shot { seconds, throttled }).collect();
        Ok((shots, batch.throttled))
    }

    /// Verifies once more, after the timing: with fresh contents, and that timed launches do the whole work. Times that
    /// cannot be are a fault, too.
    pub(super) fn verify_again(
        &mut self,
        device: &mut dyn Device,
        support: &Support,
        watch: &dyn Watch,
    ) -> Result<Vec<String>, SessionError> {
        let mut faults = Vec::new();
        if let Some(median) = stats::median(&self.seconds) {
            let refused = peaks::impossible(median, &self.job.plan.work, device.properties());
            faults.extend(refused.map(|argument| Fault::TooFast { argument }));
        }
        if !self.is_faulty {
            faults.extend(self.skipped_work(device, support, watch)?);
            let plan = &self.job.plan;
            if let Some(set) = self.sets.first_mut().filter(|_| faults.is_empty()) {
                faults.extend(verify::verify(device, plan, self.loaded, set, self.next_round)?.faults);
                self.next_round += 1;
            }
        }
        Ok(faults.iter().map(ToString::to_string).collect())
    }

    /// Poisons every output, measures batches as ever until each set had its turn, and looks whether every output is
    /// there again: a kernel that remembers its inputs has nothing to do then.
    fn skipped_work(
        &mut self,
        device: &mut dyn Device,
        support: &Support,
        watch: &dyn Watch,
    ) -> Result<Option<Fault>, SessionError> {
        if !self.job.plan.deterministic {
            return Ok(None);
        }
        for set in &self.sets {
            set.poison(device, &self.job.plan)?;
        }
        let in_batch = self.timer.as_ref().map_or(1, |timer| timer.in_batch() * timer.launches());
        let before = self.seconds.len();
        for _ in 0..self.sets.len().div_ceil(in_batch.max(1)) {
            self.measure(device, support, watch)?;
        }
        self.seconds.truncate(before);
        let plan = &self.job.plan;
        for (set, expected) in self.sets.iter().zip(&self.outputs) {
            let found = set.output_prints(device, plan)?;
            if let Some(place) = found.iter().zip(expected).position(|(found, expected)| found != expected) {
                let argument = set.of_role(plan, Role::Output).nth(place).map_or(String::new(), |(_, name, ..)| name.to_owned());
                return Ok(Some(Fault::OtherWhenTimed { argument }));
            }
        }
        Ok(None)
    }

    /// Gives everything back.
    pub(super) fn free(self, device: &mut dyn Device) {
        if let Some(timer) = self.timer {
            timer.free(device);
        }
        self.sets.into_iter().for_each(|set| set.free(device));
        device.unload(self.loaded.kernel);
        if let Some(reference) = self.loaded.reference {
            device.unload(reference);
        }
    }
}
