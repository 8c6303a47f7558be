//! The trait and its answers.

use rand_chacha::ChaCha8Rng;

use crate::error::StudyError;
use crate::history::History;
use crate::params::Params;
use crate::trial::{Rung, TrialId};

/// What to try next, and how far: a trial that arrives there yields.
#[derive(Clone, Debug, PartialEq)]
pub enum Suggestion {
    /// A new trial from nothing.
    New {
        /// A point of the space.
        params: Params,
        /// Where it yields.
        until: Rung,
    },
    /// Go on with a paused trial.
    Resume {
        /// Which.
        trial: TrialId,
        /// Where it yields next, above where it paused.
        until: Rung,
    },
    /// A new trial from the checkpoint of another.
    From {
        /// The other, which has reported at least one rung and is not running.
        trial: TrialId,
        /// A point of the space.
        params: Params,
        /// Where it yields, above the rung of the checkpoint.
        until: Rung,
    },
    /// Nothing until more is known. An error where nothing is running that could tell more.
    Wait,
    /// Nothing more, unless what is still running changes that: it is asked again then.
    Done,
}

/// Decides what to try next, and how far.
///
/// A pure function of the history and of the random numbers, which the driver keys by (seed, number of the
/// suggestion): fields are caches, and a fresh sampler says the same ([`check_sampler`](crate::check_sampler)).
/// A sampler that wraps another hands it [`crate::branch`] of its own generator and, where it hides something, a
/// [`History::filtered`].
pub trait Sampler: Send {
    /// The suggestion that follows `history`. Where [`History::is_full`], a new trial is taken as [`Suggestion::Done`],
    /// so a sampler need not look.
    fn suggest(&mut self, history: &History, rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError>;
}

impl Suggestion {
    /// What the driver makes of it. Where the study is full, what is new is taken as done; and in ordered mode, where
    /// an answer cannot be asked for again, done is taken as a wait while something may still change it.
    pub(crate) fn settled(self, view: &History, ordered: bool) -> Self {
        let settled = match self {
            Self::New { .. } | Self::From { .. } if view.is_full() => Self::Done,
            other => other,
        };
        match settled {
            Self::Done if ordered && view.counts().running > 0 => Self::Wait,
            other => other,
        }
    }
}
