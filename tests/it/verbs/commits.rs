//! `bench --commits`: older commits, each checked out beside the user's files.

use std::fs;

use crate::world::World;

/// Four commits whose `code` is slow by so much; the settings came with the last. Measuring says so in a file beside the repository.
fn world() -> (World, Vec<String>) {
    let world = World::new();
    let mut commits: Vec<String> = ["1", "1", "broken", "2"]
        .iter()
        .enumerate()
        .map(|(number, code)| {
            world.write("number", &number.to_string());
            world.commit(code)
        })
        .collect();
    let settings = r#"
[sampling]
warmup = 0
max_runs = 3

[[benchmark]]
name = "code"
command = "cat code >>$SEEN && ! grep -q broken code && cat code"
metrics = [{ name = "work", regex = '\d+', better = "lower", exact = true }]
"#;
    world.write("ratchet.toml", settings);
    world.write("code", "2");
    world.git(&["add", "-A"]);
    world.git(&["commit", "-q", "-m", "Settings"]);
    commits.push(world.git(&["rev-parse", "HEAD"]));
    (world, commits)
}

fn bench(world: &World, arguments: &[&str]) -> crate::world::Ran {
    let mut command = world.ratchet_command(&world.repo, &[&["bench", "--commits"], arguments].concat());
    world.run(command.env("SEEN", world.root().join("seen")))
}

/// What was executed since the last question.
fn seen(world: &World) -> String {
    let file = world.root().join("seen");
    let seen = fs::read_to_string(&file).unwrap_or_default();
    let _ = fs::remove_file(file);
    seen
}

fn has_results(world: &World, commit: &str) -> bool {
    world.ratchet(&["show", commit]).out.contains("work")
}

#[test]
fn older_commits_get_results_and_the_users_files_are_left_alone() {
    let (world, commits) = world();
    world.write("code", "the user is at work here");
    let ran = bench(&world, &["HEAD~4..HEAD~2"]).expect(4);
    assert!(ran.out.contains("commit ") && ran.out.contains("recorded 1 result on"), "{}", ran.out);
    assert!(ran.err.contains("2 commits in temporary worktrees") && ran.err.contains("failed with exit code 1"), "{}", ran.err);
    let measured: Vec<bool> = commits.iter().map(|commit| has_results(&world, commit)).collect();
    assert_eq!(measured, [false, true, false, false, false], "the old end is left out, and a broken commit stops nothing");
    assert_eq!(seen(&world), "111broken");
    assert_eq!(fs::read_to_string(world.repo.join("code")).unwrap(), "the user is at work here");
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 1);

    bench(&world, &["HEAD~4..HEAD~3"]).expect(0);
    assert_eq!(seen(&world), "", "what has its results is passed over");
    bench(&world, &[&commits[0]]).expect(0);
    bench(&world, &["HEAD~2.."]).expect(0);
    assert_eq!(seen(&world).matches('1').count(), 3);
    let checked = world.ratchet(&["check", "HEAD~1", "--history", "first-parent"]).expect(1);
    assert!(checked.out.contains("regression"), "{}", checked.out);
}

#[test]
fn the_commit_is_said_before_it_is_measured() {
    let (world, _) = world();
    let out = world.root().join("out");
    world.write("ratchet.toml", "[[benchmark]]\nname = \"code\"\ncommand = \"cp $SHOWN $SEEN && cat code\"\nmetrics = [{ name = \"work\", regex = '\\d+', better = \"lower\", exact = true }]\n[sampling]\nmax_runs = 3\n");
    let mut command = world.ratchet_command(&world.repo, &["bench", "--commits", "HEAD~1..HEAD"]);
    command.env("SEEN", world.root().join("seen")).env("SHOWN", &out).stdout(fs::File::create(&out).unwrap());
    assert!(command.status().unwrap().success());
    let seen = seen(&world);
    assert!(seen.starts_with("commit ") && seen.contains("(1 of 1) Settings"), "{seen}");
}

#[test]
fn a_rehearsal_records_nothing_and_a_bare_repository_can_be_measured() {
    let (world, commits) = world();
    bench(&world, &[&commits[0], "--dry-run"]).expect(0);
    assert_eq!(seen(&world), "111");
    assert!(!has_results(&world, &commits[0]));
    world.git_in(world.root(), &["clone", "-q", "--bare", world.repo.to_str().unwrap(), "bare.git"]);
    let bare = world.root().join("bare.git");
    let mut command = world.ratchet_command(&bare, &["bench", "--commits", "HEAD~1"]);
    world.run(command.env("SEEN", world.root().join("seen"))).expect(0);
    assert_eq!(seen(&world), "222");
    assert!(world.ratchet_in(&bare, &["show", "HEAD~1"]).out.contains("work"));
    assert!(world.ratchet_in(&bare, &["bench"]).expect(4).err.contains("--commits"));
}

/// Git gives a hook the index of the commit that is being made, and older commits are checked out while it runs.
#[test]
fn in_a_hook_the_users_commit_stays_theirs_and_builds_see_their_own() {
    let (world, commits) = world();
    world.write(
        "ratchet.toml",
        "[sampling]\nwarmup = 0\nmin_runs = 2\nmax_runs = 2\n\n[[benchmark]]\nname = \"code\"\n\
         command = \"git rev-parse HEAD >>$SEEN && git add -A && git diff --cached --quiet\"\n",
    );
    world.git(&["commit", "-q", "-a", "-m", "Settings"]);
    let hook = |name: &str| {
        let ratchet = env!("CARGO_BIN_EXE_git-ratchet");
        let script =
            format!("#!/bin/sh\nSEEN='{}' '{ratchet}' bench --commits {}\n", world.root().join("seen").display(), commits[0]);
        let file = world.repo.join(".git/hooks").join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, script).unwrap();
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        file
    };
    for name in ["pre-commit", "post-commit"] {
        let file = hook(name);
        for way in [&["-a"][..], &["code"]] {
            let content = format!("{name} {way:?}");
            world.write("code", &content);
            world.git(&[&["commit", "-q", "-m", "one more"], way].concat());
            assert_eq!(world.git(&["show", "HEAD:code"]), content);
            assert_eq!(world.git(&["status", "--porcelain"]), "", "{content}");
            let seen = seen(&world);
            assert!(!seen.is_empty() && seen.lines().all(|line| line == commits[0]), "{content}: {seen}");
            world.git(&["update-ref", "-d", "refs/notes/ratchet"]);
        }
        fs::remove_file(file).unwrap();
    }
}

#[test]
fn a_commit_that_has_its_results_is_measured_again_on_request() {
    let (world, commits) = world();
    for _ in 0..2 {
        bench(&world, &["HEAD~4..HEAD~3"]).expect(0);
    }
    let runs = || world.ratchet(&["show", &commits[1], "--json"]).expect(0).json()["runs"].as_array().unwrap().len();
    assert_eq!(runs(), 1);
    bench(&world, &[&commits[1], "--again", "--runs", "2"]).expect(0);
    assert_eq!(runs(), 3);
    world.ratchet(&["bench", "--again"]).expect(2);
}

#[test]
fn a_range_that_is_none_is_refused() {
    let (world, _) = world();
    world.git(&["checkout", "-q", "--orphan", "other"]);
    world.git(&["commit", "-q", "-m", "other"]);
    for (range, said) in [
        ("main..main~2", "write the older one first"),
        ("main~2...main", "three dots"),
        ("other..main", "no commit in common"),
        ("nowhere..main", "nowhere"),
    ] {
        let ran = bench(&world, &[range]);
        assert!(ran.code == 2 || ran.code == 4, "{range}: {}", ran.code);
        assert!(ran.err.contains(said), "{range}: {}", ran.err);
    }
    bench(&world, &["main", "--list"]).expect(2);
    assert_eq!(seen(&world), "");
}

#[test]
fn a_commit_that_cannot_be_checked_out_does_not_keep_others_from_being_measured() {
    let (world, commits) = world();
    world.git(&["checkout", "-q", &commits[0]]);
    world.write(".gitattributes", "*.big filter=gone");
    world.write("a.big", "large");
    world.git(&["add", "-A"]);
    world.git(&["commit", "-q", "-m", "A file that is elsewhere"]);
    world.git(&["rm", "-q", "a.big"]);
    world.git(&["commit", "-q", "-m", "Without it"]);
    world.git(&["config", "filter.gone.required", "true"]);
    world.git(&["config", "filter.gone.smudge", "false"]);
    world.write("ratchet.toml", &world.git(&["show", "main:ratchet.toml"]));
    let ran = bench(&world, &["HEAD~2..HEAD"]).expect(4);
    assert!(ran.err.contains("smudge filter"), "{}", ran.err);
    assert!(!has_results(&world, "HEAD~1") && has_results(&world, "HEAD"));
}
