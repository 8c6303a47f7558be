//! Decision trees, grown here on histograms of binned features: gradient boosting, forests, single trees.

#[cfg(feature = "fit")]
mod bins;
mod cached;
mod check;
mod file;
mod importance;
mod predict;
mod quadrature;
mod shap;
#[cfg(test)]
mod tests;
mod tree;
mod walk;

#[cfg(feature = "fit")]
pub use bins::Bins;
pub use importance::Importance;
pub use shap::ShapValues;
pub use tree::{Link, Node, Tree, TreeEnsemble};
