//! The rules of a study: who asks is told what to run, and what came of it is written down.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::executor::Assignment;
use crate::error::{JournalError, StudyError};
use crate::history::History;
use crate::journal::{EndReason, Event, FORMAT, Journal, Record};
use crate::keys::{keyed_rng, trial_seed};
use crate::order::{Lens, Policies};
use crate::params::Params;
use crate::sampler::{Sampler, Suggestion};
use crate::study::StudySpec;
use crate::trial::{Origin, Segment, Seq, TrialId, TrialState};

/// Applies the rules of a study to whoever runs it: the driver of [`crate::run`], or the caller of a
/// [`crate::Study`]. It has neither a journal nor an executor nor a clock of its own.
pub(crate) struct Referee<'p> {
    sampler: Box<dyn Sampler>,
    pub(super) lens: Lens<'p>,
    pub(super) history: History,
    /// Events in the history but not yet in the journal.
    batch: Vec<Event>,
    /// Segments that have been handed out.
    pub(super) active: BTreeMap<Segment, TrialId>,
    /// Open segments to be tried again, before anything new.
    pub(super) retries: VecDeque<Segment>,
    /// Why no suggestion is asked for until something happens.
    halt: Option<Halt>,
    /// A suggestion made before it could be begun, and the number of the last for which that was tried.
    prepared: Option<Prepared>,
    tried: Option<Segment>,
}

/// A suggestion that waits for a place to be run.
struct Prepared {
    segment: Segment,
    suggestion: Suggestion,
    saw: Seq,
    generation: u64,
    seconds: f64,
}

/// A suggestion is made ahead where those of the latest trials took more than this share of the trials' time.
const AHEAD: f64 = 0.05;
/// Trials looked at for that.
const LATEST: usize = 32;

#[derive(Clone, Copy, PartialEq)]
enum Halt {
    Wait,
    Done(EndReason),
}

impl<'p> Referee<'p> {
    /// Creates the study, or replays it and takes it up.
    pub(crate) fn open(
        spec: &StudySpec,
        sampler: Box<dyn Sampler>,
        policies: Policies<'p>,
        journal: &mut dyn Journal,
    ) -> Result<Self, StudyError> {
        let mut referee = Self {
            sampler,
            lens: Lens::new(policies),
            history: History::new(spec),
            batch: Vec::new(),
            active: BTreeMap::new(),
            retries: VecDeque::new(),
            halt: None,
            prepared: None,
            tried: None,
        };
        let records = journal.read(Seq(0))?;
        let Some(first) = records.first() else {
            referee.record(Event::Created { format: FORMAT, spec: spec.clone() })?;
            return Ok(referee);
        };
        referee.history = History::begin(first)?;
        for record in &records {
            referee.history.apply(record)?;
            referee.lens.hear(&record.event, &referee.history)?;
        }
        referee.history.spec().check_same(spec)?;
        let spent_seconds = referee.history.spent_at_least();
        let space = Some(&spec.search_space).filter(|space| **space != referee.history.spec().search_space).cloned();
        referee.record(Event::Resumed { limits: spec.limits.clone(), spent_seconds, space })?;
        for segment in referee.history.open().collect::<Vec<_>>() {
            referee.interrupted(segment)?;
        }
        Ok(referee)
    }

    /// All that has happened.
    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    pub(crate) fn into_history(self) -> History {
        self.history
    }

    /// Seconds of search left, this sitting having taken `sat` so far; `None` without a limit.
    pub(crate) fn seconds_left(&self, sat: Duration) -> Option<f64> {
        let budget = self.history.spec().limits.search_seconds?;
        Some(budget - self.spent(sat))
    }

    /// Seconds of search so far, over all sittings.
    pub(crate) fn spent(&self, sat: Duration) -> f64 {
        self.history.spent() + sat.as_secs_f64()
    }

    /// Why the study is over, if it is: nothing runs and nothing more will be suggested.
    pub(crate) fn over(&self) -> Option<EndReason> {
        match self.halt {
            Some(Halt::Done(reason)) if self.active.is_empty() && self.retries.is_empty() => Some(reason),
            _ => None,
        }
    }

    /// What is to be run next: a retry, or what the sampler suggests. Its beginning is recorded, and to be flushed
    /// before it begins. None where neither leads anywhere until something happens.
    pub(crate) fn next(&mut self, clock: &dyn Fn() -> Duration) -> Result<Option<Assignment>, StudyError> {
        if let Some(segment) = self.retries.pop_front() {
            return self.retry(segment).map(Some);
        }
        if let Some(Prepared { segment, suggestion, saw, seconds, .. }) = self.take_prepared() {
            let event = self.started(segment, suggestion, saw, seconds)?;
            return self.begin(event).map(Some);
        }
        while self.halt.is_none() && self.lens.is_ready(&self.history) {
            let before = clock();
            let suggested = self.suggest()?;
            let took = clock().saturating_sub(before).as_secs_f64();
            let Some((suggestion, saw)) = suggested else {
                break;
            };
            let segment = Segment(self.history.segments());
            match suggestion {
                Suggestion::Wait if self.lens.is_ordered() => self.record(Event::Waited { segment, saw })?,
                Suggestion::Wait => self.halt = Some(Halt::Wait),
                Suggestion::Done => {
                    let full = self.history.is_full();
                    self.halt = Some(Halt::Done(if full { EndReason::MaxTrials } else { EndReason::Exhausted }));
                }
                suggestion => {
                    let suggest_seconds = if self.lens.is_ordered() { 0.0 } else { took };
                    let event = self.started(segment, suggestion, saw, suggest_seconds)?;
                    return self.begin(event).map(Some);
                }
            }
        }
        Ok(None)
    }

    /// Makes the next suggestion while all places are taken, so that the first to be free need not wait for it. What it
    /// saw is journaled as with any other: it is behind by what has been told since.
    ///
    /// Only in arrival order, and only where suggestions take a share of the time that counts, as the history has it.
    pub(crate) fn prepare(&mut self, clock: &dyn Fn() -> Duration) -> Result<(), StudyError> {
        let segment = Segment(self.history.segments());
        let idle = self.tried != Some(segment) && self.retries.is_empty() && self.halt.is_none();
        if self.lens.is_ordered() || !idle || !self.pays() {
            return Ok(());
        }
        self.tried = Some(segment);
        let before = clock();
        let suggested = self.suggest()?;
        let seconds = clock().saturating_sub(before).as_secs_f64();
        self.prepared = suggested.and_then(|(suggestion, saw)| {
            let starts = !matches!(suggestion, Suggestion::Wait | Suggestion::Done);
            let generation = self.history.generation();
            starts.then_some(Prepared { segment, suggestion, saw, generation, seconds })
        });
        Ok(())
    }

    fn pays(&self) -> bool {
        let over = self.history.trials().iter().rev().take(LATEST).filter(|trial| trial.ended.is_some());
        let (suggesting, running) =
            over.fold((0.0, 0.0), |sums, trial| (sums.0 + trial.suggest_seconds, sums.1 + trial.cost));
        suggesting > AHEAD * running
    }

    /// The suggestion that was made ahead, if it still stands: nothing it saw was taken back, no limit is reached.
    fn take_prepared(&mut self) -> Option<Prepared> {
        let prepared = self.prepared.take()?;
        let stands = prepared.segment.0 == self.history.segments()
            && prepared.generation == self.history.generation()
            && self.history.reached().is_none();
        stands.then_some(prepared)
    }

    /// The next suggestion and what it saw; none where a limit is reached.
    fn suggest(&mut self) -> Result<Option<(Suggestion, Seq)>, StudyError> {
        let segment = Segment(self.history.segments());
        let ordered = self.lens.is_ordered();
        let view = self.lens.view(&self.history)?;
        if let Some(reason) = view.reached() {
            self.halt = Some(Halt::Done(reason));
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

    fn retry(&mut self, segment: Segment) -> Result<Assignment, StudyError> {
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

    /// Takes a segment that a sitting before this one handed out as handed out.
    pub(crate) fn take_up(&mut self, segment: Segment, trial: TrialId) {
        self.retries.retain(|other| *other != segment);
        self.active.insert(segment, trial);
    }

    /// Records a start and says what is to be run.
    fn begin(&mut self, event: Event) -> Result<Assignment, StudyError> {
        let &Event::Started { segment, trial, ref params, origin, from, until, attempt, .. } = &event else {
            let reason = format!("`{}` starts nothing", event.name());
            return Err(JournalError::Impossible { seq: self.history.next_seq(), reason }.into());
        };
        let spec = self.history.spec();
        let assignment = Assignment {
            segment,
            trial,
            params: params.clone(),
            origin,
            from,
            until,
            attempt,
            seed: trial_seed(spec.seed, trial),
            trial_seconds: spec.limits.trial_seconds.filter(|_| !self.lens.is_ordered()),
        };
        self.record(event)?;
        self.active.insert(segment, trial);
        Ok(assignment)
    }

    /// Takes an event into the history; it reaches the journal with the next flush.
    pub(crate) fn record(&mut self, event: Event) -> Result<(), StudyError> {
        let record = Record { seq: self.history.next_seq(), event };
        self.history.apply(&record)?;
        self.lens.hear(&record.event, &self.history)?;
        self.batch.push(record.event);
        self.halt = None;
        Ok(())
    }

    /// Appends the batch to the journal as one transaction, then shows it to the observer.
    pub(crate) fn flush(
        &mut self,
        journal: &mut dyn Journal,
        observe: &mut dyn FnMut(&Record, &History),
    ) -> Result<(), StudyError> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let last = journal.append(&self.batch)?;
        if last != self.history.seq() {
            let reason = format!("the journal gave number {last} to record {}", self.history.seq());
            return Err(JournalError::Impossible { seq: last, reason }.into());
        }
        let first = self.history.next_seq().0 - self.batch.len() as u64;
        for (seq, event) in (first..).zip(std::mem::take(&mut self.batch)) {
            observe(&Record { seq: Seq(seq), event }, &self.history);
        }
        Ok(())
    }
}
