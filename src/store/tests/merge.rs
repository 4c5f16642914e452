//! Uniting local notes with those of others: every line of both sides stays, and the smallest commit that does it is made.

use super::*;
use crate::store::{MAX_NOTE_BYTES, MergeKind, Merged, StoreError, Surplus};

const NOTES: &str = "refs/notes/ratchet";
const THEIRS: &str = "refs/notes/theirs";

/// Sets a notes ref to a new commit, or one on top of it, with exactly these notes.
fn write(world: &World, name: &str, notes: &[(ObjectId, &str)]) -> ObjectId {
    let parent = world.try_id(name).map_or(String::new(), |parent| format!("from {parent}\n"));
    let mut stream = format!("commit {name}\ncommitter C <c@example.com> 1700000000 +0000\ndata 0\n{parent}deleteall\n");
    for (annotated, text) in notes {
        stream += &format!("M 100644 inline {annotated}\ndata {}\n{text}\n", text.len());
    }
    world.git_with_input(&world.dir, &["fast-import", "--quiet"], stream.as_bytes());
    world.id(name)
}

fn merged(world: &World) -> Result<Merged, StoreError> {
    world.store().merge_notes(world.id(THEIRS), "theirs")
}

fn parents(world: &World) -> String {
    world.git(&["log", "-1", "--format=%P", NOTES])
}

fn surplus(lines: usize, records: usize, notes: usize) -> Surplus {
    Surplus { lines, records, notes }
}

#[test]
fn notes_that_nobody_has_here_are_taken_as_they_are() {
    let world = World::new();
    let one = world.commit("one");
    let theirs = write(&world, THEIRS, &[(one, "a\n")]);
    assert!(world.store().is_unmerged(THEIRS).unwrap());
    let done = merged(&world).unwrap();
    assert_eq!((done.kind, done.commit, world.id(NOTES)), (MergeKind::FastForward, theirs, theirs));
    assert_eq!((done.before.here, done.before.there), (surplus(0, 0, 0), surplus(1, 0, 1)));
    assert!(!world.store().is_unmerged(THEIRS).unwrap());
    assert!(!world.store().is_unmerged("refs/notes/nobodys").unwrap());
}

#[test]
fn what_both_sides_added_is_united_in_a_commit_with_both_parents() {
    let world = World::new();
    let [one, two, three, four] = ["one", "two", "three", "four"].map(|content| world.commit(content));
    let entries = text_of(&run_of(two, two, 1));
    let ours = write(&world, NOTES, &[(one, "a\nb\n"), (two, &format!("{entries}\n"))]);
    let theirs = write(&world, THEIRS, &[(one, "b\nc\n"), (three, "d\n"), (four, "e\n")]);
    let objects = || world.git(&["count-objects"]);
    let before = objects();
    assert!(world.store().is_unmerged(THEIRS).unwrap());
    let counted = world.store().compare_notes(theirs).unwrap();
    assert_eq!((world.id(NOTES), objects()), (ours, before), "comparing writes nothing");
    let done = merged(&world).unwrap();
    assert_eq!(done.before, counted);
    assert_eq!((counted.here, counted.there, counted.united), (surplus(3, 1, 2), surplus(3, 0, 3), 1));
    assert_eq!((done.kind, done.commit), (MergeKind::Merge, world.id(NOTES)));
    assert_eq!(parents(&world), format!("{ours} {theirs}"));
    assert!(!world.store().is_unmerged(THEIRS).unwrap(), "the notes here are newer");
    assert_eq!([one, two, three].map(|id| world.shown(id)), ["a\nb\nc".to_owned(), entries, "d".to_owned()]);
    world.fsck();
}

#[test]
fn the_blob_of_the_side_that_has_every_line_is_taken_as_it_is() {
    let world = World::new();
    let (one, two) = (world.commit("one"), world.commit("two"));
    write(&world, NOTES, &[(one, "b\n"), (two, "z\n")]);
    // Not sorted, as somebody may have written it by hand.
    write(&world, THEIRS, &[(one, "b\na\n")]);
    merged(&world).unwrap();
    assert_eq!((world.shown(one), world.shown(two)), ("b\na".to_owned(), "z".to_owned()));
}

#[test]
fn a_descendant_is_taken_as_it_is_unless_it_dropped_a_line() {
    let world = World::new();
    let (one, two) = (world.commit("one"), world.commit("two"));
    let base = write(&world, NOTES, &[(one, "a\n"), (two, "b\n")]);
    world.git(&["update-ref", THEIRS, &base.to_string()]);
    let more = write(&world, THEIRS, &[(one, "a\n"), (two, "b\nc\n")]);
    let done = merged(&world).unwrap();
    assert_eq!((done.kind, world.id(NOTES)), (MergeKind::FastForward, more));
    let less = write(&world, THEIRS, &[(one, "a\n")]);
    let done = merged(&world).unwrap();
    assert_eq!((done.kind, parents(&world)), (MergeKind::Merge, format!("{more} {less}")));
    assert_eq!(world.shown(two), "b\nc", "what others drop stays here");
}

#[test]
fn what_was_merged_before_is_not_brought_back() {
    let world = World::new();
    let (one, two) = (world.commit("one"), world.commit("two"));
    let both = write(&world, THEIRS, &[(one, "a\n"), (two, "b\n")]);
    merged(&world).unwrap();
    let pruned = write(&world, NOTES, &[(one, "a\n")]);
    let done = merged(&world).unwrap();
    assert_eq!((done.kind, done.commit, world.id(NOTES)), (MergeKind::UpToDate, pruned, pruned));
    assert_eq!((done.before.there, world.id(THEIRS)), (surplus(0, 0, 0), both), "nothing of it is new");
}

fn too_large() -> String {
    "x\n".repeat(MAX_NOTE_BYTES as usize / 2 + 1)
}

/// A note that is larger than anybody reads is passed on, where only one side has it, and told where both differ.
#[test]
fn a_note_that_is_too_large_is_kept_and_never_read() {
    let world = World::new();
    let (one, two) = (world.commit("one"), world.commit("two"));
    let large = too_large();
    write(&world, NOTES, &[(one, &large)]);
    write(&world, THEIRS, &[(two, &large)]);
    let done = merged(&world).unwrap();
    assert_eq!((done.kind, done.before.here), (MergeKind::Merge, surplus(1, 0, 1)));
    for annotated in [one, two] {
        let size = world.git(&["cat-file", "-s", &format!("{NOTES}:{annotated}")]);
        assert_eq!(size, large.len().to_string());
    }
    write(&world, THEIRS, &[(one, "a\n")]);
    assert!(matches!(merged(&world), Err(StoreError::NoteTooLarge { annotated }) if annotated == one));
    assert_eq!(world.git(&["cat-file", "-s", &format!("{NOTES}:{one}")]), large.len().to_string());
}

#[test]
fn a_note_that_is_too_large_there_replaces_nothing_here() {
    let world = World::new();
    let one = world.commit("one");
    let ours = write(&world, NOTES, &[(one, "a\n")]);
    write(&world, THEIRS, &[(one, &too_large())]);
    assert!(matches!(merged(&world), Err(StoreError::NoteTooLarge { annotated }) if annotated == one));
    assert_eq!((world.id(NOTES), world.shown(one)), (ours, "a".to_owned()));
}

/// Neither side is too large by itself.
#[test]
fn a_union_that_nobody_could_read_is_not_written() {
    let world = World::new();
    let one = world.commit("one");
    let half = |line: &str| format!("{}{line}\n", "x".repeat(MAX_NOTE_BYTES as usize / 2));
    let ours = write(&world, NOTES, &[(one, &half("a"))]);
    write(&world, THEIRS, &[(one, &half("b"))]);
    assert!(matches!(merged(&world), Err(StoreError::NoteTooLarge { annotated }) if annotated == one));
    assert_eq!(world.id(NOTES), ours);
}

/// A push that lost a race has merged more than once.
#[test]
fn what_several_merges_brought_adds_up() {
    let mut brought = surplus(1, 2, 3);
    brought += surplus(10, 20, 30);
    assert_eq!(brought, surplus(11, 22, 33));
}
