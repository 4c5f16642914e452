//! The GPU behind a trait that is small enough for a believable fake.
//!
//! [`CudaDevice`] is the real one. It speaks to the driver through a table of functions that are looked up before the
//! first use (`functions`), so that a missing library, an old driver or a missing symbol is an error and never a
//! panic. The trait knows launches, copies and events, but neither kernels' meaning nor what a good measurement is:
//! `buffers`, `verify` and `timer` are written against it.

mod cuda;
mod driver;
mod error;
mod functions;
mod parameter;
mod porter;

#[cfg(test)]
pub(in crate::cuda) mod fake;

use serde::{Deserialize, Serialize};

pub use cuda::CudaDevice;
pub(super) use cuda::version_text;
pub use error::DeviceError;
pub use parameter::Parameter;

use super::plan::{Launch, TensorMap};
use super::{Arch, DType};

/// How many events a device holds ready; [`Event`]s number them from zero.
pub const EVENTS: usize = 256;

/// Work that may be queued while the device is held: beyond about a thousand entries a driver makes the caller wait,
/// for ever where nothing runs.
pub const MOST_HELD_WORK: usize = 400;

/// An address in device memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub(in crate::cuda) u64);

impl Address {
    /// This many bytes further on.
    pub(in crate::cuda) fn plus(self, bytes: u64) -> Self {
        Self(self.0 + bytes)
    }
}

/// A kernel that was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KernelId(pub(in crate::cuda) usize);

/// Launches that were captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GraphId(pub(in crate::cuda) usize);

/// One of the [`EVENTS`] events, which are made when the device is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Event(pub usize);

/// One launch.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// What is launched.
    pub kernel: KernelId,
    /// In which shape.
    pub launch: &'a Launch,
    /// With which arguments.
    pub parameters: &'a [Parameter],
}

/// Device memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// What can still be allocated.
    pub free: u64,
    /// What there is.
    pub total: u64,
}

/// What a device is, as far as kernels and measurements depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Properties {
    /// As the driver names it; a MIG slice carries its profile in it.
    pub name: String,
    /// `GPU-…`, as NVML knows it.
    pub uuid: String,
    /// 90 for 9.0.
    pub compute_capability: u32,
    /// Streaming multiprocessors.
    pub sm_count: u32,
    /// Threads that a block may have.
    pub max_threads_per_block: u32,
    /// Shared memory that a block may have when it asks for it.
    pub shared_bytes_per_block: u32,
    /// Threads of a warp.
    pub warp_size: u32,
    /// Size of the second-level cache in bytes.
    pub l2_bytes: u64,
    /// Device memory in bytes.
    pub memory_bytes: u64,
    /// The highest clock of the multiprocessors in kHz; 0 where it is not told.
    pub clock_khz: u32,
    /// The highest clock of the memory in kHz; 0 where it is not told.
    pub memory_clock_khz: u32,
    /// Width of the memory's bus in bits.
    pub bus_bits: u32,
    /// Whether the memory corrects errors.
    pub ecc: bool,
    /// Version of CUDA that the driver supports, 13000 for 13.0.
    pub driver_version: u32,
}

impl Properties {
    /// The architecture whose code runs on this device and on later ones of its family.
    pub fn arch(&self) -> Arch {
        Arch { number: self.compute_capability, specific: false }
    }
}

/// What is measured on. All work goes to one stream, in order; what is not said to wait returns at once.
///
/// After an error that [`DeviceError::is_sticky`], nothing works any more in this process.
pub trait Device {
    /// What this device is.
    fn properties(&self) -> &Properties;
    /// How much memory there is now.
    fn memory(&self) -> Result<Memory, DeviceError>;
    /// Loads machine code and finds an entry point in it.
    fn load(&mut self, cubin: &[u8], entry: &str) -> Result<KernelId, DeviceError>;
    /// Forgets a kernel.
    fn unload(&mut self, kernel: KernelId);
    /// How many parameters a kernel has, where the driver tells.
    fn parameters(&self, kernel: KernelId) -> Result<Option<usize>, DeviceError>;
    /// Blocks of this many threads and this much dynamic shared memory that one multiprocessor holds at a time.
    fn occupancy(&self, kernel: KernelId, threads: u32, shared_bytes: u32) -> Result<u32, DeviceError>;
    /// Device memory, aligned to 256 bytes or more.
    fn allocate(&mut self, bytes: u64) -> Result<Address, DeviceError>;
    /// Gives memory back.
    fn free(&mut self, address: Address);
    /// Copies to the device; waits.
    fn upload(&mut self, to: Address, from: &[u8]) -> Result<(), DeviceError>;
    /// Copies from the device; waits for all work before.
    fn download(&mut self, from: Address, to: &mut [u8]) -> Result<(), DeviceError>;
    /// Sets bytes.
    fn fill(&mut self, at: Address, byte: u8, bytes: u64) -> Result<(), DeviceError>;
    /// Launches a kernel.
    fn launch(&mut self, call: Call<'_>) -> Result<(), DeviceError>;
    /// Notes the time when everything before is done.
    fn record(&mut self, event: Event) -> Result<(), DeviceError>;
    /// Seconds between two events; waits for the second.
    fn elapsed(&mut self, from: Event, to: Event) -> Result<f64, DeviceError>;
    /// Waits until everything is done, on all streams: what a kernel started beside ours, too.
    fn synchronize(&mut self) -> Result<(), DeviceError>;
    /// Takes lines out of the second-level cache that were set to persist.
    fn reset_persisting_cache(&mut self);
    /// Makes what follows wait for [`Device::release`], so that it can be queued up and then runs without gaps. At
    /// most [`MOST_HELD_WORK`] may follow. `false` where this device cannot; what follows then simply runs.
    fn hold(&mut self) -> Result<bool, DeviceError>;
    /// Lets held work run. `false` where it ran before: somebody waited for it, who would have waited for ever. What was
    /// timed then has gaps, and the device is not held again.
    fn release(&mut self) -> bool;
    /// Makes a graph of these launches, one after the other.
    fn capture(&mut self, calls: &[Call<'_>]) -> Result<GraphId, DeviceError>;
    /// Launches a graph.
    fn replay(&mut self, graph: GraphId) -> Result<(), DeviceError>;
    /// Forgets a graph.
    fn forget(&mut self, graph: GraphId);
    /// A tensor map over memory at `address`.
    fn tensor_map(&self, map: &TensorMap, dtype: DType, address: Address) -> Result<Parameter, DeviceError>;
}
