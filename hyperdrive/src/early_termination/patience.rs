//! Patience: stop what no longer improves on itself.

use super::decide::{Decision, EarlyTermination};
use super::schedule::Schedule;
use crate::history::History;
use crate::params::Value;
use crate::trial::Trial;

/// Stops a trial that has not improved on its own best value by more than `min_delta` in so many of its last reports,
/// whatever the others do (as Prechelt, "Early stopping – but when?", 1998, and Keras's `EarlyStopping`, where what
/// improves by less does not become the best either).
pub(super) struct Patience {
    pub(super) reports: u32,
    pub(super) min_delta: f64,
    pub(super) schedule: Schedule,
}

impl EarlyTermination for Patience {
    fn decide(&mut self, history: &History, trial: &Trial) -> Decision {
        if !self.schedule.applies(trial) {
            return Decision::Continue;
        }
        let goal = history.spec().goal();
        let losses = trial.reports.iter().filter_map(|(_, outcome)| outcome.values.first().map(|x| goal.loss(*x)));
        let mut best: Option<f64> = None;
        let mut waited = 0;
        for loss in losses {
            if best.is_none_or(|best| loss < best - self.min_delta) {
                best = Some(loss);
                waited = 0;
            } else {
                waited += 1;
            }
        }
        match best {
            Some(best) if waited >= self.reports => Decision::Stop {
                reason: format!(
                    "best value {} has not improved by more than {} in {waited} reports",
                    Value::Float(goal.loss(best)),
                    Value::Float(self.min_delta)
                ),
            },
            _ => Decision::Continue,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::early_termination::EarlyTerminationPolicy;
    use crate::early_termination::table::{reason, stops};
    use crate::trial::Goal;

    fn patience(patience: u32, min_delta: f64) -> EarlyTerminationPolicy {
        EarlyTerminationPolicy::Patience { patience, min_delta, evaluation_interval: 1, delay_evaluation: 0 }
    }

    #[test]
    fn by_hand() {
        let up = Goal::Maximize;
        assert!(!stops(&patience(2, 0.0), up, &[&[-0.5, -0.6]]));
        assert!(stops(&patience(2, 0.0), up, &[&[-0.5, -0.6, -0.5]]), "equal is no improvement");
        assert!(!stops(&patience(2, 0.0), up, &[&[-0.5, -0.6, -0.4]]));
        assert!(stops(&patience(2, 0.0), Goal::Minimize, &[&[-0.5, 0.0, -0.4]]));
        // Steps of 0.1 are too small each, but 0.3 in sum is not.
        assert!(stops(&patience(2, 0.25), up, &[&[0.0, 0.1, 0.2]]));
        assert!(!stops(&patience(3, 0.25), up, &[&[0.0, 0.1, 0.2, 0.3]]));
        // Others do not matter.
        assert!(!stops(&patience(2, 0.0), up, &[&[9.0, 9.0, 9.0], &[0.0, 0.1, 0.2]]));
    }

    #[test]
    fn interval_delay_and_reason() {
        let policy = |evaluation_interval, delay_evaluation| EarlyTerminationPolicy::Patience {
            patience: 2,
            min_delta: 0.0,
            evaluation_interval,
            delay_evaluation,
        };
        let rows: [&[f64]; 1] = [&[0.5, 0.25, 0.25, 0.25]];
        assert!(!stops(&policy(3, 0), Goal::Maximize, &rows) && !stops(&policy(1, 5), Goal::Maximize, &rows));
        let expected = "best value 0.5 has not improved by more than 0 in 3 reports";
        assert_eq!(reason(&policy(2, 4), Goal::Maximize, &rows).expect("it got worse"), expected);
    }
}
