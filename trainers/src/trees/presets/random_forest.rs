//! Random forests (Breiman 2001).

use hyperdrive::{Choice, Dimension, Params};

use super::preset::Preset;
use crate::algorithm::Algorithm;
use crate::data::Shape;
use crate::trees::growth::Growth;
use crate::trees::settings::Mode;

/// A random forest. Departures from Breiman: thresholds are cuts of a histogram, and of several classes each has trees
/// of its own (as in LightGBM's `rf` mode).
pub static RANDOM_FOREST: Preset = Preset {
    algorithm: Algorithm::RandomForest,
    space,
    defaults,
    n_estimators: 100,
    growth: |_| forest_growth(),
    mode: Mode::Forest { bootstrap: true },
};

/// Trees without bounds.
pub(super) fn forest_growth() -> Growth {
    Growth {
        num_leaves: 0,
        min_child_samples: 1,
        min_child_weight: 0.0,
        cat_smooth: 1.0,
        cat_l2: 0.0,
        min_data_per_group: 1,
        ..Growth::default()
    }
}

/// The share of the features a node may ask about, which forests search over.
pub(super) fn max_features() -> Dimension {
    Dimension::choice("max_features", ["sqrt", "log2", "third", "half", "all"].map(Choice::leaf).to_vec())
}

/// Classes are told apart by few features a node, numbers by more (Breiman's advice).
pub(super) fn usual_max_features(shape: &Shape) -> &'static str {
    if shape.task.is_classification() { "sqrt" } else { "third" }
}

fn space(_: &Shape) -> Vec<Dimension> {
    vec![
        Dimension::int("n_estimators", 50, 500).log(),
        max_features(),
        Dimension::int("min_child_samples", 1, 50).log(),
        Dimension::int("max_depth", 4, 32),
        Dimension::float("subsample", 0.4, 1.0),
    ]
}

fn defaults(shape: &Shape) -> Params {
    Params::new()
        .with("n_estimators", 100_i64)
        .with("max_features", usual_max_features(shape))
        .with("min_child_samples", 1_i64)
        .with("max_depth", 32_i64)
        .with("subsample", 1.0)
}
