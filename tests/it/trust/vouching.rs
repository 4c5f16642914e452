//! A signed notes commit vouches for the lines that it brought, and for nothing else.

use super::*;

#[test]
fn a_signed_merge_or_append_vouches_for_nothing_that_was_there_before() {
    let Some(shared) = Shared::measured() else { return };
    shared.record(&shared.mallory, "HEAD~1", "1ms");
    // Ann has something of her own, so that fetching makes a merge, which she signs.
    shared.record(&shared.ann, "HEAD", "10ms");
    shared.exchange();
    assert_eq!(shared.letter(NOTES), "G");
    assert_eq!(shared.world.git(&["log", "-1", "--format=%p", NOTES]).split(' ').count(), 2);
    assert_eq!(baseline(&shared.check().expect(0).json()), &json!(0.01));
    // And she adds a line to the very note.
    shared.record(&shared.ann, "HEAD~1", "10ms");
    assert_eq!(shared.letter(NOTES), "G");
    let checked = shared.check().expect(0).json();
    assert_eq!(baseline(&checked), &json!(0.01));
    assert!(codes(&checked).contains(&"untrusted"));
    // A signed merge by git's own hand is no different.
    shared.record(&shared.mallory, "HEAD~1", "2ms");
    shared.world.ratchet_in(&shared.mallory, &["push"]).expect(0);
    shared.world.git(&["fetch", "-q", "origin", "+refs/notes/ratchet:refs/notes/theirs"]);
    let tree = shared.world.git(&["rev-parse", "refs/notes/theirs^{tree}"]);
    let merge = shared.world.git(&["commit-tree", "-S", "-p", NOTES, "-p", "refs/notes/theirs", "-m", "merge", &tree]);
    shared.world.git(&["update-ref", NOTES, &merge]);
    assert_eq!(baseline(&shared.check().expect(0).json()), &json!(0.01));
}

#[test]
fn thinning_vouches_for_nothing_new() {
    let Some(shared) = Shared::measured() else { return };
    // Enough values for a line that is shorter without them.
    let times = |least: u32| {
        let values: Vec<String> = (0..40).map(|value| format!("{least}.{value:02}ms")).collect();
        format!("time={}", values.join(","))
    };
    let (slow, own) = (times(1), times(12));
    let slow = ["record", "--commit", "HEAD~1", "--benchmark", "b", "--metric", &slow, "--testbed", "t"];
    shared.world.ratchet_in(&shared.mallory, &slow).expect(0);
    shared.exchange();
    let prune = ["prune", "--thin-samples", "0d", "--yes", "--json"];
    assert_eq!(shared.world.ratchet(&prune).expect(0).json()["thinned"]["records"], 0);
    assert_eq!(baseline(&shared.check().expect(0).json()), &json!(0.01));
    // What Ann may vouch for is thinned, and stays hers.
    let own = ["record", "--commit", "HEAD~2", "--benchmark", "b", "--metric", &own, "--testbed", "t"];
    shared.world.ratchet(&own).expect(0);
    assert_eq!(shared.world.ratchet(&prune).expect(0).json()["thinned"]["records"], 1);
    assert_eq!(shared.letter(NOTES), "G");
    let shown = shared.world.ratchet(&["show", "HEAD~2", "--json"]).expect(0).json();
    assert!(shown["records"].as_array().unwrap().iter().all(|record| record["trusted"] == true), "{shown:#}");
}

#[test]
fn somebody_who_may_sign_can_vouch_for_what_is_there() {
    let Some(shared) = Shared::new() else { return };
    shared.world.git(&["config", "ratchet.trust", "any"]);
    for content in ["two", "three"] {
        shared.commit(content);
        shared.record(&shared.ann, "HEAD", "10ms");
    }
    shared.world.git(&["config", "ratchet.trust", "signed"]);
    assert_eq!(shared.check().json()["series"][0]["verdict"], "new");
    // As docs/trust.md has it.
    let root = shared.world.git(&["commit-tree", "-S", "-m", "I looked at these", &format!("{NOTES}^{{tree}}")]);
    shared.world.git(&["update-ref", NOTES, &root]);
    assert_eq!(baseline(&shared.check().expect(0).json()), &json!(0.01));
}

#[test]
fn a_signed_commit_of_the_project_vouches_for_no_notes() {
    let Some(shared) = Shared::measured() else { return };
    shared.record(&shared.mallory, "HEAD~1", "1ms");
    let note = shared.world.git_in(&shared.mallory, &["notes", "--ref=ratchet", "show", "HEAD~1"]);
    // A file that looks like a note comes into the project by a pull request, and Ann signs the merge.
    let annotated = shared.world.git(&["rev-parse", "HEAD~1"]);
    shared.world.write(&annotated, &format!("{note}\n"));
    shared.world.git(&["add", "-A"]);
    shared.world.git(&["commit", "-q", "-S", "-m", "a merged pull request"]);
    let signed = shared.world.git(&["rev-parse", "HEAD"]);
    assert_eq!(shared.letter("HEAD"), "G");
    shared.world.git(&["reset", "-q", "--hard", "HEAD~1"]);
    // Mallory makes it an ancestor of the notes.
    let tree = {
        shared.world.git(&["notes", "--ref=ratchet", "append", "-m", note.trim_end(), "HEAD~1"]);
        shared.world.git(&["rev-parse", &format!("{NOTES}^{{tree}}")])
    };
    let merge = shared.world.git(&["commit-tree", "-p", &format!("{NOTES}~1"), "-p", &signed, "-m", "merge", &tree]);
    shared.world.git(&["update-ref", NOTES, &merge]);
    assert_eq!(baseline(&shared.check().expect(0).json()), &json!(0.01));
}

#[test]
fn what_is_kept_of_signatures_never_changes_the_answer() {
    let Some(shared) = Shared::measured() else { return };
    shared.record(&shared.mallory, "HEAD~1", "1ms");
    shared.exchange();
    let kept = shared.ann.join(".git/ratchet/trust");
    let expected = shared.check().expect(0).out;
    let bytes = fs::read(&kept).unwrap();
    let mut forged = String::from_utf8(bytes.clone()).unwrap();
    forged = forged.replace(" bad ", " good ");
    for damaged in [Vec::new(), bytes[..bytes.len() / 2].to_vec(), forged.clone().into_bytes(), [&bytes[..], b"note"].concat()] {
        fs::write(&kept, damaged).unwrap();
        assert_eq!(shared.check().expect(0).out, expected);
        assert_eq!(fs::read(&kept).unwrap(), bytes, "made again");
    }
    fs::remove_file(&kept).unwrap();
    fs::create_dir(&kept).unwrap();
    assert_eq!(shared.check().expect(0).out, expected, "nothing can be kept");
    shared.world.git(&["config", "ratchet.cache", "false"]);
    assert_eq!(shared.check().expect(0).out, expected);
    shared.world.git(&["config", "--unset", "ratchet.cache"]);
    fs::remove_dir(&kept).unwrap();
    // The ref is set back and goes another way: what its old commits introduced is not believed any more.
    shared.check().expect(0);
    let tip = shared.world.git(&["rev-parse", NOTES]);
    let orphan = shared.world.git(&["commit-tree", "-m", "nobody's", &format!("{NOTES}^{{tree}}")]);
    shared.world.git(&["update-ref", NOTES, &orphan]);
    assert_eq!(shared.check().json()["series"][0]["verdict"], "new");
    shared.world.git(&["update-ref", NOTES, &tip]);
    assert_eq!(shared.check().expect(0).out, expected);
}
