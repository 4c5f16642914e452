//! A damaged file of kept series. What is fuzzed are the places and bytes of the damage: three bytes for the place, one to put there.
//!
//! With an even first byte the damage is plain: whatever the file answers then is right, or it does not answer. With an odd
//! one the sums of the blocks are made to fit, so that what lies behind them is read: answers may be wrong then, as
//! nobody but the owner of the repository could write them, but no reading faults, hangs or takes memory without bound.

#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use git_ratchet::model::ObjectId;
use git_ratchet::store::{HistoryCommit, OpenOptions, Store, Walk};
use libfuzzer_sys::fuzz_target;

/// The size of a block, the last four bytes of which are a sum: `src/store/series/blocks.rs`.
const BLOCK: usize = 4096;

struct World {
    _root: tempfile::TempDir,
    repo: PathBuf,
    file: PathBuf,
    right: Vec<u8>,
    own: Vec<HistoryCommit>,
    tip: ObjectId,
    expected: String,
    /// The sums are where they are taken to be; else only plain damage is done.
    can_seal: bool,
}

static WORLD: LazyLock<World> = LazyLock::new(World::new);

impl World {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let repo = root.path().join("repo");
        git(root.path(), &["init", "-q", "-b", "main", "repo"]);
        for (key, value) in [("user.name", "Ann"), ("user.email", "ann@example.org")] {
            git(&repo, &["config", key, value]);
        }
        let store = Store::open(&OpenOptions { dir: Some(repo.clone()), ..OpenOptions::default() }).unwrap();
        for commit in 0..12_u64 {
            git(&repo, &["commit", "-q", "--allow-empty", "-m", &commit.to_string()]);
            let head = store.head().unwrap();
            let line = |kind: &str, id: u64, rest: &str| format!(r#"{{"v":1,"type":"{kind}","id":"{id:026}",{rest}}}"#);
            let tree = store.commit(head).unwrap().tree;
            let run = format!(
                r#""time":"2026-11-21T09:00:00Z","author":{{"name":"Ann","email":""}},"tool":"t","commit":"{head}","tree":"{tree}","testbed":"t""#
            );
            let record = |at: u64| {
                let (benchmark, median) = (at % 3, 100 + (commit * 7 + at) % 13);
                line(
                    "record",
                    1000 + commit * 10 + at,
                    &format!(
                        r#""run":"{:026}","benchmark":"b{benchmark}","metric":"time","unit":"s","better":"lower","n":1,"median":{median},"machine_code":"c{commit}""#,
                        100 + commit
                    ),
                )
            };
            let mut lines: Vec<String> = (0..6).map(record).collect();
            lines.push(line("run", 100 + commit, &run));
            git(&repo, &["notes", "--ref=ratchet", "append", "-m", &lines.join("\n"), "HEAD"]);
        }
        let store = Store::open(&OpenOptions { dir: Some(repo.clone()), ..OpenOptions::default() }).unwrap();
        let (head, tip) = (store.head().unwrap(), store.resolve("HEAD~1").unwrap());
        let own = vec![store.history_commit(head).unwrap()];
        let expected = answer(&store, &own, tip).unwrap();
        let file = fs::read_dir(repo.join(".git/ratchet/series")).unwrap().next().unwrap().unwrap().path();
        let right = fs::read(&file).unwrap();
        let can_seal = seal(right.clone()) == right;
        if !can_seal {
            eprintln!("the format of the file has changed: only plain damage is done");
        }
        Self { _root: root, repo, file, right, own, tip, expected, can_seal }
    }
}

fn git(dir: &Path, arguments: &[&str]) {
    assert!(Command::new("git").current_dir(dir).args(arguments).status().unwrap().success());
}

/// Everything that the kept series say; `None` where they do not answer.
fn answer(store: &Store, own: &[HistoryCommit], tip: ObjectId) -> Option<String> {
    let kept = store.series_history(own, tip, Walk::FirstParent).unwrap()?;
    let mut said = format!("{:?} {:?}", kept.line()?, kept.annotated());
    for (key, metric) in kept.series()? {
        let mut runs = Vec::new();
        let counts = kept.counts(&key, &metric.unit);
        kept.runs(&key, &metric.unit, usize::MAX, |run| run, &mut runs)?;
        said += &format!("{key:?} {metric:?} {counts:?} {runs:?}");
        kept.runs(&key, &metric.unit, 2, |run| run, &mut runs)?;
    }
    Some(said)
}

fn seal(mut file: Vec<u8>) -> Vec<u8> {
    for (number, block) in (0_u64..).zip(file.chunks_exact_mut(BLOCK)) {
        let mut sum = crc32fast::Hasher::new();
        sum.update(&block[..BLOCK - 4]);
        sum.update(&number.to_le_bytes());
        block[BLOCK - 4..].copy_from_slice(&sum.finalize().to_le_bytes());
    }
    file
}

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, damage)) = bytes.split_first() else { return };
    let world = &*WORLD;
    let mut file = world.right.clone();
    for change in damage.chunks_exact(4) {
        let place = usize::from(change[0]) << 16 | usize::from(change[1]) << 8 | usize::from(change[2]);
        let place = place % file.len();
        // A file that was cut off is damaged, too.
        if change == [0xff; 4] { file.truncate(file.len() / 2 + 1) } else { file[place] = change[3] }
    }
    let is_sealed = kind % 2 == 1;
    if is_sealed && world.can_seal {
        file = seal(file);
    }
    fs::write(&world.file, file).unwrap();
    let store = Store::open(&OpenOptions { dir: Some(world.repo.clone()), ..OpenOptions::default() }).unwrap();
    if let Some(said) = answer(&store, &world.own, world.tip)
        && !is_sealed
    {
        assert_eq!(said, world.expected);
    }
});
