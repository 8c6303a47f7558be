//! What to try next, and how far.

mod algorithm;
mod asha;
mod auto;
mod cfo;
mod check;
mod cma;
mod enqueue;
mod gp;
mod grid;
mod observations;
mod random;
mod sieve;
mod sobol;
mod suggest;
mod tpe;

pub use algorithm::SamplingAlgorithm;
#[cfg(test)]
pub(crate) use check::check_replay;
pub use check::check_sampler;
#[cfg(test)]
pub(crate) use observations::Observations;
pub use suggest::{Sampler, Suggestion};
