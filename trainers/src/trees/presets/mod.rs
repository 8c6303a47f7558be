//! Algorithms as presets of the one kernel, one file each: what is searched, where a search begins, and which
//! settings no search touches.

mod cat_boost;
mod decision_tree;
mod extreme_random_trees;
mod gradient_boosting;
mod light_gbm;
mod preset;
mod random_forest;
mod settings;
mod xg_boost;

pub use cat_boost::CAT_BOOST;
pub use decision_tree::DECISION_TREE;
pub use extreme_random_trees::EXTREME_RANDOM_TREES;
pub use gradient_boosting::GRADIENT_BOOSTING;
pub use light_gbm::LIGHT_GBM;
pub use preset::Preset;
pub use random_forest::RANDOM_FOREST;
pub use xg_boost::XG_BOOST;
