//! The model registry: names, versions, aliases.

mod version;

pub use version::{NewVersion, RegisteredVersion};
