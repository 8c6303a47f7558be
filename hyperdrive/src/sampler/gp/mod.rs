//! Bayesian optimisation with a Gaussian process.

mod acquisition;
mod embedding;
mod fit;
mod kernel;
mod optimise;
mod output;
mod sampler;
mod surrogate;

pub(in crate::sampler) use acquisition::log_expected_improvement;
pub(in crate::sampler) use optimise::propose;
pub(in crate::sampler) use sampler::GaussianProcess;
pub(in crate::sampler) use surrogate::Surrogate;
