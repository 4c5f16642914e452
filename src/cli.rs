//! The command line as types. The doc comments of this file are the help texts; there is no behaviour here.

mod kernels;
mod prune;
mod report;
mod tune;

use std::path::PathBuf;

pub use kernels::{KernelWorkerArgs, ProfileArgs, RooflineArgs};
pub use prune::PruneArgs;
pub use report::{ExplainArgs, ExplainFormat, ReportArgs, ReportFormat};
pub use tune::{StrategyArg, TuneArgs};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Keep a repository from getting slower.
///
/// Benchmark results attach to commits as git notes (refs/notes/ratchet). The baseline is the best level that the
/// history has ever held, computed by walking that history: there is no baseline file to commit or edit.
///
/// Exit codes: 0 it holds; 1 regression; 2 usage error; 3 no verdict (not measured, undecided); 4 failure.
#[derive(Debug, Parser)]
#[command(name = "git-ratchet", bin_name = "git ratchet", version, propagate_version = false, max_term_width = 100)]
pub struct Cli {
    /// Run as if started in this folder.
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub dir: Option<PathBuf>,
    /// When to colour the output.
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN", global = true)]
    pub color: Color,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The verbs.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "the doc comments of the arguments are the help texts of the verbs")]
pub enum Command {
    Init(InitArgs),
    Bench(BenchArgs),
    Record(RecordArgs),
    Check(CheckArgs),
    Compare(CompareArgs),
    Profile(ProfileArgs),
    Tune(TuneArgs),
    Roofline(RooflineArgs),
    Log(LogArgs),
    Show(ShowArgs),
    Explain(ExplainArgs),
    Report(ReportArgs),
    Excuse(ExcuseArgs),
    /// Fetch the notes of a remote and unite them with the notes here.
    ///
    /// Line by line: nothing that stands here is ever overwritten or removed.
    Fetch(ExchangeArgs),
    /// Send the notes to a remote, without force.
    ///
    /// Fetches and unites first, and tries again when others push at the same moment. Nothing at the remote is ever
    /// overwritten.
    Push(ExchangeArgs),
    Prune(PruneArgs),
    Hook(HookArgs),
    Doctor(DoctorArgs),
    Demo(DemoArgs),
    Completions(CompletionsArgs),
    InstallManPages(InstallManPagesArgs),
    #[command(hide = true)]
    KernelWorker(KernelWorkerArgs),
}

/// Write a ratchet.toml and set this repository up to exchange notes.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Replace an existing ratchet.toml.
    #[arg(long)]
    pub force: bool,
    /// Do not add the refspec that lets plain `git fetch` bring the notes of the remote.
    #[arg(long)]
    pub no_refspec: bool,
}

/// Exchange of notes with a remote.
#[derive(Debug, Args)]
pub struct ExchangeArgs {
    /// The remote. Default: git config ratchet.remote, the current branch's remote, origin, or the only one.
    #[arg(value_name = "REMOTE")]
    pub remote: Option<String>,
    /// Fetch to the tracking ref and say what would happen; neither the notes here nor those of the remote change.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Hold what is pushed against its history, before it is pushed.
#[derive(Debug, Args)]
pub struct HookArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: HookCommand,
}

/// What to do with the hook.
#[derive(Debug, Subcommand)]
pub enum HookCommand {
    /// Install the pre-push hook. A hook that is there already is kept and runs first.
    Install,
    /// Remove the pre-push hook and put back what was there before.
    Uninstall,
    /// Say whether the hook is installed, and where.
    Status,
    /// What the installed hook calls: reads the pushed refs from standard input.
    #[command(hide = true)]
    Run {
        /// The hook's name.
        #[arg(value_parser = ["pre-push"])]
        hook: String,
        /// The remote's name, or its URL where it has no name.
        remote: String,
        /// The remote's URL.
        url: String,
    },
}

/// Run the benchmarks of ratchet.toml and record their results on HEAD.
///
/// Runs commands from ratchet.toml, and compiles its kernels. A benchmark that fails is reported and the others still run;
/// the exit code is then 4.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Only these benchmarks.
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Only points whose config has these parameters, such as 'N=1000'.
    #[arg(long, value_name = "PARAMS")]
    pub config: Option<String>,
    /// Make this many separate runs (runs tell more than samples).
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub runs: u32,
    /// Measure and show, record nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// List the benchmarks and their points, run nothing.
    #[arg(long, conflicts_with = "dry_run")]
    pub list: bool,
    /// Skip what an earlier commit has measured here of the same content, and inherit its results: kernels with the same
    /// machine code, launch and arguments, commands whose `inputs` and settings are the same.
    #[arg(long)]
    pub if_changed: bool,
    /// Only compile kernels and record what the compiler says of them: registers, spills, instructions, occupancy. Needs no
    /// GPU.
    #[arg(long)]
    pub compile_only: bool,
    /// Compile kernels for these architectures, such as sm_80,sm_90a, in place of those in ratchet.toml.
    #[arg(long = "arch", value_name = "ARCH", value_delimiter = ',')]
    pub archs: Vec<String>,
    /// Stop sampling a point after this time, such as 10s.
    #[arg(long, value_name = "TIME")]
    pub max_time: Option<String>,
    /// Lock the GPU's clock while kernels are measured: to this many MHz, or (base) to what it holds at its power limit.
    /// It is restored however the program ends. Takes root.
    #[arg(long, value_name = "MHZ", num_args = 0..=1, require_equals = true, default_missing_value = "base")]
    pub lock_clocks: Option<String>,
    /// What the GPU's second-level cache holds before a kernel is launched: other data, or what the launch before left. In
    /// place of `cache` in ratchet.toml; cold where neither says.
    #[arg(long, value_enum, value_name = "STATE")]
    pub cache: Option<CacheArg>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// What a cache holds before a launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CacheArg {
    /// Other data.
    Cold,
    /// What the launch before left.
    Hot,
}

/// Record results that something else measured.
///
/// Reads result files of other tools (the format is found from their content), standard input (`-`), or values given
/// on the command line:
///
///   git ratchet record --benchmark attention --config 'B=32 H=8' --metric time=12.3ms
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// Result files, criterion's target folder, or `-` for standard input.
    #[arg(value_name = "FILE", conflicts_with = "metrics", required_unless_present = "metrics")]
    pub files: Vec<PathBuf>,
    /// The benchmark that the values of --metric belong to.
    #[arg(long, value_name = "NAME", requires = "metrics")]
    pub benchmark: Option<String>,
    /// Its parameters, such as 'B=32 H=8'.
    #[arg(long, value_name = "PARAMS", requires = "metrics", default_value = "")]
    pub config: String,
    /// A measured value with its unit, such as time=12.3ms; repeat it, or separate by commas, for several samples.
    #[arg(long = "metric", value_name = "NAME=VALUE", requires = "benchmark")]
    pub metrics: Vec<String>,
    /// Which way a metric without a telling unit or name gets better.
    #[arg(long, value_name = "lower|higher")]
    pub better: Option<String>,
    /// The values are free of noise (instruction counts, bytes): compare them exactly.
    #[arg(long, requires = "metrics")]
    pub exact: bool,
    /// Read the files as this format instead of finding it from their content.
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// The commit that was measured.
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    pub commit: String,
    /// Where it was measured: results are compared only within one testbed. Default: this computer, or what the file says.
    #[arg(long, value_name = "LABEL")]
    pub testbed: Option<String>,
    /// Mark the results as measured on changed files: they are shown, never a baseline.
    #[arg(long)]
    pub dirty: bool,
    /// Show what would be recorded, write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Which series a command looks at.
#[derive(Debug, Args, Clone, Default)]
pub struct SeriesArgs {
    /// Only this benchmark (repeatable).
    #[arg(long = "benchmark", value_name = "NAME")]
    pub benchmarks: Vec<String>,
    /// Only points whose config has these parameters, such as 'B=32 H=8'.
    #[arg(long, value_name = "PARAMS")]
    pub config: Option<String>,
    /// Only this metric (repeatable).
    #[arg(long = "metric", value_name = "NAME")]
    pub metrics: Vec<String>,
    /// Only this testbed.
    #[arg(long, value_name = "KEY")]
    pub testbed: Option<String>,
}

/// How history is walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HistoryArg {
    /// What the branch really held: first parents only.
    FirstParent,
    /// Every ancestor.
    All,
}

/// How the output is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum CheckFormat {
    /// A table for people.
    #[default]
    Text,
    /// One JSON object (docs/check.schema.json).
    Json,
    /// A table for a pull request.
    Markdown,
    /// Annotations and summary of GitHub Actions.
    Github,
    /// A JUnit test report, as GitLab and Gitea read it.
    Junit,
}

/// Hold a commit against the best level of its history.
///
/// Executes nothing, unless --confirm (or the setting `confirm`) asks to measure suspicious series again: then it runs
/// their commands from the checked commit's ratchet.toml, in temporary worktrees; or unless --profile asks for profiles:
/// then it runs their commands in the work tree, under Nsight Compute. Exit code 0: it holds; 1: regression; 3: no verdict
/// (the commit was not measured, or the evidence does not decide).
#[derive(Debug, Args, Default)]
pub struct CheckArgs {
    /// The commit to check.
    #[arg(value_name = "REV", default_value = "HEAD")]
    pub rev: String,
    /// Compare with the history of this revision.
    #[arg(long, value_name = "REV")]
    pub against: Option<String>,
    /// What to compare with: `level` (the best level of the history), `best-run` (its luckiest run), or a revision.
    #[arg(long, value_name = "RULE")]
    pub baseline: Option<String>,
    /// Which commits count as history.
    #[arg(long, value_enum, value_name = "WALK")]
    pub history: Option<HistoryArg>,
    /// Which series.
    #[command(flatten)]
    pub series: SeriesArgs,
    /// Regression threshold in percent, for every series.
    #[arg(long, value_name = "PERCENT")]
    pub regression: Option<f64>,
    /// Improvement threshold in percent, for every series.
    #[arg(long, value_name = "PERCENT")]
    pub improvement: Option<f64>,
    /// Let weak evidence fail the check instead of being undecided.
    #[arg(long)]
    pub strict: bool,
    /// Measure suspicious series again, in turn with commits of the baseline, before calling them a regression. Runs
    /// the commands of their benchmarks, and records what it measures.
    #[arg(long, overrides_with = "no_confirm")]
    pub confirm: bool,
    /// Run nothing, whatever the settings say.
    #[arg(long, overrides_with = "confirm")]
    pub no_confirm: bool,
    /// Do not record what a confirmation measures.
    #[arg(long)]
    pub no_record: bool,
    /// Exit with 3 where there is no baseline to compare with.
    #[arg(long)]
    pub require_baseline: bool,
    /// Profile what lost or gained much (beyond 3 % and 10 %, unless the settings say otherwise) with Nsight Compute and record the counters.
    /// Runs the commands of these benchmarks. The verdict does not depend on it.
    #[arg(long)]
    pub profile: bool,
    /// Write the points that are worth a profile to FILE as JSON, for git ratchet profile --targets.
    #[arg(long, value_name = "FILE")]
    pub profile_targets: Option<PathBuf>,
    /// Read thresholds and required benchmarks from the base revision's ratchet.toml, so that a change cannot loosen
    /// the gate that judges it.
    #[arg(long)]
    pub policy_from_base: bool,
    /// How to write the result.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = CheckFormat::Text)]
    pub format: CheckFormat,
    /// The same as --format json.
    #[arg(long)]
    pub json: bool,
    /// Write the same result to a file, too, such as json=verdict.json (repeatable).
    #[arg(long = "write", value_name = "FORMAT=FILE")]
    pub files: Vec<String>,
    /// Exit codes for `git bisect run`: 125 instead of 3, 128 instead of 2 and 4.
    #[arg(long)]
    pub bisect: bool,
    /// Show every series and the reasons behind each verdict.
    #[arg(short, long)]
    pub verbose: bool,
}

/// Compare two revisions, or two result files, with full statistics and without a verdict.
///
/// Where both sides have several runs their medians are compared, else the values within one run of each; --live measures
/// both now, in turn. Differences end with exit code 0.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The revision or result file to compare with.
    #[arg(value_name = "BEFORE")]
    pub before: String,
    /// The revision or result file that is compared.
    #[arg(value_name = "AFTER", default_value = "HEAD")]
    pub after: String,
    /// Which series.
    #[command(flatten)]
    pub series: SeriesArgs,
    /// Measure both revisions now, in temporary worktrees. Runs the commands of AFTER's ratchet.toml, records nothing.
    #[arg(long)]
    pub live: bool,
    /// How many pairs --live measures of each point.
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub pairs: u32,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Show series along history, with their best levels marked.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// The newest commit to show.
    #[arg(value_name = "REV", default_value = "HEAD")]
    pub rev: String,
    /// Which series.
    #[command(flatten)]
    pub series: SeriesArgs,
    /// Which commits count as history.
    #[arg(long, value_enum, value_name = "WALK")]
    pub history: Option<HistoryArg>,
    /// Show at most this many measured commits of a series.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    pub max_count: usize,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    pub json: bool,
}

/// Show all records of one commit.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The commit.
    #[arg(value_name = "REV", default_value = "HEAD")]
    pub rev: String,
    /// Which series.
    #[command(flatten)]
    pub series: SeriesArgs,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Accept a regression, with a reason.
///
/// From the excused commit on, older and better levels no longer bind the series. The excuse is a note like the
/// records; every report shows its author and reason.
#[derive(Debug, Args)]
pub struct ExcuseArgs {
    /// The benchmark; all benchmarks where none is named.
    #[arg(value_name = "BENCHMARK")]
    pub benchmark: Option<String>,
    /// Only points whose config has these parameters.
    #[arg(long, value_name = "PARAMS", default_value = "")]
    pub config: String,
    /// Only this metric.
    #[arg(long, value_name = "NAME")]
    pub metric: Option<String>,
    /// Only this testbed.
    #[arg(long, value_name = "KEY")]
    pub testbed: Option<String>,
    /// Why the loss is accepted.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Accept it only up to this value, such as 12.5ms.
    #[arg(long, value_name = "VALUE")]
    pub until: Option<String>,
    /// Accept it only until this day (YYYY-MM-DD).
    #[arg(long, value_name = "DATE")]
    pub expires: Option<String>,
    /// The commit to excuse.
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    pub commit: String,
}

/// Say what is missing here: git, notes, history, identity, settings.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Run the whole loop in a throw-away repository, measured for real.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Keep the repository and print where it is.
    #[arg(long)]
    pub keep: bool,
    /// The measured program of the demo: multiplies matrices by the plan in this file.
    #[arg(long, hide = true, value_name = "FILE")]
    pub work: Option<PathBuf>,
}

/// Print a completion script for a shell.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Write the man pages, so that `git ratchet --help` and `git help ratchet` work.
#[derive(Debug, Args)]
pub struct InstallManPagesArgs {
    /// A folder of man pages: `man1` is made inside it, such as ~/.local/share/man.
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}
