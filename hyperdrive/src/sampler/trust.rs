//! How far the order of trials at a low rung can be trusted.

use crate::history::History;
use crate::trial::{Rung, Trial};

/// Share of pairs in the same order at a rung and at the top from which the rung is trusted: Kendall's τ of 1/2.
const TRUSTED: f64 = 0.75;
/// Pairs that nothing is known of, half of them in order: what a rung must make up for by evidence. With all others in
/// order, four finished trials (six pairs) are enough.
const PRIOR_PAIRS: f64 = 6.0;
/// The latest so many finished trials are compared.
const MOST_TRIALS: usize = 48;

/// The lowest rung whose order of trials is that of the top often enough; the top where there is none.
///
/// Every finished trial that passed a rung is evidence of it. Those who got to the top by promotion differ less than
/// all do, so the share errs low; as soon as a rung is no longer trusted new trials pass it unselected, and mend that.
/// After the measurements of Hyper-Tune (Li et al., VLDB 2022, section 4.1), which weighs brackets by how well the
/// order at their first rung foretells the last.
pub(super) fn lowest_trusted(history: &History) -> Rung {
    let top = history.spec().top();
    let goal = history.spec().goal();
    let finished: Vec<&Trial> =
        history.trials().iter().rev().filter(|trial| trial.at(top).is_some()).take(MOST_TRIALS).collect();
    let trusted = |rung: &Rung| {
        let of = |trial: &Trial, at| trial.at(at).map(|outcome| outcome.rank(goal));
        let both: Vec<_> = finished.iter().filter_map(|trial| Some((of(trial, *rung)?, of(trial, top)?))).collect();
        let mut pairs = PRIOR_PAIRS;
        let mut in_order = PRIOR_PAIRS / 2.0;
        for (i, a) in both.iter().enumerate() {
            for b in &both[..i] {
                pairs += 1.0;
                in_order += match (a.0.cmp(&b.0), a.1.cmp(&b.1)) {
                    (low, high) if low.is_eq() || high.is_eq() => 0.5,
                    (low, high) if low == high => 1.0,
                    _ => 0.0,
                };
            }
        }
        in_order / pairs >= TRUSTED
    };
    (0..top.0).map(Rung).find(trusted).unwrap_or(top)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Event, FORMAT, Record};
    use crate::params::Params;
    use crate::simulate::example_study;
    use crate::trial::{Origin, Outcome, Segment, Seq, TrialId};

    /// A history of trials that reported these values at three rungs and have finished.
    fn finished(rows: &[[f64; 3]]) -> History {
        let spec = example_study(1);
        let mut events = vec![Event::Created { format: FORMAT, spec: spec.clone() }];
        for (i, row) in (0..).zip(rows) {
            let (segment, trial) = (Segment(i), TrialId(i));
            events.push(Event::Started {
                segment,
                trial,
                params: Params::new(),
                origin: Origin::New,
                from: None,
                until: Rung(2),
                attempt: 1,
                saw: Seq(0),
                suggest_seconds: 0.0,
            });
            let outcomes = row.map(|value| Outcome::single(value, 1.0));
            for (rung, outcome) in (0..).map(Rung).zip(outcomes.clone()) {
                events.push(Event::Reported { segment, trial, rung, outcome });
            }
            let outcome = outcomes[2].clone();
            events.push(Event::Finished { segment, trial, partial: false, outcome, curve: Vec::new() });
        }
        let mut history = History::new(&spec);
        for (seq, event) in (0..).map(Seq).zip(events) {
            history.apply(&Record { seq, event }).expect("it follows");
        }
        history
    }

    #[test]
    fn by_hand() {
        let all = |n: u32| (0..n).map(|i| [f64::from(i); 3]).collect::<Vec<_>>();
        // Three in order are 3 pairs: (3 + 3) / (3 + 6) = 2/3; four are 6: 9 / 12.
        assert_eq!(lowest_trusted(&finished(&all(3))), Rung(2));
        assert_eq!(lowest_trusted(&finished(&all(4))), Rung(0));
        // The first rung says the opposite, the second the same.
        let rows: Vec<_> = (0..6).map(f64::from).map(|x| [-x, x, x]).collect();
        assert_eq!(lowest_trusted(&finished(&rows)), Rung(1));
        // A constant tells nothing: half of the pairs.
        let rows: Vec<_> = (0..6).map(f64::from).map(|x| [0.0, 0.0, x]).collect();
        assert_eq!(lowest_trusted(&finished(&rows)), Rung(2));
        assert_eq!(lowest_trusted(&finished(&[])), Rung(2));
    }
}
