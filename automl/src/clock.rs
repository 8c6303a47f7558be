//! The one place that reads a clock. Everything else is handed a [`Clock`] or a number.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Time since the process, or the call, began.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Instant);

impl Clock {
    /// A clock that starts now.
    #[expect(clippy::disallowed_methods, reason = "this is where time enters")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Monotonic time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// The same in seconds.
    pub fn seconds(&self) -> f64 {
        self.elapsed().as_secs_f64()
    }
}

/// Milliseconds since 1970, for people and records; nothing is decided by it.
#[expect(clippy::disallowed_methods, reason = "this is where time enters")]
pub fn unix_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
