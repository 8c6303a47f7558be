//! The fold against its definition.

use std::time::Duration;

use proptest::prelude::*;

use super::{Counts, History};
use crate::journal::{Event, FORMAT, Record};
use crate::simulate::{Fate, SimulatedExecutor, example_objective, example_study};
use crate::trial::{FailureKind, Origin, Outcome, Rung, Segment, Seq, Trial, TrialId, TrialState};

fn study(seed: u64) -> Vec<Record> {
    let executor = SimulatedExecutor::new(4, example_objective)
        .lasting(|assignment, _| Duration::from_millis(1 + assignment.seed % 1_000))
        .with_fate(|assignment| match assignment.seed % 6 {
            0 => Fate::Fails {
                at: Rung(assignment.until.0 + u16::from(assignment.attempt == 1)),
                kind: FailureKind::Interrupted,
                reason: "killed".to_owned(),
            },
            1 => Fate::Fails { at: assignment.until, kind: FailureKind::Error, reason: "as planned".to_owned() },
            _ => Fate::Runs,
        });
    let (_, journal) = executor.run(&example_study(seed)).expect("it runs");
    journal.records().to_vec()
}

fn counted(history: &History) -> Counts {
    let mut counts = Counts::default();
    for trial in history.trials() {
        *counts.of(&trial.state) += 1;
    }
    counts
}

/// The best by its definition.
fn best(history: &History) -> Option<TrialId> {
    let done = history.trials().iter().filter(|trial| trial.is_complete());
    let loss = |trial: &Trial| trial.value().unwrap_or(f64::INFINITY);
    done.min_by(|a, b| loss(a).total_cmp(&loss(b))).map(|trial| trial.id)
}

/// Finished trials with a later end than the best, by their definition.
fn since_best(history: &History) -> usize {
    let best = history.best().and_then(|best| best.ended);
    let finished = |trial: &&Trial| matches!(trial.state, TrialState::Finished { .. });
    history.trials().iter().filter(finished).filter(|trial| trial.ended > best).count()
}

fn odd(trial: &Trial) -> Option<Trial> {
    (trial.id.0 % 2 == 1).then(|| trial.clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn what_is_kept_up_to_date_is_what_a_recount_gives(seed in any::<u64>()) {
        let records = study(seed);
        let mut history = History::begin(&records[0]).expect("a sound journal");
        let mut half = history.filtered(history.spec(), &odd);
        for record in &records {
            history.apply(record).expect("a sound journal");
            half.follow(&history, &odd);
            prop_assert_eq!(history.counts(), counted(&history));
            prop_assert_eq!(history.best().map(|trial| trial.id), best(&history));
            prop_assert_eq!(history.since_best() as usize, since_best(&history));
            prop_assert_eq!(half.counts(), counted(&half));
            prop_assert_eq!(half.best().map(|trial| trial.id), best(&half));
            let shown: Vec<Trial> = history.trials().iter().filter_map(odd).collect();
            prop_assert_eq!(half.trials(), shown);
            prop_assert_eq!(half.segments(), history.segments());
            for trial in half.trials() {
                prop_assert_eq!(half.trial(trial.id), Some(trial));
            }
            prop_assert!(half.trial(TrialId(0)).is_none());
        }
        prop_assert_eq!(Some(history), History::replay(&records).expect("a sound journal"));
    }
}

fn begun() -> History {
    let spec = example_study(1);
    let mut history = History::new(&spec);
    history.apply(&Record { seq: Seq(0), event: Event::Created { format: FORMAT, spec } }).expect("the first");
    for event in
        [start(0, 0, Origin::New, None, 0), report(0, 0, 0), Event::Paused { segment: Segment(0), trial: TrialId(0) }]
    {
        push(&mut history, event).expect("it follows");
    }
    history
}

fn push(history: &mut History, event: Event) -> Result<(), String> {
    let seq = Seq(history.seq().0 + 1);
    history.apply(&Record { seq, event }).map_err(|error| error.to_string())
}

fn start(segment: u32, trial: u32, origin: Origin, from: Option<Rung>, until: u16) -> Event {
    let params = crate::params::Params::new().with("x", 0.5).with("algorithm", "constant");
    Event::Started {
        segment: Segment(segment),
        trial: TrialId(trial),
        params,
        origin,
        from,
        until: Rung(until),
        attempt: 1,
        saw: Seq(0),
        suggest_seconds: 0.0,
    }
}

fn report(segment: u32, trial: u32, rung: u16) -> Event {
    let outcome = Outcome::single(0.5, 1.0);
    Event::Reported { segment: Segment(segment), trial: TrialId(trial), rung: Rung(rung), outcome }
}

#[test]
fn events_that_do_not_follow_are_refused_and_change_nothing() {
    let history = begun();
    let finished = |outcome: Outcome| Event::Finished {
        segment: Segment(0),
        trial: TrialId(0),
        partial: false,
        outcome,
        curve: vec![],
    };
    let resume = |from| start(1, 0, Origin::Resume, Some(Rung(from)), 2);
    let cases = [
        (start(2, 1, Origin::New, None, 0), "segment 2 begins, but the next is 1"),
        (start(1, 2, Origin::New, None, 0), "trial 2 is new, but the next is 1"),
        (start(1, 1, Origin::New, None, 3), "segment 1 goes until rung 3, which is not above its start"),
        (start(1, 1, Origin::New, Some(Rung(0)), 1), "trial 1 is new, but begins from a rung"),
        (start(1, 1, Origin::From(TrialId(7)), Some(Rung(0)), 1), "trial 7 is unknown"),
        (resume(1), "trial 0 is resumed, but is not paused where it begins"),
        (report(0, 0, 1), "segment 0 of trial 0 is not under way"),
        (report(9, 0, 1), "segment 9 of trial 0 is not under way"),
        (finished(Outcome::single(0.5, 1.0)), "segment 0 of trial 0 is not under way"),
        (Event::Waited { segment: Segment(0), saw: Seq(0) }, "segment 0 waits, but the next is 1"),
        (Event::HangGuard { trial: TrialId(3) }, "trial 3 has not started"),
        (
            Event::Created { format: FORMAT, spec: example_study(1) },
            "`created` is the first record, and only the first",
        ),
    ];
    for (event, message) in cases {
        let mut tried = history.clone();
        let error = push(&mut tried, event).expect_err("it does not follow");
        assert_eq!(error, format!("the journal makes no sense at record 4: {message}"));
        assert_eq!(tried, history, "{message}");
    }
    let gap = Record { seq: Seq(9), event: resume(0) };
    let error = history.clone().apply(&gap).expect_err("a gap").to_string();
    assert_eq!(error, "the journal makes no sense at record 9: number 4 was expected");
}

#[test]
fn a_newer_format_is_refused() {
    let spec = example_study(1);
    let newer = Record { seq: Seq(0), event: Event::Created { format: FORMAT + 1, spec: spec.clone() } };
    let error = History::new(&spec).apply(&newer).expect_err("newer").to_string();
    assert_eq!(error, "journal format 2 is not supported (this build reads format 1)");
}

#[test]
fn a_resumed_trial_adds_its_segments_up() {
    let mut history = begun();
    push(&mut history, start(1, 0, Origin::Resume, Some(Rung(0)), 2)).expect("it is paused there");
    push(&mut history, report(1, 0, 1)).expect("it runs");
    let outcome = Outcome::single(0.25, 5.0);
    let top = Event::Reported { segment: Segment(1), trial: TrialId(0), rung: Rung(2), outcome: outcome.clone() };
    push(&mut history, top).expect("it runs");
    let (segment, trial) = (Segment(1), TrialId(0));
    let partial = Event::Finished { segment, trial, partial: false, outcome, curve: vec![1.0] };
    push(&mut history, partial).expect("it reported at the top");
    let trial = &history.trials()[0];
    assert_eq!((trial.cost, history.cost(), trial.value()), (6.0, 6.0, Some(0.25)));
    assert_eq!(trial.at(Rung(0)), Some(&Outcome::single(0.5, 1.0)));
    assert_eq!(history.best().map(|best| best.id), Some(trial.id));
    assert_eq!(trial.state, TrialState::Finished { partial: false });
}
