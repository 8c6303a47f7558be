//! Which options to take of the choices that decide what exists.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::split::{Weighted, split};
use crate::sampler::effort::Effort;
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

/// An option drawn with odds of one to the trials it should take to improve on the best of all ([`Effort`]); those that were never tried come first.
fn promising(column: &[f64], levels: usize, inside: &Structure, rng: &mut ChaCha8Rng) -> usize {
    let mut arms = vec![Effort::NEW; levels];
    for result in &inside.results {
        if let Some(arm) = arms.get_mut(option(column[result.row], levels)) {
            arm.hear(result.loss, 1.0);
        }
    }
    for row in &inside.pending {
        if let Some(arm) = arms.get_mut(option(column[*row], levels)) {
            arm.spend(1.0);
        }
    }
    let new: Vec<usize> = (0..levels).filter(|option| arms[*option].spent == 0.0).collect();
    if !new.is_empty() {
        return new[rng.random_range(0..new.len())];
    }
    let best = arms.iter().map(|arm| arm.best[0]).fold(f64::INFINITY, f64::min);
    let odds: Vec<f64> = arms.iter().map(|arm| arm.to_improve(best).recip()).collect();
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
