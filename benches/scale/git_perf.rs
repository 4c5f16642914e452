//! The same measurements as git-perf keeps them, and its commands for what ours do.
//!
//! Its notes stand under `refs/notes/perf-v3`: a line for each value with epoch, name, time and value, separated by the byte 28.
//! It keeps single values. Where its time is measured, it gets the medians only: a twentieth of the samples.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use git_ratchet::model::Sample;

use crate::{Measure, Size, repository};

/// What `git ratchet check` is held against.
pub const AUDIT: &str = "git-perf audit of all commits, every series";
/// What `git ratchet record` is held against.
pub const ADD: &str = "git-perf add, one value";

/// Where its notes stand.
pub const NOTES: &str = "refs/notes/perf-v3";

/// Between the parts of its lines.
const SEPARATOR: char = '\u{1c}';

/// An installed git-perf.
pub struct GitPerf {
    program: PathBuf,
}

impl GitPerf {
    /// If it can be started.
    pub fn find(program: &Path) -> Option<Self> {
        let output = Command::new(program).arg("--version").output().ok()?;
        println!("beside {}", String::from_utf8_lossy(&output.stdout).trim());
        output.status.success().then(|| Self { program: program.to_owned() })
    }

    /// Its commands.
    pub fn measures(&self, size: Size) -> Vec<Measure> {
        let program = self.program.to_string_lossy();
        let names: Vec<String> = (0..size.records).map(|at| format!("-m {}", name(at))).collect();
        // More commits than there are: all of them.
        let all = format!("{program} audit -n {} {}", 10 * size.commits, names.join(" "));
        vec![
            Measure::new("git-perf audit of 40 commits, one series", format!("{program} audit {}", names[0])),
            Measure::new(AUDIT, all),
            Measure::new(ADD, format!("{program} add {} 9.9", names[0])),
        ]
    }
}

/// What is put into its format.
#[derive(Clone, Copy)]
pub enum Kept {
    /// One value for each record.
    Medians,
    /// All that were measured, in the order measured.
    Samples,
    /// The same as our records keep them: rounded, in ascending order.
    Rounded,
}

/// A clone of the repository with the same measurements in its format, packed as well.
///
/// # Errors
/// git fails, or the disk does.
pub fn repository(ours: &Path, size: Size, kept: Kept) -> io::Result<PathBuf> {
    let dir = ours.with_extension(match kept {
        Kept::Medians => "git-perf",
        Kept::Samples => "git-perf-samples",
        Kept::Rounded => "git-perf-rounded",
    });
    if dir.exists() {
        return Ok(dir);
    }
    let (from, to) = (ours.to_string_lossy(), dir.to_string_lossy());
    repository::git(ours, &["clone", "-q", "--no-hardlinks", &from, &to])?;
    repository::git(&dir, &["config", "user.name", "Ada"])?;
    repository::git(&dir, &["config", "user.email", "ada@example.org"])?;
    let commits = std::fs::read_to_string(ours.join(".git/commits"))?;
    repository::fast_import(&dir, |stream| {
        let measured = commits.lines().take(size.commits as usize).zip(0_u64..);
        let mut measured = measured.filter(|(_, number)| number % size.every == 0);
        measured.try_for_each(|(commit, number)| write_note(stream, commit, number, size.records, kept))
    })?;
    repository::git(&dir, &["repack", "-adq"])?;
    repository::git(&dir, &["commit-graph", "write", "--reachable"])?;
    Ok(dir)
}

fn name(at: u64) -> String {
    format!("kernel{}-{}", at % 5, 1024 * (1 + at / 5))
}

fn write_note(stream: &mut dyn Write, commit: &str, number: u64, records: u64, kept: Kept) -> io::Result<()> {
    let seconds = repository::seconds_of(number);
    let mut note = String::new();
    for at in 0..records {
        let measured = repository::measurement(number, at).map_err(io::Error::other)?;
        let values = match kept {
            Kept::Medians => vec![measured.summary.median],
            Kept::Samples => measured.values,
            Kept::Rounded => Sample::new(&measured.values).map_err(io::Error::other)?.values().collect(),
        };
        for value in values {
            let parts = ["0".to_owned(), name(at), format!("{seconds}.0"), format!("{value:?}")];
            note += &format!("{}\n", parts.join(&SEPARATOR.to_string()));
        }
    }
    write!(
        stream,
        "commit {NOTES}\ncommitter Ada <ada@example.org> {seconds} +0000\ndata 5\na run\nN inline {commit}\ndata {}\n{note}\n",
        note.len()
    )
}
