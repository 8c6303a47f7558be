//! The registered model: a weighted average of fitted chains.

use datasets::{CoercionReason, Table};
use serde::{Deserialize, Serialize};

use crate::data::{Block, Predictions, argmax, decide};
use crate::error::ModelError;
use crate::model::{Chain, ModelCard, file};
use crate::transform::Featurizer;

/// What predicts from a table and can be kept in a file.
pub trait Model: Send + Sync {
    /// Predicts every row of the table: `n_rows × n_outputs`. Columns are found by name; others are ignored.
    fn predict(&self, table: &Table) -> Result<Predictions, ModelError>;

    /// The model as the bytes of a model file.
    fn save(&self) -> Result<Vec<u8>, ModelError>;

    /// What is known about the model.
    fn card(&self) -> &ModelCard;
}

/// One voice of an ensemble.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Its share of the vote; weights are relative to their sum.
    pub weight: f64,
    /// One chain, or a bag of fold models that are averaged.
    pub chains: Vec<Chain>,
    /// A name for people, such as `logistic_regression 7`.
    pub name: String,
}

/// A fitted model: a weighted ensemble of chains; one member is a single model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fitted {
    /// What is known about it.
    pub card: ModelCard,
    /// The members, at least one.
    pub members: Vec<Member>,
}

/// The prediction for one row of cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowPrediction {
    /// The predicted class; `None` for regression.
    pub label: Option<String>,
    /// The predicted number, or the probability of `label`.
    pub value: f64,
    /// One probability per class in the card's order; empty for regression.
    pub probabilities: Vec<f64>,
    /// How many cells could not be read as their column's kind and were taken as missing or unseen.
    pub coerced: usize,
}

impl Fitted {
    /// Predicts one row given as `(column, cell)` text, read by the rules frozen in the model.
    pub fn predict_row(&self, cells: &[(&str, &str)]) -> Result<RowPrediction, ModelError> {
        let (table, coercions) = self.card.schema.read_row(cells)?;
        let predictions = self.predict(&table)?;
        let row = predictions.row(0);
        let coerced = coercions
            .iter()
            .filter(|coercion| coercion.reason != CoercionReason::ExtraColumn)
            .map(|coercion| coercion.n_cells)
            .sum();
        Ok(if self.card.task.is_classification() {
            let label = self.label(row);
            RowPrediction {
                label: self.card.classes.get(label).cloned(),
                value: row.get(label).copied().unwrap_or(f64::NAN),
                probabilities: row.to_vec(),
                coerced,
            }
        } else {
            RowPrediction {
                label: None,
                value: row.first().copied().unwrap_or(f64::NAN),
                probabilities: Vec::new(),
                coerced,
            }
        })
    }

    /// Index of the predicted class: by the stored threshold for two classes (0.5 when none is stored), else
    /// the most probable.
    pub fn label(&self, probabilities: &[f64]) -> usize {
        if self.card.classes.len() == 2 {
            decide(probabilities, self.card.threshold.unwrap_or(0.5))
        } else {
            argmax(probabilities)
        }
    }

    /// The featurizers of all chains, each once: members of one fold share theirs.
    fn featurizers(&self) -> Vec<&Featurizer> {
        let mut distinct: Vec<&Featurizer> = Vec::new();
        for chain in self.members.iter().flat_map(|member| &member.chains) {
            if !distinct.contains(&&chain.features) {
                distinct.push(&chain.features);
            }
        }
        distinct
    }

    /// The features of every table row, once per distinct featurizer.
    pub(crate) fn blocks(&self, table: &Table) -> Result<Vec<Block>, ModelError> {
        self.featurizers().into_iter().map(|features| features.apply(table)).collect()
    }

    /// Which of the blocks a chain reads.
    pub(crate) fn block_of(&self, chain: &Chain) -> usize {
        self.featurizers().iter().position(|features| **features == chain.features).unwrap_or(0)
    }

    /// Predictions from what [`Fitted::blocks`] made; the order of the sum is that of the members.
    pub(crate) fn predict_blocks(&self, blocks: &[Block], n_rows: usize) -> Predictions {
        let n_outputs = self.card.n_outputs();
        let mut sum = vec![0.0; n_rows * n_outputs];
        let total: f64 = self.members.iter().map(|member| member.weight).sum();
        let featurizers = self.featurizers();
        for member in &self.members {
            let share = member.weight / (total * member.chains.len() as f64);
            for chain in &member.chains {
                let own = featurizers.iter().zip(blocks).find(|(features, _)| ***features == chain.features);
                let Some((_, block)) = own else { continue };
                let predictions = chain.predict_block(block);
                for (cell, value) in sum.iter_mut().zip(predictions.values()) {
                    *cell += share * value;
                }
            }
        }
        Predictions::new(n_outputs, sum)
    }

    /// Whether the parts agree with each other, so that predicting cannot go wrong later.
    pub(crate) fn check(&self) -> Result<(), ModelError> {
        let wrong = |reason: String| Err(ModelError::Payload { reason });
        let n_outputs = self.card.n_outputs();
        if self.card.task.is_classification() && n_outputs < 2 {
            return wrong(format!("a {} model has {n_outputs} classes", self.card.task));
        }
        if self.members.is_empty() {
            return wrong("the model has no members".to_string());
        }
        let total: f64 = self.members.iter().map(|member| member.weight).sum();
        if !(total.is_finite() && total > 0.0) || self.members.iter().any(|member| member.weight < 0.0) {
            return wrong(format!("the weights of the members sum to {total}"));
        }
        for member in &self.members {
            if member.chains.is_empty() {
                return wrong(format!("member `{}` has no chains", member.name));
            }
            for chain in &member.chains {
                if let Err(reason) = chain.features.check() {
                    return wrong(format!("member `{}`: {reason}", member.name));
                }
                let n_features = chain.features.names().len();
                if let Err(reason) = chain.estimator.check(n_features, n_outputs) {
                    return wrong(format!("member `{}`: {reason}", member.name));
                }
            }
        }
        Ok(())
    }
}

impl Model for Fitted {
    fn predict(&self, table: &Table) -> Result<Predictions, ModelError> {
        Ok(self.predict_blocks(&self.blocks(table)?, table.n_rows()))
    }

    fn save(&self) -> Result<Vec<u8>, ModelError> {
        file::to_bytes(self)
    }

    fn card(&self) -> &ModelCard {
        &self.card
    }
}

const _: () = {
    const fn shared_between_threads<T: Send + Sync>() {}
    shared_between_threads::<Fitted>();
};
