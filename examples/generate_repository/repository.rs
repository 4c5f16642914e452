//! Makes a repository with a long linear history and a note on every commit, as years of `git ratchet bench` would
//! leave it: by two streams of `git fast-import`, so that 20,000 commits take seconds.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use git_ratchet::codec::{Entry, union};
use git_ratchet::model::{Author, BenchmarkName, Config, LineId, Measurement, Metric, ObjectId, Record, Run, Summary, Testbed};

/// The testbed of every generated run.
pub const TESTBED: &str = "generated";

/// Samples of each record.
const SAMPLES: u64 = 20;

/// Seconds since 1970 of the first commit; the others follow an hour apart.
const FIRST_COMMIT_SECONDS: u64 = 1_700_000_000;

const SECONDS_BETWEEN: u64 = 3_600;

/// What to make.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How many commits.
    pub commits: u64,
    /// How many records each measured one carries.
    pub records: u64,
    /// One commit of so many is measured: 1 for all of them.
    pub every: u64,
}

/// Makes the repository in an empty or absent folder.
///
/// # Errors
/// git is missing or fails, or the disk does.
pub fn generate(dir: &Path, plan: Plan) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    git(dir, &["init", "-q", "-b", "main"])?;
    git(dir, &["config", "user.name", "Ada"])?;
    git(dir, &["config", "user.email", "ada@example.org"])?;
    fast_import(dir, |stream| (0..plan.commits).try_for_each(|number| write_commit(stream, number)))?;
    let listed = git(dir, &["log", "--reverse", "--format=%H %T", "main"])?;
    fast_import(dir, |stream| {
        let commits = listed.lines().filter_map(|line| line.split_once(' ')).zip(0_u64..);
        let mut measured = commits.into_iter().filter(|(_, number)| number % plan.every.max(1) == 0);
        measured.try_for_each(|((commit, tree), number)| write_note(stream, commit, tree, number, plan.records))
    })?;
    git(dir, &["repack", "-adq"])?;
    git(dir, &["commit-graph", "write", "--reachable"])?;
    git(dir, &["reset", "-q", "--hard"])?;
    Ok(())
}

fn write_commit(stream: &mut dyn Write, number: u64) -> io::Result<()> {
    let seconds = seconds_of(number);
    let (message, content) = (format!("change {number}"), format!("{number}\n"));
    write!(
        stream,
        "commit refs/heads/main\ncommitter Ada <ada@example.org> {seconds} +0000\ndata {}\n{message}\nM 100644 inline code\ndata {}\n{content}\n",
        message.len(),
        content.len()
    )
}

fn write_note(stream: &mut dyn Write, commit: &str, tree: &str, number: u64, records: u64) -> io::Result<()> {
    let note = note(commit, tree, number, records)?;
    let message = "a run";
    write!(
        stream,
        "commit refs/notes/ratchet\ncommitter Ada <ada@example.org> {} +0000\ndata {}\n{message}\nN inline {commit}\ndata {}\n",
        seconds_of(number),
        message.len(),
        note.len()
    )?;
    stream.write_all(&note)?;
    writeln!(stream)
}

pub fn seconds_of(number: u64) -> u64 {
    FIRST_COMMIT_SECONDS + number * SECONDS_BETWEEN
}

/// One run and its records, in the order of the codec.
///
/// # Errors
/// An id is not one.
pub fn note(commit: &str, tree: &str, number: u64, records: u64) -> io::Result<Vec<u8>> {
    // As in a real run: random bits once, then one id after the other.
    let random = u128::from(mixed(number)) << 16 | u128::from(mixed(!number) as u16);
    let id = |at: u64| LineId::from_parts(seconds_of(number) * 1000, random + u128::from(at));
    let run = Run {
        id: id(0),
        time: chrono::DateTime::from_timestamp(seconds_of(number) as i64, 0).unwrap_or_default(),
        author: Author { name: "Ada".into(), email: "ada@example.org".into() },
        tool: "git-ratchet 0.1.0".into(),
        commit: commit.parse::<ObjectId>().map_err(io::Error::other)?,
        tree: tree.parse::<ObjectId>().map_err(io::Error::other)?,
        dirty: false,
        session: None,
        testbed: Testbed::new(TESTBED, Default::default()).map_err(io::Error::other)?,
    };
    let mut lines = vec![Entry::Run(run).encode()];
    for at in 0..records {
        let measured = measurement(number, at).map_err(io::Error::other)?;
        lines.push(Entry::Record(Record::new(id(at + 1), id(0), measured)).encode());
    }
    Ok(union([lines.join("\n").as_bytes()]))
}

/// A time near ten milliseconds: noise of one percent, and every 500 commits a level two percent better.
///
/// # Errors
/// A name is none.
pub fn measurement(number: u64, at: u64) -> Result<Measurement, git_ratchet::model::InvalidValue> {
    let level = 0.01 * 0.98_f64.powi((number / 500) as i32);
    let values: Vec<f64> = (0..SAMPLES).map(|sample| level * (1.0 + 0.01 * noise(number, at, sample))).collect();
    let summary = git_ratchet::stats::summarize_measured(&values).unwrap_or(Summary::single(level));
    Ok(Measurement {
        benchmark: BenchmarkName::new(format!("kernel{}", at % 5))?,
        config: Config::new([("N", (1024 * (1 + at / 5)).to_string())])?,
        metric: Metric::time(),
        summary,
        values,
        warnings: Vec::new(),
        barred: None,
        machine_code: None,
    })
}

/// Between 0 and 1, the same in every run.
fn noise(number: u64, at: u64, sample: u64) -> f64 {
    (mixed(number << 32 ^ at << 16 ^ sample) >> 11) as f64 / (1_u64 << 53) as f64
}

/// The finaliser of SplitMix64.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

pub fn fast_import(dir: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let path = dir.join(".git/fast-import-stream");
    let mut stream = BufWriter::new(File::create(&path)?);
    write(&mut stream)?;
    stream.flush()?;
    let mut command = git_command(dir, &["fast-import", "--quiet"]);
    let ended = command.stdin(File::open(&path)?).status()?;
    std::fs::remove_file(&path)?;
    if ended.success() { Ok(()) } else { Err(io::Error::other(format!("git fast-import: {ended}"))) }
}

pub fn git(dir: &Path, arguments: &[&str]) -> io::Result<String> {
    let output = git_command(dir, arguments).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("git {}: {}", arguments.join(" "), output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[expect(clippy::disallowed_methods, reason = "this makes repositories outside the program")]
fn git_command(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(dir).args(arguments);
    command
}
