//! Settings of a sum of trees.

use std::sync::Arc;

use super::bins::Bins;
use super::growth::{Growth, Order, refused};
use super::kernel::Cell;
use super::loss::{Loss, mean};
use super::tree::Link;
use crate::algorithm::Algorithm;
use crate::data::{Target, TrainData};
use crate::error::TrainError;

/// How trees are summed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    /// Each round corrects the rounds before it.
    Boosting {
        /// What leaf values are multiplied with (shrinkage).
        learning_rate: f64,
        /// Stop after so many rounds without a better loss on the held-out rows; 0: never.
        early_stopping_rounds: usize,
    },
    /// Each round is a tree of its own, and their mean is the answer.
    Forest {
        /// Whether each tree's rows are drawn with replacement.
        bootstrap: bool,
    },
}

/// Settings of a sum of trees.
#[derive(Debug, Clone)]
pub struct Boost {
    /// The algorithm this is a preset for.
    pub algorithm: Algorithm,
    /// Rounds; a tree per round and raw output.
    pub n_estimators: usize,
    /// How trees are summed.
    pub mode: Mode,
    /// How many rows are drawn for each round, as a share of them: above 0, at most 1. They are drawn without
    /// replacement, or with it where a forest's `bootstrap` says so.
    pub subsample: f64,
    /// How each tree is grown.
    pub growth: Growth,
    /// Whether trees may also ask about a category of more than `growth.max_cat_to_onehot` levels by what its levels
    /// are known for: the mean target of the training rows of a level (the share of each class), which of a training
    /// row is that of rows before it in an order drawn by chance, and how many there are (`CatBoost`'s ordered target
    /// statistics and `Counter`).
    pub cat_statistics: bool,
    /// What is minimised. Forests minimise the squared error of numbers or class shares, whatever this says.
    pub loss: Arc<dyn Loss>,
}

impl Boost {
    /// Refuses settings that cannot be worked with.
    pub(super) fn check(&self) -> Result<(), TrainError> {
        self.growth.check()?;
        if self.n_estimators == 0 {
            return Err(refused("n_estimators", 0, "it must be at least 1"));
        }
        if !(self.subsample > 0.0 && self.subsample <= 1.0) {
            return Err(refused("subsample", self.subsample, "it must be above 0 and at most 1"));
        }
        if self.loss.quantile().is_some() && self.growth.monotone_constraints.iter().any(|&direction| direction != 0) {
            return Err(refused(
                "monotone_constraints",
                "set",
                "a loss whose leaves are quantiles cannot keep to them",
            ));
        }
        match self.mode {
            Mode::Boosting { learning_rate, .. } if !(learning_rate > 0.0 && learning_rate.is_finite()) => {
                Err(refused("learning_rate", learning_rate, "it must be above 0"))
            }
            Mode::Forest { .. } if self.growth.order == Order::Symmetric => {
                Err(refused("order", "symmetric", "a forest's trees are grown leaf by leaf"))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a training that would take more memory than it may.
    pub(super) fn check_memory(&self, data: &TrainData, bins: &Bins) -> Result<(), TrainError> {
        let Some(allowed) = data.memory else { return Ok(()) };
        let needed = self.memory(data.rows.len(), data.target.n_classes(), bins);
        if needed <= allowed {
            return Ok(());
        }
        Err(TrainError::Memory { algorithm: self.algorithm, needed, allowed, n_rows: data.rows.len() })
    }

    /// Bytes a training takes beside its data and its trees: per row a label, a weight and, per raw output, a score
    /// and a cell; the positions with room to divide them and the gathered rows and cells; and the histograms that
    /// are kept.
    pub fn memory(&self, n_rows: usize, n_classes: usize, bins: &Bins) -> u64 {
        let n_raw = n_raw(n_classes);
        let per_row = 4 + 4 + n_raw * (4 + size_of::<Cell>()) + 4 + 4 + 4 + size_of::<Cell>();
        let kept = bins.most_kept(n_rows, &self.growth);
        (n_rows * per_row + kept * bins.n_cells * size_of::<Cell>()) as u64
    }

    /// Raw scores before any tree, one per raw output; refuses a loss that is not one of such a target.
    pub(super) fn base(
        &self,
        target: &Target,
        labels: &[f64],
        weights: Option<&[f32]>,
    ) -> Result<Vec<f64>, TrainError> {
        let (link, n_classes) = (self.link(target.n_classes()), target.n_classes());
        if let Mode::Forest { .. } = self.mode {
            return Ok(match link {
                Link::Shares => vec![0.0; n_raw(n_classes)],
                _ => vec![mean(labels.iter().copied(), weights)],
            });
        }
        let base = self.loss.base(labels, weights);
        let (is_of_classes, wanted) = match link {
            Link::Identity | Link::Exp => (false, "its link wants a number as the target and one raw score"),
            Link::Logistic => (true, "its link wants two classes and one raw score"),
            Link::Softmax => (true, "its link wants classes and a raw score for each"),
            Link::Shares => (true, "its link wants classes and a raw score for each, or one for two"),
        };
        if is_of_classes == target.task.is_classification() && link.joins(base.len(), target.n_outputs()) {
            return Ok(base);
        }
        let of = if n_classes > 0 { format!(" of {n_classes} classes") } else { String::new() };
        let value = format!("{:?} with {} raw scores, on a {} target{of}", self.loss, base.len(), target.task);
        Err(refused("loss", value, wanted))
    }

    /// The rows on which the loss is watched, where it is.
    pub(super) fn watched(&self, data: &TrainData) -> Option<Arc<[u32]>> {
        let watches = matches!(self.mode, Mode::Boosting { early_stopping_rounds: 1.., .. });
        data.held_out.clone().filter(|rows| watches && !rows.is_empty())
    }

    pub(super) fn link(&self, n_classes: usize) -> Link {
        match self.mode {
            Mode::Boosting { .. } => self.loss.link(),
            Mode::Forest { .. } if n_classes > 0 => Link::Shares,
            Mode::Forest { .. } => Link::Identity,
        }
    }
}

/// How many raw outputs there are for so many classes, unless a loss has more.
fn n_raw(n_classes: usize) -> usize {
    if n_classes > 2 { n_classes } else { 1 }
}
