//! The suite that every journal passes.

use super::{EndReason, Event, FORMAT, Journal, Record};
use crate::limits::Limits;
use crate::params::Params;
use crate::simulate;
use crate::trial::{FailureKind, Origin, Outcome, Rung, Segment, Seq, TrialId};

/// Checks an implementation of [`Journal`]; `make` returns a new, empty one at each call.
///
/// # Panics
/// On the first breach, saying what it is.
pub fn check_journal(make: &mut dyn FnMut() -> Box<dyn Journal>) {
    empty_is_empty(&mut *make());
    numbers_are_dense(&mut *make());
    all_comes_back(&mut *make());
    a_refused_batch_leaves_nothing(&mut *make());
    journals_are_apart(&mut *make(), &mut *make());
}

fn empty_is_empty(journal: &mut dyn Journal) {
    for from in [0, 5] {
        let records = journal.read(Seq(from)).expect("an empty journal can be read");
        assert!(records.is_empty(), "an empty journal read from {from} gave {records:?}");
    }
}

fn numbers_are_dense(journal: &mut dyn Journal) {
    let events = every_event();
    let (first, rest) = events.split_at(1);
    assert_eq!(append(journal, first), Seq(0), "the first event is number 0");
    assert_eq!(append(journal, rest), Seq(events.len() as u64 - 1), "append returns the number of the last event");
    for from in 0..=events.len() + 1 {
        let records = read(journal, from);
        let numbers: Vec<usize> = records.iter().map(|record| record.seq.0 as usize).collect();
        let expected: Vec<usize> = (from..events.len()).collect();
        assert_eq!(numbers, expected, "read from {from}");
    }
}

fn all_comes_back(journal: &mut dyn Journal) {
    let events = every_event();
    append(journal, &events);
    let many: Vec<Event> = (0..2_000).map(|i| Event::HangGuard { trial: TrialId(i) }).collect();
    append(journal, &many);
    let back: Vec<Event> = read(journal, 0).into_iter().map(|record| record.event).collect();
    assert_eq!(back.len(), events.len() + many.len(), "number of events");
    for (back, written) in back.iter().zip(events.iter().chain(&many)) {
        assert_eq!(back, written, "an event came back changed");
        // Equality takes -0.0 for 0.0; the text does not.
        assert_eq!(format!("{back:?}"), format!("{written:?}"), "an event came back changed");
    }
}

fn a_refused_batch_leaves_nothing(journal: &mut dyn Journal) {
    let events = every_event();
    append(journal, &events[..1]);
    let _ = journal.append(&[]);
    for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let bad =
            Event::Reported { segment: Segment(0), trial: TrialId(0), rung: Rung(0), outcome: Outcome::single(x, 0.0) };
        let result = journal.append(&[events[1].clone(), bad]);
        assert!(result.is_err(), "an event holding {x} was taken");
    }
    assert_eq!(read(journal, 0).len(), 1, "something of a refused batch was kept");
    assert_eq!(append(journal, &events[1..2]), Seq(1), "numbers stay dense after a refused batch");
}

fn journals_are_apart(one: &mut dyn Journal, other: &mut dyn Journal) {
    append(one, &every_event());
    assert!(read(other, 0).is_empty(), "two journals share events");
}

fn append(journal: &mut dyn Journal, events: &[Event]) -> Seq {
    journal.append(events).expect("a sound batch is taken")
}

fn read(journal: &mut dyn Journal, from: usize) -> Vec<Record> {
    journal.read(Seq(from as u64)).expect("a sound journal can be read")
}

/// One of each event, with numbers and texts that are easily spoiled on the way.
pub(crate) fn every_event() -> Vec<Event> {
    let (segment, trial) = (Segment(u32::MAX), TrialId(u32::MAX));
    let values = vec![0.1, -0.0, 5e-324, f64::MAX, f64::MIN_POSITIVE, 1.0 / 3.0, 1e300];
    let outcome = Outcome { values: values.clone(), constraints: vec![-1e-17], cost: 123_456_789.123_456_78 };
    let params = Params::new().with("ключ \"'\\\n\t\u{0}🙂", "значение").with("i", i64::MIN).with("x", 0.1 + 0.2);
    let reason = "a reason, with\nlines, \"quotes\" and ' marks".to_owned();
    let spec = simulate::example_study(u64::MAX);
    vec![
        Event::Created { format: FORMAT, spec },
        Event::Resumed {
            limits: Limits { search_seconds: Some(0.1), ..Limits::default() },
            spent_seconds: 1e-9,
            space: None,
        },
        Event::Started {
            segment,
            trial,
            params,
            origin: Origin::From(TrialId(1)),
            from: Some(Rung(3)),
            until: Rung(u16::MAX),
            attempt: 2,
            saw: Seq(u64::MAX),
            suggest_seconds: 0.1,
        },
        Event::Waited { segment, saw: Seq(0) },
        Event::Reported { segment, trial, rung: Rung(0), outcome: outcome.clone() },
        Event::Paused { segment, trial },
        Event::Finished { segment, trial, partial: true, outcome, curve: values },
        Event::Stopped { segment, trial, reason: reason.clone() },
        Event::Failed { segment, trial, kind: FailureKind::Panicked, reason },
        Event::HangGuard { trial },
        Event::Ended { reason: EndReason::Exhausted, spent_seconds: 29.999_999_999_999_996 },
    ]
}
