//! Driving a study: suggestions out, results in, all of it journaled.

mod driver;
mod executor;
mod news;
mod referee;
mod sitting;
#[cfg(test)]
mod tests;

pub(crate) use driver::drive;
pub use executor::{Assignment, Executor, SegmentEnd, Update};
pub(crate) use news::Heard;
pub(crate) use referee::Referee;
pub use sitting::{Ended, Sitting, run};
