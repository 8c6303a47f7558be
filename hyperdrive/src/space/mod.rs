//! The search space: a static tree of dimensions, conditional by nesting.

mod domain;
mod tree;
mod unit;

pub use domain::{Choice, Dimension, Domain, Scale};
pub use tree::Space;
