//! Worktrees that are kept or move along, with real git and make: how often something is compiled.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Stdio;

use crate::world::{Ran, World, wait_until};

/// Two files are compiled and linked; each compilation is counted. The program tells a time that stands in one of them.
const MAKEFILE: &str = "program: own.o library.o\n\tcat own.o library.o >program\n\
    %.o: %.c\n\techo $@ >>COUNT\n\ttest ! -e WAIT || { ps -o pgid= -p $$$$ >STARTED.new; mv STARTED.new STARTED; sleep 600; }\n\tcp $< $@\n";

const SETTINGS: &str = r#"
[sampling]
warmup = 0
min_runs = 2
max_runs = 2

[[benchmark]]
name = "work"
build = "make -s"
command = ["cat", "program"]
metrics = [{ name = "time", unit = "ms", regex = "took ([0-9]+) ms" }]
"#;

/// What one worktree compiles from nothing.
const ALL: usize = 2;

struct Lab {
    world: World,
}

impl Lab {
    fn new() -> Self {
        let lab = Self { world: World::new() };
        let beside = |name: &str| lab.beside(name).to_str().unwrap().to_owned();
        let makefile = MAKEFILE.replace("COUNT", &beside("count"));
        lab.world.write("Makefile", &makefile.replace("WAIT", &beside("wait")).replace("STARTED", &beside("started")));
        lab.world.write("ratchet.toml", SETTINGS);
        lab.world.write(".gitignore", "*.o\nprogram\n");
        lab.world.write("library.c", "of others\n");
        lab
    }

    /// The same, and kept worktrees may move to other commits.
    fn incremental() -> Self {
        let lab = Self::new();
        lab.world.write("ratchet.toml", &format!("incremental = true\n{SETTINGS}"));
        lab
    }

    fn keeping(self) -> Self {
        self.world.git(&["config", "ratchet.keepWorktrees", "8"]);
        self
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.world.root().join(name)
    }

    /// A commit whose program takes so long. Files may have any time: a comment makes each commit another one.
    fn commit(&self, milliseconds: u32) -> String {
        self.world.write("own.c", &format!("took {milliseconds} ms\n"));
        self.world.commit(&format!("took {milliseconds} ms, after {:?}", self.world.run(&mut self.count_of_commits()).out))
    }

    fn count_of_commits(&self) -> std::process::Command {
        let mut command = self.world.command("git", &self.world.repo);
        command.args(["rev-list", "--count", "--all"]);
        command
    }

    /// Commits that are equally fast, each with a result, and a candidate that is said to be slower.
    fn suspicious(&self) {
        for (milliseconds, said) in [(10, "10ms"), (10, "10ms"), (10, "20ms")] {
            self.commit(milliseconds);
            self.record(said);
        }
    }

    fn record(&self, time: &str) {
        self.world.ratchet(&["record", "--benchmark", "work", "--metric", &format!("time={time}")]).expect(0);
    }

    fn confirm(&self) -> Ran {
        self.world.ratchet(&["check", "--confirm", "--no-record"])
    }

    /// How often something was compiled since the last question.
    fn compiled(&self) -> usize {
        let file = self.beside("count");
        let counted = fs::read_to_string(&file).unwrap_or_default().lines().count();
        let _ = fs::remove_file(file);
        counted
    }

    fn worktrees(&self) -> usize {
        self.world.git(&["worktree", "list"]).lines().count() - 1
    }
}

#[test]
fn without_a_setting_every_commit_is_built_from_nothing_and_nothing_stays() {
    let lab = Lab::new();
    lab.suspicious();
    for _ in 0..2 {
        lab.confirm().expect(0);
        assert_eq!((lab.compiled(), lab.worktrees()), (3 * ALL, 0));
    }
    assert!(!lab.world.ratchet(&["doctor"]).out.contains("worktrees"));
}

#[test]
fn kept_worktrees_make_the_next_confirmation_build_only_what_is_new() {
    let lab = Lab::new().keeping();
    lab.suspicious();
    let first = lab.confirm().expect(0);
    assert_eq!((lab.compiled(), lab.worktrees()), (3 * ALL, 3), "{}", first.err);
    let again = lab.confirm().expect(0);
    assert_eq!(lab.compiled(), 0);
    assert!(again.err.contains("3 worktrees (3 kept since before)"), "it says what it uses: {}", again.err);
    // The next candidate: its commit was never built, and nothing of another is taken for it.
    lab.commit(10);
    lab.record("20ms");
    let next = lab.confirm().expect(0);
    assert_eq!(lab.compiled(), ALL);
    assert!(next.err.contains("3 kept since before, 1 new") || next.err.contains("2 kept since before, 1 new"), "{}", next.err);
    let doctor = lab.world.ratchet(&["doctor"]).out;
    assert!(doctor.contains("4 worktrees kept with builds"), "{doctor}");
}

#[test]
fn where_builds_are_incremental_a_new_candidate_begins_with_what_an_older_one_left() {
    let lab = Lab::incremental().keeping();
    lab.suspicious();
    lab.confirm().expect(0);
    assert_eq!(lab.compiled(), 3 * ALL);
    lab.commit(30);
    lab.record("30ms");
    let slow = lab.confirm().expect(1);
    assert_eq!(lab.compiled(), 1, "its own file, and not the library: {}", slow.err);
    assert!(slow.err.contains("1 moved from another commit"), "{}", slow.err);
    lab.commit(10);
    lab.record("30ms");
    lab.confirm().expect(0);
    assert_eq!(lab.compiled(), 1, "what was slow is not taken for this");
}

#[test]
fn a_clone_may_say_for_itself_whether_its_builds_are_incremental() {
    let lab = Lab::incremental().keeping();
    lab.world.git(&["config", "ratchet.incremental", "false"]);
    lab.suspicious();
    lab.confirm().expect(0);
    lab.commit(10);
    lab.record("20ms");
    lab.compiled();
    lab.confirm().expect(0);
    assert_eq!(lab.compiled(), ALL);
    for (key, value) in [("ratchet.incremental", "perhaps"), ("ratchet.keepWorktrees", "many")] {
        lab.world.git(&["config", key, value]);
        let refused = lab.world.ratchet(&["check"]).expect(2);
        assert!(refused.err.contains(key) && refused.err.contains(value), "{}", refused.err);
        lab.world.git(&["config", "--unset", key]);
    }
}

#[test]
fn another_build_command_compiler_or_flag_builds_from_nothing() {
    let lab = Lab::incremental().keeping();
    lab.suspicious();
    lab.confirm().expect(0);
    lab.compiled();
    let mut flags = lab.world.ratchet_command(&lab.world.repo, &["check", "--confirm", "--no-record"]);
    lab.world.run(flags.env("CFLAGS", "-O3")).expect(0);
    assert_eq!(lab.compiled(), 3 * ALL, "make would not have noticed");
    let settings = format!("incremental = true\n{}", SETTINGS.replace("make -s", "make -s FAST=1"));
    lab.world.write("ratchet.toml", &settings);
    lab.commit(10);
    lab.record("20ms");
    lab.confirm().expect(0);
    assert!(lab.compiled() >= 3 * ALL);
    lab.confirm().expect(0);
    assert_eq!(lab.compiled(), 0);
    let tools = lab.beside("tools");
    fs::create_dir(&tools).unwrap();
    fs::copy("/bin/sh", tools.join("cc")).unwrap();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    let confirm = || {
        let mut command = lab.world.ratchet_command(&lab.world.repo, &["check", "--confirm", "--no-record"]);
        lab.world.run(command.env("PATH", &path)).expect(0);
        lab.compiled()
    };
    assert!(confirm() >= 3 * ALL);
    assert_eq!(confirm(), 0);
    fs::write(tools.join("cc"), "another compiler").unwrap();
    assert!(confirm() >= 3 * ALL, "a compiler that was replaced");
}

#[test]
fn older_commits_are_measured_in_one_worktree_that_moves_along() {
    let numbers = [10, 11, 12, 13, 14];
    for (lab, expected) in [(Lab::new(), 4 * ALL), (Lab::incremental(), ALL + 3)] {
        numbers.iter().for_each(|number| drop(lab.commit(*number)));
        let ran = lab.world.ratchet(&["bench", "--commits", "HEAD~4..HEAD"]).expect(0);
        assert_eq!((lab.compiled(), lab.worktrees()), (expected, 0), "{}", ran.err);
        let moved = ran.err.contains("4 worktrees (3 moved from another commit, 1 new): ") && ran.err.contains(" of measuring");
        assert_eq!(moved, expected < 4 * ALL, "how long builds took is told: {}", ran.err);
        for (back, number) in numbers.iter().rev().take(4).enumerate() {
            let shown = lab.world.ratchet(&["show", &format!("HEAD~{back}")]).expect(0).out;
            assert!(shown.contains(&format!("{number} ms")) || shown.contains(&format!("{number}.0 ms")), "{shown}");
        }
    }
    let lab = Lab::incremental().keeping();
    numbers.iter().for_each(|number| drop(lab.commit(*number)));
    lab.world.ratchet(&["bench", "--commits", "HEAD~4..HEAD", "--dry-run"]).expect(0);
    assert_eq!((lab.compiled(), lab.worktrees()), (ALL + 3, 1));
    lab.world.ratchet(&["bench", "--commits", "HEAD", "--dry-run"]).expect(0);
    assert_eq!(lab.compiled(), 0);
}

#[test]
fn a_commit_that_does_not_build_spoils_no_later_one() {
    let lab = Lab::incremental().keeping();
    lab.commit(10);
    lab.world.write("Makefile.broken", "");
    fs::copy(lab.world.repo.join("Makefile"), lab.beside("Makefile")).unwrap();
    lab.world.write("Makefile", "program:\n\tfalse\n");
    lab.commit(11);
    fs::copy(lab.beside("Makefile"), lab.world.repo.join("Makefile")).unwrap();
    lab.commit(12);
    lab.world.ratchet(&["bench", "--commits", "HEAD~2..HEAD"]).expect(4);
    assert!(lab.world.ratchet(&["show"]).expect(0).out.contains("12"));
    assert_eq!(lab.worktrees(), 1, "what failed is not kept");
}

#[test]
fn a_search_moves_one_worktree_from_commit_to_commit() {
    let numbers = [10, 10, 10, 10, 10, 20, 20, 20];
    let mut compiled = Vec::new();
    for lab in [Lab::new(), Lab::incremental()] {
        let commits: Vec<String> = numbers.iter().map(|number| lab.commit(*number)).collect();
        let found = lab.world.ratchet(&["bisect", "work", "--old", &commits[0], "--json"]).expect(0).json();
        assert_eq!(found["found"][0]["commit"], *commits[5], "{found:#}");
        compiled.push(lab.compiled());
        assert_eq!(lab.worktrees(), 0);
    }
    assert!(compiled[0] >= 5 * ALL, "{compiled:?}");
    assert!(compiled[1] <= 2 * ALL + 4, "two worktrees, and its own file after each move: {compiled:?}");
}

#[test]
fn two_revisions_that_are_the_same_are_compared_in_two_kept_worktrees() {
    let lab = Lab::new().keeping();
    lab.commit(10);
    for expected in [2 * ALL, 0] {
        lab.world.ratchet(&["compare", "HEAD", "HEAD", "--live", "--pairs", "4"]).expect(0);
        assert_eq!((lab.compiled(), lab.worktrees()), (expected, 2));
    }
}

#[test]
fn killed_in_the_middle_of_a_build_it_costs_that_worktree_only() {
    let lab = Lab::incremental().keeping();
    lab.suspicious();
    lab.confirm().expect(0);
    lab.compiled();
    lab.commit(12);
    lab.record("20ms");
    fs::write(lab.beside("wait"), "").unwrap();
    let mut command = lab.world.ratchet_command(&lab.world.repo, &["check", "--confirm", "--no-record"]);
    let mut child = command.process_group(0).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_until(|| lab.beside("started").exists());
    child.kill().unwrap();
    child.wait().unwrap();
    // Its build is a group of its own, and lives on.
    let group = format!("-{}", fs::read_to_string(lab.beside("started")).unwrap().trim());
    lab.world.run(lab.world.command("kill", &lab.world.repo).args(["-KILL", "--", &group])).expect(0);
    fs::remove_file(lab.beside("wait")).unwrap();
    lab.compiled();
    let ran = lab.confirm().expect(1);
    let compiled = lab.compiled();
    assert!((1..=ALL).contains(&compiled), "{compiled}: {}", ran.err);
    lab.world.git(&["fsck", "--strict", "--no-dangling"]);
    lab.confirm().expect(1);
    assert_eq!(lab.compiled(), 0);
}

#[test]
fn two_at_once_have_worktrees_of_their_own() {
    let lab = Lab::incremental().keeping();
    lab.suspicious();
    lab.confirm().expect(0);
    lab.compiled();
    lab.commit(9);
    lab.record("20ms");
    fs::write(lab.beside("wait"), "").unwrap();
    let mut command = lab.world.ratchet_command(&lab.world.repo, &["check", "--confirm", "--no-record"]);
    let mut first = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_until(|| lab.beside("started").exists());
    fs::remove_file(lab.beside("wait")).unwrap();
    let second = lab.confirm().expect(0);
    assert!(second.err.contains("new"), "{}", second.err);
    // The first one's build is stuck; it is let go of as a user would do it.
    let kill = |signal: &str| {
        let mut command = lab.world.command("kill", &lab.world.repo);
        drop(lab.world.run(command.args([signal, &first.id().to_string()])));
    };
    kill("-INT");
    assert_eq!(first.wait().unwrap().code(), Some(4));
    lab.compiled();
    lab.confirm().expect(0);
    assert_eq!(lab.compiled(), 0, "what the second kept is whole");
}

#[test]
fn a_kept_worktree_that_somebody_changed_is_made_anew() {
    let lab = Lab::new().keeping();
    lab.suspicious();
    lab.confirm().expect(0);
    lab.compiled();
    let first = lab.world.repo.join(".git/ratchet/worktrees/01");
    fs::write(first.join("own.c"), "took 99 ms\n").unwrap();
    lab.confirm().expect(0);
    assert_eq!(lab.compiled(), ALL);
    fs::remove_dir_all(&first).unwrap();
    lab.world.git(&["worktree", "prune"]);
    lab.confirm().expect(0);
    assert_eq!((lab.compiled(), lab.worktrees()), (ALL, 3));
}

#[test]
fn what_is_kept_is_counted_and_removed_on_request() {
    let lab = Lab::new().keeping();
    lab.suspicious();
    lab.confirm().expect(0);
    let would = lab.world.ratchet(&["prune", "--worktrees"]).expect(0);
    assert!(would.out.contains("3 worktrees with builds") && would.out.contains("--yes"), "{}", would.out);
    assert_eq!(lab.worktrees(), 3);
    let object = lab.world.ratchet(&["prune", "--worktrees", "--yes", "--json"]).expect(0).json();
    assert_eq!((&object["worktrees"]["count"], lab.worktrees()), (&3.into(), 0));
    assert!(lab.world.ratchet(&["prune", "--worktrees"]).expect(0).out.contains("no worktrees are kept"));
    lab.world.ratchet(&["prune", "--worktrees", "--missing"]).expect(2);
    lab.confirm().expect(0);
    lab.world.git(&["config", "--unset", "ratchet.keepWorktrees"]);
    assert!(lab.world.ratchet(&["doctor"]).out.contains("3 worktrees kept with builds"));
    lab.confirm().expect(0);
    assert_eq!(lab.worktrees(), 0, "without the setting they go with the next session");
}
