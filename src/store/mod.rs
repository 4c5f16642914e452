//! The repository: revisions, history, and the notes ref that keeps the results.
//!
//! This is the only module that knows gix, and `git` is the only file that starts the git program. Nothing of gix
//! leaks out: commits, trees and blobs are [`ObjectId`](crate::model::ObjectId)s, notes are lines of the codec.
//!
//! Reading: [`Store::history`] walks commits (from the commit-graph file where there is one), [`Store::notes`] lists
//! the notes ref, and [`Store::annotated_history`] joins the two by *tree*, so that a commit inherits what was
//! measured on another commit with the same content. [`Store::series_history`] answers the same from a cache. Writing: [`Store::append`], one commit on the notes ref per call,
//! by compare-and-swap. Exchange: [`Store::fetch_notes`], [`Store::merge_notes`] and [`Store::push_notes`]; the user's
//! own git does the talking, so that credentials, proxies and ssh are its business. Whom to believe: [`Trust`]; git signs and
//! verifies.
//!
//! It knows no statistics, no settings file and no output.

mod annotated;
mod append;
mod base;
mod by_tree;
mod changes;
mod decode;
mod difference;
mod error;
mod files;
mod git;
mod history;
mod hooks;
mod merge;
mod notes;
mod objects;
mod open;
mod prune;
mod range;
mod refs;
mod remote;
mod series;
mod sign;
mod submodules;
#[cfg(test)]
mod tests;
mod thin;
mod trust;
mod warning;
mod worktrees;

use std::path::Path;

pub use annotated::{AnnotatedCommit, AnnotatedHistory};
pub use append::Appended;
pub use base::{Base, BaseRequest, BaseSource};
pub use changes::{Blob, ChangedPath};
pub use error::StoreError;
pub use history::{History, HistoryCommit, Walk};
pub use merge::{Comparison, MergeKind, Merged, Surplus};
pub use notes::Notes;
pub use objects::CommitInfo;
pub use open::OpenOptions;
pub use prune::{PruneRequest, Pruned};
pub use remote::Pushed;
pub use series::{SeriesCounts, SeriesHistory, SeriesRun};
pub use thin::{ThinRequest, ThinnedNotes};
pub use trust::{AllowedSigners, Trust, Vouchers};
pub use warning::StoreWarning;
pub use worktrees::{Checkout, Keeping, KeptWorktrees, Origin, Worktrees};

use crate::model::Author;
use refs::Refs;

/// Where the notes live unless told otherwise.
pub const DEFAULT_NOTES_REF: &str = "refs/notes/ratchet";

/// A note larger than this is not read, and not appended to, in bytes.
pub const MAX_NOTE_BYTES: u64 = 64 << 20;

/// A note with more lines than this is not read either: a real line has hundreds of bytes, so this many can only have
/// been made to exhaust memory.
pub const MAX_NOTE_LINES: usize = 1 << 20;

/// An opened repository.
#[derive(Debug)]
pub struct Store {
    repo: gix::Repository,
    refs: Refs,
    git: git::Git,
    notes_ref: String,
    trust: Trust,
    /// As it was opened.
    options: OpenOptions,
}

impl Store {
    /// The full name of the notes ref, `refs/notes/ratchet` unless told otherwise.
    pub fn notes_ref(&self) -> &str {
        &self.notes_ref
    }

    /// The folder of this work tree's `HEAD` and index; differs between linked worktrees.
    pub fn git_dir(&self) -> &Path {
        self.repo.git_dir()
    }

    /// The folder of objects, refs and config that all linked worktrees share.
    pub fn common_dir(&self) -> &Path {
        self.repo.common_dir()
    }

    /// The root of the checked-out files; none in a bare repository.
    pub fn work_dir(&self) -> Option<&Path> {
        self.repo.workdir()
    }

    /// Who writes, by git's rules: `GIT_AUTHOR_*`, `author.*`, `user.*`, `EMAIL`.
    pub fn author(&self) -> Result<Author, StoreError> {
        let signature = self.repo.author().and_then(Result::ok).ok_or(StoreError::NoIdentity)?;
        let (name, email) = (signature.name.to_string(), signature.email.to_string());
        if name.trim().is_empty() { Err(StoreError::NoIdentity) } else { Ok(Author { name, email }) }
    }

    /// A value of git's configuration, such as `ratchet.base` or `core.hooksPath`. Of several values the last counts.
    pub fn git_setting(&self, key: &str) -> Option<String> {
        self.repo.config_snapshot().string(key).map(|value| value.to_string())
    }

    /// The values of `ratchet.PREFIX.NAME.KEY` in git's configuration, as (name, value); of several values of one name the last
    /// comes last. Names keep their case.
    pub fn git_settings_named(&self, prefix: &str, key: &str) -> Vec<(String, String)> {
        let snapshot = self.repo.config_snapshot();
        let sections = snapshot.plumbing().sections_by_name("ratchet").into_iter().flatten();
        let values = sections.filter_map(|section| {
            let name = section.header().subsection_name()?.to_string();
            let name = name.strip_prefix(prefix)?.strip_prefix('.')?.to_owned();
            Some((name, section.value(key)?.to_string()))
        });
        values.collect()
    }

    /// Whether this is a shallow clone, whose older commits are not here.
    pub fn is_shallow(&self) -> bool {
        self.repo.is_shallow().unwrap_or(false)
    }

    /// Whether tracked files, the index or a submodule differ from `HEAD`. A bare repository is never dirty.
    ///
    /// Asks the git program, which alone knows every filter, sparse checkout and index extension.
    pub fn is_dirty(&self) -> Result<bool, StoreError> {
        if self.work_dir().is_none() {
            return Ok(false);
        }
        let changes =
            self.git.output(&["status", "--porcelain=v1", "-z", "--untracked-files=no", "--ignore-submodules=untracked"])?;
        Ok(!changes.is_empty())
    }
}
