//! Tables of reports, for tests of policies.

use super::decide::Decision;
use super::policy::EarlyTerminationPolicy;
use crate::history::History;
use crate::journal::{Event, FORMAT, Record};
use crate::params::Params;
use crate::simulate::example_study;
use crate::study::Ladder;
use crate::trial::{Goal, Origin, Outcome, Rung, Segment, Seq, TrialId};

/// A history in which trial i has reported `rows[i]`, rung by rung, and runs on.
pub(super) fn history(goal: Goal, rows: &[&[f64]]) -> History {
    let mut spec = example_study(1);
    spec.objectives[0].goal = goal;
    spec.ladder = Ladder::Reports;
    let mut events = vec![Event::Created { format: FORMAT, spec: spec.clone() }];
    for (i, row) in (0..).zip(rows) {
        let (segment, trial) = (Segment(i), TrialId(i));
        events.push(Event::Started {
            segment,
            trial,
            params: Params::new(),
            origin: Origin::New,
            from: None,
            until: spec.top(),
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

/// Why the last trial is stopped, if it is.
pub(super) fn reason(policy: &EarlyTerminationPolicy, goal: Goal, rows: &[&[f64]]) -> Option<String> {
    let history = history(goal, rows);
    let last = history.trials().last().expect("there are rows");
    match policy.build().decide(&history, last) {
        Decision::Continue => None,
        Decision::Stop { reason } => Some(reason),
    }
}

/// Whether the last trial is stopped.
pub(super) fn stops(policy: &EarlyTerminationPolicy, goal: Goal, rows: &[&[f64]]) -> bool {
    reason(policy, goal, rows).is_some()
}
