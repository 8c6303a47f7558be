//! Whether a running trial is still worth it.

mod bandit;
mod check;
mod decide;
mod halving;
mod median;
mod patience;
mod policy;
mod schedule;
mod standings;
#[cfg(test)]
mod table;
mod threshold;
mod truncation;

pub use bandit::Slack;
pub use check::check_early_termination;
pub use decide::{Decision, EarlyTermination};
pub use policy::EarlyTerminationPolicy;
