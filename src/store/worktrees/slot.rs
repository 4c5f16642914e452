//! The places of worktrees: numbered folders, each with a lock file and, while it is kept, a stamp beside it.
//!
//! The numbers are small and used again, so that the same work is done at the same paths: compiler caches know it again, and
//! paths of the same length favour no side of a comparison. A lock file stays where it is for ever: were it removed, somebody
//! could hold the lock of a file that is no longer there.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use crate::model::ObjectId;
use crate::store::StoreError;
use crate::store::git::Git;

/// The first line of a stamp. Another version's is not understood, and what it stands for is removed.
const VERSION: &str = "git-ratchet worktree 1";

/// What `git worktree list --verbose` shows the user.
const LOCK_REASON: &str =
    "kept by git ratchet with what is built in it (git config ratchet.keepWorktrees); git ratchet prune --worktrees removes it";

/// What a kept worktree holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    /// The commit that is checked out, and that everything in it was built of.
    pub commit: ObjectId,
    /// What made it, as a digest.
    pub made_by: String,
    /// Whether it was another commit's before.
    pub is_moved: bool,
}

impl Stamp {
    fn text(&self) -> String {
        format!("{VERSION}\ncommit {}\nmade by {}\nmoved {}\n", self.commit, self.made_by, self.is_moved)
    }

    fn read(file: &Path) -> Option<Self> {
        let text = fs::read_to_string(file).ok()?;
        let mut lines = text.lines().filter(|_| text.ends_with('\n'));
        lines.next().filter(|line| *line == VERSION)?;
        let commit = lines.next()?.strip_prefix("commit ")?.parse().ok()?;
        let made_by = lines.next()?.strip_prefix("made by ")?.to_owned();
        let is_moved = lines.next()?.strip_prefix("moved ")?.parse().ok()?;
        Some(Self { commit, made_by, is_moved })
    }
}

/// The folder of all places.
#[derive(Debug)]
pub(super) struct Slots {
    base: PathBuf,
}

/// A place that this process may use. Dropped, it is somebody else's.
#[derive(Debug)]
pub(super) struct Slot {
    /// The folder of the worktree.
    pub folder: PathBuf,
    lock: File,
}

impl Slots {
    /// Makes the folder.
    pub(super) fn of(common_dir: &Path) -> Result<Self, StoreError> {
        let base = base(common_dir);
        // Without symbolic links: as git will name what lies in it.
        let made = fs::create_dir_all(&base).and_then(|()| base.canonicalize());
        Ok(Self { base: made.map_err(|error| no_worktree(&base, &error))? })
    }

    /// The folder, which need not be there.
    pub(super) fn known(common_dir: &Path) -> Self {
        let base = base(common_dir);
        Self { base: base.canonicalize().unwrap_or(base) }
    }

    /// Whether a worktree is in one of the places.
    pub(super) fn has(&self, worktree: &Path) -> bool {
        worktree.starts_with(&self.base)
    }

    /// The folders of places where there is something, or was as far as git knows.
    pub(super) fn folders(&self, git: &Git) -> Vec<PathBuf> {
        let there = self.entries().into_iter().filter(|path| path.extension().is_none_or(|extension| extension != "lock"));
        let mut folders: Vec<PathBuf> = there.map(|path| path.with_extension("")).collect();
        folders.extend(registered(git, &self.base));
        // Earlier versions had several worktrees in one folder.
        let mut places: Vec<PathBuf> = folders.iter().filter_map(|path| self.place_of(path)).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    fn place_of(&self, path: &Path) -> Option<PathBuf> {
        Some(self.base.join(path.strip_prefix(&self.base).ok()?.iter().next()?))
    }

    fn entries(&self) -> Vec<PathBuf> {
        fs::read_dir(&self.base).map_or_else(|_| Vec::new(), |entries| entries.flatten().map(|entry| entry.path()).collect())
    }

    /// The kept worktrees, those used most recently first.
    pub(super) fn kept(&self) -> Vec<(PathBuf, Stamp)> {
        let stamps = self.entries().into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "kept"));
        let mut kept: Vec<_> = stamps
            .filter_map(|file| {
                let used = fs::metadata(&file).and_then(|metadata| metadata.modified()).ok()?;
                Some((used, file.with_extension(""), Stamp::read(&file)?))
            })
            .collect();
        kept.sort_by(|one, other| (other.0, &one.1).cmp(&(one.0, &other.1)));
        kept.into_iter().map(|(_, folder, stamp)| (folder, stamp)).collect()
    }

    /// Takes a place; `None` where somebody uses it.
    pub(super) fn lock(&self, folder: &Path) -> Result<Option<Slot>, StoreError> {
        let lock = File::create(folder.with_extension("lock")).map_err(|error| no_worktree(folder, &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Slot { folder: folder.to_owned(), lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(no_worktree(folder, &error)),
        }
    }

    /// A place where there is nothing.
    pub(super) fn free(&self, git: &Git) -> Result<Slot, StoreError> {
        let mut number = 1_usize;
        loop {
            let taken = self.lock(&self.base.join(format!("{number:02}")))?;
            if let Some(slot) = taken.filter(|slot| slot.stamp().is_none()) {
                slot.clear(git);
                // What a container's root wrote, say, stays where it is.
                if !slot.folder.exists() {
                    return Ok(slot);
                }
            }
            number += 1;
        }
    }
}

impl Slot {
    fn stamp_file(&self) -> PathBuf {
        self.folder.with_extension("kept")
    }

    pub(super) fn stamp(&self) -> Option<Stamp> {
        Stamp::read(&self.stamp_file())
    }

    /// From now on what is here is not believed. Whether that could be said.
    pub(super) fn take_stamp(&self) -> bool {
        fs::remove_file(self.stamp_file()).is_ok()
    }

    /// Leaves the worktree to whoever wants it next. Whether that could be said.
    pub(super) fn keep(&self, git: &Git, stamp: &Stamp) -> bool {
        if let Some(folder) = self.folder.to_str() {
            // It may be locked since it was kept before. A user who removes it none the less breaks nothing.
            let _ = git.ask(&["worktree", "lock", "--reason", LOCK_REASON, folder]);
        }
        // Written under another name, so that half of it is never read.
        let new = self.folder.with_extension("new");
        fs::write(&new, stamp.text()).and_then(|()| fs::rename(&new, self.stamp_file())).is_ok()
    }

    /// Removes what is here, and gives the place back.
    pub(super) fn remove(self, git: &Git) {
        self.clear(git);
    }

    /// What cannot be removed now is tried again next time: it has no stamp any more.
    fn clear(&self, git: &Git) {
        let _ = fs::remove_file(self.stamp_file());
        let _ = fs::remove_file(self.folder.with_extension("new"));
        for worktree in registered(git, &self.folder) {
            if let Some(worktree) = worktree.to_str() {
                // Twice forced: also where it is locked, as kept ones are and a killed `git worktree add` leaves it.
                let _ = git.ask(&["worktree", "remove", "--force", "--force", worktree]);
            }
        }
        if self.folder.exists() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // Said outright: a child that another thread is just starting has the file open, too, and would hold the lock on.
        let _ = self.lock.unlock();
    }
}

/// The worktrees in `folder`, or at it, that git knows of.
pub(super) fn registered(git: &Git, folder: &Path) -> Vec<PathBuf> {
    let listed = git.output(&["worktree", "list", "--porcelain"]).unwrap_or_default();
    let listed = String::from_utf8_lossy(&listed);
    let paths = listed.lines().filter_map(|line| line.strip_prefix("worktree "));
    paths.map(PathBuf::from).filter(|path| path.starts_with(folder)).collect()
}

/// The sizes of all files in a folder together, in bytes. Links are not followed.
pub(super) fn size(folder: &Path) -> u64 {
    let mut bytes = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => folders.push(entry.path()),
                Ok(metadata) => bytes += metadata.len(),
                Err(_) => {}
            }
        }
    }
    bytes
}

fn base(common_dir: &Path) -> PathBuf {
    common_dir.join("ratchet").join("worktrees")
}

fn no_worktree(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::NoWorktree { path: path.to_owned(), why: format!("{error}; is the folder of the repository writable?") }
}
