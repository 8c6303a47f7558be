//! Folds: made once from a seed, kept as index views.

mod deck;
mod duplicates;
mod holdout;
mod make;
mod order;

pub use duplicates::{duplicate_groups, row_hashes};
pub use holdout::holdout;
pub use make::{FoldKind, Folds, Split};
