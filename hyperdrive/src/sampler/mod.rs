//! What to try next, and how far.

mod algorithm;
mod asha;
mod check;
mod enqueue;
mod grid;
mod observations;
mod random;
mod sobol;
mod suggest;

pub use algorithm::SamplingAlgorithm;
pub use check::check_sampler;
pub use suggest::{Sampler, Suggestion};
