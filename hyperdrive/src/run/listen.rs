//! What becomes of an executor's news.

use std::time::Duration;

use super::driver::{Driver, POLL};
use super::executor::{SegmentEnd, Update};
use crate::early_termination::Decision;
use crate::error::StudyError;
use crate::journal::{EndReason, Event};
use crate::trial::{FailureKind, Outcome, Rung, Segment, TrialId};

impl Driver<'_, '_> {
    /// Waits for an update, then takes all there are.
    pub(super) fn listen(&mut self) -> Result<(), StudyError> {
        let left = self.seconds_left().filter(|_| self.closing.is_none());
        let timeout = left.map_or(POLL, |left| POLL.min(Duration::from_secs_f64(left.max(0.0))));
        let mut update = self.sitting.executor.next(timeout);
        while let Some(news) = update {
            match news {
                Update::Reported { segment, trial, rung, outcome } => self.reported(segment, trial, rung, outcome)?,
                Update::Ended { segment, trial, end } => self.ended(segment, trial, end)?,
            }
            update = self.sitting.executor.next(Duration::ZERO);
        }
        Ok(())
    }

    fn reported(&mut self, segment: Segment, trial: TrialId, rung: Rung, outcome: Outcome) -> Result<(), StudyError> {
        if self.active.get(&segment) != Some(&trial) {
            return Ok(());
        }
        if let Err(reason) = self.check_report(segment, rung, &outcome) {
            self.sitting.executor.stop(trial, segment);
            return self.failed(segment, trial, FailureKind::Error, reason);
        }
        self.record(Event::Reported { segment, trial, rung, outcome })?;
        if rung == self.history.spec().top() {
            return Ok(());
        }
        let Some(subject) = self.history.trial(trial).map(|trial| self.lens.subject(trial)) else {
            return Ok(());
        };
        let Some((policy, view)) = self.lens.policy(segment, &self.history) else {
            return Ok(());
        };
        if let Decision::Stop { reason } = policy.decide(view, &subject) {
            self.sitting.executor.stop(trial, segment);
            self.active.remove(&segment);
            self.record(Event::Stopped { segment, trial, reason })?;
        }
        Ok(())
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
        let last =
            span.trial.and_then(|id| self.history.trial(id)).and_then(super::super::trial::Trial::rung).max(span.from);
        if rung > span.until || last.is_some_and(|last| rung <= last) {
            return Err(format!("rung {rung} was reported, which is not ahead of the trial"));
        }
        self.check_outcome(outcome)
    }

    fn ended(&mut self, segment: Segment, trial: TrialId, end: SegmentEnd) -> Result<(), StudyError> {
        if self.active.get(&segment) != Some(&trial) {
            return Ok(());
        }
        let by_user = self.closing.is_some_and(|closing| closing.reason == EndReason::Stopped);
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
                let at_end = self.closing.is_some();
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
