//! The fold itself: one record at a time, refusing those that do not follow.

use super::state::{History, Span};
use crate::error::JournalError;
use crate::journal::{EndReason, Event, FORMAT, Record};
use crate::limits::{Limits, Order};
use crate::params::Params;
use crate::trial::{FailureKind, Origin, Outcome, Rung, Segment, Seq, Trial, TrialId, TrialState};

/// Why an event does not follow from those before it.
type Refusal = String;

struct Start<'a> {
    segment: Segment,
    trial: TrialId,
    params: &'a Params,
    origin: Origin,
    from: Option<Rung>,
    until: Rung,
    attempt: u32,
    saw: Seq,
    suggest_seconds: f64,
}

impl History {
    /// The history of a whole journal; `None` where it is empty.
    pub fn replay(records: &[Record]) -> Result<Option<Self>, JournalError> {
        let Some(first) = records.first() else {
            return Ok(None);
        };
        let mut history = Self::begin(first)?;
        records.iter().try_for_each(|record| history.apply(record))?;
        Ok(Some(history))
    }

    /// The history before the first record of a journal.
    pub(crate) fn begin(first: &Record) -> Result<Self, JournalError> {
        if let Event::Created { spec, .. } = &first.event {
            return Ok(Self::new(spec));
        }
        let reason = format!("it is `{}`, but a journal begins with `created`", first.event.name());
        Err(JournalError::Impossible { seq: first.seq, reason })
    }

    /// Takes in the next record. Refuses one that does not follow, and is then as it was.
    pub fn apply(&mut self, record: &Record) -> Result<(), JournalError> {
        if let Event::Created { format, .. } = record.event
            && format != FORMAT
        {
            return Err(JournalError::Format { found: format, supported: FORMAT });
        }
        let result = if record.seq.0 == self.next {
            self.step(&record.event)
        } else {
            Err(format!("number {} was expected", self.next))
        };
        result.map_err(|reason| JournalError::Impossible { seq: record.seq, reason })?;
        self.next += 1;
        Ok(())
    }

    fn step(&mut self, event: &Event) -> Result<(), Refusal> {
        let first = matches!(event, Event::Created { .. });
        if first != (self.next == 0) {
            return Err("`created` is the first record, and only the first".to_owned());
        }
        if let Some(reason) = self.ended
            && !matches!(event, Event::Resumed { .. })
        {
            return Err(format!("`{}` after the end ({reason:?})", event.name()));
        }
        match event {
            Event::Created { spec, .. } if *spec == self.spec => Ok(()),
            Event::Created { .. } => Err("it was created with another specification".to_owned()),
            Event::Resumed { limits, spent_seconds, space } => {
                if let Some(space) = space {
                    space.extends(&self.spec.search_space).map_err(|error| error.to_string())?;
                    self.spec.search_space = space.clone();
                    self.generation += 1;
                }
                self.spec.limits = limits.clone();
                self.account(*spent_seconds, None);
                Ok(())
            }
            Event::Ended { reason, spent_seconds } => {
                self.account(*spent_seconds, Some(*reason));
                Ok(())
            }
            Event::Started { .. } => self.started(event),
            Event::Waited { segment, .. } => self.wait(*segment),
            Event::Reported { segment, trial, rung, outcome } => self.report(*segment, *trial, *rung, outcome),
            Event::Paused { segment, trial } => self.pause(*segment, *trial),
            Event::Finished { segment, trial, partial, outcome, curve } => {
                self.finish(*segment, *trial, *partial, outcome, curve)
            }
            Event::Stopped { segment, trial, reason } => {
                let i = self.running(*segment, *trial)?;
                let rung = self.trials[i].rung().unwrap_or(Rung(0));
                self.close(*segment, i, TrialState::Stopped { rung, reason: reason.clone() });
                Ok(())
            }
            Event::Failed { segment, trial, kind, reason } => {
                let i = self.running(*segment, *trial)?;
                self.close(*segment, i, TrialState::Failed { kind: *kind, reason: reason.clone() });
                self.counted -= u32::from(*kind == FailureKind::Interrupted);
                Ok(())
            }
            Event::HangGuard { trial } if self.index(*trial).is_some() => {
                self.hang_guard = true;
                Ok(())
            }
            Event::HangGuard { trial } => Err(format!("trial {trial} has not started")),
        }
    }

    /// A sitting begins or ends with so many seconds spent.
    fn account(&mut self, spent_seconds: f64, ended: Option<EndReason>) {
        self.spent = spent_seconds;
        self.sitting = 0.0;
        self.ended = ended;
    }

    fn started(&mut self, event: &Event) -> Result<(), Refusal> {
        let &Event::Started { segment, trial, ref params, origin, from, until, attempt, saw, suggest_seconds } = event
        else {
            return Err(format!("`{}` starts nothing", event.name()));
        };
        let start = Start { segment, trial, params, origin, from, until, attempt, saw, suggest_seconds };
        if attempt == 1 { self.start(&start) } else { self.retry(&start) }
    }

    fn start(&mut self, start: &Start<'_>) -> Result<(), Refusal> {
        self.check_start(start)?;
        let state = TrialState::Running { until: start.until };
        let i = match start.origin {
            Origin::Resume => {
                let i = self.index(start.trial).ok_or("the trial is unknown")?;
                self.set_state(i, state);
                i
            }
            Origin::New | Origin::From(_) => {
                self.counts.running += 1;
                self.counted += 1;
                self.trials.push(Trial {
                    id: start.trial,
                    params: start.params.clone(),
                    origin: start.origin,
                    state,
                    reports: Vec::new(),
                    reported: Vec::new(),
                    ended: None,
                    partial: None,
                    curve: Vec::new(),
                    cost: 0.0,
                    attempts: 1,
                    suggest_seconds: 0.0,
                    segment: start.segment,
                });
                self.trials.len() - 1
            }
        };
        let trial = &mut self.trials[i];
        trial.attempts = 1;
        trial.segment = start.segment;
        trial.suggest_seconds += start.suggest_seconds;
        self.spans.push(Span {
            trial: Some(start.trial),
            origin: start.origin,
            from: start.from,
            until: start.until,
            attempt: 1,
            reports_before: trial.reports.len(),
            cost_before: trial.cost,
        });
        // A suggestion that was made ahead took no time of its own.
        if start.saw.0 + 1 >= self.next {
            self.sitting += start.suggest_seconds;
        }
        self.segments += 1;
        self.open.insert(start.segment);
        self.changes.push(start.trial);
        Ok(())
    }

    fn check_start(&self, start: &Start<'_>) -> Result<(), Refusal> {
        let Start { segment, trial, origin, from, until, .. } = *start;
        if segment.0 != self.segments {
            return Err(format!("segment {segment} begins, but the next is {}", self.segments));
        }
        if until > self.spec.top() || from.is_some_and(|from| until <= from) {
            return Err(format!("segment {segment} goes until rung {until}, which is not above its start"));
        }
        let fresh = || {
            let next = self.trials.last().map_or(0, |last| last.id.0 + 1);
            if trial.0 == next { Ok(()) } else { Err(format!("trial {trial} is new, but the next is {next}")) }
        };
        let known = |id| self.trial(id).ok_or_else(|| format!("trial {id} is unknown"));
        match origin {
            Origin::New if from.is_some() => Err(format!("trial {trial} is new, but begins from a rung")),
            Origin::New => fresh(),
            Origin::From(parent) => known(parent).and_then(|_| fresh()),
            Origin::Resume => {
                let paused = known(trial)?;
                if paused.state != (TrialState::Paused { rung: from.unwrap_or(Rung(u16::MAX)) }) {
                    return Err(format!("trial {trial} is resumed, but is not paused where it begins"));
                }
                if paused.params != *start.params {
                    return Err(format!("trial {trial} is resumed with other parameters"));
                }
                Ok(())
            }
        }
    }

    fn retry(&mut self, start: &Start<'_>) -> Result<(), Refusal> {
        let i = self.running(start.segment, start.trial)?;
        let span = &mut self.spans[start.segment.0 as usize];
        if start.attempt != span.attempt + 1 {
            return Err(format!("attempt {} of segment {} follows {}", start.attempt, start.segment, span.attempt));
        }
        if (start.origin, start.from, start.until) != (span.origin, span.from, span.until)
            || *start.params != self.trials[i].params
        {
            return Err(format!("segment {} is tried again, but as another one", start.segment));
        }
        span.attempt = start.attempt;
        self.trials[i].attempts = start.attempt;
        self.take_back(start.segment, i);
        self.changes.push(start.trial);
        Ok(())
    }

    fn wait(&mut self, segment: Segment) -> Result<(), Refusal> {
        if segment.0 != self.segments {
            return Err(format!("segment {segment} waits, but the next is {}", self.segments));
        }
        self.spans.push(Span {
            trial: None,
            origin: Origin::New,
            from: None,
            until: Rung(0),
            attempt: 1,
            reports_before: 0,
            cost_before: 0.0,
        });
        self.segments += 1;
        Ok(())
    }

    fn report(&mut self, segment: Segment, trial: TrialId, rung: Rung, outcome: &Outcome) -> Result<(), Refusal> {
        let i = self.running(segment, trial)?;
        let span = &self.spans[segment.0 as usize];
        let last = self.trials[i].rung().max(span.from);
        if rung > span.until || last.is_some_and(|last| rung <= last) {
            return Err(format!("trial {trial} reports at rung {rung}, which is not ahead of it"));
        }
        self.charge(segment, i, outcome);
        let now = self.next_seq();
        let mine = &mut self.trials[i];
        if mine.reports.is_empty() {
            // Most trials report once; room for four would be half of what a trial takes.
            mine.reports.reserve_exact(1);
            mine.reported.reserve_exact(1);
        }
        mine.reports.push((rung, outcome.clone()));
        mine.reported.push(now);
        self.changes.push(trial);
        Ok(())
    }

    fn pause(&mut self, segment: Segment, trial: TrialId) -> Result<(), Refusal> {
        let i = self.running(segment, trial)?;
        let until = self.spans[segment.0 as usize].until;
        if self.trials[i].rung() != Some(until) || until == self.spec.top() {
            return Err(format!("trial {trial} pauses where it was not to"));
        }
        self.close(segment, i, TrialState::Paused { rung: until });
        Ok(())
    }

    fn finish(
        &mut self,
        segment: Segment,
        trial: TrialId,
        partial: bool,
        outcome: &Outcome,
        curve: &[f64],
    ) -> Result<(), Refusal> {
        let i = self.running(segment, trial)?;
        let top = self.trials[i].at(self.spec.top());
        if !partial && top != Some(outcome) {
            return Err(format!("trial {trial} finishes with what it did not report at the top rung"));
        }
        if partial {
            self.charge(segment, i, outcome);
            self.trials[i].partial = Some(outcome.clone());
        }
        self.trials[i].curve = curve.to_vec();
        self.close(segment, i, TrialState::Finished { partial });
        let before = self.best;
        self.consider(i);
        self.since_best = if self.best == before { self.since_best + 1 } else { 0 };
        Ok(())
    }

    /// The index of the trial, if that segment of it is open.
    fn running(&self, segment: Segment, trial: TrialId) -> Result<usize, Refusal> {
        let span = self.span(segment).filter(|_| self.open.contains(&segment));
        if span.is_none_or(|span| span.trial != Some(trial)) {
            return Err(format!("segment {segment} of trial {trial} is not under way"));
        }
        self.index(trial).ok_or_else(|| format!("trial {trial} is unknown"))
    }

    fn close(&mut self, segment: Segment, i: usize, state: TrialState) {
        self.open.remove(&segment);
        if !matches!(state, TrialState::Paused { .. }) {
            self.trials[i].ended = Some(self.next_seq());
        }
        self.set_state(i, state);
        self.changes.push(self.trials[i].id);
    }

    fn set_state(&mut self, i: usize, state: TrialState) {
        *self.counts.of(&self.trials[i].state) -= 1;
        *self.counts.of(&state) += 1;
        self.trials[i].state = state;
    }

    /// Sets the trial's cost to what it was before the segment plus what the segment has cost so far.
    fn charge(&mut self, segment: Segment, i: usize, outcome: &Outcome) {
        let after = self.spans[segment.0 as usize].cost_before + outcome.cost;
        let added = after - self.trials[i].cost;
        self.trials[i].cost = after;
        self.cost += added;
        // Costs are seconds in arrival order alone.
        if self.spec.limits.order() == Order::Arrival {
            self.sitting += added.max(0.0) / f64::from(self.spec.limits.max_concurrent.max(1));
        }
    }

    /// Drops what an attempt of a segment has reported.
    fn take_back(&mut self, segment: Segment, i: usize) {
        let span = &self.spans[segment.0 as usize];
        let trial = &mut self.trials[i];
        if trial.reports.len() > span.reports_before {
            trial.reports.truncate(span.reports_before);
            trial.reported.truncate(span.reports_before);
            self.cost -= trial.cost - span.cost_before;
            trial.cost = span.cost_before;
            self.generation += 1;
        }
    }

    /// Drops what open segments have reported so far: what is left does not depend on how far each had come.
    pub(crate) fn take_back_open(&mut self) {
        for segment in self.open.clone() {
            let trial = self.spans[segment.0 as usize].trial;
            if let Some(i) = trial.and_then(|trial| self.index(trial)) {
                self.take_back(segment, i);
            }
        }
    }

    /// Replaces the limits, where a canonical view must not show those that depend on the machine.
    pub(crate) fn set_limits(&mut self, limits: Limits) {
        self.spec.limits = limits;
    }
}
