//! Bayes' rule with independent features.

#[cfg(feature = "fit")]
mod bernoulli;
#[cfg(feature = "fit")]
mod counts;
#[cfg(feature = "fit")]
mod gaussian;
mod model;
#[cfg(feature = "fit")]
mod multinomial;

#[cfg(feature = "fit")]
pub use bernoulli::BernoulliTrainer;
#[cfg(feature = "fit")]
pub use gaussian::GaussianTrainer;
pub use model::{BernoulliNaiveBayes, GaussianNaiveBayes};
#[cfg(feature = "fit")]
pub use multinomial::MultinomialTrainer;
