//! From a plan and training rows to a featurizer.

use datasets::{Column, Table, Values};

use super::cross_fit::{Supervision, cross_fit};
use super::datetime::{DatetimePart, difference};
use super::featurizer::{Encoding, FeaturePlan, FeaturizedColumn, Featurizer, Scaling, cell, find};
use super::settings::{Strategy, Transformer};
use super::step::{TargetTransform, Transform, categories, inside, numbers};
use super::{
    FitDatetime, FitFrequency, FitHashOneHot, FitImpute, FitKeep, FitLevel, FitMoment, FitOneHot, FitOrdinal, FitScale,
    FitTargetMean, FitText, FitTextSvd,
};
use crate::data::Block;
use crate::error::{ModelError, TrainError};

/// A column with more levels than this among the training rows is described by the target, not level by level.
pub const FEW_LEVELS: usize = 32;
/// Words of a text that trees see one by one beside what it is about: a word that decides is one split.
const WORDS_OF_TREES: usize = 64;
/// Differences are taken between this many columns of times, the first.
const MOST_TIMES: usize = 5;

/// A fitted featurizer, and what the rows it was fitted on see instead of it where it looks at the target.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedFeatures {
    /// What makes features of any row, new ones too.
    pub featurizer: Featurizer,
    /// The training rows that the table has.
    rows: Vec<u32>,
    /// Features that are other for training rows: their number in the block, and their values row by row.
    own: Vec<(usize, Vec<f32>)>,
}

impl FittedFeatures {
    /// The features of every row of the table it was fitted on, to train on: training rows have cross-fitted values where
    /// the target is looked at, all other rows what [`Featurizer::apply`] makes of them.
    pub fn block(&self, table: &Table) -> Result<Block, ModelError> {
        let mut block = self.featurizer.apply(table)?;
        for (feature, values) in &self.own {
            let column = &mut block.values[feature * block.n_rows..(feature + 1) * block.n_rows];
            for (&row, &value) in self.rows.iter().zip(values) {
                column[row as usize] = value;
            }
        }
        Ok(block)
    }
}

impl Featurizer {
    /// Fits every column of a plan that looks at no target on the given table rows; other rows are not looked at. A plan
    /// that does is [`TrainError::NoTarget`].
    pub fn fit(plan: &FeaturePlan, table: &Table, rows: &[u32]) -> Result<Featurizer, TrainError> {
        Ok(fit(plan, table, rows, None)?.featurizer)
    }

    /// Fits every column of the plan on the given table rows and the target there; other rows are not looked at.
    pub fn fit_to(
        plan: &FeaturePlan,
        table: &Table,
        rows: &[u32],
        supervision: &Supervision<'_>,
    ) -> Result<FittedFeatures, TrainError> {
        fit(plan, table, rows, Some(supervision))
    }
}

fn fit(
    plan: &FeaturePlan,
    table: &Table,
    rows: &[u32],
    supervision: Option<&Supervision<'_>>,
) -> Result<FittedFeatures, TrainError> {
    let rows: Vec<u32> = inside(rows, table.n_rows()).map(|row| row as u32).collect();
    let mut fitted = FittedFeatures { featurizer: Featurizer { columns: Vec::new() }, rows, own: Vec::new() };
    let mut n_features = 0;
    for name in &plan.columns {
        let column = find(table, name)?;
        for transform in transforms(plan, column, &fitted.rows, supervision)? {
            let (column, own) = fit_column(plan, column, &fitted.rows, &transform, supervision)?;
            fitted.own.extend(own.into_iter().enumerate().map(|(j, values)| (n_features + j, values)));
            n_features += column.scale.len();
            fitted.featurizer.columns.push(column);
        }
    }
    for column in differences(plan, table, &fitted.rows)? {
        fitted.featurizer.columns.push(column);
    }
    Ok(fitted)
}

/// The days between any two of the columns of times, where they vary.
fn differences(plan: &FeaturePlan, table: &Table, rows: &[u32]) -> Result<Vec<FeaturizedColumn>, TrainError> {
    if plan.settings.plain {
        return Ok(Vec::new());
    }
    let columns = plan.columns.iter().map(|name| find(table, name)).collect::<Result<Vec<&Column>, _>>()?;
    let times: Vec<&Column> =
        columns.into_iter().filter(|column| matches!(column.values, Values::Datetime(_))).take(MOST_TIMES).collect();
    let mut found = Vec::new();
    for (i, earlier) in times.iter().enumerate() {
        for later in &times[i + 1..] {
            let days = difference(later, earlier)?;
            let mut present = rows.iter().map(|&row| numbers(&days).map_or(f64::NAN, |days| days[row as usize]));
            let Some(first) = present.find(|days| days.is_finite()) else { continue };
            if !present.any(|days| days.is_finite() && days != first) {
                continue;
            }
            for transform in transforms(plan, &days, rows, None)? {
                let (fitted, _) = fit_column(plan, &days, rows, &transform, None)?;
                let minus = Some(earlier.name.clone());
                found.push(FeaturizedColumn { column: later.name.clone(), minus, ..fitted });
            }
        }
    }
    Ok(found)
}

/// What is to be fitted.
enum Unfitted {
    Blind(Box<dyn Transform>),
    Target(Box<dyn TargetTransform>),
}

fn blind(transform: impl Transform + 'static) -> Vec<Unfitted> {
    vec![Unfitted::Blind(Box::new(transform))]
}

/// What becomes of a column, in the order of its features.
fn transforms(
    plan: &FeaturePlan,
    column: &Column,
    rows: &[u32],
    supervision: Option<&Supervision<'_>>,
) -> Result<Vec<Unfitted>, TrainError> {
    let settings = &plan.settings;
    let native = plan.categorical == Encoding::Native;
    let parts: &[DatetimePart] = if settings.plain { &[DatetimePart::Epoch] } else { &DatetimePart::ALL };
    let max_words = if settings.plain || !settings.allows(Transformer::TfIdf) { Some(0) } else { None };
    Ok(match &column.values {
        Values::Number(_) => match settings.imputers.get(&column.name) {
            Some(strategy) => blind(FitImpute(*strategy)),
            None if native => blind(FitKeep),
            None => blind(FitImpute(Strategy::Median)),
        },
        Values::Category { .. } => return categorical(plan, column, rows, supervision),
        Values::Datetime(_) if native => blind(FitMoment { parts }),
        Values::Datetime(_) => blind(FitDatetime { parts }),
        Values::Text(_) => match max_words {
            Some(max_words) => blind(FitText { max_words, ..FitText::default() }),
            None if native => {
                let words = FitText { max_words: WORDS_OF_TREES, ..FitText::default() };
                vec![Unfitted::Blind(Box::new(words)), Unfitted::Blind(Box::new(FitTextSvd::default()))]
            }
            None => blind(FitText::default()),
        },
    })
}

/// What becomes of a column of categories.
fn categorical(
    plan: &FeaturePlan,
    column: &Column,
    rows: &[u32],
    supervision: Option<&Supervision<'_>>,
) -> Result<Vec<Unfitted>, TrainError> {
    let settings = &plan.settings;
    match plan.categorical {
        Encoding::Native => return Ok(blind(FitLevel)),
        Encoding::Ordinal => return Ok(blind(FitOrdinal)),
        Encoding::OneHot | Encoding::Target => {}
    }
    if let Some(&bits) = settings.hashed.get(&column.name)
        && settings.allows(Transformer::HashOneHotEncoder)
    {
        return Ok(blind(FitHashOneHot { bits }));
    }
    let one_hot = settings.allows(Transformer::OneHotEncoder);
    let of_target = plan.categorical == Encoding::Target
        && !settings.plain
        && settings.allows(Transformer::CatTargetEncoder)
        && (!one_hot || n_levels(column, rows)? > FEW_LEVELS);
    if of_target {
        let supervision = supervision.ok_or_else(|| TrainError::NoTarget { column: column.name.clone() })?;
        let target = FitTargetMean::new(supervision.target, rows);
        return Ok(vec![Unfitted::Target(Box::new(target)), Unfitted::Blind(Box::new(FitFrequency))]);
    }
    Ok(if one_hot {
        blind(FitOneHot::default())
    } else if settings.allows(Transformer::LabelEncoder) {
        blind(FitOrdinal)
    } else {
        blind(FitFrequency)
    })
}

/// How many levels these rows have.
fn n_levels(column: &Column, rows: &[u32]) -> Result<usize, ModelError> {
    let (codes, levels) = categories(column)?;
    let mut seen = vec![false; levels.len()];
    for &row in rows {
        if let Some(seen) = seen.get_mut(codes[row as usize] as usize) {
            *seen = true;
        }
    }
    Ok(seen.into_iter().filter(|&seen| seen).count())
}

/// A fitted column, and for each feature what training rows see where that is something else.
fn fit_column(
    plan: &FeaturePlan,
    column: &Column,
    rows: &[u32],
    transform: &Unfitted,
    supervision: Option<&Supervision<'_>>,
) -> Result<(FeaturizedColumn, Vec<Vec<f32>>), TrainError> {
    let (encode, own) = match (transform, supervision) {
        (Unfitted::Blind(transform), _) => (transform.fit(column, rows)?, None),
        (Unfitted::Target(transform), Some(supervision)) => {
            let (step, own) = cross_fit(&**transform, column, rows, supervision)?;
            (step, Some(own))
        }
        (Unfitted::Target(_), None) => return Err(TrainError::NoTarget { column: column.name.clone() }),
    };
    let of = |scale| FeaturizedColumn { column: column.name.clone(), minus: None, encode: encode.clone(), scale };
    // A scale has no place for what is missing.
    if plan.categorical == Encoding::Native || plan.scaling == Scaling::None {
        let own = own.into_iter().flatten().map(|values| values.into_iter().map(|v| cell(v, None)).collect()).collect();
        return Ok((of(vec![None; encode.names(&column.name).len()]), own));
    }
    let fit_scale = FitScale(plan.scaling);
    let scale: Vec<_> = if let Some(own) = &own {
        // What training rows see is what is to have the common scale; means of the target are quantities.
        own.iter().map(|values| Some(fit_scale.values(values.iter().copied()))).collect()
    } else {
        let scale_of = |values: &[f64]| fit_scale.values(rows.iter().map(|&row| values[row as usize]));
        encode.apply(column)?.iter().map(|feature| feature.scalable.then(|| scale_of(&feature.values))).collect()
    };
    let scaled = own.into_iter().flatten().zip(&scale);
    let own = scaled.map(|(values, scale)| values.into_iter().map(|v| cell(v, scale.as_ref())).collect()).collect();
    Ok((of(scale), own))
}
