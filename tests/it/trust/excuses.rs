//! An excuse lowers the bar for a change: nobody writes or moves one who may not sign.

use super::*;

#[test]
fn an_excuse_that_nobody_signed_excuses_nothing() {
    let Some(shared) = Shared::measured() else { return };
    shared.commit("slow");
    shared.record(&shared.ann, "HEAD", "20ms");
    shared.check().expect(1);
    shared.world.ratchet_in(&shared.mallory, &["excuse", "b", "--reason", "let me through"]).expect(0);
    shared.exchange();
    shared.check().expect(1);
    let shown = shared.world.ratchet(&["show"]).expect(0);
    assert!(shown.out.contains("let me through") && shown.out.contains("untrusted: it excuses nothing"), "{}", shown.out);
    shared.world.ratchet(&["excuse", "b", "--reason", "the fix costs this"]).expect(0);
    assert_eq!(shared.check().expect(0).json()["series"][0]["excuse"]["reason"], "the fix costs this");
}

#[test]
fn a_signed_excuse_cannot_be_hung_elsewhere() {
    let Some(shared) = Shared::measured() else { return };
    // Ann excuses a commit on a branch that nobody merges.
    shared.world.git(&["checkout", "-q", "-b", "side"]);
    let side = shared.world.commit("side");
    shared.record(&shared.ann, "HEAD", "20ms");
    shared.world.ratchet(&["excuse", "b", "--reason", "only here"]).expect(0);
    shared.world.ratchet(&["push"]).expect(0);
    shared.world.git(&["push", "-q", "origin", "side"]);
    shared.world.git(&["checkout", "-q", "main"]);
    shared.commit("slow");
    shared.record(&shared.ann, "HEAD", "20ms");
    shared.world.ratchet(&["push"]).expect(0);
    shared.check().expect(1);
    shared.world.ratchet_in(&shared.mallory, &["fetch"]).expect(0);
    shared.world.git_in(&shared.mallory, &["fetch", "-q", "origin", "side"]);
    let copy = ["notes", "--ref=ratchet", "append", "-C", &format!("refs/notes/ratchet:{}", path_of(&shared, &side)), "HEAD"];
    shared.world.git_in(&shared.mallory, &copy);
    shared.exchange();
    shared.check().expect(1);
    shared.world.git(&["config", "ratchet.trust", "any"]);
    shared.check().expect(0);
}

/// Where the note of a commit stands in Mallory's notes tree.
fn path_of(shared: &Shared, commit: &str) -> String {
    let listed = shared.world.git_in(&shared.mallory, &["ls-tree", "-r", "--name-only", NOTES]);
    listed.lines().find(|path| path.replace('/', "") == *commit).unwrap().to_owned()
}
