//! The search space: a static tree of dimensions, conditional by nesting.

mod check;
mod count;
mod domain;
mod extend;
mod layout;
#[cfg(test)]
mod tests;
mod tree;
mod unit;

pub use domain::{Choice, Dimension, Domain, Scale};
pub(crate) use layout::{Kind, Layout, Slot};
pub use tree::Space;
