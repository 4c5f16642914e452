//! The tables that the file is made by: where commits and trees stand in the history, and which notes are about a tree.
//!
//! A history may have hundreds of thousands of commits and as many notes, so an entry has a few bytes, and no hash table is made.

use crate::model::ObjectId;
use crate::store::{History, HistoryCommit};

/// Where commits and trees stand in the history.
pub(super) struct Places<'a> {
    pub(super) history: &'a History,
    commits: Ages,
    trees: Ages,
}

/// Ages by the first bytes of ids, sorted: a third of what a hash table would need.
struct Ages(Vec<(u64, u32)>);

impl<'a> Places<'a> {
    pub(super) fn of(history: &'a History) -> Self {
        let (commits, trees) = (Ages::of(history, |commit| commit.id), Ages::of(history, |commit| commit.tree));
        Self { history, commits, trees }
    }

    pub(super) fn at(&self, age: u32) -> &'a HistoryCommit {
        &self.history.commits[self.history.commits.len() - 1 - age as usize]
    }

    /// The age of a commit.
    pub(super) fn of_commit(&self, id: ObjectId) -> Option<u32> {
        self.commits.newest(id, |age| self.at(age).id == id)
    }

    /// The age of the newest commit with this tree.
    pub(super) fn of_tree(&self, tree: ObjectId) -> Option<u32> {
        self.trees.newest(tree, |age| self.at(age).tree == tree)
    }
}

impl Ages {
    fn of(history: &History, id: impl Fn(&HistoryCommit) -> ObjectId) -> Self {
        let mut ages = Vec::with_capacity(history.commits.len());
        ages.extend(history.commits.iter().rev().zip(0_u32..).map(|(commit, age)| (start_of(id(commit)), age)));
        ages.sort_unstable();
        Self(ages)
    }

    fn newest(&self, id: ObjectId, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let start = start_of(id);
        let end = self.0.partition_point(|(other, _)| *other <= start);
        let alike = self.0[..end].iter().rev().take_while(|(other, _)| *other == start);
        alike.map(|(_, age)| *age).find(|age| is_it(*age))
    }
}

fn start_of(id: ObjectId) -> u64 {
    id.as_bytes().first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

/// Which trees a note has something about. Of most, whose trees are those of the history, two numbers say it.
#[derive(Default)]
pub(super) struct Mentions {
    /// Ages of the newest commits with the trees, and the numbers of the notes.
    of_history: Vec<(u32, u32)>,
    elsewhere: Vec<(ObjectId, u32)>,
}

impl Mentions {
    pub(super) fn add(&mut self, tree: ObjectId, note: u32, places: &Places<'_>) {
        match places.of_tree(tree) {
            Some(age) => self.of_history.push((age, note)),
            None => self.elsewhere.push((tree, note)),
        }
    }

    pub(super) fn append(&mut self, mut other: Self) {
        self.of_history.append(&mut other.of_history);
        self.elsewhere.append(&mut other.elsewhere);
    }

    /// Trees and annotated objects as elements, sorted. The notes were read in this order.
    pub(super) fn in_full(self, places: &Places<'_>, order: &[ObjectId]) -> impl Iterator<Item = Vec<u8>> {
        let mut full = Vec::with_capacity(self.of_history.len() + self.elsewhere.len());
        let of_history = self.of_history.into_iter().map(|(age, note)| (places.at(age).tree, note));
        full.extend(of_history.chain(self.elsewhere).filter_map(|(tree, note)| Some((tree, *order.get(note as usize)?))));
        full.sort_unstable();
        full.into_iter().map(|(tree, annotated)| [tree.as_bytes(), annotated.as_bytes()].concat())
    }
}
