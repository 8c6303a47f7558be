//! The bandit rule: keep within some slack of the best.

use serde::{Deserialize, Serialize};

use super::decide::{Decision, EarlyTermination};
use super::schedule::Schedule;
use super::standings::{Measure, Standings};
use crate::history::History;
use crate::params::Value;
use crate::trial::Trial;

/// How far behind the best a trial may be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slack {
    /// A share s ≥ 0 of the best value b: |b|·s / (1 + s). No slack at all where the best value is 0.
    Factor(f64),
    /// A difference of at least 0, in the unit of the metric.
    Amount(f64),
}

/// Stops a trial whose best value up to its k-th report is further behind the best of all trials up to the same rung
/// than the slack: `HyperDrive`'s `bandit`.
///
/// With b the best of all, a slack factor s gives the limit b − |b|·s / (1 + s) to maximise and b + |b|·s / (1 + s) to
/// minimise. To maximise a metric above 0 that is `HyperDrive`'s b / (1 + s): 0.8 and 0.2 give 0.667. Its ratio turns
/// round for metrics below 0 and has no mirror in its documents; this form has the same meaning for both signs, and
/// to minimise x is to maximise −x. As values compare only at equal rung, only trials that have reported there count.
pub(super) struct Bandit {
    slack: Slack,
    schedule: Schedule,
    bests: Standings,
}

impl Bandit {
    pub(super) fn new(slack: Slack, schedule: Schedule) -> Self {
        Self { slack, schedule, bests: Standings::new(Measure::Best) }
    }
}

impl Slack {
    /// How much behind the loss `best` a trial may be.
    fn behind(self, best: f64) -> f64 {
        match self {
            Self::Factor(s) => best.abs() * s / (1.0 + s),
            Self::Amount(amount) => amount,
        }
    }

    /// The figure.
    pub(super) fn figure(self) -> f64 {
        match self {
            Self::Factor(x) | Self::Amount(x) => x,
        }
    }
}

impl EarlyTermination for Bandit {
    fn decide(&mut self, history: &History, trial: &Trial) -> Decision {
        let goal = history.spec().goal();
        let (Some(rung), true) = (trial.rung(), self.schedule.applies(trial)) else {
            return Decision::Continue;
        };
        let Some(place) = self.bests.place(history, trial) else {
            return Decision::Continue;
        };
        let best = place.nth(0);
        let limit = best + self.slack.behind(best);
        if place.loss <= limit {
            return Decision::Continue;
        }
        let value = |loss: f64| Value::Float(goal.loss(loss));
        let reason = format!(
            "best value {} by rung {rung} is worse than {}, the most behind the best {} of {} trials",
            value(place.loss),
            value(limit),
            value(best),
            place.len()
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

    fn bandit(slack: Slack) -> EarlyTerminationPolicy {
        EarlyTerminationPolicy::Bandit { slack, evaluation_interval: 1, delay_evaluation: 0 }
    }

    /// Whether a trial that reports `value` is stopped where the best has reported `best`.
    fn one(slack: Slack, goal: Goal, best: f64, value: f64) -> bool {
        stops(&bandit(slack), goal, &[&[best], &[value]])
    }

    #[test]
    fn a_factor_by_hand() {
        let slack = Slack::Factor(0.2);
        // The example of Azure's documents: 0.8 / 1.2 = 0.667.
        assert!(one(slack, Goal::Maximize, 0.8, 0.66) && !one(slack, Goal::Maximize, 0.8, 0.67));
        // Below 0 the limit is further below: -0.8 - 0.8 / 6 = -0.933.
        assert!(one(slack, Goal::Maximize, -0.8, -0.94) && !one(slack, Goal::Maximize, -0.8, -0.93));
        // To minimise it is the mirror: 0.8 + 0.8 / 6 = 0.933, and -0.8 + 0.8 / 6 = -0.667.
        assert!(one(slack, Goal::Minimize, 0.8, 0.94) && !one(slack, Goal::Minimize, 0.8, 0.93));
        assert!(one(slack, Goal::Minimize, -0.8, -0.66) && !one(slack, Goal::Minimize, -0.8, -0.67));
        // A share of nothing is nothing; equal is not behind.
        for goal in [Goal::Maximize, Goal::Minimize] {
            assert!(!one(slack, goal, 0.0, 0.0));
            assert!(one(slack, goal, 0.0, -goal.loss(-1e-9)), "{goal:?}");
        }
    }

    #[test]
    fn an_amount_by_hand() {
        let slack = Slack::Amount(0.25);
        for best in [-0.5, 0.0, 2.0] {
            assert!(one(slack, Goal::Maximize, best, best - 0.26) && !one(slack, Goal::Maximize, best, best - 0.25));
            assert!(one(slack, Goal::Minimize, best, best + 0.26) && !one(slack, Goal::Minimize, best, best + 0.25));
        }
        assert!(!one(Slack::Amount(0.0), Goal::Minimize, 1.0, 1.0));
    }

    #[test]
    fn the_best_up_to_the_same_rung_counts() {
        let policy = bandit(Slack::Amount(0.1));
        let goal = Goal::Maximize;
        // Its own best was at its first report.
        assert!(!stops(&policy, goal, &[&[0.5, 0.9], &[0.85, 0.1]]));
        // What the other did later does not count, but its first report does: 0.5.
        assert!(!stops(&policy, goal, &[&[0.5, 0.9], &[0.45]]));
        assert!(stops(&policy, goal, &[&[0.9, 0.5], &[0.7, 0.75]]));
        // Nobody has come as far.
        assert!(!stops(&policy, goal, &[&[0.9], &[0.1, 0.2]]));
    }

    #[test]
    fn interval_and_delay() {
        let rows: [&[f64]; 2] = [&[0.9; 6], &[0.1; 4]];
        let at = |evaluation_interval, delay_evaluation| {
            let slack = Slack::Factor(0.1);
            let policy = EarlyTerminationPolicy::Bandit { slack, evaluation_interval, delay_evaluation };
            stops(&policy, Goal::Maximize, &rows)
        };
        assert!(at(1, 0) && at(2, 4) && at(4, 0));
        assert!(!at(3, 0) && !at(1, 5));
    }

    #[test]
    fn the_reason_has_the_figures() {
        assert_eq!(
            reason(&bandit(Slack::Amount(0.25)), Goal::Maximize, &[&[0.75], &[0.25]]).expect("it is behind"),
            "best value 0.25 by rung 0 is worse than 0.5, the most behind the best 0.75 of 2 trials"
        );
    }
}
