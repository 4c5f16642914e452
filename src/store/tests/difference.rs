//! The walk over two notes trees, held against lists of both.

use std::collections::BTreeMap;

use super::World;
use crate::model::ObjectId;
use crate::store::Store;

/// A notes ref with these notes: path in the notes tree, and text.
fn write(world: &World, name: &str, notes: &[(String, &str)]) {
    let mut stream = format!("commit {name}\ncommitter C <c@example.com> 1700000000 +0000\ndata 0\n\n");
    for (path, text) in notes {
        stream += &format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len());
    }
    world.git_with_input(&world.dir, &["fast-import", "--quiet"], stream.as_bytes());
}

fn id(first: u8, rest: u8) -> String {
    format!("{first:02x}{}", format!("{rest:02x}").repeat(19))
}

fn folders(id: &str, depth: usize) -> String {
    (0..depth).map(|level| format!("{}/", &id[2 * level..2 * level + 2])).collect::<String>() + &id[2 * depth..]
}

fn by_object(store: &Store, name: &str) -> BTreeMap<ObjectId, Vec<u8>> {
    let notes = store.notes_at(name).unwrap();
    notes.ids().map(|annotated| (annotated, notes.read(annotated).unwrap())).collect()
}

#[test]
fn whatever_the_fan_outs_it_finds_what_two_lists_would() {
    for (left_depth, right_depth) in [(0, 0), (0, 1), (1, 0), (2, 1), (0, 3), (3, 2)] {
        let world = World::new();
        world.commit("one");
        let all: Vec<String> = (0..40).map(|i| id(i % 5, i)).collect();
        let shape = |depth: usize, of: &dyn Fn(usize) -> Option<&'static str>| {
            let some = all.iter().enumerate().filter_map(|(i, id)| Some((folders(id, depth), of(i)?)));
            some.collect::<Vec<_>>()
        };
        write(&world, "refs/notes/left", &shape(left_depth, &|i| (i % 7 != 0).then_some("same\n")));
        let right = |i: usize| match i % 11 {
            0 => None,
            1 => Some("other\n"),
            _ => Some("same\n"),
        };
        write(&world, "refs/notes/right", &shape(right_depth, &right));
        let store = world.store();
        let tree = |name: &str| store.notes_commit(name).unwrap().map(|commit| store.tree_of(commit).unwrap());
        let difference = store.difference(tree("refs/notes/left"), tree("refs/notes/right")).unwrap();
        let found: Vec<ObjectId> = difference.notes.iter().map(|note| note.annotated).collect();
        let (lefts, rights) = (by_object(&store, "refs/notes/left"), by_object(&store, "refs/notes/right"));
        let mut expected: Vec<ObjectId> = lefts.keys().chain(rights.keys()).copied().collect();
        expected.sort_unstable();
        expected.dedup();
        expected.retain(|annotated| lefts.get(annotated) != rights.get(annotated));
        assert_eq!(found, expected, "{left_depth} and {right_depth}");
        assert!(difference.left_is_tidy && !found.is_empty());
    }
}

#[test]
fn equal_folders_are_not_opened() {
    let world = World::new();
    world.commit("one");
    let spread = |last: &'static str| -> Vec<(String, &'static str)> {
        (0..60_u8).map(|i| (folders(&id(i, 9), 1), if i == 7 { last } else { "same\n" })).collect()
    };
    write(&world, "refs/notes/left", &spread("left\n"));
    write(&world, "refs/notes/right", &spread("right\n"));
    // A folder that is the same on both sides is taken away: nobody may miss it.
    let equal = world.git(&["rev-parse", "refs/notes/left:05"]);
    let objects = world.dir.join(".git/objects").join(&equal[..2]).join(&equal[2..]);
    std::fs::remove_file(objects).unwrap();
    let store = world.store();
    let tree = |name: &str| store.notes_commit(name).unwrap().map(|commit| store.tree_of(commit).unwrap());
    let difference = store.difference(tree("refs/notes/left"), tree("refs/notes/right")).unwrap();
    assert_eq!(difference.notes.len(), 1);
    assert_eq!(difference.notes[0].annotated.to_string(), id(7, 9));
}

#[test]
fn notes_of_a_tree_with_duplicates_are_merged_and_all_kept() {
    let world = World::new();
    world.commit("one");
    let twice = id(3, 4);
    write(&world, "refs/notes/ratchet", &[(folders(&twice, 0), "a\n"), (folders(&twice, 1), "b\n")]);
    write(&world, "refs/notes/theirs", &[(folders(&twice, 2), "c\n"), (id(5, 6), "d\n")]);
    let store = world.store();
    let theirs = store.notes_at("refs/notes/theirs").unwrap().commit().unwrap();
    let merged = store.merge_notes(theirs, "theirs").unwrap();
    assert_eq!((merged.before.here.lines, merged.before.there.lines, merged.before.united), (2, 2, 1));
    let texts: Vec<Vec<u8>> = by_object(&store, "refs/notes/ratchet").into_values().collect();
    assert_eq!(texts, [b"a\nb\nc\n".to_vec(), b"d\n".to_vec()]);
    world.fsck();
}
