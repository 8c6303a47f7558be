//! Where trials run: one thread per slot in this process. A thread that does not come back from a library call in time
//! is abandoned and its trial recorded as timed out; another takes its slot.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use hyperdrive::{Assignment, Executor, FailureKind, Outcome, Rung, Segment, SegmentEnd, TrialId, Update};

use super::threads::{self, Pool};
use crate::clock::Clock;
use crate::error::AutoMlError;

/// Prefix of the threads' names; `main` keeps their panics off the screen, for they are recorded as failed trials.
pub const WORKER: &str = "trial-";
/// A trial gets this much longer than its deadline to come back by itself, in seconds.
const GRACE: f64 = 0.5;
/// A trial told to stop gets this long, in seconds.
const STOP_GRACE: f64 = 0.8;
/// In ordered mode nothing is cut by time, except a trial that hangs this long, in seconds.
const HANG_GUARD: f64 = 600.0;
/// Libraries that recurse over trees of rows need more than the default.
pub(super) const STACK: usize = 16 << 20;

/// What the threads do: one segment of one trial.
pub(crate) trait Work: Send + Sync + 'static {
    /// Runs a segment to its end on this thread and `pool`, saying so at each rung. `stop` asks it to end; at
    /// `deadline`, in seconds on [`Work::clock`], it ends with what it has.
    fn run(
        &self,
        assignment: &Assignment,
        stop: &AtomicBool,
        deadline: Option<f64>,
        pool: &Pool,
        report: Report<'_>,
    ) -> SegmentEnd;

    /// The clock that deadlines are on.
    fn clock(&self) -> Clock;

    /// Whether nothing but hanging is cut by time.
    fn ordered(&self) -> bool;

    /// A trial's thread was given up.
    fn abandoned(&self, trial: TrialId);
}

/// How a worker says that a rung was crossed.
pub(crate) type Report<'a> = &'a dyn Fn(Rung, Outcome);

/// The in-process executor.
pub(crate) struct ThreadExecutor<W> {
    work: Arc<W>,
    slots: usize,
    /// Threads of each slot.
    threads: usize,
    jobs: Sender<Job>,
    queue: Arc<Mutex<Receiver<Job>>>,
    updates: Receiver<Update>,
    report: Sender<Update>,
    running: BTreeMap<Segment, Running>,
    n_workers: usize,
}

struct Job {
    assignment: Assignment,
    stop: Arc<AtomicBool>,
    deadline: Option<f64>,
}

struct Running {
    trial: TrialId,
    stop: Arc<AtomicBool>,
    /// When the trial is asked to end with what it has.
    deadline: Option<f64>,
    /// When the thread is given up.
    abandon_at: Option<f64>,
    stopping: bool,
}

impl<W: Work> ThreadExecutor<W> {
    /// `slots` threads that share the work, and the cores.
    pub(crate) fn new(work: Arc<W>, slots: usize, cores: usize) -> Result<Self, AutoMlError> {
        let (jobs, queue) = channel();
        let (report, updates) = channel();
        let mut executor = Self {
            work,
            slots,
            threads: threads::share(cores, slots),
            jobs,
            queue: Arc::new(Mutex::new(queue)),
            updates,
            report,
            running: BTreeMap::new(),
            n_workers: 0,
        };
        for _ in 0..slots {
            executor.hire()?;
        }
        Ok(executor)
    }

    fn hire(&mut self) -> Result<(), AutoMlError> {
        let (work, queue, report) = (self.work.clone(), self.queue.clone(), self.report.clone());
        let name = format!("{WORKER}{}", self.n_workers);
        let pool = threads::pool(&name, self.threads)?;
        let serve = move || {
            loop {
                let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(job) = job else { break };
                let end = run(work.as_ref(), &job, &pool, &report);
                let Assignment { segment, trial, .. } = job.assignment;
                // Nobody listens any more when the search is over; that is no error.
                let _ = report.send(Update::Ended { segment, trial, end });
            }
        };
        thread::Builder::new().name(name).stack_size(STACK).spawn(serve).map_err(|error| threads::no_thread(&error))?;
        self.n_workers += 1;
        Ok(())
    }

    /// Gives up the first segment whose thread is overdue.
    fn abandon(&mut self) -> Option<Update> {
        let now = self.work.clock().seconds();
        for running in self.running.values().filter(|running| running.deadline.is_some_and(|at| now > at)) {
            running.stop.store(true, Ordering::Relaxed);
        }
        let (&segment, _) = self.running.iter().find(|(_, r)| r.abandon_at.is_some_and(|at| now > at))?;
        let running = self.running.remove(&segment)?;
        running.stop.store(true, Ordering::Relaxed);
        let end = if running.stopping {
            SegmentEnd::Stopped
        } else if self.work.ordered() {
            SegmentEnd::HangGuard
        } else {
            let reason = "it did not come back from a library call in its time and was abandoned".into();
            SegmentEnd::Failed { kind: FailureKind::TimedOut, reason }
        };
        self.work.abandoned(running.trial);
        // The lost thread keeps its core until it returns; without another the search would stand still.
        if !running.stopping && self.hire().is_err() {
            self.slots = self.slots.saturating_sub(1);
        }
        Some(Update::Ended { segment, trial: running.trial, end })
    }

    fn wait(&self, timeout: Duration) -> Duration {
        let now = self.work.clock().seconds();
        let pending = |r: &Running| r.deadline.filter(|at| *at > now).or(r.abandon_at);
        let next = self.running.values().filter_map(pending).fold(f64::INFINITY, f64::min);
        if next.is_finite() { timeout.min(Duration::from_secs_f64((next - now).max(0.001))) } else { timeout }
    }
}

impl<W: Work> Executor for ThreadExecutor<W> {
    fn free(&self) -> usize {
        self.slots.saturating_sub(self.running.len())
    }

    fn start(&mut self, assignment: Assignment) {
        let now = self.work.clock().seconds();
        let deadline = assignment.trial_seconds.map(|seconds| now + seconds);
        let stop = Arc::new(AtomicBool::new(false));
        let abandon_at = Some(deadline.map_or(now + HANG_GUARD, |at| at + GRACE));
        let running = Running { trial: assignment.trial, stop: stop.clone(), deadline, abandon_at, stopping: false };
        self.running.insert(assignment.segment, running);
        // The receiver lives as long as this executor, so the send cannot fail.
        let _ = self.jobs.send(Job { assignment, stop, deadline });
    }

    fn stop(&mut self, _trial: TrialId, segment: Segment) {
        let now = self.work.clock().seconds();
        if let Some(running) = self.running.get_mut(&segment) {
            running.stop.store(true, Ordering::Relaxed);
            running.stopping = true;
            running.abandon_at = Some(running.abandon_at.unwrap_or(f64::INFINITY).min(now + STOP_GRACE));
        }
    }

    fn next(&mut self, timeout: Duration) -> Option<Update> {
        if let Some(update) = self.abandon() {
            return Some(update);
        }
        match self.updates.recv_timeout(self.wait(timeout)) {
            Ok(Update::Reported { segment, trial, rung, outcome }) => {
                self.running.contains_key(&segment).then_some(Update::Reported { segment, trial, rung, outcome })
            }
            Ok(Update::Ended { segment, trial, end }) => {
                self.running.remove(&segment).map(|_| Update::Ended { segment, trial, end })
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => self.abandon(),
        }
    }
}

/// One segment on this thread; a panic is a failed trial.
fn run(work: &impl Work, job: &Job, pool: &Pool, report: &Sender<Update>) -> SegmentEnd {
    let Assignment { segment, trial, .. } = job.assignment;
    let say = |rung, outcome| {
        let _ = report.send(Update::Reported { segment, trial, rung, outcome });
    };
    let segment = || work.run(&job.assignment, &job.stop, job.deadline, pool, &say);
    catch_unwind(AssertUnwindSafe(segment)).unwrap_or_else(|panic| {
        let reason = format!("its algorithm panicked: {}", message(panic.as_ref()));
        SegmentEnd::Failed { kind: FailureKind::Panicked, reason }
    })
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hyperdrive::{
        Dimension, EarlyTerminationPolicy, EndReason, Goal, Ladder, Limits, MemoryJournal, Objective,
        SamplingAlgorithm, Sitting, Space, StudySpec, TrialState, run,
    };

    use super::*;

    /// Trials that fail, panic, hang in a call that cannot be asked to stop, or work, by number.
    struct Odd(Clock);

    impl Work for Odd {
        fn run(
            &self,
            assignment: &Assignment,
            _: &AtomicBool,
            _: Option<f64>,
            pool: &Pool,
            report: Report<'_>,
        ) -> SegmentEnd {
            assert!(pool.is_none(), "two slots on two cores");
            match assignment.trial.0 % 4 {
                1 => SegmentEnd::Failed { kind: FailureKind::Error, reason: "as told".into() },
                2 => panic!("trial {} lost its head", assignment.trial),
                3 => {
                    thread::sleep(Duration::from_secs(4));
                    SegmentEnd::Reached { curve: Vec::new() }
                }
                _ => {
                    report(Rung(0), Outcome::single(0.5, 0.01));
                    SegmentEnd::Reached { curve: Vec::new() }
                }
            }
        }

        fn clock(&self) -> Clock {
            self.0
        }

        fn ordered(&self) -> bool {
            false
        }

        fn abandoned(&self, _: TrialId) {}
    }

    #[test]
    fn a_trial_that_fails_panics_or_hangs_is_recorded_and_the_search_goes_on() {
        let clock = Clock::start();
        let spec = StudySpec {
            search_space: Space::new(vec![Dimension::float("x", 0.0, 1.0)]),
            objectives: vec![Objective { metric: "score".into(), goal: Goal::Maximize }],
            sampling_algorithm: SamplingAlgorithm::Random,
            early_termination: EarlyTerminationPolicy::None,
            limits: Limits {
                max_trials: Some(12),
                search_seconds: Some(60.0),
                trial_seconds: Some(0.2),
                max_concurrent: 2,
                ..Limits::default()
            },
            ladder: Ladder::single(),
            known: Vec::new(),
            seed: 1,
        };
        let mut executor = ThreadExecutor::new(Arc::new(Odd(clock)), 2, 2).expect("two threads");
        let ended = run(
            &spec,
            Sitting {
                journal: &mut MemoryJournal::new(),
                executor: &mut executor,
                clock: &|| clock.elapsed(),
                stop: &|| false,
                observe: &mut |_, _| {},
            },
        )
        .expect("the study survives its trials");
        assert_eq!(ended.reason, EndReason::MaxTrials);
        assert_eq!(ended.history.trials().len(), 12);
        for trial in ended.history.trials() {
            match (trial.id.0 % 4, &trial.state) {
                (0, TrialState::Finished { partial: false }) => {}
                (1, TrialState::Failed { kind: FailureKind::Error, reason }) => assert_eq!(reason, "as told"),
                (2, TrialState::Failed { kind: FailureKind::Panicked, reason }) => {
                    assert!(reason.contains("lost its head"), "{reason}");
                }
                (3, TrialState::Failed { kind: FailureKind::TimedOut, reason }) => {
                    assert!(reason.contains("abandoned"), "{reason}");
                }
                (_, state) => panic!("trial {}: {state:?}", trial.id),
            }
        }
    }

    /// Says how many threads its pool has.
    struct Counting(Clock, Mutex<Vec<usize>>);

    impl Work for Counting {
        fn run(&self, _: &Assignment, _: &AtomicBool, _: Option<f64>, pool: &Pool, report: Report<'_>) -> SegmentEnd {
            let threads = pool.as_ref().map_or(1, |pool| pool.install(rayon::current_num_threads));
            self.1.lock().expect("no trial panics").push(threads);
            report(Rung(0), Outcome::single(0.5, 0.01));
            SegmentEnd::Reached { curve: Vec::new() }
        }

        fn clock(&self) -> Clock {
            self.0
        }

        fn ordered(&self) -> bool {
            false
        }

        fn abandoned(&self, _: TrialId) {}
    }

    #[test]
    fn fewer_slots_than_cores_share_the_cores() {
        for (slots, cores, threads) in [(1, 1, 1), (1, 3, 3), (2, 3, 1), (2, 5, 2), (4, 2, 1)] {
            let work = Arc::new(Counting(Clock::start(), Mutex::default()));
            let mut executor = ThreadExecutor::new(work.clone(), slots, cores).expect("threads");
            let mut ended = 0;
            for n in 0..3 {
                let (segment, trial) = (Segment(n), TrialId(n));
                executor.start(Assignment {
                    segment,
                    trial,
                    params: hyperdrive::Params::new(),
                    from: None,
                    until: Rung(0),
                    origin: hyperdrive::Origin::New,
                    attempt: 1,
                    seed: 0,
                    trial_seconds: None,
                });
            }
            while ended < 3 {
                ended += usize::from(matches!(executor.next(Duration::from_secs(5)), Some(Update::Ended { .. })));
            }
            assert_eq!(*work.1.lock().expect("no trial panics"), [threads; 3], "{slots} slots on {cores} cores");
        }
    }
}
