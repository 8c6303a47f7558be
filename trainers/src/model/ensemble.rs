//! The registered model: a weighted mean of fitted chains, and of a second layer that hears them.

use datasets::{CoercionReason, Table};
use serde::{Deserialize, Serialize};

use crate::data::{Block, Predictions, argmax, decide};
use crate::error::ModelError;
use crate::model::{Blend, Chain, ModelCard, Stacked, file};
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
    /// Its share of the vote; weights are relative to their sum. A member without one is there for the second layer.
    pub weight: f64,
    /// One chain, or a bag of fold models that are averaged.
    pub chains: Vec<Chain>,
    /// A name for people, such as `logistic_regression 7`.
    pub name: String,
}

/// A fitted model: a weighted ensemble of chains in one or two layers; one member is a single model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fitted {
    /// What is known about it.
    pub card: ModelCard,
    /// The members, at least one.
    pub members: Vec<Member>,
    /// The second layer, which may be empty.
    #[serde(default)]
    pub stacked: Vec<Stacked>,
    /// How the voices of both layers are put together.
    #[serde(default)]
    pub blend: Blend,
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
    /// The arithmetic mean of some members.
    pub fn new(card: ModelCard, members: Vec<Member>) -> Fitted {
        Fitted { card, members, stacked: Vec::new(), blend: Blend::default() }
    }

    /// Every chain of both layers.
    pub fn chains(&self) -> impl Iterator<Item = &Chain> {
        let first = self.members.iter().flat_map(|member| &member.chains);
        first.chain(self.stacked.iter().map(|voice| &voice.chain))
    }

    /// The sum of all weights.
    pub fn total_weight(&self) -> f64 {
        let second = self.stacked.iter().map(|voice| voice.weight);
        self.members.iter().map(|member| member.weight).chain(second).sum()
    }

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
        for chain in self.chains() {
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

    /// Predictions from what [`Fitted::blocks`] made; the order of the sum is that of the members, then the second layer.
    pub(crate) fn predict_blocks(&self, blocks: &[Block], n_rows: usize) -> Predictions {
        let n_outputs = self.card.n_outputs();
        let featurizers = self.featurizers();
        let block = |chain: &Chain| {
            featurizers.iter().zip(blocks).find(|(features, _)| ***features == chain.features).map(|(_, block)| block)
        };
        let total = self.total_weight();
        let mut sums = vec![0.0; n_rows * n_outputs];
        let mut said = Vec::new();
        for member in &self.members {
            let own = member.chains.iter().filter_map(|chain| Some(chain.predict_block(block(chain)?)));
            let share = 1.0 / member.chains.len() as f64;
            let own: Vec<Predictions> = own.collect();
            // A bag of fold models speaks with one voice: the arithmetic mean.
            let voice = match own.len() {
                1 => own.into_iter().next().unwrap_or_else(|| Predictions::new(n_outputs, Vec::new())),
                _ => Blend::default().of(own.iter().map(|predictions| (share, predictions))),
            };
            if member.weight > 0.0 {
                self.blend.add(&mut sums, member.weight / total, &voice);
            }
            if !self.stacked.is_empty() {
                said.push(voice);
            }
        }
        for voice in &self.stacked {
            let Some(block) = block(&voice.chain) else { continue };
            self.blend.add(&mut sums, voice.weight / total, &voice.predict(block, &said));
        }
        self.blend.close(n_outputs, sums)
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
        let total = self.total_weight();
        let negative = self.members.iter().any(|member| member.weight < 0.0);
        if !(total.is_finite() && total > 0.0) || negative || self.stacked.iter().any(|voice| voice.weight < 0.0) {
            return wrong(format!("the weights of the members sum to {total}"));
        }
        if !self.blend.is_sound() {
            return wrong(format!("the temperature is {}", self.blend.temperature));
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
        for voice in &self.stacked {
            let Stacked { name, inputs, chain, .. } = voice;
            if let Some(input) = inputs.iter().find(|input| **input >= self.members.len()) {
                return wrong(format!("`{name}` hears member {input} of {}", self.members.len()));
            }
            let sound =
                chain.features.check().and_then(|()| chain.estimator.check(voice.n_features(n_outputs), n_outputs));
            if let Err(reason) = sound {
                return wrong(format!("`{name}`: {reason}"));
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
