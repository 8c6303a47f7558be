//! Weighted sums of the features: logistic regression, least squares, elastic net, lasso, stochastic gradient descent.

#[cfg(feature = "fit")]
mod descent;
#[cfg(feature = "fit")]
mod elastic_net;
#[cfg(feature = "fit")]
mod lasso_lars;
#[cfg(feature = "fit")]
mod lbfgs;
#[cfg(feature = "fit")]
mod logistic;
#[cfg(feature = "fit")]
mod margins;
mod model;
#[cfg(feature = "fit")]
mod ols;
#[cfg(feature = "fit")]
mod regression;
#[cfg(feature = "fit")]
mod rows;
#[cfg(feature = "fit")]
mod sgd;

#[cfg(feature = "fit")]
pub use elastic_net::ElasticNetTrainer;
#[cfg(feature = "fit")]
pub use lasso_lars::LassoLarsTrainer;
#[cfg(feature = "fit")]
pub(crate) use lbfgs::{Iteration, Lbfgs};
#[cfg(feature = "fit")]
pub use logistic::LogisticTrainer;
#[cfg(feature = "fit")]
pub(crate) use margins::{Loss, Margins};
pub use model::{Linear, Logistic};
#[cfg(feature = "fit")]
pub use ols::LeastSquaresTrainer;
#[cfg(feature = "fit")]
pub(crate) use rows::Rows;
#[cfg(feature = "fit")]
pub use sgd::SgdTrainer;
