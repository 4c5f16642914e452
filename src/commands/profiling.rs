//! One point under Nsight Compute: builds and prepares it as `bench` does, runs its command under the profiler once,
//! cleans up, and keeps the counters and the report.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::context::Context;
use super::error::{CommandError, During};
use super::kernels::KernelPoint;
use super::points::point_name;
use super::profiling_kernels::{self, LAUNCHER, ReadyKernels, WARM_UP_LAUNCHES};
use super::recording::{self, PointProfile, RunFacts};
use super::workspace::Workspace;
use crate::cuda;
use crate::harness::{CommandSpec, ExecutionError, Executor, Interrupt, Point, ProcessExecutor};
use crate::model::{BenchmarkName, Config, ObjectId, ReportFile, Testbed};
use crate::ncu::{Ncu, NcuError, Permission, Places, ProfileRequest, Surroundings, largest_kernels};
use crate::report::words::SHORT_ID;
use crate::settings::LaunchSelection;
use crate::store::Store;

/// Kernels of one command that are kept, those that took the most time.
const MOST_KERNELS: usize = 8;

/// A larger report is left where it is, but not read for its hash.
const LARGEST_HASHED_BYTES: u64 = 1 << 30;

/// Longest file name of a report without its ending, in bytes.
const LONGEST_NAME: usize = 120;

/// What flags say about profiling; what is absent comes from the settings.
#[derive(Debug, Clone, Default)]
pub struct ProfileOptions {
    /// Which launches.
    pub launches: LaunchSelection,
    /// The set of sections.
    pub set: Option<String>,
    /// Further arguments for the profiler.
    pub extra: Vec<String>,
    /// The most that one point may take.
    pub timeout: Option<Duration>,
    /// Where reports go.
    pub folder: Option<PathBuf>,
}

/// A point that could not be profiled.
#[derive(Debug)]
pub struct ProfileFailure {
    /// Which point.
    pub name: String,
    /// Why.
    pub cause: FailureCause,
}

/// Why a point could not be profiled.
#[derive(Debug, thiserror::Error)]
pub enum FailureCause {
    /// Its build, preparation or cleanup.
    #[error(transparent)]
    Command(#[from] ExecutionError),
    /// The profiler.
    #[error(transparent)]
    Profiler(#[from] NcuError),
    /// A kernel that could not be compiled for the GPU, or no GPU.
    #[error("{0}")]
    Kernel(String),
    /// The folder or file of the report.
    #[error("cannot keep the report in {}: {source}", path.display())]
    Report {
        /// Where.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl FailureCause {
    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Profiler(error) => error.hint(),
            Self::Command(_) | Self::Kernel(_) | Self::Report { .. } => None,
        }
    }

    /// Whether every other point will fail for the same reason.
    pub fn is_about_everything(&self) -> bool {
        matches!(
            self,
            Self::Profiler(NcuError::NotPermitted | NcuError::NotSupported(_) | NcuError::Interrupted)
                | Self::Command(ExecutionError::Interrupted)
        )
    }

    /// Whether the user stopped it.
    pub fn is_interruption(&self) -> bool {
        matches!(self, Self::Profiler(NcuError::Interrupted) | Self::Command(ExecutionError::Interrupted))
    }
}

/// Profiles points of one checkout.
pub struct Profiler<'a> {
    workspace: &'a Workspace,
    ncu: Ncu,
    version: Option<String>,
    permission: Permission,
    interrupt: Interrupt,
    executor: ProcessExecutor,
    folder: PathBuf,
    program: Option<PathBuf>,
}

impl<'a> Profiler<'a> {
    /// Finds Nsight Compute. Reports of `head` go to a folder of its own below the git folder, or where flags say.
    ///
    /// # Errors
    /// There is no Nsight Compute, or signals cannot be caught.
    pub fn new(
        workspace: &'a Workspace,
        head: ObjectId,
        options: &ProfileOptions,
        context: &Context,
    ) -> Result<Self, CommandError> {
        let ncu = Ncu::find(&places(&workspace.store, context))?;
        let interrupt = Interrupt::on_ctrl_c().during("cannot start profiling")?;
        let version = ncu.version(&interrupt);
        let usual = || workspace.store.common_dir().join("ratchet").join("profiles").join(head.short(SHORT_ID));
        let given = options.folder.as_ref().map(|folder| context.dir.as_ref().map_or(folder.clone(), |dir| dir.join(folder)));
        Ok(Self {
            workspace,
            ncu,
            version,
            permission: Permission::read(Path::new("/")),
            executor: ProcessExecutor::new(interrupt.clone()),
            interrupt,
            folder: std::path::absolute(given.unwrap_or_else(usual))?,
            program: context.program.clone(),
        })
    }

    /// Profiles one point: one profile for each kernel that was profiled.
    pub fn profile(&mut self, point: &Point, options: &ProfileOptions) -> Result<Vec<PointProfile>, ProfileFailure> {
        let failed = |cause| ProfileFailure { name: point_name(&point.benchmark, &point.config), cause };
        let prepared = self.executor.prepare(point).map_err(FailureCause::from);
        let profiled = prepared.and_then(|_| self.run(point, options));
        let finished = self.executor.finish().map_err(FailureCause::from);
        let profiles = profiled.map_err(failed)?;
        finished.map_err(failed)?;
        Ok(profiles)
    }

    /// Profiles one launch of a kernel after some others.
    pub fn profile_kernel(
        &self,
        kernel: &cuda::KernelPoint,
        options: &ProfileOptions,
    ) -> Result<Vec<PointProfile>, ProfileFailure> {
        let failed = |cause| ProfileFailure { name: point_name(&kernel.benchmark, &kernel.config), cause };
        let usual = LaunchSelection {
            kernel: Some(format!("^{}$", kernel.job.plan.program.entry)),
            launch_skip: Some(WARM_UP_LAUNCHES),
            launch_count: Some(1),
        };
        let options = ProfileOptions { launches: options.launches.clone().or(&usual), ..options.clone() };
        // As many as the profiler passes and then counts.
        let wanted = [options.launches.launch_skip, options.launches.launch_count];
        let launches = wanted.into_iter().flatten().fold(0, u32::saturating_add);
        let launcher = Launcher::new(kernel, launches, self.program.as_deref()).map_err(failed)?;
        self.run(&launcher.point(kernel), &options).map_err(failed)
    }

    fn run(&self, point: &Point, options: &ProfileOptions) -> Result<Vec<PointProfile>, FailureCause> {
        let report = self.folder.join(format!("{}.ncu-rep", file_stem(&point.benchmark, &point.config)));
        let not_kept = |source| FailureCause::Report { path: report.clone(), source };
        std::fs::create_dir_all(&self.folder).map_err(not_kept)?;
        let request = self.request(point, options, report.clone());
        let surroundings = Surroundings { interrupt: &self.interrupt, permission: self.permission };
        let profiled = self.ncu.profile(&request, surroundings)?;
        let file = self.report_file(&report).map_err(not_kept)?;
        let profile = |counted| PointProfile {
            benchmark: point.benchmark.clone(),
            config: point.config.clone(),
            counted,
            report: file.clone(),
        };
        Ok(largest_kernels(profiled.kernels, MOST_KERNELS).into_iter().map(profile).collect())
    }

    fn request(&self, point: &Point, options: &ProfileOptions, report: PathBuf) -> ProfileRequest {
        let settings = &self.workspace.settings;
        let of_benchmark = settings.benchmark(&point.benchmark).map(|benchmark| benchmark.profile.clone());
        let launches = options.launches.clone().or(&of_benchmark.unwrap_or_default());
        let set = options.set.clone().or_else(|| settings.profile.set.clone());
        ProfileRequest {
            command: words(&point.command),
            directory: point.directory.clone(),
            environment: point.environment.clone(),
            kernel: launches.kernel,
            launch_skip: launches.launch_skip.unwrap_or(0),
            launch_count: launches.launch_count.unwrap_or(1),
            set: set.unwrap_or_else(|| ProfileRequest::DEFAULT_SET.to_owned()),
            extra: options.extra.clone(),
            report,
            timeout: options.timeout.or(settings.profile.timeout).unwrap_or(ProfileRequest::DEFAULT_TIMEOUT),
        }
    }

    /// Path, hash and size of a report that was made. The path says nothing about where a home is.
    fn report_file(&self, path: &Path) -> std::io::Result<Option<ReportFile>> {
        let bytes = std::fs::metadata(path)?.len();
        if bytes > LARGEST_HASHED_BYTES {
            return Ok(None);
        }
        let content = std::fs::read(path)?;
        let blob = self.workspace.store.blob_id(&content).map_err(std::io::Error::other)?;
        Ok(Some(ReportFile { path: self.told_path(path), blob, bytes }))
    }

    fn told_path(&self, path: &Path) -> String {
        let store = &self.workspace.store;
        let inside = |root: &Path| path.strip_prefix(std::path::absolute(root).ok()?).ok().map(Path::to_owned);
        let from_root = store.work_dir().and_then(inside);
        let from_git = || inside(store.common_dir()).map(|rest| Path::new(".git").join(rest));
        let bare = || PathBuf::from(path.file_name().unwrap_or_default());
        from_root.or_else(from_git).unwrap_or_else(bare).to_string_lossy().into_owned()
    }

    /// Kernels, planned and compiled for the profiler.
    pub fn ready(&self, points: &[KernelPoint], context: &Context) -> ReadyKernels {
        profiling_kernels::ready(points, self.workspace, &self.interrupt, context)
    }

    /// What belongs to the run of profiles of commands.
    pub fn facts(&self, commit: ObjectId, dirty: bool, context: &Context) -> Result<RunFacts, CommandError> {
        let here = recording::this_testbed(self.workspace.settings.testbed.as_deref())?;
        self.facts_on(&here, (commit, dirty), context)
    }

    /// What belongs to the run of profiles on a testbed.
    pub fn facts_on(
        &self,
        here: &Testbed,
        (commit, dirty): (ObjectId, bool),
        context: &Context,
    ) -> Result<RunFacts, CommandError> {
        let mut facts = here.facts.clone();
        facts.extend(self.version.iter().map(|version| ("ncu".to_owned(), version.clone())));
        let testbed = Testbed::new(here.key(), facts)?;
        Ok(RunFacts { commit, dirty, testbed, tool: recording::own_name(), time: (context.clock)() })
    }
}

/// A kernel in a file of its own, and the command that launches it.
struct Launcher {
    file: tempfile::NamedTempFile,
    program: PathBuf,
    launches: u32,
}

impl Launcher {
    fn new(kernel: &cuda::KernelPoint, launches: u32, program: Option<&Path>) -> Result<Self, FailureCause> {
        let program = program.ok_or_else(|| FailureCause::Kernel("this program does not know where it lies".to_owned()))?;
        let not_written = |error: &dyn std::fmt::Display| FailureCause::Kernel(format!("cannot hand the kernel over: {error}"));
        let file = tempfile::NamedTempFile::new().map_err(|error| not_written(&error))?;
        serde_json::to_writer(file.as_file(), &*kernel.job).map_err(|error| not_written(&error))?;
        Ok(Self { file, program: program.to_owned(), launches })
    }

    /// The command as a point, which the profiler takes.
    fn point(&self, kernel: &cuda::KernelPoint) -> Point {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let launches = self.launches.to_string();
        let [command, flag] = LAUNCHER;
        let words =
            [text(&self.program), command.to_owned(), flag.to_owned(), text(self.file.path()), "--launches".to_owned(), launches];
        Point {
            benchmark: kernel.benchmark.clone(),
            config: kernel.config.clone(),
            command: CommandSpec::Argv(words.into()),
            build: None,
            prepare: None,
            cleanup: None,
            directory: self.file.path().parent().unwrap_or(Path::new("/")).to_owned(),
            environment: Vec::new(),
            timeout: Point::DEFAULT_TIMEOUT,
            metrics: Vec::new(),
            results: None,
        }
    }
}

impl From<NcuError> for CommandError {
    fn from(error: NcuError) -> Self {
        let hint = error.hint();
        let failure = Self::failure(error);
        match hint {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }
}

/// Where this clone and this environment let Nsight Compute be looked for.
pub fn places(store: &Store, context: &Context) -> Places {
    let toolkits = ["CUDA_HOME", "CUDA_PATH"].iter().filter_map(|name| context.env(name)).map(PathBuf::from);
    Places {
        configured: store.git_setting("ratchet.ncu").map(PathBuf::from),
        path: context.env("PATH").map(str::to_owned),
        toolkits: toolkits.collect(),
        root: PathBuf::from("/"),
    }
}

/// The words that run a command, without a shell around them where there is none.
fn words(command: &CommandSpec) -> Vec<String> {
    match command {
        CommandSpec::Argv(words) => words.clone(),
        CommandSpec::Shell(line) => ["sh", "-c", line].map(str::to_owned).into(),
    }
}

/// `attention_training_512` where the config has a name, `attention_B-32_H-8` where it has none: letters, digits and a few
/// signs only. What had to be changed or cut gets a hash, so that two points never share a file.
fn file_stem(benchmark: &BenchmarkName, config: &Config) -> String {
    let mut wanted = benchmark.to_string();
    match config.get("config") {
        Some(name) if config.iter().count() == 1 => {
            let _ = write!(wanted, "_{name}");
        }
        _ => config.iter().for_each(|(key, value)| {
            let _ = write!(wanted, "_{key}-{value}");
        }),
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let plain: String = wanted.chars().map(|c| if fits(c) { c } else { '-' }).take(LONGEST_NAME).collect();
    let plain = plain.trim_start_matches(['.', '-']).to_owned();
    if plain == wanted { plain } else { format!("{plain}_{:08x}", fnv(wanted.as_bytes())) }
}

/// FNV-1a: tells names apart, and needs to do no more.
fn fnv(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stem(benchmark: &str, config: &str) -> String {
        file_stem(&BenchmarkName::new(benchmark).unwrap(), &config.parse().unwrap())
    }

    #[test]
    fn reports_are_named_after_their_point() {
        assert_eq!(stem("flash", "config=training_512"), "flash_training_512");
        assert_eq!(stem("flash", "B=32 H=8 dtype=f16"), "flash_B-32_H-8_dtype-f16");
        assert_eq!(stem("flash", ""), "flash");
    }

    #[test]
    fn strange_names_stay_inside_the_folder_and_apart() {
        let names = ["../../etc/passwd", "a/b", "a:b", "a b", ".", &"x".repeat(300), "été"];
        let stems: std::collections::BTreeSet<String> = names.iter().map(|name| stem(name, "")).collect();
        assert_eq!(stems.len(), names.len());
        assert!(stems.iter().all(|stem| !stem.contains('/') && !stem.starts_with('.') && stem.len() < 160), "{stems:?}");
        assert_ne!(stem("a", "b=c"), stem("a_b-c", "x=/"));
    }
}
