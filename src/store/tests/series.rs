//! Kept series and notes that are read just now say the same, whatever happened to the repository in between.

use std::collections::BTreeMap;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::judge::{Digest, HistoryRecord, MeasuredRun, Series, assemble};
use crate::store::{AnnotatedHistory, History, HistoryCommit, SeriesHistory, Walk};

/// What a check asks for, from the notes as they are.
fn read(store: &Store, own: &[HistoryCommit], tip: ObjectId, walk: Walk) -> (AnnotatedHistory, Vec<Series>) {
    let older = store.history(&[tip], walk).unwrap();
    let commits = History { commits: [own, &older.commits].concat(), truncated: false };
    let annotated = store.annotated_history(&commits, &store.notes().unwrap()).unwrap();
    let mut records = Vec::new();
    for commit in annotated.commits.iter().filter(|commit| commit.position >= own.len()) {
        for record in &commit.note.records {
            let run = commit.note.run_of(record).unwrap();
            records.push(HistoryRecord { commit: commit.commit, position: commit.position - own.len(), run, record });
        }
    }
    let series = assemble(records, []).into_iter().map(|(series, _)| series).collect();
    (annotated, series)
}

/// The same from what was kept.
fn kept_series(kept: &SeriesHistory) -> Vec<Series> {
    let series = |(key, metric): (SeriesKey, Metric)| {
        let counts = kept.counts(&key, &metric.unit);
        let (mut runs, mut few) = (Vec::new(), Vec::new());
        kept.runs(&key, &metric.unit, usize::MAX, measured(kept), &mut runs).unwrap();
        assert_eq!(runs.len(), counts.runs);
        kept.runs(&key, &metric.unit, 2, measured(kept), &mut few).unwrap();
        assert_eq!(few, runs[runs.len().saturating_sub(2)..]);
        let (dirty, barred, other_unit) = (counts.dirty, counts.barred, counts.other_unit);
        let excluded = crate::judge::Excluded { dirty, barred, other_unit, ..Default::default() };
        Series { runs, excluded, ..Series::empty(key, metric) }
    };
    kept.series().unwrap().into_iter().map(series).collect()
}

fn measured(kept: &SeriesHistory) -> impl Fn(crate::store::SeriesRun) -> MeasuredRun + '_ {
    let newest = kept.len() - 1;
    move |run| MeasuredRun {
        commit: run.commit,
        position: newest - run.age,
        run: run.run,
        time: run.time,
        summary: run.summary,
        machine_code: run.machine_code,
    }
}

/// Where each excuse stands, and what counts for the candidate.
fn told(annotated: &AnnotatedHistory) -> (Vec<(usize, LineId)>, Vec<LineId>) {
    let excuses = annotated.excuses().map(|(position, excuse)| (position, excuse.id));
    let candidate = annotated.commits.iter().filter(|commit| commit.position == 0).flat_map(|commit| records(&commit.note));
    (excuses.collect(), candidate.collect())
}

/// Compares both ways for HEAD; tells whether a file answered.
#[track_caller]
fn check(world: &World, walk: Walk) -> bool {
    let store = world.store();
    let head = store.head().unwrap();
    let Some(tip) = store.commit(head).unwrap().parents.first().copied() else { return false };
    let own = [store.history_commit(head).unwrap()];
    let (annotated, series) = read(&store, &own, tip, walk);
    let Some(kept) = store.series_history(&own, tip, walk).unwrap() else { return false };
    assert_eq!(kept_series(&kept), series);
    assert_eq!(told(kept.annotated()), told(&annotated));
    assert_eq!(kept.annotated().elsewhere, annotated.elsewhere);
    assert_eq!(kept.annotated().warnings, annotated.warnings);
    let line: Vec<ObjectId> = store.history(&[tip], walk).unwrap().commits.iter().map(|commit| commit.id).collect();
    assert_eq!(kept.line().unwrap(), line);
    true
}

fn files(world: &World) -> BTreeMap<PathBuf, Vec<u8>> {
    let folder = world.dir.join(".git/ratchet/series");
    let paths = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    paths.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// Five commits, each measured.
fn measured_world() -> World {
    let world = World::new();
    for seed in 0..5 {
        let commit = world.commit(&seed.to_string());
        world.measure(commit, seed);
    }
    world
}

#[test]
fn a_file_serves_the_commits_that_follow_it() {
    let world = measured_world();
    assert!(check(&world, Walk::FirstParent));
    let before = files(&world);
    assert_eq!(before.len(), 1);
    for seed in 5..9 {
        let commit = world.commit(&seed.to_string());
        assert!(check(&world, Walk::FirstParent));
        world.measure(commit, seed);
        assert!(check(&world, Walk::FirstParent));
    }
    // A late measurement of an old commit as well.
    world.measure(world.id("HEAD~6"), 20);
    assert!(check(&world, Walk::FirstParent));
    assert_eq!(files(&world), before, "what came later was put on top");
}

#[test]
fn a_note_that_is_too_large_takes_no_other_with_it() {
    let world = measured_world();
    let lines = "\n".repeat(crate::store::MAX_NOTE_LINES + 1);
    let blob = world.git_with_input(&world.dir, &["hash-object", "-w", "--stdin"], lines.as_bytes());
    world.git(&["notes", "--ref=ratchet", "add", "-f", "-C", &blob, "HEAD~2"]);
    // The same content as that of the last measured commit: what counts for it is looked up by its tree.
    world.commit("between");
    world.commit("4");
    assert!(check(&world, Walk::FirstParent));
    let store = world.store();
    let head = store.head().unwrap();
    let own = [store.history_commit(head).unwrap()];
    let tip = store.commit(head).unwrap().parents[0];
    let kept = store.series_history(&own, tip, Walk::FirstParent).unwrap().unwrap();
    let (_, candidate) = told(kept.annotated());
    assert_eq!(candidate, [record(4)]);
    assert_eq!(kept.annotated().warnings.len(), 1);
}

/// So many commits with other contents, each measured, by streams that git reads at once.
fn long_world(commits: u64) -> World {
    let world = World::new();
    let mut stream = String::new();
    for number in 0..commits {
        let content = number.to_string();
        stream += &format!("commit refs/heads/main\ncommitter Ada <ada@example.org> {} +0000\n", 1_700_000_000 + number);
        stream += &format!("data 1\nx\nM 100644 inline code\ndata {}\n{content}\n", content.len());
    }
    world.git_with_input(&world.dir, &["fast-import", "--quiet"], stream.as_bytes());
    world.git(&["reset", "-q", "--hard", "main"]);
    let ids = world.git(&["log", "--reverse", "--format=%H %T"]);
    let entries = |(line, seed): (&str, u64)| {
        let (commit, tree) = line.split_once(' ').unwrap();
        (commit.parse().unwrap(), run_of(commit.parse().unwrap(), tree.parse().unwrap(), seed))
    };
    let all: Vec<(ObjectId, Vec<Entry>)> = ids.lines().zip(0..).map(entries).collect();
    world.store().append(&all, "Measure").unwrap();
    world
}

/// The kept digest of each series, and one of all its runs.
fn digests(world: &World) -> Vec<(Option<Digest>, Option<Digest>)> {
    let store = world.store();
    let own = [store.history_commit(world.id("HEAD")).unwrap()];
    let kept = store.series_history(&own, world.id("HEAD~1"), Walk::FirstParent).unwrap().unwrap();
    let both = |series: Series| {
        let values: Vec<(u32, f64)> =
            series.runs.iter().map(|run| ((kept.len() - 1 - run.position) as u32, run.value())).collect();
        let digest = kept.digest(&series.key, &series.metric.unit);
        if let Some(digest) = &digest {
            let sealed = kept.sealed_runs(&series.key, &series.metric.unit, 1000..digest.runs()).unwrap();
            let sealed: Vec<MeasuredRun> = sealed.into_iter().map(measured(&kept)).collect();
            assert_eq!(sealed, series.runs[1000..digest.runs()]);
        }
        (digest, Digest::of(series.metric.better, &values))
    };
    kept_series(&kept).into_iter().map(both).collect()
}

#[test]
fn a_digest_stands_for_the_oldest_runs_until_one_comes_among_them() {
    let world = long_world(3_200);
    let before = digests(&world);
    assert!(before.iter().all(|(kept, of_all)| kept.is_some() && kept == of_all), "{} series", before.len());
    let newer = world.commit("newer");
    world.measure(newer, 5_000);
    world.commit("newest");
    world.measure(world.id("HEAD~500"), 5_001);
    assert_eq!(digests(&world).len(), before.len());
    assert!(digests(&world).iter().zip(&before).all(|((kept, _), (before, _))| kept == before), "they came after its runs");
    world.measure(world.id("HEAD~3000"), 5_002);
    assert!(digests(&world).iter().all(|(kept, of_all)| kept.is_none() && of_all.is_some()));
    std::fs::remove_dir_all(world.dir.join(".git/ratchet")).unwrap();
    assert!(digests(&world).iter().all(|(kept, of_all)| kept.is_some() && kept == of_all));
}

#[test]
fn damaged_foreign_and_old_files_are_made_again() {
    let world = measured_world();
    check(&world, Walk::FirstParent);
    let (path, right) = files(&world).pop_first().unwrap();
    let other = World::new();
    (0..3).for_each(|seed| drop(other.measure(other.commit(&format!("other {seed}")), seed)));
    check(&other, Walk::FirstParent);
    let foreign = files(&other).pop_first().unwrap().1;
    let mut of_another_version = right.clone();
    of_another_version[22] = b'9';
    let mut wrongs: Vec<Vec<u8>> = vec![Vec::new(), foreign, of_another_version, vec![0; right.len()]];
    wrongs.extend((0..right.len()).step_by(4096).map(|end| right[..end].to_vec()));
    wrongs.extend((0..right.len()).step_by(3_011).map(|at| {
        let mut wrong = right.clone();
        wrong[at] ^= 1;
        wrong
    }));
    for wrong in wrongs {
        std::fs::write(&path, &wrong).unwrap();
        let store = world.store();
        let own = [store.history_commit(world.id("HEAD")).unwrap()];
        let (_, series) = read(&store, &own, world.id("HEAD~1"), Walk::FirstParent);
        let kept = store.series_history(&own, world.id("HEAD~1"), Walk::FirstParent).unwrap().unwrap();
        // Damage beyond the directory shows when that part is read; then there is no answer, rather than a wrong one.
        let answers = kept
            .series()
            .unwrap()
            .into_iter()
            .all(|(key, metric)| kept.runs(&key, &metric.unit, 9, drop, &mut Vec::new()).is_some());
        if answers && kept.line().is_some() {
            assert_eq!(kept_series(&kept), series);
        }
    }
}

#[test]
fn where_nothing_can_be_written_the_answer_is_the_same() {
    let world = measured_world();
    // A file where the folder should be: so that even the superuser cannot write.
    std::fs::write(world.dir.join(".git/ratchet"), "in the way").unwrap();
    assert!(check(&world, Walk::FirstParent));
    assert!(check(&world, Walk::All));
}

#[test]
fn the_number_of_files_is_bounded_and_the_setting_turns_them_off() {
    let world = measured_world();
    for branch in 0..7 {
        world.git(&["checkout", "-q", "-b", &format!("branch-{branch}"), "main~2"]);
        world.commit(&format!("one of {branch}"));
        world.commit(&format!("two of {branch}"));
        assert!(check(&world, Walk::FirstParent));
    }
    assert!(files(&world).len() <= 4);
    world.git(&["config", "ratchet.cache", "false"]);
    assert!(!check(&world, Walk::FirstParent));
}

#[test]
fn processes_at_the_same_time_agree() {
    let world = measured_world();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..5).for_each(|_| assert!(check(&world, Walk::FirstParent))));
        }
    });
}

/// Something that happens to a repository.
fn happen(world: &World, event: u8, pick: u64, seed: u64) {
    let commits: Vec<String> = world.git(&["rev-list", "--branches", "HEAD"]).lines().map(str::to_owned).collect();
    let any = commits[pick as usize % commits.len()].clone();
    let note_of = |revision: &str| world.git_in(&world.dir, &["notes", "--ref=ratchet", "list"]).contains(revision);
    let ours = |revision: &str| {
        world.git(&["merge", "-q", "--no-ff", "--allow-unrelated-histories", "-s", "ours", "-m", "merge", revision])
    };
    match event {
        0..=2 => drop(world.measure(world.commit(&format!("new {seed}")), seed)),
        3 => drop(world.commit(&format!("again {}", pick % 3))),
        4 => drop(world.measure(any.parse().unwrap(), seed)),
        5 => odd_measurement(world, any.parse().unwrap(), pick, seed),
        6 => excuse(world, any.parse().unwrap(), seed),
        7 if note_of(&any) => drop(world.git(&["notes", "--ref=ratchet", "copy", "-f", &any, "HEAD"])),
        8 => drop(world.git(&["notes", "--ref=ratchet", "append", "-m", "{\"v\":2}\nno line of ours", &any])),
        9 if world.git(&["rev-list", "--count", "refs/notes/ratchet"]) != "1" => {
            drop(world.git(&["update-ref", "refs/notes/ratchet", "refs/notes/ratchet~1"]))
        }
        10 => drop(world.git(&["gc", "-q", "--prune=now"])),
        11 => {
            // A criss-cross merge: each side takes the other's tip.
            let main = world.id("HEAD").to_string();
            world.git(&["checkout", "-q", "-B", "side", &any]);
            let side = world.commit(&format!("side {seed}"));
            world.measure(side, seed);
            ours(&main);
            world.git(&["checkout", "-q", "main"]);
            world.git(&["merge", "-q", "--no-ff", "--allow-unrelated-histories", "-s", "ours", "-m", "cross", &side.to_string()]);
        }
        12 => {
            for branch in ["one", "two"] {
                world.git(&["checkout", "-q", "-B", branch, &any]);
                world.commit(&format!("{branch} {seed}"));
            }
            world.git(&["checkout", "-q", "main"]);
            world.git(&["merge", "-q", "--no-ff", "--allow-unrelated-histories", "-s", "ours", "-m", "octopus", "one", "two"]);
        }
        13 => drop(world.git(&["commit", "-q", "--amend", "--allow-empty", "-m", &format!("amended {seed}")])),
        14 => {
            world.git(&["replace", "-f", &world.id("HEAD~1").to_string(), &any]);
            check(world, Walk::FirstParent);
            world.git(&["replace", "-d", &world.id("HEAD~1").to_string()]);
        }
        15 => {
            let grafts = world.dir.join(".git/info/grafts");
            std::fs::write(&grafts, format!("{}\n", world.id("HEAD"))).unwrap();
            check(world, Walk::FirstParent);
            std::fs::remove_file(grafts).unwrap();
        }
        _ => drop(world.git(&["commit-graph", "write", "--reachable"])),
    }
}

/// Dirty, barred, in another unit, of another benchmark, or on another testbed.
fn odd_measurement(world: &World, commit: ObjectId, pick: u64, seed: u64) {
    let store = world.store();
    let mut entries = run_of(commit, store.commit(commit).unwrap().tree, seed);
    for entry in &mut entries {
        match entry {
            Entry::Run(run) => {
                run.dirty = pick.is_multiple_of(5);
                run.testbed = Testbed::new(if pick % 5 == 1 { "other" } else { "bench" }, BTreeMap::new()).unwrap();
            }
            Entry::Record(record) => match pick % 5 {
                2 => record.barred = Some("wrong result".into()),
                3 => record.metric.unit = Unit::from_symbol("B").unwrap(),
                4 => record.benchmark = BenchmarkName::new("other").unwrap(),
                _ => {}
            },
            Entry::Profile(_) | Entry::Excuse(_) => {}
        }
    }
    store.append(&[(commit, entries)], "Measure").unwrap();
}

fn excuse(world: &World, commit: ObjectId, seed: u64) {
    let store = world.store();
    let excuse = Excuse {
        id: LineId::from_parts(seed * 10 + 5, 0),
        time: chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
        author: Author { name: "Ada".into(), email: "ada@example.com".into() },
        tree: store.commit(commit).unwrap().tree,
        scope: ExcuseScope::default(),
        reason: "because".into(),
        until: None,
        expires: None,
    };
    store.append(&[(commit, vec![Entry::Excuse(excuse)])], "Excuse").unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, max_shrink_iters: 30, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_both_ways_of_reading_agree(events in prop::collection::vec((0_u8..17, any::<u64>()), 4..14)) {
        let world = measured_world();
        for (at, (event, pick)) in events.into_iter().enumerate() {
            happen(&world, event, pick, 100 + at as u64);
            check(&world, Walk::FirstParent);
            check(&world, Walk::All);
        }
    }
}
