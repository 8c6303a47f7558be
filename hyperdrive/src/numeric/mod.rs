//! Plain mathematics that several samplers need.

pub(crate) mod descent;
pub(crate) mod eigen;
pub(crate) mod linear;
pub(crate) mod normal;
