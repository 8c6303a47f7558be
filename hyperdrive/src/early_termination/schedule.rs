//! At which of a trial's reports a policy is applied.

use crate::trial::Trial;

/// Every `evaluation_interval`-th report of the trial, from the `delay_evaluation`-th on: as in Azure's sweep jobs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    /// At least 1.
    pub(super) evaluation_interval: u32,
    pub(super) delay_evaluation: u32,
}

impl Schedule {
    /// Whether the policy is applied at the report that `trial` has just made.
    pub(super) fn applies(self, trial: &Trial) -> bool {
        let reports = trial.reports.len() as u32;
        reports > 0 && reports.is_multiple_of(self.evaluation_interval) && reports >= self.delay_evaluation
    }
}
