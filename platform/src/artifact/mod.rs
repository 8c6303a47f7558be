//! Bytes named by their hash, and files written whole or not at all.

mod atomic;
mod stored;

pub use atomic::write_atomic;
pub use stored::Artifact;

pub(crate) use stored::{check_stored, list_rows, load};
