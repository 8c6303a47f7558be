//! Depth-wise boosting with XGBoost's defaults (Chen & Guestrin 2016).

use hyperdrive::{Dimension, Params};

use super::preset::Preset;
use crate::algorithm::Algorithm;
use crate::data::Shape;
use crate::trees::growth::{Growth, Order};
use crate::trees::settings::Mode;

/// Depth-wise boosting. A departure from XGBoost: cuts are quantiles of rows, not of second derivatives.
pub static XG_BOOST: Preset = Preset {
    algorithm: Algorithm::XgBoost,
    space,
    defaults,
    n_estimators: 100,
    growth: |_| Growth {
        order: Order::DepthWise,
        num_leaves: 0,
        max_depth: 6,
        min_child_samples: 1,
        min_child_weight: 1.0,
        reg_lambda: 1.0,
        cat_l2: 1.0,
        ..Growth::default()
    },
    mode: Mode::Boosting { learning_rate: 0.3, early_stopping_rounds: 0 },
};

fn space(_: &Shape) -> Vec<Dimension> {
    vec![
        Dimension::int("n_estimators", 20, 2000).log(),
        Dimension::float("learning_rate", 0.02, 0.5).log(),
        Dimension::int("max_depth", 2, 10),
        Dimension::float("min_child_weight", 1e-2, 64.0).log(),
        Dimension::float("min_split_gain", 1e-8, 5.0).log(),
        Dimension::float("subsample", 0.5, 1.0),
        Dimension::float("colsample_bytree", 0.2, 1.0),
        Dimension::float("reg_alpha", 1e-8, 10.0).log(),
        Dimension::float("reg_lambda", 1e-3, 20.0).log(),
    ]
}

fn defaults(_: &Shape) -> Params {
    Params::new()
        .with("n_estimators", 100_i64)
        .with("learning_rate", 0.3)
        .with("max_depth", 6_i64)
        .with("min_child_weight", 1.0)
        .with("min_split_gain", 1e-8)
        .with("subsample", 1.0)
        .with("colsample_bytree", 1.0)
        .with("reg_alpha", 1e-8)
        .with("reg_lambda", 1.0)
}
