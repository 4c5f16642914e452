//! Time as the schedule sees it.

use std::time::{Duration, Instant};

/// A monotonic clock: time since some fixed instant.
pub trait Clock {
    /// The time now; never less than before.
    fn now(&self) -> Duration;
}

/// The system's monotonic clock, counted from its creation.
#[derive(Debug, Clone, Copy)]
pub struct MonotonicClock {
    start: Instant,
}

impl MonotonicClock {
    /// A clock that reads zero now.
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for MonotonicClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for MonotonicClock {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}
