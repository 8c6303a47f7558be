//! Decision trees, grown here on histograms of binned features: gradient boosting, forests, single trees.

#[cfg(feature = "fit")]
mod bins;
mod tree;

#[cfg(feature = "fit")]
pub use bins::Bins;
pub use tree::{Link, Node, Tree, TreeEnsemble};
