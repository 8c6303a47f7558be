//! Extremely randomised trees (Geurts, Ernst & Wehenkel 2006).

use hyperdrive::{Dimension, Params};

use super::preset::Preset;
use super::random_forest::{forest_growth, max_features, usual_max_features};
use crate::algorithm::Algorithm;
use crate::data::Shape;
use crate::trees::growth::Growth;
use crate::trees::settings::Mode;

/// Extremely randomised trees. A departure from the paper: a random threshold is one of the histogram's cuts.
pub static EXTREME_RANDOM_TREES: Preset = Preset {
    algorithm: Algorithm::ExtremeRandomTrees,
    space,
    defaults,
    n_estimators: 100,
    growth: |_| Growth { extra_trees: true, ..forest_growth() },
    mode: Mode::Forest { bootstrap: false },
};

fn space(_: &Shape) -> Vec<Dimension> {
    vec![
        Dimension::int("n_estimators", 50, 500).log(),
        max_features(),
        Dimension::int("min_child_samples", 1, 50).log(),
        Dimension::int("max_depth", 4, 32),
    ]
}

fn defaults(shape: &Shape) -> Params {
    Params::new()
        .with("n_estimators", 100_i64)
        .with("max_features", usual_max_features(shape))
        .with("min_child_samples", 1_i64)
        .with("max_depth", 32_i64)
}
