//! How whole commands scale with history, beside what plain git takes on the same repository in the same run.
//!
//! `cargo bench --bench scale -- --commits 2000,20000 --records 10 --runs 5`; `--every 20` measures every 20th commit only,
//! and `--keep DIR` makes the repositories there once and uses them again.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic, reason = "a benchmark prints, and ends by panicking")]
#![allow(clippy::disallowed_methods, reason = "it measures processes")]

#[path = "../examples/generate_repository/repository.rs"]
#[allow(dead_code, reason = "the single notes are not used")]
mod repository;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What is measured: a name, what makes the state that it begins from, and the line itself.
struct Measure {
    name: &'static str,
    before: &'static str,
    line: &'static str,
}

/// The least that reading every note costs git: the commits, and the content of all notes. Nobody who reads all notes
/// for the first time can do with less.
const REFERENCE: &str = "git rev-list, and git cat-file --batch of every note";

const FORGET: &str = "rm -rf .git/ratchet";

/// A commit with other content, and all ten generated series measured on it.
const NEXT: &str = r#"echo "$$ $(date +%s%N)" > code && git commit -qam next &&
for kernel in 0 1 2 3 4; do for n in 1024 2048; do
    "$ratchet" record --benchmark kernel$kernel --config N=$n --metric time=9.9ms --testbed generated
done; done"#;

const MEASURES: &[Measure] = &[
    Measure { name: "process start: git ratchet --version", before: "", line: "\"$ratchet\" --version" },
    Measure { name: "git rev-parse HEAD", before: "", line: "git rev-parse HEAD" },
    Measure { name: "git rev-list --count HEAD", before: "", line: "git rev-list --count HEAD" },
    Measure {
        name: REFERENCE,
        before: "",
        line: "git rev-list --count HEAD; git cat-file --batch --unordered < .git/blobs-oldest-first",
    },
    Measure { name: "git ratchet check, nothing kept", before: FORGET, line: "\"$ratchet\" check --json" },
    Measure { name: "git ratchet check, kept", before: "", line: "\"$ratchet\" check --json" },
    Measure { name: "git ratchet check, a new commit and note", before: NEXT, line: "\"$ratchet\" check --json" },
    Measure {
        name: "git ratchet record, one result",
        before: "",
        line: "\"$ratchet\" record --benchmark kernel0 --config N=1024 --metric time=9.9ms --testbed generated",
    },
    Measure {
        name: "git ratchet record, 10,000 results",
        before: "git commit -q --allow-empty -m many",
        line: "\"$ratchet\" record --testbed generated .git/ten-thousand.json",
    },
    Measure { name: "git ratchet log --json", before: "", line: "\"$ratchet\" log --json" },
    Measure { name: "git notes list", before: "", line: "git notes --ref=ratchet list" },
    Measure { name: "git log --notes", before: "", line: "git log --notes=ratchet --format=%N" },
];

/// What was asked for on the command line.
struct Arguments {
    commits: Vec<u64>,
    records: u64,
    every: u64,
    runs: usize,
    keep: Option<PathBuf>,
}

impl Arguments {
    /// Unknown words, such as cargo's own `--bench`, are passed over.
    fn parse() -> Self {
        let words: Vec<String> = std::env::args().collect();
        let value = |flag: &str| words.iter().position(|word| word == flag).and_then(|at| words.get(at + 1)).cloned();
        let numbers = |text: String| text.split(',').map(|number| number.parse().unwrap()).collect();
        let number = |flag: &str, usual: u64| value(flag).map_or(usual, |text| text.parse().unwrap());
        Self {
            commits: value("--commits").map_or_else(|| vec![2_000, 20_000], numbers),
            records: number("--records", 10),
            every: number("--every", 1),
            runs: number("--runs", 5) as usize,
            keep: value("--keep").map(PathBuf::from),
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
    for commits in &arguments.commits {
        let temporary = tempfile::tempdir().unwrap();
        let folder = arguments.keep.as_deref().unwrap_or(temporary.path());
        let dir = folder.join(format!("{commits}x{}every{}", arguments.records, arguments.every));
        let began = Instant::now();
        if !dir.exists() {
            let plan = repository::Plan { commits: *commits, records: arguments.records, every: arguments.every };
            repository::generate(&dir, plan).unwrap();
        }
        prepare(&dir);
        let of_every = if arguments.every == 1 { String::new() } else { format!(" on every {}th", arguments.every) };
        println!(
            "\n{commits} commits x {} records{of_every} (made in {:.1} s)\n",
            arguments.records,
            began.elapsed().as_secs_f64()
        );
        let measured: Vec<_> = MEASURES.iter().map(|measure| (measure.name, median(measure, &dir, arguments.runs))).collect();
        report(&measured);
    }
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

fn report(measured: &[(&str, Cost)]) {
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    let reference = measured.iter().find(|(name, _)| *name == REFERENCE).map_or(1.0, |(_, cost)| milliseconds(cost.wall));
    println!("| command | median ms | processor ms | peak MiB | x of reading all |\n|---|---:|---:|---:|---:|");
    for (name, cost) in measured {
        let (wall, processor, peak) = (milliseconds(cost.wall), milliseconds(cost.processor), cost.peak_bytes >> 20);
        println!("| {name} | {wall:.1} | {processor:.1} | {peak} | {:.2} |", wall / reference);
    }
}

/// The median cost of a shell line, started as a whole process each time after one run that warms the caches.
fn median(measure: &Measure, dir: &Path, runs: usize) -> Cost {
    let once = || {
        if !measure.before.is_empty() {
            run(measure.before, dir);
        }
        run(measure.line, dir)
    };
    once();
    let costs: Vec<Cost> = (0..runs).map(|_| once()).collect();
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
    let ended = command.spawn().unwrap().wait4().unwrap();
    let wall = began.elapsed();
    // A check may find a regression or be undecided; 4 means that it did not work.
    assert!(ended.status.code().is_some_and(|code| code < 4 && code != 2), "{line}: {}", ended.status);
    Cost { wall, processor: ended.rusage.utime + ended.rusage.stime, peak_bytes: ended.rusage.maxrss }
}
