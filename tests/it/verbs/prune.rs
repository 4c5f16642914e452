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
