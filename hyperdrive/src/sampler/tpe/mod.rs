//! The tree-structured Parzen estimator.

mod parzen;
mod propose;
mod sampler;
mod split;
mod structure;

pub(super) use sampler::Tpe;
