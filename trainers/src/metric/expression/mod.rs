//! A metric written as an expression, such as `minimize: mean(abs(y - p)) / mean(y)`.

mod evaluate;
mod functions;
mod parse;
mod tree;

pub use tree::{Expression, ExpressionError};
