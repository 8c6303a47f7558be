//! Weighted sums of the features: logistic regression, least squares, elastic net.

#[cfg(feature = "fit")]
mod elastic_net;
#[cfg(feature = "fit")]
mod logistic;
mod model;
#[cfg(feature = "fit")]
mod ols;
#[cfg(feature = "fit")]
mod regression;

#[cfg(feature = "fit")]
pub use elastic_net::ElasticNetTrainer;
#[cfg(feature = "fit")]
pub use logistic::LogisticTrainer;
pub use model::{Linear, Logistic};
#[cfg(feature = "fit")]
pub use ols::LeastSquaresTrainer;
