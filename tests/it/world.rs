//! A world of its own for each test: a folder, HOME, git settings, a clock for git, and the real binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A temporary folder with a repository in `repo/`.
pub struct World {
    _root: TempDir,
    pub home: PathBuf,
    pub repo: PathBuf,
}

/// What a program printed and how it ended.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The one JSON object on stdout.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("no JSON ({error}):\n{}\n{}", self.out, self.err))
    }

    /// The same, after checking the exit code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl World {
    /// A repository on branch `main` without commits.
    pub fn new() -> Self {
        Self::with_init(&[])
    }

    /// The same, `git init` called with more options.
    pub fn with_init(options: &[&str]) -> Self {
        let root = tempfile::Builder::new().prefix("ratchet-it-").tempdir().unwrap();
        let path = root.path().canonicalize().unwrap();
        let world = Self { home: path.join("home"), repo: path.join("repo"), _root: root };
        fs::create_dir_all(&world.home).unwrap();
        let mut arguments = vec!["init", "-q", "-b", "main"];
        arguments.extend(options);
        arguments.push("repo");
        world.run(world.command("git", world.home.parent().unwrap()).args(arguments)).expect(0);
        world
    }

    /// The folder that holds home and repository.
    pub fn root(&self) -> &Path {
        self.home.parent().unwrap()
    }

    /// A program in this world, started in `dir`.
    pub fn command(&self, program: &str, dir: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(dir)
            .stdin(Stdio::null())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.home)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", self.home.join("gitconfig"))
            .env("GIT_AUTHOR_NAME", "Ann Author")
            .env("GIT_AUTHOR_EMAIL", "ann@example.org")
            .env("GIT_COMMITTER_NAME", "Carl Committer")
            .env("GIT_COMMITTER_EMAIL", "carl@example.org")
            .env("LC_ALL", "C.UTF-8");
        command
    }

    pub fn run(&self, command: &mut Command) -> Ran {
        command.output().unwrap_or_else(|error| panic!("{command:?}: {error}")).into()
    }

    /// git in the repository; must succeed; its output without the last line feed.
    #[track_caller]
    pub fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.repo, arguments)
    }

    #[track_caller]
    pub fn git_in(&self, dir: &Path, arguments: &[&str]) -> String {
        let ran = self.run(self.command("git", dir).args(arguments));
        assert_eq!(ran.code, 0, "git {arguments:?}\n{}{}", ran.out, ran.err);
        ran.out.trim_end_matches('\n').to_owned()
    }

    /// Our binary in the repository.
    pub fn ratchet(&self, arguments: &[&str]) -> Ran {
        self.ratchet_in(&self.repo, arguments)
    }

    pub fn ratchet_in(&self, dir: &Path, arguments: &[&str]) -> Ran {
        self.run(&mut self.ratchet_command(dir, arguments))
    }

    /// Our binary, not yet started.
    pub fn ratchet_command(&self, dir: &Path, arguments: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_git-ratchet"), dir);
        command.args(arguments);
        command
    }

    /// Writes a file of the repository.
    pub fn write(&self, path: &str, content: &str) {
        let path = self.repo.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Commits `content` as the file `code` and returns the commit's id.
    pub fn commit(&self, content: &str) -> String {
        self.write("code", content);
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", content]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Commits and records one time of benchmark `b` on testbed `t`.
    #[track_caller]
    pub fn commit_measured(&self, content: &str, time: &str) -> String {
        let commit = self.commit(content);
        self.record(&format!("time={time}"));
        commit
    }

    /// Records one metric of benchmark `b` on testbed `t` for HEAD.
    #[track_caller]
    pub fn record(&self, metric: &str) {
        self.ratchet(&["record", "--benchmark", "b", "--metric", metric, "--testbed", "t"]).expect(0);
    }

    /// Removes a lock that a killed process of ours left, as the message of the next write would say. Whether there was one.
    pub fn clear_leftover_lock(&self) -> bool {
        fs::remove_file(self.repo.join(".git/refs/notes/ratchet.lock")).is_ok()
    }
}

/// Waits for what another process does.
#[track_caller]
pub fn wait_until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "it did not happen within a minute");
        std::thread::sleep(Duration::from_millis(20));
    }
}
