//! Permutation importance: how much a score loses when a part's values are put in another order (Breiman, "Random
//! Forests", Machine Learning 45, 2001, section 10; repeated as in scikit-learn's `permutation_importance`).

use datasets::{Column, Table};

use super::inputs::Inputs;
use crate::data::Predictions;
use crate::error::{ExplainError, MetricError};

/// What shuffling a part costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Importance {
    /// The column or feature.
    pub name: String,
    /// Mean loss of the score over the repeats, in the metric's unit; positive where the part helps.
    pub mean: f64,
    /// Standard deviation of the loss over the repeats (divided by their number less one); 0 for one repeat.
    pub deviation: f64,
}

/// The importance of one part. `score` is greater where predictions are better, and `whole` what it gives for the rows as
/// they are; `orders` are permutations of the inputs' rows, one a repeat, at least one.
pub fn importance(
    inputs: &Inputs<'_>,
    part: usize,
    score: &dyn Fn(&Predictions) -> Result<f64, MetricError>,
    whole: f64,
    orders: &[Vec<u32>],
) -> Result<Importance, ExplainError> {
    let mut losses = Vec::with_capacity(orders.len());
    for order in orders {
        losses.push(whole - score(&inputs.predict_shuffled(part, order)?)?);
    }
    let n = losses.len().max(1) as f64;
    let mean = losses.iter().sum::<f64>() / n;
    let squares: f64 = losses.iter().map(|loss| (loss - mean) * (loss - mean)).sum();
    let deviation = if losses.len() > 1 { (squares / (n - 1.0)).sqrt() } else { 0.0 };
    Ok(Importance { name: inputs.names()[part].clone(), mean, deviation })
}

/// The table with one column's rows in another order.
pub fn shuffled(table: &Table, name: &str, order: &[u32]) -> Result<Table, datasets::DataError> {
    let columns = table.columns().iter().map(|column| {
        let values = if column.name == name { column.values.take(order) } else { column.values.clone() };
        Column::new(column.name.clone(), values)
    });
    Table::with_rows(columns.collect(), table.n_rows())
}
