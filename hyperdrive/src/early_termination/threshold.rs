//! Thresholds: stop what leaves a range.

use super::decide::{Decision, EarlyTermination};
use super::schedule::Schedule;
use crate::history::History;
use crate::params::Value;
use crate::trial::Trial;

/// Stops a trial whose latest value is below `lower` or above `upper`, as one that diverges (Optuna's
/// `ThresholdPruner`). The delay says from which report on.
pub(super) struct Threshold {
    pub(super) lower: Option<f64>,
    pub(super) upper: Option<f64>,
    pub(super) schedule: Schedule,
}

impl EarlyTermination for Threshold {
    fn decide(&mut self, _history: &History, trial: &Trial) -> Decision {
        let latest = trial.reports.last().and_then(|(rung, outcome)| Some((*rung, *outcome.values.first()?)));
        let (Some((rung, value)), true) = (latest, self.schedule.applies(trial)) else {
            return Decision::Continue;
        };
        let stop = |side: &str, bound: f64| Decision::Stop {
            reason: format!("value {} at rung {rung} is {side} {}", Value::Float(value), Value::Float(bound)),
        };
        match (self.lower, self.upper) {
            (Some(lower), _) if value < lower => stop("below", lower),
            (_, Some(upper)) if value > upper => stop("above", upper),
            _ => Decision::Continue,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::early_termination::EarlyTerminationPolicy;
    use crate::early_termination::table::reason;
    use crate::trial::Goal;

    #[test]
    fn by_hand() {
        let stopped = |lower, upper, delay_evaluation, row: &[f64]| {
            let policy = EarlyTerminationPolicy::Threshold { lower, upper, evaluation_interval: 1, delay_evaluation };
            reason(&policy, Goal::Minimize, &[row])
        };
        assert_eq!(stopped(None, Some(2.0), 0, &[1.0, 2.5]).as_deref(), Some("value 2.5 at rung 1 is above 2"));
        assert_eq!(stopped(Some(-1.0), None, 0, &[-1.5]).as_deref(), Some("value -1.5 at rung 0 is below -1"));
        assert_eq!(stopped(Some(-1.0), Some(2.0), 0, &[9.0, 2.0]), None, "the latest counts, and a bound is inside");
        assert_eq!(stopped(None, Some(2.0), 3, &[9.0, 9.0]), None, "not before the third report");
        assert!(stopped(None, Some(2.0), 3, &[9.0, 9.0, 9.0]).is_some());
    }
}
