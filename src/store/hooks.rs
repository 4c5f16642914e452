//! Where git looks for hooks, and what a push is held against. No hook is written here.

use std::path::PathBuf;

use super::{Store, StoreError};
use crate::model::ObjectId;

impl Store {
    /// The folder in which git looks for hooks: `core.hooksPath`, or `hooks` of the folder that all worktrees share.
    pub fn hooks_dir(&self) -> Result<PathBuf, StoreError> {
        let stdout = self.git.output(&["rev-parse", "--git-path", "hooks"])?;
        let path = PathBuf::from(String::from_utf8_lossy(&stdout).trim_end_matches(['\n', '\r']));
        // Git answers relative to where it ran. Going through the components drops a `.` in between.
        Ok(self.work_dir().unwrap_or_else(|| self.git_dir()).join(path).components().collect())
    }

    /// What a pushed branch is held against: what the remote has of it, else what was last fetched of it, else the
    /// branch that the remote's `HEAD` names. `None` where nothing of this is here.
    pub fn push_base(&self, remote: &str, branch_ref: &str, remote_tip: Option<ObjectId>) -> Result<Option<String>, StoreError> {
        let branch = branch_ref.trim_start_matches("refs/heads/");
        let tracking = format!("refs/remotes/{remote}/{branch}");
        let mut candidates =
            remote_tip.into_iter().map(|tip| tip.to_string()).chain([tracking, format!("refs/remotes/{remote}/HEAD")]);
        Ok(candidates.find(|name| self.resolve(name).is_ok()))
    }
}
