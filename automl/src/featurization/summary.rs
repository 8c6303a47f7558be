//! What became of each column, as Azure's `featurization_summary.json` has it.

use std::collections::{BTreeMap, BTreeSet};

use datasets::Kind;
use serde::{Deserialize, Serialize};
use trainers::Fitted;
use trainers::transform::{FeaturizedColumn, Step};

use crate::prepare::{Ledger, Role};

/// The artifact of a run that says what became of each column.
pub const FEATURIZATION_SUMMARY: &str = "outputs/featurization_summary.json";

/// One raw column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnSummary {
    /// The column.
    #[serde(rename = "RawFeatureName")]
    pub raw_feature_name: String,
    /// What it is, by Azure's names: `Numeric`, `Categorical`, `DateTime`, `Text`, `Ignore` for an id or a constant.
    #[serde(rename = "TypeDetected")]
    pub type_detected: String,
    /// `Yes` or `No`.
    #[serde(rename = "Dropped")]
    pub dropped: String,
    /// Features made of it, of differing names, by all members of the model together.
    #[serde(rename = "EngineeredFeatureCount")]
    pub engineered_feature_count: usize,
    /// What was done to it, in the order of names. The spelling is Azure's.
    #[serde(rename = "Tranformations")]
    pub transformations: Vec<String>,
}

/// What became of each column that could have been a feature, in file order, in the model as it was fitted.
pub fn featurization_summary(ledger: &Ledger, fitted: &Fitted) -> Vec<ColumnSummary> {
    let mut made: BTreeMap<&str, (BTreeSet<String>, BTreeSet<&str>)> = BTreeMap::new();
    for column in fitted.chains().flat_map(|chain| &chain.features.columns) {
        let (names, steps) = made.entry(&column.column).or_default();
        names.extend(column.names());
        steps.extend(steps_of(column));
    }
    let mut summaries = Vec::new();
    for (name, kind, role) in &ledger.columns {
        if !matches!(role, Role::Feature | Role::Dropped) {
            continue;
        }
        let (names, steps) = made.get(name.as_str()).cloned().unwrap_or_default();
        summaries.push(ColumnSummary {
            raw_feature_name: name.clone(),
            type_detected: azure_type(*kind).into(),
            dropped: if *role == Role::Dropped { "Yes" } else { "No" }.into(),
            engineered_feature_count: names.len(),
            transformations: steps.into_iter().map(ToOwned::to_owned).collect(),
        });
    }
    summaries
}

fn steps_of(column: &FeaturizedColumn) -> impl Iterator<Item = &'static str> {
    let marked = matches!(&column.encode, Step::Impute(step) if step.marker)
        || matches!(&column.encode, Step::Datetime(step) if step.marker)
        || matches!(&column.encode, Step::OneHot(step) if step.missing);
    let own = if column.minus.is_some() { "DateTimeDifference" } else { column.encode.transformer() };
    let scaled = column.scale.iter().any(Option::is_some).then_some("Scaler");
    [own].into_iter().chain(marked.then_some("ImputationMarker")).chain(scaled)
}

fn azure_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Numeric | Kind::Integer => "Numeric",
        Kind::Boolean | Kind::Categorical => "Categorical",
        Kind::Datetime => "DateTime",
        Kind::Text => "Text",
        Kind::Id | Kind::Constant => "Ignore",
    }
}
