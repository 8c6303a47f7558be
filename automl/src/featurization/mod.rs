//! How columns become features: what is asked for, and what came of it.

mod settings;
mod summary;

pub use settings::{
    FeaturizationMode, FeaturizationSpec, ForFields, HashParams, ImputerParams, ImputerStrategy, Purpose,
    TransformerParams,
};
pub use summary::{ColumnSummary, FEATURIZATION_SUMMARY, featurization_summary};
