//! Where NVRTC and CUDA's headers lie: where the user says, in the active Python environment, in a toolkit, in the system.
//!
//! Nothing is run for it, Python neither: the folders are known.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::nvrtc::Library;

/// Where to look.
pub struct CompilerSearch<'a> {
    /// `ratchet.nvrtc`: the library, or a folder that it lies in or below. Then only there.
    pub configured: Option<PathBuf>,
    /// The environment.
    pub env: &'a dyn Fn(&str) -> Option<String>,
}

/// A place where NVRTC was found and could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// The library.
    pub library: PathBuf,
    /// Why not.
    pub why: String,
}

/// There is no NVRTC that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct CompilerMissing {
    /// What the user named, where there was nothing.
    pub configured: Option<PathBuf>,
    /// What was found and could not be used.
    pub unusable: Vec<Unusable>,
}

impl CompilerMissing {
    /// How to get it.
    pub const HINT: &'static str = "pip install 'nvidia-cuda-nvrtc==13.0.*' 'nvidia-cuda-runtime==13.0.*' 'nvidia-cuda-crt==13.0.*' \
        'nvidia-cuda-cccl==13.0.*' in a virtual environment, or install the CUDA toolkit (apt install cuda-nvrtc-13-0 \
        cuda-cudart-dev-13-0), or name the library with git config ratchet.nvrtc PATH";
}

impl fmt::Display for CompilerMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.configured {
            Some(path) => write!(f, "there is no usable NVRTC at {}, which ratchet.nvrtc names", path.display())?,
            None => f.write_str("kernels are compiled with NVRTC, and none was found")?,
        }
        for Unusable { library, why } in &self.unusable {
            write!(f, "; {}: {why}", library.display())?;
        }
        Ok(())
    }
}

/// A library, and what goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Installation {
    pub(super) library: PathBuf,
    builtins: Option<PathBuf>,
    /// Folders of CUDA's own headers.
    pub(super) includes: Vec<PathBuf>,
}

/// The first that can be loaded.
pub(super) fn find(search: &CompilerSearch<'_>) -> Result<(Installation, Library), CompilerMissing> {
    let mut unusable = Vec::new();
    let roots = match &search.configured {
        Some(path) => configured_roots(path),
        None => usual_roots(search),
    };
    let fallbacks = if search.configured.is_some() { usual_roots(search) } else { Vec::new() };
    let headers = || roots.iter().chain(&fallbacks).flat_map(|root| root.includes.iter());
    for library in roots.iter().flat_map(Root::libraries) {
        let own = roots.iter().find(|root| root.libraries().contains(&library));
        match Library::load(&library, builtins(&library).as_deref()) {
            Ok(loaded) => {
                let includes = own.map(|root| with_headers(root.includes.iter())).filter(|found| !found.is_empty());
                let includes = includes.unwrap_or_else(|| with_headers(headers()));
                return Ok((Installation { builtins: builtins(&library), library, includes }, loaded));
            }
            Err(why) => unusable.push(Unusable { library, why }),
        }
    }
    Err(CompilerMissing { configured: search.configured.clone(), unusable })
}

/// A place where CUDA may be installed.
struct Root {
    libraries: Vec<PathBuf>,
    includes: Vec<PathBuf>,
    /// A library itself, or a name that the system's loader knows.
    named: Option<PathBuf>,
}

const HEADER: &str = "cuda_fp16.h";

/// The newest first.
const NAMES: [&str; 3] = ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"];

impl Root {
    fn folders(libraries: Vec<PathBuf>, includes: Vec<PathBuf>) -> Self {
        Self { libraries, includes, named: None }
    }

    fn libraries(&self) -> Vec<PathBuf> {
        let in_folder = |folder: &PathBuf| {
            let found = NAMES.iter().map(|name| folder.join(name)).find(|path| path.is_file());
            found.into_iter().collect::<Vec<_>>()
        };
        self.named.iter().cloned().chain(self.libraries.iter().flat_map(in_folder)).collect()
    }
}

/// A toolkit, or anything that is laid out like one.
fn toolkit(root: &Path) -> Root {
    let target = format!("targets/{}-linux", std::env::consts::ARCH);
    let libraries = ["lib64", "lib", &format!("{target}/lib"), ""].map(|folder| root.join(folder));
    let includes = ["include", "include/cccl", &format!("{target}/include"), &format!("{target}/include/cccl")];
    Root::folders(libraries.to_vec(), includes.map(|folder| root.join(folder)).to_vec())
}

/// The wheels of a site-packages folder: one tree from CUDA 13 on, one folder for each package before.
fn wheels(site: &Path) -> [Root; 2] {
    let nvidia = site.join("nvidia");
    let of_12 = ["cuda_runtime", "cuda_nvcc", "cuda_cccl", "cuda_nvrtc"].map(|package| nvidia.join(package).join("include"));
    [toolkit(&nvidia.join("cu13")), Root::folders(vec![nvidia.join("cuda_nvrtc/lib")], of_12.to_vec())]
}

fn configured_roots(path: &Path) -> Vec<Root> {
    if !path.is_file() {
        let mut roots = vec![toolkit(path)];
        roots.extend(wheels(path));
        roots.extend(sites(path).iter().flat_map(|site| wheels(site)));
        return roots;
    }
    let above = path.parent().and_then(Path::parent).unwrap_or(Path::new("/"));
    vec![Root { named: Some(path.to_owned()), libraries: Vec::new(), includes: toolkit(above).includes }]
}

fn usual_roots(search: &CompilerSearch<'_>) -> Vec<Root> {
    let variable = |name: &str| (search.env)(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let mut roots = Vec::new();
    roots.extend(["CUDA_HOME", "CUDA_PATH"].into_iter().filter_map(variable).map(|root| toolkit(&root)));
    for environment in ["VIRTUAL_ENV", "CONDA_PREFIX"].into_iter().filter_map(variable) {
        roots.extend(sites(&environment).iter().flat_map(|site| wheels(site)));
        roots.push(toolkit(&environment));
    }
    roots.push(toolkit(Path::new("/usr/local/cuda")));
    let listed = |name| variable(name).map(|paths| std::env::split_paths(&paths).collect::<Vec<_>>()).unwrap_or_default();
    roots.push(Root::folders(listed("LD_LIBRARY_PATH"), Vec::new()));
    let system = [&format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH), "/usr/lib64", "/usr/lib"].map(PathBuf::from);
    roots.push(Root::folders(system.to_vec(), vec![PathBuf::from("/usr/include")]));
    // The Python that the shell would start, and what its user installed for it.
    let python = listed("PATH").into_iter().map(|folder| folder.join("python3")).find(|python| python.is_file());
    let prefixes = python.iter().filter_map(|python| Some(python.parent()?.parent()?.to_owned()));
    let user = variable("HOME").map(|home| home.join(".local"));
    for prefix in prefixes.chain(user).chain([PathBuf::from("/usr/local"), PathBuf::from("/usr")]) {
        roots.extend(sites(&prefix).iter().flat_map(|site| wheels(site)));
    }
    roots
}

/// The package folders of a Python installation, the newest Python first.
fn sites(prefix: &Path) -> Vec<PathBuf> {
    let is_python = |name: &str| name.starts_with("python3");
    let mut versions: Vec<PathBuf> = entries(&prefix.join("lib"), is_python);
    versions.sort_by_key(|path| std::cmp::Reverse(minor_version(path)));
    let folders = versions.iter().flat_map(|python| [python.join("site-packages"), python.join("dist-packages")]);
    folders.filter(|folder| folder.is_dir()).collect()
}

fn minor_version(python: &Path) -> u32 {
    let name = python.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.strip_prefix("python3.").and_then(|minor| minor.parse().ok()).unwrap_or(0)
}

/// The built-in functions lie beside the library, with its version in their name.
fn builtins(library: &Path) -> Option<PathBuf> {
    let real = library.canonicalize().ok()?;
    let name = real.file_name()?.to_string_lossy().into_owned();
    let major = name.strip_prefix("libnvrtc.so.").map(|version| version.split('.').next().unwrap_or(version).to_owned());
    let prefix = format!("libnvrtc-builtins.so.{}", major.unwrap_or_default());
    entries(real.parent()?, |name| name.starts_with(&prefix)).into_iter().min()
}

/// The entries of a folder that a name fits; a folder that cannot be read has none.
fn entries(folder: &Path, fits: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.filter_map(Result::ok).filter(|entry| fits(&entry.file_name().to_string_lossy()));
    paths.map(|entry| entry.path()).collect()
}

/// The include folders that exist, where CUDA's headers are among them.
fn with_headers<'a>(folders: impl Iterator<Item = &'a PathBuf>) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for folder in folders.filter(|folder| folder.is_dir()) {
        if !found.contains(folder) {
            found.push(folder.clone());
        }
    }
    // Only what belongs to one installation: headers of two versions do not go together.
    let Some(first) = found.iter().find(|folder| folder.join(HEADER).is_file()).cloned() else { return Vec::new() };
    let root = first.parent().map(Path::to_owned).unwrap_or_default();
    let of_packages = root.parent().map(Path::to_owned).filter(|parent| parent.ends_with("nvidia"));
    let home = of_packages.unwrap_or(root);
    let is_system = first == Path::new("/usr/include");
    found.retain(|folder| *folder == first || (!is_system && folder.starts_with(&home)));
    // The compiler searches /usr/include for hosts' headers, too, which do not go with device code.
    found
}
