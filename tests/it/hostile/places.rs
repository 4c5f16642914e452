//! Repositories in odd states and on odd disks.

use std::process::Command;

use super::{assert_kept, assert_says};
use crate::world::{Ran, World};

#[test]
fn outside_a_repository_the_place_is_named() {
    let world = World::new();
    for arguments in
        [&["check"][..], &["log"], &["show"], &["bench"], &["init"], &["record", "--benchmark", "b", "--metric", "time=1ms"]]
    {
        let ran = world.ratchet_in(&world.home, arguments).expect(4);
        assert_says(&ran, &["not in a git repository", &world.home.display().to_string()]);
    }
}

#[test]
fn an_unborn_branch_is_told_by_name() {
    let world = World::new();
    for arguments in [&["check"][..], &["log"], &["show"], &["record", "--benchmark", "b", "--metric", "time=1ms"]] {
        let ran = world.ratchet(arguments).expect(4);
        assert_says(&ran, &["main", "no commit yet"]);
    }
}

#[test]
fn a_detached_head_is_recorded_and_checked() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    world.commit("two");
    world.git(&["checkout", "-q", "--detach"]);
    world.record("time=20ms");
    world.ratchet(&["check"]).expect(1);
}

#[test]
fn a_bare_repository_records_and_checks() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    world.commit_measured("two", "20ms");
    let bare = world.root().join("bare.git");
    world.git(&["clone", "-q", "--mirror", ".", bare.to_str().unwrap()]);
    world.ratchet_in(&bare, &["check"]).expect(1);
    world.ratchet_in(&bare, &["record", "--benchmark", "b", "--metric", "time=20ms", "--testbed", "t"]).expect(0);
    assert_says(&world.ratchet_in(&bare, &["bench"]).expect(4), &["bare"]);
    assert_says(&world.ratchet_in(&bare, &["init"]).expect(4), &["bare"]);
}

#[cfg(target_os = "linux")]
#[test]
fn under_a_path_that_is_not_utf_8_what_cannot_be_measured_is_told() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    let odd = world.root().join(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"odd\xff"));
    std::fs::rename(&world.repo, &odd).unwrap();
    std::fs::write(odd.join("ratchet.toml"), "[[benchmark]]\nname = \"b\"\ncommand = \"true\"\n").unwrap();
    world.ratchet_in(&odd, &["check"]).expect(0);
    let mut command = world.command("sh", &odd);
    let ran = world
        .run(command.args(["-c", "\"$ratchet\" bench --commits HEAD 2>&1"]).env("ratchet", env!("CARGO_BIN_EXE_git-ratchet")));
    let said = ran.expect(4).out;
    assert!(said.contains("not UTF-8") && said.contains("rename the folder") && !said.contains("writable"), "{said}");
    assert!(said.lines().last().is_some_and(|line| line.starts_with("error:")), "the error is told last: {said}");
}

#[test]
fn git_dir_subfolders_and_worktrees_lead_to_the_same_notes() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    world.commit_measured("two", "20ms");
    std::fs::create_dir_all(world.repo.join("deep/er")).unwrap();
    world.ratchet_in(&world.repo.join("deep/er"), &["check"]).expect(1);
    world.ratchet_in(&world.home, &["-C", world.repo.to_str().unwrap(), "check"]).expect(1);
    let by_environment = world.run(world.ratchet_command(&world.home, &["check"]).env("GIT_DIR", world.repo.join(".git")));
    by_environment.expect(1);
    let linked = world.root().join("linked");
    world.git(&["worktree", "add", "-q", "--detach", linked.to_str().unwrap(), "HEAD"]);
    world.ratchet_in(&linked, &["check"]).expect(1);
    let record = ["record", "--benchmark", "b", "--metric", "time=20ms", "--testbed", "t"];
    world.ratchet_in(&linked, &record).expect(0);
    assert_eq!(world.records_read(), 2);
}

#[test]
fn without_an_identity_nothing_is_written_and_the_settings_are_named() {
    let world = World::new();
    let commit = world.commit_measured("one", "10ms");
    let before = world.note(&commit);
    let mut command = world.ratchet_command(&world.repo, &["record", "--benchmark", "b", "--metric", "time=1ms"]);
    for name in ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"] {
        command.env_remove(name);
    }
    let ran = world.run(&mut command).expect(4);
    assert_says(&ran, &["user.name", "user.email"]);
    assert_eq!(world.note(&commit), before);
    let mut check = world.ratchet_command(&world.repo, &["check"]);
    world.run(check.env_remove("GIT_AUTHOR_NAME").env_remove("GIT_COMMITTER_NAME")).expect(0);
}

/// Whether this user may mount in a namespace of its own; says why not where it may not.
fn may_mount(test: &str) -> bool {
    let tried = Command::new("unshare").args(["-rm", "sh", "-c", "mount -t tmpfs none /mnt"]).output();
    let reason = match tried {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => format!("unshare: {error}"),
    };
    println!("SKIPPED {test}: no mounts in a namespace here ({reason})");
    false
}

/// Runs a script in a mount namespace, so that its mounts end with it. `$ratchet` is our binary.
fn in_namespace(world: &World, script: &str) -> Ran {
    let mut command = world.command("unshare", &world.repo);
    world.run(command.args(["-rm", "sh", "-c", script]).env("ratchet", env!("CARGO_BIN_EXE_git-ratchet")))
}

const RECORD: &str = "record --benchmark b --metric time=10ms --testbed t";

#[test]
fn a_read_only_repository_is_read_and_refuses_to_be_written() {
    let world = World::new();
    let commit = world.commit_measured("one", "10ms");
    let before = world.note(&commit);
    if !may_mount("a_read_only_repository_is_read_and_refuses_to_be_written") {
        return;
    }
    let read_only = "mount --bind . . && mount -o remount,bind,ro . && cd \"$PWD\" &&";
    in_namespace(&world, &format!("{read_only} \"$ratchet\" check")).expect(0);
    let ran = in_namespace(&world, &format!("{read_only} \"$ratchet\" {RECORD}")).expect(4);
    assert_says(&ran, &["read-only"]);
    assert_eq!(world.note(&commit), before);
}

#[test]
fn an_objects_folder_that_is_none_is_told() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    let objects = world.repo.join(".git/objects");
    let aside = world.root().join("objects");
    std::fs::rename(&objects, &aside).unwrap();
    std::fs::write(&objects, "").unwrap();
    let ran = world.try_record().expect(4);
    assert_says(&ran, &["error:"]);
    std::fs::remove_file(&objects).unwrap();
    std::fs::rename(&aside, &objects).unwrap();
    assert_eq!(world.records_read(), 1);
}

#[test]
fn a_full_disk_is_named_and_the_old_notes_stand() {
    let world = World::new();
    if !may_mount("a_full_disk_is_named_and_the_old_notes_stand") {
        return;
    }
    world.commit_measured("one", "10ms");
    std::fs::create_dir(world.root().join("small")).unwrap();
    let script = format!(
        "mount -t tmpfs -o size=2m none ../small && cp -r .git ../small/.git && cd ../small && git reset -q --hard && \
         git notes --ref=ratchet show >../before && (cat /dev/zero >filler 2>/dev/null; true) && \
         \"$ratchet\" {RECORD} --commit main; code=$?; rm filler; git notes --ref=ratchet show >../after; \
         git fsck --strict >&2 && \"$ratchet\" check >&2 && \"$ratchet\" {RECORD} && exit $code"
    );
    let ran = in_namespace(&world, &script);
    let ran = ran.expect(4);
    assert_says(&ran, &["no space is left"]);
    let read = |name: &str| std::fs::read_to_string(world.root().join(name)).unwrap();
    assert!(!read("before").is_empty());
    assert_kept(&read("before"), &read("after"));
}

#[test]
fn what_a_partial_clone_left_out_is_told_with_the_command_that_brings_it() {
    let world = World::new();
    world.commit_measured("one", "10ms");
    world.commit_measured("two", "20ms");
    world.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", world.repo.display());
    for filter in ["blob:none", "tree:0"] {
        world.git_in(world.root(), &["clone", "-q", &format!("--filter={filter}"), &url, filter]);
        let clone = world.root().join(filter);
        world.ratchet_in(&clone, &["fetch"]).expect(0);
        world.ratchet_in(&clone, &["check"]).expect(1);
        let ran = world.ratchet_in(&clone, &["explain"]);
        assert_says(&ran.expect(4), &["partial clone", "git fetch --refetch --no-filter"]);
        world.git_in(&clone, &["fetch", "-q", "--refetch", "--no-filter"]);
        world.ratchet_in(&clone, &["explain"]).expect(0);
    }
}
