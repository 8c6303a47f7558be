//! A journal in memory.

use super::{Event, Journal, Record};
use crate::error::JournalError;
use crate::trial::Seq;

/// A journal in memory, for tests and for searches that need not survive.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemoryJournal {
    records: Vec<Record>,
}

impl MemoryJournal {
    /// An empty journal.
    pub fn new() -> Self {
        Self::default()
    }

    /// A journal that already holds `events`, numbered from 0.
    pub fn holding(events: impl IntoIterator<Item = Event>) -> Self {
        let numbered = (0..).zip(events);
        Self { records: numbered.map(|(seq, event)| Record { seq: Seq(seq), event }).collect() }
    }

    /// All it holds.
    pub fn records(&self) -> &[Record] {
        &self.records
    }
}

impl Journal for MemoryJournal {
    fn append(&mut self, events: &[Event]) -> Result<Seq, JournalError> {
        events.iter().try_for_each(Event::check)?;
        for event in events {
            self.records.push(Record { seq: Seq(self.records.len() as u64), event: event.clone() });
        }
        if events.is_empty() { Err(JournalError::Empty) } else { Ok(Seq(self.records.len() as u64 - 1)) }
    }

    fn read(&mut self, from: Seq) -> Result<Vec<Record>, JournalError> {
        Ok(self.records.iter().skip(from.0 as usize).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::check_journal;

    #[test]
    fn passes_the_suite() {
        check_journal(&mut || Box::new(MemoryJournal::new()));
    }
}
