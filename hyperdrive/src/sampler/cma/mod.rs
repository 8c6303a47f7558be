//! Evolution of a normal distribution.

mod check;
mod distribution;
mod group;
mod margin;
mod options;
mod restart;
mod sampler;
mod strategy;
#[cfg(test)]
mod tests;

pub(super) use check::check;
pub(super) use margin::cell;
pub(super) use sampler::{Cma, Settings};
