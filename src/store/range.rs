//! Parts of a history: what lies between two commits, and what came before one.

use super::objects::{classify, ours, theirs};
use super::{History, HistoryCommit, Store, StoreError, Walk};
use crate::model::ObjectId;

impl Store {
    /// One commit as histories hold it.
    pub fn history_commit(&self, id: ObjectId) -> Result<HistoryCommit, StoreError> {
        let info = self.commit(id)?;
        Ok(HistoryCommit { id, tree: info.tree, time: info.time.timestamp() })
    }

    /// The ancestors of a commit without itself, newest first.
    pub fn history_before(&self, id: ObjectId, walk: Walk) -> Result<History, StoreError> {
        let mut parents = self.commit(id)?.parents;
        if walk == Walk::FirstParent {
            parents.truncate(1);
        }
        if parents.iter().all(|parent| self.has_object(*parent)) {
            return self.history(&parents, walk);
        }
        Ok(History { commits: Vec::new(), truncated: true })
    }

    /// The commits that `tip` has and `base` has not, newest first: `git log base..tip`. Begins with `tip`.
    pub fn commits_between(&self, base: ObjectId, tip: ObjectId) -> Result<Vec<HistoryCommit>, StoreError> {
        let failed = |error: &gix::Error| classify(format!("the commits from {base} to {tip}"), error);
        let order = gix::revision::walk::Sorting::ByCommitTime(Default::default());
        let walk = self.repo.rev_walk([theirs(tip)]).with_hidden([theirs(base)]).sorting(order).all().map_err(|error| failed(&error.into()))?;
        let mut commits = vec![self.history_commit(tip)?];
        for commit in walk {
            let id = ours(commit.map_err(|error| failed(&error.into()))?.id);
            if id != tip {
                commits.push(self.history_commit(id)?);
            }
        }
        Ok(commits)
    }

    fn has_object(&self, id: ObjectId) -> bool {
        self.repo.has_object(theirs(id))
    }
}
