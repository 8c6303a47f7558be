//! Tables: reading, schema inference, profiles and folds.
//!
//! The key decision: **polars stops at the reader**. A file becomes a [`Raw`] (cells as written), a
//! [`Schema`] is inferred from it once and frozen, and the schema turns any later `Raw` into a
//! [`Table`] of our own columns by the same rules, without inferring again. Without the feature
//! `read` the crate holds everything but the file readers: that is what a predictor embeds.
//!
//! ```
//! use datasets::{Kind, Raw, RawColumn, RawValues, Schema, TypeOverrides};
//!
//! # fn main() -> Result<(), datasets::DataError> {
//! let cells = ["1,5", "2,25", "NA"];
//! let raw = Raw::from_columns(vec![RawColumn {
//!     name: "width".to_owned(),
//!     values: RawValues::Text(cells.into_iter().collect()),
//! }]);
//! let (schema, notes) = Schema::infer(&raw, &TypeOverrides::default())?;
//! assert_eq!(schema.columns[0].kind, Kind::Numeric);
//! assert_eq!(schema.columns[0].rules.decimal, ',');
//! assert_eq!(notes.len(), 2); // a decimal comma, and a missing cell
//! let (row, _) = schema.read_row(&[("width", "3,75")])?;
//! let width = row.column("width").and_then(|column| column.values.display(0));
//! assert_eq!(width.as_deref(), Some("3.75"));
//! # Ok(())
//! # }
//! ```

mod arc_slice;
mod error;
mod folds;
mod note;
mod profile;
mod raw;
#[cfg(feature = "read")]
mod read;
mod schema;
mod table;

pub use error::{DataError, nearest};
pub use folds::{FoldKind, Folds, Split, duplicate_groups, holdout, row_hashes};
pub use note::{Coercion, CoercionReason, Note};
pub use profile::{ColumnProfile, Profile};
pub use raw::{Dialect, Format, Raw, RawColumn, RawValues, TextColumn};
#[cfg(feature = "read")]
pub use read::{ReadOptions, open, read_bytes, sample_names};
pub use schema::{ColumnSchema, Kind, Rules, Schema, Storage, TypeOverride, TypeOverrides};
pub use table::{Column, MISSING, MISSING_TIME, Table, UNSEEN, Values};
