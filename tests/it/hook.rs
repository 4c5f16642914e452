//! The pre-push hook, with real pushes to a real remote.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::world::{Ran, World};

/// A repository whose measured `main` was pushed, with the hook installed.
struct Guarded {
    world: World,
    remote: PathBuf,
}

impl Guarded {
    fn new() -> Self {
        let world = World::new();
        world.commit_measured("one", "10ms");
        world.git_in(world.root(), &["init", "-q", "--bare", "-b", "main", "remote.git"]);
        world.git(&["remote", "add", "origin", "../remote.git"]);
        world.git(&["push", "-q", "-u", "origin", "main"]);
        world.git(&["remote", "set-head", "origin", "main"]);
        world.ratchet(&["hook", "install"]).expect(0);
        Self { remote: world.root().join("remote.git"), world }
    }

    /// `git push` as a user types it, with our program on PATH.
    fn push(&self, arguments: &[&str]) -> Ran {
        let folder = Path::new(env!("CARGO_BIN_EXE_git-ratchet")).parent().unwrap();
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
        let mut push = self.world.command("git", &self.world.repo);
        self.world.run(push.env("PATH", path).arg("push").args(arguments))
    }

    fn remote_has(&self, reference: &str, revision: &str) -> bool {
        let there = self.world.git_in(&self.remote, &["for-each-ref", "--format=%(objectname)", reference]);
        there == self.world.git(&["rev-parse", revision])
    }
}

fn write_hook(path: &Path, script: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, script).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_regression_is_stopped_and_an_excused_one_passes() {
    let guarded = Guarded::new();
    guarded.world.commit_measured("two", "20ms");
    let ran = guarded.push(&["origin", "main"]).expect(1);
    for said in ["main got slower", "git ratchet excuse", "git push --no-verify", "fix it"] {
        assert!(ran.err.contains(said), "{said}: {}", ran.err);
    }
    assert!(!guarded.remote_has("refs/heads/main", "HEAD"));
    guarded.world.ratchet(&["excuse", "b", "--reason", "correctness first"]).expect(0);
    guarded.push(&["origin", "main"]).expect(0);
    assert!(guarded.remote_has("refs/heads/main", "HEAD"));
}

#[test]
fn a_new_branch_is_held_against_the_remotes_main_branch() {
    let guarded = Guarded::new();
    guarded.world.git(&["switch", "-q", "-c", "topic"]);
    guarded.world.commit_measured("two", "20ms");
    let ran = guarded.push(&["--porcelain", "origin", "topic"]).expect(1);
    assert!(ran.err.contains("topic got slower") && !ran.out.contains("slower"), "{}{}", ran.out, ran.err);
    guarded.push(&["--no-verify", "origin", "topic"]).expect(0);
    guarded.world.commit_measured("three", "10ms");
    guarded.push(&["origin", "topic"]).expect(0);
}

#[test]
fn what_is_no_branch_passes_even_after_a_regression() {
    let guarded = Guarded::new();
    guarded.push(&["-q", "origin", "main:other"]).expect(0);
    guarded.world.commit_measured("two", "20ms");
    guarded.world.git(&["tag", "v1"]);
    guarded.push(&["origin", "v1"]).expect(0);
    guarded.push(&["origin", "refs/notes/ratchet"]).expect(0);
    guarded.push(&["origin", "--delete", "other"]).expect(0);
}

#[test]
fn an_unmeasured_branch_warns_or_is_stopped_where_that_is_required() {
    let guarded = Guarded::new();
    guarded.world.commit("two");
    guarded.world.git(&["config", "ratchet.prePush.require", "true"]);
    let ran = guarded.push(&["origin", "main"]).expect(1);
    assert!(ran.err.contains("ratchet.prePush.require"), "{}", ran.err);
    guarded.world.git(&["config", "ratchet.prePush.require", "false"]);
    let ran = guarded.push(&["origin", "main"]).expect(0);
    assert!(ran.err.contains("main was not measured"), "{}", ran.err);
}

#[test]
fn notes_go_along_where_that_is_wanted() {
    let guarded = Guarded::new();
    guarded.world.git(&["config", "ratchet.prePush.pushNotes", "true"]);
    guarded.world.commit_measured("two", "10ms");
    let ran = guarded.push(&["origin", "main"]).expect(0);
    assert!(ran.err.contains("sent 2 records"), "{}", ran.err);
    assert!(guarded.remote_has("refs/notes/ratchet", "refs/notes/ratchet"));
}

#[test]
fn another_hook_runs_first_with_its_input_and_comes_back() {
    let guarded = Guarded::new();
    let world = &guarded.world;
    world.ratchet(&["hook", "uninstall"]).expect(0);
    let hook = world.repo.join(".git/hooks/pre-push");
    assert!(!hook.exists());
    let script = "#!/bin/sh\necho \"other $1\" >&2\ncat >seen\n[ ! -e forbidden ]\n";
    write_hook(&hook, script);
    assert!(world.ratchet(&["hook", "status"]).expect(0).out.contains("another hook"));
    for _ in 0..2 {
        world.ratchet(&["hook", "install"]).expect(0);
    }
    assert!(world.ratchet(&["hook", "status"]).expect(0).out.contains("pre-push.before-ratchet"));
    world.commit_measured("two", "20ms");
    let ran = guarded.push(&["origin", "main"]).expect(1);
    assert!(ran.err.contains("other origin") && ran.err.contains("got slower"), "{}", ran.err);
    let seen = fs::read_to_string(world.repo.join("seen")).unwrap();
    assert!(seen.starts_with("refs/heads/main ") && seen.lines().count() == 1, "{seen:?}");
    fs::write(world.repo.join("forbidden"), "").unwrap();
    let ran = guarded.push(&["origin", "main"]).expect(1);
    assert!(!ran.err.contains("got slower"), "the other hook has the first word: {}", ran.err);
    assert!(world.ratchet(&["hook", "uninstall"]).expect(0).out.contains("before"));
    assert_eq!(fs::read_to_string(&hook).unwrap(), script);
    assert!(world.ratchet(&["hook", "uninstall"]).expect(0).out.contains("not installed"));
    assert_eq!(fs::read_to_string(&hook).unwrap(), script);
}

#[test]
fn hooks_path_and_worktrees_are_respected() {
    let guarded = Guarded::new();
    let world = &guarded.world;
    world.git(&["worktree", "add", "-q", "-b", "topic", "../worktree"]);
    let worktree = world.root().join("worktree");
    assert!(world.ratchet_in(&worktree, &["hook", "status"]).expect(0).out.starts_with("installed"));
    world.ratchet_in(&worktree, &["hook", "uninstall"]).expect(0);
    assert!(!world.repo.join(".git/hooks/pre-push").exists());
    world.git(&["config", "core.hooksPath", "tools/hooks"]);
    fs::create_dir(world.repo.join("below")).unwrap();
    world.ratchet_in(&world.repo.join("below"), &["hook", "install"]).expect(0);
    assert!(world.repo.join("tools/hooks/pre-push").exists());
    world.commit_measured("two", "20ms");
    guarded.push(&["origin", "main"]).expect(1);
}

#[test]
fn without_the_program_a_push_passes_and_says_so() {
    let guarded = Guarded::new();
    guarded.world.commit_measured("two", "20ms");
    let ran = guarded.world.run(guarded.world.command("git", &guarded.world.repo).args(["push", "origin", "main"]));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("git-ratchet is not installed"), "{}", ran.err);
}

#[test]
fn a_reader_that_goes_away_opens_no_gate() {
    let guarded = Guarded::new();
    guarded.world.commit_measured("two", "20ms");
    let tip = guarded.world.git(&["rev-parse", "HEAD"]);
    let script = format!(
        "{{ echo refs/heads/main {tip} refs/heads/main {} | '{}' hook run pre-push origin url; echo $? >code; }} 2>&1 | true",
        guarded.world.git(&["rev-parse", "HEAD~1"]),
        env!("CARGO_BIN_EXE_git-ratchet"),
    );
    guarded.world.run(guarded.world.command("sh", &guarded.world.repo).args(["-c", &script])).expect(0);
    assert_eq!(fs::read_to_string(guarded.world.repo.join("code")).unwrap(), "1\n");
}

#[test]
fn settings_that_cannot_be_read_do_not_stop_a_push() {
    let guarded = Guarded::new();
    guarded.world.write("ratchet.toml", "[[benchmark]\n");
    guarded.world.commit("broken settings");
    let ran = guarded.push(&["origin", "main"]).expect(0);
    assert!(ran.err.contains("cannot judge main"), "{}", ran.err);
}

#[test]
fn a_folder_of_huskys_is_left_to_husky() {
    let world = World::new();
    world.commit("one");
    world.git(&["config", "core.hooksPath", ".husky/_"]);
    world.write(".husky/_/pre-push", "#!/usr/bin/env sh\n. \"$(dirname \"$0\")/h\"\n");
    let refused = world.ratchet(&["hook", "install"]).expect(4).err;
    assert!(refused.contains("husky") && refused.contains(".husky/pre-push: git ratchet hook run pre-push"), "{refused}");
    assert!(!world.repo.join(".husky/_/pre-push.before-ratchet").exists());
}
