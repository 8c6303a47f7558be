//! All columns of a table into one block of features.

use datasets::{Column, Table};
use serde::{Deserialize, Serialize};

use super::scale::Scale;
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
    crate::trainer::Input { categorical: Encoding::OneHot, scaling: Scaling::Standard };

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
}

/// A column and what was fitted for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeaturizedColumn {
    /// Name of the table column.
    pub column: String,
    /// Makes its features.
    pub encode: Step,
    /// One per feature: how it is scaled, if it is.
    pub scale: Vec<Option<Scale>>,
}

impl FeaturizedColumn {
    fn apply(&self, column: &Column, block: &mut Block) -> Result<(), ModelError> {
        for (feature, scale) in self.encode.apply(column)?.into_iter().zip(&self.scale) {
            block.names.push(feature.name);
            block.kinds.push(feature.kind);
            block.values.extend(feature.values.into_iter().map(|value| {
                let value = scale.as_ref().map_or(value, |scale| scale.value(value));
                // A finite f64 may be beyond the range of f32, where it would become infinite; NaN stays NaN.
                value.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32
            }));
        }
        Ok(())
    }
}

/// Fitted transforms of all columns. Plain parameters, so a model carries it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Featurizer {
    /// The columns in the order of their features.
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
            fitted.apply(find(table, &fitted.column)?, &mut block)?;
        }
        Ok(block)
    }

    /// The names of the features, in order.
    pub fn names(&self) -> Vec<String> {
        self.columns.iter().flat_map(|fitted| fitted.encode.names(&fitted.column)).collect()
    }

    /// Whether the parameters agree with each other, so that [`Featurizer::apply`] gives what
    /// [`Featurizer::names`] says.
    pub(crate) fn check(&self) -> Result<(), String> {
        for fitted in &self.columns {
            let n_features = fitted.encode.names(&fitted.column).len();
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

fn find<'a>(table: &'a Table, column: &str) -> Result<&'a Column, ModelError> {
    table.column(column).ok_or_else(|| ModelError::MissingColumn { column: column.to_string() })
}

#[cfg(feature = "fit")]
mod fit {
    use datasets::{Table, Values};

    use super::super::step::{Transform, inside};
    use super::super::{
        FitDatetime, FitImpute, FitKeep, FitLevel, FitMoment, FitOneHot, FitOrdinal, FitScale, FitText,
    };
    use super::{Encoding, FeaturePlan, FeaturizedColumn, Featurizer, Scaling, find};
    use crate::error::TrainError;

    impl Featurizer {
        /// Fits every column of the plan on the given table rows; other rows are not looked at.
        pub fn fit(plan: &FeaturePlan, table: &Table, rows: &[u32]) -> Result<Featurizer, TrainError> {
            let columns = plan
                .columns
                .iter()
                .map(|name| fit_column(plan, table, name, rows))
                .collect::<Result<_, TrainError>>()?;
            Ok(Featurizer { columns })
        }
    }

    fn fit_column(plan: &FeaturePlan, table: &Table, name: &str, rows: &[u32]) -> Result<FeaturizedColumn, TrainError> {
        let column = find(table, name)?;
        let transform: &dyn Transform = match (&column.values, plan.categorical) {
            (Values::Number(_), Encoding::Native) => &FitKeep,
            (Values::Number(_), _) => &FitImpute,
            (Values::Category { .. }, Encoding::OneHot) => &FitOneHot::default(),
            (Values::Category { .. }, Encoding::Ordinal) => &FitOrdinal,
            (Values::Category { .. }, Encoding::Native) => &FitLevel,
            (Values::Datetime(_), Encoding::Native) => &FitMoment,
            (Values::Datetime(_), _) => &FitDatetime,
            (Values::Text(_), _) => &FitText::default(),
        };
        let encode = transform.fit(column, rows)?;
        let column_of = |encode, scale| FeaturizedColumn { column: name.to_string(), encode, scale };
        // A scale has no place for what is missing.
        if plan.categorical == Encoding::Native || plan.scaling == Scaling::None {
            let n_features = encode.names(name).len();
            return Ok(column_of(encode, vec![None; n_features]));
        }
        let scale = encode
            .apply(column)?
            .iter()
            .map(|feature| {
                feature.scalable.then(|| {
                    let values = &feature.values;
                    FitScale(plan.scaling).values(inside(rows, values.len()).map(|row| values[row]))
                })
            })
            .collect();
        Ok(column_of(encode, scale))
    }
}
