//! How whole commands scale with history, beside what plain git takes on the same repository in the same run.
//!
//! `cargo bench --bench scale -- --commits 2000,20000 --records 10 --runs 5`

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic, reason = "a benchmark prints, and ends by panicking")]
#![allow(clippy::disallowed_methods, reason = "it measures processes")]

#[path = "../examples/generate_repository/repository.rs"]
#[allow(dead_code, reason = "the single notes are not used")]
mod repository;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What is measured against: reading every note blob is what no reader of all notes can avoid.
const REFERENCE: &str = "git notes list | git cat-file --batch";

const COMMANDS: &[(&str, &str)] = &[
    ("git ratchet check", "\"$ratchet\" check --json"),
    ("git ratchet record", "\"$ratchet\" record --benchmark kernel0 --config N=1024 --metric time=9.9ms --testbed generated"),
    ("git ratchet log", "\"$ratchet\" log --json"),
    ("git ratchet log --benchmark kernel0", "\"$ratchet\" log --benchmark kernel0"),
    ("git notes list", "git notes --ref=ratchet list"),
    ("git rev-list --count HEAD", "git rev-list --count HEAD"),
    ("git log --notes=ratchet --format=%N", "git log --notes=ratchet --format=%N"),
    (REFERENCE, "git notes --ref=ratchet list | cut -d' ' -f1 | git cat-file --batch"),
];

/// What was asked for on the command line.
struct Arguments {
    commits: Vec<u64>,
    records: u64,
    runs: usize,
}

impl Arguments {
    /// Unknown words, such as cargo's own `--bench`, are passed over.
    fn parse() -> Self {
        let words: Vec<String> = std::env::args().collect();
        let value = |flag: &str| words.iter().position(|word| word == flag).and_then(|at| words.get(at + 1)).cloned();
        let numbers = |text: String| text.split(',').map(|number| number.parse().unwrap()).collect();
        Self {
            commits: value("--commits").map_or_else(|| vec![2_000, 20_000], numbers),
            records: value("--records").map_or(10, |text| text.parse().unwrap()),
            runs: value("--runs").map_or(5, |text| text.parse().unwrap()),
        }
    }
}

fn main() {
    let arguments = Arguments::parse();
    for commits in &arguments.commits {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("repository");
        let began = Instant::now();
        repository::generate(&dir, repository::Plan { commits: *commits, records: arguments.records }).unwrap();
        println!("\n{commits} commits x {} records (made in {:.1} s)\n", arguments.records, began.elapsed().as_secs_f64());
        report(&COMMANDS.iter().map(|(name, line)| (*name, median(line, &dir, arguments.runs))).collect::<Vec<_>>());
    }
}

fn report(measured: &[(&str, Duration)]) {
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    let reference = measured.iter().find(|(name, _)| *name == REFERENCE).map_or(1.0, |(_, time)| milliseconds(*time));
    println!("| command | median ms | x of reading all blobs |\n|---|---:|---:|");
    for (name, time) in measured {
        println!("| `{}` | {:.1} | {:.2} |", name.replace('|', "\\|"), milliseconds(*time), milliseconds(*time) / reference);
    }
}

/// The median time of a shell line, started as a whole process each time after one run that warms the caches.
fn median(line: &str, dir: &Path, runs: usize) -> Duration {
    run(line, dir);
    let mut times: Vec<Duration> = (0..runs).map(|_| run(line, dir)).collect();
    times.sort();
    times[times.len() / 2]
}

fn run(line: &str, dir: &Path) -> Duration {
    let began = Instant::now();
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(dir).stdout(Stdio::null()).env("ratchet", env!("CARGO_BIN_EXE_git-ratchet"));
    let ended = command.status().unwrap();
    let time = began.elapsed();
    // A check may find a regression or be undecided; 4 means that it did not work.
    assert!(ended.code().is_some_and(|code| code < 4 && code != 2), "{line}: {ended}");
    time
}
