//! What is going on right now, for whoever draws it. Written by the search, read by the terminal; never read back.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use hyperdrive::{Counts, TrialId};

/// A running trial, in words.
#[derive(Debug, Clone, Default)]
pub struct RunningTrial {
    /// The algorithm.
    pub algorithm: String,
    /// How far it is: `fold 2/5`.
    pub progress: String,
    /// Its score so far.
    pub value: Option<f64>,
}

/// The best finished trial so far.
#[derive(Debug, Clone)]
pub struct BestTrial {
    /// Its number.
    pub trial: TrialId,
    /// Its algorithm.
    pub algorithm: String,
    /// Its score.
    pub value: f64,
    /// Seconds after the start at which it was found.
    pub at_seconds: f64,
}

/// A moment of a search.
#[derive(Debug, Clone, Default)]
pub struct Picture {
    /// Running trials by number.
    pub running: BTreeMap<u32, RunningTrial>,
    /// Trials by state.
    pub counts: Counts,
    /// Every improvement, in order; the last is the best.
    pub improvements: Vec<BestTrial>,
}

/// The shared, current [`Picture`].
#[derive(Debug, Default)]
pub struct Status(Mutex<Picture>);

impl Status {
    /// A copy of the moment.
    pub fn picture(&self) -> Picture {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the picture.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Picture)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
