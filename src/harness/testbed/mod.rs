//! Where things run: the identity under which results may be compared, and the facts behind it.
//!
//! Everything is read from files under one root, so that tests read copies. A file that is missing means a fact that
//! is missing; only the key is always there. Nothing is run, and no system call but reading is made.

mod cgroup;
mod cpu;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use crate::model::{InvalidValue, Testbed, is_unshowable};

/// The most that is read of one file: `/proc/cpuinfo` of a thousand cores fits.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// The longest value of a fact, in characters.
const MAX_FACT_CHARS: usize = 200;

/// Where facts are read from, and the user's label.
#[derive(Debug, Clone)]
pub struct TestbedOptions {
    /// The root under which `/proc`, `/sys` and `/etc` are read: `/`, or a copy.
    pub root: PathBuf,
    /// Added to the key.
    pub label: Option<String>,
}

impl Default for TestbedOptions {
    fn default() -> Self {
        Self { root: PathBuf::from("/"), label: None }
    }
}

/// Where this process runs. The key is `<CPU model> · <n> cores`, with ` · <label>` where there is a label; n counts
/// the logical cores that this process may use, by its affinity and its cgroup's quota.
///
/// Fails only for a label that no testbed may have.
pub fn testbed(options: &TestbedOptions) -> Result<Testbed, InvalidValue> {
    let files = Files { root: options.root.clone() };
    let cpuinfo = files.text("proc/cpuinfo").unwrap_or_default();
    let model = cpu::model(&cpuinfo).unwrap_or_else(|| format!("{} CPU", std::env::consts::ARCH));
    let cores = cpu::usable_cores(&files);
    let mut key = format!("{model} · {cores} {}", if cores == 1 { "core" } else { "cores" });
    if let Some(label) = &options.label {
        key.push_str(" · ");
        key.push_str(label);
    }
    Testbed::new(key, facts(&files, &cpuinfo, model, cores))
}

fn facts(files: &Files, cpuinfo: &str, model: String, cores: usize) -> BTreeMap<String, String> {
    let facts = [
        ("arch", Some(std::env::consts::ARCH.to_owned())),
        ("container", cgroup::container(files)),
        ("cores_online", cpu::online_cores(files).map(|cores| cores.to_string())),
        ("cores_usable", Some(cores.to_string())),
        ("cpu", Some(model)),
        ("cpu_quota", cgroup::cpu_quota(files).map(|cores| format!("{cores} cores"))),
        ("governor", cpu::governors(files)),
        ("hypervisor", cpu::is_virtual(cpuinfo).map(yes_or_no)),
        ("kernel", files.line("proc/sys/kernel/osrelease")),
        ("load_1min", files.line("proc/loadavg").and_then(|line| line.split(' ').next().map(str::to_owned))),
        ("memory", memory(files)),
        ("microcode", cpu::field(cpuinfo, "microcode").map(str::to_owned)),
        ("node", slurm(files, "SLURMD_NODENAME")),
        ("os", os(files)),
        ("slurm_job", slurm(files, "SLURM_JOB_ID")),
        ("smt", files.line("sys/devices/system/cpu/smt/active").map(|active| yes_or_no(active == "1"))),
        ("turbo", cpu::turbo(files).map(yes_or_no)),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), showable(&value?)))).collect()
}

fn yes_or_no(fact: bool) -> String {
    if fact { "yes" } else { "no" }.to_owned()
}

/// The name of the distribution; elsewhere the name of the system.
fn os(files: &Files) -> Option<String> {
    let release = files.text("etc/os-release").or_else(|| files.text("usr/lib/os-release"));
    let pretty = release.as_deref().and_then(|text| text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")));
    Some(pretty.map_or_else(|| std::env::consts::OS.to_owned(), |name| name.trim_matches(['"', '\'']).to_owned()))
}

/// What Slurm says of the job that this process runs in: a node of a cluster can be the slow one.
fn slurm(files: &Files, name: &str) -> Option<String> {
    let environment = files.text("proc/self/environ")?;
    let in_job = environment.split('\0').any(|variable| variable.starts_with("SLURMD_NODENAME="));
    let value = environment.split('\0').find_map(|variable| variable.strip_prefix(name)?.strip_prefix('='));
    value.filter(|value| in_job && !value.is_empty()).map(str::to_owned)
}

/// Memory of the whole system.
fn memory(files: &Files) -> Option<String> {
    let meminfo = files.text("proc/meminfo")?;
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: f64 = total.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(format!("{:.1} GiB", kibibytes / (1024.0 * 1024.0)))
}

/// A fact on one line, whatever a file held.
fn showable(value: &str) -> String {
    value.trim().chars().filter(|c| !is_unshowable(*c)).take(MAX_FACT_CHARS).collect()
}

/// Files under a root.
struct Files {
    root: PathBuf,
}

impl Files {
    /// The text of a file, as far as it is read; `None` where it cannot be.
    fn text(&self, path: &str) -> Option<String> {
        let mut bytes = Vec::new();
        File::open(self.root.join(path)).ok()?.take(MAX_FILE_BYTES).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The first line of a file, where it says something.
    fn line(&self, path: &str) -> Option<String> {
        let text = self.text(path)?;
        text.lines().next().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned)
    }

    fn exists(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }
}
