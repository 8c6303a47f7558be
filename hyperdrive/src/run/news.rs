//! What becomes of news from a trial.

use super::executor::SegmentEnd;
use super::referee::Referee;
use crate::early_termination::Decision;
use crate::error::StudyError;
use crate::journal::{EndReason, Event};
use crate::trial::{FailureKind, Outcome, Rung, Segment, Trial, TrialId};

/// What was made of a report.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Heard {
    /// Nothing: the segment is not under way.
    Nothing,
    /// The trial goes on.
    GoesOn,
    /// The trial has been recorded as stopped or failed, and is to end.
    Over {
        /// Why.
        reason: String,
    },
}

impl Referee<'_> {
    /// Takes a report, and decides whether the trial goes on.
    pub(crate) fn reported(
        &mut self,
        segment: Segment,
        trial: TrialId,
        rung: Rung,
        outcome: Outcome,
    ) -> Result<Heard, StudyError> {
        if self.active.get(&segment) != Some(&trial) {
            return Ok(Heard::Nothing);
        }
        if let Err(reason) = self.check_report(segment, rung, &outcome) {
            self.failed(segment, trial, FailureKind::Error, reason.clone())?;
            return Ok(Heard::Over { reason });
        }
        self.record(Event::Reported { segment, trial, rung, outcome })?;
        if rung == self.history.spec().top() {
            return Ok(Heard::GoesOn);
        }
        let Some(subject) = self.history.trial(trial).map(|trial| self.lens.subject(trial)) else {
            return Ok(Heard::GoesOn);
        };
        let Some((policy, view)) = self.lens.policy(segment, &self.history) else {
            return Ok(Heard::GoesOn);
        };
        if let Decision::Stop { reason } = policy.decide(view, &subject) {
            self.active.remove(&segment);
            self.record(Event::Stopped { segment, trial, reason: reason.clone() })?;
            return Ok(Heard::Over { reason });
        }
        Ok(Heard::GoesOn)
    }

    /// Why an outcome cannot be taken, if it cannot.
    fn check_outcome(&self, outcome: &Outcome) -> Result<(), String> {
        let objectives = &self.history.spec().objectives;
        if outcome.values.len() != objectives.len() {
            return Err(format!("{} values were reported for {} objectives", outcome.values.len(), objectives.len()));
        }
        for (objective, value) in objectives.iter().zip(&outcome.values) {
            if !value.is_finite() {
                return Err(format!("metric {} is {value}", objective.metric));
            }
        }
        if let Some(value) = outcome.constraints.iter().find(|value| !value.is_finite()) {
            return Err(format!("a constraint is {value}"));
        }
        if !(outcome.cost.is_finite() && outcome.cost >= 0.0) {
            return Err(format!("the cost is {}", outcome.cost));
        }
        Ok(())
    }

    fn check_report(&self, segment: Segment, rung: Rung, outcome: &Outcome) -> Result<(), String> {
        let span = self.history.span(segment).ok_or("the segment is unknown")?;
        let last = span.trial.and_then(|id| self.history.trial(id)).and_then(Trial::rung).max(span.from);
        if rung > span.until || last.is_some_and(|last| rung <= last) {
            return Err(format!("rung {rung} was reported, which is not ahead of the trial"));
        }
        self.check_outcome(outcome)
    }

    /// Takes the end of a segment; `closing` says why the sitting is ending, if it is.
    pub(crate) fn ended(
        &mut self,
        segment: Segment,
        trial: TrialId,
        end: SegmentEnd,
        closing: Option<EndReason>,
    ) -> Result<(), StudyError> {
        if self.active.get(&segment) != Some(&trial) {
            return Ok(());
        }
        let by_user = closing == Some(EndReason::Stopped);
        match end {
            SegmentEnd::Reached { curve } => self.reached(segment, trial, curve),
            SegmentEnd::Failed { kind: FailureKind::Interrupted, .. } => {
                self.active.remove(&segment);
                self.interrupted(segment)
            }
            SegmentEnd::Failed { kind: kind @ (FailureKind::Error | FailureKind::Panicked), reason } => {
                self.failed(segment, trial, kind, reason)
            }
            // What a user stops is not over: the segment stays open, and a resume tries it again.
            _ if by_user => {
                self.active.remove(&segment);
                Ok(())
            }
            SegmentEnd::Failed { kind, reason } => self.failed(segment, trial, kind, reason),
            SegmentEnd::Partial { outcome, curve } => match self.check_outcome(&outcome) {
                Ok(()) => self.finish(segment, trial, true, outcome, curve),
                Err(reason) => self.failed(segment, trial, FailureKind::Error, reason),
            },
            SegmentEnd::Stopped => {
                self.active.remove(&segment);
                let at_end = closing.is_some();
                let reason = if at_end { "the time for the search is spent" } else { "the executor stopped it" };
                self.record(Event::Stopped { segment, trial, reason: reason.to_owned() })
            }
            SegmentEnd::HangGuard => {
                self.record(Event::HangGuard { trial })?;
                let reason = "it took so much longer than could be that it was given up".to_owned();
                self.failed(segment, trial, FailureKind::TimedOut, reason)
            }
        }
    }

    fn reached(&mut self, segment: Segment, trial: TrialId, curve: Vec<f64>) -> Result<(), StudyError> {
        let until = self.history.span(segment).map(|span| span.until);
        let last = self.history.trial(trial).and_then(|trial| trial.reports.last().cloned());
        match last {
            Some((rung, outcome)) if Some(rung) == until && rung == self.history.spec().top() => {
                self.finish(segment, trial, false, outcome, curve)
            }
            Some((rung, _)) if Some(rung) == until => {
                self.active.remove(&segment);
                self.record(Event::Paused { segment, trial })
            }
            _ => {
                let reason = "it arrived without reporting".to_owned();
                self.failed(segment, trial, FailureKind::Error, reason)
            }
        }
    }

    fn finish(
        &mut self,
        segment: Segment,
        trial: TrialId,
        partial: bool,
        outcome: Outcome,
        mut curve: Vec<f64>,
    ) -> Result<(), StudyError> {
        if let Some(end) = curve.iter().position(|x| !x.is_finite()) {
            curve.truncate(end);
        }
        self.active.remove(&segment);
        self.record(Event::Finished { segment, trial, partial, outcome, curve })
    }

    fn failed(
        &mut self,
        segment: Segment,
        trial: TrialId,
        kind: FailureKind,
        reason: String,
    ) -> Result<(), StudyError> {
        self.active.remove(&segment);
        self.record(Event::Failed { segment, trial, kind, reason })
    }

    /// Has a segment whose process died tried again, or gives it up.
    pub(super) fn interrupted(&mut self, segment: Segment) -> Result<(), StudyError> {
        let Some(span) = self.history.span(segment) else {
            return Ok(());
        };
        let (attempt, most) = (span.attempt, self.history.spec().limits.max_retries.saturating_add(1));
        let Some(trial) = span.trial else {
            return Ok(());
        };
        if attempt < most {
            self.retries.push_back(segment);
            return Ok(());
        }
        let kind = FailureKind::Interrupted;
        self.record(Event::Failed {
            segment,
            trial,
            kind,
            reason: format!("interrupted in attempt {attempt} of {most}"),
        })
    }
}
