//! What was found out about signatures, in a file: `ratchet/trust` of the folder that linked worktrees share.
//!
//! A sum of its bytes stands at its head. A file that is damaged or of another version is not used; where none can be written,
//! git is asked again. As for every derived file, deleting it costs time only.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::introduced::{Introduction, SignedCommit};
use super::signatures::SignerKeys;
use crate::model::ObjectId;
use crate::store::Store;

const HEAD: &str = concat!("git-ratchet ", env!("CARGO_PKG_VERSION"), " trust 1");

/// What is known of a notes history.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Kept {
    /// Its newest commit.
    pub(super) tip: Option<ObjectId>,
    /// What the verdicts rest on.
    pub(super) keys: SignerKeys,
    /// The signed ones of its commits.
    pub(super) commits: Vec<SignedCommit>,
}

impl Kept {
    /// Git has to be asked again where other keys may sign.
    pub(super) fn forget_verdicts_of_other_keys(&mut self, now: &SignerKeys) {
        let (ssh, other) = (self.keys.ssh == now.ssh, self.keys.other == now.other);
        for commit in self.commits.iter_mut().filter(|commit| if commit.is_ssh { !ssh } else { !other }) {
            commit.good = None;
        }
    }

    fn to_text(&self) -> String {
        let tip = self.tip.map_or_else(String::new, |tip| tip.to_string());
        let mut text = format!("tip {tip}\nkeys {} {}\n", self.keys.ssh, self.keys.other);
        let list = |ids: &[ObjectId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        for SignedCommit { id, is_ssh, good, notes } in &self.commits {
            let (kind, good) = (if *is_ssh { "ssh" } else { "other" }, if *good == Some(true) { "good" } else { "bad" });
            let known = if notes.is_some() { "known" } else { "unknown" };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "commit {id} {kind} {good} {known}");
            for (annotated, Introduction { after, before }) in notes.iter().flatten() {
                let _ = writeln!(text, "note {annotated} {} {}", list(after), list(before));
            }
        }
        text
    }

    fn from_text(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let tip = lines.next()?.strip_prefix("tip ")?.parse().ok()?;
        let (ssh, other) = lines.next()?.strip_prefix("keys ")?.split_once(' ')?;
        let keys = SignerKeys { ssh: ssh.to_owned(), other: other.to_owned() };
        let mut kept = Self { tip: Some(tip), keys, commits: Vec::new() };
        for line in lines {
            let mut words = line.split(' ');
            let (kind, id) = (words.next()?, words.next()?.parse().ok()?);
            match kind {
                "commit" => {
                    let (is_ssh, good) = (words.next()? == "ssh", words.next()? == "good");
                    let notes = (words.next()? == "known").then(Vec::new);
                    kept.commits.push(SignedCommit { id, is_ssh, good: Some(good), notes });
                }
                "note" => {
                    let introduction = Introduction { after: ids(words.next()?)?, before: ids(words.next()?)? };
                    kept.commits.last_mut()?.notes.as_mut()?.push((id, introduction));
                }
                _ => return None,
            }
        }
        Some(kept)
    }
}

fn ids(list: &str) -> Option<Vec<ObjectId>> {
    list.split(',').filter(|id| !id.is_empty()).map(|id| id.parse().ok()).collect()
}

/// The bytes of a file: its head with a sum of the rest, and the rest.
fn sealed(text: &str) -> String {
    let sum: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{HEAD} {sum}\n{text}")
}

impl Store {
    /// What was kept; `None` where there is nothing of use.
    pub(super) fn kept_signatures(&self) -> Option<Kept> {
        let whole = fs::read_to_string(self.trust_file()?).ok()?;
        let (_, text) = whole.split_once('\n')?;
        if sealed(text) == whole { Kept::from_text(text) } else { None }
    }

    /// Keeps it, if it can be written. Another process may do the same: one of both stays, and both are right.
    pub(super) fn keep_signatures(&self, kept: &Kept) {
        let Some(path) = self.trust_file() else { return };
        let write = || -> std::io::Result<()> {
            let folder = path.parent().unwrap_or(&path);
            fs::create_dir_all(folder)?;
            let mut place = tempfile::NamedTempFile::new_in(folder)?;
            place.write_all(sealed(&kept.to_text()).as_bytes())?;
            place.persist(&path).map(drop).map_err(|error| error.error)
        };
        // Without a file, the next reading asks git again.
        let _ = write();
    }

    fn trust_file(&self) -> Option<PathBuf> {
        self.keeps_derived_files().then(|| self.common_dir().join("ratchet").join("trust"))
    }

    /// Replace refs change what a history holds while ids stay.
    fn keeps_derived_files(&self) -> bool {
        let is_off = self.git_setting("ratchet.cache").is_some_and(|value| ["false", "no", "off", "0"].contains(&&*value));
        !is_off && !self.has_refs("refs/replace/").unwrap_or(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> ObjectId {
        ObjectId::from_bytes(&[byte; 20]).unwrap()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let introduction = |after: &[u8], before: &[u8]| Introduction {
            after: after.iter().map(|byte| id(*byte)).collect(),
            before: before.iter().map(|byte| id(*byte)).collect(),
        };
        let commit = |byte, is_ssh, good, notes| SignedCommit { id: id(byte), is_ssh, good: Some(good), notes };
        let notes = vec![(id(7), introduction(&[8], &[])), (id(9), introduction(&[1, 2], &[3, 4]))];
        let kept = Kept {
            tip: Some(id(1)),
            keys: SignerKeys { ssh: "ab".into(), other: "cd".into() },
            commits: vec![
                commit(1, true, true, Some(notes)),
                commit(2, false, false, None),
                commit(3, true, true, Some(Vec::new())),
            ],
        };
        assert_eq!(Kept::from_text(&kept.to_text()), Some(kept.clone()));
        for cut in 1..kept.to_text().len() {
            // Whatever is cut off, reading does not panic; the sum at the head tells.
            let _ = Kept::from_text(&kept.to_text()[..cut]);
        }
    }
}
