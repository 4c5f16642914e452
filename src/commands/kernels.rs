//! Kernels of ratchet.toml without a GPU: each point is compiled for the architectures that were asked for, and what the
//! compiler says becomes exact metrics, which ratchet on any computer.
//!
//! The testbed of such a result is the architecture and the compiler (`sm_90a · NVRTC 13.0`), whatever computer compiled:
//! another compiler makes other code from the same source, so its results are other series.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::context::Context;
use super::error::CommandError;
use super::workspace::Workspace;
use crate::cuda::{
    self, Arch, CodePlan, CompileError, Compiled, Compiler, CompilerMissing, CompilerSearch, Manifest, ManifestError, PlanRequest,
};
use crate::model::{BenchmarkName, Config, Direction, Measurement, Metric, MetricName, Summary, Testbed, Unit};
use crate::report::Notice;
use crate::report::progress::ProgressLine;
use crate::report::words::point_name;
use crate::settings::{Benchmark, CacheState, KernelSettings};

/// Compute capabilities that kernels are compiled for where nobody says: what is common in data centres and desks.
const USUAL_ARCHS: [u32; 4] = [80, 89, 90, 100];

/// One point of a kernel.
pub struct KernelPoint {
    /// The benchmark.
    pub benchmark: BenchmarkName,
    /// Its manifest and sources.
    pub manifest: Arc<Manifest>,
    /// The point.
    pub config: Config,
    /// Values of tunables in place of the manifest's.
    pub tunables: Config,
    /// What the second-level cache holds before a timed launch.
    pub cache: cuda::Cache,
    /// What it is compiled for.
    pub archs: Vec<Arch>,
}

/// What was found out by compiling.
#[derive(Default)]
pub struct CodeResults {
    /// The measurements of each testbed.
    pub runs: Vec<(Testbed, Vec<Measurement>)>,
    /// What failed, in words.
    pub failures: Vec<String>,
    /// What was left out, and why.
    pub notices: Vec<Notice>,
    /// What the compiler warned of, in its own lines.
    pub warnings: Vec<String>,
}

/// What a kernel is compiled for: the list of a flag, or what its settings say, or the usual ones.
///
/// # Errors
/// A word that names no architecture.
pub fn archs(words: &[String]) -> Result<Vec<Arch>, CommandError> {
    let parse = |word: &String| word.parse().map_err(|error: cuda::ParseArchError| CommandError::usage(error));
    words.iter().map(parse).collect()
}

/// The points of one benchmark that a filter leaves.
///
/// # Errors
/// A manifest that cannot be used, or settings that do not fit it.
pub fn points(
    benchmark: &Benchmark,
    kernel: &KernelSettings,
    read: &cuda::ReadFile<'_>,
    filter: &Config,
    asked: &[Arch],
) -> Result<Vec<KernelPoint>, CommandError> {
    let manifest = Arc::new(Manifest::load(&kernel.manifest, read)?);
    if let Some(unknown) = kernel.configs.iter().find(|wanted| !manifest.configs().iter().any(|config| config.contains(wanted))) {
        let message = format!("{} has no config with {unknown}, which ratchet.toml asks for", kernel.manifest);
        return Err(CommandError::usage(message));
    }
    let of_settings = archs(&kernel.archs)?;
    let archs = [asked, &of_settings].into_iter().find(|archs| !archs.is_empty());
    let archs: Vec<Arch> = archs.map_or_else(|| usual_archs(&manifest), <[Arch]>::to_vec);
    let wanted = manifest.configs().iter().filter(|config| kernel.selects(config) && config.contains(filter));
    let point = |config: &Config| KernelPoint {
        benchmark: benchmark.name.clone(),
        manifest: Arc::clone(&manifest),
        config: config.clone(),
        tunables: kernel.tunables.clone(),
        cache: kernel.cache.map_or_else(cuda::Cache::default, cache),
        archs: archs.clone(),
    };
    Ok(wanted.map(point).collect())
}

/// What a kernel is compiled for where nobody asks for anything.
fn usual_archs(manifest: &Manifest) -> Vec<Arch> {
    USUAL_ARCHS.iter().map(|number| manifest.arch_on(*number)).filter(|arch| manifest.supports(*arch)).collect()
}

fn cache(state: CacheState) -> cuda::Cache {
    match state {
        CacheState::Cold => cuda::Cache::Cold,
        CacheState::Hot => cuda::Cache::Hot,
    }
}

impl From<ManifestError> for CommandError {
    fn from(error: ManifestError) -> Self {
        match error {
            ManifestError::Unreadable { .. } => Self::failure(error).with_hint("docs/kernels.md says what a kernel is made of"),
            _ => Self::usage(error),
        }
    }
}

/// The compiler of this computer, with its cache in the repository.
pub fn compiler(workspace: &Workspace, context: &Context) -> Result<Compiler, CompilerMissing> {
    let configured = context.env("RATCHET_NVRTC").map(str::to_owned).or_else(|| workspace.store.git_setting("ratchet.nvrtc"));
    let env = |name: &str| context.env(name).map(str::to_owned);
    let compiler = Compiler::find(&CompilerSearch { configured: configured.map(PathBuf::from), env: &env })?;
    Ok(compiler.with_cache(workspace.store.common_dir().join("ratchet/kernels")))
}

/// The identity of what a compiler makes for an architecture.
///
/// # Errors
/// Never for architectures and versions as they are; the model checks every name.
pub fn testbed(compiler: &Compiler, arch: Arch) -> Result<Testbed, CommandError> {
    let (major, minor) = compiler.version();
    let nvrtc = format!("{major}.{minor}");
    let facts = [("arch".to_owned(), arch.to_string()), ("nvrtc".to_owned(), nvrtc.clone())];
    Ok(Testbed::new(format!("{arch} · NVRTC {nvrtc}"), facts.into())?)
}

/// Compiles every point for its architectures.
pub fn compile(points: &[KernelPoint], workspace: &Workspace, context: &mut Context) -> Result<CodeResults, CommandError> {
    let mut results = CodeResults::default();
    if points.is_empty() {
        return Ok(results);
    }
    let compiler = match compiler(workspace, context) {
        Ok(compiler) => compiler,
        Err(missing) => {
            let names: Vec<&str> = distinct(points.iter().map(|point| point.benchmark.as_str()));
            results.failures.push(format!("cannot compile {}: {missing}\n  hint: {}", names.join(", "), CompilerMissing::HINT));
            return Ok(results);
        }
    };
    let mut by_arch: BTreeMap<Arch, Vec<Measurement>> = BTreeMap::new();
    let of_benchmarks: Vec<&[KernelPoint]> = points.chunk_by(|one, other| one.benchmark == other.benchmark).collect();
    let mut line = ProgressLine::new(of_benchmarks.len() as u64, context.terminal.progress);
    for points in of_benchmarks {
        let name = points.first().map_or(String::new(), |point| format!("compiling {}", point.benchmark));
        line.begin(context.err, &name)?;
        of_benchmark(points, &compiler, &mut by_arch, &mut results);
        line.end();
    }
    line.finish();
    for (arch, measurements) in by_arch {
        results.runs.push((testbed(&compiler, arch)?, measurements));
    }
    Ok(results)
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

/// A point for one architecture, ready to be compiled.
struct Job<'a> {
    point: &'a KernelPoint,
    arch: Arch,
    code: CodePlan,
}

fn of_benchmark(
    points: &[KernelPoint],
    compiler: &Compiler,
    by_arch: &mut BTreeMap<Arch, Vec<Measurement>>,
    results: &mut CodeResults,
) {
    let mut jobs = Vec::new();
    for (point, arch) in points.iter().flat_map(|point| point.archs.iter().map(move |arch| (point, *arch))) {
        let request = PlanRequest { config: &point.config, tunables: &point.tunables, arch, device: None };
        match point.manifest.code(&request) {
            Ok(code) => jobs.push(Job { point, arch, code }),
            Err(error @ ManifestError::TooOld { .. }) => {
                push_once(&mut results.notices, Notice::new("arch_left_out", format!("{}: {error}", point.benchmark)));
            }
            Err(error) => results.failures.push(format!("{}: {error}", point_name(&point.benchmark, &point.config))),
        }
    }
    let programs: Vec<_> = jobs.iter().map(|job| (&job.code.program, job.arch)).collect();
    for (job, compiled) in jobs.iter().zip(compiler.compile_all(&programs)) {
        match compiled {
            Ok(compiled) => {
                if !compiled.log.is_empty() {
                    let warning = format!("{} for {}: the compiler says\n{}", job.point.benchmark, job.arch, compiled.log);
                    push_once(&mut results.warnings, warning);
                }
                by_arch.entry(job.arch).or_default().extend(measurements(job, &compiled));
            }
            // An older compiler than the newest chip: nobody asked for that one.
            Err(error @ CompileError::UnknownArch { .. }) if job.point.archs == usual_archs(&job.point.manifest) => {
                push_once(&mut results.notices, Notice::new("arch_left_out", format!("{}: {error}", job.point.benchmark)));
            }
            Err(error) => push_once(&mut results.failures, format!("{}: {error}", job.point.benchmark)),
        }
    }
}

/// The same source says the same of every config.
fn push_once<T: PartialEq>(told: &mut Vec<T>, new: T) {
    if !told.contains(&new) {
        told.push(new);
    }
}

fn measurements(job: &Job<'_>, compiled: &Compiled) -> Vec<Measurement> {
    let code = &compiled.code;
    let spills = u64::from(code.spill_stores) + u64::from(code.spill_loads);
    let dynamic = job.code.shared_bytes;
    let shared = dynamic.map(|dynamic| u64::from(code.shared_bytes) + u64::from(dynamic));
    let occupancy = job.code.block_threads.zip(dynamic).and_then(|(threads, dynamic)| {
        let occupancy = cuda::occupancy(job.arch, code, threads, dynamic)?;
        Some(100.0 * occupancy.share)
    });
    let lower = |name, unit, value: u64| (name, unit, Direction::Lower, value as f64);
    let all = [
        Some(lower("registers", Unit::ONE, code.registers.into())),
        Some(lower("spill_bytes", Unit::BYTE, spills)),
        shared.map(|shared| lower("shared_bytes", Unit::BYTE, shared)),
        Some(lower("instructions", Unit::ONE, code.instructions.into())),
        Some(lower("cubin_bytes", Unit::BYTE, code.cubin_bytes)),
        occupancy.map(|occupancy| ("occupancy", Unit::PERCENT, Direction::Higher, occupancy)),
    ];
    let measurement = |(name, unit, better, value)| {
        Some(Measurement {
            benchmark: job.point.benchmark.clone(),
            config: job.point.config.clone(),
            metric: Metric { name: MetricName::new(name).ok()?, unit, better, exact: true, follows: None },
            summary: Summary::single(value),
            values: vec![value],
            warnings: Vec::new(),
            barred: None,
            machine_code: Some(code.hash.clone()),
        })
    };
    all.into_iter().flatten().filter_map(measurement).collect()
}
