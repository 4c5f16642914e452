//! Writing: what plain git reads back, its tree bytes, races.

use super::*;
use crate::store::StoreError;

#[test]
fn plain_git_reads_what_was_appended_and_the_other_way_round() {
    let world = World::new();
    let first = world.commit("one");
    let entries = world.measure(first, 1);
    assert_eq!(world.shown(first), text_of(&entries));

    world.git(&["notes", "--ref=ratchet", "append", "-m", "by hand", &first.to_string()]);
    let more = world.measure(first, 2);
    let shown = world.shown(first);
    for line in [text_of(&entries), text_of(&more), "by hand".into()]
        .iter()
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
    {
        assert!(shown.contains(&line), "{line} is gone from {shown}");
    }
    assert_eq!(world.git(&["rev-list", "--count", "refs/notes/ratchet"]), "3", "one commit for each write");
    world.fsck();
}

#[test]
fn the_same_lines_again_write_nothing() {
    let world = World::new();
    let first = world.commit("one");
    world.measure(first, 1);
    let before = world.id("refs/notes/ratchet");
    let tree = world.store().commit(first).unwrap().tree;
    let again = world.store().append(&[(first, run_of(first, tree, 1))], "Again").unwrap();
    assert_eq!(again.commit, Some(before));
    assert_eq!(world.id("refs/notes/ratchet"), before);
}

/// Ids spread over the whole range, as git's are.
fn spread_id(index: u32) -> ObjectId {
    let mut state = u64::from(index) + 1;
    let mut bytes = [0; 20];
    for byte in &mut bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *byte = (state >> 56) as u8;
    }
    ObjectId::from_bytes(&bytes).unwrap()
}

#[test]
fn the_notes_tree_has_the_bytes_that_git_would_write() {
    for size in [1_u32, 50, 300, 1500] {
        let (ours, plain) = (World::new(), World::new());
        let ids: Vec<ObjectId> = (0..size).map(spread_id).collect();
        let entries = run_of(ids[0], ids[0], 1);
        let lines: Vec<_> = ids.iter().map(|id| (*id, entries.clone())).collect();
        // Two writes, so that the second one edits what the first one wrote.
        let (early, late) = lines.split_at(lines.len() / 2);
        ours.store().append(early, "Early").unwrap();
        ours.store().append(late, "Late").unwrap();

        let note = text_of(&entries) + "\n";
        let blob = plain.git_with_input(&plain.dir, &["hash-object", "-w", "--stdin"], note.as_bytes());
        plain.git(&["notes", "--ref=ratchet", "add", "-C", &blob, &ids[0].to_string()]);
        let pairs: String = ids[1..].iter().map(|id| format!("{} {id}\n", ids[0])).collect();
        plain.git_with_input(&plain.dir, &["notes", "--ref=ratchet", "copy", "--stdin"], pairs.as_bytes());
        let tree = ["rev-parse", "refs/notes/ratchet^{tree}"];
        assert_eq!(plain.git(&tree), ours.git(&tree), "{size} notes");
        assert_eq!(ours.store().notes().unwrap().len(), size as usize);
        ours.fsck();
    }
}

#[test]
fn writers_at_once_lose_nothing() {
    const WRITERS: u64 = 16;
    const WRITES: u64 = 5;
    let world = World::new();
    let first = world.commit("one");
    let tree = world.store().commit(first).unwrap().tree;
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let world = &world;
            scope.spawn(move || {
                let store = world.store();
                for write in 0..WRITES {
                    store.append(&[(first, run_of(first, tree, writer * WRITES + write))], "Race").unwrap();
                }
            });
        }
    });
    let note = Note::decode(&world.store().notes().unwrap().read(first).unwrap());
    assert_eq!(records(&note), (0..WRITERS * WRITES).map(record).collect::<Vec<_>>());
    assert_eq!(world.git(&["rev-list", "--count", "refs/notes/ratchet"]), (WRITERS * WRITES).to_string());
    world.fsck();
}

#[test]
fn a_leftover_lock_is_named() {
    let world = World::new();
    let first = world.commit("one");
    world.measure(first, 1);
    let tree = world.store().commit(first).unwrap().tree;
    for lock in ["refs/notes/ratchet.lock", "packed-refs.lock"] {
        let lock = world.dir.join(".git").join(lock);
        std::fs::write(&lock, "").unwrap();
        let refused = world.store().append(&[(first, run_of(first, tree, 2))], "Locked");
        assert!(matches!(&refused, Err(StoreError::RefLocked { lock: named, .. }) if *named == lock), "{refused:?}");
        std::fs::remove_file(&lock).unwrap();
    }
}

#[test]
fn appending_to_a_note_at_two_depths_unites_it_and_keeps_what_is_no_note() {
    let world = World::new();
    let first = world.commit("one");
    let hex = first.to_string();
    let blob = |text: &str| world.git_with_input(&world.dir, &["hash-object", "-w", "--stdin"], text.as_bytes());
    let (flat, deep, readme) = (blob("flat\n"), blob("deep\n"), blob("hello\n"));
    let below = world.git_with_input(&world.dir, &["mktree"], format!("100644 blob {deep}\t{}\n", &hex[2..]).as_bytes());
    let listing = format!("100644 blob {flat}\t{hex}\n040000 tree {below}\t{}\n100644 blob {readme}\tREADME\n", &hex[..2]);
    let root = world.git_with_input(&world.dir, &["mktree"], listing.as_bytes());
    let commit = world.git(&["commit-tree", "-m", "x", &root]);
    world.git(&["update-ref", "refs/notes/ratchet", &commit]);

    assert_eq!(world.store().notes().unwrap().read(first).unwrap(), b"deep\nflat\n");
    let entries = world.measure(first, 1);
    assert_eq!(world.shown(first), format!("deep\nflat\n{}", text_of(&entries)));
    assert_eq!(world.git(&["show", "refs/notes/ratchet:README"]), "hello");
    world.fsck();
}
