//! The training rows one after another, as what goes through them row by row wants them.

use crate::data::TrainData;
use crate::error::TrainError;

/// Greatest feature value taken: beyond, squares and their sums lose their meaning. Scaled features are a hundred thousand
/// million times smaller.
const MAX_VALUE: f32 = 1e12;

/// Features of the training rows, row-major: `n_rows × n_features`, all finite.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    pub(crate) n_features: usize,
    n: usize,
    values: Vec<f32>,
}

impl Rows {
    /// Gathers the training view; values that are not finite or beyond [`MAX_VALUE`] are refused.
    pub(crate) fn of(data: &TrainData) -> Result<Rows, TrainError> {
        data.check_blocks()?;
        let (n_rows, n_features) = (data.rows.len(), data.n_features());
        let mut values = vec![0.0; n_rows * n_features];
        for (j, (name, column)) in data.columns().enumerate() {
            for (i, &row) in data.rows.iter().enumerate() {
                let value = *column.get(row as usize).ok_or(TrainError::BadRow { row })?;
                if !value.is_finite() {
                    return Err(TrainError::NotFinite { feature: name.to_string(), row, value });
                }
                if value.abs() > MAX_VALUE {
                    return Err(TrainError::NotScaled { feature: name.to_string(), row, value, most: MAX_VALUE });
                }
                values[i * n_features + j] = value;
            }
        }
        Ok(Rows { n_features, n: n_rows, values })
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.n
    }

    /// The features of row `i`.
    pub(crate) fn row(&self, i: usize) -> &[f32] {
        &self.values[i * self.n_features..][..self.n_features]
    }
}

/// The sum of products, in eight lanes so that it becomes vector instructions.
#[inline]
pub(crate) fn score(row: &[f32], weights: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let ((x, x_rest), (w, w_rest)) = (row.as_chunks::<8>(), weights.as_chunks::<8>());
    for (x, w) in x.iter().zip(w) {
        for ((lane, x), w) in lanes.iter_mut().zip(x).zip(w) {
            *lane += f64::from(*x) * w;
        }
    }
    for ((lane, x), w) in lanes.iter_mut().zip(x_rest).zip(w_rest) {
        *lane += f64::from(*x) * w;
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (b + f)) + ((c + g) + (d + h))
}

/// `to += factor · row`.
#[inline]
pub(crate) fn add_row(to: &mut [f64], factor: f64, row: &[f32]) {
    for (to, x) in to.iter_mut().zip(row) {
        *to += factor * f64::from(*x);
    }
}
