//! Plain mathematics that several samplers need.

pub(crate) mod eigen;
pub(crate) mod normal;
