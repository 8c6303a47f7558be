//! All columns of a table into one block of features.

use std::borrow::Cow;

use datasets::{Column, Table};
use serde::{Deserialize, Serialize};

use super::datetime::{difference, difference_name};
use super::scale::Scale;
use super::settings::FeatureSettings;
use super::step::Step;
use crate::data::Block;
use crate::error::ModelError;

/// How categories become numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// A 0/1 feature per level.
    OneHot,
    /// One feature, the rank of the level.
    Ordinal,
    /// As [`Encoding::OneHot`] where a column has at most 32 levels; beyond, the smoothed mean of the target
    /// ([`super::TargetMean`]) and the share of rows ([`super::Frequency`]). It looks at the target, so a block of it is of one
    /// set of training rows.
    Target,
    /// One feature, the index of the level as a [`crate::Kind::Category`]; and nothing is filled in, in any column:
    /// numbers stay as they are, and what is missing or unseen is NaN. Never scaled. It looks at no target, so one
    /// block serves every fold.
    Native,
}

/// How numbers are brought to a common scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// Not at all.
    None,
    /// Mean 0 and standard deviation 1, clipped to ±10.
    Standard,
    /// Minimum 0 and maximum 1, clipped to -0.5 and 1.5.
    MinMax,
}

/// What trainers ask for that take no missing values: one plan, so that all of them share one block per fold.
#[cfg(feature = "fit")]
pub const SHARED_INPUT: crate::trainer::Input =
    crate::trainer::Input { categorical: Encoding::Target, scaling: Scaling::Standard };

/// What trees ask for: missing values and categories as they are, so that all of them share one block per data set.
#[cfg(feature = "fit")]
pub const TREE_INPUT: crate::trainer::Input =
    crate::trainer::Input { categorical: Encoding::Native, scaling: Scaling::None };

/// What a featurizer is to do: the key under which blocks are shared.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FeaturePlan {
    /// How categories become numbers.
    pub categorical: Encoding,
    /// How numbers are scaled.
    pub scaling: Scaling,
    /// The table columns used, in the order of their features.
    pub columns: Vec<String>,
    /// What a person has said about it.
    #[serde(default)]
    pub settings: FeatureSettings,
}

/// A column and what was fitted for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeaturizedColumn {
    /// Name of the table column.
    pub column: String,
    /// For the days from another column of times to this one: that other. What is encoded is their difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minus: Option<String>,
    /// Makes its features.
    pub encode: Step,
    /// One per feature: how it is scaled, if it is.
    pub scale: Vec<Option<Scale>>,
}

impl FeaturizedColumn {
    /// What is encoded.
    fn source<'a>(&self, table: &'a Table) -> Result<Cow<'a, Column>, ModelError> {
        let column = find(table, &self.column)?;
        match &self.minus {
            Some(other) => Ok(Cow::Owned(difference(column, find(table, other)?)?)),
            None => Ok(Cow::Borrowed(column)),
        }
    }

    /// The names of its features.
    pub fn names(&self) -> Vec<String> {
        match &self.minus {
            Some(other) => self.encode.names(&difference_name(&self.column, other)),
            None => self.encode.names(&self.column),
        }
    }

    fn apply(&self, table: &Table, block: &mut Block) -> Result<(), ModelError> {
        let column = &*self.source(table)?;
        for (feature, scale) in self.encode.apply(column)?.into_iter().zip(&self.scale) {
            block.names.push(feature.name);
            block.kinds.push(feature.kind);
            block.values.extend(feature.values.into_iter().map(|value| cell(value, scale.as_ref())));
        }
        Ok(())
    }
}

/// A value as a block has it: scaled, in single precision. A finite `f64` may be beyond the range of `f32`, where it would
/// become infinite; NaN stays NaN.
pub(super) fn cell(value: f64, scale: Option<&Scale>) -> f32 {
    let value = scale.map_or(value, |scale| scale.value(value));
    value.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32
}

/// Fitted transforms of all columns. Plain parameters, so a model carries it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Featurizer {
    /// The columns in the order of their features; a table column may be there more than once.
    pub columns: Vec<FeaturizedColumn>,
}

impl Featurizer {
    /// Builds the features of every table row. A row's features depend on that row alone, to the last bit.
    pub fn apply(&self, table: &Table) -> Result<Block, ModelError> {
        let n_features: usize = self.columns.iter().map(|column| column.scale.len()).sum();
        let mut block = Block {
            names: Vec::with_capacity(n_features),
            kinds: Vec::with_capacity(n_features),
            n_rows: table.n_rows(),
            values: Vec::with_capacity(n_features * table.n_rows()),
        };
        for fitted in &self.columns {
            fitted.apply(table, &mut block)?;
        }
        Ok(block)
    }

    /// The names of the features, in order.
    pub fn names(&self) -> Vec<String> {
        self.columns.iter().flat_map(FeaturizedColumn::names).collect()
    }

    /// Whether the parameters agree with each other, so that [`Featurizer::apply`] gives what
    /// [`Featurizer::names`] says.
    pub(crate) fn check(&self) -> Result<(), String> {
        for fitted in &self.columns {
            let n_features = fitted.names().len();
            if !fitted.encode.check() || fitted.scale.len() != n_features {
                return Err(format!(
                    "column `{}`: the transform has {n_features} features and {} scales",
                    fitted.column,
                    fitted.scale.len()
                ));
            }
        }
        Ok(())
    }
}

pub(super) fn find<'a>(table: &'a Table, column: &str) -> Result<&'a Column, ModelError> {
    table.column(column).ok_or_else(|| ModelError::MissingColumn { column: column.to_string() })
}
