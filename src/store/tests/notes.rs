//! Reading the notes ref in every shape that is found in the field.

use super::*;
use crate::store::StoreError;

#[test]
fn a_missing_ref_is_an_answer_and_not_an_error() {
    let world = World::new();
    let first = world.commit("one");
    let store = world.store();
    let notes = store.notes().unwrap();
    assert!(!notes.exists());
    assert_eq!((notes.len(), notes.commit(), notes.contains(first)), (0, None, false));
    assert_eq!(notes.read(first).unwrap(), b"");
}

#[test]
fn a_ref_that_holds_no_commit_is_refused_by_kind() {
    let world = World::new();
    world.commit("one");
    world.git(&["tag", "-a", "-m", "x", "v1"]);
    for (revision, expected) in [("HEAD^{tree}", "tree"), ("HEAD:file", "blob"), ("v1", "tag")] {
        world.git(&["update-ref", "refs/notes/ratchet", &world.id(revision).to_string()]);
        let store = world.store();
        let refused = store.notes().unwrap_err();
        assert!(matches!(&refused, StoreError::NotesRefKind { kind, .. } if kind == expected), "{refused:?}");
    }
}

#[test]
fn fan_out_of_any_depth_is_read_and_garbage_passed_over() {
    let world = World::new();
    let blob = world.git_with_input(&world.dir, &["hash-object", "-w", "--stdin"], b"note\n");
    let id = |digit: &str| digit.repeat(40);
    let mut script = String::from("commit refs/notes/ratchet\ncommitter A <a@b> 1 +0000\ndata 0\n");
    let mut put = |path: &str| script += &format!("M 100644 {blob} {path}\n");
    put(&id("1"));
    put(&format!("22/{}", &id("2")[2..]));
    put(&format!("33/33/{}", &id("3")[4..]));
    put(&format!("44/44/44/{}", &id("4")[6..]));
    for garbage in ["README", "zz/file", "55/short", "666/6666", &"g".repeat(40), "77/77"] {
        put(garbage);
    }
    world.git_with_input(&world.dir, &["fast-import", "--quiet"], script.as_bytes());
    let store = world.store();
    let notes = store.notes().unwrap();
    let found: Vec<String> = notes.ids().map(|id| id.to_string()).collect();
    assert_eq!(found, [id("1"), id("2"), id("3"), id("4")]);
    assert!(found.iter().all(|id| notes.read(id.parse().unwrap()).unwrap() == b"note\n"));
}

#[test]
fn notes_of_trees_and_blobs_and_notes_that_are_no_lines_do_no_harm() {
    let world = World::new();
    let first = world.commit("one");
    world.measure(first, 1);
    for revision in ["HEAD^{tree}", "HEAD:file"] {
        world.git(&["notes", "--ref=ratchet", "add", "-m", "not ours", &world.id(revision).to_string()]);
    }
    let store = world.store();
    let history = store.history(&[first], crate::store::Walk::All).unwrap();
    let annotated = store.annotated_history(&history, &store.notes().unwrap()).unwrap();
    assert_eq!(annotated.commits.len(), 1);
    assert_eq!(annotated.warnings, []);
}

#[test]
fn a_note_beyond_the_limit_is_a_warning_when_read_and_an_error_when_appended_to() {
    let world = World::new();
    let first = world.commit("one");
    let text = "x".repeat((crate::store::MAX_NOTE_BYTES + 1) as usize);
    let blob = world.git_with_input(&world.dir, &["hash-object", "-w", "--stdin"], text.as_bytes());
    world.git(&["notes", "--ref=ratchet", "add", "-C", &blob, "HEAD"]);
    let store = world.store();
    let history = store.history(&[first], crate::store::Walk::All).unwrap();
    let annotated = store.annotated_history(&history, &store.notes().unwrap()).unwrap();
    assert_eq!(annotated.warnings, [crate::store::StoreWarning::TooLarge { annotated: first }]);
    let refused = store.append(&[(first, run_of(first, first, 1))], "Too large");
    assert!(matches!(refused, Err(StoreError::NoteTooLarge { .. })), "{refused:?}");
}
