//! The trait, its answers, and the policy that never stops anything.

use crate::history::History;
use crate::trial::Trial;

/// What becomes of a running trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It goes on.
    Continue,
    /// It is stopped for good.
    Stop {
        /// Why, for people.
        reason: String,
    },
}

/// Decides, at each rung below the top, whether a running trial is still worth it.
///
/// A pure function of its arguments: fields are caches.
pub trait EarlyTermination: Send {
    /// Whether `trial`, which has just reported, goes on.
    ///
    /// `trial` has all its reports. In ordered mode `history` shows what the suggestion of the trial's segment saw,
    /// so neither this segment's reports nor those of later ones.
    fn decide(&mut self, history: &History, trial: &Trial) -> Decision;
}

/// Never stops a trial.
pub(super) struct Never;

impl EarlyTermination for Never {
    fn decide(&mut self, _history: &History, _trial: &Trial) -> Decision {
        Decision::Continue
    }
}
