//! Decision trees, grown here on histograms of binned features: gradient boosting, forests, single trees.
//!
//! [`TreeEnsemble`] is what every one of them learns: plain trees, which predict, are explained (importance and Shapley
//! values) and travel in model files without whatever grew them.

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
