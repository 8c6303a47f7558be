//! Predictions from the most similar training rows.

#[cfg(feature = "fit")]
mod knn;
mod model;

#[cfg(feature = "fit")]
pub use knn::KnnTrainer;
pub use model::{Answers, Distance, Knn, Vote};
