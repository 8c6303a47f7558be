//! A study whose trials are run by whoever asks.

use std::time::Duration;

use crate::early_termination::Decision;
use crate::error::StudyError;
use crate::history::History;
use crate::journal::{EndReason, Event, Journal, MemoryJournal, Record};
use crate::order::Policies;
use crate::run::{Assignment, Ended, Heard, Referee, SegmentEnd};
use crate::study::StudySpec;
use crate::trial::{FailureKind, Outcome, Rung, Segment, Trial, TrialId};

/// A study whose trials are run by whoever asks: [`Study::ask`] for a trial, [`Study::report`] what it has on the way,
/// [`Study::tell`] what it achieved. [`crate::run`] is the same the other way round, and both keep the same rules and
/// the same journal, so that either can go on with what the other began.
///
/// How many trials are under way at a time is the caller's business: `limits.max_concurrent` is not looked at. With
/// `limits.max_trials` and no `search_seconds` the study is in ordered mode, where suggestion n sees the results up to
/// n − `limits.lag`: a caller who runs one trial after the other sets a lag of 1.
///
/// ```
/// use hyperdrive::{Dimension, EarlyTerminationPolicy, Goal, Ladder, Limits, Objective, Outcome, SamplingAlgorithm};
/// use hyperdrive::{Space, Study, StudySpec};
///
/// let mut study = Study::new(&StudySpec {
///     search_space: Space::new(vec![Dimension::float("x", -1.0, 1.0), Dimension::int("k", 1, 9)]),
///     objectives: vec![Objective { metric: "loss".to_owned(), goal: Goal::Minimize }],
///     sampling_algorithm: SamplingAlgorithm::Random,
///     early_termination: EarlyTerminationPolicy::None,
///     limits: Limits { max_trials: Some(20), lag: 1, ..Limits::default() },
///     ladder: Ladder::single(),
///     known: Vec::new(),
///     seed: 7,
/// })?;
/// while let Some(asked) = study.ask()? {
///     let (x, k) = (asked.params.float("x")?, asked.params.int("k")?);
///     study.tell(asked.trial, Outcome::single(x * x + k as f64, 1.0))?;
/// }
/// assert_eq!(study.history().counts().finished, 20);
/// let best = study.best().expect("there are results");
/// assert!(best.params.int("k")? <= 3);
/// # Ok::<(), hyperdrive::StudyError>(())
/// ```
pub struct Study<J: Journal = MemoryJournal> {
    journal: J,
    referee: Referee<'static>,
    clock: Option<Box<dyn Fn() -> Duration + Send>>,
}

impl Study {
    /// A new study, remembered in memory.
    pub fn new(spec: &StudySpec) -> Result<Self, StudyError> {
        Self::resume(spec, MemoryJournal::new())
    }
}

impl<J: Journal> Study<J> {
    /// The study of a journal, created there if the journal is empty; otherwise `spec` must be what it was created
    /// with, its limits apart and a space that may have grown ([`crate::Space::extends`]).
    ///
    /// Trials that were under way are asked for again first, or given up after `max_retries`; but one that is told
    /// before it is asked for again is as good.
    pub fn resume(spec: &StudySpec, mut journal: J) -> Result<Self, StudyError> {
        spec.check()?;
        let policies = Policies::specified(&spec.early_termination);
        let referee = Referee::open(spec, spec.sampling_algorithm.build(), policies, &mut journal)?;
        let mut study = Self { journal, referee, clock: None };
        study.flush()?;
        Ok(study)
    }

    /// The same with a clock: time since this sitting began, never going back. Needed where `limits.search_seconds` is
    /// set; suggestions are then timed too.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> Duration + Send + 'static) -> Self {
        self.clock = Some(Box::new(clock));
        self
    }

    /// What to run next, from `from` until `until`; `None` where nothing is to be begun before something under way is
    /// told, or ever: [`Study::over`] says which.
    pub fn ask(&mut self) -> Result<Option<Assignment>, StudyError> {
        if self.clock.is_none() && self.history().spec().limits.search_seconds.is_some() {
            let reason = "the study has no clock to keep it with; give it one by `with_clock`".to_owned();
            return Err(StudyError::Spec { field: "limits.search_seconds".to_owned(), reason });
        }
        if self.is_late() {
            return Ok(None);
        }
        let asked = match &self.clock {
            Some(clock) => self.referee.next(clock),
            None => self.referee.next(&|| Duration::ZERO),
        };
        let asked = asked?;
        self.flush()?;
        Ok(asked)
    }

    /// What a trial under way has at `rung`, below where it is to end, and whether it goes on. A number that is not
    /// finite makes it fail, and what is stopped or fails is over: nothing more is to be told of it.
    pub fn report(&mut self, trial: TrialId, rung: Rung, outcome: Outcome) -> Result<Decision, StudyError> {
        let segment = self.under_way(trial)?;
        let bad = |reason: String| Err(StudyError::Trial { trial, reason });
        let span = self.history().span(segment);
        let (from, until) = span.map_or((None, Rung(0)), |span| (span.from, span.until));
        if rung >= until {
            return bad(format!("it is to end at rung {until}; tell what it has there instead of reporting it"));
        }
        let last = self.history().trial(trial).and_then(Trial::rung).max(from);
        if let Some(last) = last.filter(|last| rung <= *last) {
            return bad(format!("rung {rung} is reported after rung {last}; reports go upwards"));
        }
        self.referee.take_up(segment, trial);
        let heard = self.referee.reported(segment, trial, rung, outcome)?;
        self.flush()?;
        Ok(match heard {
            Heard::GoesOn | Heard::Nothing => Decision::Continue,
            Heard::Over { reason } => Decision::Stop { reason },
        })
    }

    /// What a trial under way has where it was to end, and the trial with it: finished at the top rung, paused below,
    /// failed where the outcome has a number that is not finite.
    pub fn tell(&mut self, trial: TrialId, outcome: Outcome) -> Result<&Trial, StudyError> {
        let segment = self.under_way(trial)?;
        let until = self.history().span(segment).map_or(Rung(0), |span| span.until);
        self.referee.take_up(segment, trial);
        if self.referee.reported(segment, trial, until, outcome)? == Heard::GoesOn {
            self.referee.ended(segment, trial, SegmentEnd::Reached { curve: Vec::new() }, None)?;
        }
        self.flush()?;
        self.known(trial)
    }

    /// A trial under way has failed. One that was [`FailureKind::Interrupted`] is asked for again, as often as
    /// `limits.max_retries` allows; the others are over.
    pub fn fail(&mut self, trial: TrialId, kind: FailureKind, reason: impl Into<String>) -> Result<&Trial, StudyError> {
        let segment = self.under_way(trial)?;
        self.referee.take_up(segment, trial);
        self.referee.ended(segment, trial, SegmentEnd::Failed { kind, reason: reason.into() }, None)?;
        self.flush()?;
        self.known(trial)
    }

    /// Why the study is over; `None` while something is under way or there is more to ask for. Known once
    /// [`Study::ask`] had nothing to give.
    pub fn over(&self) -> Option<EndReason> {
        let late = self.is_late().then_some(EndReason::SearchTime);
        self.referee.over().or(late.filter(|_| self.history().open().next().is_none()))
    }

    /// All that has happened.
    pub fn history(&self) -> &History {
        self.referee.history()
    }

    /// The best trial so far; see [`History::best`].
    pub fn best(&self) -> Option<&Trial> {
        self.history().best()
    }

    /// Where the study is remembered.
    pub fn journal(&self) -> &J {
        &self.journal
    }

    /// An orderly end of the sitting, which a later one may resume; trials under way are then asked for again. A study
    /// that is dropped instead can be resumed too, but of the time it took only what the journal proves is counted.
    pub fn end(mut self) -> Result<(Ended, J), StudyError> {
        let reason = self.over().unwrap_or(EndReason::Stopped);
        let spent_seconds = self.referee.spent(self.now());
        self.referee.record(Event::Ended { reason, spent_seconds })?;
        self.flush()?;
        Ok((Ended { history: self.referee.into_history(), reason }, self.journal))
    }

    fn now(&self) -> Duration {
        self.clock.as_ref().map_or(Duration::ZERO, |clock| clock())
    }

    fn is_late(&self) -> bool {
        self.referee.seconds_left(self.now()).is_some_and(|left| left <= 0.0)
    }

    fn known(&self, trial: TrialId) -> Result<&Trial, StudyError> {
        let unknown = || StudyError::Trial { trial, reason: "it was never asked for".to_owned() };
        self.history().trial(trial).ok_or_else(unknown)
    }

    /// The open segment of a trial.
    fn under_way(&self, trial: TrialId) -> Result<Segment, StudyError> {
        let known = self.known(trial)?;
        let (segment, state) = (known.segment, known.state.clone());
        if !known.is_running() {
            return Err(StudyError::Trial { trial, reason: format!("it is not under way: it {}", state.words()) });
        }
        Ok(segment)
    }

    fn flush(&mut self) -> Result<(), StudyError> {
        self.referee.flush(&mut self.journal, &mut |_: &Record, _: &History| {})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::early_termination::EarlyTerminationPolicy;
    use crate::limits::Limits;
    use crate::run::{Sitting, run};
    use crate::sampler::SamplingAlgorithm;
    use crate::simulate::{SimulatedExecutor, example_objective, example_study};
    use crate::study::Ladder;
    use crate::trial::TrialState;

    fn spec() -> StudySpec {
        StudySpec { limits: Limits { max_trials: Some(24), lag: 1, ..Limits::default() }, ..example_study(5) }
    }

    fn plain() -> StudySpec {
        StudySpec {
            sampling_algorithm: SamplingAlgorithm::Random,
            early_termination: EarlyTerminationPolicy::None,
            ladder: Ladder::single(),
            ..spec()
        }
    }

    /// Runs what is asked for, as an executor would.
    fn work<J: Journal>(study: &mut Study<J>, most: usize) -> usize {
        for done in 0..most {
            let Some(asked) = study.ask().expect("it goes on") else {
                return done;
            };
            let first = asked.from.map_or(0, |from| from.0 + 1);
            let outcome = |rung| example_objective(&asked.params, rung, asked.seed);
            let stops = |study: &mut Study<J>, rung| {
                study.report(asked.trial, rung, outcome(rung)).expect("it is under way") != Decision::Continue
            };
            if !(first..asked.until.0).map(Rung).any(|rung| stops(study, rung)) {
                study.tell(asked.trial, outcome(asked.until)).expect("it is under way");
            }
        }
        most
    }

    fn driven(spec: &StudySpec, journal: &mut MemoryJournal) -> Ended {
        let mut executor = SimulatedExecutor::new(1, example_objective);
        let clock = executor.clock();
        let sitting =
            Sitting { journal, executor: &mut executor, clock: &clock, stop: &|| false, observe: &mut |_, _| {} };
        run(spec, sitting).expect("it runs")
    }

    fn events(journal: &MemoryJournal) -> Vec<Event> {
        // Seconds are those of the simulated clock.
        let timeless = |record: &Record| match record.event.clone() {
            Event::Ended { reason, .. } => Event::Ended { reason, spent_seconds: 0.0 },
            Event::Finished { segment, trial, partial, outcome, .. } => {
                Event::Finished { segment, trial, partial, outcome, curve: Vec::new() }
            }
            other => other,
        };
        journal.records().iter().map(timeless).collect()
    }

    #[test]
    fn it_writes_the_journal_that_run_writes() {
        let spec = StudySpec { limits: Limits { max_concurrent: 1, ..spec().limits }, ..spec() };
        let mut driven_journal = MemoryJournal::new();
        driven(&spec, &mut driven_journal);
        let mut study = Study::new(&spec).expect("a sound study");
        work(&mut study, usize::MAX);
        assert_eq!(study.over(), Some(EndReason::MaxTrials));
        let (ended, journal) = study.end().expect("it ends");
        assert_eq!(ended.reason, EndReason::MaxTrials);
        let counts = ended.history.counts();
        assert!(counts.finished > 0 && counts.stopped > 0 && counts.paused > 0, "{counts:?} is a dull study");
        assert_eq!(events(&journal), events(&driven_journal));
    }

    #[test]
    fn either_goes_on_with_what_the_other_began() {
        let whole = driven(&spec(), &mut MemoryJournal::new()).history;
        for most in [0, 1, 7, 20] {
            let mut study = Study::new(&spec()).expect("a sound study");
            work(&mut study, most);
            let mut journal = study.journal().clone();
            let ended = driven(&spec(), &mut journal);
            let mut resumed = Study::resume(&spec(), journal).expect("it resumes");
            assert_eq!(resumed.ask().expect("it goes on"), None);
            let points = |history: &History| history.trials().iter().map(|t| t.params.clone()).collect::<Vec<_>>();
            assert_eq!(points(&ended.history), points(&whole));
            assert_eq!(points(resumed.history()), points(&whole));
        }
    }

    #[test]
    fn what_was_under_way_is_asked_for_again_or_told() {
        let mut study =
            Study::new(&StudySpec { limits: Limits { lag: 4, ..plain().limits }, ..plain() }).expect("sound");
        let asked: Vec<Assignment> = (0..4).map(|_| study.ask().expect("it goes on").expect("there is room")).collect();
        assert_eq!(study.ask().expect("it goes on"), None, "four suggestions see nothing, the fifth sees the first");
        assert_eq!(study.over(), None);
        let spec = study.history().spec().clone();
        let mut study = Study::resume(&spec, study.end().expect("it ends").1).expect("it resumes");
        study.tell(asked[2].trial, Outcome::single(1.0, 1.0)).expect("told before it is asked for again");
        let again: Vec<Assignment> =
            (0..3).map(|_| study.ask().expect("it goes on").expect("three are left")).collect();
        let expected: Vec<Assignment> =
            [0, 1, 3].iter().map(|i: &usize| Assignment { attempt: 2, ..asked[*i].clone() }).collect();
        assert_eq!(again, expected);
        study.fail(TrialId(0), FailureKind::Interrupted, "the worker is gone").expect("it is under way");
        let reason = "interrupted in attempt 2 of 2".to_owned();
        let lost = &study.history().trials()[0].state;
        assert_eq!(*lost, TrialState::Failed { kind: FailureKind::Interrupted, reason });
        let history = History::replay(study.journal().records()).expect("sound").expect("not empty");
        assert_eq!(history, *study.history());
    }

    #[test]
    fn mistakes_are_named_and_change_nothing() {
        let mut study = Study::new(&spec()).expect("a sound study");
        let asked = study.ask().expect("it goes on").expect("the first");
        let outcome = || Outcome::single(0.5, 1.0);
        let mut message = |trial, rung: Option<u16>| {
            let before = study.history().clone();
            let error = match rung {
                Some(rung) => study.report(TrialId(trial), Rung(rung), outcome()).err(),
                None => study.tell(TrialId(trial), outcome()).err(),
            };
            assert_eq!(before, *study.history());
            error.expect("a mistake").to_string()
        };
        assert_eq!(asked.until, Rung(0));
        assert_eq!(message(7, None), "trial 7: it was never asked for");
        assert_eq!(
            message(0, Some(0)),
            "trial 0: it is to end at rung 0; tell what it has there instead of reporting it"
        );
        study.tell(TrialId(0), outcome()).expect("under way");
        let error = study.tell(TrialId(0), outcome()).expect_err("told twice").to_string();
        assert_eq!(error, "trial 0: it is not under way: it is paused at rung 0");
        let whole = StudySpec { sampling_algorithm: SamplingAlgorithm::Random, ..spec() };
        let mut study = Study::new(&whole).expect("a sound study");
        let trial = study.ask().expect("it goes on").expect("the first").trial;
        study.report(trial, Rung(1), outcome()).expect("ahead");
        let error = study.report(trial, Rung(1), outcome()).expect_err("not ahead").to_string();
        assert_eq!(error, "trial 0: rung 1 is reported after rung 1; reports go upwards");
        study.tell(trial, outcome()).expect("under way");
        let error = study.fail(trial, FailureKind::Error, "late").expect_err("told before").to_string();
        assert_eq!(error, "trial 0: it is not under way: it has finished");
    }

    #[test]
    fn what_is_no_number_fails_the_trial() {
        let mut study = Study::new(&plain()).expect("a sound study");
        for (value, word) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
            let trial = study.ask().expect("it goes on").expect("there is more").trial;
            let told = study.tell(trial, Outcome::single(value, 1.0)).expect("recorded");
            let reason = format!("metric loss is {word}");
            assert_eq!(told.state, TrialState::Failed { kind: FailureKind::Error, reason });
        }
    }

    #[test]
    fn time_is_kept_only_with_a_clock() {
        let spec = StudySpec { limits: Limits { search_seconds: Some(10.0), ..Limits::default() }, ..plain() };
        let mut study = Study::new(&spec).expect("a sound study");
        let message = "`limits.search_seconds`: the study has no clock to keep it with; give it one by `with_clock`";
        assert_eq!(study.ask().expect_err("no clock").to_string(), message);
        let now = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
        let seen = std::sync::Arc::clone(&now);
        let clock = move || Duration::from_secs(seen.load(std::sync::atomic::Ordering::Relaxed));
        let mut study = Study::new(&spec).expect("a sound study").with_clock(clock);
        let trial = study.ask().expect("it goes on").expect("there is time").trial;
        now.store(11, std::sync::atomic::Ordering::Relaxed);
        assert_eq!((study.ask().expect("it goes on"), study.over()), (None, None));
        study.tell(trial, Outcome::single(1.0, 11.0)).expect("under way");
        assert_eq!(study.over(), Some(EndReason::SearchTime));
        let (ended, journal) = study.end().expect("it ends");
        assert_eq!((ended.reason, ended.history.spent()), (EndReason::SearchTime, 11.0));
        let mut again = Study::resume(&spec, journal).expect("it resumes").with_clock(|| Duration::ZERO);
        assert_eq!(again.ask().expect("it goes on"), None);
    }

    #[test]
    fn it_can_be_shared_between_threads() {
        fn check<T: Send>() {}
        check::<Study>();
    }
}
