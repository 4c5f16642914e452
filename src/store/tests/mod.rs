//! Real repositories in temporary folders, built and read back with the real git.

mod append;
mod base;
mod changes;
mod difference;
mod history;
mod inherit;
mod merge;
mod notes;
mod open;
mod prune;
mod series;
mod thin;
mod worktrees;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::codec::{Entry, Note};
use crate::model::*;
use crate::store::{OpenOptions, Store};

/// A repository in a folder of its own, free of the user's configuration.
struct World {
    folder: tempfile::TempDir,
    dir: PathBuf,
}

impl World {
    /// An empty repository with an identity.
    fn new() -> Self {
        Self::init(&[])
    }

    fn init(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().canonicalize().unwrap().join("repo");
        std::fs::create_dir(&dir).unwrap();
        let world = Self { folder, dir };
        world.git(&[&["init", "-q", "-b", "main"], arguments].concat());
        world.identify();
        world
    }

    /// A clone of this world's repository beside it.
    fn clone_as(&self, name: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().canonicalize().unwrap().join(name);
        let url = format!("file://{}", self.dir.display());
        self.git(&[&["clone", "-q"], arguments, &[&url, dir.to_str().unwrap()]].concat());
        let world = Self { folder, dir };
        world.identify();
        world
    }

    fn identify(&self) {
        self.git(&["config", "user.name", "Ada"]);
        self.git(&["config", "user.email", "ada@example.com"]);
    }

    /// Runs git, which must succeed, and returns its trimmed output.
    fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.dir, arguments)
    }

    fn git_in(&self, dir: &Path, arguments: &[&str]) -> String {
        self.git_with_input(dir, arguments, b"")
    }

    fn git_with_input(&self, dir: &Path, arguments: &[&str], input: &[u8]) -> String {
        let mut child = git_command(dir).args(arguments).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Commits a file with this content; the next commit is a minute younger.
    fn commit(&self, content: &str) -> ObjectId {
        std::fs::write(self.dir.join("file"), content).unwrap();
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", content]);
        self.id("HEAD")
    }

    fn id(&self, revision: &str) -> ObjectId {
        self.git(&["rev-parse", revision]).parse().unwrap()
    }

    /// `None` where there is no such revision.
    fn try_id(&self, revision: &str) -> Option<ObjectId> {
        let parsed = git_command(&self.dir).args(["rev-parse", "-q", "--verify", revision]).output().unwrap();
        String::from_utf8_lossy(&parsed.stdout).trim().parse().ok()
    }

    fn store(&self) -> Store {
        self.store_at(&self.dir)
    }

    fn store_at(&self, dir: &Path) -> Store {
        self.try_store_at(dir).unwrap()
    }

    fn try_store_at(&self, dir: &Path) -> Result<Store, crate::store::StoreError> {
        Store::open(&OpenOptions { dir: Some(dir.to_owned()), isolated: true, ..OpenOptions::default() })
    }

    /// A note as plain git shows it.
    fn shown(&self, id: ObjectId) -> String {
        self.git(&["notes", "--ref=ratchet", "show", &id.to_string()])
    }

    /// The entries of one run with one record at a commit, appended to that commit's note.
    fn measure(&self, commit: ObjectId, seed: u64) -> Vec<Entry> {
        let store = self.store();
        let tree = store.commit(commit).unwrap().tree;
        let entries = run_of(commit, tree, seed);
        store.append(&[(commit, entries.clone())], "Measure").unwrap();
        entries
    }

    fn fsck(&self) {
        self.git(&["fsck", "--strict", "--no-dangling"]);
    }
}

fn git_command(dir: &Path) -> Command {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            command.env_remove(name);
        }
    }
    command.current_dir(dir).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null").env("HOME", dir);
    command.args(["-c", "protocol.file.allow=always", "-c", "gc.auto=0"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// One run with one record about a tree. The seed tells them apart.
fn run_of(commit: ObjectId, tree: ObjectId, seed: u64) -> Vec<Entry> {
    let run_id = LineId::from_parts(seed * 10 + 1, 0);
    let run = Run {
        id: run_id,
        time: chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
        author: Author { name: "Ada".into(), email: "ada@example.com".into() },
        tool: "test".into(),
        commit,
        tree,
        dirty: false,
        session: None,
        testbed: Testbed::new("bench", Default::default()).unwrap(),
    };
    let measurement = Measurement {
        benchmark: BenchmarkName::new("gemm").unwrap(),
        config: Config::default(),
        metric: Metric {
            name: MetricName::new("time").unwrap(),
            unit: Unit::from_symbol("s").unwrap(),
            better: Direction::Lower,
            exact: false,
            follows: None,
        },
        summary: Summary {
            n: 1,
            median: seed as f64 + 1.0,
            low: None,
            high: None,
            mean: None,
            stddev: None,
            min: None,
            max: None,
        },
        values: vec![seed as f64 + 1.0],
        warnings: Vec::new(),
        barred: None,
        machine_code: (!seed.is_multiple_of(3)).then(|| format!("{:04x}", seed / 4)),
    };
    let record = Record::new(LineId::from_parts(seed * 10 + 2, 0), run_id, measurement);
    vec![Entry::Run(run), Entry::Record(record)]
}

/// The record ids of a note, ascending.
fn records(note: &Note) -> Vec<LineId> {
    let mut ids: Vec<_> = note.records.iter().map(|record| record.id).collect();
    ids.sort_unstable();
    ids
}

/// The record id that [`run_of`] gives.
fn record(seed: u64) -> LineId {
    LineId::from_parts(seed * 10 + 2, 0)
}

/// The note's text as the codec writes it, without the last line feed.
fn text_of(entries: &[Entry]) -> String {
    let lines: Vec<String> = entries.iter().map(Entry::encode).collect();
    String::from_utf8(crate::codec::union([lines.join("\n").as_bytes()])).unwrap().trim_end().to_owned()
}
