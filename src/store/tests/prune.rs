//! What may go: the notes that nothing reachable needs, and nothing else. One commit takes them away.

use chrono::{DateTime, Utc};

use super::*;
use crate::store::{PruneRequest, Pruned, StoreError};

const ALL: PruneRequest = PruneRequest { before: None, missing: false };

fn prunable(world: &World, request: PruneRequest) -> Pruned {
    world.store().prunable(&request).unwrap()
}

/// Commits content on a branch of its own, which is then deleted, and measures it.
fn abandoned(world: &World, content: &str, seed: u64) -> ObjectId {
    world.git(&["checkout", "-q", "-b", "side"]);
    let commit = world.commit(content);
    world.measure(commit, seed);
    world.git(&["checkout", "-q", "main"]);
    world.git(&["branch", "-q", "-D", "side"]);
    commit
}

#[test]
fn the_note_of_an_abandoned_commit_goes_in_one_commit_and_every_other_stays() {
    let world = World::new();
    let one = world.commit("one");
    let kept = text_of(&world.measure(one, 1));
    let gone = [abandoned(&world, "slow", 2), abandoned(&world, "slower", 3)];
    let before = world.id("refs/notes/ratchet");
    let found = prunable(&world, ALL);
    let mut ascending = gone;
    ascending.sort_unstable();
    assert_eq!(found, Pruned { commits: ascending.to_vec(), records: 2, ..Pruned::default() });
    assert_eq!(world.id("refs/notes/ratchet"), before, "finding writes nothing");
    assert_eq!(world.store().prune(&ALL).unwrap(), found);
    assert_eq!(world.git(&["rev-parse", "refs/notes/ratchet^"]), before.to_string());
    assert_eq!(world.git(&["notes", "--ref=ratchet", "list"]).lines().count(), 1);
    assert_eq!(world.shown(one), kept);
    assert_eq!(world.store().prune(&ALL).unwrap(), Pruned::default());
    assert_eq!(world.git(&["rev-parse", "refs/notes/ratchet^"]), before.to_string(), "nothing to take away, no commit");
    world.fsck();
}

#[test]
fn whatever_leads_to_a_commit_holds_its_note() {
    let world = World::new();
    world.commit("one");
    let side = abandoned(&world, "side", 2).to_string();
    let stays = |names: &[&str]| {
        world.git(names);
        assert_eq!(prunable(&world, ALL).commits, [], "{names:?}");
    };
    stays(&["tag", "-a", "-m", "annotated", "v1", &side]);
    world.git(&["tag", "-d", "v1"]);
    stays(&["update-ref", "refs/remotes/origin/side", &side]);
    world.git(&["update-ref", "-d", "refs/remotes/origin/side"]);
    let worktree = world.dir.with_file_name("worktree");
    stays(&["worktree", "add", "-q", "--detach", worktree.to_str().unwrap(), &side]);
    world.git(&["worktree", "remove", worktree.to_str().unwrap()]);
    // Refs to what is no commit, and those of notes, lead to nothing.
    let blob = world.git(&["rev-parse", "HEAD:file"]);
    world.git(&["tag", "a-blob", &blob]);
    world.git(&["update-ref", "refs/notes/others", &side]);
    assert_eq!(prunable(&world, ALL).commits.len(), 1);
}

#[test]
fn a_note_stays_while_a_reachable_commit_has_the_tree_that_was_measured() {
    let world = World::new();
    world.commit("one");
    abandoned(&world, "squashed", 2);
    // Not on the same parent, where it could be the same commit.
    world.commit("meanwhile");
    world.commit("squashed");
    assert_eq!(prunable(&world, ALL), Pruned { same_tree: 1, ..Pruned::default() });
}

#[test]
fn an_excuse_counts_as_a_run_does() {
    let world = World::new();
    let one = world.commit("one");
    let gone = abandoned(&world, "gone", 2);
    let store = world.store();
    let excuse = |tree: ObjectId, seconds: i64| Excuse {
        id: LineId::from_parts(seconds as u64, 9),
        time: DateTime::from_timestamp(seconds, 0).unwrap(),
        author: Author { name: "Ada".into(), email: String::new() },
        tree,
        scope: ExcuseScope::default(),
        reason: "why".into(),
        until: None,
        expires: None,
    };
    let own_tree = store.commit(gone).unwrap().tree;
    let young = excuse(own_tree, 1_800_000_000);
    store.append(&[(gone, vec![Entry::Excuse(young)])], "Excuse").unwrap();
    let before = |seconds| PruneRequest { before: DateTime::<Utc>::from_timestamp(seconds, 0), missing: false };
    assert_eq!(prunable(&world, before(1_800_000_000)), Pruned { young: 1, ..Pruned::default() });
    assert_eq!(prunable(&world, before(1_800_000_001)).commits, [gone]);
    let elsewhere = excuse(store.commit(one).unwrap().tree, 1_700_000_001);
    store.append(&[(gone, vec![Entry::Excuse(elsewhere)])], "Excuse").unwrap();
    assert_eq!(prunable(&world, ALL), Pruned { same_tree: 1, ..Pruned::default() });
}

#[test]
fn what_cannot_be_judged_stays() {
    let world = World::new();
    world.commit("one");
    let gone = abandoned(&world, "gone", 2);
    world.git(&["notes", "--ref=ratchet", "append", "-m", "of a later version", &gone.to_string()]);
    let foreign: ObjectId = "0123456789012345678901234567890123456789".parse().unwrap();
    let tree: ObjectId = "1123456789012345678901234567890123456789".parse().unwrap();
    world.store().append(&[(foreign, run_of(foreign, tree, 3))], "Elsewhere").unwrap();
    assert_eq!(prunable(&world, ALL), Pruned { unreadable: 1, missing: 1, ..Pruned::default() });
    let also_missing = PruneRequest { missing: true, ..ALL };
    assert_eq!(prunable(&world, also_missing), Pruned { unreadable: 1, commits: vec![foreign], records: 1, ..Pruned::default() });
    let shallow = world.clone_as("shallow", &["--depth", "1"]);
    assert!(matches!(shallow.store().prune(&ALL), Err(StoreError::ShallowPrune)));
}
