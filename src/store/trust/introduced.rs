//! Which notes commits are signed, and which lines they brought: what they have and none of their parents has.

use gix::objs::TreeRefIter;

use crate::model::ObjectId;
use crate::store::notes::Prefix;
use crate::store::objects::{ours, theirs, unreadable};
use crate::store::{Store, StoreError};

/// A notes commit that carries a signature, good or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignedCommit {
    pub(super) id: ObjectId,
    /// By an ssh key; else by what gpg or gpgsm verify.
    pub(super) is_ssh: bool,
    /// Git's word on it, where it was asked.
    pub(super) good: Option<bool>,
    /// The notes to which it added lines, where the signature is good.
    pub(super) notes: Option<Vec<(ObjectId, Introduction)>>,
}

/// The lines that a commit added to one note: those of these blobs that none of the others has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Introduction {
    /// The note in the commit, sorted.
    pub(super) after: Vec<ObjectId>,
    /// The note in the commit's parents.
    pub(super) before: Vec<ObjectId>,
}

impl Store {
    /// The signed commits of the history of `tip` that are not in that of `old`. Asks git, which knows every kind of history.
    pub(super) fn signed_commits(&self, tip: ObjectId, old: Option<ObjectId>) -> Result<Vec<SignedCommit>, StoreError> {
        let (tip, hidden) = (tip.to_string(), old.map(|old| format!("^{old}")));
        let arguments: Vec<&str> = ["rev-list", &tip].into_iter().chain(hidden.as_deref()).collect();
        let listed = self.git.output(&arguments)?;
        let ids = String::from_utf8_lossy(&listed).lines().filter_map(|line| line.parse().ok()).collect::<Vec<ObjectId>>();
        let mut signed = Vec::new();
        for id in ids {
            if let Some(is_ssh) = self.signature_kind(id)? {
                signed.push(SignedCommit { id, is_ssh, good: None, notes: None });
            }
        }
        Ok(signed)
    }

    /// Whether a commit is signed with an ssh key; `None` where it is not signed.
    fn signature_kind(&self, id: ObjectId) -> Result<Option<bool>, StoreError> {
        let what = || format!("the commit {id}");
        let commit = self.find(theirs(id))?.try_into_commit().map_err(|error| unreadable(what(), &error))?;
        let decoded = commit.decode().map_err(|error| unreadable(what(), &error))?;
        let mut signatures =
            decoded.extra_headers.iter().filter(|(name, _)| [&b"gpgsig"[..], b"gpgsig-sha256"].contains(&&***name));
        Ok(signatures.next().map(|(_, signature)| signature.starts_with(b"-----BEGIN SSH SIGNATURE-----")))
    }

    /// The notes to which a commit added lines. None where a parent is not here (the notes were fetched with a depth): whether a
    /// line is older cannot be told then. None either where the tree holds more than notes at its root: whoever signed
    /// a commit of the project did not mean files in it that look like notes.
    pub(super) fn introduced(&self, id: ObjectId) -> Result<Vec<(ObjectId, Introduction)>, StoreError> {
        let what = || format!("the commit {id}");
        let commit = self.find(theirs(id))?.try_into_commit().map_err(|error| unreadable(what(), &error))?;
        let decoded = commit.decode().map_err(|error| unreadable(what(), &error))?;
        let (tree, parents): (_, Vec<gix::ObjectId>) = (decoded.tree(), decoded.parents().collect());
        if !self.holds_notes_only(tree)? || parents.iter().any(|parent| !self.repo.has_object(*parent)) {
            return Ok(Vec::new());
        }
        let trees = parents.into_iter().map(|parent| self.tree_of(parent)).collect::<Result<Vec<_>, _>>()?;
        let added = self.difference(trees.first().copied(), Some(tree))?.notes;
        let mut introduced = Vec::new();
        for note in added.into_iter().filter(|note| !note.right.is_empty()) {
            let (after, before) = (note.right, note.left);
            introduced.extend(self.against_others(note.annotated, after, before, trees.get(1..).unwrap_or_default())?);
        }
        Ok(introduced)
    }

    /// Takes what the other parents have from what a commit seems to bring.
    fn against_others(
        &self,
        annotated: ObjectId,
        after: Vec<ObjectId>,
        mut before: Vec<ObjectId>,
        others: &[gix::ObjectId],
    ) -> Result<Option<(ObjectId, Introduction)>, StoreError> {
        for tree in others {
            let mut blobs = self.find_note(*tree, annotated)?.blobs;
            blobs.sort_unstable();
            blobs.dedup();
            if blobs == after {
                return Ok(None);
            }
            before.extend(blobs);
        }
        Ok(Some((annotated, Introduction { after, before })))
    }

    fn holds_notes_only(&self, tree: gix::ObjectId) -> Result<bool, StoreError> {
        if tree.is_empty_tree() {
            return Ok(true);
        }
        let object = self.find(tree)?;
        for entry in TreeRefIter::from_bytes(&object.data, tree.kind()) {
            let entry = entry.map_err(|error| unreadable(format!("the notes tree {}", ours(tree)), &error))?;
            if Prefix::default().read(&entry, tree.kind()).is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
