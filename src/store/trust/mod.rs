//! Whom to believe: with `git config ratchet.trust signed`, a line of a note counts only if somebody who may sign brought it.
//!
//! The notes ref is a chain of commits. **A line is vouched for where a commit with a good signature introduced it: the commit
//! has the line in that note, and none of its parents has.** So a signed merge vouches for nothing that it merely merges, and a
//! signed append not for the lines that stood in the note before. What was vouched for once stays so: whoever takes such a
//! line away and puts it back, unsigned, changes nothing, and neither does the next fetch, which only ever adds.
//!
//! What a good signature is, git says (`%G?` is `G`): a key of `gpg.ssh.allowedSignersFile`, valid when the commit was made and not in
//! `gpg.ssh.revocationFile`, or an OpenPGP key that gpg trusts. What git says costs a process for each signature, and what a
//! commit introduced some trees; both are kept in a file beside the other derived ones ([`kept`]).
//!
//! It is not a lock: who may push can still take lines away. It says who brought what is there.

mod introduced;
mod kept;
mod signatures;

use std::collections::HashMap;
use std::path::PathBuf;

use self::introduced::{Introduction, SignedCommit};
use super::{Notes, Store, StoreError};
use crate::codec;
use crate::model::ObjectId;

/// Which lines count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trust {
    /// All that are there.
    #[default]
    Any,
    /// Those that came in a notes commit with a good signature of an allowed signer.
    Signed,
}

impl Trust {
    /// Reads `ratchet.trust`. A value that is none of these must not mean that everything counts.
    pub(super) fn of(setting: Option<String>) -> Result<Self, StoreError> {
        match setting.as_deref() {
            None | Some("any") => Ok(Self::Any),
            Some("signed") => Ok(Self::Signed),
            Some(other) => Err(StoreError::UnknownTrust { value: other.chars().take(80).collect() }),
        }
    }
}

/// Where git looks for those who may sign with ssh keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedSigners {
    /// `gpg.ssh.allowedSignersFile` is not set.
    NotSet,
    /// The file is not there, or cannot be read.
    Missing(PathBuf),
    /// The file stands in the work tree, where a change of somebody else's can add a signer.
    InWorkTree(PathBuf),
    /// The file.
    File(PathBuf),
}

/// How many notes commits were signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Vouchers {
    /// Notes commits with a signature of any kind.
    pub signed: usize,
    /// Those of them whose signature is good.
    pub good: usize,
}

/// The lines that signed commits introduced, by the object that they annotate.
#[derive(Debug, Default)]
pub(super) struct Vouched {
    by_note: HashMap<ObjectId, Vec<Introduction>>,
}

/// The lines of a note.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) trusted: Vec<u8>,
    pub(super) untrusted: Vec<u8>,
}

impl Store {
    /// Which lines count here: `git config ratchet.trust`.
    pub fn trust(&self) -> Trust {
        self.trust
    }

    /// How many notes commits carry a signature, and how many a good one.
    pub fn vouchers(&self) -> Result<Vouchers, StoreError> {
        let Some(tip) = self.notes_commit(&self.notes_ref)? else { return Ok(Vouchers::default()) };
        let commits = self.verified(super::objects::ours(tip))?;
        Ok(Vouchers { signed: commits.len(), good: commits.iter().filter(|commit| commit.good == Some(true)).count() })
    }

    /// Who vouches for the lines of these notes; `None` where nobody has to. Notes of no commit have nobody.
    pub(super) fn vouched(&self, notes: &Notes<'_>) -> Result<Option<Vouched>, StoreError> {
        match (self.trust, notes.commit()) {
            (Trust::Any, _) => Ok(None),
            (Trust::Signed, None) => Ok(Some(Vouched::default())),
            (Trust::Signed, Some(tip)) => Ok(Some(Vouched::of(self.verified(tip)?))),
        }
    }

    /// The signed commits of a notes history, each with git's word on its signature and what the good ones introduced.
    fn verified(&self, tip: ObjectId) -> Result<Vec<SignedCommit>, StoreError> {
        let kept = self.kept_signatures().unwrap_or_default();
        let (mut known, before) = (kept.clone(), kept);
        if known.tip != Some(tip) {
            let old = known.tip.filter(|old| self.is_ancestor(*old, tip).unwrap_or(false));
            if old.is_none() {
                // Somebody moved the ref: what its old commits introduced may not be in this history.
                known.commits.clear();
            }
            known.commits.extend(self.signed_commits(tip, old)?);
            known.tip = Some(tip);
        }
        let keys = self.signer_keys();
        known.forget_verdicts_of_other_keys(&keys);
        known.keys = keys;
        self.verify(&mut known.commits)?;
        for commit in known.commits.iter_mut().filter(|commit| commit.good == Some(true) && commit.notes.is_none()) {
            commit.notes = Some(self.introduced(commit.id)?);
        }
        if known != before {
            self.keep_signatures(&known);
        }
        Ok(known.commits)
    }
}

impl Vouched {
    fn of(commits: Vec<SignedCommit>) -> Self {
        let mut by_note: HashMap<ObjectId, Vec<Introduction>> = HashMap::new();
        let good = commits.into_iter().filter(|commit| commit.good == Some(true));
        for (annotated, introduction) in good.flat_map(|commit| commit.notes.unwrap_or_default()) {
            by_note.entry(annotated).or_default().push(introduction);
        }
        Self { by_note }
    }

    /// Which lines of a note somebody vouches for. `blobs` are what it was read from.
    pub(super) fn split(&self, notes: &Notes<'_>, annotated: ObjectId, note: Vec<u8>) -> Result<Split, StoreError> {
        let Some(introductions) = self.by_note.get(&annotated) else {
            return Ok(Split { trusted: Vec::new(), untrusted: note });
        };
        let mut blobs: Vec<ObjectId> = notes.blobs(annotated).iter().map(|(_, blob)| *blob).collect();
        blobs.sort_unstable();
        blobs.dedup();
        if introductions.iter().any(|introduction| introduction.before.is_empty() && introduction.after == blobs) {
            return Ok(Split { trusted: note, untrusted: Vec::new() });
        }
        let mut vouched = Vec::new();
        for Introduction { after, before } in introductions {
            // A note too large to be read holds no line that could count.
            let read = |blobs: &[ObjectId]| match notes.store().read_note(annotated, blobs.iter().copied()) {
                Err(StoreError::NoteTooLarge { .. }) => Ok(None),
                read => read.map(Some),
            };
            if let Some((after, before)) = read(after)?.zip(read(before)?) {
                vouched.push(codec::difference(&after, &before));
            }
        }
        let untrusted = codec::difference(&note, &codec::union(vouched.iter().map(Vec::as_slice)));
        Ok(Split { trusted: codec::difference(&note, &untrusted), untrusted })
    }
}
