//! `ratchet.trust signed`: who brought a line decides whether it counts. Real keys, real signatures, verified by git.

mod counts;
mod excuses;
mod keys;
mod vouching;

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
    /// `None`, which is said, where nobody can sign.
    fn new() -> Option<Self> {
        can_sign().then(Self::founded)
    }

    fn founded() -> Self {
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
    fn measured() -> Option<Self> {
        let shared = Self::new()?;
        for content in ["two", "three", "four"] {
            shared.commit(content);
            shared.record(&shared.ann, "HEAD", "10ms");
        }
        shared.world.ratchet(&["push"]).expect(0);
        Some(shared)
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
