//! Kernels of ratchet.toml under Nsight Compute: each is planned and compiled for this computer's GPU as `bench` does it,
//! and then launched a few times by this very program, started again under the profiler.

use std::path::Path;

use super::context::Context;
use super::error::CommandError;
use super::gpu::{Gpu, NoGpu};
use super::kernels::{self, KernelPoint};
use super::points;
use super::points::point_name;
use super::workspace::Workspace;
use crate::cuda;
use crate::harness::Interrupt;
use crate::model::{Config, Testbed};

/// Launches before the one that is profiled: clocks and the instruction cache have settled then.
pub const WARM_UP_LAUNCHES: u32 = 3;

/// The arguments that make this program launch the kernel of a file.
pub const LAUNCHER: [&str; 2] = ["kernel-worker", "--launch"];

/// Kernels that are ready for the profiler.
pub struct ReadyKernels {
    /// Those that could be compiled.
    pub kernels: Vec<cuda::KernelPoint>,
    /// The identity of their profiles; `None` where there is no GPU.
    pub testbed: Option<Testbed>,
    /// The names of those that could not be readied, and why.
    pub failures: Vec<(String, String)>,
}

/// The kernels that were asked for, in the order of the file.
///
/// # Errors
/// A manifest that cannot be used.
pub fn plan(workspace: &Workspace, root: &Path, names: &[String], filter: &Config) -> Result<Vec<KernelPoint>, CommandError> {
    let read = cuda::work_tree(root);
    let mut found = Vec::new();
    for benchmark in workspace.settings.benchmarks.iter().filter(|known| points::is_wanted(&known.name, names)) {
        if let Some(kernel) = &benchmark.kernel {
            found.extend(kernels::points(benchmark, kernel, &read, filter, &[])?);
        }
    }
    Ok(found)
}

/// Plans and compiles kernels for this computer's GPU. The device is closed again, so that a profiled kernel has it to
/// itself.
pub fn ready(points: &[KernelPoint], workspace: &Workspace, interrupt: &Interrupt, context: &Context) -> ReadyKernels {
    let mut ready = ReadyKernels { kernels: Vec::new(), testbed: None, failures: Vec::new() };
    if points.is_empty() {
        return ready;
    }
    let name = |point: &KernelPoint| point_name(&point.benchmark, &point.config);
    let opened = Gpu::open(workspace, None, interrupt, context);
    let of_all = |why: &str| points.iter().map(|point| (name(point), why.to_owned())).collect();
    let gpu = match opened {
        Ok(gpu) => gpu,
        Err(NoGpu::Absent(why)) => {
            ready.failures = of_all(&format!("a kernel is profiled on a GPU, and there is none: {why}"));
            return ready;
        }
        Err(NoGpu::Broken(why)) => {
            ready.failures = of_all(&why);
            return ready;
        }
    };
    match gpu.testbed(workspace) {
        Ok(testbed) => ready.testbed = Some(testbed),
        Err(error) => {
            ready.failures = of_all(&error.message);
            return ready;
        }
    }
    for (point, outcome) in points.iter().zip(gpu.ready(points, &|_| cuda::KernelPoint::DEFAULT_TIMEOUT)) {
        match outcome {
            Ok(kernel) => ready.kernels.push(kernel),
            Err(why) => ready.failures.push((name(point), why)),
        }
    }
    ready
}
