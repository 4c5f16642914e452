//! Kernels on this computer's GPU: opened, planned for it, compiled, measured in a worker.
//!
//! Where there is no GPU nothing is wrong: kernels are then only compiled (`kernels`).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::context::Context;
use super::error::CommandError;
use super::kernels::{self, KernelPoint};
use super::points;
use super::progress::ShownProgress;
use super::recorder::Recorder;
use super::recording;
use super::unchanged::Unchanged;
use super::workspace::Workspace;
use crate::cuda::{
    self, Arch, Bytes, ClockState, Compiled, Compiler, CompilerMissing, DeviceError, DeviceProperties, Execution, Job,
    KernelExecutor, KernelPlan, Manifest, Opened, PlanRequest, Timing, Worker, WorkerError, WorkerOptions, Workers,
};
use crate::harness::{ExecutionError, Interrupt, MonotonicClock, SamplingOptions, StopRule, Warmup, run_benchmark};
use crate::model::{Measurement, SampleWarning, Testbed};
use crate::report::Notice;
use crate::report::progress::ProgressLine;

/// The arguments that make this program a worker.
const WORKER: &str = "kernel-worker";

/// The GPU that is measured on: the first that CUDA_VISIBLE_DEVICES leaves.
const DEVICE: u32 = 0;

/// A clock to be locked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockWish {
    /// What the device holds at its power limit.
    Base,
    /// This many MHz.
    Mhz(u32),
}

impl ClockWish {
    /// Reads `base` or a number of MHz.
    pub fn parse(text: &str) -> Result<Self, CommandError> {
        match (text, text.parse()) {
            ("base", _) => Ok(Self::Base),
            (_, Ok(mhz)) if mhz > 0 => Ok(Self::Mhz(mhz)),
            _ => Err(CommandError::usage(format!("--lock-clocks={text} is no clock; it looks like 1500 (MHz), or base"))),
        }
    }
}

/// What was measured on the device.
#[derive(Default)]
pub struct GpuResults {
    /// The testbed, where there is a device.
    pub testbed: Option<Testbed>,
    /// Measurements of each run, with its beginning.
    pub runs: Vec<(chrono::DateTime<chrono::Utc>, Vec<Measurement>)>,
    /// What failed, in words.
    pub failures: Vec<String>,
    /// What the user should know.
    pub notices: Vec<Notice>,
    /// The user stopped it.
    pub interrupted: bool,
}

impl GpuResults {
    /// Every measurement.
    pub fn measurements(&self) -> impl Iterator<Item = &Measurement> {
        self.runs.iter().flat_map(|(_, run)| run)
    }
}

/// Whether hardly anything but throttled values was measured: then these stand in for the others, and decide nothing.
pub fn is_throttled(measured: &Measurement) -> bool {
    let all_dropped =
        |warning: &SampleWarning| matches!(warning, SampleWarning::Throttled { dropped } if *dropped >= measured.summary.n);
    measured.barred.is_some() && measured.warnings.iter().any(all_dropped)
}

/// A device that is ready for kernels.
pub struct Gpu {
    workers: Workers,
    opened: Opened,
    compiler: Compiler,
    locked_mhz: Option<u32>,
    clocks: ClockState,
    /// Holds the clocks as long as it lives.
    _keeper: Option<Worker>,
    /// What the user should know.
    pub notices: Vec<Notice>,
}

/// Why kernels cannot be measured here.
pub enum NoGpu {
    /// There is none: kernels can only be compiled.
    Absent(String),
    /// There is one, but it does not work.
    Broken(String),
}

impl Gpu {
    /// Opens the device in a worker, locks its clocks where that is wished, and compiles what measuring needs.
    pub fn open(workspace: &Workspace, lock: Option<ClockWish>, interrupt: &Interrupt, context: &Context) -> Result<Self, NoGpu> {
        match cuda::CudaDevice::count() {
            Err(error @ DeviceError::NoDriver) => return Err(NoGpu::Absent(error.to_string())),
            Err(error) => return Err(NoGpu::Broken(error.to_string())),
            Ok((0, _)) => return Err(NoGpu::Absent("the NVIDIA driver knows no GPU here".to_owned())),
            Ok(_) => {}
        }
        let broken = |error: WorkerError| NoGpu::Broken(error.to_string());
        let compiler = kernels::compiler(workspace, context)
            .map_err(|missing| NoGpu::Broken(format!("{missing}\n  hint: {}", CompilerMissing::HINT)))?;
        let program =
            context.program.clone().ok_or_else(|| NoGpu::Broken("this program does not know where it lies".to_owned()))?;
        let workers =
            Workers::new(worker_options(program.clone(), vec![WORKER.to_owned()], interrupt), (context.random)() as u64);
        let opened = workers.opened().map_err(broken)?;
        let mut gpu =
            Self { workers, opened, compiler, locked_mhz: None, clocks: ClockState::Free, _keeper: None, notices: Vec::new() };
        if let Some(why) = gpu.compiler.too_new_for(gpu.opened.properties.driver_version) {
            gpu.notices.push(Notice::new("nvrtc_newer_than_driver", why).hint(Compiler::OLDER_HINT));
        }
        gpu.lock_clocks(lock, program, interrupt);
        gpu.compile_support();
        Ok(gpu)
    }

    /// Where it does not work, the user is told and measuring goes on.
    fn lock_clocks(&mut self, wish: Option<ClockWish>, program: PathBuf, interrupt: &Interrupt) {
        let Some(wish) = wish else {
            let message = "the GPU's clocks are not locked: results move with its temperature and load";
            self.notices.push(Notice::new("clocks_not_locked", message).hint("git ratchet bench --lock-clocks (as root)"));
            return;
        };
        let mut arguments = vec![WORKER.to_owned(), format!("--keep-clocks={DEVICE}")];
        if let ClockWish::Mhz(mhz) = wish {
            arguments.push(format!("--mhz={mhz}"));
        }
        match Worker::keep_clocks(&worker_options(program, arguments, interrupt)) {
            Ok(keeper) => {
                self._keeper = Some(keeper);
                (self.clocks, self.locked_mhz) = match wish {
                    ClockWish::Base => (ClockState::LockedAtBase, None),
                    ClockWish::Mhz(mhz) => (ClockState::LockedAt(mhz), Some(mhz)),
                };
            }
            Err(error) => {
                let message = format!("the GPU's clocks could not be locked, and are as they were: {error}");
                self.notices
                    .push(Notice::new("clocks_not_locked", message).hint("locking clocks takes root, or sudo nvidia-smi -lgc"));
            }
        }
    }

    fn compile_support(&mut self) {
        let program = cuda::support_program();
        let compiled = self.compiler.compile(&program, self.opened.properties.arch());
        let given = compiled.map_err(|error| error.to_string());
        let given = given.and_then(|compiled| self.workers.support(compiled.cubin).map_err(|error| error.to_string()));
        if let Err(error) = given {
            let message = format!("caches are emptied by writing, and the clock is not watched: {error}");
            self.notices.push(Notice::new("no_support_kernels", message));
        }
        if let Some(why) = &self.opened.unwatched {
            let message = format!("temperature, power and throttling are not watched: NVML says {why}");
            self.notices.push(Notice::new("no_nvml", message));
        }
    }

    /// The identity of results of this device.
    pub fn testbed(&self, workspace: &Workspace) -> Result<Testbed, CommandError> {
        let (major, minor) = self.compiler.version();
        let host = recording::this_testbed(None)?.facts;
        let further = host.into_iter().chain([("nvrtc".to_owned(), format!("{major}.{minor}"))]);
        Ok(cuda::testbed(&self.opened, self.clocks, workspace.settings.testbed.as_deref(), further)?)
    }

    /// An executor on the device.
    pub fn executor(&self, execution: Execution) -> KernelExecutor {
        KernelExecutor::new(self.workers.clone(), execution)
    }

    /// Plans and compiles points for this device; each result stands at the place of its point.
    pub fn ready(
        &self,
        points: &[KernelPoint],
        timeout: &dyn Fn(&KernelPoint) -> Duration,
    ) -> Vec<Result<cuda::KernelPoint, String>> {
        let planned: Vec<Result<(KernelPlan, Arch), String>> = points.iter().map(|point| self.plan(point)).collect();
        let programs = planned.iter().flatten().flat_map(|(plan, arch)| {
            let reference = plan.reference.as_ref().map(|reference| (&reference.program, *arch));
            std::iter::once((&plan.program, *arch)).chain(reference)
        });
        let mut compiled = self.compiler.compile_all(&programs.collect::<Vec<_>>()).into_iter();
        let mut next = || {
            compiled.next().map_or_else(|| Err("it was not compiled".to_owned()), |one| one.map_err(|error| error.to_string()))
        };
        let mut ready = Vec::new();
        for (point, planned) in points.iter().zip(&planned) {
            ready.push(planned.clone().and_then(|(plan, _)| {
                let own: Result<Arc<Compiled>, String> = next();
                let reference = plan.reference.is_some().then(&mut next).transpose();
                let (own, reference) = (own?, reference?);
                Ok(self.kernel(point, plan, (&own, reference.as_deref()), timeout(point)))
            }));
        }
        ready
    }

    /// A planned point with its machine code and that of its reference.
    pub fn kernel(
        &self,
        point: &KernelPoint,
        plan: KernelPlan,
        (own, reference): (&Compiled, Option<&Compiled>),
        timeout: Duration,
    ) -> cuda::KernelPoint {
        let machine_code = cuda::fingerprint(&own.code, &plan.launch, &plan.arguments);
        let bytes = |compiled: &Compiled| Bytes(compiled.cubin.clone());
        let timing = Timing { cache: point.cache, locked_mhz: self.locked_mhz };
        let job = Job { cubin: bytes(own), reference_cubin: reference.map(bytes), plan, timing };
        let (benchmark, config) = (point.benchmark.clone(), point.config.clone());
        cuda::KernelPoint { benchmark, config, job: Arc::new(job), machine_code, timeout }
    }

    /// The compiler that makes code for it.
    pub fn compiler(&self) -> &Compiler {
        &self.compiler
    }

    /// What expressions of a manifest may ask of it.
    pub fn properties(&self) -> DeviceProperties {
        let properties = &self.opened.properties;
        DeviceProperties {
            sm_count: properties.sm_count,
            max_threads_per_block: properties.max_threads_per_block,
            shared_bytes_per_block: properties.shared_bytes_per_block,
            l2_bytes: properties.l2_bytes,
            warp_size: properties.warp_size,
        }
    }

    /// What a kernel is compiled for here.
    pub fn arch(&self, manifest: &Manifest) -> Arch {
        manifest.arch_on(self.opened.properties.compute_capability)
    }

    /// A point with every expression evaluated for this device.
    pub fn plan(&self, point: &KernelPoint) -> Result<(KernelPlan, Arch), String> {
        let (device, arch) = (self.properties(), self.arch(&point.manifest));
        let request = PlanRequest { config: &point.config, tunables: &point.tunables, arch, device: Some(&device) };
        point.manifest.plan(&request).map(|plan| (plan, arch)).map_err(|error| error.to_string())
    }
}

fn worker_options(program: PathBuf, arguments: Vec<String>, interrupt: &Interrupt) -> WorkerOptions {
    WorkerOptions { program, arguments, device: DEVICE, interrupt: interrupt.clone() }
}

/// How kernels are sampled where the settings say nothing: launches are short and quiet, so many are taken.
pub fn usual_sampling() -> SamplingOptions {
    SamplingOptions {
        warmup: Warmup::Time(Duration::from_millis(300)),
        min_runs: 100,
        max_runs: 10_000,
        min_time: Duration::from_millis(300),
        max_time: Duration::from_secs(10),
        precision_percent: 0.2,
        stop: StopRule::Interval,
    }
}

/// How often, and on what terms, kernels are measured.
pub struct Schedule<'a> {
    /// Separate runs.
    pub runs: u32,
    /// A limit above that of the settings.
    pub max_time: Option<Duration>,
    /// Whether the device's clocks are locked, and to what.
    pub lock: Option<ClockWish>,
    /// Who may want to stop.
    pub interrupt: &'a Interrupt,
}

/// Measures kernels on this computer's GPU, where it has one.
pub fn measure(
    points: &[KernelPoint],
    schedule: &Schedule<'_>,
    unchanged: Option<&mut Unchanged<'_>>,
    recorder: &mut Recorder<'_>,
    workspace: &Workspace,
    context: &mut Context,
) -> Result<GpuResults, CommandError> {
    let mut results = GpuResults::default();
    if points.is_empty() {
        return Ok(results);
    }
    let gpu = match Gpu::open(workspace, schedule.lock, schedule.interrupt, context) {
        Ok(gpu) => gpu,
        Err(NoGpu::Absent(why)) => {
            results.notices.push(Notice::new("no_gpu", format!("kernels were compiled, and not timed: {why}")));
            return Ok(results);
        }
        Err(NoGpu::Broken(_)) if schedule.interrupt.is_requested() => {
            results.interrupted = true;
            return Ok(results);
        }
        Err(NoGpu::Broken(why)) => {
            results.failures.push(format!("kernels were not timed: {why}"));
            return Ok(results);
        }
    };
    let testbed = gpu.testbed(workspace)?;
    results.notices.extend(gpu.notices.iter().cloned());
    let benchmark = |point: &KernelPoint| workspace.settings.benchmark(&point.benchmark);
    let timeout = |point: &KernelPoint| benchmark(point).and_then(|benchmark| benchmark.timeout);
    let ready = gpu.ready(points, &|point| timeout(point).unwrap_or(cuda::KernelPoint::DEFAULT_TIMEOUT));
    let mut planned = Vec::new();
    for (point, ready) in points.iter().zip(ready) {
        let given = benchmark(point).map(|benchmark| workspace.settings.sampling_for(benchmark)).unwrap_or_default();
        let mut sampling = points::sampling(given, usual_sampling());
        if let Some(limit) = schedule.max_time {
            (sampling.max_time, sampling.min_time) = (limit, sampling.min_time.min(limit));
        }
        match ready {
            Ok(kernel) => planned.push((kernel, sampling)),
            Err(why) => results.failures.push(format!("{}: {why}", points::point_name(&point.benchmark, &point.config))),
        }
    }
    if let Some(unchanged) = unchanged {
        planned.retain(|(kernel, _)| !unchanged.skips_kernel(kernel, testbed.key()));
    }
    results.testbed = Some(testbed.clone());
    run((&gpu, &testbed), &planned, schedule, &mut results, recorder, context);
    Ok(results)
}

fn run(
    (gpu, testbed): (&Gpu, &Testbed),
    planned: &[(cuda::KernelPoint, SamplingOptions)],
    schedule: &Schedule<'_>,
    results: &mut GpuResults,
    recorder: &mut Recorder<'_>,
    context: &mut Context,
) {
    let clock = MonotonicClock::new();
    let mut executor = gpu.executor(Execution::Shot);
    let mut line = ProgressLine::new(planned.len() as u64 * u64::from(schedule.runs), context.terminal.progress);
    for _ in 0..schedule.runs {
        let began = (context.clock)();
        recorder.begin(testbed.clone(), began, recording::own_name());
        let mut measured = Vec::new();
        for (point, sampling) in planned {
            let mut progress = ShownProgress::new(&mut line, context.err);
            let before = measured.len();
            match run_benchmark(point, &mut executor, sampling, &clock, &mut progress) {
                Ok(measurements) => measured.extend(measurements),
                Err(failure) if matches!(failure.error, ExecutionError::Interrupted) => break,
                Err(failure) => results.failures.push(failure.to_string()),
            }
            for remark in std::mem::take(&mut progress.remarks) {
                let notice = Notice::new("kernel_remark", remark);
                if !results.notices.contains(&notice) {
                    results.notices.push(notice);
                }
            }
            recorder.add(measured.get(before..).unwrap_or_default(), context);
            if recorder.has_moved() {
                break;
            }
        }
        results.runs.push((began, measured));
        results.interrupted = schedule.interrupt.is_requested();
        if results.interrupted || recorder.has_moved() {
            break;
        }
    }
    line.finish();
}
