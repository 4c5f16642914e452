//! What measuring itself needs on a device: a way to empty the caches, and a look at the clock.

use super::device::{Address, Call, Device, DeviceError, KernelId, Parameter};
use super::plan::{Launch, Program, Scalar};

/// Over how much more memory than the second-level cache holds the flush reads: its two halves may each keep a copy.
const FLUSH_PER_CACHE: u64 = 2;
const FLUSH_AT_LEAST: u64 = 8 << 20;

const FLUSH: &str = "ratchet_flush";
const CLOCK: &str = "ratchet_clock";

/// What has to be compiled for the device and given to `Support::new`.
pub fn program() -> Program {
    Program {
        name: "git-ratchet/support.cu".to_owned(),
        source: include_str!("support.cu").to_owned(),
        headers: Vec::new(),
        entry: FLUSH.to_owned(),
        standard: "c++17".to_owned(),
        options: Vec::new(),
        defines: Vec::new(),
    }
}

/// The compiled program and its memory; without the program the caches are emptied by writing.
pub(super) struct Support {
    kernels: Option<Kernels>,
    memory: Address,
    bytes: u64,
    numbers: Address,
}

struct Kernels {
    flush: KernelId,
    clock: KernelId,
}

impl Support {
    /// Loads the compiled program, if there is one.
    pub(super) fn new(device: &mut dyn Device, cubin: Option<&[u8]>) -> Result<Self, DeviceError> {
        let kernels = match cubin {
            Some(cubin) => Some(Kernels { flush: device.load(cubin, FLUSH)?, clock: device.load(cubin, CLOCK)? }),
            None => None,
        };
        let bytes = (FLUSH_PER_CACHE * device.properties().l2_bytes).max(FLUSH_AT_LEAST);
        let memory = device.allocate(bytes)?;
        let numbers = device.allocate(256)?;
        device.fill(memory, 0, bytes)?;
        device.fill(numbers, 0, 256)?;
        let support = Self { kernels, memory, bytes, numbers };
        // The first launch of a kernel may have to load it, which waits for the device: never while work is held.
        support.flush(device)?;
        support.look_at_clock(device)?;
        device.synchronize()?;
        Ok(support)
    }

    /// Empties the second-level cache of what kernels left in it.
    pub(super) fn flush(&self, device: &mut dyn Device) -> Result<(), DeviceError> {
        let Some(kernels) = &self.kernels else { return device.fill(self.memory, 0, self.bytes) };
        let blocks = device.properties().sm_count.max(1) * 4;
        let launch = Launch { grid: [blocks, 1, 1], block: [512, 1, 1], shared_bytes: 0, cluster: None };
        let vectors = Scalar::I64(i64::try_from(self.bytes / 16).unwrap_or(i64::MAX));
        let parameters =
            [Parameter::address(self.memory), Parameter::scalar(vectors), Parameter::address(self.numbers.plus(128))];
        device.launch(Call { kernel: kernels.flush, launch: &launch, parameters: &parameters })
    }

    /// Queues a look at the clock; [`Support::clock_mhz`] reads it.
    pub(super) fn look_at_clock(&self, device: &mut dyn Device) -> Result<(), DeviceError> {
        let Some(kernels) = &self.kernels else { return Ok(()) };
        let launch = Launch { grid: [1, 1, 1], block: [1, 1, 1], shared_bytes: 0, cluster: None };
        device.launch(Call { kernel: kernels.clock, launch: &launch, parameters: &[Parameter::address(self.numbers)] })
    }

    /// The clock of a multiprocessor at the last look, in MHz; `None` without the program, or where the device's timers
    /// make no sense together.
    pub(super) fn clock_mhz(&self, device: &mut dyn Device) -> Result<Option<f64>, DeviceError> {
        if self.kernels.is_none() {
            return Ok(None);
        }
        let mut bytes = [0; 16];
        device.download(self.numbers, &mut bytes)?;
        let (words, _) = bytes.as_chunks::<8>();
        let [cycles, nanoseconds] = [0, 1].map(|place| words.get(place).map_or(0, |word| u64::from_le_bytes(*word)));
        let mhz = 1e3 * cycles as f64 / nanoseconds as f64;
        Ok(Some(mhz).filter(|mhz| (10.0..20_000.0).contains(mhz)))
    }
}
