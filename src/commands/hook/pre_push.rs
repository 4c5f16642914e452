//! What the pre-push hook does: each pushed branch gets the verdict that `check` gives.
//!
//! Everything is said on standard error, since standard output may be that of `git push --porcelain`. The hook is a
//! convenience for the one who pushes: where it cannot judge, it says so and lets the push pass.

use std::collections::BTreeSet;
use std::io::{Read, Write};

use crate::cli::{CheckArgs, PastArgs};
use crate::commands::context::Context;
use crate::commands::error::{CommandError, During};
use crate::commands::exchange::{counted, open};
use crate::commands::verdict::{self, Judged};
use crate::exit::Exit;
use crate::judge::Verdict;
use crate::model::ObjectId;
use crate::report::check_text::{self, TextOptions};
use crate::report::escape;
use crate::store::Store;

/// Longest list of refs that is read, in bytes: a hundred thousand refs.
const MAX_INPUT_BYTES: u64 = 32 << 20;

/// A branch that is about to be pushed.
struct PushedBranch {
    /// Its commit.
    tip: ObjectId,
    /// Its full name at the remote.
    name: String,
    /// What the remote has of it now.
    remote_tip: Option<ObjectId>,
}

impl PushedBranch {
    /// Reads a line of the hook's input, `LOCAL-REF LOCAL-ID REMOTE-REF REMOTE-ID`. Deletions, tags, notes and everything
    /// else that is no branch have no verdict.
    fn read(line: &str) -> Option<Self> {
        let [_, tip, name, remote_tip] = line.split(' ').collect::<Vec<_>>().try_into().ok()?;
        let id = |text: &str| text.parse::<ObjectId>().ok().filter(|id| id.as_bytes().iter().any(|byte| *byte != 0));
        let is_branch = name.starts_with("refs/heads/");
        Some(Self { tip: id(tip)?, name: name.to_owned(), remote_tip: id(remote_tip) }).filter(|_| is_branch)
    }

    fn short_name(&self) -> &str {
        self.name.trim_start_matches("refs/heads/")
    }
}

/// What a judged branch means for the push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Passage {
    Free,
    /// Blocked, if the repository requires a verdict.
    Unproven,
    Blocked,
}

/// Runs the hook: 0 lets the push pass, everything else stops it.
pub fn run(remote: &str, context: &mut Context) -> Result<Exit, CommandError> {
    let mut said = Vec::new();
    let exit = hold(remote, context, &mut said).unwrap_or_else(|error| {
        let _ = writeln!(said, "git-ratchet cannot judge this push: {}", escape::terminal(&error.message));
        Exit::Holds
    });
    // The exit code counts, whether or not somebody still reads (`git push 2>&1 | head -1`).
    let _ = context.err.write_all(&said);
    Ok(exit)
}

/// Judges every pushed branch; what is to be told goes to `said`.
fn hold(remote: &str, context: &mut Context, said: &mut Vec<u8>) -> Result<Exit, CommandError> {
    let mut input = Vec::new();
    std::io::stdin().lock().take(MAX_INPUT_BYTES).read_to_end(&mut input).during("cannot read the pushed refs")?;
    let branches: Vec<PushedBranch> = String::from_utf8_lossy(&input).lines().filter_map(PushedBranch::read).collect();
    if branches.is_empty() {
        return Ok(Exit::Holds);
    }
    let store = open(context)?;
    let mut worst = Passage::Free;
    let mut judged = BTreeSet::new();
    for branch in branches {
        let base = store.push_base(remote, &branch.name, branch.remote_tip)?;
        if judged.insert((branch.tip, base.clone())) {
            worst = worst.max(judge(&branch, base, context, said)?);
        }
    }
    let exit = decide(worst, &store, said)?;
    if exit == Exit::Holds && is_set(&store, "ratchet.prePush.pushNotes") {
        push_notes(&store, remote, said)?;
    }
    Ok(exit)
}

fn judge(
    branch: &PushedBranch,
    base: Option<String>,
    context: &mut Context,
    said: &mut Vec<u8>,
) -> Result<Passage, CommandError> {
    // A push waits for an answer, not for a measurement.
    let past = PastArgs { against: base, ..PastArgs::default() };
    let arguments = CheckArgs { rev: branch.tip.to_string(), past, no_confirm: true, ..CheckArgs::default() };
    let name = escape::terminal(branch.short_name());
    let Judged { judgement, notices, .. } = match verdict::judge(&arguments, context) {
        Ok(judged) => judged,
        Err(error) => {
            writeln!(said, "git-ratchet cannot judge {name}: {}", escape::terminal(&error.message))?;
            return Ok(Passage::Unproven);
        }
    };
    // The whole table for a loss, a line where there is no verdict, nothing where all is well.
    match judgement.verdict() {
        Verdict::Regression => {
            let options = TextOptions { width: context.terminal.width, color: context.terminal.color, verbose: false };
            writeln!(said, "git-ratchet: {name} got slower")?;
            check_text::check(said, &judgement, &notices, options)?;
            Ok(Passage::Blocked)
        }
        Verdict::NotMeasured => {
            writeln!(said, "git-ratchet: {name} was not measured: git ratchet bench, or git ratchet record")?;
            Ok(Passage::Unproven)
        }
        Verdict::Undecided => {
            writeln!(said, "git-ratchet: {name} is undecided: git ratchet check {} tells why", branch.tip)?;
            Ok(Passage::Free)
        }
        _ => Ok(Passage::Free),
    }
}

fn decide(worst: Passage, store: &Store, said: &mut Vec<u8>) -> Result<Exit, CommandError> {
    match worst {
        Passage::Blocked => {
            writeln!(
                said,
                "\ngit-ratchet stops this push. Three ways on:\n  fix it:             and measure again\n  accept it:          git ratchet excuse BENCHMARK --reason \"…\"\n  push all the same:  git push --no-verify"
            )?;
            Ok(Exit::Regression)
        }
        Passage::Unproven if is_set(store, "ratchet.prePush.require") => {
            writeln!(
                said,
                "git-ratchet stops this push: git config ratchet.prePush.require asks for a measurement (git push --no-verify goes past it)"
            )?;
            Ok(Exit::NoVerdict)
        }
        _ => Ok(Exit::Holds),
    }
}

fn push_notes(store: &Store, remote: &str, said: &mut Vec<u8>) -> Result<(), CommandError> {
    let pushed = store.remote_named(Some(remote)).and_then(|remote| store.push_notes(&remote));
    match pushed {
        Ok(Some(pushed)) if pushed.sent.lines > 0 => {
            writeln!(said, "git-ratchet: sent {} to {}", counted(pushed.sent), escape::terminal(remote))?;
        }
        Ok(_) => {}
        Err(error) => writeln!(said, "git-ratchet: the notes were not pushed: {}", escape::terminal(&error.to_string()))?,
    }
    Ok(())
}

fn is_set(store: &Store, key: &str) -> bool {
    let value = store.git_setting(key).map(|value| value.to_ascii_lowercase());
    matches!(value.as_deref(), Some("true" | "yes" | "on" | "1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_branches_that_are_not_deleted_are_judged() {
        let (one, two, none) = ("1".repeat(40), "2".repeat(40), "0".repeat(40));
        let read = |refs: [&str; 4]| PushedBranch::read(&refs.join(" "));
        let branch = read(["refs/heads/a", &one, "refs/heads/b/c", &two]).unwrap();
        assert_eq!((branch.tip.to_string(), branch.short_name()), (one.clone(), "b/c"));
        assert_eq!(branch.remote_tip.map(|id| id.to_string()), Some(two.clone()));
        assert!(read(["HEAD", &one, "refs/heads/new", &none]).unwrap().remote_tip.is_none());
        assert!(read(["(delete)", &none, "refs/heads/b", &two]).is_none());
        assert!(read(["refs/tags/v1", &one, "refs/tags/v1", &none]).is_none());
        assert!(read(["refs/notes/ratchet", &one, "refs/notes/ratchet", &two]).is_none());
        assert!(PushedBranch::read("not a line").is_none());
    }
}
