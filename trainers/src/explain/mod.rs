//! What a fitted model looks at: permutation importance, partial dependence and exact Shapley values, of the table's
//! columns or of the features made of them.

mod additive;
mod dependence;
mod inputs;
#[cfg(all(test, feature = "fit"))]
mod laws;
mod permutation;
mod shap;

pub use dependence::{Dependence, dependence};
pub use inputs::{Inputs, View};
pub use permutation::{Importance, importance, shuffled};
pub use shap::{Shap, ShapUnit, part, parts, shap};
