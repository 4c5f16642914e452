//! The git program: the only file that starts it.
//!
//! Used for what gix cannot do or should not decide: the work tree's state, the refs of a reftable repository, signatures.
//! Outcomes are read from exit codes and porcelain output, never from git's English.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::StoreError;

/// Longest message of git's that is repeated in an error, in characters.
const MAX_STDERR_CHARS: usize = 500;

/// How to start git for one repository.
#[derive(Debug, Clone)]
pub(super) struct Git {
    git_dir: PathBuf,
    work_dir: Option<PathBuf>,
    isolated: bool,
    /// Whether it is not the work tree that the user's environment is about.
    is_other: bool,
}

/// What a git program answered that was allowed to fail.
#[derive(Debug)]
pub(super) struct Answer {
    /// Exit code; none after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error, shortened.
    pub stderr: String,
}

impl Git {
    /// Git for the repository at `git_dir`; both paths absolute.
    pub(super) fn new(git_dir: PathBuf, work_dir: Option<PathBuf>, isolated: bool) -> Self {
        Self { git_dir, work_dir, isolated, is_other: false }
    }

    /// Git for the repository that another work tree belongs to; `None` where the folder is none.
    pub(super) fn at(&self, work_dir: &Path) -> Option<Self> {
        let link = work_dir.join(".git");
        let git_dir = match std::fs::read_to_string(&link) {
            Ok(text) => work_dir.join(text.strip_prefix("gitdir: ")?.trim_end_matches('\n')),
            Err(_) => link,
        };
        let git_dir = git_dir.canonicalize().ok()?;
        Some(Self { git_dir, work_dir: Some(work_dir.to_owned()), isolated: self.isolated, is_other: true })
    }

    /// Git for what it does to other work trees of this repository.
    pub(super) fn elsewhere(&self) -> Self {
        Self { is_other: true, ..self.clone() }
    }

    /// The folder of the repository.
    pub(super) fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// Runs git and returns its standard output; any exit code but 0 is an error.
    pub(super) fn output(&self, arguments: &[&str]) -> Result<Vec<u8>, StoreError> {
        let answer = self.ask(arguments)?;
        match answer.code {
            Some(0) => Ok(answer.stdout),
            code => Err(StoreError::GitFailed { command: arguments.join(" "), code, stderr: answer.stderr }),
        }
    }

    /// Runs git and returns whatever it answers: the exit code is the caller's to judge.
    pub(super) fn ask(&self, arguments: &[&str]) -> Result<Answer, StoreError> {
        let output = self.command().args(arguments).stdin(Stdio::null()).output().map_err(|error| no_git(&error))?;
        Ok(answer_of(output))
    }

    /// The same, with something to read on its standard input, which git reads to its end before it answers.
    pub(super) fn ask_with(&self, arguments: &[&str], input: &[u8]) -> Result<Answer, StoreError> {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| no_git(&error))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A git that ends early does not read; its exit code says more than the broken pipe.
            let _ = stdin.write_all(input);
        }
        child.wait_with_output().map(answer_of).map_err(|error| no_git(&error))
    }

    /// The command with repository and environment set. The repository is named outright, since `GIT_DIR` may be
    /// relative and our working folder need not be the user's.
    fn command(&self) -> Command {
        #[expect(clippy::disallowed_methods, reason = "this file is where git is started")]
        let mut command = Command::new("git");
        if self.isolated {
            isolate(&mut command);
        }
        if self.is_other {
            // A hook of the user's has the index of their commit there, which git would overwrite.
            command.env_remove("GIT_INDEX_FILE");
        }
        command.env("LC_ALL", "C").arg("--no-optional-locks").arg(flag("--git-dir=", &self.git_dir));
        if let Some(work_dir) = &self.work_dir {
            command.arg(flag("--work-tree=", work_dir)).current_dir(work_dir);
        }
        command
    }
}

fn no_git(error: &std::io::Error) -> StoreError {
    let what_to_do = match error.kind() {
        std::io::ErrorKind::NotFound => "install git, or put it on PATH",
        std::io::ErrorKind::PermissionDenied => "the one that is found on PATH is not executable for this user",
        _ => "is a limit of the system in the way (ulimit -a)?",
    };
    StoreError::NoGitProgram { why: format!("{error}; {what_to_do}") }
}

fn flag(name: &str, path: &Path) -> OsString {
    let mut flag = OsString::from(name);
    flag.push(path);
    flag
}

/// Takes the user's environment and configuration away.
fn isolate(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            command.env_remove(name);
        }
    }
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
}

fn answer_of(output: Output) -> Answer {
    let stderr = String::from_utf8_lossy(&output.stderr).trim().chars().take(MAX_STDERR_CHARS).collect();
    Answer { code: output.status.code(), stdout: output.stdout, stderr }
}
