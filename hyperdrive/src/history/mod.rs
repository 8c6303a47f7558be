//! All that an algorithm may see: the left fold of the journal.

mod apply;
mod filter;
mod front;
mod state;
#[cfg(test)]
mod tests;

pub use state::{Counts, History};
