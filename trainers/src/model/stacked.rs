//! The second layer of an ensemble: models that read, beside features of their own, what members of the first say
//! (Wolpert, "Stacked generalization", Neural Networks 5, 1992).

use serde::{Deserialize, Serialize};

use crate::data::{Block, Predictions};
use crate::model::Chain;

/// A voice of the second layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stacked {
    /// Its share of the vote, relative to the sum over both layers.
    pub weight: f64,
    /// The members it hears, by their positions among those of the model, in this order.
    pub inputs: Vec<usize>,
    /// Its features, and the estimator that reads them with the columns of [`heard`] behind them.
    pub chain: Chain,
    /// A name for people, such as `stacked light_gbm`.
    pub name: String,
}

impl Stacked {
    /// How many columns the estimator reads, when members have so many outputs.
    pub(super) fn n_features(&self, n_outputs: usize) -> usize {
        self.chain.features.names().len() + self.inputs.len() * columns_of(n_outputs)
    }

    /// Predicts from the block that the chain's features made and what all members of the first layer said.
    pub(super) fn predict(&self, block: &Block, said: &[Predictions]) -> Predictions {
        let heard = heard(self.inputs.iter().filter_map(|&input| said.get(input)), block.n_rows);
        let rows: Vec<u32> = (0..block.n_rows as u32).collect();
        self.chain.estimator.predict(&block.beside(&heard), &rows)
    }
}

/// The columns one member gives: a number, or the probabilities of all classes but the first, which is what is left.
fn columns_of(n_outputs: usize) -> usize {
    n_outputs.saturating_sub(1).max(1)
}

/// What a second layer reads of each member, one after another: its number, or its probability of each class but the
/// first. `n_rows × (members × columns)`; rows beyond what a member predicted are missing.
pub fn heard<'a>(members: impl Iterator<Item = &'a Predictions>, n_rows: usize) -> Block {
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for (i, said) in members.enumerate() {
        let first = usize::from(said.n_outputs() > 1);
        for output in first..said.n_outputs() {
            names.push(format!("member {i} output {output}"));
            values.extend((0..n_rows).map(|row| said.row(row).get(output).map_or(f32::NAN, |value| *value as f32)));
        }
    }
    Block::numbers(names, n_rows, values)
}
