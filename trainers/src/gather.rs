//! The training view laid out for the libraries that fit.

use crate::algorithm::Algorithm;
use crate::data::{TargetValues, TrainData};
use crate::error::TrainError;
use crate::weigh::weight_of;

impl TrainData {
    /// The target of every training row, in their order.
    pub(crate) fn training_targets(&self, algorithm: Algorithm) -> Result<TargetValues, TrainError> {
        if self.rows.is_empty() {
            return Err(TrainError::NoRows { algorithm });
        }
        let rows = self.rows.iter().copied();
        if self.target.task.is_classification() {
            rows.map(|row| self.target.class(row).ok_or(TrainError::BadRow { row }))
                .collect::<Result<_, _>>()
                .map(TargetValues::Classes)
        } else {
            rows.map(|row| self.target.number(row).ok_or(TrainError::BadRow { row }))
                .collect::<Result<_, _>>()
                .map(TargetValues::Numbers)
        }
    }

    /// The class of every training row; an error when this is regression.
    pub(crate) fn training_classes(&self, algorithm: Algorithm) -> Result<Vec<u32>, TrainError> {
        match self.training_targets(algorithm)? {
            TargetValues::Classes(classes) => Ok(classes),
            TargetValues::Numbers(_) => Err(TrainError::WrongTask { algorithm, task: self.target.task }),
        }
    }

    /// The number of every training row; an error when this is classification.
    pub(crate) fn training_numbers(&self, algorithm: Algorithm) -> Result<Vec<f64>, TrainError> {
        match self.training_targets(algorithm)? {
            TargetValues::Numbers(numbers) => Ok(numbers),
            TargetValues::Classes(_) => Err(TrainError::WrongTask { algorithm, task: self.target.task }),
        }
    }

    /// The features of the training rows, column-major: `rows × n_features`, checked to be finite.
    pub(crate) fn training_features(&self) -> Result<Vec<f64>, TrainError> {
        self.check_blocks()?;
        let mut values = Vec::with_capacity(self.rows.len() * self.n_features());
        for (name, column) in self.columns() {
            for &row in self.rows.iter() {
                let value = *column.get(row as usize).ok_or(TrainError::BadRow { row })?;
                if !value.is_finite() {
                    return Err(TrainError::NotFinite { feature: name.to_string(), row, value });
                }
                values.push(f64::from(value));
            }
        }
        Ok(values)
    }

    pub(crate) fn check_blocks(&self) -> Result<(), TrainError> {
        for block in &self.blocks {
            if block.values.len() != block.n_rows * block.names.len() {
                return Err(TrainError::Blocks {
                    reason: format!(
                        "{} values, where {} rows of {} features are promised",
                        block.values.len(),
                        block.n_rows,
                        block.names.len()
                    ),
                });
            }
        }
        Ok(())
    }
}

/// Subtracts each column's mean from a column-major matrix and gives the means. Weights, if any, are one per row.
pub(crate) fn center(values: &mut [f64], n_rows: usize, weights: Option<&[f64]>) -> Vec<f64> {
    values
        .chunks_exact_mut(n_rows.max(1))
        .map(|column| {
            let mean = mean(column, weights);
            for value in column.iter_mut() {
                *value -= mean;
            }
            mean
        })
        .collect()
}

/// The mean, weighted if there are weights; 0 of nothing.
pub(crate) fn mean(values: &[f64], weights: Option<&[f64]>) -> f64 {
    match weights {
        None => values.iter().sum::<f64>() / values.len().max(1) as f64,
        Some(weights) => {
            let sum: f64 = values.iter().zip(weights).map(|(value, weight)| value * weight).sum();
            sum / weights.iter().sum::<f64>()
        }
    }
}

/// The classes that occur, ascending, and for every row the position of its class among them.
pub(crate) fn classes_of(targets: &[u32], n_classes: usize) -> (Vec<u32>, Vec<usize>) {
    let mut positions = vec![usize::MAX; n_classes];
    for &class in targets {
        positions[class as usize] = 0;
    }
    let classes: Vec<u32> = (0..n_classes as u32).filter(|&class| positions[class as usize] == 0).collect();
    for (position, &class) in classes.iter().enumerate() {
        positions[class as usize] = position;
    }
    let members = targets.iter().map(|&class| positions[class as usize]).collect();
    (classes, members)
}

/// The weight of the rows of every class.
pub(crate) fn count(members: &[usize], weights: Option<&[f64]>, n_classes: usize) -> Vec<f64> {
    let mut counts = vec![0.0; n_classes];
    for (row, &class) in members.iter().enumerate() {
        counts[class] += weight_of(weights, row);
    }
    counts
}
