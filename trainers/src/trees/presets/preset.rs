//! What all presets share: they differ in their tables only.

use hyperdrive::{Dimension, Params};

use super::settings::apply;
use crate::algorithm::Algorithm;
use crate::data::{Shape, TrainData};
use crate::error::TrainError;
use crate::task::Task;
use crate::trainer::{Capabilities, Trainer, Training};
use crate::transform::TREE_INPUT;
use crate::trees::boost::Boosting;
use crate::trees::growth::Growth;
use crate::trees::loss::Objective;
use crate::trees::settings::{Boost, Mode};

/// An algorithm as settings of the kernel.
#[derive(Debug)]
pub struct Preset {
    pub(super) algorithm: Algorithm,
    pub(super) space: fn(&Shape) -> Vec<Dimension>,
    pub(super) defaults: fn(&Shape) -> Params,
    pub(super) n_estimators: usize,
    /// What holds before parameters are applied.
    pub(super) growth: fn(&Shape) -> Growth,
    pub(super) mode: Mode,
}

impl Preset {
    /// The settings that parameters make of this preset. A parameter may be any setting of the kernel, whether or
    /// not it is searched; an unknown one is refused by name.
    pub fn settings(&self, shape: &Shape, params: &Params) -> Result<Boost, TrainError> {
        let objective = match shape.task {
            Task::Binary => Objective::Logistic,
            Task::Multiclass => Objective::Softmax { n_classes: shape.n_classes },
            Task::Regression => Objective::Squared,
        };
        let mut boost = Boost {
            algorithm: self.algorithm,
            n_estimators: self.n_estimators,
            mode: self.mode,
            subsample: 1.0,
            cat_statistics: false,
            growth: (self.growth)(shape),
            loss: objective.build()?,
        };
        apply(&mut boost, shape, &(self.defaults)(shape))?;
        apply(&mut boost, shape, params)?;
        Ok(boost)
    }
}

impl Trainer for Preset {
    fn describe(&self) -> Capabilities {
        Capabilities {
            algorithm: self.algorithm,
            tasks: &Task::ALL,
            input: TREE_INPUT,
            stepped: true,
            watches: matches!(self.mode, Mode::Boosting { .. }),
            baseline: false,
            weighted: true,
        }
    }

    fn space(&self, shape: &Shape) -> Vec<Dimension> {
        (self.space)(shape)
    }

    fn default_params(&self, shape: &Shape) -> Params {
        (self.defaults)(shape)
    }

    fn work(&self, shape: &Shape, params: &Params) -> f64 {
        let Ok(boost) = self.settings(shape, params) else { return 1.0 };
        // A tree's rows are added to histograms about as often as it has levels; a boosted tree's smaller halves
        // only. Each leaf's bins are looked at once.
        let n = shape.n_rows as f64 + 1.0;
        let bins = n.min(255.0);
        let features = shape.n_features as f64 + 1.0;
        let growth = &boost.growth;
        let leaves = match (growth.num_leaves, growth.max_depth) {
            (0, 0) => n,
            (0, depth) => (2.0_f64).powi(depth.min(60) as i32),
            (leaves, _) => leaves as f64,
        };
        let leaves = leaves.min(n / growth.min_child_samples.max(1) as f64).max(2.0);
        let asked = features * growth.colsample_bytree * growth.colsample_bynode;
        let per_tree = n * boost.subsample * (asked * leaves.log2() / 2.0 + leaves.log2()) + asked * bins * leaves;
        let n_raw = if shape.n_classes > 2 { shape.n_classes as f64 } else { 1.0 };
        boost.n_estimators as f64 * n_raw * (per_tree + 10.0 * n)
    }

    fn start(
        &self,
        data: &TrainData,
        params: &Params,
        checkpoint: Option<&[u8]>,
    ) -> Result<Box<dyn Training>, TrainError> {
        let boost = self.settings(&data.shape(), params)?;
        Ok(Box::new(Boosting::start(data, boost, checkpoint)?))
    }
}
