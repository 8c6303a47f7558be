//! How much each training row counts.

use crate::data::TrainData;
use crate::error::TrainError;

impl TrainData {
    /// The training rows that count, and the weight of each in their order.
    ///
    /// Rows of weight 0 are left out of the view, and the other weights are brought to a mean of 1: only their ratios
    /// matter, also where a penalty stands against them. Where all that are left weigh the same there are no weights,
    /// so that equal weights end in the very bits of none.
    pub(crate) fn weighed(&self) -> Result<(TrainData, Option<Vec<f64>>), TrainError> {
        let Some(weights) = &self.weights else { return Ok((self.clone(), None)) };
        let (mut rows, mut kept) = (Vec::new(), Vec::new());
        for &row in self.rows.iter() {
            let &weight = weights.get(row as usize).ok_or(TrainError::BadRow { row })?;
            if !(weight.is_finite() && weight >= 0.0) {
                return Err(TrainError::Weight { row, value: weight });
            }
            if weight > 0.0 {
                rows.push(row);
                kept.push(weight);
            }
        }
        if rows.is_empty() && !self.rows.is_empty() {
            return Err(TrainError::NoWeight { n_rows: self.rows.len() });
        }
        let alike = kept.windows(2).all(|pair| pair[0] == pair[1]);
        // Relative to the largest first, so that no sum overflows.
        let largest = kept.iter().copied().fold(0.0, f64::max);
        let mean = kept.iter().map(|weight| weight / largest).sum::<f64>() / kept.len().max(1) as f64;
        for weight in &mut kept {
            *weight = *weight / largest / mean;
        }
        let view = TrainData { rows: rows.into(), weights: None, ..self.clone() };
        Ok((view, (!alike).then_some(kept)))
    }
}

/// The weight of the `i`th training row; 1 where all count alike.
pub(crate) fn weight_of(weights: Option<&[f64]>, i: usize) -> f64 {
    weights.map_or(1.0, |weights| weights[i])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Task;
    use crate::testing::{IRIS, assert_close, standardised};

    fn weighed(weights: &[f64], rows: &[u32]) -> Result<(Vec<u32>, Option<Vec<f64>>), TrainError> {
        let data = standardised(IRIS, Task::Multiclass);
        let data = TrainData { rows: rows.into(), weights: Some(weights.into()), ..data };
        data.weighed().map(|(view, weights)| (view.rows.to_vec(), weights))
    }

    #[test]
    fn weights_have_a_mean_of_1_and_rows_of_weight_0_are_gone() {
        let (rows, weights) = weighed(&[2.0, 0.0, 6.0, f64::NAN], &[2, 1, 0]).expect("sound weights");
        assert_eq!(rows, [2, 0]);
        assert_eq!(weights, Some(vec![1.5, 0.5]));
        let (_, weights) = weighed(&[f64::MAX, f64::MAX / 3.0, 0.0], &[0, 1, 2]).expect("large weights");
        assert_close(&weights.expect("they differ"), &[1.5, 0.5], 1e-12);
        let (rows, weights) = weighed(&[0.3, 0.3, 0.0], &[0, 1, 2]).expect("equal weights");
        assert_eq!((rows, weights), (vec![0, 1], None));
    }

    #[test]
    fn weights_that_mean_nothing_are_refused() {
        for (weights, words) in [
            (&[1.0, -1.0][..], "training row 1 has weight -1; a weight must be finite and not negative"),
            (&[f64::NAN, 1.0], "training row 0 has weight NaN; a weight must be finite and not negative"),
            (&[1.0, f64::INFINITY], "training row 1 has weight inf; a weight must be finite and not negative"),
            (&[0.0, 0.0], "the 2 training rows all have weight 0"),
            (&[1.0], "training row 1 is not in the data or has no target value"),
        ] {
            assert_eq!(weighed(weights, &[0, 1]).expect_err("they mean nothing").to_string(), words);
        }
    }
}
