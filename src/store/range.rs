//! Parts of a history: what lies between two commits, and where it ends.

use super::objects::{classify, ours, theirs};
use super::{HistoryCommit, Store, StoreError};
use crate::model::ObjectId;

impl Store {
    /// One commit as histories hold it.
    pub fn history_commit(&self, id: ObjectId) -> Result<HistoryCommit, StoreError> {
        let info = self.commit(id)?;
        Ok(HistoryCommit { id, tree: info.tree, time: info.time.timestamp() })
    }

    /// Whether a commit has parents that this shallow clone lacks.
    pub fn is_cut_off(&self, id: ObjectId) -> Result<bool, StoreError> {
        Ok(self.shallow_boundary()?.is_some_and(|boundary| boundary.binary_search(&theirs(id)).is_ok()))
    }

    /// Where a commit of a side branch came into a line of first parents (`line`, newest first): the place of the oldest
    /// commit of the line that has it as an ancestor. `None` where none has it, or where it is not here.
    pub fn merged_at(&self, line: &[ObjectId], side: ObjectId) -> Result<Option<usize>, StoreError> {
        if !self.repo.has_object(theirs(side)) {
            return Ok(None);
        }
        // Once a line has a commit it keeps it, so halving finds the border.
        let (mut having, mut lacking) = (0, line.len());
        if line.is_empty() || !self.is_ancestor(side, line[0])? {
            return Ok(None);
        }
        while lacking - having > 1 {
            let middle = having + (lacking - having) / 2;
            if self.is_ancestor(side, line[middle])? { having = middle } else { lacking = middle }
        }
        Ok(Some(having))
    }

    /// The commits that `tip` has and `base` has not, newest first: `git log base..tip`. Begins with `tip`.
    pub fn commits_between(&self, base: ObjectId, tip: ObjectId) -> Result<Vec<HistoryCommit>, StoreError> {
        let failed = |error: &gix::Error| classify(format!("the commits from {base} to {tip}"), error);
        let order = gix::revision::walk::Sorting::ByCommitTime(Default::default());
        let walk =
            self.repo.rev_walk([theirs(tip)]).with_hidden([theirs(base)]).sorting(order).all().map_err(|error| failed(&error))?;
        let mut commits = vec![self.history_commit(tip)?];
        for commit in walk {
            let id = ours(commit.map_err(|error| failed(&error))?.id);
            if id != tip {
                commits.push(self.history_commit(id)?);
            }
        }
        Ok(commits)
    }
}
