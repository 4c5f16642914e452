//! What `bench` is to measure: what was asked for of the settings, less what earlier commits have measured of the same content.

use std::path::Path;
use std::time::Duration;

use crate::cli::{BenchArgs, CacheArg};
use crate::commands::away::Part;
use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::kernels::{self, KernelPoint};
use crate::commands::points::{self, PlannedPoint};
use crate::commands::recorder::State;
use crate::commands::suites;
use crate::commands::unchanged::Unchanged;
use crate::commands::workspace::Workspace;
use crate::cuda;
use crate::exit::Exit;
use crate::model::{Config, Quantity, Unit};
use crate::report::check_text::write_notice;
use crate::report::{Notice, escape};
use crate::settings::Suite;

/// What earlier commits measured, where it may stand for HEAD.
pub(super) fn unchanged<'a>(
    arguments: &BenchArgs,
    state: &State,
    workspace: &'a Workspace,
    context: &mut Context,
) -> Result<Option<Unchanged<'a>>, CommandError> {
    if arguments.if_changed && state.dirty {
        let notice = Notice::new("dirty", "tracked files differ from HEAD: everything is measured, in spite of --if-changed");
        write_notice(context.err, &notice, context.terminal.color)?;
        return Ok(None);
    }
    arguments.if_changed.then(|| Unchanged::gather(workspace, state.head)).transpose()
}

/// The points of commands whose content was not measured before.
pub(super) fn changed(
    points: Vec<PlannedPoint>,
    unchanged: &mut Unchanged<'_>,
    workspace: &Workspace,
) -> Result<Vec<PlannedPoint>, CommandError> {
    let mut changed = Vec::new();
    for planned in points {
        let skipped = match workspace.settings.benchmark(&planned.point.benchmark) {
            Some(benchmark) => unchanged.skips_command(benchmark, &planned.point.config)?,
            None => false,
        };
        if !skipped {
            changed.push(planned);
        }
    }
    Ok(changed)
}

/// The suites whose content was not measured before.
pub(super) fn changed_suites<'a>(suites: Vec<&'a Suite>, unchanged: &mut Unchanged<'_>) -> Result<Vec<&'a Suite>, CommandError> {
    let mut changed = Vec::new();
    for suite in suites {
        if !unchanged.skips_suite(suite)? {
            changed.push(suite);
        }
    }
    Ok(changed)
}

/// What is to be measured.
pub(super) struct Planned<'a> {
    pub(super) commands: Vec<PlannedPoint>,
    pub(super) suites: Vec<&'a Suite>,
    pub(super) kernels: Vec<KernelPoint>,
}

impl Planned<'_> {
    /// The benchmarks and suites of each of so many jobs; nothing where one job does everything.
    pub(super) fn parts(&self, jobs: Option<u32>) -> Vec<Part> {
        let Some(jobs) = jobs.filter(|jobs| *jobs > 1) else { return Vec::new() };
        let commands = self.commands.iter().map(|planned| &planned.point.benchmark);
        let kernels = self.kernels.iter().map(|kernel| &kernel.benchmark);
        let mut names: Vec<&str> = Vec::new();
        for name in commands.chain(kernels).chain(self.suites.iter().map(|suite| &suite.name)) {
            if !names.contains(&name.as_str()) {
                names.push(name.as_str());
            }
        }
        let jobs = names.len().min(jobs as usize);
        let of_job = |job: usize| names.iter().skip(job).step_by(jobs).map(|name| (*name).to_owned()).collect();
        (0..jobs).map(|job| Part { commits: None, names: of_job(job) }).collect()
    }
}

/// What is asked for, of the files at `root`.
pub(super) fn plan<'a>(arguments: &BenchArgs, workspace: &'a Workspace, root: &Path) -> Result<Planned<'a>, CommandError> {
    if workspace.settings.benchmarks.is_empty() && workspace.settings.suites.is_empty() {
        let why = if workspace.has_settings {
            "ratchet.toml names no [[benchmark]] and no [[suite]]"
        } else {
            "there is no ratchet.toml"
        };
        return Err(CommandError::usage(format!("nothing to run: {why}"))
            .with_hint("git ratchet init writes one to fill in; results of other tools are recorded with git ratchet record"));
    }
    let filter: Config = arguments.config.as_deref().unwrap_or_default().parse()?;
    let mut planned = points::plan(&workspace.settings, root, &arguments.names, &filter)?;
    let kernels = kernel_points(arguments, workspace, root, &filter)?;
    let mut suites = suites::plan(&workspace.settings, &arguments.names, &filter)?;
    if arguments.compile_only {
        planned.clear();
        suites.clear();
    }
    if planned.is_empty() && kernels.is_empty() && suites.is_empty() {
        return Err(nothing_left(arguments, &filter));
    }
    if let Some(limit) = arguments.max_time.as_deref().map(max_time).transpose()? {
        planned.iter_mut().for_each(|point| {
            point.sampling.max_time = limit;
            point.sampling.min_time = point.sampling.min_time.min(limit);
        });
    }
    Ok(Planned { commands: planned, suites, kernels })
}

fn kernel_points(
    arguments: &BenchArgs,
    workspace: &Workspace,
    root: &Path,
    filter: &Config,
) -> Result<Vec<KernelPoint>, CommandError> {
    let asked = kernels::archs(&arguments.archs)?;
    let read = cuda::work_tree(root);
    let mut found = Vec::new();
    for benchmark in workspace.settings.benchmarks.iter().filter(|known| points::is_wanted(&known.name, &arguments.names)) {
        if let Some(kernel) = &benchmark.kernel {
            found.extend(kernels::points(benchmark, kernel, &read, filter, &asked)?);
        }
    }
    if let Some(cache) = arguments.cache {
        let cache = match cache {
            CacheArg::Cold => cuda::Cache::Cold,
            CacheArg::Hot => cuda::Cache::Hot,
        };
        found.iter_mut().for_each(|point| point.cache = cache);
    }
    Ok(found)
}

fn nothing_left(arguments: &BenchArgs, filter: &Config) -> CommandError {
    if arguments.compile_only {
        return CommandError::usage("there is no kernel to compile among these benchmarks")
            .with_hint("a kernel is a [[benchmark]] with kernel = \"kernels/NAME.toml\": docs/cuda.md");
    }
    CommandError::usage(format!("no benchmark has a config with {filter}")).with_hint("git ratchet bench --list shows them all")
}

/// The time of `--max-time`.
pub(super) fn max_time(text: &str) -> Result<Duration, CommandError> {
    let quantity: Quantity = text.parse()?;
    let seconds =
        Duration::try_from_secs_f64(quantity.value).ok().filter(|time| !time.is_zero() && quantity.unit == Unit::SECOND);
    seconds.ok_or_else(|| CommandError::usage(format!("--max-time {text} is no time; it looks like 10s")))
}

/// Shows what is planned and runs nothing.
pub(super) fn list(planned: &Planned<'_>, arguments: &BenchArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let commands = planned.commands.iter().map(|planned| (&planned.point.benchmark, &planned.point.config));
    let kernels = planned.kernels.iter().map(|point| (&point.benchmark, &point.config));
    let all = commands.chain(kernels);
    if arguments.json {
        let points = all.map(|(benchmark, config)| {
            serde_json::json!({ "benchmark": benchmark.as_str(), "config": crate::report::series_json::config(config) })
        });
        let suites: Vec<&str> = planned.suites.iter().map(|suite| suite.name.as_str()).collect();
        let object = serde_json::json!({ "version": 1, "points": points.collect::<Vec<_>>(), "suites": suites });
        writeln!(context.out, "{object}")?;
        return Ok(Exit::Holds);
    }
    for (benchmark, config) in all {
        writeln!(context.out, "{}", escape::terminal(&points::point_name(benchmark, config)))?;
    }
    for suite in &planned.suites {
        writeln!(context.out, "{} (a suite: its results name its benchmarks)", escape::terminal(suite.name.as_str()))?;
    }
    Ok(Exit::Holds)
}
