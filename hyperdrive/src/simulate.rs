//! An executor whose time is a number: hours of a search in milliseconds, the same each time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::early_termination::EarlyTerminationPolicy;
use crate::error::StudyError;
use crate::journal::MemoryJournal;
use crate::limits::Limits;
use crate::params::Params;
use crate::run::{Assignment, Ended, Executor, SegmentEnd, Sitting, Update, run};
use crate::sampler::SamplingAlgorithm;
use crate::space::{Choice, Dimension, Space};
use crate::study::{Ladder, StudySpec};
use crate::trial::{FailureKind, Fidelity, Goal, Objective, Outcome, Rung, Segment, TrialId};

/// After how long a hanging segment without a deadline is given up.
const HANG_GUARD: Duration = Duration::from_secs(1_000);
/// How long a hanging segment takes to be abandoned once it is told to stop.
const ABANDON: Duration = Duration::from_secs(1);

type Objectives = Box<dyn Fn(&Params, Rung, u64) -> Outcome>;
type Durations = Box<dyn Fn(&Assignment, Rung) -> Duration>;
type Fates = Box<dyn Fn(&Assignment) -> Fate>;

/// What becomes of a simulated segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It runs as it should.
    Runs,
    /// It fails on the way to a rung.
    Fails {
        /// Which: it reports those below; one above `until` is a failure after all it had to report.
        at: Rung,
        /// How.
        kind: FailureKind,
        /// Why.
        reason: String,
    },
    /// It says nothing more: not on time, and not when told to stop.
    Hangs,
}

/// Runs trials in virtual time, which moves only inside [`Executor::next`].
pub struct SimulatedExecutor {
    slots: usize,
    objective: Objectives,
    duration: Durations,
    fate: Fates,
    scores_when_stopped: bool,
    now: Arc<AtomicU64>,
    /// What will be said, in order of time and then of scheduling.
    agenda: BTreeMap<(Duration, u64), Update>,
    scheduled: u64,
    occupied: BTreeSet<Segment>,
    hanging: BTreeSet<Segment>,
    /// The last outcome of each segment under way.
    scores: BTreeMap<Segment, Outcome>,
    started: Vec<Assignment>,
}

impl SimulatedExecutor {
    /// An executor with `slots` places. `objective` gives the outcome of a point at a rung from the trial's seed.
    /// Each rung takes a second.
    pub fn new(slots: usize, objective: impl Fn(&Params, Rung, u64) -> Outcome + 'static) -> Self {
        Self {
            slots,
            objective: Box::new(objective),
            duration: Box::new(|_, _| Duration::from_secs(1)),
            fate: Box::new(|_| Fate::Runs),
            scores_when_stopped: false,
            now: Arc::new(AtomicU64::new(0)),
            agenda: BTreeMap::new(),
            scheduled: 0,
            occupied: BTreeSet::new(),
            hanging: BTreeSet::new(),
            scores: BTreeMap::new(),
            started: Vec::new(),
        }
    }

    /// The same, where `duration` says how long a segment takes to a rung from the one before.
    #[must_use]
    pub fn lasting(mut self, duration: impl Fn(&Assignment, Rung) -> Duration + 'static) -> Self {
        self.duration = Box::new(duration);
        self
    }

    /// The same, where `fate` says which segments go wrong.
    #[must_use]
    pub fn with_fate(mut self, fate: impl Fn(&Assignment) -> Fate + 'static) -> Self {
        self.fate = Box::new(fate);
        self
    }

    /// The same, where a segment that is told to stop after a rung is scored with what it has there.
    #[must_use]
    pub fn scoring_when_stopped(mut self) -> Self {
        self.scores_when_stopped = true;
        self
    }

    /// Runs a study on it from beginning to end, all in memory.
    ///
    /// # Errors
    ///
    /// Those of [`run`].
    pub fn run(mut self, spec: &StudySpec) -> Result<(Ended, MemoryJournal), StudyError> {
        let mut journal = MemoryJournal::new();
        let clock = self.clock();
        let sitting = Sitting {
            journal: &mut journal,
            executor: &mut self,
            clock: &clock,
            stop: &|| false,
            observe: &mut |_, _| {},
        };
        let ended = run(spec, sitting)?;
        Ok((ended, journal))
    }

    /// The clock of this executor, for [`crate::Sitting::clock`].
    pub fn clock(&self) -> impl Fn() -> Duration + 'static {
        let now = Arc::clone(&self.now);
        move || Duration::from_nanos(now.load(Ordering::Relaxed))
    }

    /// All it was told to start, in order.
    pub fn started(&self) -> &[Assignment] {
        &self.started
    }

    fn now(&self) -> Duration {
        Duration::from_nanos(self.now.load(Ordering::Relaxed))
    }

    fn schedule(&mut self, at: Duration, update: Update) {
        self.agenda.insert((at, self.scheduled), update);
        self.scheduled += 1;
    }

    fn schedule_end(&mut self, at: Duration, segment: Segment, trial: TrialId, end: SegmentEnd) {
        self.schedule(at, Update::Ended { segment, trial, end });
    }

    /// Puts all that a segment will say on the agenda.
    fn plan(&mut self, assignment: &Assignment) {
        let Assignment { segment, trial, .. } = *assignment;
        let deadline = assignment.trial_seconds.map(|seconds| self.now() + Duration::from_secs_f64(seconds));
        let first = assignment.from.map_or(0, |from| from.0 + 1);
        let timed_out = || SegmentEnd::Failed { kind: FailureKind::TimedOut, reason: "out of time".to_owned() };
        let mut failure = None;
        match (self.fate)(assignment) {
            Fate::Hangs => {
                self.hanging.insert(segment);
                match deadline {
                    Some(at) => self.schedule_end(at, segment, trial, timed_out()),
                    None => self.schedule_end(self.now() + HANG_GUARD, segment, trial, SegmentEnd::HangGuard),
                }
                return;
            }
            Fate::Fails { at, kind, reason } => failure = Some((at, SegmentEnd::Failed { kind, reason })),
            Fate::Runs => {}
        }
        let mut at = self.now();
        let mut curve = Vec::new();
        let mut last = None;
        for rung in (first..=assignment.until.0).map(Rung) {
            at += (self.duration)(assignment, rung);
            if let Some(deadline) = deadline.filter(|deadline| at > *deadline) {
                let end = last.map_or_else(timed_out, |outcome| SegmentEnd::Partial { outcome, curve });
                self.schedule_end(deadline, segment, trial, end);
                return;
            }
            if let Some((_, end)) = failure.take_if(|(fails, _)| *fails <= rung) {
                self.schedule_end(at, segment, trial, end);
                return;
            }
            let outcome = (self.objective)(&assignment.params, rung, assignment.seed);
            curve.extend(outcome.values.first());
            last = Some(outcome.clone());
            self.schedule(at, Update::Reported { segment, trial, rung, outcome });
        }
        let end = failure.map_or(SegmentEnd::Reached { curve }, |(_, end)| end);
        self.schedule_end(at, segment, trial, end);
    }
}

impl Executor for SimulatedExecutor {
    fn free(&self) -> usize {
        self.slots - self.occupied.len()
    }

    fn start(&mut self, assignment: Assignment) {
        self.occupied.insert(assignment.segment);
        self.plan(&assignment);
        self.started.push(assignment);
    }

    fn stop(&mut self, trial: TrialId, segment: Segment) {
        if !self.occupied.contains(&segment) {
            return;
        }
        let now = self.now();
        let of_segment = |update: &Update| match update {
            Update::Reported { segment: other, .. } | Update::Ended { segment: other, .. } => *other == segment,
        };
        self.agenda.retain(|(at, _), update| *at <= now || !of_segment(update));
        if self.agenda.values().any(|update| of_segment(update) && matches!(update, Update::Ended { .. })) {
            return;
        }
        if self.hanging.contains(&segment) {
            let end = SegmentEnd::Failed { kind: FailureKind::TimedOut, reason: "it did not stop".to_owned() };
            return self.schedule_end(now + ABANDON, segment, trial, end);
        }
        let end = match self.scores.remove(&segment) {
            Some(outcome) if self.scores_when_stopped => SegmentEnd::Partial { outcome, curve: Vec::new() },
            _ => SegmentEnd::Stopped,
        };
        self.schedule_end(now, segment, trial, end);
    }

    fn next(&mut self, timeout: Duration) -> Option<Update> {
        let until = self.now() + timeout;
        let due = self.agenda.first_key_value().map(|((at, _), _)| *at).filter(|at| *at <= until);
        let now = due.unwrap_or(until).max(self.now());
        self.now.store(now.as_nanos() as u64, Ordering::Relaxed);
        due?;
        let (_, update) = self.agenda.pop_first()?;
        match &update {
            Update::Reported { segment, outcome, .. } => {
                self.scores.insert(*segment, outcome.clone());
            }
            Update::Ended { segment, .. } => {
                self.occupied.remove(segment);
                self.hanging.remove(segment);
                self.scores.remove(segment);
            }
        }
        Some(update)
    }
}

/// A small study that uses something of everything: a conditional space, three rungs, a wrapped sampler, a policy.
///
/// For compliance suites and examples; see [`example_objective`].
pub fn example_study(seed: u64) -> StudySpec {
    let leaf = vec![Dimension::int("depth", 1, 12), Dimension::float("rate", 1e-3, 1.0).log()];
    let options = vec![Choice::leaf("constant"), Choice::with("tree", leaf)];
    let search_space = Space::new(vec![Dimension::float("x", -1.0, 1.0), Dimension::choice("algorithm", options)]);
    let point = Params::new().with("x", 0.25).with("algorithm", "constant");
    let enqueue = SamplingAlgorithm::Enqueue { points: vec![point], then: Box::new(SamplingAlgorithm::Random) };
    let rung = |work| Fidelity { rows: 1.0, folds: 3, work };
    StudySpec {
        search_space,
        objectives: vec![Objective { metric: "loss".to_owned(), goal: Goal::Minimize }],
        sampling_algorithm: SamplingAlgorithm::Asha {
            reduction_factor: 3,
            promotion: crate::sampler::Promotion::Quantile,
            inner: Box::new(enqueue),
        },
        early_termination: EarlyTerminationPolicy::MedianStopping { evaluation_interval: 1, delay_evaluation: 0 },
        limits: Limits { max_trials: Some(40), max_concurrent: 4, ..Limits::default() },
        ladder: Ladder::Rungs(vec![rung(1.0 / 9.0), rung(1.0 / 3.0), rung(1.0)]),
        known: Vec::new(),
        seed,
    }
}

/// An objective for [`example_study`]: a bowl in `x`, better with the tree, less noisy the higher the rung. It costs
/// a unit for each rung.
pub fn example_objective(params: &Params, rung: Rung, seed: u64) -> Outcome {
    let x = params.float("x").unwrap_or(0.0);
    let tree = params.text("algorithm").is_ok_and(|label| label == "tree");
    let rate = params.float("tree.rate").map_or(0.0, |rate| (rate.ln() + 2.0).abs() / 20.0);
    let step = f64::from(rung.0) + 1.0;
    // A number in [0, 1) from the seed.
    let noise = (seed >> 11) as f64 / (1_u64 << 53) as f64;
    let value = (x - 0.3).powi(2) + if tree { rate } else { 0.4 } + noise / (4.0 * step * step);
    Outcome::single(value, step)
}
