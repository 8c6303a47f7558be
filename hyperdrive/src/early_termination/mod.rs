//! Whether a running trial is still worth it.

mod check;
mod decide;
mod median;
mod policy;

pub use check::check_early_termination;
pub use decide::{Decision, EarlyTermination};
pub use policy::EarlyTerminationPolicy;
