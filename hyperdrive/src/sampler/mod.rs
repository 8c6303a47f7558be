//! What to try next, and how far.

mod algorithm;
mod asha;
mod check;
mod enqueue;
mod gp;
mod observations;
mod random;
mod suggest;

pub use algorithm::SamplingAlgorithm;
pub use check::check_sampler;
pub use suggest::{Sampler, Suggestion};
