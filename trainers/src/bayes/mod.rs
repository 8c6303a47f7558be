//! Bayes' rule with independent features.

#[cfg(feature = "fit")]
mod gaussian;
mod model;

#[cfg(feature = "fit")]
pub use gaussian::GaussianTrainer;
pub use model::GaussianNaiveBayes;
