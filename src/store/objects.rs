//! Single objects: revisions to ids, ids to commits and files, and gix's errors in our words.

use std::io::ErrorKind;

use chrono::{DateTime, Utc};
use gix::bstr::ByteSlice;

use super::{Store, StoreError};
use crate::model::{Author, ObjectId};

/// How the objects come that a partial clone lacks.
const PARTIAL: &str = "this is a partial clone: bring it with: git fetch --refetch --no-filter";

/// What a person wants to know about a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitInfo {
    /// The commit.
    pub id: ObjectId,
    /// Its root tree.
    pub tree: ObjectId,
    /// Its parents, none beyond a shallow boundary.
    pub parents: Vec<ObjectId>,
    /// When it was committed.
    pub time: DateTime<Utc>,
    /// Who wrote it.
    pub author: Author,
    /// The first line of its message.
    pub subject: String,
}

impl Store {
    /// The commit that is checked out.
    pub fn head(&self) -> Result<ObjectId, StoreError> {
        self.pinned("HEAD").map_or_else(|| self.refs.head(&self.repo).map(ours), Ok)
    }

    /// The commit that a revision names (`HEAD~2`, `v1.0`, `main@{1}`, an abbreviated id); tags are peeled.
    pub fn resolve(&self, revision: &str) -> Result<ObjectId, StoreError> {
        self.pinned(revision).map_or_else(|| self.refs.resolve(&self.repo, revision).map(ours), Ok)
    }

    /// What a revision was pinned to when the repository was opened.
    fn pinned(&self, revision: &str) -> Option<ObjectId> {
        self.options.pinned.iter().find(|(name, _)| name == revision).map(|(_, id)| *id)
    }

    /// A commit's tree, parents, time, author and subject.
    pub fn commit(&self, id: ObjectId) -> Result<CommitInfo, StoreError> {
        let object = self.find(theirs(id))?;
        let commit = object.try_into_commit().map_err(|_| not_a_commit(id))?;
        let decoded = commit.decode().map_err(|error| unreadable(format!("the commit {id}"), &error))?;
        let author = decoded.author().map_err(|error| unreadable(format!("the author of {id}"), &error))?;
        let seconds = decoded.time().map(|time| time.seconds).unwrap_or_default();
        let is_boundary = self.shallow_boundary()?.is_some_and(|boundary| boundary.binary_search(&commit.id).is_ok());
        let parents = if is_boundary { Vec::new() } else { decoded.parents().map(ours).collect() };
        Ok(CommitInfo {
            id,
            tree: ours(decoded.tree()),
            parents,
            time: DateTime::from_timestamp(seconds, 0).unwrap_or_default(),
            author: Author { name: author.name.to_string(), email: author.email.to_string() },
            subject: decoded.message.lines().next().unwrap_or_default().to_str_lossy().into_owned(),
        })
    }

    /// The id that git gives to a file of this content (`git hash-object`); nothing is written.
    pub fn blob_id(&self, content: &[u8]) -> Result<ObjectId, StoreError> {
        let id = gix::objs::compute_hash(self.repo.object_hash(), gix::object::Kind::Blob, content);
        id.map(ours).map_err(|error| unreadable("the id of a file".into(), &error))
    }

    /// The content of a file in a commit's tree; `None` where there is no file at that path (slash-separated).
    pub fn read_file(&self, commit: ObjectId, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let object = self.find(theirs(commit))?;
        let tree = object.peel_to_tree().map_err(|error| self.failed(format!("the tree of {commit}"), &error))?;
        let entry =
            tree.lookup_entry_by_path(path).map_err(|error| self.failed(format!("the path {path} in {commit}"), &error))?;
        match entry.filter(|entry| entry.mode().is_blob()) {
            Some(entry) => Ok(Some(self.find(entry.object_id())?.detach().data)),
            None => Ok(None),
        }
    }

    /// The best common ancestor of two commits; `None` for unrelated histories.
    pub fn merge_base(&self, one: ObjectId, other: ObjectId) -> Result<Option<ObjectId>, StoreError> {
        let cache = self.commit_graph();
        let mut graph = self.repo.revision_graph(cache.as_ref());
        match self.repo.merge_base_with_graph(theirs(one), theirs(other), &mut graph) {
            Ok(base) => Ok(base.map(ours)),
            Err(error) => Err(self.failed(format!("the history of {one} and {other}"), &error)),
        }
    }

    /// Whether `ancestor` is `descendant` or one of its ancestors.
    pub fn is_ancestor(&self, ancestor: ObjectId, descendant: ObjectId) -> Result<bool, StoreError> {
        Ok(self.merge_base(ancestor, descendant)? == Some(ancestor))
    }

    /// The object with this id, or why it is not here.
    pub(super) fn find(&self, id: gix::ObjectId) -> Result<gix::Object<'_>, StoreError> {
        match self.repo.try_find_object(id) {
            Ok(Some(object)) => Ok(object),
            Ok(None) => Err(self.missing(id)),
            Err(error) => Err(self.failed(format!("the object {id}"), &error)),
        }
    }

    /// The error for an object that is not here, with the command that brings it.
    pub(super) fn missing(&self, id: gix::ObjectId) -> StoreError {
        let mend = if self.is_partial() {
            PARTIAL
        } else if self.is_shallow() {
            "this is a shallow clone: bring the history with: git fetch --unshallow"
        } else {
            "the repository is damaged: look with: git fsck"
        };
        StoreError::MissingObject { id: ours(id), mend }
    }

    /// gix's error in our words: what the file system refused, or what cannot be read.
    pub(super) fn failed(&self, what: String, error: &gix::Error) -> StoreError {
        match classify(what, error) {
            // What a partial clone left out is no damage.
            StoreError::Unreadable { what, .. } if error.is_not_found() && self.is_partial() => {
                StoreError::NotFetched { what, mend: PARTIAL }
            }
            other => other,
        }
    }

    /// The sorted commits whose parents a shallow clone lacks.
    pub(super) fn shallow_boundary(&self) -> Result<Option<Vec<gix::ObjectId>>, StoreError> {
        let commits = self.repo.shallow_commits().map_err(|error| self.failed("the list of shallow commits".into(), &error))?;
        Ok(commits.map(|commits| {
            let mut sorted: Vec<_> = commits.iter().copied().collect();
            sorted.sort_unstable();
            sorted
        }))
    }

    /// The commit-graph file, where it may be used: git ignores it in shallow clones, whose parents differ from it.
    pub(super) fn commit_graph(&self) -> Option<gix::commitgraph::Graph> {
        if self.is_shallow() { None } else { self.repo.commit_graph_if_enabled().ok().flatten() }
    }
}

/// gix's error in our words.
pub(super) fn classify(what: String, error: &gix::Error) -> StoreError {
    // gix's own classes know neither a full disk nor a read-only one.
    let has_kind = |wanted: &[ErrorKind]| {
        let mut kinds = error.iter_errors().filter_map(|cause| cause.downcast_ref::<std::io::Error>()).map(std::io::Error::kind);
        kinds.any(|kind| wanted.contains(&kind))
    };
    if has_kind(&[ErrorKind::StorageFull, ErrorKind::QuotaExceeded]) {
        return StoreError::DiskFull { what };
    }
    if error.is_permission_denied() || has_kind(&[ErrorKind::ReadOnlyFilesystem]) {
        return StoreError::PermissionDenied { what, why: error.probable_cause().to_string() };
    }
    unreadable(what, error)
}

pub(super) fn unreadable(what: String, error: &impl std::fmt::Display) -> StoreError {
    StoreError::Unreadable { what, why: error.to_string() }
}

fn not_a_commit(id: ObjectId) -> StoreError {
    StoreError::NotACommit { revision: id.to_string(), kind: "tree, a blob or a tag".into() }
}

/// gix's id as ours.
pub(super) fn ours(id: impl AsRef<gix::oid>) -> ObjectId {
    // Both hashes that gix knows have 20 or 32 bytes.
    ObjectId::from_bytes(id.as_ref().as_bytes()).unwrap_or(ObjectId::ZERO)
}

/// Our id as gix's.
pub(super) fn theirs(id: ObjectId) -> gix::ObjectId {
    // Ours has 20 or 32 bytes too.
    gix::ObjectId::try_from(id.as_bytes()).unwrap_or_else(|_| gix::ObjectId::null(gix::hash::Kind::Sha1))
}
