//! What a suggestion sees: results as they arrive, or in canonical order.
//!
//! Canonical order is, for n = 0, 1, 2, …: the results of segment n − L, then suggestion n. It depends on nothing but
//! the results themselves, so neither on the number of slots nor on who was faster. The canonical history is the fold
//! of the events in that order, renumbered.

use std::collections::BTreeMap;

use crate::early_termination::{EarlyTermination, EarlyTerminationPolicy};
use crate::error::JournalError;
use crate::history::History;
use crate::journal::{Event, Record};
use crate::limits::{Limits, Order};
use crate::trial::{Segment, Trial};

/// Where a new policy comes from, for each of the histories it may be asked about.
pub(crate) enum Policies<'a> {
    /// Nowhere: none is ever asked.
    None,
    /// What a specification says.
    Specified(EarlyTerminationPolicy),
    /// A function.
    Made(&'a (dyn Fn() -> Box<dyn EarlyTermination> + Sync)),
}

impl Policies<'_> {
    /// What a specification asks for.
    pub(crate) fn specified(policy: &EarlyTerminationPolicy) -> Self {
        if *policy == EarlyTerminationPolicy::None { Self::None } else { Self::Specified(policy.clone()) }
    }

    fn make(&self) -> Option<Box<dyn EarlyTermination>> {
        match self {
            Self::None => None,
            Self::Specified(policy) => Some(policy.build()),
            Self::Made(make) => Some(make()),
        }
    }
}

/// What suggestions and policies see, in the order the limits ask for.
pub(crate) struct Lens<'a> {
    policies: Policies<'a>,
    /// The policy of arrival order.
    policy: Option<Box<dyn EarlyTermination>>,
    canon: Option<Canon>,
}

/// The canonical history and what is not yet visible in it.
struct Canon {
    lag: u32,
    view: History,
    /// Results of segments that are not folded in yet.
    held: BTreeMap<Segment, Vec<Event>>,
    /// All segments before this one are folded in.
    folded: u32,
    /// The canonical history when it began, and all that was folded in since: for new watches.
    base: History,
    log: Vec<Record>,
    /// One for each open segment: what its policy sees. And those that wait for the next.
    watches: BTreeMap<Segment, Watch>,
    idle: Vec<Watch>,
}

/// A policy and the canonical history up to one suggestion.
///
/// Segments open in the order of their numbers, so a watch only ever moves forward, and all of them together cost
/// L folds of the journal.
struct Watch {
    history: History,
    applied: usize,
    policy: Box<dyn EarlyTermination>,
}

impl<'a> Lens<'a> {
    pub(crate) fn new(policies: Policies<'a>) -> Self {
        Self { policy: policies.make(), policies, canon: None }
    }

    /// Takes in an event of the journal; `history` is the arrival history with it.
    pub(crate) fn hear(&mut self, event: &Event, history: &History) -> Result<(), JournalError> {
        if matches!(event, Event::Created { .. } | Event::Resumed { .. }) {
            let limits = &history.spec().limits;
            match (limits.order(), &mut self.canon) {
                (Order::Arrival, canon) => *canon = None,
                (Order::Ordered { lag }, Some(canon)) if canon.lag == lag => {
                    canon.revise(history)?;
                }
                (Order::Ordered { lag }, canon) => *canon = Some(Canon::new(history, lag)),
            }
            return Ok(());
        }
        let Some(canon) = &mut self.canon else {
            return Ok(());
        };
        canon.check_begin(event, history)?;
        canon.hear(event, &self.policies)
    }

    /// Whether the next suggestion may be made: all that it is to see has happened.
    pub(crate) fn is_ready(&self, history: &History) -> bool {
        match &self.canon {
            Some(canon) => history.first_open().is_none_or(|open| open.0 + canon.lag > history.segments()),
            None => true,
        }
    }

    /// What the next suggestion sees.
    pub(crate) fn view<'h>(&'h mut self, history: &'h History) -> Result<&'h History, JournalError> {
        match &mut self.canon {
            Some(canon) => {
                canon.fold_until(history.segments())?;
                Ok(&canon.view)
            }
            None => Ok(history),
        }
    }

    /// Whether results are seen in canonical order.
    pub(crate) fn is_ordered(&self) -> bool {
        self.canon.is_some()
    }

    /// The policy to ask about an open segment, and what it may see.
    pub(crate) fn policy<'h>(
        &'h mut self,
        segment: Segment,
        history: &'h History,
    ) -> Option<(&'h mut (dyn EarlyTermination + 'static), &'h History)> {
        match &mut self.canon {
            Some(canon) => {
                let watch = canon.watches.get_mut(&segment)?;
                Some((&mut *watch.policy, &watch.history))
            }
            None => self.policy.as_mut().map(|policy| (&mut **policy, history)),
        }
    }

    /// The trial as its policy may see it: without what differs from one machine to the next.
    pub(crate) fn subject(&self, trial: &Trial) -> Trial {
        let mut trial = trial.clone();
        if self.is_ordered() {
            trial.attempts = 1;
        }
        trial
    }
}

impl Canon {
    fn new(history: &History, lag: u32) -> Self {
        let mut base = history.clone();
        // What open segments have reported is arrival order; they will be run again, and reported in their turn.
        base.take_back_open();
        let limits = machine_free(&base.spec().limits, lag);
        base.set_limits(limits);
        Self {
            lag,
            view: base.clone(),
            held: BTreeMap::new(),
            folded: 0,
            base,
            log: Vec::new(),
            watches: BTreeMap::new(),
            idle: Vec::new(),
        }
    }

    fn hear(&mut self, event: &Event, policies: &Policies<'_>) -> Result<(), JournalError> {
        match event {
            Event::Started { segment, attempt: 1, .. } => {
                self.fold_until(segment.0)?;
                self.take(event.clone())?;
                self.watch(*segment, policies)?;
            }
            Event::Waited { segment, .. } => {
                self.fold_until(segment.0)?;
                self.take(event.clone())?;
            }
            Event::Started { segment, .. } => {
                self.held.remove(segment);
                // A segment from before the canonical order began has no watch yet.
                self.watch(*segment, policies)?;
            }
            Event::Reported { segment, .. } => self.hold(*segment, event),
            Event::Paused { segment, .. }
            | Event::Finished { segment, .. }
            | Event::Stopped { segment, .. }
            | Event::Failed { segment, .. } => {
                self.hold(*segment, event);
                self.idle.extend(self.watches.remove(segment));
            }
            Event::Created { .. } | Event::Resumed { .. } | Event::HangGuard { .. } | Event::Ended { .. } => {}
        }
        Ok(())
    }

    /// Refuses a suggestion made before all that it was to see had happened.
    fn check_begin(&self, event: &Event, history: &History) -> Result<(), JournalError> {
        let (Event::Started { segment, attempt: 1, .. } | Event::Waited { segment, .. }) = event else {
            return Ok(());
        };
        match history.first_open() {
            Some(open) if open.0 + self.lag <= segment.0 => Err(JournalError::Impossible {
                seq: history.seq(),
                reason: format!("segment {segment} began before segment {open} ended, which it was to see"),
            }),
            _ => Ok(()),
        }
    }

    fn hold(&mut self, segment: Segment, event: &Event) {
        self.held.entry(segment).or_default().push(event.clone());
    }

    /// Folds in what suggestion `n` is to see: the results of all segments up to n − L.
    fn fold_until(&mut self, n: u32) -> Result<(), JournalError> {
        while self.folded + self.lag <= n {
            for event in self.held.remove(&Segment(self.folded)).unwrap_or_default() {
                self.take(event)?;
            }
            self.folded += 1;
        }
        Ok(())
    }

    fn take(&mut self, event: Event) -> Result<(), JournalError> {
        let record = Record { seq: self.view.next_seq(), event };
        self.view.apply(&record)?;
        self.log.push(record);
        Ok(())
    }

    /// Takes over a space that has grown, and revised limits as far as they are the study's and not the machine's.
    fn revise(&mut self, history: &History) -> Result<(), JournalError> {
        let spec = history.spec();
        let limits = machine_free(&spec.limits, self.lag);
        let space = Some(&spec.search_space).filter(|space| **space != self.view.spec().search_space).cloned();
        if space.is_none() && limits == self.view.spec().limits {
            return Ok(());
        }
        self.take(Event::Resumed { limits, spent_seconds: 0.0, space })
    }

    fn watch(&mut self, segment: Segment, policies: &Policies<'_>) -> Result<(), JournalError> {
        if self.watches.contains_key(&segment) {
            return Ok(());
        }
        let fresh = || policies.make().map(|policy| Watch { history: self.base.clone(), applied: 0, policy });
        let Some(mut watch) = self.idle.pop().or_else(fresh) else {
            self.log.clear();
            return Ok(());
        };
        for record in &self.log[watch.applied..] {
            watch.history.apply(record)?;
        }
        watch.applied = self.log.len();
        self.watches.insert(segment, watch);
        Ok(())
    }
}

/// The limits without those that may differ from one machine or sitting to the next.
fn machine_free(limits: &Limits, lag: u32) -> Limits {
    let &Limits { max_trials, max_cost, no_improvement, target, .. } = limits;
    Limits { max_trials, max_cost, no_improvement, target, max_concurrent: lag, lag, ..Limits::default() }
}
