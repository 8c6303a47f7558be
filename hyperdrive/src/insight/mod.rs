//! What a study has to show: plain data for tables and pictures, made from a [`crate::History`].

mod grid;
mod importance;
mod parallel;
mod parzen;
mod progress;
#[cfg(test)]
mod tests;

pub use importance::{Importance, importance};
pub use parallel::{Axis, Line, Parallel, Tick, parallel_coordinates};
pub use progress::{Progress, best_so_far, ranks};
