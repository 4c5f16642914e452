//! How whole commands scale with history, beside what plain git and git-perf take on the same measurements in the same run.
//!
//! `cargo bench --bench scale -- --sizes 2000x10,20000x10,20000x1000/20 --runs 5`: commits x records, and `/20` measures every
//! 20th commit only. `--keep DIR` makes the repositories there once and uses them again; `--git-perf PROGRAM` says where
//! git-perf is (`cargo install git-perf`), whose rows are left out where it is not found. With `--runs 0` it
//! prints what all of it takes on disk.
//!
//! Processor time is that of all threads and children. It is what is compared: on a computer that does other things as
//! well, waiting times say little.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic, reason = "a benchmark prints, and ends by panicking")]
#![allow(clippy::disallowed_methods, reason = "it measures processes")]

mod git_perf;
#[path = "../../examples/generate_repository/repository.rs"]
#[allow(dead_code, reason = "the single notes are not used")]
mod repository;
mod sizes;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use git_perf::{GitPerf, Kept};

/// What is measured: a name, what makes the state that it begins from, the line itself, and whom it is held against.
struct Measure {
    name: &'static str,
    before: &'static str,
    line: String,
    floor: Option<&'static str>,
    peer: Option<&'static str>,
}

impl Measure {
    fn new(name: &'static str, line: impl Into<String>) -> Self {
        Self { name, before: "", line: line.into(), floor: None, peer: None }
    }

    fn after(self, before: &'static str) -> Self {
        Self { before, ..self }
    }

    fn beside(self, floor: &'static str, peer: &'static str) -> Self {
        Self { floor: Some(floor), peer: Some(peer), ..self }
    }
}

/// The least that a git command can take.
const START: &str = "git rev-parse HEAD";

/// The least that reading every note costs git: the commits, and the content of all notes. Nobody who reads all notes
/// for the first time can do with less.
const READ_ALL: &str = "git rev-list --count HEAD; git cat-file --batch of every note";

const APPEND: &str = "git notes append";

const FORGET: &str = "rm -rf .git/ratchet";

/// A commit with other content, and all ten generated series measured on it.
const NEXT: &str = r#"echo "$$ $(date +%s%N)" > code && git commit -qam next &&
for kernel in 0 1 2 3 4; do for n in 1024 2048; do
    "$ratchet" record --benchmark kernel$kernel --config N=$n --metric time=9.9ms --testbed generated
done; done"#;

fn measures() -> Vec<Measure> {
    let check = r#""$ratchet" check --json"#;
    let one = r#""$ratchet" record --benchmark kernel0 --config N=1024 --metric time=9.9ms --testbed generated"#;
    vec![
        Measure::new(START, START),
        Measure::new("git rev-list --count HEAD", "git rev-list --count HEAD"),
        Measure::new(READ_ALL, "git rev-list --count HEAD; git cat-file --batch --unordered < .git/blobs-oldest-first"),
        Measure::new(APPEND, "git notes --ref=scratch append -m line HEAD"),
        Measure::new("git ratchet --version: a process starts", r#""$ratchet" --version"#),
        Measure::new("git ratchet check, nothing kept", check).after(FORGET).beside(READ_ALL, git_perf::AUDIT),
        Measure::new("git ratchet check, kept", check).beside(START, git_perf::AUDIT),
        Measure::new("git ratchet check, a new commit and note", check).after(NEXT).beside(START, git_perf::AUDIT),
        Measure::new("git ratchet record, one result", one).beside(APPEND, git_perf::ADD),
        Measure::new("git ratchet record, 10,000 results", r#""$ratchet" record --testbed generated .git/ten-thousand.json"#)
            .after("git commit -q --allow-empty -m many"),
    ]
}

/// One repository: commits, records of each measured one, and how many commits there are to one that is measured.
#[derive(Clone, Copy)]
struct Size {
    commits: u64,
    records: u64,
    every: u64,
}

impl Size {
    fn parse(text: &str) -> Self {
        let (commits, rest) = text.split_once('x').unwrap_or((text, "10"));
        let (records, every) = rest.split_once('/').unwrap_or((rest, "1"));
        Self { commits: commits.parse().unwrap(), records: records.parse().unwrap(), every: every.parse().unwrap() }
    }

    fn words(&self) -> String {
        let Self { commits, records, every } = self;
        let of_every = if *every == 1 { String::new() } else { format!(" on every {every}th") };
        format!("{commits} commits, {records} records{of_every}")
    }
}

/// What was asked for on the command line.
struct Arguments {
    sizes: Vec<Size>,
    runs: usize,
    keep: Option<PathBuf>,
    git_perf: PathBuf,
}

impl Arguments {
    /// Unknown words, such as cargo's own `--bench`, are passed over.
    fn parse() -> Self {
        let words: Vec<String> = std::env::args().collect();
        let value = |flag: &str| words.iter().position(|word| word == flag).and_then(|at| words.get(at + 1)).cloned();
        let sizes = value("--sizes").unwrap_or_else(|| "2000x10,20000x10".into());
        Self {
            sizes: sizes.split(',').map(Size::parse).collect(),
            runs: value("--runs").map_or(5, |text| text.parse().unwrap()),
            keep: value("--keep").map(PathBuf::from),
            git_perf: value("--git-perf").unwrap_or_else(|| "git-perf".into()).into(),
        }
    }
}

/// What a process took.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    processor: Duration,
    peak_bytes: u64,
}

fn main() {
    let arguments = Arguments::parse();
    let peer = GitPerf::find(&arguments.git_perf);
    if peer.is_none() {
        println!("SKIPPED git-perf: {} cannot be started", arguments.git_perf.display());
    }
    for size in &arguments.sizes {
        let temporary = tempfile::tempdir().unwrap();
        let folder = arguments.keep.as_deref().unwrap_or(temporary.path());
        let made = folder.join(format!("{}x{}every{}", size.commits, size.records, size.every));
        if !made.exists() {
            let plan = repository::Plan { commits: size.commits, records: size.records, every: size.every };
            repository::generate(&made, plan).unwrap();
            prepare(&made);
        }
        println!("\n### {}\n", size.words());
        match arguments.runs {
            0 => sizes::report(&made, *size).unwrap(),
            runs => report(&costs(*size, runs, &made, temporary.path(), peer.as_ref())),
        }
    }
}

fn costs(size: Size, runs: usize, made: &Path, temporary: &Path, peer: Option<&GitPerf>) -> Vec<(Cost, Measure)> {
    let dir = copy(made, &temporary.join("ours"));
    let measure = |measure: Measure| (median(&measure, &dir, runs), measure);
    let mut measured: Vec<_> = measures().into_iter().map(measure).collect();
    if let Some(peer) = peer {
        let dir = copy(&git_perf::repository(made, size, Kept::Medians).unwrap(), &temporary.join("theirs"));
        let measure = |measure: Measure| (median(&measure, &dir, runs), measure);
        measured.extend(peer.measures(size).into_iter().map(measure));
    }
    measured
}

/// What is measured adds commits and notes, so it happens in a copy.
fn copy(from: &Path, to: &Path) -> PathBuf {
    run(&format!("cp -a '{}' '{}'", from.display(), to.display()), Path::new("."));
    to.to_owned()
}

/// The ids of all note blobs in the order that suits a pack best, and a file of many results.
fn prepare(dir: &Path) {
    let mut results = String::from("[");
    for number in 0..10_000 {
        let comma = if number == 0 { "" } else { "," };
        results += &format!("{comma}{{\"name\": \"many{number}\", \"unit\": \"ns\", \"value\": {}}}", 1000 + number);
    }
    std::fs::write(dir.join(".git/ten-thousand.json"), results + "]").unwrap();
    let join = "git notes --ref=ratchet list | awk 'NR==FNR { blob[$2] = $1; next } $1 in blob { print blob[$1] }' - .git/commits > .git/blobs-oldest-first";
    run(&format!("git rev-list --reverse HEAD > .git/commits; {join}"), dir);
}

fn report(measured: &[(Cost, Measure)]) {
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    let processor_of = |name: &str| {
        let (cost, _) = measured.iter().find(|(_, measure)| measure.name == name)?;
        Some(milliseconds(cost.processor))
    };
    println!("| command | waited ms | processor ms | peak MiB | x git | x git-perf |\n|---|---:|---:|---:|---:|---:|");
    for (cost, measure) in measured {
        let (wall, processor, peak) = (milliseconds(cost.wall), milliseconds(cost.processor), cost.peak_bytes >> 20);
        let ratio = |name: Option<&str>| name.and_then(processor_of).map_or(String::new(), |other| ratio(processor / other));
        let (floor, peer) = (ratio(measure.floor), ratio(measure.peer));
        println!("| {} | {wall:.1} | {processor:.1} | {peak} | {floor} | {peer} |", measure.name);
    }
}

/// Two digits that mean something, for the large and the small.
fn ratio(ratio: f64) -> String {
    if ratio < 0.1 { format!("1/{:.0}", 1.0 / ratio) } else { format!("{ratio:.1}") }
}

/// The median cost of a shell line, started as a whole process each time after one run that warms the caches.
fn median(measure: &Measure, dir: &Path, runs: usize) -> Cost {
    let once = || {
        if !measure.before.is_empty() {
            run(measure.before, dir);
        }
        run(&measure.line, dir)
    };
    let first = once();
    // What takes minutes needs no warming, and once is enough.
    let costs: Vec<Cost> = if first.wall > Duration::from_secs(60) { vec![first] } else { (0..runs).map(|_| once()).collect() };
    let middle = |time: fn(&Cost) -> Duration| {
        let mut times: Vec<Duration> = costs.iter().map(time).collect();
        times.sort();
        times[times.len() / 2]
    };
    let peak_bytes = costs.iter().map(|cost| cost.peak_bytes).max().unwrap_or(0);
    Cost { wall: middle(|cost| cost.wall), processor: middle(|cost| cost.processor), peak_bytes }
}

fn run(line: &str, dir: &Path) -> Cost {
    use wait4::Wait4;
    let began = Instant::now();
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(dir).stdout(Stdio::null()).env("ratchet", env!("CARGO_BIN_EXE_git-ratchet"));
    let ended = command.stderr(Stdio::null()).spawn().unwrap().wait4().unwrap();
    let wall = began.elapsed();
    // A check may find a regression or be undecided; 4 means that it did not work.
    assert!(ended.status.code().is_some_and(|code| code < 4 && code != 2), "{line}: {}", ended.status);
    Cost { wall, processor: ended.rusage.utime + ended.rusage.stime, peak_bytes: ended.rusage.maxrss }
}
