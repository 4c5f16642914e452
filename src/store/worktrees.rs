//! Temporary worktrees: other commits checked out beside the user's files, and gone again afterwards.
//!
//! They live in `ratchet/worktrees/<process>-<random>/` of the common folder, one folder for each session. A lock file
//! beside the folder is held as long as the session lives; the system lets go of it however the process ends, so that
//! the next session knows what was left behind and removes it. Nobody else's worktrees are ever touched.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use super::{Store, StoreError, submodules};
use crate::model::ObjectId;

/// A commit checked out in a folder of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// The folder.
    pub folder: PathBuf,
    /// The paths of submodules that stay empty, since this clone does not have them at the commits that are wanted.
    pub empty_submodules: Vec<String>,
}

/// The worktrees of one session. Dropped, it removes them.
#[derive(Debug)]
pub struct Worktrees<'a> {
    store: &'a Store,
    folder: PathBuf,
    /// Held until the folder is gone.
    lock: Option<File>,
    added: usize,
}

impl Store {
    /// Begins a session of temporary worktrees and removes those of sessions that are dead. `random` tells sessions of
    /// one process apart.
    pub fn worktrees(&self, random: u64) -> Result<Worktrees<'_>, StoreError> {
        let base = self.worktrees_base()?;
        self.remove_dead_sessions(&base);
        let folder = base.join(format!("{}-{random:016x}", std::process::id()));
        let lock = File::create(lock_path(&folder)).map_err(|error| no_worktree(&folder, &error))?;
        lock.try_lock().map_err(|error| no_worktree(&folder, &error))?;
        // From here on dropping cleans up.
        let session = Worktrees { store: self, folder, lock: Some(lock), added: 0 };
        fs::create_dir(&session.folder).map_err(|error| no_worktree(&session.folder, &error))?;
        Ok(session)
    }

    /// Removes the worktrees of sessions that are dead.
    pub fn remove_dead_worktrees(&self) -> Result<(), StoreError> {
        self.worktrees_base().map(|base| self.remove_dead_sessions(&base))
    }

    /// The folder of all sessions, without symbolic links: as git will name what lies in it.
    fn worktrees_base(&self) -> Result<PathBuf, StoreError> {
        let base = self.common_dir().join("ratchet").join("worktrees");
        let made = fs::create_dir_all(&base).and_then(|()| base.canonicalize());
        made.map_err(|error| no_worktree(&base, &error))
    }

    /// Removes what sessions left behind that were killed. What cannot be removed now is tried again next time.
    fn remove_dead_sessions(&self, base: &Path) {
        let Ok(entries) = fs::read_dir(base) else { return };
        let folders = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
        for folder in folders {
            // A lock that cannot be tried, as on some network file systems, may be held.
            let Ok(lock) = File::create(lock_path(&folder)) else { continue };
            match lock.try_lock() {
                Ok(()) => self.remove_session(&folder),
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
            }
        }
    }

    /// Removes the worktrees in `folder`, the folder, and its lock file last.
    fn remove_session(&self, folder: &Path) {
        for worktree in self.registered_in(folder) {
            // Twice forced: also where it is locked, since a killed `git worktree add` leaves it so.
            let _ = self.git.ask(&["worktree", "remove", "--force", "--force", &worktree]);
        }
        let removed = fs::remove_dir_all(folder);
        if removed.is_ok() || !folder.exists() {
            let _ = fs::remove_file(lock_path(folder));
        }
    }

    /// The worktrees in `folder` that git knows of.
    fn registered_in(&self, folder: &Path) -> Vec<String> {
        let listed = self.git.output(&["worktree", "list", "--porcelain"]).unwrap_or_default();
        let listed = String::from_utf8_lossy(&listed);
        let paths = listed.lines().filter_map(|line| line.strip_prefix("worktree "));
        paths.filter(|path| Path::new(path).starts_with(folder)).map(str::to_owned).collect()
    }
}

impl Worktrees<'_> {
    /// Checks `commit` out in a folder of its own, with its submodules as far as this clone has them. The user's hooks do
    /// not run, and nothing is fetched.
    pub fn add(&mut self, commit: ObjectId) -> Result<Checkout, StoreError> {
        self.added += 1;
        let path = self.folder.join(format!("{}-{}", self.added, commit.short(9)));
        let id = commit.to_string();
        let Some(text) = path.to_str() else {
            return Err(StoreError::NoWorktree { path, why: "its name is not UTF-8".to_owned() });
        };
        self.store.git.output(&["-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet", "--detach", text, &id])?;
        // Those of a linked worktree of the user's are not with the main one's.
        let modules = [self.store.git_dir().join("modules"), self.store.common_dir().join("modules")];
        let empty_submodules = submodules::check_out(&self.store.git, &path, &modules.each_ref().map(PathBuf::as_path));
        Ok(Checkout { folder: path, empty_submodules })
    }
}

impl Drop for Worktrees<'_> {
    fn drop(&mut self) {
        self.store.remove_session(&self.folder);
        self.lock.take();
    }
}

fn lock_path(folder: &Path) -> PathBuf {
    folder.with_extension("lock")
}

fn no_worktree(path: &Path, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::NoWorktree { path: path.to_owned(), why: error.to_string() }
}
