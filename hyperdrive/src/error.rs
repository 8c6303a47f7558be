//! What can go wrong, by what the caller can do about it.

use std::error::Error;

use crate::trial::{Segment, Seq, TrialId};

/// A study that cannot be started, or cannot go on.
///
/// A trial that fails is not one of these: it is data ([`crate::FailureKind`]).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudyError {
    /// The search space is not well formed.
    #[error("dimension `{key}`: {reason}")]
    Space {
        /// Key of the dimension, as it would stand in [`crate::Params`].
        key: String,
        /// What is wrong, with the value.
        reason: String,
    },
    /// Parameters that are missing, of the wrong kind or outside the space.
    #[error("parameter `{key}`: {reason}")]
    Params {
        /// Key of the parameter.
        key: String,
        /// What is wrong, with the value.
        reason: String,
    },
    /// Another field of the specification is out of its range.
    #[error("`{field}`: {reason}")]
    Spec {
        /// Path of the field, for example `limits.search_seconds`.
        field: String,
        /// What is wrong, with the value.
        reason: String,
    },
    /// A study was resumed with a specification that differs in more than its limits and the size of its space.
    #[error("`{field}` is not what the journal was started with; only the limits may change, and the space grow")]
    Changed {
        /// Name of the field that differs.
        field: &'static str,
    },
    /// A sampler suggested what cannot be done.
    #[error("suggestion {segment}: {reason}")]
    Suggestion {
        /// Number of the suggestion.
        segment: Segment,
        /// What is wrong with it.
        reason: String,
    },
    /// A sampler said wait while nothing runs and nothing is hidden from it: it would wait for ever.
    #[error("suggestion {segment}: the sampler waits, but nothing is running")]
    Stuck {
        /// Number of the suggestion.
        segment: Segment,
    },
    /// A trial was told of that is not under way, or out of turn; nothing was recorded.
    #[error("trial {trial}: {reason}")]
    Trial {
        /// Which.
        trial: TrialId,
        /// What is wrong.
        reason: String,
    },
    /// The journal could not be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// A journal that cannot be read, cannot be written or does not make sense.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// A line is not what was written.
    #[error("the journal is damaged at offset {offset}: {reason}")]
    Damaged {
        /// Where, in the unit of the store: bytes for a file, the sequence number for a table.
        offset: u64,
        /// What was found.
        reason: String,
    },
    /// The journal is of a format this build does not know.
    #[error("journal format {found} is not supported (this build reads format {supported})")]
    Format {
        /// Format of the journal.
        found: u32,
        /// Format of this build.
        supported: u32,
    },
    /// The events do not follow from one another: for example a report of a trial that never started.
    #[error("the journal makes no sense at record {seq}: {reason}")]
    Impossible {
        /// The record that does not follow.
        seq: Seq,
        /// Why it does not.
        reason: String,
    },
    /// A number that no journal can hold exactly (NaN or infinite), refused before anything was written.
    #[error("{name} is {value}, which a journal cannot hold")]
    NotFinite {
        /// Which number.
        name: String,
        /// Its value.
        value: f64,
    },
    /// An append of no events.
    #[error("nothing to append")]
    Empty,
    /// Another process is writing the journal.
    #[error("the journal is being written by another process: {reason}")]
    Busy {
        /// What the store said.
        reason: String,
    },
    /// The store failed.
    #[error("cannot {action} the journal")]
    Storage {
        /// What was being done, as a verb: `read`, `append to`.
        action: String,
        /// What the store said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}
