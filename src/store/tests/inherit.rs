//! Which records count for which commit: by tree, wherever the note hangs.

use super::*;
use crate::store::{AnnotatedHistory, StoreWarning, Walk};

fn read(world: &World) -> AnnotatedHistory {
    let store = world.store();
    let history = store.history(&[store.head().unwrap()], Walk::FirstParent).unwrap();
    store.annotated_history(&history, &store.notes().unwrap()).unwrap()
}

/// What counts for HEAD.
fn at_head(world: &World) -> Vec<LineId> {
    let head = world.id("HEAD");
    read(world).commits.iter().find(|commit| commit.commit == head).map(|commit| records(&commit.note)).unwrap_or_default()
}

#[test]
fn amend_keeps_the_measurement_even_when_the_old_commit_is_gone() {
    let world = World::new();
    let first = world.commit("one");
    world.measure(first, 1);
    world.git(&["commit", "-q", "--amend", "-m", "better words"]);
    assert_ne!(world.id("HEAD"), first);
    world.git(&["reflog", "expire", "--expire=now", "--all"]);
    world.git(&["prune", "--expire=now"]);
    assert_eq!(at_head(&world), [record(1)]);
}

#[test]
fn squash_merge_cherry_pick_and_rebase_keep_the_measurement() {
    let world = World::new();
    world.commit("base");
    world.git(&["checkout", "-q", "-b", "topic"]);
    world.commit("step");
    let topic = world.commit("faster");
    world.measure(topic, 1);

    world.git(&["checkout", "-q", "main"]);
    world.git(&["merge", "-q", "--squash", "topic"]);
    world.git(&["commit", "-q", "-m", "squashed"]);
    assert_eq!(at_head(&world), [record(1)], "squash-merge");

    world.git(&["reset", "-q", "--hard", "topic~1"]);
    world.git(&["commit", "-q", "--amend", "-m", "another parent"]);
    world.git(&["cherry-pick", "topic"]);
    assert_ne!(world.id("HEAD"), topic);
    assert_eq!(at_head(&world), [record(1)], "cherry-pick");

    world.git(&["checkout", "-q", "topic"]);
    world.git(&["rebase", "-q", "--force-rebase", "--onto", "main~1", "topic~1"]);
    assert_ne!(world.id("HEAD"), topic);
    assert_eq!(at_head(&world), [record(1)], "rebase");
}

#[test]
fn own_and_inherited_records_are_united_and_each_counts_once() {
    let world = World::new();
    let first = world.commit("one");
    world.measure(first, 1);
    world.git(&["commit", "-q", "--amend", "-m", "better words"]);
    let amended = world.id("HEAD");
    world.measure(amended, 2);
    world.git(&["notes", "--ref=ratchet", "append", "-C", &world.git(&["rev-parse", &note_blob(&world, first)]), "HEAD"]);
    assert_eq!(at_head(&world), [record(1), record(2)]);
}

fn note_blob(world: &World, id: ObjectId) -> String {
    world.git(&["notes", "--ref=ratchet", "list", &id.to_string()])
}

#[test]
fn a_note_copied_onto_other_content_counts_where_it_was_measured_and_warns() {
    let world = World::new();
    let first = world.commit("one");
    world.measure(first, 1);
    let second = world.commit("two");
    world.git(&["notes", "--ref=ratchet", "copy", &first.to_string(), &second.to_string()]);
    let annotated = read(&world);
    assert_eq!(annotated.commits.iter().map(|commit| commit.commit).collect::<Vec<_>>(), [first]);
    assert_eq!(annotated.warnings, [StoreWarning::OtherTree { commits: 1 }]);
}

#[test]
fn lines_of_other_programs_and_versions_are_counted() {
    let world = World::new();
    let first = world.commit("one");
    world.measure(first, 1);
    world.git(&["notes", "--ref=ratchet", "append", "-m", "{\"v\":9}\nplain text", &first.to_string()]);
    let annotated = read(&world);
    assert_eq!(records(&annotated.commits[0].note), [record(1)]);
    assert_eq!(annotated.warnings, [StoreWarning::UnreadableLines { lines: 2, notes: 1 }]);
}

#[test]
fn packed_notes_of_many_commits_are_all_found() {
    let world = World::new();
    let commits: Vec<ObjectId> = (0..30).map(|content| world.commit(&content.to_string())).collect();
    commits.iter().zip(0..).for_each(|(commit, seed)| drop(world.measure(*commit, seed)));
    world.git(&["gc", "-q", "--prune=now"]);
    let annotated = read(&world);
    let found: Vec<ObjectId> = annotated.commits.iter().rev().map(|commit| commit.commit).collect();
    assert_eq!(found, commits);
    assert!(annotated.commits.iter().enumerate().all(|(position, commit)| commit.position == position));
}
