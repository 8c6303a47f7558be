//! The trials that no other one beats, where there are several objectives.

use crate::trial::{Objective, Trial};

/// The non-dominated of the complete trials that keep their constraints, in the order of their numbers.
pub(super) fn front<'a>(objectives: &[Objective], trials: &'a [Trial]) -> Vec<&'a Trial> {
    let losses = |trial: &'a Trial| {
        let outcome = trial.result().filter(|outcome| trial.is_complete() && outcome.violation() == 0.0)?;
        // Adding 0 turns -0 into 0, which the total order would tell apart.
        let losses = objectives.iter().zip(&outcome.values).map(|(objective, value)| objective.goal.loss(*value) + 0.0);
        Some((losses.collect::<Vec<f64>>(), trial))
    };
    let mut candidates: Vec<(Vec<f64>, &Trial)> = trials.iter().filter_map(losses).collect();
    // Whoever beats a trial comes before it, so each has only to be held against those that are in.
    let order = |a: &[f64], b: &[f64]| {
        let differs = a.iter().zip(b).map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne());
        differs.unwrap_or(std::cmp::Ordering::Equal)
    };
    candidates.sort_by(|(a, _), (b, _)| order(a, b));
    let mut front: Vec<(Vec<f64>, &Trial)> = Vec::new();
    for (mine, trial) in candidates {
        if !front.iter().any(|(other, _)| beats(other, &mine)) {
            front.push((mine, trial));
        }
    }
    let mut trials: Vec<&Trial> = front.into_iter().map(|(_, trial)| trial).collect();
    trials.sort_by_key(|trial| trial.id);
    trials
}

/// Whether `a` is at least as good as `b` in all and better in one.
fn beats(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(a, b)| a <= b) && a.iter().zip(b).any(|(a, b)| a < b)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::journal::{Event, FORMAT, Record};
    use crate::params::Params;
    use crate::simulate::example_study;
    use crate::study::{Ladder, StudySpec};
    use crate::trial::{FailureKind, Goal, Objective, Origin, Outcome, Rung, Segment, Seq, Trial, TrialId};
    use crate::{History, Limits};

    /// A study with the given results; one in five trials fails, those with a positive constraint break it.
    fn history(goals: &[Goal], results: &[(Vec<f64>, f64)]) -> History {
        let objective = |(i, goal): (usize, &Goal)| Objective { metric: format!("m{i}"), goal: *goal };
        let spec = StudySpec {
            objectives: goals.iter().enumerate().map(objective).collect(),
            ladder: Ladder::single(),
            limits: Limits::default(),
            ..example_study(1)
        };
        let mut events = vec![Event::Created { format: FORMAT, spec: spec.clone() }];
        for (i, (values, constraint)) in (0..).zip(results) {
            let (segment, trial, rung) = (Segment(i), TrialId(i), Rung(0));
            events.push(Event::Started {
                segment,
                trial,
                params: Params::new(),
                origin: Origin::New,
                from: None,
                until: rung,
                attempt: 1,
                saw: Seq(0),
                suggest_seconds: 0.0,
            });
            if i % 5 == 4 {
                let reason = "as planned".to_owned();
                events.push(Event::Failed { segment, trial, kind: FailureKind::Error, reason });
                continue;
            }
            let outcome = Outcome { values: values.clone(), constraints: vec![*constraint], cost: 1.0 };
            events.push(Event::Reported { segment, trial, rung, outcome: outcome.clone() });
            events.push(Event::Finished { segment, trial, partial: false, outcome, curve: vec![] });
        }
        let mut history = History::new(&spec);
        for (seq, event) in (0..).map(Seq).zip(events) {
            history.apply(&Record { seq, event }).expect("it follows");
        }
        history
    }

    /// The definition, over all pairs.
    fn by_pairs(history: &History) -> Vec<TrialId> {
        let goals: Vec<Goal> = history.spec().objectives.iter().map(|objective| objective.goal).collect();
        let feasible = |trial: &&Trial| trial.is_complete() && trial.reports[0].1.violation() == 0.0;
        let all: Vec<&Trial> = history.trials().iter().filter(feasible).collect();
        let values = |trial: &Trial| trial.reports[0].1.values.clone();
        let beaten = |b: &Trial| {
            all.iter().any(|a| {
                let pairs: Vec<(Goal, f64, f64)> =
                    goals.iter().zip(values(a)).zip(values(b)).map(|((goal, a), b)| (*goal, a, b)).collect();
                let worse = pairs.iter().any(|(goal, a, b)| goal.better(*b, *a));
                let better = pairs.iter().any(|(goal, a, b)| goal.better(*a, *b));
                better && !worse
            })
        };
        all.iter().filter(|trial| !beaten(trial)).map(|trial| trial.id).collect()
    }

    proptest! {
        #[test]
        fn is_what_all_pairs_say(
            up in proptest::collection::vec(any::<bool>(), 2..4),
            rows in proptest::collection::vec((proptest::collection::vec(-3..=3_i32, 3), 0..6_i32), 0..40),
        ) {
            let goals: Vec<Goal> = up.iter().map(|up| if *up { Goal::Maximize } else { Goal::Minimize }).collect();
            let results: Vec<(Vec<f64>, f64)> = rows
                .into_iter()
                .map(|(values, c)| (values[..goals.len()].iter().map(|x| f64::from(*x)).collect(), f64::from(c - 4)))
                .collect();
            let history = history(&goals, &results);
            let front: Vec<TrialId> = history.front().iter().map(|trial| trial.id).collect();
            prop_assert_eq!(front, by_pairs(&history));
        }
    }

    #[test]
    fn one_objective_has_the_best_alone() {
        let results: Vec<(Vec<f64>, f64)> = [3.0, 1.0, 1.0, 2.0].map(|x| (vec![x], 0.0)).to_vec();
        let history = history(&[Goal::Minimize], &results);
        assert_eq!(history.front().iter().map(|trial| trial.id).collect::<Vec<_>>(), [TrialId(1)]);
        let results = vec![(vec![1.0], 1.0)];
        assert!(super::tests::history(&[Goal::Minimize], &results).front().is_empty());
    }
}
