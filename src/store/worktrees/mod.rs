//! Worktrees of our own: other commits checked out beside the user's files.
//!
//! They live in `ratchet/worktrees/01`, `02` and so on of the common folder. Who uses one holds the lock file beside it; the
//! system lets go of it however the process ends. A worktree that nobody uses is *kept* where a stamp beside it says of which
//! commit it holds the builds, and by what they were made. It gets the stamp when a session that ended well puts it down,
//! and loses it before anything in it is touched, so whatever was going on when a process was killed, what it left has no
//! stamp, is not believed, and is removed by the next session. Nobody else's worktrees are ever touched.
//!
//! Only what git ignores survives in a worktree: everything else is brought to what a fresh one has.

mod checkout;
mod slot;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::{Store, StoreError};
use crate::model::ObjectId;
use slot::{Slot, Slots, Stamp};

/// Caches such as Python's tell two states of a file apart by its size and the second that it was written in: so long after one
/// checkout a worktree moves on to the next.
const BETWEEN_CHECKOUTS: Duration = Duration::from_secs(1);

/// What becomes of worktrees.
#[derive(Debug, Clone, Default)]
pub struct Keeping {
    /// So many are kept when nobody uses them; those that were used least recently go.
    pub most: usize,
    /// Whether a worktree may move from one commit to another and leave the ignored files where they are: the builds notice
    /// whatever changed.
    pub incremental: bool,
    /// By what builds are made. What was made by something else is not taken again.
    pub made_by: String,
}

/// A commit checked out in a folder of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// The folder.
    pub folder: PathBuf,
    /// The paths of submodules that stay empty, since this clone does not have them at the commits that are wanted.
    pub empty_submodules: Vec<String>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a worktree comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It is as the same session left it.
    Session,
    /// It was kept since an earlier session, of the same commit.
    Kept,
    /// It was another commit's, and has that one's ignored files.
    Moved,
    /// It has nothing but what is committed.
    New,
}

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeptWorktrees {
    /// How many.
    pub count: usize,
    /// The sizes of their files together, in bytes.
    pub bytes: u64,
}

/// The worktrees of one session. Dropped, it keeps or removes them.
#[derive(Debug)]
pub struct Worktrees<'a> {
    store: &'a Store,
    slots: Slots,
    keeping: Keeping,
    /// What a stamp says of [`Keeping::made_by`].
    made_by: String,
    held: Vec<Held>,
    wanted: Vec<ObjectId>,
}

/// A worktree of this session.
#[derive(Debug)]
struct Held {
    slot: Slot,
    commit: ObjectId,
    empty_submodules: Vec<String>,
    in_use: bool,
    /// Whether it was another commit's before, in this session or an earlier one.
    is_moved: bool,
    /// Whether something failed in it, so that nobody knows what its ignored files are worth.
    is_spoiled: bool,
    since: Instant,
}

/// A worktree that may move to another commit.
enum Movable {
    /// By its place.
    Held(usize),
    Kept(PathBuf, Stamp),
}

impl Store {
    /// Begins a session of worktrees, and removes what sessions left behind that are dead.
    pub fn worktrees(&self, keeping: Keeping) -> Result<Worktrees<'_>, StoreError> {
        let slots = Slots::of(self.common_dir())?;
        self.remove_unused(&slots, keeping.most > 0);
        let made_by = self.digest(&keeping.made_by);
        Ok(Worktrees { store: self, slots, keeping, made_by, held: Vec::new(), wanted: Vec::new() })
    }

    /// Removes what sessions left behind that are dead.
    pub fn remove_dead_worktrees(&self) {
        self.remove_unused(&Slots::known(self.common_dir()), true);
    }

    fn remove_unused(&self, slots: &Slots, stamped_stay: bool) {
        for folder in slots.folders(&self.git) {
            // A lock that cannot be tried, as on some network file systems, may be held.
            if let Ok(Some(slot)) = slots.lock(&folder)
                && !(stamped_stay && slot.stamp().is_some())
            {
                slot.remove(&self.git);
            }
        }
    }

    /// What is kept now and not in use.
    pub fn kept_worktrees(&self) -> KeptWorktrees {
        let sizes = Slots::known(self.common_dir()).kept().into_iter().map(|(folder, _)| slot::size(&folder));
        sizes.fold(KeptWorktrees::default(), |kept, bytes| KeptWorktrees { count: kept.count + 1, bytes: kept.bytes + bytes })
    }

    /// Removes what is kept and not in use; how much that was.
    pub fn remove_kept_worktrees(&self) -> KeptWorktrees {
        let slots = Slots::known(self.common_dir());
        let mut removed = KeptWorktrees::default();
        for (folder, _) in slots.kept() {
            if let Ok(Some(slot)) = slots.lock(&folder) {
                removed = KeptWorktrees { count: removed.count + 1, bytes: removed.bytes + slot::size(&folder) };
                slot.remove(&self.git);
            }
        }
        removed
    }

    /// Whether a worktree is one of ours.
    pub(super) fn is_own_worktree(&self, path: &Path) -> bool {
        Slots::known(self.common_dir()).has(path)
    }

    /// By what a worktree is made: `builders`, and what of git's settings decides how files are checked out.
    fn digest(&self, builders: &str) -> String {
        let settings = ["core.sparseCheckout", "core.autocrlf", "core.eol", "core.attributesFile"];
        let settings = settings.map(|key| self.git_setting(key).map(String::into_bytes));
        let files = [self.git_dir().join("info/sparse-checkout"), self.common_dir().join("info/attributes")];
        let filters = self.git.ask(&["config", "-z", "--get-regexp", r"^filter\."]).map(|answer| answer.stdout);
        let mut hash = Sha256::new();
        for part in settings.into_iter().chain(files.map(|file| std::fs::read(file).ok())).chain([filters.ok()]) {
            hash.update(part.as_ref().map_or(u64::MAX, |bytes| bytes.len() as u64).to_le_bytes());
            hash.update(part.unwrap_or_default());
        }
        hash.update(builders);
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Where this clone has its submodules. Those of a linked worktree of the user's are not with the main one's.
    fn modules(&self) -> [PathBuf; 2] {
        [self.git_dir().join("modules"), self.common_dir().join("modules")]
    }
}

impl Worktrees<'_> {
    /// Nothing that was taken is in use any more. What has one of the `wanted` commits stays there.
    pub fn begin(&mut self, wanted: impl IntoIterator<Item = ObjectId>) {
        self.held.iter_mut().for_each(|held| held.in_use = false);
        self.wanted = wanted.into_iter().collect();
    }

    /// A worktree of `commit` that nobody else uses, with its submodules as far as this clone has them. The user's hooks do
    /// not run, and nothing is fetched.
    pub fn take(&mut self, commit: ObjectId) -> Result<Checkout, StoreError> {
        let known = self.held.iter().position(|held| held.commit == commit && !held.in_use);
        let (at, origin) = match known {
            Some(at) => (at, Origin::Session),
            None => {
                let found = self.kept(commit).map(|held| (held, Origin::Kept));
                let found = found.or_else(|| self.moved(commit).map(|held| (held, Origin::Moved)));
                let (held, origin) = found.map_or_else(|| Ok((self.anew(commit)?, Origin::New)), Ok::<_, StoreError>)?;
                self.held.push(held);
                (self.held.len() - 1, origin)
            }
        };
        let held = &mut self.held[at];
        held.in_use = true;
        Ok(Checkout { folder: held.slot.folder.clone(), empty_submodules: held.empty_submodules.clone(), origin })
    }

    /// Something failed in `folder`: it serves this session where it is, and is not kept.
    pub fn spoil(&mut self, folder: &Path) {
        self.held.iter_mut().filter(|held| held.slot.folder == folder).for_each(|held| held.is_spoiled = true);
    }

    /// Nothing is needed any more of what cannot move on to another commit: it is kept or removed now.
    pub fn put_down(&mut self) {
        let movable = self.keeping.incremental;
        let (stays, goes): (Vec<_>, Vec<_>) = self.held.drain(..).partition(|held| movable && !held.is_spoiled);
        self.held = stays;
        self.leave(goes);
    }

    /// One that was kept since an earlier session, as it was left there.
    fn kept(&self, commit: ObjectId) -> Option<Held> {
        let is_right = |stamp: &Stamp| stamp.commit == commit && stamp.made_by == self.made_by;
        // Where nobody promises any more that builds notice everything, what moved while somebody did is not believed.
        let is_allowed = |stamp: &Stamp| self.keeping.incremental || !stamp.is_moved;
        let kept = self.slots.kept().into_iter().filter(|(_, stamp)| is_right(stamp) && is_allowed(stamp));
        kept.into_iter().find_map(|(folder, stamp)| self.taken_up(&folder, &stamp))
    }

    /// Takes a kept worktree into use, where nobody else does and it is as its stamp says.
    fn taken_up(&self, folder: &Path, stamp: &Stamp) -> Option<Held> {
        let slot = self.slots.lock(folder).ok().flatten()?;
        // Somebody else may have had it meanwhile.
        if slot.stamp().as_ref() != Some(stamp) {
            return None;
        }
        let is_sound = slot.take_stamp() && checkout::is_as_left(&self.store.git, folder, stamp.commit);
        if !is_sound {
            slot.remove(&self.store.git);
            return None;
        }
        Some(Held { is_moved: stamp.is_moved, ..Held::new(slot, stamp.commit, Vec::new()) })
    }

    /// One of another commit, where that is allowed, brought to this one.
    fn moved(&mut self, commit: ObjectId) -> Option<Held> {
        if !self.keeping.incremental {
            return None;
        }
        let mut held = match self.nearest(commit)? {
            Movable::Held(at) => self.held.remove(at),
            Movable::Kept(folder, stamp) => self.taken_up(&folder, &stamp)?,
        };
        #[expect(clippy::disallowed_methods, reason = "what builds remember of files is by the second")]
        std::thread::sleep(BETWEEN_CHECKOUTS.saturating_sub(held.since.elapsed()));
        let modules = self.store.modules();
        let is_there = checkout::bring(&self.store.git, &held.slot.folder, commit, &modules.each_ref().map(PathBuf::as_path));
        if !is_there {
            held.slot.remove(&self.store.git);
            return None;
        }
        held.commit = commit;
        held.is_moved = true;
        held.since = Instant::now();
        Some(held)
    }

    /// The worktree from whose commit the fewest files changed to this one.
    fn nearest(&self, commit: ObjectId) -> Option<Movable> {
        let is_free = |held: &Held| !held.in_use && !held.is_spoiled && held.empty_submodules.is_empty();
        let held = self.held.iter().enumerate().filter(|(_, held)| is_free(held));
        let held = held.map(|(at, held)| (held.commit, Movable::Held(at)));
        let kept = self.slots.kept().into_iter().filter(|(_, stamp)| stamp.made_by == self.made_by);
        let kept = kept.map(|(folder, stamp)| (stamp.commit, Movable::Kept(folder, stamp)));
        let all = held.chain(kept).filter(|(of, _)| !self.wanted.contains(of));
        let near = all.filter_map(|(of, movable)| Some((self.distance(of, commit)?, movable)));
        near.min_by_key(|(distance, _)| *distance).map(|(_, movable)| movable)
    }

    /// How many files changed. `None` where too many did, or where git would not do to unchanged files what it does to new
    /// ones: other attributes, other submodules.
    fn distance(&self, from: ObjectId, to: ObjectId) -> Option<usize> {
        let tree = |commit| Some(self.store.commit(commit).ok()?.tree);
        let (changed, more) = self.store.changed_paths(tree(from)?, tree(to)?).ok()?;
        let decides_more = |path: &str| matches!(path.rsplit('/').next(), Some(".gitattributes" | ".gitmodules"));
        let is_far = more || changed.iter().any(|changed| decides_more(&changed.path));
        (!is_far).then_some(changed.len())
    }

    fn anew(&self, commit: ObjectId) -> Result<Held, StoreError> {
        let slot = self.slots.free(&self.store.git)?;
        let modules = self.store.modules();
        match checkout::anew(&self.store.git, &slot.folder, commit, &modules.each_ref().map(PathBuf::as_path)) {
            Ok(empty_submodules) => Ok(Held::new(slot, commit, empty_submodules)),
            Err(error) => {
                slot.remove(&self.store.git);
                Err(error)
            }
        }
    }

    /// Keeps or removes worktrees, and removes of all that are kept what is too much.
    fn leave(&self, all: Vec<Held>) {
        let (git, modules) = (&self.store.git, self.store.modules());
        for Held { slot, commit, empty_submodules, is_moved, is_spoiled, .. } in all {
            let may_stay = self.keeping.most > 0 && !is_spoiled && empty_submodules.is_empty();
            // What runs left behind goes now, so that what differs later was changed by somebody else.
            let is_sound = may_stay && checkout::bring(git, &slot.folder, commit, &modules.each_ref().map(PathBuf::as_path));
            if !(is_sound && slot.keep(git, &Stamp { commit, made_by: self.made_by.clone(), is_moved })) {
                slot.remove(git);
            }
        }
        for (folder, _) in self.slots.kept().into_iter().skip(self.keeping.most) {
            if let Ok(Some(slot)) = self.slots.lock(&folder) {
                slot.remove(git);
            }
        }
    }
}

impl Held {
    fn new(slot: Slot, commit: ObjectId, empty_submodules: Vec<String>) -> Self {
        Self { slot, commit, empty_submodules, in_use: false, is_moved: false, is_spoiled: false, since: Instant::now() }
    }
}

impl Drop for Worktrees<'_> {
    fn drop(&mut self) {
        let all = std::mem::take(&mut self.held);
        self.leave(all);
    }
}
