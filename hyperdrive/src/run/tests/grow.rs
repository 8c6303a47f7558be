//! A study that goes on in a larger space.

use super::world::{arrival, check_promise, essence, events, executor, ordered, replay, sit};
use crate::error::StudyError;
use crate::journal::{Event, MemoryJournal};
use crate::sampler::{Observations, check_replay};
use crate::space::{Choice, Dimension, Domain};
use crate::study::StudySpec;

/// The same study with a third algorithm and a wider `x`.
fn larger(spec: &StudySpec) -> StudySpec {
    let mut spec = spec.clone();
    let dimensions = &mut spec.search_space.dimensions;
    dimensions[0] = Dimension::float("x", -2.0, 2.0);
    let Domain::Choice { options } = &mut dimensions[1].domain else { panic!("a choice of algorithms") };
    options.insert(0, Choice::with("knn", vec![Dimension::int("k", 1, 30)]));
    spec
}

#[test]
fn it_may_grow_at_any_crash() {
    for spec in [ordered(24, 3), arrival(24, 3)] {
        let mut journal = MemoryJournal::new();
        sit(&spec, &mut journal, &mut executor(3, 0)).expect("it runs");
        let mut grown = 0;
        for killed in (0..=journal.records().len()).step_by(3) {
            let ends: Vec<_> = [1, 2]
                .map(|timing| {
                    let mut journal = MemoryJournal::holding(events(&journal, killed));
                    let ended = sit(&larger(&spec), &mut journal, &mut executor(3, timing)).expect("it resumes");
                    let records = journal.records();
                    check_promise(records, killed, 1);
                    check_replay(&|| spec.sampling_algorithm.build(), records);
                    // Killed once more after it has grown.
                    let again = killed + (records.len() - killed) / 2;
                    let mut cut = MemoryJournal::holding(events(&journal, again));
                    sit(&larger(&spec), &mut cut, &mut executor(3, timing)).expect("it resumes twice");
                    check_promise(cut.records(), again, 1);
                    (ended.history, journal)
                })
                .into();
            let (history, journal) = &ends[0];
            assert_eq!(history.spec().search_space, larger(&spec).search_space);
            let resumed =
                |record: &crate::journal::Record| matches!(record.event, Event::Resumed { space: Some(_), .. });
            assert_eq!(journal.records().iter().filter(|record| resumed(record)).count(), usize::from(killed > 0));
            let knn = |trial: &crate::trial::Trial| trial.params.text("algorithm").is_ok_and(|name| name == "knn");
            grown += history.trials().iter().filter(|trial| knn(trial)).count();
            if spec.limits.search_seconds.is_none() {
                assert_eq!(essence(history), essence(&ends[1].0), "killed at {killed}");
            }
        }
        assert!(grown > 20, "only {grown} trials in what was added");
    }
}

#[test]
fn old_trials_have_their_places_in_the_new_space() {
    let spec = arrival(10, 2);
    let mut journal = MemoryJournal::new();
    let before = sit(&spec, &mut journal, &mut executor(2, 0)).expect("it runs").history;
    let old = Observations::up_to_date(None, &before);
    let mut more = larger(&spec);
    more.limits.max_trials = Some(20);
    let after = sit(&more, &mut journal, &mut executor(2, 0)).expect("it resumes").history;
    assert_eq!(after, replay(journal.records()));
    let (kept, fresh) = (Observations::up_to_date(Some(old.clone()), &after), Observations::up_to_date(None, &after));
    assert_eq!(kept.results(&after), fresh.results(&after));
    assert_eq!((old.layout.len(), kept.layout.len(), kept.len()), (4, 5, 20));
    // x stood in [-1, 1] and stands in [-2, 2]; the options have moved up by one.
    for row in 0..10 {
        assert!((kept.row(row)[0] - (0.25 + old.row(row)[0] / 2.0)).abs() < 1e-12);
        assert_eq!(kept.row(row)[1], old.row(row)[1] + 1.0);
    }
}

#[test]
fn it_may_not_shrink() {
    let spec = arrival(10, 2);
    let mut journal = MemoryJournal::new();
    sit(&larger(&spec), &mut journal, &mut executor(2, 0)).expect("it runs");
    let records = journal.records().len();
    let error = sit(&spec, &mut journal, &mut executor(2, 0)).expect_err("it is smaller");
    assert!(matches!(&error, StudyError::Space { key, .. } if key == "x"), "{error}");
    assert_eq!(journal.records().len(), records, "nothing was written");
}
