//! Kernels timed and verified end to end: the real binary with its workers, the real NVRTC, and a CUDA driver that is a
//! small C library with planted faults (tests/fake_driver). Needs a C compiler and NVRTC.

mod interrupted;
mod lacking;
mod timing;
mod versions;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::kernels::nvrtc;
use crate::world::{Ran, World};

/// A folder with the fake libraries, built once; `None` without a C compiler.
fn fake_driver(variant: &str, flags: &[&str]) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fake_driver_{variant}_{}", std::process::id()));
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake_driver");
    fs::create_dir_all(&folder).unwrap();
    for (source, library) in [("libcuda.c", "libcuda.so.1"), ("libnvidia-ml.c", "libnvidia-ml.so.1")] {
        let mut command = Command::new("cc");
        command
            .args(["-O2", "-shared", "-fPIC", "-o"])
            .arg(folder.join(library))
            .arg(sources.join(source))
            .args(flags)
            .arg("-lm");
        match command.output() {
            Err(_) => {
                eprintln!("SKIPPED: there is no C compiler (cc) to build the fake CUDA driver with");
                return None;
            }
            Ok(built) => assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr)),
        }
    }
    Some(folder)
}

/// Where the whole fake driver is.
pub fn driver() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    BUILT.get_or_init(|| fake_driver("whole", &[])).as_deref()
}

/// A repository with these kernels of tests/data/kernels/adversarial as benchmarks, committed.
struct Lab {
    world: World,
    nvrtc: PathBuf,
    driver: PathBuf,
}

impl Lab {
    /// `for_hang` is the timeout of the kernel that hangs.
    fn with(kernels: &[&str], for_hang: &str) -> Option<Self> {
        let (nvrtc, driver) = (nvrtc()?, driver()?.to_owned());
        let world = World::new();
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/kernels/adversarial");
        let mut settings = "[sampling]\nwarmup = 1\nmin_runs = 6\nmax_runs = 40\nmin_time = \"0s\"\n".to_owned();
        for name in kernels {
            settings.push_str(&format!("[[benchmark]]\nname = \"{name}\"\nkernel = \"{name}.toml\"\narchs = [\"sm_90\"]\n"));
            if *name == "hang" {
                settings.push_str(&format!("timeout = \"{for_hang}\"\n"));
            }
            for extension in ["toml", "cu"] {
                let file = format!("{name}.{extension}");
                // A tenth of the size: the fake computes on one core.
                let text = fs::read_to_string(data.join(&file)).unwrap();
                world.write(&file, &text.replace("N = 1000000", "N = 100000"));
            }
        }
        world.write("reference.cu", &fs::read_to_string(data.join("reference.cu")).unwrap());
        world.write("ratchet.toml", &settings);
        world.commit("one");
        Some(Self { world, nvrtc, driver })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.ratchet_command(&self.world.repo, arguments);
        command.env("RATCHET_NVRTC", &self.nvrtc).env("LD_LIBRARY_PATH", &self.driver);
        command
    }

    fn bench(&self, arguments: &[&str]) -> Ran {
        self.world.run(&mut self.command(&[&["bench"], arguments].concat()))
    }

    /// What is recorded of a benchmark on the fake GPU.
    fn records(&self, benchmark: &str) -> Vec<Value> {
        let all = self.world.ratchet(&["show", "--json"]).expect(0).json();
        let here = |record: &&Value| {
            record["benchmark"] == benchmark && record["testbed"].as_str().is_some_and(|testbed| testbed.starts_with("Fake H200"))
        };
        all["records"].as_array().unwrap().iter().filter(here).cloned().collect()
    }
}

fn median(records: &[Value], metric: &str) -> f64 {
    let record = records.iter().find(|record| record["metric"] == metric).unwrap_or_else(|| panic!("no {metric}: {records:#?}"));
    record["statistics"]["median"].as_f64().unwrap()
}

/// Waits for something that another process does.
pub fn until(what: &str, mut has_happened: impl FnMut() -> bool) {
    let began = Instant::now();
    while !has_happened() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what} never came");
        std::thread::yield_now();
    }
}

/// Processes that this one has started and that still run.
pub fn children(parent: u32) -> Vec<u32> {
    let is_child = |stat: &str| {
        // The name of the program, in parentheses, may hold anything.
        let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        fields.next() != Some("Z") && fields.next() == Some(&parent.to_string())
    };
    let ids = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id: &u32| fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| is_child(&stat))).collect()
}

pub fn has_ended(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"));
    stat.map_or(true, |stat| stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')))
}
