//! CUDA kernels: read from a manifest, compiled with NVRTC, launched, timed and verified.
//!
//! `plan` is what everything here agrees on: a kernel at one point of its matrix, with every expression evaluated.
//! [`Manifest`] makes plans from text, [`Compiler`] makes machine code from plans, and the device runs them. Only this
//! module knows cudarc, NVRTC and NVML. It decides no verdict, and knows neither git nor notes.

mod arguments;
mod compare;
mod compile;
mod compiled;
mod data;
mod device;
mod dtype;
mod executor;
mod fault;
mod fingerprint;
mod guarded;
mod health;
mod job;
mod manifest;
mod occupancy;
mod once;
mod peaks;
mod plan;
mod session;
mod support;
mod testbed;
mod timer;
mod verify;
mod worker;

#[cfg(test)]
mod tests;

pub use compile::{CompileError, Compiler, CompilerMissing, CompilerSearch, Unusable};
pub use compiled::{Arch, Compiled, MachineCode, ParseArchError};
pub use device::{CudaDevice, DeviceError, Properties};
pub use dtype::{DType, ParseDTypeError};
pub use executor::{Execution, KernelExecutor, KernelPoint, Workers};
pub use fingerprint::fingerprint;
pub use job::{Bytes, Cache, Job, Timing};
pub use manifest::{CodePlan, DeviceProperties, Manifest, ManifestError, PlanRequest, ReadFile, Tunable, work_tree};
pub use occupancy::{Occupancy, SmLimits, WARP_SIZE, occupancy};
pub use once::launch;
pub use plan::{
    Argument, ArgumentValue, Buffer, Fill, Header, KernelPlan, Launch, Program, Reference, Role, Scalar, Swizzle, TensorMap,
    Tolerance, Work,
};
pub use support::program as support_program;
pub use testbed::{ClockState, testbed};
pub use worker::{Failure, FailureKind, Opened, Worker, WorkerError, WorkerOptions, keep_clocks, serve};
