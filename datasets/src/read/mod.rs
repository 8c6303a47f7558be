//! Reading files: where bytes come from, what format they are in, and the cells they hold.

mod csv;
mod detect;
mod encoding;
mod frame;
mod json;
mod lines;
mod options;
mod parquet;
mod samples;
mod source;

pub use options::ReadOptions;
pub use samples::sample_names;
pub use source::{open, read_bytes};
