//! Finding Nsight Compute.

use std::path::{Path, PathBuf};

use super::NcuError;

/// The program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ncu {
    /// Where it stands.
    pub path: PathBuf,
    /// Whether the user named it: perhaps a script that gets it the permission it needs.
    pub is_configured: bool,
}

/// Where to look.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// `git config ratchet.ncu`: a path, and then nothing else is looked at.
    pub configured: Option<PathBuf>,
    /// `PATH`.
    pub path: Option<String>,
    /// `CUDA_HOME` and `CUDA_PATH`.
    pub toolkits: Vec<PathBuf>,
    /// The root of the file system.
    pub root: PathBuf,
}

impl Ncu {
    /// Looks in the configured place, or in `PATH`, the toolkits of the environment, `/usr/local/cuda*` and
    /// `/opt/nvidia/nsight-compute/*`, of several versions the newest.
    ///
    /// # Errors
    /// It is nowhere, or not where it should be.
    pub fn find(places: &Places) -> Result<Self, NcuError> {
        if let Some(configured) = &places.configured {
            return match is_program(configured) {
                true => Ok(Self { path: configured.clone(), is_configured: true }),
                false => Err(NcuError::NotConfigured { path: configured.clone() }),
            };
        }
        let candidates = places.candidates();
        match candidates.iter().find(|path| is_program(path)) {
            Some(path) => Ok(Self { path: path.clone(), is_configured: false }),
            None => Err(NcuError::NotFound),
        }
    }
}

impl Places {
    fn candidates(&self) -> Vec<PathBuf> {
        // An empty entry of PATH means the folder one stands in; a profiler from there is nobody's intent.
        let in_path = self.path.iter().flat_map(std::env::split_paths).filter(|folder| folder.is_absolute());
        let mut folders: Vec<PathBuf> = in_path.collect();
        folders.extend(self.toolkits.iter().map(|toolkit| toolkit.join("bin")));
        folders.push(self.root.join("usr/local/cuda/bin"));
        folders.extend(newest_first(&self.root.join("usr/local"), "cuda-").into_iter().map(|cuda| cuda.join("bin")));
        folders.extend(newest_first(&self.root.join("opt/nvidia/nsight-compute"), ""));
        folders.into_iter().map(|folder| folder.join("ncu")).collect()
    }
}

/// The folders of `parent` whose name is `prefix` and a version, the newest version first.
fn newest_first(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    let mut versions: Vec<(Vec<u32>, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let numbers = name.strip_prefix(prefix)?.split('.').map(str::parse::<u32>);
            Some((numbers.collect::<Result<Vec<_>, _>>().ok()?, entry.path()))
        })
        .collect();
    versions.sort_by(|one, other| other.0.cmp(&one.0));
    versions.into_iter().map(|(_, path)| path).collect()
}

fn is_program(path: &Path) -> bool {
    let Ok(metadata) = std::fs::metadata(path) else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        metadata.is_file() && metadata.permissions().mode() & 0o111 != 0
    }
    #[cfg(not(unix))]
    {
        metadata.is_file()
    }
}
