//! Ctrl-C: a measured program lives in its own process group, so the terminal's signal does not reach it and has to
//! be passed on.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::TempDir;

use super::process::child::{GroupId, kill_now};
use super::process::finished::Wake;

/// The exit code of a program that ended by Ctrl-C.
const INTERRUPTED_EXIT_CODE: i32 = 130;

/// The signal handlers could not be installed.
#[derive(Debug, thiserror::Error)]
#[error("cannot catch Ctrl-C, and without that an interrupted measurement would leave its programs running: {0}")]
pub struct CannotCatchSignals(#[from] ctrlc::Error);

/// Whether the user asked to stop, and the processes to stop then. Clones share one state.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    requested: bool,
    /// Folders that nobody needs once this process has ended.
    scratch: Vec<PathBuf>,
    running: Vec<(GroupId, Sender<Wake>)>,
}

impl Interrupt {
    /// Catches SIGINT, SIGTERM and SIGHUP for the rest of the process. The first ends the measured program and lets
    /// its cleanup run; the second kills whatever runs, removes scratch folders and exits with 130. Whoever calls it again gets the same one.
    pub fn on_ctrl_c() -> Result<Self, CannotCatchSignals> {
        static CATCHING: Mutex<Option<Interrupt>> = Mutex::new(None);
        let mut catching = CATCHING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(interrupt) = &*catching {
            return Ok(interrupt.clone());
        }
        let interrupt = Self::default();
        let shared = interrupt.clone();
        ctrlc::set_handler(move || shared.signalled())?;
        *catching = Some(interrupt.clone());
        Ok(interrupt)
    }

    /// Asks to stop: running programs are ended, no further execution begins.
    pub fn request(&self) {
        let mut state = self.lock();
        state.requested = true;
        for (_, watchdog) in &state.running {
            // A watchdog that is gone has nothing left to end.
            let _ = watchdog.send(Wake::Interrupted);
        }
    }

    /// Whether somebody asked to stop.
    pub fn is_requested(&self) -> bool {
        self.lock().requested
    }

    /// A temporary folder that goes when it is dropped, and where this process is told twice to stop. Its name begins with
    /// `prefix`.
    pub fn scratch(&self, prefix: &str) -> io::Result<Scratch> {
        let folder = TempDir::with_prefix(prefix)?;
        self.lock().scratch.push(folder.path().to_owned());
        Ok(Scratch { interrupt: self.clone(), folder })
    }

    fn signalled(&self) {
        if !self.is_requested() {
            return self.request();
        }
        let state = self.lock();
        state.running.iter().for_each(|(group, _)| kill_now(*group));
        for folder in &state.scratch {
            // Nobody is left to be told of a folder that stays.
            let _ = std::fs::remove_dir_all(folder);
        }
        #[expect(clippy::disallowed_methods, reason = "the second Ctrl-C: the user does not want to wait for clean-up")]
        std::process::exit(INTERRUPTED_EXIT_CODE);
    }

    /// Notes a running process group until the guard is dropped, which must be before the process is reaped: a
    /// number that is reaped may belong to somebody else. A request that came while
    /// the program was being started is passed on at once.
    pub(super) fn watch(&self, group: GroupId, watchdog: Sender<Wake>, requested_at_start: bool) -> Watched {
        let mut state = self.lock();
        if state.requested && !requested_at_start {
            let _ = watchdog.send(Wake::Interrupted);
        }
        state.running.push((group, watchdog));
        drop(state);
        Watched { interrupt: self.clone(), group }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A temporary folder of [`Interrupt::scratch`].
#[derive(Debug)]
pub struct Scratch {
    interrupt: Interrupt,
    folder: TempDir,
}

impl Scratch {
    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.interrupt.lock().scratch.retain(|folder| folder != self.folder.path());
    }
}

/// A running process group.
pub(super) struct Watched {
    interrupt: Interrupt,
    group: GroupId,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.interrupt.lock().running.retain(|(group, _)| *group != self.group);
    }
}
