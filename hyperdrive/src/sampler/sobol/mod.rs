//! Points spread evenly.

mod numbers;
mod points;
mod sampler;
mod sequence;

pub(super) use points::Points;
pub(super) use sampler::Sobol;
