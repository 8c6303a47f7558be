//! What training rows see of a transform that looks at the target.

use datasets::{Column, DataError, Folds};

use super::step::{Step, TargetTransform};
use crate::data::Target;
use crate::error::TrainError;

/// Folds inside the training rows.
const FOLDS: usize = 5;

/// What a transform that looks at the target is fitted with, beside the column.
#[derive(Debug, Clone, Copy)]
pub struct Supervision<'a> {
    /// The target, one value per table row.
    pub target: &'a Target,
    /// A number per table row; rows of equal number are kept together by the inner folds, as they must be where they are
    /// copies of each other or where new rows are of new groups. `None`: every row by itself.
    pub together: Option<&'a [u32]>,
    /// Seed of the inner folds.
    pub seed: u64,
}

impl Supervision<'_> {
    /// Five parts of the training rows, stratified by class and no group in two; as many as there are groups where
    /// those are fewer; none where a single group has all the rows.
    fn parts(&self, rows: &[u32]) -> Result<Vec<Vec<u32>>, TrainError> {
        for k in (2..=FOLDS).rev() {
            let folds = match self.target.codes() {
                Some(classes) => Folds::stratified(rows, classes, k, self.seed, self.together),
                None => Folds::plain(rows, k, self.seed, self.together),
            };
            match folds {
                Ok(folds) => return Ok(folds.splits.into_iter().map(|split| split.valid.to_vec()).collect()),
                Err(DataError::TooFewForFolds { .. }) => {}
                Err(error) => return Err(TrainError::InnerFolds { reason: error.to_string() }),
            }
        }
        Ok(Vec::new())
    }
}

/// The transform fitted on all the rows, and its features of those rows in their order, each from a fit on other rows: no
/// row sees its own target, nor that of its group. Where the rows cannot be divided they are treated as what a fit on no
/// row makes of them.
pub(super) fn cross_fit(
    transform: &dyn TargetTransform,
    column: &Column,
    rows: &[u32],
    supervision: &Supervision<'_>,
) -> Result<(Step, Vec<Vec<f64>>), TrainError> {
    let step = transform.fit(column, rows, supervision.target)?;
    let mut parts = supervision.parts(rows)?;
    if parts.is_empty() {
        parts.push(rows.to_vec());
    }
    Ok((step, out_of_part(transform, column, rows, &parts, supervision.target)?))
}

/// The features of every row, from a fit on the rows of the other parts.
pub(super) fn out_of_part(
    transform: &dyn TargetTransform,
    column: &Column,
    rows: &[u32],
    parts: &[Vec<u32>],
    target: &Target,
) -> Result<Vec<Vec<f64>>, TrainError> {
    let mut part_of = vec![usize::MAX; column.values.len()];
    for (part, rows) in parts.iter().enumerate() {
        for &row in rows {
            part_of[row as usize] = part;
        }
    }
    let mut values: Vec<Vec<f64>> = Vec::new();
    for part in 0..parts.len() {
        let others: Vec<u32> = rows.iter().copied().filter(|&row| part_of[row as usize] != part).collect();
        let (places, own): (Vec<usize>, Vec<u32>) = rows
            .iter()
            .enumerate()
            .filter(|(_, row)| part_of[**row as usize] == part)
            .map(|(i, &row)| (i, row))
            .unzip();
        let view = Column::new(column.name.clone(), column.values.take(&own));
        let features = transform.fit(column, &others, target)?.apply(&view)?;
        values.resize(features.len(), vec![0.0; rows.len()]);
        for (values, feature) in values.iter_mut().zip(features) {
            for (&place, value) in places.iter().zip(feature.values) {
                values[place] = value;
            }
        }
    }
    Ok(values)
}
