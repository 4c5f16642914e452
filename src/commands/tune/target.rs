//! What is tuned: a kernel of ratchet.toml at some of its configs, and the points of its tunables.

use std::sync::Arc;

use crate::cli::{CacheArg, TuneArgs};
use crate::commands::error::CommandError;
use crate::commands::kernels::{self, KernelPoint};
use crate::commands::workspace::Workspace;
use crate::cuda::{self, Arch, DeviceProperties, Manifest, PlanRequest};
use crate::model::{BenchmarkName, Config};
use crate::settings::{Benchmark, KernelSettings};
use crate::tune::{Dimension, Space};

/// More combinations take too long to look through.
const MOST_COMBINATIONS: u128 = 1_000_000;

/// A kernel that is to be tuned.
pub(super) struct Target {
    /// The benchmark.
    pub(super) benchmark: BenchmarkName,
    /// Its configs, with the tunables that ratchet.toml sets; at least one.
    points: Vec<KernelPoint>,
    /// With the restrictions of the command line.
    restricted: Manifest,
}

impl Target {
    /// The kernel and the configs that were asked for.
    pub(super) fn find(arguments: &TuneArgs, workspace: &Workspace) -> Result<Self, CommandError> {
        let root = workspace.store.work_dir().ok_or_else(|| {
            CommandError::failure("a bare repository has no kernels to tune").with_hint("run it in a clone or a worktree")
        })?;
        let (benchmark, kernel) = kernel_named(&arguments.kernel, workspace)?;
        let filter = config_named(arguments.config.as_deref().unwrap_or_default())?;
        let asked = kernels::archs(&arguments.archs)?;
        let mut points = kernels::points(benchmark, kernel, &cuda::work_tree(root), &filter, &asked)?;
        let names = || kernels_configs(&points);
        match (points.as_slice(), arguments.all_configs) {
            ([], _) => return Err(CommandError::usage(format!("{} has no config with {filter}", benchmark.name))),
            ([_], _) | (_, true) => {}
            _ => {
                let message = format!("{} has {} configs, and is tuned for one or for all of them", benchmark.name, points.len());
                return Err(
                    CommandError::usage(message).with_hint(format!("--all-configs, or --config with one of: {}", names()))
                );
            }
        }
        let cache = arguments.cache.map(|cache| match cache {
            CacheArg::Cold => cuda::Cache::Cold,
            CacheArg::Hot => cuda::Cache::Hot,
        });
        if let Some(cache) = cache {
            points.iter_mut().for_each(|point| point.cache = cache);
        }
        let manifest = points.first().map(|point| Arc::clone(&point.manifest));
        let manifest = manifest.ok_or_else(|| CommandError::usage("there is no config"))?;
        Ok(Self { benchmark: benchmark.name.clone(), restricted: manifest.restricted(&arguments.restrictions)?, points })
    }

    /// Its configs.
    pub(super) fn configs(&self) -> Vec<Config> {
        self.points.iter().map(|point| point.config.clone()).collect()
    }

    /// The manifest without restrictions.
    pub(super) fn manifest(&self) -> &Manifest {
        self.points.first().map_or(&self.restricted, |point| &point.manifest)
    }

    /// What it is compiled for without a device.
    pub(super) fn archs(&self) -> &[Arch] {
        self.points.first().map_or(&[], |point| &point.archs)
    }

    /// What ratchet.toml sets of the tunables.
    pub(super) fn of_settings(&self) -> Config {
        self.points.first().map(|point| point.tunables.clone()).unwrap_or_default()
    }

    /// Its configs with these tunables.
    pub(super) fn with(&self, tunables: &Config) -> Vec<KernelPoint> {
        let point = |point: &KernelPoint| KernelPoint {
            benchmark: point.benchmark.clone(),
            manifest: Arc::clone(&point.manifest),
            config: point.config.clone(),
            tunables: tunables.clone(),
            cache: point.cache,
            archs: point.archs.clone(),
        };
        self.points.iter().map(point).collect()
    }

    /// Every tunable with the value that `bench` measures now.
    pub(super) fn default(&self, arch: Arch) -> Result<Config, CommandError> {
        let over = self.of_settings();
        let tunables = self.manifest().tunables(arch).iter();
        let value = |tunable: &cuda::Tunable| over.get(&tunable.name).unwrap_or(&tunable.default).to_owned();
        Ok(Config::new(tunables.map(|tunable| (tunable.name.clone(), value(tunable))))?)
    }

    /// The points that are valid for every config.
    pub(super) fn space(&self, arch: Arch, device: Option<&DeviceProperties>) -> Result<Space, CommandError> {
        let tunables = self.manifest().tunables(arch);
        if tunables.is_empty() {
            let message = format!("{} has no tunables for {arch}: there is nothing to choose", self.manifest().path());
            return Err(CommandError::usage(message).with_hint("docs/kernels.md: [tunables] in the manifest"));
        }
        let dimension = |tunable: &cuda::Tunable| Dimension { name: tunable.name.clone(), values: tunable.values.clone() };
        let dimensions: Vec<Dimension> = tunables.iter().map(dimension).collect();
        let combinations = Space::new(dimensions.clone(), []).combinations();
        if combinations > MOST_COMBINATIONS {
            let message = format!("{combinations} combinations of tunables are too many to look through");
            return Err(CommandError::usage(message).with_hint("give the tunables fewer values in the manifest"));
        }
        let (none, mut valid) = (Config::empty(), None::<Vec<Config>>);
        for point in &self.points {
            let request = PlanRequest { config: &point.config, tunables: &none, arch, device };
            let mut of_config: Vec<Config> = self.restricted.combinations(&request).collect();
            if let Some(others) = valid.take() {
                let others: std::collections::HashSet<Config> = others.into_iter().collect();
                of_config.retain(|config| others.contains(config));
            }
            valid = Some(of_config);
        }
        let space = Space::new(dimensions, valid.unwrap_or_default());
        if space.is_empty() { Err(self.why_empty(arch, device)) } else { Ok(space) }
    }

    /// A name that does not exist leaves no point valid, as a restriction does that is too strict.
    fn why_empty(&self, arch: Arch, device: Option<&DeviceProperties>) -> CommandError {
        let of_settings = self.of_settings();
        let error = self.points.iter().find_map(|point| {
            let request = PlanRequest { config: &point.config, tunables: &of_settings, arch, device };
            self.restricted.code(&request).err()
        });
        let why = error.map_or_else(String::new, |error| format!(": {error}"));
        CommandError::usage(format!("no combination of tunables is valid for {arch} and every config{why}"))
            .with_hint("look at --restrict and at the manifest's [constraints]")
    }
}

fn kernel_named<'a>(name: &str, workspace: &'a Workspace) -> Result<(&'a Benchmark, &'a KernelSettings), CommandError> {
    let benchmarks = workspace.settings.benchmarks.iter();
    let mut kernels = benchmarks.filter_map(|benchmark| Some((benchmark, benchmark.kernel.as_ref()?)));
    let known: Vec<&str> = kernels.clone().map(|(benchmark, _)| benchmark.name.as_str()).collect();
    let known = if known.is_empty() { "it has none".to_owned() } else { format!("it has: {}", known.join(", ")) };
    kernels.find(|(benchmark, _)| benchmark.name.as_str() == name).ok_or_else(|| {
        CommandError::usage(format!("ratchet.toml has no kernel `{name}`; {known}"))
            .with_hint("a kernel is a [[benchmark]] with kernel = \"kernels/NAME.toml\": docs/cuda.md")
    })
}

/// A config by its name or by some of its parameters, as in `configs` of ratchet.toml.
fn config_named(text: &str) -> Result<Config, CommandError> {
    let is_name = !text.is_empty() && !text.contains('=');
    Ok(if is_name { Config::new([("config", text)])? } else { text.parse()? })
}

fn kernels_configs(points: &[KernelPoint]) -> String {
    let name = |point: &KernelPoint| point.config.get("config").map_or_else(|| format!("'{}'", point.config), str::to_owned);
    points.iter().map(name).collect::<Vec<_>>().join(", ")
}
