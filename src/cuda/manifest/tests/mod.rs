//! Manifests, read out of repositories that exist in memory only.

mod expressions;
mod files;
mod plans;
mod refusals;

use std::collections::BTreeMap;
use std::io;

use super::*;
use crate::cuda::ArgumentValue;

/// The files of a repository, by path.
#[derive(Clone, Default)]
struct Repository(BTreeMap<String, Vec<u8>>);

impl Repository {
    fn with(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.0.insert(path.to_owned(), content.into());
        self
    }

    fn load(&self, path: &str) -> Result<Manifest, ManifestError> {
        Manifest::load(path, &|path| self.0.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into()))
    }
}

const SOURCE: &str = "extern \"C\" __global__ void k(float* y, int n) {}";

/// A manifest whose parts a test replaces.
struct Parts<'a> {
    top: &'a str,
    grid: &'a str,
    block: &'a str,
    rest: &'a str,
}

impl Default for Parts<'_> {
    fn default() -> Self {
        Self { top: "", grid: r#"["1"]"#, block: r#"["1"]"#, rest: "" }
    }
}

impl Parts<'_> {
    fn load(&self) -> Result<Manifest, ManifestError> {
        let Self { top, grid, block, rest } = self;
        let text = format!("entry = \"k\"\n{top}\n[launch]\ngrid = {grid}\nblock = {block}\n{rest}\n");
        Repository::default().with("k/k.toml", text).with("k/k.cu", SOURCE).load("k/k.toml")
    }

    fn error(&self) -> String {
        match self.load().and_then(|manifest| plan(&manifest)) {
            Ok(plan) => panic!("this should not be a plan: {plan:#?}"),
            Err(error) => error.to_string(),
        }
    }

    fn plan(&self) -> KernelPlan {
        self.load().and_then(|manifest| plan(&manifest)).unwrap_or_else(|error| panic!("{error}"))
    }
}

const SM_80: Arch = Arch { number: 80, specific: false };

const SM_90A: Arch = Arch { number: 90, specific: true };

const H200: DeviceProperties = DeviceProperties {
    sm_count: 132,
    max_threads_per_block: 1024,
    shared_bytes_per_block: 232_448,
    l2_bytes: 60 << 20,
    warp_size: 32,
};

/// The first point with default tunables, without a device.
fn plan(manifest: &Manifest) -> Result<KernelPlan, ManifestError> {
    let none = Config::empty();
    manifest.plan(&PlanRequest { config: &manifest.configs()[0], tunables: &none, arch: SM_80, device: None })
}
