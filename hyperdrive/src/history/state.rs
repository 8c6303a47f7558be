//! What a history holds and what is asked of it.

use std::collections::BTreeSet;

use crate::journal::EndReason;
use crate::study::StudySpec;
use crate::trial::{Origin, Rung, Segment, Seq, Trial, TrialId, TrialState};

/// The left fold of a journal: all that a sampler or a policy may see.
///
/// Within a [`History::generation`] it only grows: trials are added, reports are added, states move on. A cache kept
/// between calls is brought up to date from [`History::changes`], and rebuilt when the generation is another.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    pub(super) spec: StudySpec,
    pub(super) trials: Vec<Trial>,
    pub(super) spans: Vec<Span>,
    pub(super) open: BTreeSet<Segment>,
    pub(super) counts: Counts,
    pub(super) changes: Vec<TrialId>,
    pub(super) generation: u64,
    /// Records applied so far, so the number of the next one.
    pub(super) next: u64,
    /// Suggestions so far, in the unfiltered study.
    pub(super) segments: u32,
    /// Trials that count against `max_trials`, in the unfiltered study.
    pub(super) counted: u32,
    pub(super) best: Option<TrialId>,
    /// Trials that finished since, the best apart, in the unfiltered study.
    pub(super) since_best: u32,
    pub(super) cost: f64,
    pub(super) spent: f64,
    /// Seconds this sitting has taken at least, as far as the journal tells.
    pub(super) sitting: f64,
    pub(super) hang_guard: bool,
    pub(super) ended: Option<EndReason>,
    /// Changes of the source that a filtered history has taken over, and their generation.
    pub(super) followed: usize,
    pub(super) followed_generation: u64,
}

/// How many trials stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Under way.
    pub running: u32,
    /// Arrived below the top rung.
    pub paused: u32,
    /// With a result, complete or partial.
    pub finished: u32,
    /// Stopped for good.
    pub stopped: u32,
    /// Failed for good.
    pub failed: u32,
}

/// One segment, as far as the fold needs it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Span {
    /// Its trial; none for a wait.
    pub(crate) trial: Option<TrialId>,
    /// Where it began.
    pub(crate) origin: Origin,
    /// The rung of the checkpoint it began from.
    pub(crate) from: Option<Rung>,
    /// Where it will yield.
    pub(crate) until: Rung,
    /// From 1.
    pub(crate) attempt: u32,
    /// Reports its trial had before.
    pub(super) reports_before: usize,
    /// Cost its trial had before.
    pub(super) cost_before: f64,
}

impl History {
    /// The history of a study of which nothing has been journaled yet.
    pub fn new(spec: &StudySpec) -> Self {
        Self {
            spec: spec.clone(),
            trials: Vec::new(),
            spans: Vec::new(),
            open: BTreeSet::new(),
            counts: Counts::default(),
            changes: Vec::new(),
            generation: 0,
            next: 0,
            segments: 0,
            counted: 0,
            best: None,
            since_best: 0,
            cost: 0.0,
            spent: 0.0,
            sitting: 0.0,
            hang_guard: false,
            ended: None,
            followed: 0,
            followed_generation: 0,
        }
    }

    /// The specification, with its limits and its space as last revised.
    pub fn spec(&self) -> &StudySpec {
        &self.spec
    }

    /// All trials, in the order of their numbers. In a filtered history numbers may be missing.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// The trial of that number.
    pub fn trial(&self, id: TrialId) -> Option<&Trial> {
        self.index(id).map(|i| &self.trials[i])
    }

    /// The best trial that finished at the top rung, by the first objective, among those that keep their
    /// constraints; the earliest where several are equal. Partial results do not count: they are of no rung.
    pub fn best(&self) -> Option<&Trial> {
        self.best.and_then(|id| self.trial(id))
    }

    /// The complete trials that keep their constraints and that no other such trial beats: for one objective the best
    /// alone; for several, those of which none is at least as good in all objectives and better in one, in the order of
    /// their numbers (the Pareto front; equals are all there).
    pub fn front(&self) -> Vec<&Trial> {
        if self.spec.objectives.len() < 2 {
            return self.best().into_iter().collect();
        }
        super::front::front(&self.spec.objectives, &self.trials)
    }

    /// How many trials of the unfiltered study have finished since one of them was the new best; all that have
    /// finished where there is no best.
    pub fn since_best(&self) -> u32 {
        self.since_best
    }

    /// The number of the last record applied; 0 also where there is none yet.
    pub fn seq(&self) -> Seq {
        Seq(self.next.saturating_sub(1))
    }

    /// How many suggestions there were in the unfiltered study, waits included: the number of the next one.
    pub fn segments(&self) -> u32 {
        self.segments
    }

    /// How many trials stand where.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Seconds of search in the sittings that are over. Of one that crashed, only what the journal proves.
    pub fn spent(&self) -> f64 {
        self.spent
    }

    /// Cost of all trials: seconds in arrival order, work units in ordered mode.
    pub fn cost(&self) -> f64 {
        self.cost
    }

    /// Changes when something that was seen is another: a retry drops the reports of the attempt before it, a resume may
    /// bring a larger space.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The trials that changed, oldest change first, from change number `from` on. A trial may be there many times.
    pub fn changes(&self, from: usize) -> &[TrialId] {
        self.changes.get(from..).unwrap_or_default()
    }

    /// How many more trials may be started from new; `None` without a limit.
    pub fn room(&self) -> Option<u32> {
        self.spec.limits.max_trials.map(|most| most.saturating_sub(self.counted))
    }

    /// Whether no more trials may be started from new (those paused may still be resumed).
    pub fn is_full(&self) -> bool {
        self.room() == Some(0)
    }

    /// Which limit is reached that a result can reach, if one is.
    pub(crate) fn reached(&self) -> Option<EndReason> {
        let limits = &self.spec.limits;
        let goal = self.spec.goal();
        let best = self.best().and_then(Trial::value);
        let on_target = limits.target.zip(best).is_some_and(|(target, best)| !goal.better(target, best));
        let in_vain = limits.no_improvement.is_some_and(|most| self.since_best >= most);
        let reached = [
            (on_target, EndReason::Target),
            (in_vain, EndReason::NoImprovement),
            (limits.max_cost.is_some_and(|most| self.cost >= most), EndReason::MaxCost),
        ];
        reached.into_iter().find(|(reached, _)| *reached).map(|(_, reason)| reason)
    }

    /// Whether the same seed would give the same study again on any machine: false once a hang guard fired.
    pub fn is_reproducible(&self) -> bool {
        !self.hang_guard
    }

    /// Why the last sitting ended; `None` while one is under way or after a crash.
    pub fn ended(&self) -> Option<EndReason> {
        self.ended
    }

    /// Segments that began and have not ended, in the order of their numbers.
    pub fn open(&self) -> impl Iterator<Item = Segment> {
        self.open.iter().copied()
    }

    /// Seconds spent if the sitting under way has crashed: what earlier ones took, plus what the journal proves of
    /// this one (seconds of its trials over its slots, and of its suggestions). The truth may be more.
    pub(crate) fn spent_at_least(&self) -> f64 {
        self.spent + self.sitting
    }

    pub(crate) fn next_seq(&self) -> Seq {
        Seq(self.next)
    }

    pub(crate) fn first_open(&self) -> Option<Segment> {
        self.open.first().copied()
    }

    pub(crate) fn span(&self, segment: Segment) -> Option<&Span> {
        self.spans.get(segment.0 as usize)
    }

    pub(super) fn index(&self, id: TrialId) -> Option<usize> {
        // In an unfiltered history the number is the index.
        match self.trials.get(id.0 as usize) {
            Some(trial) if trial.id == id => Some(id.0 as usize),
            _ => self.trials.binary_search_by_key(&id, |trial| trial.id).ok(),
        }
    }

    /// Takes the finished trial as the best if it is.
    pub(super) fn consider(&mut self, i: usize) {
        let goal = self.spec.goal();
        let rank = |trial: &Trial| {
            let outcome = trial.result().filter(|outcome| trial.is_complete() && outcome.violation() == 0.0);
            outcome.map(|outcome| (outcome.rank(goal), trial.id))
        };
        let Some(mine) = rank(&self.trials[i]) else {
            return;
        };
        if self.best().and_then(rank).is_none_or(|best| mine < best) {
            self.best = Some(mine.1);
        }
    }
}

impl Counts {
    pub(super) fn of(&mut self, state: &TrialState) -> &mut u32 {
        match state {
            TrialState::Running { .. } => &mut self.running,
            TrialState::Paused { .. } => &mut self.paused,
            TrialState::Finished { .. } => &mut self.finished,
            TrialState::Stopped { .. } => &mut self.stopped,
            TrialState::Failed { .. } => &mut self.failed,
        }
    }
}
