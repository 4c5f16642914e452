//! The workflows that we hand to users, played on this computer: the scripts that their steps run, against real bare
//! repositories, with the real binary. GitHub itself is faked for the comment only (`github.py`).

mod comment;
mod examples;
mod measure;
mod tune;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::world::{Ran, World};

/// What the pull requests of these tests measure: the number in a file, which no noise touches.
const SETTINGS: &str = r#"
[sampling]
warmup = 0
min_runs = 3
max_runs = 3

[[benchmark]]
name = "attention"
command = ["cat", "time.txt"]
required = true
metrics = [{ name = "time", regex = '([0-9.]+)', unit = "ms" }]
"#;

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/scripts").join(name)
}

/// A runner has no name of its own.
fn without_identity(command: &mut Command) -> &mut Command {
    for role in ["AUTHOR", "COMMITTER"] {
        command.env_remove(format!("GIT_{role}_NAME")).env_remove(format!("GIT_{role}_EMAIL"));
    }
    command
}

/// What a step printed, how it ended, and what it put on GITHUB_OUTPUT.
struct Step {
    ran: Ran,
    outputs: BTreeMap<String, String>,
}

/// A repository at a hosting service with a main branch, a fork of it, and runners that check them out.
struct Hosting {
    world: World,
    upstream: PathBuf,
    fork: PathBuf,
}

impl Hosting {
    fn new() -> Self {
        let world = World::new();
        world.write("ratchet.toml", SETTINGS);
        world.write("kernels/attention.cu", "// fast\n");
        world.write("README.md", "Kernels\n");
        world.write("time.txt", "10 ms\n");
        world.git(&["add", "-A"]);
        world.git(&["commit", "-q", "-m", "Attention"]);
        let bare = |name: &str, of: &Path| {
            let path = world.root().join(name);
            world.git_in(world.root(), &["clone", "-q", "--bare", of.to_str().unwrap(), path.to_str().unwrap()]);
            path
        };
        let upstream = bare("upstream.git", &world.repo);
        let fork = bare("fork.git", &upstream);
        Self { upstream, fork, world }
    }

    /// As actions/checkout with `fetch-depth: 0` leaves it: every branch, no notes, a detached head.
    fn checkout(&self, name: &str, from: &Path, revision: &str) -> PathBuf {
        let folder = self.world.root().join(name);
        self.world.git_in(self.world.root(), &["clone", "-q", self.upstream.to_str().unwrap(), name]);
        self.world.git_in(&folder, &["fetch", "-q", from.to_str().unwrap(), revision]);
        self.world.git_in(&folder, &["checkout", "-q", "--detach", "FETCH_HEAD"]);
        folder
    }

    /// A commit on a branch of the fork; its id.
    fn contribute(&self, branch: &str, files: &[(&str, &str)]) -> String {
        let world = &self.world;
        world.git(&["checkout", "-q", "-B", branch, "main"]);
        files.iter().for_each(|(path, content)| world.write(path, content));
        world.git(&["add", "-A"]);
        world.git(&["commit", "-q", "-m", branch]);
        world.git(&["push", "-q", "--force", self.fork.to_str().unwrap(), branch]);
        let commit = world.git(&["rev-parse", "HEAD"]);
        world.git(&["checkout", "-q", "main"]);
        commit
    }

    /// Runs a script as a step of a job does: our binary on the PATH, outputs in a file.
    fn step(&self, name: &str, dir: &Path, env: &[(&str, &str)]) -> Step {
        self.step_with(name, &[], dir, env)
    }

    fn step_with(&self, name: &str, arguments: &[&str], dir: &Path, env: &[(&str, &str)]) -> Step {
        let output = self.world.root().join("github-output");
        let _ = fs::remove_file(&output);
        let folder = Path::new(env!("CARGO_BIN_EXE_git-ratchet")).parent().unwrap();
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
        let mut command = self.world.command(script(name).to_str().unwrap(), dir);
        command.args(arguments).env("PATH", path).env("CI", "true").env("GITHUB_OUTPUT", &output);
        without_identity(&mut command).env("GITHUB_ACTOR", "ann").env("GITHUB_ACTOR_ID", "7");
        command.env("GITHUB_SERVER_URL", "https://github.com");
        command.env("GITHUB_STEP_SUMMARY", self.world.root().join("summary.md")).envs(env.iter().copied());
        let ran = self.world.run(&mut command);
        let written = fs::read_to_string(&output).unwrap_or_default();
        let outputs =
            written.lines().filter_map(|line| line.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned()));
        Step { ran, outputs: outputs.collect() }
    }

    /// The workflow of the main branch, from checkout to verdict; its exit code.
    fn push_to_main(&self, runner: &str) -> Step {
        let checkout = self.checkout(runner, &self.upstream, "main");
        let out = self.world.root().join(format!("{runner}-out"));
        self.step("notes", &checkout, &[]).ran.expect(0);
        let measured = self.step("measure", &checkout, &[]);
        measured.ran.expect(0);
        self.step_with("with-token", &["git", "ratchet", "push"], &checkout, &[("TOKEN", "secret")]).ran.expect(0);
        let env = [("OUT", out.to_str().unwrap()), ("MEASURED", &measured.outputs["measured"])];
        self.step("gate", &checkout, &env)
    }

    /// The workflow of a pull request, from checkout to verdict, and the folder that becomes its artifact.
    fn pull_request(&self, runner: &str, branch: &str, env: &[(&str, &str)]) -> (Step, PathBuf) {
        let checkout = self.checkout(runner, &self.fork, branch);
        let out = self.world.root().join(format!("{runner}-out"));
        self.step("notes", &checkout, &[]).ran.expect(0);
        let measured = self.step("measure", &checkout, env);
        measured.ran.expect(0);
        let given = [("BASE", "main"), ("OUT", out.to_str().unwrap()), ("MEASURED", &measured.outputs["measured"])];
        (self.step("gate", &checkout, &[&given, env].concat()), out)
    }
}
