//! What to try next, and how far.

mod algorithm;
mod asha;
mod cfo;
mod check;
mod cma;
mod enqueue;
mod observations;
mod random;
mod suggest;

pub use algorithm::SamplingAlgorithm;
pub use check::check_sampler;
pub use suggest::{Sampler, Suggestion};
