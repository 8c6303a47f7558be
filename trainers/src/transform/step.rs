//! One fitted transform, and what fits it.

use datasets::{Column, Values};
use serde::{Deserialize, Serialize};

use crate::data::Kind;
use crate::error::ModelError;
use crate::transform::{
    Datetime, Frequency, HashOneHot, Impute, Keep, Level, Moment, OneHot, Ordinal, Scale, TargetMean, Text, TextSvd,
};

/// A transform that has not seen data yet.
#[cfg(feature = "fit")]
pub trait Transform {
    /// Learns from the given rows of the column; other rows are not looked at. A column of another kind than
    /// the transform reads is [`ModelError::WrongKind`].
    fn fit(&self, column: &Column, rows: &[u32]) -> Result<Step, crate::error::TrainError>;
}

/// A transform that has not seen data yet, and looks at the target. What it makes of a training row would tell that row's
/// own target, so trainers are shown cross-fitted values of training rows ([`super::FittedFeatures::block`]).
#[cfg(feature = "fit")]
pub trait TargetTransform {
    /// Learns from the given rows of the column and the target there; other rows are not looked at. However few the rows
    /// are, the features are the same in number and meaning. Errors as [`Transform::fit`].
    fn fit(
        &self,
        column: &Column,
        rows: &[u32],
        target: &crate::data::Target,
    ) -> Result<Step, crate::error::TrainError>;
}

/// A fitted transform: plain parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Missing numbers filled in, and marked.
    Impute(Impute),
    /// Numbers brought to a common scale.
    Scale(Scale),
    /// Categories as 0/1 columns.
    OneHot(OneHot),
    /// Categories as their rank among the levels.
    Ordinal(Ordinal),
    /// Times as parts of the calendar.
    Datetime(Datetime),
    /// Text as weighted word counts.
    Text(Text),
    /// Numbers as they are, missing ones left missing.
    Keep(Keep),
    /// Categories as the index of their level, missing ones left missing.
    Level(Level),
    /// Times as parts of the calendar, missing ones left missing.
    Moment(Moment),
    /// Categories as the smoothed mean of the target.
    TargetMean(TargetMean),
    /// Categories as their share of the training rows.
    Frequency(Frequency),
    /// Text as what it is about.
    TextSvd(TextSvd),
    /// Categories as 0/1 columns that levels share.
    HashOneHot(HashOneHot),
}

/// A feature of a column: its values, one per table row.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// Its values, finite; NaN is missing, and occurs only where the step leaves missing cells so.
    pub values: Vec<f64>,
    /// What its numbers mean.
    pub kind: Kind,
    /// Whether scaling means something: false for 0/1 columns and word weights, which have a scale of their own.
    pub scalable: bool,
}

impl Step {
    /// The features of every row of the column, each by itself.
    pub fn apply(&self, column: &Column) -> Result<Vec<Feature>, ModelError> {
        match self {
            Step::Impute(step) => step.apply(column),
            Step::Scale(step) => step.apply(column),
            Step::OneHot(step) => step.apply(column),
            Step::Ordinal(step) => step.apply(column),
            Step::Datetime(step) => step.apply(column),
            Step::Text(step) => step.apply(column),
            Step::Keep(Keep) => Keep::apply(column),
            Step::Level(step) => step.apply(column),
            Step::Moment(step) => step.apply(column),
            Step::TargetMean(step) => step.apply(column),
            Step::Frequency(step) => step.apply(column),
            Step::TextSvd(step) => step.apply(column),
            Step::HashOneHot(step) => step.apply(column),
        }
    }

    /// The names of the features of a column of this name.
    pub fn names(&self, column: &str) -> Vec<String> {
        match self {
            Step::Impute(step) => step.names(column),
            Step::Scale(_) | Step::Ordinal(_) | Step::Keep(_) | Step::Level(_) => vec![column.to_string()],
            Step::OneHot(step) => step.names(column),
            Step::Datetime(step) => step.names(column),
            Step::Text(step) => step.names(column),
            Step::Moment(step) => step.names(column),
            Step::TargetMean(step) => step.names(column),
            Step::Frequency(step) => step.names(column),
            Step::TextSvd(step) => step.names(column),
            Step::HashOneHot(step) => step.names(column),
        }
    }

    /// What it is called in a summary of featurization, in the manner of Azure's names.
    pub fn transformer(&self) -> &'static str {
        match self {
            Step::Impute(_) => "Imputer",
            Step::Scale(_) => "Scaler",
            Step::OneHot(_) => "OneHotEncoder",
            Step::Ordinal(_) | Step::Level(_) => "LabelEncoder",
            Step::Datetime(_) | Step::Moment(_) => "DateTimeTransformer",
            Step::Text(_) => "TfIdf",
            Step::Keep(_) => "Numeric",
            Step::TargetMean(_) => "CatTargetEncoder",
            Step::Frequency(_) => "FrequencyEncoder",
            Step::TextSvd(_) => "TfIdfTruncatedSVD",
            Step::HashOneHot(_) => "HashOneHotEncoder",
        }
    }

    /// Whether the parameters agree with each other.
    pub(crate) fn check(&self) -> bool {
        match self {
            Step::Text(step) => step.words.len() == step.idf.len(),
            Step::TargetMean(step) => step.check(),
            Step::TextSvd(step) => step.check(),
            Step::HashOneHot(step) => step.check(),
            Step::Frequency(step) => step.levels.len() == step.shares.len(),
            Step::Impute(_)
            | Step::Scale(_)
            | Step::OneHot(_)
            | Step::Ordinal(_)
            | Step::Datetime(_)
            | Step::Keep(_)
            | Step::Level(_)
            | Step::Moment(_) => true,
        }
    }
}

/// Quantities: names with their values, paired in order.
pub(super) fn features(names: Vec<String>, values: Vec<Vec<f64>>, scalable: bool) -> Vec<Feature> {
    let kind = Kind::Number;
    names.into_iter().zip(values).map(|(name, values)| Feature { name, values, kind, scalable }).collect()
}

pub(super) fn numbers(column: &Column) -> Result<&[f64], ModelError> {
    match &column.values {
        Values::Number(values) => Ok(values),
        _ => Err(wrong_kind(column, "number")),
    }
}

pub(super) fn categories(column: &Column) -> Result<(&[u32], &[String]), ModelError> {
    match &column.values {
        Values::Category { codes, levels } => Ok((codes, levels)),
        _ => Err(wrong_kind(column, "category")),
    }
}

pub(super) fn times(column: &Column) -> Result<&[i64], ModelError> {
    match &column.values {
        Values::Datetime(values) => Ok(values),
        _ => Err(wrong_kind(column, "datetime")),
    }
}

pub(super) fn texts(column: &Column) -> Result<&datasets::TextColumn, ModelError> {
    match &column.values {
        Values::Text(values) => Ok(values),
        _ => Err(wrong_kind(column, "text")),
    }
}

fn wrong_kind(column: &Column, expected: &'static str) -> ModelError {
    let found = match &column.values {
        Values::Number(_) => "number",
        Values::Category { .. } => "category",
        Values::Datetime(_) => "datetime",
        Values::Text(_) => "text",
    };
    ModelError::WrongKind { column: column.name.clone(), expected, found }
}

/// The rows that the column has, in order.
#[cfg(feature = "fit")]
pub(super) fn inside(rows: &[u32], n_rows: usize) -> impl Iterator<Item = usize> + Clone {
    rows.iter().map(|&row| row as usize).filter(move |&row| row < n_rows)
}

/// The median; the mean of the middle two for an even count, 0 for none.
#[cfg(feature = "fit")]
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if below.len() < middle || values.len() % 2 == 1 {
        return upper;
    }
    let lower = values[..middle].iter().copied().fold(f64::NEG_INFINITY, f64::max);
    lower / 2.0 + upper / 2.0
}
