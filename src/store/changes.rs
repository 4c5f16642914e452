//! Which files differ between two trees, and what stood in them: read from objects, without a checkout.

use std::collections::BTreeMap;

use gix::objs::TreeRefIter;

use super::objects::{ours, theirs, unreadable};
use super::{Store, StoreError};
use crate::model::ObjectId;

/// More changed paths than this are not listed: nobody reads them, and a stranger's tree may be large on purpose.
const MOST_PATHS: usize = 10_000;

/// A folder deeper than this can only have been made to exhaust memory.
const DEEPEST: usize = 256;

/// A path that is not the same in two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedPath {
    /// Slash-separated, from the root of the repository.
    pub path: String,
    /// The blob before; `None` where there was none.
    pub before: Option<ObjectId>,
    /// The blob after; `None` where there is none.
    pub after: Option<ObjectId>,
}

/// What a blob holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blob {
    /// Its bytes.
    Bytes(Vec<u8>),
    /// It is larger than asked for: its size in bytes.
    TooLarge(u64),
}

impl Store {
    /// The files that differ between two trees, by path; submodules count as no files. The second part says whether
    /// there were more than are listed.
    pub fn changed_paths(&self, before: ObjectId, after: ObjectId) -> Result<(Vec<ChangedPath>, bool), StoreError> {
        let mut walk = Walk { store: self, found: Vec::new() };
        if before != after {
            walk.compare("", Some(theirs(before)), Some(theirs(after)), 0)?;
        }
        let more = walk.found.len() > MOST_PATHS;
        walk.found.truncate(MOST_PATHS);
        Ok((walk.found, more))
    }

    /// A blob of at most `most` bytes.
    pub fn read_blob(&self, id: ObjectId, most: u64) -> Result<Blob, StoreError> {
        let header = self.repo.find_header(theirs(id)).map_err(|error| self.failed(format!("the blob {id}"), &error))?;
        if header.size() > most {
            return Ok(Blob::TooLarge(header.size()));
        }
        Ok(Blob::Bytes(self.find(theirs(id))?.detach().data))
    }
}

struct Walk<'store> {
    store: &'store Store,
    found: Vec<ChangedPath>,
}

/// The entries of one folder: files and folders of the same name are two things.
type Entries = BTreeMap<(String, bool), gix::ObjectId>;

impl Walk<'_> {
    fn compare(
        &mut self,
        folder: &str,
        before: Option<gix::ObjectId>,
        after: Option<gix::ObjectId>,
        depth: usize,
    ) -> Result<(), StoreError> {
        if depth > DEEPEST || self.found.len() > MOST_PATHS {
            return Ok(());
        }
        let (before, mut after) = (self.entries(before)?, self.entries(after)?);
        let mut both: Vec<_> = before
            .into_iter()
            .map(|(name, old)| {
                let new = after.remove(&name);
                (name, Some(old), new)
            })
            .collect();
        both.extend(after.into_iter().map(|(name, new)| (name, None, Some(new))));
        both.sort();
        for ((name, is_folder), old, new) in both.into_iter().filter(|(_, old, new)| old != new) {
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            if is_folder {
                self.compare(&path, old, new, depth + 1)?;
            } else {
                self.found.push(ChangedPath { path, before: old.map(ours), after: new.map(ours) });
            }
        }
        Ok(())
    }

    fn entries(&self, tree: Option<gix::ObjectId>) -> Result<Entries, StoreError> {
        let Some(tree) = tree else { return Ok(Entries::new()) };
        let object = self.store.find(tree)?;
        let mut entries = Entries::new();
        for entry in TreeRefIter::from_bytes(&object.data, tree.kind()) {
            let entry = entry.map_err(|error| unreadable(format!("the tree {tree}"), &error))?;
            if !entry.mode.is_commit() {
                entries.insert((entry.filename.to_string(), entry.mode.is_tree()), entry.oid.to_owned());
            }
        }
        Ok(entries)
    }
}
