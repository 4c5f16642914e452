//! `ratchet.trust signed`: who brought a line decides whether it counts. Real keys, real signatures, verified by git.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::world::{Ran, World};

const NOTES: &str = "refs/notes/ratchet";

/// Two clones of a bare remote: Ann may sign, Mallory's clone does not ask for signatures.
struct Shared {
    world: World,
    ann: PathBuf,
    mallory: PathBuf,
}

/// Whether git and ssh-keygen here can sign with ssh keys: git does since 2.34.
fn can_sign() -> bool {
    let git = std::process::Command::new("git").arg("--version").output().unwrap();
    let version = String::from_utf8_lossy(&git.stdout).into_owned();
    let numbers: Vec<u32> = version.split([' ', '.']).filter_map(|word| word.trim().parse().ok()).take(2).collect();
    let has_keygen = std::process::Command::new("ssh-keygen").arg("-?").output().is_ok();
    let can = numbers >= vec![2, 34] && has_keygen;
    if !can {
        println!("SKIPPED: needs git 2.34 and ssh-keygen; this is {}", version.trim());
    }
    can
}

impl Shared {
    fn new() -> Self {
        let world = World::new();
        world.commit("one");
        world.git_in(world.root(), &["init", "-q", "--bare", "-b", "main", "remote.git"]);
        world.git(&["remote", "add", "origin", world.root().join("remote.git").to_str().unwrap()]);
        world.git(&["push", "-q", "-u", "origin", "main"]);
        let shared = Self { ann: world.repo.clone(), mallory: world.root().join("mallory"), world };
        shared.key("ann");
        shared.allow(&["ann"]);
        shared.signs_as(&shared.ann, "ann");
        shared.world.git(&["config", "gpg.ssh.allowedSignersFile", shared.signers().to_str().unwrap()]);
        shared.world.git(&["config", "ratchet.trust", "signed"]);
        shared.world.git_in(shared.world.root(), &["clone", "-q", "remote.git", "mallory"]);
        shared
    }

    fn key(&self, name: &str) -> PathBuf {
        let path = self.world.home.join(name);
        let mut keygen = self.world.command("ssh-keygen", &self.world.home);
        self.world.run(keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path.to_str().unwrap()])).expect(0);
        path
    }

    fn signers(&self) -> PathBuf {
        self.world.home.join("allowed_signers")
    }

    fn allow(&self, names: &[&str]) {
        let line = |name: &&str| {
            let key = fs::read_to_string(self.world.home.join(format!("{name}.pub"))).unwrap();
            format!("{name}@example.org {key}")
        };
        fs::write(self.signers(), names.iter().map(line).collect::<String>()).unwrap();
    }

    fn signs_as(&self, dir: &Path, name: &str) {
        self.world.git_in(dir, &["config", "gpg.format", "ssh"]);
        let key = self.world.home.join(format!("{name}.pub"));
        self.world.git_in(dir, &["config", "user.signingKey", key.to_str().unwrap()]);
    }

    #[track_caller]
    fn record(&self, dir: &Path, commit: &str, time: &str) {
        let metric = format!("time={time}");
        let record = ["record", "--commit", commit, "--benchmark", "b", "--metric", &metric, "--testbed", "t"];
        self.world.ratchet_in(dir, &record).expect(0);
    }

    /// Mallory's notes come to Ann.
    #[track_caller]
    fn exchange(&self) {
        self.world.ratchet_in(&self.mallory, &["push"]).expect(0);
        self.world.ratchet(&["fetch"]).expect(0);
    }

    /// Commits in Ann's clone, and brings it to Mallory.
    fn commit(&self, content: &str) -> String {
        let commit = self.world.commit(content);
        self.world.git(&["push", "-q", "origin", "main"]);
        self.world.git_in(&self.mallory, &["pull", "-q"]);
        commit
    }

    /// Ann measured three commits at 10 ms, and the newest of them is checked.
    fn measured() -> Self {
        let shared = Self::new();
        for content in ["two", "three", "four"] {
            shared.commit(content);
            shared.record(&shared.ann, "HEAD", "10ms");
        }
        shared.world.ratchet(&["push"]).expect(0);
        shared
    }

    fn check(&self) -> Ran {
        self.world.ratchet(&["check", "--json", "--against", "HEAD~1", "--baseline", "best-run"])
    }

    fn letter(&self, revision: &str) -> String {
        self.world.git(&["log", "-1", "--format=%G?", revision])
    }
}

fn codes(checked: &Value) -> Vec<&str> {
    checked["warnings"].as_array().unwrap().iter().map(|warning| warning["code"].as_str().unwrap()).collect()
}

fn baseline(checked: &Value) -> &Value {
    &checked["series"][0]["baseline"]["value"]
}

#[test]
fn what_nobody_signed_never_binds_and_is_shown() {
    if !can_sign() {
        return;
    }
    let shared = Shared::measured();
    let before = shared.check().expect(0).json();
    assert_eq!((baseline(&before), codes(&before)), (&json!(0.01), vec![]));
    assert_eq!(shared.letter(NOTES), "G", "what Ann records is signed");
    // Faster than anything: everybody else would regress from now on.
    shared.record(&shared.mallory, "HEAD~1", "1ms");
    shared.exchange();
    let checked = shared.check().expect(0).json();
    assert_eq!(baseline(&checked), &json!(0.01));
    assert!(codes(&checked).contains(&"untrusted") && codes(&checked).contains(&"excluded_runs"), "{checked}");
    let said = shared.world.ratchet(&["check"]).expect(0);
    assert!((said.out + said.err.as_str()).contains("1 records and 0 excuses are untrusted"));
    let shown = shared.world.ratchet(&["show", "HEAD~1"]).expect(0);
    assert!(shown.out.contains("never a baseline: untrusted") && shown.err.contains("untrusted"), "{}", shown.out);
    let shown = shared.world.ratchet(&["show", "HEAD~1", "--json"]).expect(0).json();
    let mut trusted: Vec<_> = shown["records"].as_array().unwrap().iter().map(|record| record["trusted"].as_bool()).collect();
    trusted.sort();
    assert_eq!(trusted, [Some(false), Some(true)]);
    let logged = shared.world.ratchet(&["log"]).expect(0);
    assert!(logged.out.contains("1 untrusted run left out"), "{}", logged.out);
    let report = shared.world.ratchet(&["report", "--format", "json"]).expect(0).json();
    let standings: Vec<_> =
        report["series"][0]["runs"].as_array().unwrap().iter().map(|run| run["standing"].as_str().unwrap()).collect();
    assert_eq!(standings.iter().filter(|standing| **standing == "untrusted").count(), 1, "{standings:?}");
    // Who asks for no signatures believes it.
    shared.world.git(&["config", "ratchet.trust", "any"]);
    assert_eq!(baseline(&shared.check().expect(1).json()), &json!(0.001));
}

/// What a side of a comparison shows: value and whether somebody vouches for it.
fn side(compared: &Value, side: &str) -> (f64, bool) {
    let side = &compared["series"][0][side];
    (side["value"].as_f64().unwrap(), side["trusted"].as_bool().unwrap())
}

#[test]
fn what_is_compared_or_explained_is_what_is_signed() {
    if !can_sign() {
        return;
    }
    let shared = Shared::measured();
    shared.commit("five");
    shared.record(&shared.mallory, "HEAD~1", "1ms");
    shared.record(&shared.mallory, "HEAD", "2ms");
    shared.exchange();
    // Of HEAD~1 there is a signed record, of HEAD there is none.
    let ran = shared.world.ratchet(&["compare", "HEAD~1", "HEAD", "--json"]).expect(0);
    let compared = ran.json();
    assert_eq!((side(&compared, "before"), side(&compared, "after")), ((0.01, true), (0.002, false)), "{compared:#}");
    assert_eq!(codes(&compared), ["untrusted", "untrusted_side"]);
    let text = shared.world.ratchet(&["compare", "HEAD~1", "HEAD"]).expect(0);
    assert!(text.out.contains("  2 ms untrusted") && !text.out.contains("10 ms untrusted"), "{}", text.out);
    assert!(text.err.contains("HEAD: nobody who may sign vouches for"), "{}", text.err);
    for (commit, time) in [("HEAD~1", "10ms"), ("HEAD", "20ms")] {
        shared.record(&shared.ann, commit, &[time; 30].join(","));
    }
    let compared = shared.world.ratchet(&["compare", "HEAD~1", "HEAD", "--json"]).expect(0).json();
    assert_eq!((side(&compared, "after"), codes(&compared)), ((0.02, true), vec!["untrusted"]), "{compared:#}");
    let explained = shared.world.ratchet(&["explain", "b", "--format", "json"]).expect(0).json();
    let quantiles = explained["distribution"]["quantiles"].as_array().unwrap();
    assert!(quantiles.iter().all(|row| (&row["before"], &row["after"]) == (&json!(0.01), &json!(0.02))), "{explained:#}");
    shared.world.git(&["config", "ratchet.trust", "any"]);
    let believed = shared.world.ratchet(&["compare", "HEAD~1", "HEAD", "--json"]).expect(0).json();
    assert_eq!((side(&believed, "before").1, side(&believed, "after").1, codes(&believed)), (true, true, vec![]));
}

#[test]
fn a_signed_merge_or_append_vouches_for_nothing_that_was_there_before() {
    if !can_sign() {
        return;
    }
    let shared = Shared::measured();
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
fn an_excuse_that_nobody_signed_excuses_nothing() {
    if !can_sign() {
        return;
    }
    let shared = Shared::measured();
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
    if !can_sign() {
        return;
    }
    let shared = Shared::measured();
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

#[test]
fn no_unsigned_line_takes_the_id_of_a_signed_one() {
    if !can_sign() {
        return;
    }
    let shared = Shared::measured();
    shared.world.ratchet_in(&shared.mallory, &["fetch"]).expect(0);
    let note = shared.world.git_in(&shared.mallory, &["notes", "--ref=ratchet", "show", "HEAD~1"]);
    // The same ids: a run on another testbed, and a record that sorts before Ann's.
    let forged: Vec<String> = note
        .lines()
        .map(|line| {
            line.replace(r#""testbed":"t""#, r#""testbed":"other""#).replace(r#""better":"lower""#, r#""better":"higher""#)
        })
        .collect();
    assert_ne!(forged.join("\n"), note.trim_end());
    shared.world.git_in(&shared.mallory, &["notes", "--ref=ratchet", "append", "-m", &forged.join("\n"), "HEAD~1"]);
    shared.exchange();
    let before = shared.check().expect(0).json();
    assert_eq!(baseline(&before), &json!(0.01));
    assert_eq!(before["series"][0]["baseline"]["runs"], 1);
    let shown = shared.world.ratchet(&["show", "HEAD~1", "--json"]).expect(0).json();
    assert!(shown["records"].as_array().unwrap().iter().any(|record| record["trusted"] == true && record["testbed"] == "t"));
}

#[test]
fn who_may_sign_is_gits_to_say_and_may_change() {
    if !can_sign() {
        return;
    }
    let shared = Shared::measured();
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
fn a_candidate_that_nobody_signed_for_is_judged_and_marked() {
    if !can_sign() {
        return;
    }
    let shared = Shared::measured();
    shared.commit("slow");
    shared.record(&shared.mallory, "HEAD", "20ms");
    shared.exchange();
    let checked = shared.check().expect(1).json();
    assert!(codes(&checked).contains(&"untrusted_candidate"), "{checked}");
    // What is signed for judges alone: an unsigned result cannot lift it.
    shared.record(&shared.ann, "HEAD", "20ms");
    shared.record(&shared.mallory, "HEAD", "1ms");
    shared.exchange();
    let checked = shared.check().expect(1).json();
    assert_eq!(checked["series"][0]["candidate"]["value"], 0.02);
}

#[test]
fn a_kernel_that_nobody_signed_for_is_marked_under_its_roofs() {
    if !can_sign() {
        return;
    }
    let shared = Shared::measured();
    let record = |dir: &Path, benchmark: &str, rates: [&str; 2]| {
        let metrics = ["--metric", rates[0], "--metric", rates[1], "--testbed", "NVIDIA L4"];
        shared.world.ratchet_in(dir, &[&["record", "--benchmark", benchmark][..], &metrics].concat()).expect(0);
    };
    let gemm = || shared.world.ratchet(&["roofline", "--json"]).expect(0).json()["testbeds"][0]["kernels"][0].clone();
    record(&shared.mallory, "gemm", ["throughput=50 TFLOP/s", "bandwidth=200 GB/s"]);
    record(&shared.mallory, "copy", ["time=1ms", "bandwidth=10 GB/s"]);
    shared.exchange();
    assert_eq!((&gemm()["trusted"], &gemm()["flop_rate"]), (&json!(false), &json!(50e12)));
    assert_eq!(gemm()["attainable"], 75e12, "the roof of a stranger holds nobody down");
    let text = shared.world.ratchet(&["roofline"]).expect(0).out;
    assert!(text.contains("50 TFLOP/s untrusted") && text.contains("nobody who may sign vouches for"), "{text}");
    // What is signed for stands alone.
    record(&shared.ann, "gemm", ["throughput=40 TFLOP/s", "bandwidth=160 GB/s"]);
    assert_eq!((&gemm()["trusted"], &gemm()["flop_rate"]), (&json!(true), &json!(40e12)));
    let text = shared.world.ratchet(&["roofline"]).expect(0).out;
    assert!(!text.contains("untrusted"), "{text}");
}

#[test]
fn what_is_kept_of_signatures_never_changes_the_answer() {
    if !can_sign() {
        return;
    }
    let shared = Shared::measured();
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

#[test]
fn thinning_vouches_for_nothing_new() {
    if !can_sign() {
        return;
    }
    let shared = Shared::measured();
    let slow = ["record", "--commit", "HEAD~1", "--benchmark", "b", "--metric", "time=1ms,2ms,1ms", "--testbed", "t"];
    shared.world.ratchet_in(&shared.mallory, &slow).expect(0);
    shared.exchange();
    let prune = ["prune", "--thin-samples", "0d", "--yes", "--json"];
    assert_eq!(shared.world.ratchet(&prune).expect(0).json()["thinned"]["records"], 0);
    assert_eq!(baseline(&shared.check().expect(0).json()), &json!(0.01));
    // What Ann may vouch for is thinned, and stays hers.
    let own = ["record", "--commit", "HEAD~2", "--benchmark", "b", "--metric", "time=12ms,13ms,12ms", "--testbed", "t"];
    shared.world.ratchet(&own).expect(0);
    assert_eq!(shared.world.ratchet(&prune).expect(0).json()["thinned"]["records"], 1);
    assert_eq!(shared.letter(NOTES), "G");
    let shown = shared.world.ratchet(&["show", "HEAD~2", "--json"]).expect(0).json();
    assert!(shown["records"].as_array().unwrap().iter().all(|record| record["trusted"] == true), "{shown:#}");
}

#[test]
fn somebody_who_may_sign_can_vouch_for_what_is_there() {
    if !can_sign() {
        return;
    }
    let shared = Shared::new();
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
    if !can_sign() {
        return;
    }
    let shared = Shared::measured();
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
fn without_a_key_nothing_is_recorded_and_the_reason_is_said() {
    if !can_sign() {
        return;
    }
    let shared = Shared::measured();
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
    if !can_sign() {
        return;
    }
    let shared = Shared::new();
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
    if !can_sign() {
        return;
    }
    let shared = Shared::measured();
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
