//! What each column is, by which rules its cells are read, and the reading itself.

mod apply;
mod base;
mod facts;
mod infer;
mod kind;
mod overrides;
mod parse;
mod scan;
mod time;
mod typed;
mod types;

pub use kind::{Kind, Storage};
pub use overrides::{TypeOverride, TypeOverrides};
pub use types::{ColumnSchema, Rules, Schema};
