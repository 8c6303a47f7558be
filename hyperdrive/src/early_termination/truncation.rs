//! Truncation selection: the worst share goes.

use super::decide::{Decision, EarlyTermination};
use super::schedule::Schedule;
use super::standings::{Measure, Standings};
use crate::history::History;
use crate::params::Value;
use crate::trial::Trial;

/// Stops a trial whose value is among the worst p percent of those of all trials at the same rung: `HyperDrive`'s
/// `truncation_selection`.
///
/// Of n trials that have reported at the rung, the trial among them, the worst ⌊n·p / 100⌋ are out: it is stopped where
/// at least n − ⌊n·p / 100⌋ are strictly better, so trials that are equal are stopped together or not at all. Trials
/// that have finished since count on, as the v2 schema has no `exclude_finished_jobs`.
pub(super) struct TruncationSelection {
    truncation_percentage: usize,
    schedule: Schedule,
    values: Standings,
}

impl TruncationSelection {
    pub(super) fn new(truncation_percentage: u32, schedule: Schedule) -> Self {
        let truncation_percentage = truncation_percentage as usize;
        Self { truncation_percentage, schedule, values: Standings::new(Measure::Latest) }
    }
}

impl EarlyTermination for TruncationSelection {
    fn decide(&mut self, history: &History, trial: &Trial) -> Decision {
        let goal = history.spec().goal();
        let (Some(rung), true) = (trial.rung(), self.schedule.applies(trial)) else {
            return Decision::Continue;
        };
        let Some(place) = self.values.place(history, trial) else {
            return Decision::Continue;
        };
        let n = place.len();
        let out = n * self.truncation_percentage / 100;
        if place.better < n - out {
            return Decision::Continue;
        }
        let reason = format!(
            "value {} at rung {rung} is among the worst {out} of {n} trials ({} % are stopped)",
            Value::Float(goal.loss(place.loss)),
            self.truncation_percentage
        );
        Decision::Stop { reason }
    }
}

#[cfg(test)]
mod tests {
    use crate::early_termination::EarlyTerminationPolicy;
    use crate::early_termination::table::{reason, stops};
    use crate::trial::Goal;

    fn truncation(truncation_percentage: u32) -> EarlyTerminationPolicy {
        EarlyTerminationPolicy::TruncationSelection {
            truncation_percentage,
            evaluation_interval: 1,
            delay_evaluation: 0,
        }
    }

    /// Whether the last of trials that report these values is stopped.
    fn one(percentage: u32, goal: Goal, values: &[f64]) -> bool {
        let rows: Vec<&[f64]> = values.iter().map(std::slice::from_ref).collect();
        stops(&truncation(percentage), goal, &rows)
    }

    #[test]
    fn by_hand() {
        // 20 % of five is one: the worst, which to maximise is -2 and to minimise 3.
        assert!(one(20, Goal::Maximize, &[3.0, 0.0, 1.0, -1.0, -2.0]));
        assert!(!one(20, Goal::Maximize, &[3.0, 0.0, 1.0, -2.0, -1.0]));
        assert!(one(20, Goal::Minimize, &[-2.0, 0.0, 1.0, -1.0, 3.0]));
        assert!(!one(20, Goal::Minimize, &[-2.0, 0.0, 3.0, -1.0, 1.0]));
        // 20 % of four is none, 50 % of five are two.
        assert!(!one(20, Goal::Maximize, &[3.0, 0.0, 1.0, -1.0]));
        assert!(one(50, Goal::Maximize, &[3.0, 0.0, 1.0, -2.0, -1.0]));
        assert!(!one(50, Goal::Maximize, &[3.0, -2.0, 1.0, -1.0, 0.0]));
        // Equal is not worse: of {1, 0, 0} the last is not among the worst one, of {1, 1, 0, 0} it is among two.
        assert!(!one(34, Goal::Maximize, &[1.0, 0.0, 0.0]));
        assert!(one(50, Goal::Maximize, &[1.0, 1.0, 0.0, -0.0]));
        assert!(!one(99, Goal::Minimize, &[0.0, 0.0, 0.0]));
        // The best stays whatever the percentage, and so does a trial alone.
        assert!(!one(99, Goal::Minimize, &[0.0, 2.0, -1.0]) && !one(99, Goal::Maximize, &[5.0]));
    }

    #[test]
    fn its_value_at_the_rung_counts() {
        // At the second rung: 0.9, 0.8 and 0.1, whatever it was at the first.
        assert!(stops(&truncation(50), Goal::Maximize, &[&[0.5, 0.9], &[0.5, 0.8], &[1.0, 0.1]]));
        assert!(!stops(&truncation(50), Goal::Maximize, &[&[0.9, 0.5], &[0.8, 0.5], &[0.1, 1.0]]));
        // Two have come as far, of which one is out.
        assert!(stops(&truncation(50), Goal::Maximize, &[&[0.5, 0.9], &[0.0], &[1.0, 0.1]]));
    }

    #[test]
    fn interval_delay_and_reason() {
        let at = |evaluation_interval, delay_evaluation| {
            let truncation_percentage = 50;
            let policy = EarlyTerminationPolicy::TruncationSelection {
                truncation_percentage,
                evaluation_interval,
                delay_evaluation,
            };
            reason(&policy, Goal::Maximize, &[&[0.9; 6], &[0.5; 6], &[0.25; 4]])
        };
        assert!(at(3, 0).is_none() && at(1, 5).is_none());
        let expected = "value 0.25 at rung 3 is among the worst 1 of 3 trials (50 % are stopped)";
        assert_eq!(at(2, 4).expect("it is the worst"), expected);
    }
}
