//! Who opens a gate that stays shut for too long.
//!
//! Work is queued behind a shut gate and let through all at once. Where a launch is waited for as soon as it is queued
//! (CUDA_LAUNCH_BLOCKING, a debugger, a profiler, a queue that is shorter than we think), whoever queues would wait for a
//! launch that waits for the gate, for ever. So somebody else keeps the time, and opens.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A thread that opens the gate when it has been shut for longer than its patience.
pub(super) struct Porter {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    gate: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The turn that waits behind the gate, if it is shut.
    shut: Option<u32>,
    /// The porter had to open it.
    was_opened: bool,
    is_over: bool,
}

impl Porter {
    /// A porter who opens by `open`, which is told the turn that may pass.
    pub(super) fn new(patience: Duration, open: impl Fn(u32) + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let watched = Arc::clone(&shared);
        let thread = thread::Builder::new().name("porter".to_owned()).spawn(move || watched.keep(patience, &open))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// The gate is shut from now on, and `turn` waits behind it.
    pub(super) fn shut(&self, turn: u32) {
        let mut state = self.shared.state();
        (state.shut, state.was_opened) = (Some(turn), false);
        self.shared.changed.notify_all();
    }

    /// The gate need not be kept any longer. `false` where the porter had lost his patience and opened it.
    pub(super) fn dismiss(&self) -> bool {
        let mut state = self.shared.state();
        state.shut = None;
        self.shared.changed.notify_all();
        !std::mem::take(&mut state.was_opened)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, patience: Duration, open: &dyn Fn(u32)) {
        let mut state = self.state();
        while !state.is_over {
            let waits = state.shut;
            let Some(turn) = waits else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let unchanged = |state: &mut State| state.shut == waits && !state.is_over;
            let waited = self.changed.wait_timeout_while(state, patience, unchanged);
            let timeout;
            (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            if timeout.timed_out() {
                open(turn);
                (state.shut, state.was_opened) = (None, true);
            }
        }
    }
}

impl Drop for Porter {
    fn drop(&mut self) {
        self.shared.state().is_over = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // It only ends; a panic of it would be told by the thread itself.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    const NEVER: Duration = Duration::from_secs(3600);

    #[test]
    fn a_gate_that_stays_shut_is_opened_and_it_is_told() {
        let (opened, turns) = channel();
        let porter = Porter::new(Duration::ZERO, move |turn| opened.send(turn).unwrap()).unwrap();
        for turn in [7, 8] {
            porter.shut(turn);
            assert_eq!(turns.recv().unwrap(), turn);
            assert!(!porter.dismiss());
        }
    }

    #[test]
    fn a_gate_that_is_opened_in_time_is_left_alone() {
        let (opened, turns) = channel();
        let porter = Porter::new(NEVER, move |turn| opened.send(turn).unwrap()).unwrap();
        for turn in 0..100 {
            porter.shut(turn);
            assert!(porter.dismiss());
        }
        porter.shut(100);
        drop(porter);
        assert!(turns.recv().is_err(), "nobody opened it");
    }
}
