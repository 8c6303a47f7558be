//! The journal of a study: what happened, in the order it happened, appended and never changed.

mod check;
mod codec;
mod event;
mod memory;

use crate::error::JournalError;
use crate::trial::Seq;

pub use check::check_journal;
pub use codec::{decode, encode};
pub(crate) use event::finite;
pub use event::{EndReason, Event, FORMAT, Record};
pub use memory::MemoryJournal;

/// An append-only list of events: the truth of a study.
///
/// [`check_journal`] is the suite that every implementation passes.
pub trait Journal {
    /// Appends `events`, all or none, and returns the sequence number of the last.
    ///
    /// Numbers are dense from 0. When this returns, the events survive the death of the process; `Created`,
    /// `Started`, `Finished`, `Stopped`, `Failed` and `Ended` survive power loss. Events that fail [`Event::check`]
    /// and an empty batch are refused.
    fn append(&mut self, events: &[Event]) -> Result<Seq, JournalError>;

    /// All records from `from` on, in order; none if there are none.
    fn read(&mut self, from: Seq) -> Result<Vec<Record>, JournalError>;
}
