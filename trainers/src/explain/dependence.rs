//! Partial dependence: the mean prediction where a part has one value in every row (Friedman, "Greedy Function
//! Approximation: A Gradient Boosting Machine", Annals of Statistics 29, 2001, section 8.2).

use super::inputs::Inputs;
use crate::error::ModelError;

/// The mean prediction by the value of a part.
#[derive(Debug, Clone, PartialEq)]
pub struct Dependence {
    /// The column or feature.
    pub name: String,
    /// Its values in order, in words.
    pub values: Vec<String>,
    /// For each value the mean prediction over the rows, one number an output.
    pub means: Vec<Vec<f64>>,
}

/// The dependence on one part at up to `most` of its values: of numbers and times quantiles from least to greatest, of
/// categories the most frequent levels. Text has no values to go through; its dependence is empty.
pub fn dependence(inputs: &Inputs<'_>, part: usize, most: usize) -> Result<Dependence, ModelError> {
    let (grid, values) = inputs.grid(part, most);
    let mut means = Vec::with_capacity(grid.len());
    for at in 0..grid.len() {
        let predictions = inputs.predict_fixed(part, &grid, at)?;
        let mut sums = vec![0.0; predictions.n_outputs()];
        for row in predictions.rows() {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += value;
            }
        }
        means.push(sums.into_iter().map(|sum| sum / predictions.n_rows().max(1) as f64).collect());
    }
    Ok(Dependence { name: inputs.names()[part].clone(), values, means })
}
