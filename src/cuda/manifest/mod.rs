//! Manifests: a TOML file beside a kernel says how to compile, launch, check and rate it (docs/kernels.md).
//!
//! [`Manifest::load`] reads the file, its sources and their headers through a [`ReadFile`], so that a kernel can come from
//! the work tree or from any commit. After that everything is pure: [`Manifest::plan`] evaluates every expression for a
//! config, tunables, an architecture and a device; [`Manifest::code`] gives only what the compiler needs, without a device.
//! Nothing here compiles or runs anything.

mod configs;
mod defaults;
mod entry;
mod error;
mod expression;
mod files;
mod kernel;
mod planning;
mod raw;
mod rules;
#[cfg(test)]
mod tests;

pub use error::ManifestError;
pub use files::{ReadFile, work_tree};

use self::rules::{Kernel, MinimumArch};
use super::{Arch, KernelPlan, Program};
use crate::model::Config;

/// A kernel as its author describes it, with all its sources.
#[derive(Debug, Clone)]
pub struct Manifest {
    path: String,
    minimum: Option<MinimumArch>,
    configs: Vec<Config>,
    base: Kernel,
    variants: Vec<(Arch, Kernel)>,
}

/// A tunable: a macro whose value is free to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tunable {
    /// The macro.
    pub name: String,
    /// What it may be.
    pub values: Vec<String>,
    /// What it is unless somebody says otherwise.
    pub default: String,
}

/// What a plan is made for.
#[derive(Debug, Clone, Copy)]
pub struct PlanRequest<'a> {
    /// The point: one of [`Manifest::configs`].
    pub config: &'a Config,
    /// Values of tunables in place of their defaults.
    pub tunables: &'a Config,
    /// What is compiled for.
    pub arch: Arch,
    /// The device that it is to run on, where there is one.
    pub device: Option<&'a DeviceProperties>,
}

/// What expressions may ask of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceProperties {
    /// Multiprocessors.
    pub sm_count: u32,
    /// Most threads of a block.
    pub max_threads_per_block: u32,
    /// Most shared memory of a block in bytes, where a kernel opts in.
    pub shared_bytes_per_block: u32,
    /// Size of the L2 cache.
    pub l2_bytes: u64,
    /// Threads of a warp.
    pub warp_size: u32,
}

/// What is known of a kernel at one config without a device.
#[derive(Debug, Clone, PartialEq)]
pub struct CodePlan {
    /// What is compiled.
    pub program: Program,
    /// Every tunable and its value.
    pub tunables: Config,
    /// Threads of a block; `None` where only a device can tell.
    pub block_threads: Option<u32>,
    /// Dynamic shared memory of a block in bytes; `None` where only a device can tell.
    pub shared_bytes: Option<u32>,
}

impl Manifest {
    /// Reads the manifest at `path` (from the root of the repository, with `/`), its sources and their headers.
    pub fn load(path: &str, read: &ReadFile<'_>) -> Result<Self, ManifestError> {
        kernel::load(path, read)
    }

    /// Where it stands, from the root of the repository.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The source of the kernel as it is on `arch` (the base where that is not known), from the root of the repository, and
    /// the line of its entry point where it is found.
    pub fn entry_point(&self, arch: Option<Arch>) -> (&str, Option<usize>) {
        let kernel = arch.map_or(&self.base, |arch| self.kernel(arch));
        (&kernel.source.path, entry::line(&kernel.source.text, &kernel.entry))
    }

    /// The points of the kernel: the matrix, then what is given by hand, whose name is the parameter `config`.
    pub fn configs(&self) -> &[Config] {
        &self.configs
    }

    /// Whether the kernel runs on this architecture.
    pub fn supports(&self, arch: Arch) -> bool {
        self.minimum.is_none_or(|minimum| minimum.allows(arch))
    }

    /// What is compiled for a device of this compute capability (90 for 9.0): the chip's own variant of the architecture
    /// where the manifest asks for it, else the plain one.
    pub fn arch_on(&self, compute_capability: u32) -> Arch {
        let specific = Arch { number: compute_capability, specific: true };
        let is_asked_for =
            self.variants.iter().any(|(arch, _)| *arch == specific) || self.minimum.is_some_and(|minimum| minimum.is(specific));
        if is_asked_for { specific } else { Arch { specific: false, ..specific } }
    }

    /// The tunables on this architecture.
    pub fn tunables(&self, arch: Arch) -> &[Tunable] {
        &self.kernel(arch).tunables
    }

    /// Every choice of tunables that satisfies the constraints, the last tunable changing fastest. A choice whose
    /// constraints need a device that is not there is left out.
    pub fn combinations<'a>(&'a self, request: &PlanRequest<'a>) -> impl Iterator<Item = Config> + 'a {
        configs::combinations(self.kernel(request.arch), *request)
    }

    /// The same kernel with further constraints, each an expression that must be true.
    pub fn restricted(&self, expressions: &[String]) -> Result<Self, ManifestError> {
        let mut restricted = self.clone();
        for kernel in std::iter::once(&mut restricted.base).chain(restricted.variants.iter_mut().map(|(_, kernel)| kernel)) {
            kernel.restrict(expressions).map_err(|problem| problem.of(&self.path))?;
        }
        Ok(restricted)
    }

    /// `text`, which is this manifest's, with other defaults of tunables on this architecture; `None` where these are not
    /// found in it.
    pub fn with_defaults(&self, text: &str, arch: Arch, chosen: &Config) -> Option<String> {
        defaults::replace(text, self.variant(arch).map(|(arch, _)| *arch), chosen)
    }

    /// The kernel at one point, ready to be compiled and launched.
    pub fn plan(&self, request: &PlanRequest<'_>) -> Result<KernelPlan, ManifestError> {
        self.kernel_for(request)?.plan(request).map_err(|problem| problem.of(&self.path))
    }

    /// The kernel at one point, as far as the compiler needs it.
    pub fn code(&self, request: &PlanRequest<'_>) -> Result<CodePlan, ManifestError> {
        self.kernel_for(request)?.code(request).map_err(|problem| problem.of(&self.path))
    }

    fn kernel_for(&self, request: &PlanRequest<'_>) -> Result<&Kernel, ManifestError> {
        match self.minimum {
            Some(minimum) if !minimum.allows(request.arch) => {
                Err(ManifestError::TooOld { path: self.path.clone(), arch: request.arch, minimum: minimum.0 })
            }
            _ => Ok(self.kernel(request.arch)),
        }
    }

    fn kernel(&self, arch: Arch) -> &Kernel {
        self.variant(arch).map_or(&self.base, |(_, kernel)| kernel)
    }

    /// The most specific variant that runs there: this very chip's, else the newest that is not newer. Without one it is the
    /// base.
    fn variant(&self, arch: Arch) -> Option<&(Arch, Kernel)> {
        let own = self.variants.iter().find(|(of, _)| of.specific && *of == arch);
        let older = || self.variants.iter().filter(|(of, _)| !of.specific && of.number <= arch.number).max_by_key(|(of, _)| *of);
        own.or_else(older)
    }
}
