//! The median stopping rule.

use super::decide::{Decision, EarlyTermination};
use super::schedule::Schedule;
use super::standings::{Measure, Standings};
use crate::history::History;
use crate::params::Value;
use crate::trial::Trial;

/// Stops a trial whose best value up to its k-th report is worse than the median over trials of the mean of their
/// values up to the same rung: `HyperDrive`'s `median_stopping`, after Golovin et al., "Google Vizier", KDD 2017,
/// section 3.2.1.
///
/// Departure from `HyperDrive`, as values compare only at equal rung: only trials that have reported at the same rung
/// count, the trial itself among them. A median of an even number is the mean of the middle two.
pub(super) struct MedianStopping {
    schedule: Schedule,
    means: Standings,
}

impl MedianStopping {
    pub(super) fn new(schedule: Schedule) -> Self {
        Self { schedule, means: Standings::new(Measure::Mean) }
    }
}

impl EarlyTermination for MedianStopping {
    fn decide(&mut self, history: &History, trial: &Trial) -> Decision {
        let goal = history.spec().goal();
        let (Some(rung), true) = (trial.rung(), self.schedule.applies(trial)) else {
            return Decision::Continue;
        };
        let values = trial.reports.iter().filter_map(|(_, outcome)| outcome.values.first().copied());
        let best = values.reduce(|a, b| if goal.better(b, a) { b } else { a });
        let (Some(best), Some(place)) = (best, self.means.place(history, trial)) else {
            return Decision::Continue;
        };
        // What is the loss of a value is also the value of a loss.
        let median = goal.loss(place.median());
        if !goal.better(median, best) {
            return Decision::Continue;
        }
        let reason = format!(
            "best value {} by rung {rung} is worse than the median {} of {} trials",
            Value::Float(best),
            Value::Float(median),
            place.len()
        );
        Decision::Stop { reason }
    }
}

#[cfg(test)]
mod tests {
    use crate::early_termination::EarlyTerminationPolicy;
    use crate::early_termination::table::{self, reason};
    use crate::trial::Goal;

    /// Whether the last trial is stopped.
    fn stops(goal: Goal, rows: &[&[f64]], evaluation_interval: u32, delay_evaluation: u32) -> bool {
        table::stops(&EarlyTerminationPolicy::MedianStopping { evaluation_interval, delay_evaluation }, goal, rows)
    }

    #[test]
    fn by_hand() {
        // Means up to the second rung: 0.7, 0.6, and of the last 0.35, whose best is 0.4: the median is 0.6.
        let rows: [&[f64]; 3] = [&[0.6, 0.8], &[0.6, 0.6], &[0.3, 0.4]];
        assert!(stops(Goal::Maximize, &rows, 1, 0));
        assert!(!stops(Goal::Minimize, &rows, 1, 0));
        // Its best value up to the rung counts, not its latest.
        assert!(!stops(Goal::Maximize, &[&[0.6, 0.8], &[0.6, 0.6], &[0.65, 0.1]], 1, 0));
        // Of an even number, the mean of the middle two: 0.7 and 0.35 give 0.525, 0.7 and 0.45
        // give 0.575.
        assert!(!stops(Goal::Maximize, &[&[0.6, 0.8], &[0.1, 0.6]], 1, 0));
        assert!(stops(Goal::Maximize, &[&[0.6, 0.8], &[0.4, 0.5]], 1, 0));
        // Trials that have not come as far do not count: alone, none is worse than its own mean.
        assert!(!stops(Goal::Maximize, &[&[0.9], &[0.8], &[0.3, 0.4]], 1, 0));
        // Equal is not worse.
        assert!(!stops(Goal::Maximize, &[&[0.5], &[0.5]], 1, 0));
        // Negative values are values: means -0.2, -0.4 and -0.6, whose best is -0.5.
        assert!(stops(Goal::Maximize, &[&[-0.1, -0.3], &[-0.4, -0.4], &[-0.7, -0.5]], 1, 0));
        // Means 0, 0.5 and 1.5, whose best is 1: the median is 0.5.
        assert!(stops(Goal::Minimize, &[&[0.0, 0.0], &[1.0, 0.0], &[2.0, 1.0]], 1, 0));
        assert!(!stops(Goal::Minimize, &[&[0.0, 0.0], &[1.0, 0.0], &[2.0, 0.0]], 1, 0));
    }

    #[test]
    fn interval_and_delay() {
        let rows: [&[f64]; 2] = [&[0.9, 0.9, 0.9], &[0.1, 0.1]];
        assert!(stops(Goal::Maximize, &rows, 2, 2));
        assert!(!stops(Goal::Maximize, &rows, 3, 0));
        assert!(!stops(Goal::Maximize, &rows, 1, 3));
    }

    #[test]
    fn the_reason_is_for_people() {
        let policy = EarlyTerminationPolicy::MedianStopping { evaluation_interval: 1, delay_evaluation: 0 };
        assert_eq!(
            reason(&policy, Goal::Maximize, &[&[0.9], &[0.8], &[0.3]]).expect("it is the worst of three"),
            "best value 0.3 by rung 0 is worse than the median 0.8 of 3 trials"
        );
    }
}
