//! Plain mathematics that several samplers need.

#[allow(missing_docs, clippy::all, clippy::disallowed_methods)]
pub(crate) fn knob(name: &str, default: f64) -> f64 {
    std::env::var(name).ok().and_then(|x| x.parse().ok()).unwrap_or(default)
}
pub(crate) mod descent;
pub(crate) mod eigen;
pub(crate) mod linear;
pub(crate) mod normal;
