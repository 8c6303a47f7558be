//! The loop that asks, starts, listens and journals.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::executor::Assignment;
use super::sitting::{Ended, Sitting};
use crate::error::{JournalError, StudyError};
use crate::history::History;
use crate::journal::{EndReason, Event, FORMAT, Record};
use crate::keys::{keyed_rng, trial_seed};
use crate::order::{Lens, MakePolicy};
use crate::params::Params;
use crate::sampler::{Sampler, Suggestion};
use crate::study::StudySpec;
use crate::trial::{FailureKind, Origin, Segment, Seq, TrialId, TrialState};

/// How often the user's wish to stop is looked up.
pub(super) const POLL: Duration = Duration::from_millis(50);
/// How long segments that were told to stop are waited for. Executors promise a second.
const GRACE: Duration = Duration::from_secs(3);

/// Runs one sitting with the given sampler and policy; see [`super::run`].
pub(crate) fn drive(
    spec: &StudySpec,
    sampler: Box<dyn Sampler>,
    make_policy: Option<MakePolicy<'_>>,
    sitting: Sitting<'_>,
) -> Result<Ended, StudyError> {
    let mut driver = Driver {
        sitting,
        sampler,
        lens: Lens::new(make_policy),
        history: History::new(spec),
        batch: Vec::new(),
        active: BTreeMap::new(),
        retries: VecDeque::new(),
        halt: None,
        closing: None,
    };
    driver.open(spec)?;
    let reason = driver.go()?;
    Ok(Ended { history: driver.history, reason })
}

pub(super) struct Driver<'s, 'p> {
    pub(super) sitting: Sitting<'s>,
    sampler: Box<dyn Sampler>,
    pub(super) lens: Lens<'p>,
    pub(super) history: History,
    /// Events in the history but not yet in the journal.
    batch: Vec<Event>,
    /// Segments the executor has.
    pub(super) active: BTreeMap<Segment, TrialId>,
    /// Open segments to be tried again, before anything new.
    pub(super) retries: VecDeque<Segment>,
    /// Why no suggestion is asked for until something happens.
    halt: Option<Halt>,
    pub(super) closing: Option<Closing>,
}

#[derive(Clone, Copy, PartialEq)]
enum Halt {
    Wait,
    Done(EndReason),
}

/// The sitting is ending before its study: nothing new begins.
#[derive(Clone, Copy)]
pub(super) struct Closing {
    pub(super) reason: EndReason,
    since: Duration,
}

impl Driver<'_, '_> {
    /// Creates the study, or replays it and takes it up.
    fn open(&mut self, spec: &StudySpec) -> Result<(), StudyError> {
        let records = self.sitting.journal.read(Seq(0))?;
        let Some(first) = records.first() else {
            self.record(Event::Created { format: FORMAT, spec: spec.clone() })?;
            return self.flush();
        };
        self.history = History::begin(first)?;
        for record in &records {
            self.history.apply(record)?;
            self.lens.hear(&record.event, &self.history)?;
        }
        self.history.spec().check_same(spec)?;
        let spent_seconds = self.history.spent_at_least();
        self.record(Event::Resumed { limits: spec.limits.clone(), spent_seconds })?;
        for segment in self.history.open().collect::<Vec<_>>() {
            self.interrupted(segment)?;
        }
        self.flush()
    }

    fn go(&mut self) -> Result<EndReason, StudyError> {
        loop {
            self.close_if_due();
            while self.closing.is_none() && self.can_start() && self.start_one()? {
                self.close_if_due();
            }
            self.flush()?;
            if let Some(reason) = self.is_over() {
                return self.end(reason);
            }
            self.listen()?;
            self.flush()?;
        }
    }

    /// Ends the sitting early where the user wishes it or the time is spent.
    fn close_if_due(&mut self) {
        if self.closing.is_some() {
            return;
        }
        let reason = if (self.sitting.stop)() {
            EndReason::Stopped
        } else if self.seconds_left().is_some_and(|left| left <= 0.0) {
            EndReason::SearchTime
        } else {
            return;
        };
        self.closing = Some(Closing { reason, since: (self.sitting.clock)() });
        for (segment, trial) in &self.active {
            self.sitting.executor.stop(*trial, *segment);
        }
    }

    pub(super) fn seconds_left(&self) -> Option<f64> {
        let budget = self.history.spec().limits.search_seconds?;
        Some(budget - self.spent())
    }

    /// Seconds of search so far, over all sittings.
    fn spent(&self) -> f64 {
        self.history.spent() + (self.sitting.clock)().as_secs_f64()
    }

    fn can_start(&self) -> bool {
        self.active.len() < self.history.spec().limits.slots() && self.sitting.executor.free() > 0
    }

    /// Starts a retry or asks for a suggestion; false where neither leads anywhere now.
    fn start_one(&mut self) -> Result<bool, StudyError> {
        if let Some(segment) = self.retries.pop_front() {
            self.retry(segment)?;
            return Ok(true);
        }
        if self.halt.is_some() || !self.lens.is_ready(&self.history) {
            return Ok(false);
        }
        let before = (self.sitting.clock)();
        let suggested = self.suggest()?;
        let took = (self.sitting.clock)().saturating_sub(before).as_secs_f64();
        let Some((suggestion, saw)) = suggested else {
            return Ok(false);
        };
        let segment = Segment(self.history.segments());
        match suggestion {
            Suggestion::Wait if self.lens.is_ordered() => {
                self.record(Event::Waited { segment, saw })?;
            }
            Suggestion::Wait => {
                self.halt = Some(Halt::Wait);
                return Ok(false);
            }
            Suggestion::Done => {
                let full = self.history.is_full();
                self.halt = Some(Halt::Done(if full { EndReason::MaxTrials } else { EndReason::Exhausted }));
                return Ok(false);
            }
            suggestion => {
                let suggest_seconds = if self.lens.is_ordered() { 0.0 } else { took };
                let event = self.started(segment, suggestion, saw, suggest_seconds)?;
                self.begin(event)?;
            }
        }
        Ok(true)
    }

    /// The next suggestion and what it saw; none where the cost allowed is spent.
    fn suggest(&mut self) -> Result<Option<(Suggestion, Seq)>, StudyError> {
        let segment = Segment(self.history.segments());
        let ordered = self.lens.is_ordered();
        let view = self.lens.view(&self.history)?;
        if view.spec().limits.max_cost.is_some_and(|most| view.cost() >= most) {
            self.halt = Some(Halt::Done(EndReason::MaxCost));
            return Ok(None);
        }
        let mut rng = keyed_rng(view.spec().seed, u64::from(segment.0), "");
        let suggestion = self.sampler.suggest(view, &mut rng)?;
        let suggestion = suggestion.settled(view, ordered);
        if suggestion == Suggestion::Wait && view.counts().running == 0 {
            return Err(StudyError::Stuck { segment });
        }
        Ok(Some((suggestion, view.seq())))
    }

    /// The event that begins what was suggested, once it is sure that it can be done.
    fn started(
        &self,
        segment: Segment,
        suggestion: Suggestion,
        saw: Seq,
        suggest_seconds: f64,
    ) -> Result<Event, StudyError> {
        let bad = |reason: String| StudyError::Suggestion { segment, reason };
        let space = &self.history.spec().search_space;
        let fresh = |params: &Params| space.contains(params).map_err(|error| bad(error.to_string()));
        let known = |id| self.history.trial(id).ok_or_else(|| bad(format!("trial {id} is unknown")));
        let next = TrialId(self.history.trials().len() as u32);
        let (trial, params, origin, from, until) = match suggestion {
            Suggestion::New { params, until } => {
                fresh(&params)?;
                (next, params, Origin::New, None, until)
            }
            Suggestion::From { trial, params, until } => {
                fresh(&params)?;
                let parent = known(trial)?;
                let from = parent.rung().filter(|_| !parent.is_running());
                let from = from.ok_or_else(|| bad(format!("trial {trial} has no checkpoint at rest")))?;
                (next, params, Origin::From(trial), Some(from), until)
            }
            Suggestion::Resume { trial, until } => {
                let paused = known(trial)?;
                let TrialState::Paused { rung } = paused.state else {
                    return Err(bad(format!("trial {trial} is not paused")));
                };
                (trial, paused.params.clone(), Origin::Resume, Some(rung), until)
            }
            Suggestion::Wait | Suggestion::Done => return Err(bad("it starts nothing".to_owned())),
        };
        if until > self.history.spec().top() || from.is_some_and(|from| until <= from) {
            return Err(bad(format!("rung {until} is not ahead of trial {trial} on the ladder")));
        }
        Ok(Event::Started { segment, trial, params, origin, from, until, attempt: 1, saw, suggest_seconds })
    }

    fn retry(&mut self, segment: Segment) -> Result<(), StudyError> {
        let lost = || JournalError::Impossible {
            seq: self.history.next_seq(),
            reason: format!("segment {segment} is to be tried again, but is not open"),
        };
        let span = self.history.span(segment).ok_or_else(lost)?;
        let trial = span.trial.and_then(|id| self.history.trial(id)).ok_or_else(lost)?;
        let event = Event::Started {
            segment,
            trial: trial.id,
            params: trial.params.clone(),
            origin: span.origin,
            from: span.from,
            until: span.until,
            attempt: span.attempt + 1,
            saw: self.history.seq(),
            suggest_seconds: 0.0,
        };
        self.begin(event)
    }

    /// Journals a start, then hands it to the executor.
    fn begin(&mut self, event: Event) -> Result<(), StudyError> {
        let Event::Started { segment, trial, params, origin, from, until, attempt, .. } = &event else {
            return Ok(());
        };
        let spec = self.history.spec();
        let assignment = Assignment {
            segment: *segment,
            trial: *trial,
            params: params.clone(),
            origin: *origin,
            from: *from,
            until: *until,
            attempt: *attempt,
            seed: trial_seed(spec.seed, *trial),
            trial_seconds: spec.limits.trial_seconds.filter(|_| !self.lens.is_ordered()),
        };
        self.record(event)?;
        self.flush()?;
        self.active.insert(assignment.segment, assignment.trial);
        self.sitting.executor.start(assignment);
        Ok(())
    }

    /// Why the sitting is over, if it is.
    fn is_over(&mut self) -> Option<EndReason> {
        if let Some(Closing { reason, since }) = self.closing {
            let late = (self.sitting.clock)().saturating_sub(since) > GRACE;
            return (self.active.is_empty() || late).then_some(reason);
        }
        match self.halt {
            Some(Halt::Done(reason)) if self.active.is_empty() && self.retries.is_empty() => Some(reason),
            _ => None,
        }
    }

    fn end(&mut self, reason: EndReason) -> Result<EndReason, StudyError> {
        if reason == EndReason::SearchTime {
            for (segment, trial) in std::mem::take(&mut self.active) {
                let reason = "it did not stop at the end of the search".to_owned();
                self.record(Event::Failed { segment, trial, kind: FailureKind::TimedOut, reason })?;
            }
        }
        let spent_seconds = self.spent();
        self.record(Event::Ended { reason, spent_seconds })?;
        self.flush()?;
        Ok(reason)
    }

    /// Takes an event into the history; it reaches the journal with the next flush.
    pub(super) fn record(&mut self, event: Event) -> Result<(), StudyError> {
        let record = Record { seq: self.history.next_seq(), event };
        self.history.apply(&record)?;
        self.lens.hear(&record.event, &self.history)?;
        self.batch.push(record.event);
        self.halt = None;
        Ok(())
    }

    /// Appends the batch to the journal as one transaction, then shows it to the observer.
    fn flush(&mut self) -> Result<(), StudyError> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let last = self.sitting.journal.append(&self.batch)?;
        if last != self.history.seq() {
            let reason = format!("the journal gave number {last} to record {}", self.history.seq());
            return Err(JournalError::Impossible { seq: last, reason }.into());
        }
        let first = self.history.next_seq().0 - self.batch.len() as u64;
        for (seq, event) in (first..).zip(std::mem::take(&mut self.batch)) {
            (self.sitting.observe)(&Record { seq: Seq(seq), event }, &self.history);
        }
        Ok(())
    }
}
