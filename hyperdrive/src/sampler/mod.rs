//! What to try next, and how far.

mod algorithm;
mod asha;
mod check;
mod enqueue;
mod gp;
mod observations;
mod random;
mod sieve;
mod suggest;

pub use algorithm::SamplingAlgorithm;
#[cfg(test)]
pub(crate) use check::check_replay;
pub use check::check_sampler;
#[cfg(test)]
pub(crate) use observations::Observations;
pub use suggest::{Sampler, Suggestion};
