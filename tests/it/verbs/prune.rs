//! Notes of commits that are gone: what goes, what stays, and that nothing goes unasked.

use serde_json::Value;

use crate::world::World;

/// `main` with one measured commit, and a measured branch that was deleted.
fn with_a_deleted_branch() -> (World, String) {
    let world = World::new();
    world.commit_measured("one", "10ms");
    world.git(&["checkout", "-q", "-b", "topic"]);
    let gone = world.commit_measured("two", "11ms");
    world.git(&["checkout", "-q", "main"]);
    world.git(&["branch", "-q", "-D", "topic"]);
    (world, gone)
}

fn noted(world: &World, commit: &str) -> bool {
    world.git(&["notes", "--ref=ratchet", "list"]).contains(commit)
}

fn json(world: &World, arguments: &[&str]) -> Value {
    world.ratchet(&[&["prune", "--json"], arguments].concat()).expect(0).json()
}

#[test]
fn a_deleted_branch_is_shown_first_and_dropped_when_asked() {
    let (world, gone) = with_a_deleted_branch();
    let before = world.git(&["rev-parse", "refs/notes/ratchet"]);
    let shown = world.ratchet(&["prune"]).expect(0).out;
    assert!(shown.contains(&gone[..8]) && shown.contains("--yes"), "{shown}");
    assert_eq!(world.git(&["rev-parse", "refs/notes/ratchet"]), before, "nothing goes unasked");
    let done = world.ratchet(&["prune", "--yes"]).expect(0).out;
    assert!(done.contains("dropped 1 note with 1 record"), "{done}");
    assert!(!noted(&world, &gone) && noted(&world, &world.git(&["rev-parse", "HEAD"])));
    assert!(world.ratchet(&["prune", "--yes"]).expect(0).out.contains("nothing to prune"));
    world.git(&["fsck", "--strict"]);
    world.ratchet(&["check"]).expect(0);
}

#[test]
fn what_was_measured_before_a_squash_merge_stays() {
    let (world, gone) = with_a_deleted_branch();
    world.git(&["merge", "-q", "--squash", &gone]);
    world.git(&["commit", "-q", "-m", "squashed"]);
    let pruned = json(&world, &["--yes"]);
    assert_eq!((&pruned["commits"], &pruned["kept"]["same_tree"]), (&serde_json::json!([]), &serde_json::json!(1)), "{pruned:#}");
    assert!(noted(&world, &gone));
    assert!(world.ratchet(&["show", "HEAD"]).expect(0).out.contains("11"));
}

#[test]
fn tags_worktrees_and_other_branches_hold_their_notes() {
    for hold in [
        &["tag", "v1"][..],
        &["branch", "other"],
        &["update-ref", "refs/remotes/origin/x"],
        &["worktree", "add", "-q", "../tree"],
    ] {
        let (world, gone) = with_a_deleted_branch();
        world.git(&[hold, &[&gone]].concat());
        assert_eq!(json(&world, &[])["commits"], serde_json::json!([]), "{hold:?}");
    }
}

#[test]
fn young_foreign_and_unreadable_notes_stay() {
    let (world, gone) = with_a_deleted_branch();
    assert_eq!(json(&world, &["--older-than", "1d"])["kept"]["young"], 1);
    for wrong in ["1", "d", "-1d", "1h", "99999999999999999999y", "é"] {
        world.ratchet(&["prune", "--older-than", wrong]).expect(2);
    }
    // A note of a commit that was never fetched.
    let unknown = "1".repeat(40);
    let blob = world.git(&["notes", "--ref=ratchet", "list", &gone]);
    let listed = world.git(&["ls-tree", "refs/notes/ratchet"]);
    let tree = format!("{listed}\n100644 blob {blob}\t{unknown}\n");
    world.write("tree", &tree);
    let input = std::fs::File::open(world.repo.join("tree")).unwrap();
    let tree = world.run(world.command("git", &world.repo).arg("mktree").stdin(input)).expect(0).out;
    let commit = world.git(&["commit-tree", "-p", "refs/notes/ratchet", "-m", "x", tree.trim()]);
    world.git(&["update-ref", "refs/notes/ratchet", &commit]);
    let pruned = json(&world, &[]);
    assert_eq!((pruned["kept"]["missing"].as_u64(), pruned["commits"].as_array().unwrap().len()), (Some(1), 1), "{pruned:#}");
    assert_eq!(json(&world, &["--missing"])["commits"].as_array().unwrap().len(), 2);
    world.git(&["notes", "--ref=ratchet", "append", "-m", "{\"v\":2}", &gone]);
    assert_eq!(json(&world, &["--yes"])["kept"]["unreadable"], 1);
    assert!(noted(&world, &gone) && noted(&world, &unknown));
}

#[test]
fn a_shallow_clone_cannot_tell_what_is_unreachable() {
    let (world, _) = with_a_deleted_branch();
    world.commit("three");
    world.git_in(world.root(), &["clone", "-q", "--depth=1", &format!("file://{}", world.repo.display()), "shallow"]);
    let shallow = world.root().join("shallow");
    let ran = world.ratchet_in(&shallow, &["prune", "--yes"]).expect(4);
    assert!(ran.err.contains("git fetch --unshallow"), "{}", ran.err);
}

/// The number of values that the notes keep of each record of a commit, ascending.
fn samples(world: &World, commit: &str) -> Vec<usize> {
    let shown = world.ratchet(&["show", commit, "--json"]).expect(0).json();
    let values = |record: &Value| record["sample"].as_array().map_or(0, Vec::len);
    let mut samples: Vec<usize> = shown["records"].as_array().unwrap().iter().map(values).collect();
    samples.sort_unstable();
    samples
}

/// Two levels, the older of them the best: 10 ms for six commits and 20 ms for six more.
fn with_two_levels() -> World {
    let world = World::new();
    for at in 0..12 {
        world.commit(&format!("commit {at}"));
        let level = if at < 6 { 10.0 } else { 20.0 };
        let values: Vec<String> =
            (0..40).map(|value| format!("{}ms", level + f64::from(at % 3) / 100.0 + f64::from(value) / 1000.0)).collect();
        world.record(&format!("time={}", values.join(",")));
    }
    world
}

#[test]
fn samples_are_thinned_but_not_those_that_hold_a_level() {
    let world = with_two_levels();
    let check = || world.ratchet(&["check", "--json", "--against", "HEAD~1"]).json();
    let (before, tip) = (check(), world.git(&["rev-parse", "refs/notes/ratchet"]));
    let shown = json(&world, &["--thin-samples", "0d"]);
    assert_eq!(world.git(&["rev-parse", "refs/notes/ratchet"]), tip, "nothing goes unasked");
    let done = json(&world, &["--thin-samples", "0d", "--yes"]);
    assert_eq!(done["thinned"], shown["thinned"]);
    let (thinned, held) = (done["thinned"]["records"].as_u64().unwrap(), done["thinned"]["held"].as_u64().unwrap());
    assert!(thinned >= 4 && held >= 2 && thinned + held == 12, "{done:#}");
    let commits: Vec<String> = world.git(&["rev-list", "HEAD"]).lines().map(str::to_owned).collect();
    let kept = |commits: &[String]| commits.iter().filter(|commit| samples(&world, commit) == [40]).count();
    let (newer, older) = (kept(&commits[..6]), kept(&commits[6..]));
    assert!(newer >= 1 && older >= 1 && newer + older == held as usize, "each level keeps a sample: {newer} {older}");
    for commit in before["series"][0]["baseline"]["commits"].as_array().unwrap() {
        assert_eq!(samples(&world, commit.as_str().unwrap()), [40], "the baseline keeps its samples");
    }
    assert_eq!(check(), before, "the verdict rests on statistics");
    assert_eq!(json(&world, &["--thin-samples", "0d"])["thinned"]["records"], 0);
    assert_eq!(json(&with_two_levels(), &["--thin-samples", "1d"])["thinned"]["records"], 0, "they are young");
    world.ratchet(&["prune", "--thin-samples", "soon"]).expect(2);
    world.git(&["fsck", "--strict"]);
}

#[test]
fn a_thinned_record_that_meets_its_sample_again_counts_once_with_it() {
    let world = with_two_levels();
    world.git_in(world.root(), &["init", "-q", "--bare", "-b", "main", "remote.git"]);
    world.git(&["remote", "add", "origin", "../remote.git"]);
    world.git(&["push", "-q", "origin", "main"]);
    world.ratchet(&["push"]).expect(0);
    world.git_in(world.root(), &["clone", "-q", "remote.git", "other"]);
    let other = world.root().join("other");
    world.ratchet_in(&other, &["fetch"]).expect(0);
    json(&world, &["--thin-samples", "0d", "--yes"]);
    let thin_tip = world.git(&["rev-parse", "refs/notes/ratchet^{tree}"]);
    world.ratchet(&["push"]).expect(0);
    assert_eq!(world.git_in(&world.root().join("remote.git"), &["rev-parse", "refs/notes/ratchet^{tree}"]), thin_tip);
    // The other clone still has the samples, and brings them back with what it pushes next.
    let record = ["record", "--benchmark", "b", "--metric", "time=20ms", "--testbed", "t"];
    world.ratchet_in(&other, &record).expect(0);
    world.ratchet_in(&other, &["push"]).expect(0);
    world.ratchet(&["fetch"]).expect(0);
    let commits: Vec<String> = world.git(&["rev-list", "HEAD~1"]).lines().map(str::to_owned).collect();
    assert!(commits.iter().all(|commit| samples(&world, commit) == [40]));
    let checked = world.ratchet(&["check", "--json", "--against", "HEAD~1"]).json();
    let codes: Vec<_> = checked["warnings"].as_array().unwrap().iter().map(|warning| warning["code"].clone()).collect();
    assert!(!codes.contains(&"unreadable_lines".into()), "{codes:?}");
    json(&world, &["--thin-samples", "0d", "--yes"]);
    let still = |commit: &&String| samples(&world, commit) == [40];
    assert!(commits.iter().filter(still).count() < commits.len(), "thinned again");
}

#[test]
fn what_was_pruned_and_thinned_comes_back_with_the_command_that_is_told() {
    let world = with_two_levels();
    world.git(&["checkout", "-q", "-b", "topic"]);
    let gone = world.commit_measured("gone", "9ms");
    world.git(&["checkout", "-q", "main"]);
    world.git(&["branch", "-q", "-D", "topic"]);
    let before = world.git(&["rev-parse", "refs/notes/ratchet"]);
    let said = world.ratchet(&["prune", "--thin-samples", "0d", "--yes"]).expect(0).out;
    assert!(said.contains("dropped 1 note") && said.contains("took ") && !noted(&world, &gone), "{said}");
    let command = said.lines().find_map(|line| line.split_once("takes it back: git ")).unwrap().1;
    world.git(&command.split(' ').collect::<Vec<_>>());
    assert_eq!(world.git(&["rev-parse", "refs/notes/ratchet"]), before);
}

#[test]
fn a_note_that_stands_twice_goes_like_any_other() {
    let (world, gone) = with_a_deleted_branch();
    let kept = world.git(&["rev-parse", "HEAD"]);
    let list = world.git(&["notes", "--ref=ratchet", "list"]);
    let entries = list.lines().map(|line| {
        let (blob, commit) = line.split_once(' ').unwrap();
        format!("100644 blob {blob}\t{commit}\n")
    });
    let blob = list.lines().find(|line| line.ends_with(&gone)).unwrap().split(' ').next().unwrap();
    let folder = world.git_with_input(&["mktree"], format!("100644 blob {blob}\t{}\n", &gone[2..]).as_bytes());
    let entries: Vec<String> = entries.chain([format!("040000 tree {}\t{}\n", folder.trim(), &gone[..2])]).collect();
    let tree = world.git_with_input(&["mktree"], entries.concat().as_bytes());
    let commit = world.git(&["commit-tree", "-m", "two depths", "-p", "refs/notes/ratchet", tree.trim()]);
    world.git(&["update-ref", "refs/notes/ratchet", &commit]);
    assert!(world.ratchet(&["prune", "--yes"]).expect(0).out.contains("dropped 1 note"));
    assert!(!noted(&world, &gone) && noted(&world, &kept));
}
