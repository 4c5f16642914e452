//! The commits that count, newest first, each with its root tree.
//!
//! Commits come from the commit-graph file where it knows them, so that a walk over 200,000 commits opens no commit
//! object. What the file does not know is read and parsed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use gix::commitgraph::{Graph, Position};
use gix::hashtable::HashMap;
use gix::objs::Find;

use super::objects::{classify, ours, theirs, unreadable};
use super::{Store, StoreError};
use crate::model::ObjectId;

/// With more commits than this, walking them without a commit-graph file takes longer than everything else a check does.
const LONG_HISTORY: usize = 1000;

/// Which ancestors count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Walk {
    /// Only first parents: what the branch itself held.
    #[default]
    FirstParent,
    /// Every ancestor.
    All,
}

/// One commit of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryCommit {
    /// The commit.
    pub id: ObjectId,
    /// Its root tree.
    pub tree: ObjectId,
    /// When it was committed, in seconds since 1970.
    pub time: i64,
}

/// A walk's result.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// Newest first; no commit stands before one of its descendants.
    pub commits: Vec<HistoryCommit>,
    /// The walk ended at the boundary of a shallow clone: older commits exist elsewhere.
    pub truncated: bool,
}

impl History {
    /// The newest commit.
    pub fn newest(&self) -> Option<&HistoryCommit> {
        self.commits.first()
    }
}

impl Store {
    /// The tips and their ancestors, newest first.
    pub fn history(&self, tips: &[ObjectId], walk: Walk) -> Result<History, StoreError> {
        let mut source = Source::new(self, walk)?;
        let graph = CommitDag::collect(&mut source, tips)?;
        Ok(History { commits: graph.newest_first(), truncated: source.truncated })
    }

    /// Whether a long part of the history is in no commit-graph file, which makes walking quick: there is none, or it is old. Git's
    /// `core.commitGraph` may forbid one, and a shallow clone cannot use any.
    pub fn lacks_commit_graph(&self) -> Result<bool, StoreError> {
        if self.refuses("core.commitGraph") || self.is_shallow() {
            return Ok(false);
        }
        let mut source = Source::new(self, Walk::FirstParent)?;
        let (mut at, mut parents, mut outside) = (source.locate(theirs(self.head()?)), Vec::new(), 0);
        while matches!(at, At::Object(_)) && outside <= LONG_HISTORY {
            source.read(at, &mut parents)?;
            outside += 1;
            match parents.pop() {
                Some(parent) => at = parent,
                None => break,
            }
        }
        Ok(outside > LONG_HISTORY)
    }

    /// Lets git write the commit-graph file: what is new, beside what is there. Without `--changed-paths`, which takes five times
    /// as long and serves no walk of ours; where a file has them, git goes on with them by itself.
    pub fn write_commit_graph(&self) -> Result<(), StoreError> {
        self.git.output(&["commit-graph", "write", "--reachable", "--split"]).map(drop)
    }

    /// The same, in passing: where it is lacking, nobody told git to write none, and it can be written.
    pub fn refresh_commit_graph(&self) {
        let is_unwanted = self.refuses("gc.writeCommitGraph") || self.refuses("fetch.writeCommitGraph");
        if !is_unwanted && self.lacks_commit_graph().unwrap_or(false) {
            // It makes things quicker, and is no reason for anything to fail.
            let _ = self.write_commit_graph();
        }
    }

    fn refuses(&self, key: &str) -> bool {
        self.repo.config_snapshot().boolean(key) == Some(false)
    }

    /// The commits from `tip` down to the first goal, newest first and without it, and that goal; `None` where none is
    /// met on the next `most` commits, or where the history forks before it.
    pub(super) fn line_to(
        &self,
        tip: ObjectId,
        walk: Walk,
        most: usize,
        is_goal: impl Fn(ObjectId) -> bool,
    ) -> Result<Option<(Vec<HistoryCommit>, ObjectId)>, StoreError> {
        let mut source = Source::new(self, walk)?;
        let (mut line, mut parents) = (Vec::new(), Vec::new());
        let mut at = source.locate(theirs(tip));
        loop {
            let id = ours(source.id(at));
            if is_goal(id) {
                return Ok(Some((line, id)));
            }
            if line.len() == most {
                return Ok(None);
            }
            line.push(source.read(at, &mut parents)?);
            at = match parents[..] {
                [only] => only,
                _ => return Ok(None),
            };
            parents.clear();
        }
    }
}

/// Where a commit is known: in the commit-graph file, or by its id alone.
#[derive(Clone, Copy)]
enum At {
    File(Position),
    Object(gix::ObjectId),
}

/// Reads commits, from the commit-graph file or from objects.
struct Source<'store> {
    store: &'store Store,
    file: Option<Graph>,
    boundary: Vec<gix::ObjectId>,
    walk: Walk,
    truncated: bool,
    buffer: Vec<u8>,
}

impl<'store> Source<'store> {
    fn new(store: &'store Store, walk: Walk) -> Result<Self, StoreError> {
        let boundary = store.shallow_boundary()?.unwrap_or_default();
        Ok(Self { store, file: store.commit_graph(), boundary, walk, truncated: false, buffer: Vec::new() })
    }

    fn locate(&self, id: gix::ObjectId) -> At {
        self.file.as_ref().and_then(|file| file.lookup(id)).map_or(At::Object(id), At::File)
    }

    fn id(&self, at: At) -> gix::ObjectId {
        match (at, &self.file) {
            (At::File(position), Some(file)) => file.id_at(position).to_owned(),
            (At::File(_), None) => gix::ObjectId::null(self.store.repo.object_hash()),
            (At::Object(id), _) => id,
        }
    }

    /// Reads a commit and pushes its parents, as far as the walk follows them.
    fn read(&mut self, at: At, parents: &mut Vec<At>) -> Result<HistoryCommit, StoreError> {
        let commit = match (at, &self.file) {
            (At::File(position), Some(file)) => read_file(file, position, parents)?,
            _ => self.read_object(self.id(at), parents)?,
        };
        if self.walk == Walk::FirstParent {
            parents.truncate(1);
        }
        Ok(commit)
    }

    fn read_object(&mut self, id: gix::ObjectId, parents: &mut Vec<At>) -> Result<HistoryCommit, StoreError> {
        let failed = |error: &gix::Error| classify(format!("the commit {id}"), error);
        let mut buffer = std::mem::take(&mut self.buffer);
        let found = self.store.repo.objects.try_find(&id, &mut buffer).map_err(|error| failed(&error))?;
        let data = found.ok_or_else(|| self.store.missing(id))?;
        let commit = gix::objs::CommitRef::from_bytes(data.data, id.kind())
            .map_err(|error| unreadable(format!("the commit {id}"), &error))?;
        let is_boundary = self.boundary.binary_search(&id).is_ok();
        self.truncated |= is_boundary;
        if !is_boundary {
            parents.extend(commit.parents().map(|parent| self.locate(parent)));
        }
        let time = commit.time().map(|time| time.seconds).unwrap_or_default();
        let read = HistoryCommit { id: ours(id), tree: ours(commit.tree()), time };
        drop(commit);
        // Handed back for the next commit: one allocation serves the whole walk.
        self.buffer = buffer;
        Ok(read)
    }
}

/// Reads a commit from the commit-graph file.
fn read_file(file: &Graph, position: Position, parents: &mut Vec<At>) -> Result<HistoryCommit, StoreError> {
    let commit = file.commit_at(position);
    for parent in commit.iter_parents() {
        parents.push(At::File(parent.map_err(|error| classify("the commit-graph file".into(), &error))?));
    }
    let time = i64::try_from(commit.committer_timestamp()).unwrap_or(i64::MAX);
    Ok(HistoryCommit { id: ours(commit.id()), tree: ours(commit.root_tree_id()), time })
}

/// Every commit of a walk with its parents, in the order they were met. The parents of commit `i` are
/// `edges[starts[i]..starts[i + 1]]`: one allocation for all instead of one for each commit.
struct CommitDag {
    commits: Vec<HistoryCommit>,
    starts: Vec<usize>,
    edges: Vec<usize>,
}

impl CommitDag {
    fn collect(source: &mut Source<'_>, tips: &[ObjectId]) -> Result<Self, StoreError> {
        let mut dag = Self { commits: Vec::new(), starts: vec![0], edges: Vec::new() };
        let mut seen: HashMap<gix::ObjectId, usize> = HashMap::default();
        let mut met = Vec::new();
        for tip in tips {
            index_of(source.locate(theirs(*tip)), source, &mut seen, &mut met);
        }
        let mut parents = Vec::new();
        while let Some(at) = met.get(dag.commits.len()) {
            dag.commits.push(source.read(*at, &mut parents)?);
            for parent in parents.drain(..) {
                dag.edges.push(index_of(parent, source, &mut seen, &mut met));
            }
            dag.starts.push(dag.edges.len());
        }
        Ok(dag)
    }

    fn parents(&self, index: usize) -> &[usize] {
        &self.edges[self.starts[index]..self.starts[index + 1]]
    }

    /// Topological order, and by time where that leaves a choice: commit dates alone may lie.
    fn newest_first(&self) -> Vec<HistoryCommit> {
        let mut children = vec![0_u32; self.commits.len()];
        self.edges.iter().for_each(|parent| children[*parent] += 1);
        let rank = |index: usize| (self.commits[index].time, Reverse(index));
        let mut ready: BinaryHeap<_> = (0..self.commits.len()).filter(|index| children[*index] == 0).map(rank).collect();
        let mut ordered = Vec::with_capacity(self.commits.len());
        while let Some((_, Reverse(index))) = ready.pop() {
            ordered.push(self.commits[index]);
            for parent in self.parents(index) {
                children[*parent] -= 1;
                if children[*parent] == 0 {
                    ready.push(rank(*parent));
                }
            }
        }
        ordered
    }
}

/// The number of a commit, a new one if it was not met before.
fn index_of(at: At, source: &Source<'_>, seen: &mut HashMap<gix::ObjectId, usize>, met: &mut Vec<At>) -> usize {
    *seen.entry(source.id(at)).or_insert_with(|| {
        met.push(at);
        met.len() - 1
    })
}
