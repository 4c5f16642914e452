//! From a program to machine code: NVRTC is found, loaded, asked, and its answers are kept.
//!
//! [`Compiler::find`] loads NVRTC from where it is (it never comes with this program), [`Compiler::compile`] gives a CUBIN for
//! one real architecture and what is known of it without running it. No GPU and no driver takes part. A missing or foreign
//! library is an error that says what to install, never a crash.

mod cache;
mod find;
mod log;
mod nvrtc;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

pub use find::{CompilerMissing, CompilerSearch, Unusable};

use self::cache::{Cache, Key};
use self::find::Installation;
use self::nvrtc::{Library, Request};
use super::{Arch, Compiled, Program};
use crate::cubin::Cubin;

/// NVRTC, loaded and ready.
#[derive(Debug)]
pub struct Compiler {
    library: Library,
    installation: Installation,
    archs: Vec<Arch>,
    cache: Option<Cache>,
}

/// Why a program did not become machine code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// The compiler refused the source; its own words follow.
    #[error("{name} does not compile for {arch} (NVRTC {version}):\n{log}")]
    Refused {
        /// The source.
        name: String,
        /// For which architecture.
        arch: Arch,
        /// The compiler's version.
        version: String,
        /// What it printed.
        log: String,
    },
    /// This compiler makes no code for this architecture.
    #[error(
        "NVRTC {version} makes no code for {arch}; it knows {known}; a newer one is installed with pip install nvidia-cuda-nvrtc"
    )]
    UnknownArch {
        /// What was asked for.
        arch: Arch,
        /// The compiler's version.
        version: String,
        /// What it can make.
        known: String,
    },
    /// The entry point is not in the code.
    #[error("{name} has no extern \"C\" __global__ function `{entry}`; it has: {found}")]
    NoEntry {
        /// The source.
        name: String,
        /// What was looked for.
        entry: String,
        /// The entry points that are there.
        found: String,
    },
    /// What came out cannot be read.
    #[error("NVRTC {version} gave code for {name} that cannot be read: {why}")]
    Unreadable {
        /// The source.
        name: String,
        /// The compiler's version.
        version: String,
        /// Why.
        why: String,
    },
    /// NVRTC itself failed.
    #[error("NVRTC {version} failed on {name}: {why}")]
    Failed {
        /// The source.
        name: String,
        /// The compiler's version.
        version: String,
        /// In its words.
        why: String,
    },
}

impl Compiler {
    /// Finds and loads NVRTC. Where it was named by the user, only there; else wherever CUDA or Python keep it.
    pub fn find(search: &CompilerSearch<'_>) -> Result<Self, CompilerMissing> {
        let (installation, library) = find::find(search)?;
        let archs = library.archs().into_iter().map(|number| Arch { number, specific: false }).collect();
        Ok(Self { library, installation, archs, cache: None })
    }

    /// Keeps what is compiled in this folder, and takes from it what is there. A folder that cannot be used costs time only.
    pub fn with_cache(self, folder: PathBuf) -> Self {
        Self { cache: Some(Cache::new(folder)), ..self }
    }

    /// Major and minor version of NVRTC.
    pub fn version(&self) -> (u32, u32) {
        self.library.version()
    }

    /// Why a driver for this version of CUDA, 12040 for 12.4, may refuse what this compiler makes. It loads the code of its own
    /// major version, of later releases too, and of earlier ones.
    pub fn too_new_for(&self, driver_version: u32) -> Option<String> {
        let (major, driver_major) = (self.version().0, driver_version / 1000);
        (major > driver_major).then(|| {
            let driver = format!("{driver_major}.{}", driver_version % 1000 / 10);
            format!(
                "NVRTC {} is of a later CUDA than the driver, which is for CUDA {driver} and may not load its code",
                self.version_text()
            )
        })
    }

    /// What to do about a compiler that is too new.
    pub const OLDER_HINT: &'static str = "update the driver, or pip install 'nvidia-cuda-nvrtc-cu12' 'nvidia-cuda-runtime-cu12' \
        'nvidia-cuda-nvcc-cu12' 'nvidia-cuda-cccl-cu12' in an environment of its own and name that with git config ratchet.nvrtc PATH";

    /// The library that was loaded.
    pub fn library(&self) -> &Path {
        &self.installation.library
    }

    /// Whether CUDA's own headers were found with it.
    pub fn has_headers(&self) -> bool {
        !self.installation.includes.is_empty()
    }

    /// The architectures that it makes code for.
    pub fn archs(&self) -> &[Arch] {
        &self.archs
    }

    fn version_text(&self) -> String {
        let (major, minor) = self.version();
        format!("{major}.{minor}")
    }

    /// Machine code of `program` for `arch`, and what is known of its entry point.
    pub fn compile(&self, program: &Program, arch: Arch) -> Result<Compiled, CompileError> {
        if !self.archs.is_empty() && !self.archs.iter().any(|known| known.number == arch.number) {
            let known: Vec<String> = self.archs.iter().map(ToString::to_string).collect();
            return Err(CompileError::UnknownArch { arch, version: self.version_text(), known: known.join(", ") });
        }
        let request = self.request(program, arch);
        let key = self.cache.as_ref().map(|_| Key::of(&request, &self.installation, self.version()));
        let kept = self.cache.as_ref().zip(key.as_ref()).and_then(|(cache, key)| cache.get(key));
        // What was kept and cannot be read any more is made again.
        if let Some(compiled) = kept.and_then(|(cubin, log)| self.read(program, arch, cubin, log).ok()) {
            return Ok(compiled);
        }
        let (cubin, log) = self.library.compile(&request).map_err(|failure| self.failure(program, arch, failure))?;
        if let (Some(cache), Some(key)) = (&self.cache, &key) {
            cache.put(key, &cubin, &log);
        }
        self.read(program, arch, cubin, log)
    }

    /// Compiles many programs on all cores, equal ones once. The answers stand in the order of the jobs.
    pub fn compile_all(&self, jobs: &[(&Program, Arch)]) -> Vec<Result<Arc<Compiled>, CompileError>> {
        let mut places: HashMap<(&Program, Arch), usize> = HashMap::new();
        let mut distinct: Vec<(&Program, Arch)> = Vec::new();
        for job in jobs {
            places.entry(*job).or_insert_with(|| {
                distinct.push(*job);
                distinct.len() - 1
            });
        }
        let done = self.in_parallel(&distinct);
        let lost = |program: &Program| CompileError::Failed {
            name: program.name.clone(),
            version: self.version_text(),
            why: "a thread of the compiler ended early".to_owned(),
        };
        let answer = |job: &(&Program, Arch)| done.get(&places[job]).cloned().unwrap_or_else(|| Err(lost(job.0)));
        jobs.iter().map(answer).collect()
    }

    /// The answers by their place among the jobs.
    fn in_parallel(&self, jobs: &[(&Program, Arch)]) -> HashMap<usize, Result<Arc<Compiled>, CompileError>> {
        let next = AtomicUsize::new(0);
        let workers = std::thread::available_parallelism().map_or(1, usize::from).min(jobs.len());
        let work = || {
            let mut done = Vec::new();
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some((program, arch)) = jobs.get(place) else { return done };
                done.push((place, self.compile(program, *arch).map(Arc::new)));
            }
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
        })
    }

    fn request<'a>(&self, program: &'a Program, arch: Arch) -> Request<'a> {
        let mut options =
            vec![format!("--gpu-architecture={arch}"), format!("--std={}", program.standard), "--ptxas-options=-v".to_owned()];
        options.extend(program.defines.iter().map(|(name, value)| format!("-D{name}={value}")));
        options.extend(program.options.iter().cloned());
        let includes = self.installation.includes.iter().map(|folder| format!("-I{}", folder.display())).collect();
        Request { program, options, includes }
    }

    fn read(&self, program: &Program, arch: Arch, cubin: Vec<u8>, log: String) -> Result<Compiled, CompileError> {
        let name = || program.name.clone();
        let unreadable = |why| CompileError::Unreadable { name: name(), version: self.version_text(), why };
        let entry = program.entry.clone();
        let mut kernels = Cubin::read(&cubin).map_err(|error| unreadable(error.to_string()))?.kernels;
        let Some(kernel) = kernels.remove(&entry) else {
            let found: Vec<String> = kernels.into_keys().collect();
            let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
            return Err(CompileError::NoEntry { name: name(), entry, found });
        };
        let resources = log::resources(&log, &entry)
            .ok_or_else(|| unreadable(format!("its log does not tell the resources of `{entry}`")))?;
        let code = resources.machine_code(&kernel);
        Ok(Compiled { arch, cubin, entry, log: log::for_people(&log), code })
    }

    fn failure(&self, program: &Program, arch: Arch, failure: nvrtc::Failure) -> CompileError {
        let (name, version) = (program.name.clone(), self.version_text());
        match failure {
            nvrtc::Failure::Refused { log } => {
                let mut log = log::for_people(&log);
                if !self.has_headers() && log.contains("could not open source file") {
                    log.push_str("\nCUDA's own headers were not found beside NVRTC: pip install nvidia-cuda-runtime nvidia-cuda-crt nvidia-cuda-cccl");
                }
                CompileError::Refused { name, arch, version, log }
            }
            nvrtc::Failure::Failed { why } => CompileError::Failed { name, version, why },
        }
    }
}
