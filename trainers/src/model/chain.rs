//! A fitted featurizer and the estimator that reads its features.

use datasets::Table;
use serde::{Deserialize, Serialize};

use crate::data::{Block, Predictions};
use crate::error::ModelError;
use crate::model::Estimator;
use crate::transform::Featurizer;

/// A fitted chain: from a table to predictions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chain {
    /// Turns table columns into features.
    pub features: Featurizer,
    /// Turns features into predictions.
    pub estimator: Estimator,
}

impl Chain {
    /// Predicts every row of the table.
    pub fn predict(&self, table: &Table) -> Result<Predictions, ModelError> {
        Ok(self.predict_block(&self.features.apply(table)?))
    }

    /// Predicts every row of a block that [`Chain::features`] made.
    pub(crate) fn predict_block(&self, block: &Block) -> Predictions {
        let rows: Vec<u32> = (0..block.n_rows as u32).collect();
        self.estimator.predict(block, &rows)
    }
}
