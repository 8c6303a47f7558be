//! Plain mathematics that several samplers need.

pub(crate) mod normal;
