//! What a commit holds: the paths of its files and the ids of their contents.

use gix::bstr::ByteSlice;

use super::objects::{ours, theirs};
use super::{Store, StoreError};
use crate::model::ObjectId;

impl Store {
    /// Every file of a commit with the id of its content, in the order of their paths. Equal ids are equal contents.
    /// Names that are no UTF-8 are taken as well as they can be.
    pub fn files(&self, commit: ObjectId) -> Result<Vec<(String, ObjectId)>, StoreError> {
        let object = self.find(theirs(commit))?;
        let tree = object.peel_to_tree().map_err(|error| self.failed(format!("the tree of {commit}"), &error))?;
        let entries =
            tree.traverse().breadthfirst.files().map_err(|error| self.failed(format!("the files of {commit}"), &error))?;
        let files = entries.into_iter().filter(|entry| entry.mode.is_blob_or_symlink());
        let mut files: Vec<_> = files.map(|entry| (entry.filepath.to_str_lossy().into_owned(), ours(entry.oid))).collect();
        files.sort();
        Ok(files)
    }
}
