//! Whose signature is good is git's to say, and git signs what is written here.

use super::*;

#[test]
fn who_may_sign_is_gits_to_say_and_may_change() {
    let Some(shared) = Shared::measured() else { return };
    shared.key("mallory");
    shared.signs_as(&shared.mallory, "mallory");
    shared.world.git_in(&shared.mallory, &["config", "commit.gpgSign", "true"]);
    shared.record(&shared.mallory, "HEAD~1", "1ms");
    shared.exchange();
    assert_eq!(shared.letter("refs/notes/remotes/origin/ratchet"), "U", "signed, by nobody who may");
    shared.check().expect(0);
    shared.allow(&["ann", "mallory"]);
    assert_eq!(baseline(&shared.check().expect(1).json()), &json!(0.001));
    shared.allow(&["ann"]);
    shared.check().expect(0);
    // A key that was taken back vouches for nothing, not even for what it signed before.
    let revoked = shared.world.home.join("revoked");
    fs::copy(shared.world.home.join("ann.pub"), &revoked).unwrap();
    shared.world.git(&["config", "gpg.ssh.revocationFile", revoked.to_str().unwrap()]);
    assert_eq!(shared.check().json()["series"][0]["verdict"], "new");
}

#[test]
fn without_a_key_nothing_is_recorded_and_the_reason_is_said() {
    let Some(shared) = Shared::measured() else { return };
    let before = shared.world.git(&["rev-parse", NOTES]);
    shared.world.git(&["config", "--unset", "user.signingKey"]);
    let record = ["record", "--benchmark", "b", "--metric", "time=9ms", "--testbed", "t"];
    let ran = shared.world.ratchet(&record).expect(4);
    assert!(ran.err.contains("cannot sign") && ran.err.contains("user.signingKey"), "{}", ran.err);
    assert_eq!(shared.world.git(&["rev-parse", NOTES]), before);
    let findings = shared.world.ratchet(&["doctor"]).out;
    assert!(findings.contains("no key to sign with"), "{findings}");
    shared.world.git(&["config", "ratchet.trust", "some"]);
    let ran = shared.world.ratchet(&["check"]).expect(2);
    assert!(ran.err.contains("it is `any` or `signed`"), "{}", ran.err);
}

#[test]
fn git_that_signs_every_commit_signs_notes_too() {
    let Some(shared) = Shared::new() else { return };
    shared.world.git(&["config", "ratchet.trust", "any"]);
    shared.record(&shared.ann, "HEAD", "10ms");
    assert_eq!(shared.letter(NOTES), "N");
    shared.world.git(&["config", "commit.gpgSign", "true"]);
    shared.record(&shared.ann, "HEAD", "11ms");
    assert_eq!(shared.letter(NOTES), "G");
    let [committer, message] =
        ["%cn <%ce>", "%s"].map(|format| shared.world.git(&["log", "-1", &format!("--format={format}"), NOTES]));
    assert_eq!(committer, "Carl Committer <carl@example.org>");
    assert!(message.starts_with("git ratchet: 2 lines"), "{message}");
    shared.world.git(&["fsck", "--strict"]);
}

#[test]
fn doctor_says_who_may_sign_and_where_that_is_weak() {
    let Some(shared) = Shared::measured() else { return };
    let findings = || shared.world.ratchet(&["doctor"]).out;
    assert!(findings().contains("3 of 3 signatures of notes commits are good"), "{}", findings());
    fs::copy(shared.signers(), shared.ann.join("signers")).unwrap();
    shared.world.git(&["config", "gpg.ssh.allowedSignersFile", "signers"]);
    assert!(findings().contains("is in the work tree"), "{}", findings());
    shared.world.git(&["config", "gpg.ssh.allowedSignersFile", "/no/such/file"]);
    assert!(findings().contains("cannot be read: no ssh signature is good"), "{}", findings());
    shared.world.git(&["config", "--unset", "gpg.ssh.allowedSignersFile"]);
    let said = findings();
    assert!(said.contains("git knows no allowed signers") && said.contains("none is good: nothing counts"), "{said}");
    shared.world.git(&["config", "ratchet.trust", "any"]);
    assert!(!findings().contains("trust"), "{}", findings());
}

#[test]
fn openpgp_keys_count_when_gpg_trusts_them() {
    let has_gpg = std::process::Command::new("gpg").arg("--version").output().is_ok();
    if !has_gpg {
        println!("SKIPPED: gpg is not installed");
        return;
    }
    let world = World::new();
    let gnupg = world.home.join(".gnupg");
    fs::create_dir(&gnupg).unwrap();
    fs::set_permissions(&gnupg, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let mut generate = world.command("gpg", &world.home);
    generate.args([
        "--batch",
        "--quiet",
        "--passphrase",
        "",
        "--quick-generate-key",
        "carl@example.org",
        "ed25519",
        "sign",
        "never",
    ]);
    world.run(&mut generate).expect(0);
    world.git(&["config", "user.signingKey", "carl@example.org"]);
    world.git(&["config", "ratchet.trust", "signed"]);
    for content in ["one", "two", "three"] {
        world.commit_measured(content, "10ms");
    }
    assert_eq!(world.git(&["log", "-1", "--format=%G?", NOTES]), "G");
    let check = || world.ratchet(&["check", "--json", "--against", "HEAD~1", "--baseline", "best-run"]);
    assert_eq!(baseline(&check().expect(0).json()), &json!(0.01));
    assert_eq!(baseline(&check().expect(0).json()), &json!(0.01), "from what was kept");
    let fingerprint = {
        let listed = world.run(world.command("gpg", &world.home).args(["--batch", "--with-colons", "--list-keys"])).out;
        listed.lines().find_map(|line| line.strip_prefix("fpr:").map(|rest| rest.trim_matches(':').to_owned())).unwrap()
    };
    let trust = world.home.join("ownertrust");
    fs::write(&trust, format!("{fingerprint}:2:\n")).unwrap();
    world
        .run(world.command("gpg", &world.home).args(["--batch", "--quiet", "--import-ownertrust", trust.to_str().unwrap()]))
        .expect(0);
    // Valid, but by a key that gpg does not trust.
    assert_eq!(world.git(&["log", "-1", "--format=%G?", NOTES]), "U");
    assert_eq!(check().json()["series"][0]["verdict"], "new");
    world.run(world.command("gpgconf", &world.home).args(["--kill", "all"]));
}
