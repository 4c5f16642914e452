//! `doctor`: what is missing here, and the command that mends it.

use serde_json::json;

use super::context::Context;
use super::error::CommandError;
use super::kernels;
use super::unchanged::globs;
use super::workspace::Workspace;
use super::{history, profiling};
use crate::cli::DoctorArgs;
use crate::cuda::{Compiler, CompilerMissing, CudaDevice, DeviceError};
use crate::exit::Exit;
use crate::model::Testbed;
use crate::ncu::{Ncu, NcuError, Permission};
use crate::report::escape;
use crate::report::number::count;
use crate::report::table::{Tone, paint};
use crate::report::words;
use crate::settings::Settings;
use crate::store::{AllowedSigners, BaseRequest, KeptWorktrees, Store, Trust};

/// Runs the command: 0 where everything is fine or could be better, 4 where something is broken.
pub fn run(arguments: &DoctorArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let findings = examine(context);
    if arguments.json {
        let list: Vec<_> = findings
            .iter()
            .map(|finding| json!({ "about": finding.about, "state": finding.state.word(), "message": finding.message, "hint": finding.hint }))
            .collect();
        writeln!(context.out, "{}", json!({ "version": 1, "findings": list }))?;
    } else {
        for finding in &findings {
            write(finding, context)?;
        }
    }
    Ok(if findings.iter().any(|finding| finding.state == State::Broken) { Exit::Failure } else { Exit::Holds })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Fine,
    Improvable,
    Broken,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Improvable => "warning",
            Self::Broken => "error",
        }
    }

    fn tone(self) -> Tone {
        match self {
            Self::Fine => Tone::Good,
            Self::Improvable => Tone::Warn,
            Self::Broken => Tone::Bad,
        }
    }
}

struct Finding {
    about: &'static str,
    state: State,
    message: String,
    hint: Option<String>,
}

impl Finding {
    fn fine(about: &'static str, message: impl Into<String>) -> Self {
        Self { about, state: State::Fine, message: message.into(), hint: None }
    }

    fn improvable(about: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { about, state: State::Improvable, message: message.into(), hint: Some(hint.into()) }
    }

    fn broken(about: &'static str, message: impl Into<String>) -> Self {
        Self { about, state: State::Broken, message: message.into(), hint: None }
    }
}

fn write(finding: &Finding, context: &mut Context) -> Result<(), CommandError> {
    let state = paint(&format!("{:<7}", finding.state.word()), finding.state.tone(), context.terminal.color);
    writeln!(context.out, "{state} {:<10} {}", finding.about, escape::terminal(&finding.message))?;
    if let Some(hint) = &finding.hint {
        writeln!(context.out, "{:19}{}", "", escape::terminal(hint))?;
    }
    Ok(())
}

fn examine(context: &Context) -> Vec<Finding> {
    let workspace = match Workspace::open(context) {
        Ok(workspace) => workspace,
        Err(error) => return vec![Finding::broken("repository", error.message)],
    };
    let store = &workspace.store;
    let mut findings = vec![Finding::fine("repository", store.git_dir().display().to_string())];
    findings.push(settings(&workspace));
    findings.push(identity(store));
    findings.push(head(store));
    findings.push(base(&workspace));
    findings.push(depth(store));
    findings.extend(notes(store));
    findings.extend(trust(store));
    match super::recording::this_testbed(workspace.settings.testbed.as_deref()) {
        Ok(here) => findings.extend(testbed(&here)),
        Err(error) => findings.push(Finding::broken("testbed", error.message)),
    }
    findings.extend(worktrees(&workspace));
    findings.extend(places(&workspace.settings, context));
    findings.push(compiler(&workspace, context));
    findings.push(gpu());
    findings.extend(profiler(store, context));
    findings
}

/// What is kept for the next confirmation, where something is or may be.
fn worktrees(workspace: &Workspace) -> Option<Finding> {
    const ABOUT: &str = "worktrees";
    let KeptWorktrees { count: number, bytes } = workspace.store.kept_worktrees();
    let most = workspace.settings.keep_worktrees;
    let what = format!("{} kept with builds, {} MiB", count(number, "worktree"), bytes.div_ceil(1 << 20));
    match (number, most) {
        (0, 0) => None,
        (_, 0) => {
            Some(Finding::improvable(ABOUT, format!("{what}, and no ratchet.keepWorktrees"), "git ratchet prune --worktrees"))
        }
        _ => Some(Finding::fine(
            ABOUT,
            format!("{what} (ratchet.keepWorktrees {most}; git ratchet prune --worktrees removes them)"),
        )),
    }
}

/// Where `--on` runs things, where somebody named a place.
fn places(settings: &Settings, context: &Context) -> Option<Finding> {
    const ABOUT: &str = "places";
    let names: Vec<&str> = settings.fleet.keys().map(String::as_str).collect();
    let has_srun = context.env("PATH").is_some_and(|path| std::env::split_paths(path).any(|dir| dir.join("srun").is_file()));
    let what = words::a_few(&names);
    match (names.is_empty(), has_srun) {
        (true, _) => None,
        (false, true) => Some(Finding::fine(ABOUT, format!("{what} (jobs of Slurm, by --on NAME)"))),
        (false, false) => {
            let message = format!("{what}, but there is no srun here, which --on needs");
            Some(Finding::improvable(ABOUT, message, "run it where Slurm is installed, such as the cluster's login node"))
        }
    }
}

/// Whether a benchmark is a kernel decides how much a missing part of CUDA matters.
fn compiler(workspace: &Workspace, context: &Context) -> Finding {
    const ABOUT: &str = "NVRTC";
    let has_kernels = workspace.settings.benchmarks.iter().any(|benchmark| benchmark.kernel.is_some());
    match kernels::compiler(workspace, context) {
        Ok(compiler) if !compiler.has_headers() => Finding::improvable(
            ABOUT,
            format!("{} without CUDA's headers: #include <cuda_fp16.h> will fail", compiler.library().display()),
            "pip install nvidia-cuda-runtime nvidia-cuda-crt nvidia-cuda-cccl beside it",
        ),
        Ok(compiler) => {
            let driver = CudaDevice::count().ok().filter(|(devices, _)| *devices > 0);
            if let Some(why) = driver.and_then(|(_, version)| compiler.too_new_for(version)) {
                return Finding::improvable(ABOUT, why, Compiler::OLDER_HINT);
            }
            let (major, minor) = compiler.version();
            let newest = compiler.archs().last().map_or(String::new(), |arch| format!(", up to {arch}"));
            Finding::fine(ABOUT, format!("{major}.{minor}{newest} ({})", compiler.library().display()))
        }
        Err(missing) if has_kernels => Finding::improvable(ABOUT, missing.to_string(), CompilerMissing::HINT),
        Err(missing) => Finding::fine(ABOUT, format!("{missing}; no benchmark here is a kernel")),
    }
}

fn gpu() -> Finding {
    const ABOUT: &str = "GPU";
    match CudaDevice::count() {
        Ok((0, _)) => Finding::fine(ABOUT, "the driver knows none: kernels are compiled, and not timed"),
        Ok((devices, version)) => {
            let version = format!("{}.{}", version / 1000, version % 1000 / 10);
            Finding::fine(ABOUT, format!("{}, driver for CUDA {version}", count(devices as usize, "GPU")))
        }
        Err(DeviceError::NoDriver) => Finding::fine(ABOUT, "no NVIDIA driver: kernels are compiled, and not timed"),
        Err(error) => Finding::improvable(ABOUT, error.to_string(), "kernels are compiled, and not timed, until it works"),
    }
}

/// Nsight Compute and the permission it needs. Where there is neither a driver nor the profiler nobody misses it.
fn profiler(store: &Store, context: &Context) -> Option<Finding> {
    const ABOUT: &str = "profiler";
    let permission = Permission::read(std::path::Path::new("/"));
    match Ncu::find(&profiling::places(store, context)) {
        Ok(ncu) if permission == Permission::Refused && !ncu.is_configured => {
            let error = NcuError::NotPermitted;
            Some(Finding::improvable(ABOUT, error.to_string(), error.hint().unwrap_or_default()))
        }
        Ok(ncu) => Some(Finding::fine(ABOUT, ncu.path.display().to_string())),
        Err(NcuError::NotFound) if permission == Permission::Unknown => None,
        Err(error) => Some(Finding::improvable(ABOUT, error.to_string(), error.hint().unwrap_or_default())),
    }
}

fn settings(workspace: &Workspace) -> Finding {
    if !workspace.has_settings {
        return Finding::improvable(
            "settings",
            "there is no ratchet.toml: git ratchet bench has nothing to run",
            "git ratchet init",
        );
    }
    let Settings { benchmarks, suites, .. } = &workspace.settings;
    if let Some(error) = suites.iter().find_map(|suite| super::suites::format_of(suite).err()) {
        return Finding::broken("settings", error.message);
    }
    if let Some(unmatched) = unmatched_input(workspace) {
        return unmatched;
    }
    let suites = if suites.is_empty() { String::new() } else { format!(" and {}", count(suites.len(), "suite")) };
    Finding::fine("settings", format!("ratchet.toml names {}{suites}", count(benchmarks.len(), "benchmark")))
}

/// The first glob of `inputs` that names nothing: what it was meant for would change unseen.
fn unmatched_input(workspace: &Workspace) -> Option<Finding> {
    let Settings { benchmarks, suites, .. } = &workspace.settings;
    let of_benchmarks = benchmarks.iter().map(|benchmark| (benchmark.name.as_str(), &benchmark.inputs));
    let of_suites = suites.iter().map(|suite| (suite.name.as_str(), &suite.inputs));
    let mut all = of_benchmarks.chain(of_suites).flat_map(|(name, inputs)| inputs.iter().map(move |glob| (name, glob)));
    let files = workspace.store.files(workspace.store.resolve("HEAD").ok()?).ok()?;
    let (name, glob) = all.find(|(_, glob)| {
        let set = globs(std::slice::from_ref(glob));
        set.is_ok_and(|set| !files.iter().any(|(path, _)| set.is_match(path)))
    })?;
    let message =
        format!("no file of HEAD is `{glob}`, which {name} names among its inputs: --if-changed and bisect would miss changes");
    Some(Finding::improvable(
        "settings",
        message,
        "globs are matched from the root of the repository; src/** is everything below src",
    ))
}

fn identity(store: &Store) -> Finding {
    match store.author() {
        Ok(author) => Finding::fine("identity", author.to_string()),
        Err(error) => Finding::broken("identity", error.to_string()),
    }
}

fn head(store: &Store) -> Finding {
    match store.head() {
        Ok(commit) => Finding::fine("HEAD", commit.to_string()),
        Err(error) => Finding::broken("HEAD", error.to_string()),
    }
}

fn base(workspace: &Workspace) -> Finding {
    let request = BaseRequest { against: None, configured: workspace.settings.base.clone() };
    match workspace.store.base(&request) {
        Ok(base) => Finding::fine("base", format!("{} ({})", base.rev_name, base.commit)),
        Err(error) => Finding { state: State::Improvable, ..Finding::broken("base", error.to_string()) },
    }
}

fn depth(store: &Store) -> Finding {
    if store.is_shallow() {
        let notice = history::shallow_notice();
        return Finding::improvable("history", notice.message, notice.hint.unwrap_or_default());
    }
    if store.lacks_commit_graph().unwrap_or(false) {
        return Finding::improvable(
            "history",
            "complete, but more than a thousand commits are in no commit-graph file: walking them takes several times as long",
            "git commit-graph write --reachable, and git config fetch.writeCommitGraph true",
        );
    }
    Finding::fine("history", "complete")
}

fn notes(store: &Store) -> Vec<Finding> {
    let notes = match store.notes() {
        Ok(notes) => notes,
        Err(error) => return vec![Finding::broken("notes", error.to_string())],
    };
    if notes.exists() {
        let mut findings =
            vec![Finding::fine("notes", format!("{} with notes in {}", count(notes.len(), "commit"), store.notes_ref()))];
        findings.extend(unmerged(store));
        return findings;
    }
    match history::missing_notes(store) {
        Ok(Some(notice)) => vec![Finding::improvable("notes", notice.message, notice.hint.unwrap_or_default())],
        Ok(None) => Vec::new(),
        Err(error) => vec![Finding::broken("notes", error.message)],
    }
}

/// Notes that were fetched and do not count yet.
fn unmerged(store: &Store) -> Option<Finding> {
    match history::unmerged_notes(store) {
        Ok(notice) => notice.map(|notice| Finding::improvable("exchange", notice.message, notice.hint.unwrap_or_default())),
        Err(error) => Some(Finding::broken("exchange", error.message)),
    }
}

/// Who vouches for the notes, where somebody has to.
fn trust(store: &Store) -> Vec<Finding> {
    const ABOUT: &str = "trust";
    const ALLOW: &str = "git config gpg.ssh.allowedSignersFile ~/.config/git/allowed_signers (see docs/trust.md)";
    if store.trust() == Trust::Any {
        return Vec::new();
    }
    let mut findings = vec![match store.allowed_signers() {
        AllowedSigners::File(path) => {
            Finding::fine(ABOUT, format!("only what is signed counts; who may sign: {}", path.display()))
        }
        AllowedSigners::NotSet => Finding::improvable(
            ABOUT,
            "only what is signed counts, and git knows no allowed signers: no ssh signature is good",
            ALLOW,
        ),
        AllowedSigners::Missing(path) => Finding::improvable(
            ABOUT,
            format!("the allowed signers file {} cannot be read: no ssh signature is good", path.display()),
            ALLOW,
        ),
        AllowedSigners::InWorkTree(path) => Finding::improvable(
            ABOUT,
            format!("the allowed signers file {} is in the work tree: whoever changes it says who may sign", path.display()),
            ALLOW,
        ),
    }];
    findings.push(match store.vouchers() {
        Ok(found) if found.good == 0 => Finding::improvable(
            ABOUT,
            format!("of {} of notes commits none is good: nothing counts", count(found.signed, "signature")),
            "git ratchet record and bench sign from now on; docs/trust.md says how to vouch for what is there",
        ),
        Ok(found) => Finding::fine(ABOUT, format!("{} of {} signatures of notes commits are good", found.good, found.signed)),
        Err(error) => Finding::broken(ABOUT, error.to_string()),
    });
    if !store.names_signing_key() {
        findings.push(Finding::improvable(
            ABOUT,
            "git has no key to sign with: nothing can be recorded here",
            "git config user.signingKey ~/.ssh/id_ed25519.pub",
        ));
    }
    findings
}

/// Facts of this computer that make measurements noisy.
fn testbed(testbed: &Testbed) -> Vec<Finding> {
    let mut findings = vec![Finding::fine("testbed", testbed.key())];
    let fact = |name: &str| testbed.facts.get(name).map(String::as_str);
    if let Some(governor) = fact("governor").filter(|governor| *governor != "performance") {
        findings.push(Finding::improvable(
            "clock",
            format!("the frequency governor is {governor}: measurements drift with the clock"),
            "sudo cpupower frequency-set -g performance",
        ));
    }
    findings
}
