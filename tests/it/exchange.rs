//! Notes between repositories: real bare remotes, real races, real refusals.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use crate::world::World;

/// A world whose `repo` was pushed to the bare `remote.git`.
struct Shared {
    world: World,
    remote: PathBuf,
}

impl Shared {
    fn new() -> Self {
        let world = World::new();
        world.commit("one");
        let remote = world.root().join("remote.git");
        world.git_in(world.root(), &["init", "-q", "--bare", "-b", "main", "remote.git"]);
        world.git(&["remote", "add", "origin", remote.to_str().unwrap()]);
        world.git(&["push", "-q", "-u", "origin", "main"]);
        Self { world, remote }
    }

    fn clone_as(&self, name: &str) -> PathBuf {
        self.world.git_in(self.world.root(), &["clone", "-q", self.remote.to_str().unwrap(), name]);
        self.world.root().join(name)
    }

    fn record(&self, dir: &Path, benchmark: &str) {
        let record = ["record", "--benchmark", benchmark, "--metric", "time=10ms", "--testbed", "t"];
        self.world.ratchet_in(dir, &record).expect(0);
    }

    /// Installs a hook of the remote.
    fn remote_hook(&self, name: &str, script: &str) {
        let path = self.remote.join("hooks").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Puts a program of ours between clones and remote, as ssh would be. Of ten pushes, one is cut off after some bytes, in one
    /// `receive-pack` dies while it looks at what came, and one loses the `git ratchet` that began it.
    fn make_the_line_bad(&self) {
        let connections = self.world.root().join("connections");
        fs::create_dir(&connections).unwrap();
        let script = self.world.root().join("line");
        let text = format!(
            r#"#!/bin/sh
for command; do :; done
case $command in git-receive-pack*) ;; *) exec sh -c "$command" ;; esac
n=$(ls "{0}" | wc -l)
until mkdir "{0}/$n" 2>/dev/null; do n=$((n + 1)); done
case $((n % 10)) in
3)
    mkfifo "{0}/$n/pipe" && exec 4<>"{0}/$n/pipe"
    sh -c "exec $command" <"{0}/$n/pipe" 4>&- &
    head -c 600 >&4
    kill -9 $!
    exit 255 ;;
5) RATCHET_DIES=1 exec sh -c "$command" ;;
7)
    read -r _ _ _ parent _ <"/proc/$PPID/stat" && kill -9 "$parent"
    exec sh -c "$command" ;;
*) exec sh -c "$command" ;;
esac
"#,
            connections.display()
        );
        fs::write(&script, text).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        self.remote_hook("pre-receive", "#!/bin/sh\n[ -z \"$RATCHET_DIES\" ] || kill -9 $PPID\n");
        let gitconfig = format!(
            "[gc]\n\tauto = 0\n[receive]\n\tautogc = false\n[core]\n\tsshCommand = {}\n[ssh]\n\tvariant = ssh\n[url \"ssh://line{1}\"]\n\tinsteadOf = {1}\n",
            script.display(),
            self.remote.display()
        );
        fs::write(self.world.home.join("gitconfig"), gitconfig).unwrap();
    }

    /// Every line of every note at a ref, by annotated object.
    fn notes(&self, dir: &Path, notes_ref: &str) -> BTreeMap<String, String> {
        let reference = format!("--ref={notes_ref}");
        let list = self.world.git_in(dir, &["notes", &reference, "list"]);
        let pairs = list.lines().map(|line| line.split_once(' ').unwrap());
        pairs.map(|(blob, id)| (id.to_owned(), self.world.git_in(dir, &["cat-file", "blob", blob]))).collect()
    }

    fn lines(&self, dir: &Path) -> usize {
        self.notes(dir, "refs/notes/ratchet").values().map(|note| note.lines().count()).sum()
    }
}

#[test]
fn two_clones_take_turns_and_nothing_is_lost() {
    let shared = Shared::new();
    let world = &shared.world;
    let other = shared.clone_as("other");
    world.record("time=10ms");
    shared.record(&other, "theirs");
    fs::write(other.join("code"), "two").unwrap();
    world.git_in(&other, &["commit", "-q", "-a", "-m", "two"]);
    shared.record(&other, "on two");
    let sent = world.ratchet(&["push", "--json"]).expect(0).json();
    assert_eq!((&sent["sent"]["records"], &sent["received"]["records"]), (&json!(1), &json!(0)));
    let fetched = world.ratchet_in(&other, &["fetch", "--json"]).expect(0).json();
    assert_eq!(fetched["result"], "merge");
    assert_eq!(fetched["received"], json!({ "records": 1, "lines": 2, "notes": 1 }));
    assert_eq!(fetched["only_here"], json!({ "records": 2, "lines": 4, "notes": 2 }));
    assert_eq!(fetched["united_notes"], 1);
    let said = world.ratchet_in(&other, &["push"]).expect(0).out;
    assert_eq!(said, "sent 2 records (4 lines) in 2 notes to origin\n");
    let fetched = world.ratchet(&["fetch", "--json"]).expect(0).json();
    assert_eq!((&fetched["result"], &fetched["received"]["records"]), (&json!("fast_forward"), &json!(2)));
    let (here, there) = (shared.notes(&world.repo, "refs/notes/ratchet"), shared.notes(&other, "refs/notes/ratchet"));
    assert_eq!(here, there);
    assert_eq!(here.values().map(|note| note.lines().count()).sum::<usize>(), 6);
    assert_eq!(world.git(&["log", "--format=%p", "-1", "refs/notes/ratchet"]).split(' ').count(), 2, "a merge has two parents");
    assert_eq!(world.ratchet(&["fetch", "--json"]).expect(0).json()["result"], "up_to_date");
    assert_eq!(world.ratchet(&["push"]).expect(0).out, "origin has everything already\n");
    world.git_in(&shared.remote, &["fsck", "--strict"]);
}

#[test]
fn a_dry_run_tells_and_changes_no_notes() {
    let shared = Shared::new();
    let other = shared.clone_as("other");
    shared.world.record("time=10ms");
    let before = shared.world.git(&["rev-parse", "refs/notes/ratchet"]);
    let rehearsed = shared.world.ratchet(&["push", "--dry-run"]).expect(0).out;
    assert_eq!(rehearsed, "would send 1 record (2 lines) in 1 note to origin\n");
    assert_eq!(shared.world.git_in(&shared.remote, &["for-each-ref", "refs/notes"]), "");
    shared.world.ratchet(&["push"]).expect(0);
    let rehearsed = shared.world.ratchet_in(&other, &["fetch", "--dry-run", "--json"]).expect(0).json();
    assert_eq!((&rehearsed["result"], &rehearsed["received"]["records"]), (&json!("dry_run"), &json!(1)));
    assert_eq!(shared.world.git_in(&other, &["for-each-ref", "refs/notes/ratchet"]), "");
    assert_eq!(shared.world.git(&["rev-parse", "refs/notes/ratchet"]), before);
    shared.record(&other, "theirs");
    let said = |arguments: &[&str]| shared.world.ratchet_in(&other, arguments).expect(0).out;
    assert!(said(&["fetch", "--dry-run"]).contains("\n1 note would hold the lines of both sides\n"));
    assert!(said(&["fetch"]).contains("\n1 note holds the lines of both sides\n"));
}

#[test]
fn a_remote_without_notes_is_no_error() {
    let shared = Shared::new();
    let ran = shared.world.ratchet(&["fetch"]).expect(0);
    assert_eq!(ran.out, "origin has no refs/notes/ratchet yet: nothing to fetch\n");
    let ran = shared.world.ratchet(&["push"]).expect(0);
    assert_eq!(ran.out, "there are no notes here and none at origin: nothing to push\n");
}

#[test]
fn an_unknown_or_unreachable_remote_is_a_failure_that_names_it() {
    let shared = Shared::new();
    let ran = shared.world.ratchet(&["fetch", "nowhere"]).expect(4);
    assert!(ran.err.contains("there is no remote `nowhere`") && ran.err.contains("git remote -v"), "{}", ran.err);
    shared.world.record("time=10ms");
    fs::rename(&shared.remote, shared.world.root().join("away.git")).unwrap();
    for command in ["fetch", "push"] {
        let ran = shared.world.ratchet(&[command]).expect(4);
        assert!(ran.err.contains("`origin`") && ran.err.contains("does not appear to be a git repository"), "{}", ran.err);
    }
    assert_eq!(shared.lines(&shared.world.repo), 2);
    let alone = World::new();
    alone.commit("one");
    assert!(alone.ratchet(&["push"]).expect(4).err.contains("git remote add"));
}

#[test]
fn a_remote_that_refuses_is_quoted_and_nothing_is_lost() {
    let shared = Shared::new();
    shared.world.record("time=10ms");
    shared.remote_hook("pre-receive", "#!/bin/sh\necho 'notes need a ticket' >&2\nexit 1\n");
    let ran = shared.world.ratchet(&["push"]).expect(4);
    assert!(ran.err.contains("pre-receive hook declined") && ran.err.contains("notes need a ticket"), "{}", ran.err);
    assert_eq!(shared.lines(&shared.world.repo), 2);
    fs::remove_file(shared.remote.join("hooks/pre-receive")).unwrap();
    shared.world.ratchet(&["push"]).expect(0);
    assert_eq!(shared.lines(&shared.remote), 2);
}

#[test]
fn no_configuration_lets_a_fetch_overwrite_local_notes() {
    let shared = Shared::new();
    let other = shared.clone_as("other");
    shared.record(&other, "theirs");
    shared.world.ratchet_in(&other, &["push"]).expect(0);
    shared.world.record("time=10ms");
    shared.world.git(&["config", "--add", "remote.origin.fetch", "+refs/notes/*:refs/notes/*"]);
    shared.world.git(&["config", "fetch.prune", "true"]);
    shared.world.ratchet(&["fetch"]).expect(0);
    assert_eq!(shared.lines(&shared.world.repo), 4);
}

#[test]
fn a_remote_that_dropped_lines_gets_them_back() {
    let shared = Shared::new();
    let other = shared.clone_as("other");
    shared.world.record("time=10ms");
    shared.world.ratchet(&["push"]).expect(0);
    shared.world.ratchet_in(&other, &["fetch"]).expect(0);
    let commit = shared.world.git(&["rev-parse", "HEAD"]);
    shared.world.git_in(&other, &["notes", "--ref=ratchet", "remove", &commit]);
    shared.world.git_in(&other, &["push", "-q", "origin", "refs/notes/ratchet"]);
    shared.world.ratchet(&["fetch"]).expect(0);
    assert_eq!(shared.lines(&shared.world.repo), 2);
}

#[test]
fn clones_that_are_mirrors_partial_or_worktrees_exchange_too() {
    let shared = Shared::new();
    let world = &shared.world;
    world.record("time=10ms");
    world.ratchet(&["push"]).expect(0);
    world.git_in(&shared.remote, &["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", shared.remote.display());
    world.git_in(world.root(), &["clone", "-q", "--filter=blob:none", &url, "partial"]);
    let partial = world.root().join("partial");
    world.ratchet_in(&partial, &["fetch"]).expect(0);
    let missing = world.git_in(&partial, &["rev-list", "--objects", "--missing=print", "refs/notes/ratchet"]);
    assert!(!missing.contains('?'), "notes were left out: {missing}");
    world.git(&["config", "remote.origin.mirror", "true"]);
    world.git(&["worktree", "add", "-q", "--detach", "../worktree"]);
    let worktree = world.root().join("worktree");
    shared.record(&worktree, "in the worktree");
    world.ratchet_in(&worktree, &["push", "origin"]).expect(0);
    assert_eq!(shared.lines(&shared.remote), 4);
}

#[test]
fn init_lets_plain_fetch_bring_notes_which_are_told_until_they_are_merged() {
    let shared = Shared::new();
    let world = &shared.world;
    let other = shared.clone_as("other");
    world.record("time=10ms");
    world.ratchet(&["push"]).expect(0);
    let ran = world.ratchet_in(&other, &["init"]).expect(0);
    assert!(ran.out.contains("set remote.origin.fetch"), "{}", ran.out);
    let ran = world.ratchet_in(&other, &["init"]).expect(0);
    assert!(ran.out.contains("kept") && ran.out.contains("already"), "{}", ran.out);
    let refspecs = world.git_in(&other, &["config", "--get-all", "remote.origin.fetch"]);
    assert_eq!(refspecs.lines().count(), 2, "{refspecs}");
    shared.record(&other, "local");
    world.git_in(&other, &["fetch", "-q"]);
    assert_eq!(shared.notes(&other, "refs/notes/remotes/origin/ratchet").len(), 1);
    for command in [&["check"][..], &["log"], &["show"], &["doctor"]] {
        let ran = world.ratchet_in(&other, command).expect(0);
        let said = ran.out + ran.err.as_str();
        assert!(said.contains("run: git ratchet fetch"), "{command:?}: {said}");
    }
    world.ratchet_in(&other, &["fetch"]).expect(0);
    let ran = world.ratchet_in(&other, &["show"]).expect(0);
    assert!(!ran.err.contains("git ratchet fetch") && ran.out.contains("local"), "{}{}", ran.out, ran.err);
}

#[test]
fn init_leaves_the_refspec_alone_where_it_is_told_to() {
    let shared = Shared::new();
    let ran = shared.world.ratchet(&["init", "--no-refspec"]).expect(0);
    assert!(!ran.out.contains("remote.origin"), "{}", ran.out);
    assert_eq!(shared.world.git(&["config", "--get-all", "remote.origin.fetch"]).lines().count(), 1);
}

#[test]
fn twelve_clones_that_push_at_once_all_arrive() {
    push_at_once(12, 1, 12);
}

/// Fifty clones record and push at the same time, over a connection that is cut now and then, to a remote whose `receive-pack` dies now
/// and then, and some of them are killed while they push. No push takes longer than 30 s.
#[test]
#[ignore = "takes minutes on a small machine: cargo test --test it -- --ignored"]
fn fifty_clones_at_once_over_a_bad_line_all_arrive() {
    const CLONES: usize = 50;
    const RECORDS: usize = 20;
    const LONGEST: Duration = Duration::from_secs(30);
    // Any run may lose its race, and a user then runs it again; on a machine that is busy with other things, more often.
    const MOST_RUNS: usize = 20;
    let shared = Shared::new();
    shared.make_the_line_bad();
    let clones: Vec<PathBuf> = (0..CLONES).map(|i| shared.clone_as(&format!("clone{i}"))).collect();
    let record_and_push = |i: usize, clone: &Path| {
        (0..RECORDS).for_each(|at| shared.record(clone, &format!("b{i}-{at}")));
        let push = || {
            let began = std::time::Instant::now();
            let ran = shared.world.ratchet_in(clone, &["push"]);
            assert!(began.elapsed() < LONGEST, "a push took {:?}: {}", began.elapsed(), ran.err);
            ran
        };
        let pushes = (0..MOST_RUNS).map(|_| push());
        let ended = pushes.take_while(|ran| ran.code != 0).map(|ran| (ran.code, ran.err)).collect::<Vec<_>>();
        assert!(ended.len() < MOST_RUNS, "{ended:#?}");
        let is_excused = |(code, said): &(i32, String)| *code == -1 || said.contains("cannot push to") || said.contains("first,");
        assert!(ended.iter().all(is_excused), "{ended:#?}");
    };
    std::thread::scope(|scope| {
        for (i, clone) in clones.iter().enumerate() {
            let record_and_push = &record_and_push;
            scope.spawn(move || record_and_push(i, clone));
        }
    });
    let connections = fs::read_dir(shared.world.root().join("connections")).unwrap().count();
    assert!(connections > CLONES, "{connections} connections: none was cut");
    // A run and its record each.
    assert_eq!(shared.lines(&shared.remote), CLONES * RECORDS * 2);
    shared.world.git_in(&shared.remote, &["fsck", "--strict"]);
    clones.iter().for_each(|clone| drop(shared.world.git_in(clone, &["fsck", "--strict"])));
}

#[test]
fn a_push_that_is_cut_off_is_made_again() {
    let shared = Shared::new();
    shared.make_the_line_bad();
    let clone = shared.clone_as("clone");
    shared.record(&clone, "b");
    // The next connection is the third, which is cut.
    (0..3).for_each(|n| fs::create_dir_all(shared.world.root().join(format!("connections/{n}"))).unwrap());
    let ran = shared.world.ratchet_in(&clone, &["push", "--json"]).expect(0).json();
    assert_eq!((&ran["attempts"], &ran["sent"]["records"]), (&json!(2), &json!(1)));
    assert_eq!(shared.lines(&shared.remote), 2);
}

/// Clones with some records each push at the same time; one push of every `killed` is killed and made again.
fn push_at_once(clones: usize, records: usize, killed: usize) {
    let shared = Shared::new();
    let clones: Vec<PathBuf> = (0..clones).map(|i| shared.clone_as(&format!("clone{i}"))).collect();
    for (i, clone) in clones.iter().enumerate() {
        let result = |at: usize| json!({ "name": format!("b{i}-{at}"), "unit": "ns", "value": 1000 + at });
        let results = shared.world.root().join(format!("results{i}.json"));
        fs::write(&results, json!((0..records).map(result).collect::<Vec<_>>()).to_string()).unwrap();
        shared.world.ratchet_in(clone, &["record", "--testbed", "t", results.to_str().unwrap()]).expect(0);
    }
    let spawn = |clone: &PathBuf| {
        let mut push = shared.world.ratchet_command(clone, &["push", "--json"]);
        push.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut waiting: Vec<_> = clones.iter().map(|clone| (clone, spawn(clone))).collect();
    waiting.iter_mut().step_by(killed).for_each(|(_, push)| push.kill().unwrap());
    // A machine that does a dozen other things at once may need more than one patience.
    for round in 0..6 {
        let ended: Vec<_> = waiting.drain(..).map(|(clone, push)| (clone, push.wait_with_output().unwrap())).collect();
        for (clone, output) in ended.into_iter().filter(|(_, output)| !output.status.success()) {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let was_killed = output.status.code().is_none();
            assert!((was_killed || said.contains("others pushed notes to `origin` first")) && round < 5, "{said}");
            waiting.push((clone, spawn(clone)));
        }
    }
    // A run and its records for each.
    assert_eq!(shared.lines(&shared.remote), clones.len() * (1 + records));
    shared.world.git_in(&shared.remote, &["fsck", "--strict"]);
}

#[test]
fn a_leftover_lock_is_told_from_others_that_push() {
    let shared = Shared::new();
    shared.record(&shared.world.repo, "one");
    shared.world.ratchet(&["push"]).expect(0);
    shared.record(&shared.world.repo, "two");
    let there = shared.remote.join("refs/notes/ratchet.lock");
    std::fs::write(&there, "").unwrap();
    let ran = shared.world.ratchet(&["push"]).expect(4);
    assert!(ran.err.contains("nobody else changed them") && ran.err.contains("ratchet.lock"), "{}", ran.err);
    std::fs::remove_file(there).unwrap();
    shared.world.ratchet(&["push"]).expect(0);

    let other = shared.clone_as("other");
    shared.record(&other, "three");
    shared.world.ratchet_in(&other, &["push"]).expect(0);
    let here = shared.world.repo.join(".git/refs/notes/remotes/origin/ratchet.lock");
    std::fs::write(&here, "").unwrap();
    let ran = shared.world.ratchet(&["fetch"]).expect(4);
    assert!(ran.err.contains("though it answers") && ran.err.contains("ratchet.lock"), "{}", ran.err);
    std::fs::remove_file(here).unwrap();
    shared.world.ratchet(&["fetch"]).expect(0);
    assert_eq!(shared.lines(&shared.world.repo), shared.lines(&shared.remote));
}

#[test]
fn a_push_that_is_killed_at_any_moment_is_made_good_by_the_next() {
    let shared = Shared::new();
    let other = shared.clone_as("other");
    for i in 0..8_u64 {
        shared.record(&shared.world.repo, &format!("here{i}"));
        shared.record(&other, &format!("there{i}"));
        shared.world.ratchet_in(&other, &["push"]).expect(0);
        let mut push = shared.world.ratchet_command(&shared.world.repo, &["push"]).stdout(Stdio::null()).spawn().unwrap();
        // Instants spread over the length of a push, which is the subject here.
        std::thread::sleep(Duration::from_millis(i * i * 3));
        push.kill().unwrap();
        push.wait().unwrap();
        shared.world.clear_leftover_lock();
        // A fetch of git's own may outlive its parent for a moment and write while fsck reads; what is missing then comes.
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        let fsck = || shared.world.run(shared.world.command("git", &shared.world.repo).args(["fsck", "--strict"]));
        while fsck().code != 0 {
            assert!(std::time::Instant::now() < deadline, "{}", fsck().err);
        }
    }
    // What git itself was doing goes on for a moment after its parent was killed.
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while shared.world.ratchet(&["push"]).code != 0 {
        assert!(std::time::Instant::now() < deadline, "{}", shared.world.ratchet(&["push"]).err);
    }
    assert_eq!(shared.lines(&shared.remote), 32);
    shared.world.git_in(&shared.remote, &["fsck", "--strict"]);
}

/// Fourteen objects to annotate; enough that git adds no fan-out, and spread enough for ours.
fn annotated(object: u8) -> String {
    format!("{:02x}{}", object.wrapping_mul(37), format!("{object:02x}").repeat(19))
}

/// Writes these notes to a ref with plain git, at a fan-out of `depth` folders.
fn write_notes(world: &World, notes_ref: &str, parent: &str, notes: &BTreeMap<u8, Vec<u8>>, depth: usize) {
    let mut stream = format!("commit {notes_ref}\ncommitter C <c@example.org> 1700000000 +0000\ndata 0\n\nfrom {parent}\n");
    for (object, letters) in notes {
        let text: String = letters.iter().map(|letter| format!("line {letter}\n")).collect();
        let id = annotated(*object);
        let mut path = String::new();
        for level in 0..depth {
            path += &format!("{}/", &id[2 * level..2 * level + 2]);
        }
        path += &id[2 * depth..];
        // The other shape of the same note must not stay beside it.
        for other in [id.clone(), format!("{}/{}", &id[..2], &id[2..]), format!("{}/{}/{}", &id[..2], &id[2..4], &id[4..])] {
            stream += &format!("D {other}\n");
        }
        stream += &format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len());
    }
    let mut import = world.command("git", &world.repo);
    let mut child = import.args(["fast-import", "--quiet", "--force"]).stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), stream.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

type Side = BTreeMap<u8, std::collections::BTreeSet<u8>>;

fn side() -> impl Strategy<Value = Side> {
    prop::collection::btree_map(0..14_u8, prop::collection::btree_set(0..6_u8, 1..4), 0..10)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_merge_has_the_notes_of_gits_own(base in side(), left in side(), right in side(), depths in (0..3_usize, 0..3_usize)) {
        let world = World::new();
        world.commit("one");
        let with_base = |side: &Side| -> BTreeMap<u8, Vec<u8>> {
            let mut all = base.clone();
            side.iter().for_each(|(object, letters)| all.entry(*object).or_default().extend(letters));
            all.into_iter().map(|(object, letters)| (object, letters.into_iter().collect())).collect()
        };
        let empty_tree = world.git(&["hash-object", "-w", "-t", "tree", "/dev/null"]);
        world.git(&["update-ref", "refs/notes/base", &world.git(&["commit-tree", "-m", "", &empty_tree])]);
        write_notes(&world, "refs/notes/base", "refs/notes/base^0", &with_base(&Side::new()), 0);
        write_notes(&world, "refs/notes/ratchet", "refs/notes/base^0", &with_base(&left), depths.0);
        write_notes(&world, "refs/notes/theirs", "refs/notes/base^0", &with_base(&right), depths.1);
        world.git(&["init", "-q", "--bare", "../remote.git"]);
        world.git(&["remote", "add", "origin", "../remote.git"]);
        world.git(&["push", "-q", "origin", "refs/notes/theirs:refs/notes/ratchet"]);
        world.git(&["update-ref", "refs/notes/git", "refs/notes/ratchet"]);
        world.git(&["notes", "--ref=git", "merge", "-q", "-s", "cat_sort_uniq", "refs/notes/theirs"]);
        world.ratchet(&["fetch"]).expect(0);
        let blobs = |notes_ref: &str| world.git(&["notes", &format!("--ref={notes_ref}"), "list"]);
        prop_assert_eq!(blobs("ratchet"), blobs("git"));
        world.git(&["fsck", "--strict"]);
    }
}
