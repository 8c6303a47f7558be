//! The median stopping rule.

use super::decide::{Decision, EarlyTermination};
use crate::history::History;
use crate::params::Value;
use crate::trial::{Rung, Trial};

/// Stops a trial whose best value up to its k-th report is worse than the median over trials of the mean of their
/// values up to the same rung: `HyperDrive`'s `median_stopping`, after Golovin et al., "Google Vizier", KDD 2017,
/// section 3.2.1.
///
/// Departure from `HyperDrive`, as values compare only at equal rung: only trials that have reported at the same rung
/// count, the trial itself among them. A median of an even number is the mean of the middle two.
pub(super) struct MedianStopping {
    pub(super) evaluation_interval: u32,
    pub(super) delay_evaluation: u32,
}

impl EarlyTermination for MedianStopping {
    fn decide(&mut self, history: &History, trial: &Trial) -> Decision {
        let reports = trial.reports.len() as u32;
        let applies = reports.is_multiple_of(self.evaluation_interval) && reports >= self.delay_evaluation;
        let (Some(rung), true) = (trial.rung(), applies) else {
            return Decision::Continue;
        };
        let goal = history.spec().goal();
        let values = trial.reports.iter().filter_map(|(_, outcome)| outcome.values.first().copied());
        let Some(best) = values.reduce(|a, b| if goal.better(b, a) { b } else { a }) else {
            return Decision::Continue;
        };
        let others = history.trials().iter().filter(|other| other.id != trial.id && other.at(rung).is_some());
        let mut means: Vec<f64> = others.chain([trial]).filter_map(|trial| running_mean(trial, rung)).collect();
        let Some(median) = median(&mut means) else {
            return Decision::Continue;
        };
        if !goal.better(median, best) {
            return Decision::Continue;
        }
        let reason = format!(
            "best value {} by rung {rung} is worse than the median {} of {} trials",
            Value::Float(best),
            Value::Float(median),
            means.len()
        );
        Decision::Stop { reason }
    }
}

/// Mean of the first objective over the rungs up to `rung`.
fn running_mean(trial: &Trial, rung: Rung) -> Option<f64> {
    let upto = trial.reports.iter().take_while(|(at, _)| *at <= rung);
    let values: Vec<f64> = upto.filter_map(|(_, outcome)| outcome.values.first().copied()).collect();
    if values.is_empty() { None } else { Some(values.iter().sum::<f64>() / values.len() as f64) }
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    let high = *values.get(n / 2)?;
    Some(if n.is_multiple_of(2) { f64::midpoint(values[n / 2 - 1], high) } else { high })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Event, FORMAT, Record};
    use crate::params::Params;
    use crate::simulate::example_study;
    use crate::trial::{Goal, Origin, Outcome, Segment, Seq, TrialId};

    /// A history in which trial i has reported `rows[i]`, rung by rung, and runs on.
    fn history(goal: Goal, rows: &[&[f64]]) -> History {
        let mut spec = example_study(1);
        spec.objectives[0].goal = goal;
        let mut events = vec![Event::Created { format: FORMAT, spec: spec.clone() }];
        for (i, row) in (0..).zip(rows) {
            let (segment, trial) = (Segment(i), TrialId(i));
            events.push(Event::Started {
                segment,
                trial,
                params: Params::new(),
                origin: Origin::New,
                from: None,
                until: Rung(2),
                attempt: 1,
                saw: Seq(0),
                suggest_seconds: 0.0,
            });
            for (rung, value) in (0..).map(Rung).zip(*row) {
                let outcome = Outcome::single(*value, 1.0);
                events.push(Event::Reported { segment, trial, rung, outcome });
            }
        }
        let mut history = History::new(&spec);
        for (seq, event) in (0..).map(Seq).zip(events) {
            history.apply(&Record { seq, event }).expect("it follows");
        }
        history
    }

    /// Whether the last trial is stopped.
    fn stops(goal: Goal, rows: &[&[f64]], evaluation_interval: u32, delay_evaluation: u32) -> bool {
        let history = history(goal, rows);
        let mut policy = MedianStopping { evaluation_interval, delay_evaluation };
        let last = history.trials().last().expect("there are rows");
        policy.decide(&history, last) != Decision::Continue
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
        let history = history(Goal::Maximize, &[&[0.9], &[0.8], &[0.3]]);
        let mut policy = MedianStopping { evaluation_interval: 1, delay_evaluation: 0 };
        let Decision::Stop { reason } = policy.decide(&history, &history.trials()[2]) else {
            panic!("it is the worst of three");
        };
        assert_eq!(reason, "best value 0.3 by rung 0 is worse than the median 0.8 of 3 trials");
    }
}
