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
