//! Successive halving that stops.

use super::decide::{Decision, EarlyTermination};
use super::standings::{Measure, Standings};
use crate::history::History;
use crate::params::Value;
use crate::study::Ladder;
use crate::trial::Trial;

/// Asynchronous successive halving in its stopping form: at each rung a trial runs on only where it is among the best
/// 1/η of all that have reported there so far, itself included and rounded down, but always where it is the best
/// (Li et al., "A System for Massively Parallel Hyperparameter Tuning", `MLSys` 2020, section 3.3; the rule of Syne
/// Tune's `StoppingRungSystem` and of Ray Tune's `ASHAScheduler`, but for the rounding).
///
/// Nothing has to be paused and resumed, so it serves scripts that cannot; where trials can be, the sampler
/// `asha`, which promotes, wastes less on those that come first. Which rungs count depends on the ladder: on known
/// rungs, each from report `first_report` on; for a script's own reports, numbers `first_report`·η^i.
pub(super) struct SuccessiveHalving {
    reduction_factor: usize,
    first_report: usize,
    values: Standings,
}

impl SuccessiveHalving {
    pub(super) fn new(reduction_factor: u32, first_report: u32) -> Self {
        let (reduction_factor, first_report) = (reduction_factor as usize, first_report as usize);
        Self { reduction_factor, first_report, values: Standings::new(Measure::Latest) }
    }

    fn is_rung(&self, ladder: &Ladder, reports: usize) -> bool {
        match ladder {
            Ladder::Rungs(_) => reports >= self.first_report,
            Ladder::Reports => {
                let mut rung = self.first_report;
                while rung < reports {
                    rung = rung.saturating_mul(self.reduction_factor);
                }
                rung == reports
            }
        }
    }
}

impl EarlyTermination for SuccessiveHalving {
    fn decide(&mut self, history: &History, trial: &Trial) -> Decision {
        let spec = history.spec();
        let (Some(rung), true) = (trial.rung(), self.is_rung(&spec.ladder, trial.reports.len())) else {
            return Decision::Continue;
        };
        let Some(place) = self.values.place(history, trial) else {
            return Decision::Continue;
        };
        let n = place.len();
        let on = (n / self.reduction_factor).max(1);
        if place.better < on {
            return Decision::Continue;
        }
        let reason = format!(
            "value {} at rung {rung} is not among the best {on} of {n} trials",
            Value::Float(spec.goal().loss(place.loss))
        );
        Decision::Stop { reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::early_termination::EarlyTerminationPolicy;
    use crate::early_termination::table::{reason, stops};
    use crate::trial::Goal;

    fn halving(reduction_factor: u32, first_report: u32) -> EarlyTerminationPolicy {
        EarlyTerminationPolicy::SuccessiveHalving { reduction_factor, first_report }
    }

    #[test]
    fn by_hand() {
        let one = |goal, values: &[f64]| {
            let rows: Vec<&[f64]> = values.iter().map(std::slice::from_ref).collect();
            stops(&halving(3, 1), goal, &rows)
        };
        // The best goes on from the first; of two one, of six two.
        assert!(!one(Goal::Maximize, &[0.1]) && !one(Goal::Maximize, &[0.1, 0.2]) && one(Goal::Maximize, &[0.2, 0.1]));
        assert!(!one(Goal::Minimize, &[-3.0, 2.0, 1.0, 0.0, 5.0, -1.0]));
        assert!(one(Goal::Minimize, &[-3.0, 2.0, 1.0, 0.0, -1.0, -0.5]));
        assert!(!one(Goal::Minimize, &[0.0, 0.0]), "equal is not worse");
    }

    #[test]
    fn rungs_of_a_script_are_powers() {
        let stopped = |reports: usize| {
            let (good, poor) = (vec![1.0; 40], vec![0.5; reports]);
            stops(&halving(3, 2), Goal::Maximize, &[&good, &poor])
        };
        let at: Vec<usize> = (1..40).filter(|reports| stopped(*reports)).collect();
        assert_eq!(at, [2, 6, 18]);
        let rungs = SuccessiveHalving::new(3, 2);
        let ladder = Ladder::single();
        assert_eq!((1..5).filter(|reports| rungs.is_rung(&ladder, *reports)).collect::<Vec<_>>(), [2, 3, 4]);
    }

    #[test]
    fn the_reason_has_the_figures() {
        let said = reason(&halving(3, 1), Goal::Maximize, &[&[0.9], &[0.5], &[0.25]]).expect("it is the worst");
        assert_eq!(said, "value 0.25 at rung 0 is not among the best 1 of 3 trials");
    }
}
