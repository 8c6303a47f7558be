//! What to try next, and how far.

mod algorithm;
mod asha;
mod auto;
mod book;
mod cfo;
mod check;
mod cma;
mod effort;
mod enqueue;
mod freeze_thaw;
mod gp;
mod grid;
mod halving;
#[cfg(test)]
mod halving_tests;
mod hyperband;
mod observations;
mod random;
mod replay;
mod shares;
mod sieve;
mod sobol;
mod suggest;
mod tpe;
mod trust;
mod views;

pub use algorithm::SamplingAlgorithm;
pub use book::Promotion;
#[cfg(test)]
pub(crate) use check::check_replay;
pub use check::check_sampler;
pub use hyperband::Brackets;
#[cfg(test)]
pub(crate) use observations::Observations;
pub use replay::{Difference, Replay};
pub use suggest::{Sampler, Suggestion};
