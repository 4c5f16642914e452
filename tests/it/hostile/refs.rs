//! Notes refs that are not what they should be.

use super::{assert_kept, assert_says};
use crate::world::World;

#[test]
fn a_notes_ref_that_is_no_commit_is_refused_and_left_alone() {
    for kind in ["tree", "blob", "tag"] {
        let world = World::new();
        world.commit("one");
        world.git(&["tag", "-a", "-m", "a tag", "marked"]);
        let target = match kind {
            "tree" => "HEAD^{tree}",
            "blob" => "HEAD:code",
            _ => "refs/tags/marked",
        };
        let id = world.git(&["rev-parse", target]);
        world.write_ref(&id);
        for arguments in [&["check"][..], &["log"], &["show"], &["record", "--benchmark", "b", "--metric", "time=1ms"]] {
            let ran = world.ratchet(arguments).expect(4);
            assert_says(&ran, &["refs/notes/ratchet", kind, "git update-ref -d"]);
        }
        assert_eq!(world.read_ref(), id);
    }
}

#[test]
fn a_notes_ref_to_a_missing_object_or_of_garbage_is_told() {
    let world = World::new();
    world.commit("one");
    for content in ["1234567812345678123456781234567812345678", "garbage", ""] {
        world.write_ref(content);
        for arguments in [&["check"][..], &["record", "--benchmark", "b", "--metric", "time=1ms"]] {
            let ran = world.ratchet(arguments).expect(4);
            assert_says(&ran, &["error:"]);
        }
        assert_eq!(world.read_ref(), content);
    }
}

#[test]
fn a_symbolic_notes_ref_is_followed_for_reading_and_writing() {
    let world = World::new();
    let commit = world.commit_measured("one", "10ms");
    world.git(&["update-ref", "refs/notes/elsewhere", "refs/notes/ratchet"]);
    world.git(&["update-ref", "-d", "refs/notes/ratchet"]);
    world.git(&["symbolic-ref", "refs/notes/ratchet", "refs/notes/elsewhere"]);
    let before = world.note(&commit);
    world.record("time=11ms");
    assert_eq!(world.records_read(), 2);
    assert_eq!(world.git(&["symbolic-ref", "refs/notes/ratchet"]), "refs/notes/elsewhere");
    assert_kept(&before, &world.git(&["notes", "--ref=elsewhere", "show", &commit]));
}

#[test]
fn a_symbolic_notes_ref_to_nothing_yet_becomes_the_first_note() {
    let world = World::new();
    world.commit("one");
    world.git(&["symbolic-ref", "refs/notes/ratchet", "refs/notes/elsewhere"]);
    world.try_record().expect(0);
    assert_eq!(world.records_read(), 1);
}

#[test]
fn a_leftover_lock_is_named_and_loses_nothing() {
    let world = World::new();
    let commit = world.commit_measured("one", "10ms");
    let before = world.note(&commit);
    let lock = world.repo.join(".git/refs/notes/ratchet.lock");
    std::fs::write(&lock, "1234").unwrap();
    let ran = world.try_record().expect(4);
    assert_says(&ran, &[&lock.display().to_string(), "leftover", "remove"]);
    world.ratchet(&["check"]).expect(0);
    assert_eq!(world.note(&commit), before);
    std::fs::remove_file(&lock).unwrap();
    world.try_record().expect(0);
    assert_kept(&before, &world.note(&commit));
}

#[test]
fn a_notes_ref_in_the_way_of_a_folder_is_told() {
    let world = World::new();
    world.commit("one");
    std::fs::create_dir_all(world.repo.join(".git/refs/notes/ratchet/below")).unwrap();
    world.git(&["update-ref", "refs/notes/ratchet/below/it", "HEAD"]);
    let ran = world.try_record().expect(4);
    assert_says(&ran, &["refs/notes/ratchet"]);
}

impl World {
    fn write_ref(&self, content: &str) {
        let path = self.repo.join(".git/refs/notes/ratchet");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("{content}\n")).unwrap();
    }

    fn read_ref(&self) -> String {
        std::fs::read_to_string(self.repo.join(".git/refs/notes/ratchet")).unwrap().trim_end().to_owned()
    }
}
