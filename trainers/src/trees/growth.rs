//! How trees are grown: every setting of the kernel, checked.

use std::fmt::Display;

use serde::{Deserialize, Serialize};

use crate::error::TrainError;

/// In which order leaves are split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The leaf of the greatest gain first (Shi 2007; LightGBM).
    LeafWise,
    /// All leaves of a depth before the next (XGBoost).
    DepthWise,
    /// One question for all leaves of a depth (oblivious trees; CatBoost, Prokhorenkova et al. 2018).
    Symmetric,
}

/// Settings of a tree. Defaults are LightGBM's.
#[derive(Debug, Clone, PartialEq)]
pub struct Growth {
    /// In which order leaves are split.
    pub order: Order,
    /// Most leaves; 0 for no bound.
    pub num_leaves: usize,
    /// Greatest depth, a lone leaf having 0; 0 for no bound.
    pub max_depth: usize,
    /// Least rows of a leaf. Where rows have different second derivatives the number is estimated from their sum,
    /// as LightGBM does.
    pub min_child_samples: usize,
    /// Least sum of second derivatives of a leaf.
    pub min_child_weight: f64,
    /// Least gain of a split.
    pub min_split_gain: f64,
    /// L1 penalty of a leaf's value.
    pub reg_alpha: f64,
    /// L2 penalty of a leaf's value.
    pub reg_lambda: f64,
    /// Greatest size of a leaf's value before shrinkage; 0 for no bound.
    pub max_delta_step: f64,
    /// Draws a leaf's value towards its parent's, the more the fewer rows it has (LightGBM's `path_smooth`).
    pub path_smooth: f64,
    /// Share of the features that each tree may ask about.
    pub colsample_bytree: f64,
    /// Share of a tree's features that each node may ask about.
    pub colsample_bynode: f64,
    /// One random threshold per feature and node instead of the best (Geurts, Ernst & Wehenkel 2006).
    pub extra_trees: bool,
    /// A category of at most this many levels is asked about one level at a time.
    pub max_cat_to_onehot: usize,
    /// Most levels on the smaller side of a category's split.
    pub max_cat_threshold: usize,
    /// Added to a level's weight before levels are put in order.
    pub cat_smooth: f64,
    /// L2 penalty in a category's split, added to `reg_lambda`.
    pub cat_l2: f64,
    /// Least rows of a group of levels.
    pub min_data_per_group: usize,
    /// Per feature: 1, predictions may only rise with it; -1, only fall; 0 or absent, either. Quantities only.
    pub monotone_constraints: Vec<i8>,
    /// Features that may stand on one path together: a path keeps to one of these sets. Empty: no constraint.
    pub interaction_constraints: Vec<Vec<u32>>,
}

impl Default for Growth {
    fn default() -> Self {
        Growth {
            order: Order::LeafWise,
            num_leaves: 31,
            max_depth: 0,
            min_child_samples: 20,
            min_child_weight: 1e-3,
            min_split_gain: 0.0,
            reg_alpha: 0.0,
            reg_lambda: 0.0,
            max_delta_step: 0.0,
            path_smooth: 0.0,
            colsample_bytree: 1.0,
            colsample_bynode: 1.0,
            extra_trees: false,
            max_cat_to_onehot: 4,
            max_cat_threshold: 32,
            cat_smooth: 10.0,
            cat_l2: 10.0,
            min_data_per_group: 100,
            monotone_constraints: Vec::new(),
            interaction_constraints: Vec::new(),
        }
    }
}

/// The deepest a symmetric tree can be: it has a leaf for every combination of answers.
const DEEPEST_SYMMETRIC: usize = 16;

impl Growth {
    /// Refuses settings that no tree can be grown by.
    pub fn check(&self) -> Result<(), TrainError> {
        let not_negative = [
            ("min_child_weight", self.min_child_weight),
            ("min_split_gain", self.min_split_gain),
            ("reg_alpha", self.reg_alpha),
            ("reg_lambda", self.reg_lambda),
            ("max_delta_step", self.max_delta_step),
            ("path_smooth", self.path_smooth),
            ("cat_smooth", self.cat_smooth),
            ("cat_l2", self.cat_l2),
        ];
        for (name, value) in not_negative {
            if !(value.is_finite() && value >= 0.0) {
                return Err(refused(name, value, "it must be finite and not negative"));
            }
        }
        for (name, value) in [("colsample_bytree", self.colsample_bytree), ("colsample_bynode", self.colsample_bynode)]
        {
            if !(value > 0.0 && value <= 1.0) {
                return Err(refused(name, value, "it must be above 0 and at most 1"));
            }
        }
        if self.num_leaves == 1 {
            return Err(refused("num_leaves", 1, "it must be at least 2, or 0 for no bound"));
        }
        if self.order == Order::Symmetric && !(1..=DEEPEST_SYMMETRIC).contains(&self.max_depth) {
            return Err(refused("max_depth", self.max_depth, "a symmetric tree needs a depth from 1 to 16"));
        }
        if self.order == Order::Symmetric {
            let unknown = [
                ("monotone_constraints", self.monotone_constraints.iter().any(|&direction| direction != 0)),
                ("interaction_constraints", !self.interaction_constraints.is_empty()),
                ("max_delta_step", self.max_delta_step > 0.0),
                ("path_smooth", self.path_smooth > 0.0),
                ("extra_trees", self.extra_trees),
                ("colsample_bynode", self.colsample_bynode < 1.0),
            ];
            if let Some((name, _)) = unknown.into_iter().find(|(_, set)| *set) {
                return Err(refused(name, "set", "symmetric trees do not know it"));
            }
        }
        if let Some(direction) = self.monotone_constraints.iter().find(|direction| !(-1..=1).contains(*direction)) {
            return Err(refused("monotone_constraints", direction, "each must be -1, 0 or 1"));
        }
        Ok(())
    }

    /// Whether a side's worth is the plain `max(|g| - α, 0)² / (h + λ)`.
    pub(super) fn is_plain(&self) -> bool {
        self.max_delta_step == 0.0
            && self.path_smooth == 0.0
            && self.monotone_constraints.iter().all(|&direction| direction == 0)
    }

    /// Whether a category of so many levels is divided into two sets of them, not one level against the rest.
    pub(super) fn orders_levels(&self, n_levels: usize) -> bool {
        self.order != Order::Symmetric && n_levels > self.max_cat_to_onehot
    }

    pub(super) fn monotone(&self, feature: usize) -> i8 {
        self.monotone_constraints.get(feature).copied().unwrap_or(0)
    }
}

pub(super) fn refused(name: &'static str, value: impl Display, allowed: &'static str) -> TrainError {
    TrainError::Param { name, value: value.to_string(), allowed }
}
