//! Which options to take of the choices that decide what exists.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::split::{Weighted, split};
use crate::sampler::observations::{Observations, Observed};
use crate::space::Kind;

/// How often the options are drawn by what they promise rather than by what the good results have.
const EXPLORE: f64 = 0.5;

/// The part of the space to search in: a row with only those options set that decide what exists, and the results and
/// pending rows that have the same.
pub(super) struct Structure {
    pub(super) row: Vec<f64>,
    pub(super) results: Vec<Observed>,
    pub(super) pending: Vec<usize>,
}

/// The slots below which others hang, in their order, with the number of their options.
pub(super) fn deciding(observations: &Observations) -> Vec<(usize, usize)> {
    let slots = &observations.layout.slots;
    let mut deciding: Vec<(usize, usize)> = Vec::new();
    for (parent, _) in slots.iter().filter_map(|slot| slot.parent) {
        if let Kind::Category { levels } = slots[parent].kind
            && deciding.iter().all(|(other, _)| *other != parent)
        {
            deciding.push((parent, levels));
        }
    }
    deciding.sort_unstable();
    deciding
}

/// Goes down the tree. Half of the time each option is that of one good result, drawn by weight, or now and then
/// another; the other half it is drawn by the trials it should take to improve on the best: what looks worse but still
/// improves is not given up.
pub(super) fn choose(
    observations: &Observations,
    deciding: &[(usize, usize)],
    results: &[Observed],
    rng: &mut ChaCha8Rng,
) -> Structure {
    let row = vec![f64::NAN; observations.layout.len()];
    let mut structure = Structure { row, results: results.to_vec(), pending: observations.pending().collect() };
    let (below, _) = split(results);
    let model = pick(&below, rng);
    let explores = rng.random::<f64>() < EXPLORE;
    for &(slot, levels) in deciding {
        if !observations.layout.exists(&structure.row, slot) {
            continue;
        }
        let column = observations.column(slot);
        let option = if explores {
            promising(column, levels, &structure, rng)
        } else {
            // The categorical kernel of the mixture, as in `parzen`.
            let stays = 1.0 / (1.0 + levels as f64 / (below.rows.len() + 1) as f64);
            let own = model.map(|row| column[row]).filter(|at| !at.is_nan() && rng.random::<f64>() < stays);
            own.map_or_else(|| rng.random_range(0..levels), |at| at as usize)
        };
        structure.row[slot] = option as f64;
        structure.results.retain(|result| column[result.row] == option as f64);
        structure.pending.retain(|row| column[*row] == option as f64);
    }
    structure
}

/// A row by its weight; none for the prior, which has the mean weight.
fn pick(rows: &Weighted, rng: &mut ChaCha8Rng) -> Option<usize> {
    let mut u = rng.random::<f64>() * (rows.weights.iter().sum::<f64>() + rows.mean());
    let chosen = rows.rows.iter().zip(&rows.weights).find(|(_, weight)| {
        u -= *weight;
        u < 0.0
    });
    chosen.map(|(row, _)| *row)
}

/// An option drawn with odds of one to the trials it is expected to take to improve on the best of all (Wang et al.,
/// "FLAML", `MLSys` 2021, section 4.2, in trials rather than seconds); those that were never tried come first.
fn promising(column: &[f64], levels: usize, inside: &Structure, rng: &mut ChaCha8Rng) -> usize {
    let mut arms = vec![Arm::NEW; levels];
    for result in &inside.results {
        if let Some(arm) = arms.get_mut(option(column[result.row], levels)) {
            arm.hear(result.loss);
        }
    }
    for row in &inside.pending {
        if let Some(arm) = arms.get_mut(option(column[*row], levels)) {
            arm.trials += 1;
        }
    }
    let new: Vec<usize> = (0..levels).filter(|option| arms[*option].trials == 0).collect();
    if !new.is_empty() {
        return new[rng.random_range(0..new.len())];
    }
    let best = arms.iter().map(|arm| arm.best[0]).fold(f64::INFINITY, f64::min);
    let odds: Vec<f64> = arms.iter().map(|arm| arm.cost(best).recip()).collect();
    let mut u = rng.random::<f64>() * odds.iter().sum::<f64>();
    let drawn = odds.iter().position(|odds| {
        u -= odds;
        u < 0.0
    });
    drawn.unwrap_or(levels - 1)
}

/// The option at a place; beyond the last where there is none.
fn option(at: f64, levels: usize) -> usize {
    if at.is_nan() { levels } else { at as usize }
}

/// What one option has come to.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Arm {
    trials: usize,
    /// Trials up to its best result, and up to the one that was best before.
    improved: [usize; 2],
    /// Its best loss, and the one before.
    best: [f64; 2],
}

impl Arm {
    const NEW: Self = Self { trials: 0, improved: [0; 2], best: [f64::INFINITY; 2] };

    fn hear(&mut self, loss: f64) {
        self.trials += 1;
        if loss < self.best[0] {
            self.improved = [self.trials, self.improved[0]];
            self.best = [loss, self.best[0]];
        }
    }

    /// Trials it should take to improve on the best of all: as many as it took to improve on its own, and where it is
    /// behind at least what it takes to catch up at the rate of its last improvement.
    fn cost(&self, best_of_all: f64) -> f64 {
        let since = self.trials - self.improved[0];
        let between = self.improved[0] - self.improved[1];
        let own = since.max(between).max(1) as f64;
        let behind = self.best[0] - best_of_all;
        if behind <= 0.0 {
            return own;
        }
        let gained = self.best[1] - self.best[0];
        let share = if gained.is_finite() { behind / gained } else { 1.0 };
        // Without a finite loss of its own it is as far behind as can be.
        let share = if share.is_nan() { 1.0 } else { share };
        own.max(2.0 * share * (self.trials - self.improved[1]) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arm(losses: &[f64]) -> Arm {
        let mut arm = Arm::NEW;
        for loss in losses {
            arm.hear(*loss);
        }
        arm
    }

    #[test]
    fn cost_is_that_of_flaml() {
        // The best of all: four trials since its best, which took two from the one before.
        let best = arm(&[5.0, 4.0, 6.0, 3.0, 7.0, 7.0, 7.0, 7.0]);
        assert_eq!((best.improved, best.best, best.cost(3.0)), ([4, 2], [3.0, 4.0], 4.0));
        // One behind by 2, which gained 4 in its last improvement: 2 · (2 / 4) · (6 - 1) trials.
        assert_eq!(arm(&[9.0, 9.0, 5.0, 6.0, 6.0, 6.0]).cost(3.0), 5.0);
        // One result: as many trials as twice its number.
        assert_eq!(arm(&[9.0]).cost(3.0), 2.0);
        // Only pending ones.
        assert_eq!(Arm { trials: 3, ..Arm::NEW }.cost(3.0), 6.0);
    }

    #[test]
    fn what_stands_still_gives_way_to_what_improves() {
        let still = arm(&[1.0; 100]);
        let improves = arm(&[5.0, 4.0, 3.0, 2.0]);
        assert!(improves.cost(1.0) < still.cost(1.0) / 10.0);
    }
}
