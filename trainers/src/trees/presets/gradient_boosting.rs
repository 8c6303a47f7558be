//! Boosting of shallow trees (Friedman 2001), with scikit-learn's defaults.

use hyperdrive::{Dimension, Params};

use super::preset::Preset;
use crate::algorithm::Algorithm;
use crate::data::Shape;
use crate::trees::growth::{Growth, Order};
use crate::trees::settings::Mode;

/// Boosting of shallow trees. Departures from scikit-learn's `GradientBoostingClassifier`: splits are chosen on
/// histograms and by second-order gains, missing values and categories are read as they are.
pub static GRADIENT_BOOSTING: Preset = Preset {
    algorithm: Algorithm::GradientBoosting,
    space,
    defaults,
    n_estimators: 100,
    growth: |_| Growth {
        order: Order::DepthWise,
        num_leaves: 0,
        max_depth: 3,
        min_child_samples: 1,
        ..Growth::default()
    },
    mode: Mode::Boosting { learning_rate: 0.1, early_stopping_rounds: 0 },
};

fn space(_: &Shape) -> Vec<Dimension> {
    vec![
        Dimension::int("n_estimators", 20, 2000).log(),
        Dimension::float("learning_rate", 0.02, 0.5).log(),
        Dimension::int("max_depth", 1, 6),
        Dimension::int("min_child_samples", 1, 64).log(),
        Dimension::float("subsample", 0.4, 1.0),
        Dimension::float("colsample_bynode", 0.1, 1.0),
    ]
}

fn defaults(_: &Shape) -> Params {
    Params::new()
        .with("n_estimators", 100_i64)
        .with("learning_rate", 0.1)
        .with("max_depth", 3_i64)
        .with("min_child_samples", 1_i64)
        .with("subsample", 1.0)
        .with("colsample_bynode", 1.0)
}
