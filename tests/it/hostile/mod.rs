//! Bad input and bad places: whatever is met, an exit code of the table, a message that helps, and no line lost.

mod crowd;
mod input;
mod kill;
mod notes;
mod places;
mod refs;

use std::io::Write;
use std::process::Stdio;

use crate::world::{Ran, World};

impl World {
    /// The note of a commit, byte for byte; empty where there is none.
    pub fn note(&self, object: &str) -> String {
        let ran = self.run(self.command("git", &self.repo).args(["notes", "--ref=ratchet", "show", object]));
        if ran.code == 0 { ran.out } else { String::new() }
    }

    /// Makes these bytes the note of an object, whatever they are, by plain git.
    pub fn set_note(&self, object: &str, bytes: &[u8]) {
        let blob = self.git_with_input(&["hash-object", "-w", "--stdin"], bytes);
        self.git(&["notes", "--ref=ratchet", "add", "-f", "-C", blob.trim(), object]);
    }

    /// git in the repository with something on its standard input; must succeed.
    pub fn git_with_input(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut command = self.command("git", &self.repo);
        let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let ran = Ran::from(child.wait_with_output().unwrap());
        ran.expect(0).out
    }

    /// Tries to record one time of 10 ms.
    pub fn try_record(&self) -> Ran {
        self.ratchet(&["record", "--benchmark", "b", "--metric", "time=10ms", "--testbed", "t"])
    }

    /// How many records of HEAD are read.
    pub fn records_read(&self) -> usize {
        self.ratchet(&["show", "--json"]).expect(0).json()["records"].as_array().unwrap().len()
    }
}

/// Every line of `before` still stands in `after`.
#[track_caller]
fn assert_kept(before: &str, after: &str) {
    for line in before.lines().filter(|line| !line.is_empty()) {
        assert!(after.lines().any(|kept| kept == line), "lost: {line}");
    }
}

/// The message names what is wrong, in words that a person can look for.
#[track_caller]
fn assert_says(ran: &Ran, words: &[&str]) {
    for word in words {
        assert!(ran.err.contains(word), "no `{word}` in:\n{}", ran.err);
    }
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
}
