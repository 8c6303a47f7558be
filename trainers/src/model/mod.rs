//! Fitted models: what predicts, what is known about it, and the file it is kept in.

mod blend;
mod card;
mod chain;
mod ensemble;
mod file;
mod logarithm;
mod predictor;
mod stacked;
#[cfg(test)]
mod tests;

#[cfg(feature = "onnx")]
pub(crate) use blend::LEAST;
pub use blend::{Blend, Pooling};
pub use card::ModelCard;
pub use chain::Chain;
pub use ensemble::{Fitted, Member, Model, RowPrediction};
pub use file::{MAGIC, VERSION, from_bytes, to_bytes};
pub use logarithm::{LogScale, Logarithm};
pub use predictor::Estimator;
pub(crate) use predictor::{classes_fit, softmax};
pub use stacked::{Stacked, heard};
