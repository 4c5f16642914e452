//! CUDA kernels: read from a manifest, compiled with NVRTC, launched, timed and verified.
//!
//! [`plan`] is what everything here agrees on: a kernel at one point of its matrix, with every expression evaluated.
//! [`Manifest`] makes plans from text, [`Compiler`] makes machine code from plans, and the device runs them. Only this
//! module knows cudarc, NVRTC and NVML. It decides no verdict, and knows neither git nor notes.

mod compile;
mod compiled;
mod dtype;
mod fingerprint;
mod limits;
mod manifest;
mod plan;

pub use compile::{CompileError, Compiler, CompilerMissing, CompilerSearch, Unusable};
pub use compiled::{Arch, Compiled, MachineCode, ParseArchError};
pub use dtype::{DType, ParseDTypeError};
pub use fingerprint::fingerprint;
pub use limits::{Occupancy, SmLimits, WARP_SIZE, occupancy};
pub use manifest::{CodePlan, DeviceProperties, Manifest, ManifestError, PlanRequest, ReadFile, Tunable, work_tree};
pub use plan::{
    Argument, ArgumentValue, Buffer, Fill, Header, KernelPlan, Launch, Program, Reference, Role, Scalar, Swizzle, TensorMap,
    Tolerance, Work,
};
