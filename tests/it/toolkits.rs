//! NVRTC wherever CUDA installs it: folders laid out as the toolkit's installer, conda and a distribution leave them, made of
//! the real compiler; and the compiler of CUDA 12 beside that of 13.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::kernels::{SETTINGS, assert_our_kernels_compile, nvrtc, world_with};
use crate::world::{Ran, World};

/// The compiler of CUDA 12, where there is one.
fn nvrtc_12() -> Option<PathBuf> {
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/nvrtc12");
    let path = std::env::var_os("RATCHET_TEST_NVRTC12").map_or(usual, PathBuf::from);
    if !path.exists() {
        assert!(std::env::var_os("RATCHET_NEEDS_NVRTC").is_none(), "there is no NVRTC at {}", path.display());
        eprintln!("SKIPPED: there is no NVRTC 12 at target/nvrtc12 or RATCHET_TEST_NVRTC12; .ci/nvrtc installs it");
        return None;
    }
    Some(path)
}

#[test]
fn our_own_kernels_compile_with_cuda_12_too() {
    if let Some(nvrtc) = nvrtc_12() {
        assert_our_kernels_compile(nvrtc);
    }
}

/// What the wheels of one CUDA hold: libraries and folders of headers.
struct Parts {
    /// `libnvrtc.so.13`.
    library: PathBuf,
    builtins: PathBuf,
    includes: Vec<PathBuf>,
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).map(|found| found.map(|entry| entry.unwrap().path()).collect()).unwrap_or_default()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

impl Parts {
    /// The parts of the wheels in a virtual environment.
    fn of(environment: &Path) -> Self {
        let python = entries(&environment.join("lib")).into_iter().find(|path| name(path).starts_with("python3")).unwrap();
        let packages = entries(&python.join("site-packages/nvidia"));
        let libraries: Vec<PathBuf> = packages.iter().flat_map(|package| entries(&package.join("lib"))).collect();
        let find = |prefix: &str| libraries.iter().find(|path| name(path).starts_with(prefix)).unwrap().clone();
        let includes = packages.iter().map(|package| package.join("include")).filter(|folder| folder.is_dir()).collect();
        Self { library: find("libnvrtc.so."), builtins: find("libnvrtc-builtins.so."), includes }
    }

    /// `13.0`.
    fn version(&self) -> String {
        name(&self.builtins).trim_start_matches("libnvrtc-builtins.so.").to_owned()
    }

    /// The libraries with all their names, as an installer leaves them: `libnvrtc.so` to `libnvrtc.so.13.0.88`.
    fn install_libraries(&self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        let version = self.version();
        for (from, stem, short) in [
            (&self.library, "libnvrtc.so", name(&self.library).trim_start_matches("libnvrtc.so.").to_owned()),
            (&self.builtins, "libnvrtc-builtins.so", version.clone()),
        ] {
            let real = format!("{stem}.{version}.88");
            let whole = folder.join(&real);
            fs::hard_link(from, &whole).or_else(|_| fs::copy(from, &whole).map(drop)).unwrap();
            symlink(&real, folder.join(format!("{stem}.{short}"))).unwrap();
            symlink(format!("{stem}.{short}"), folder.join(stem)).unwrap();
        }
    }

    fn install_headers(&self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        for entry in self.includes.iter().flat_map(|include| entries(include)) {
            let here = folder.join(name(&entry));
            if !here.exists() {
                symlink(&entry, here).unwrap();
            }
        }
    }

    /// As NVIDIA's installer leaves `/usr/local/cuda`.
    fn install_toolkit(&self, root: &Path) {
        let target = format!("targets/{}-linux", std::env::consts::ARCH);
        self.install_libraries(&root.join(&target).join("lib"));
        self.install_headers(&root.join(&target).join("include"));
        symlink(format!("{target}/lib"), root.join("lib64")).unwrap();
        symlink(format!("{target}/include"), root.join("include")).unwrap();
    }

    /// As conda leaves an environment with cuda-nvrtc and cuda-cudart-dev.
    fn install_conda(&self, prefix: &Path) {
        self.install_libraries(&prefix.join("lib"));
        self.install_headers(&prefix.join(format!("targets/{}-linux/include", std::env::consts::ARCH)));
    }
}

/// Compiles a kernel that includes CUDA's headers in an environment of its own, and gives the library that was found.
#[track_caller]
fn compiles(world: &World, variables: &[(&str, &Path)], version: &str) -> String {
    let run = |arguments: &[&str]| -> Ran {
        let mut command = world.ratchet_command(&world.repo, arguments);
        for name in ["CUDA_HOME", "CUDA_PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "LD_LIBRARY_PATH"] {
            command.env_remove(name);
        }
        command.envs(variables.iter().copied());
        world.run(&mut command)
    };
    let benched = run(&["bench", "--compile-only", "--dry-run"]).expect(0);
    assert!(benched.out.contains(&format!("sm_90a · NVRTC {version}")), "{}{}", benched.out, benched.err);
    let doctor = run(&["doctor", "--json"]).json();
    let findings = doctor["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["about"] == "NVRTC").unwrap()["message"].as_str().unwrap().to_owned()
}

fn assert_found_everywhere(environment: &Path) {
    let parts = Parts::of(environment);
    let world = world_with(SETTINGS);
    let version = parts.version();
    let (toolkit, conda, bare) = (world.root().join("cuda"), world.root().join("conda"), world.root().join("bare"));
    parts.install_toolkit(&toolkit);
    parts.install_conda(&conda);
    parts.install_libraries(&bare);
    for variable in ["CUDA_HOME", "CUDA_PATH", "RATCHET_NVRTC"] {
        let found = compiles(&world, &[(variable, &toolkit)], &version);
        assert!(found.contains(&toolkit.join("lib64").display().to_string()), "{variable}: {found}");
    }
    let found = compiles(&world, &[("CONDA_PREFIX", &conda)], &version);
    assert!(found.contains(&conda.join("lib").display().to_string()), "{found}");
    // The library alone, by the name that links use, with the headers of the toolkit above it.
    let found = compiles(&world, &[("RATCHET_NVRTC", &toolkit.join("lib64/libnvrtc.so"))], &version);
    assert!(found.contains("lib64/libnvrtc.so)"), "{found}");
    // What the user named has no headers, and a toolkit has.
    let found = compiles(&world, &[("RATCHET_NVRTC", &bare), ("CUDA_HOME", &toolkit)], &version);
    assert!(found.contains(&bare.display().to_string()), "{found}");
}

#[test]
fn the_compiler_is_found_in_toolkits_and_conda_environments() {
    if let Some(environment) = nvrtc() {
        assert_found_everywhere(&environment);
    }
    if let Some(environment) = nvrtc_12() {
        assert_found_everywhere(&environment);
    }
}
