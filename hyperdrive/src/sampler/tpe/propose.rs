//! The next point from those that were seen.

use rand_chacha::ChaCha8Rng;

use super::parzen::{Axis, Bandwidth, Mixture};
use super::split::{Weighted, split};
use super::structure::{choose, deciding};
use crate::sampler::observations::{Observations, Observed};
use crate::space::Kind;

/// Kernels of numbers are at least so wide, and half a level.
const LEAST: f64 = 0.03;
const OF_A_LEVEL: f64 = 0.5;
/// Of the rows without a result the latest so many count.
const MOST_PENDING: usize = 128;
/// Weight of the prior of what is above, in trials. That of what is below is the mean weight of its kernels.
const PRIOR: f64 = 1.0;
const BANDWIDTH: Bandwidth = Bandwidth { clip: 2.0, spread: 1.0 };

/// A row for the next trial: of `candidates` draws from the density of good results, the one where it is the largest
/// multiple of the density of the others, those under way among them.
///
/// In a space with conditions the options that decide what exists are chosen first; then only results with the same
/// options count, unless there are fewer than `startup` of them.
pub(super) fn propose(
    observations: &Observations,
    results: &[Observed],
    startup: usize,
    candidates: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<f64> {
    let layout = &observations.layout;
    let deciding = deciding(observations);
    let mut row = vec![f64::NAN; layout.len()];
    let mut inside = None;
    if !deciding.is_empty() {
        let structure = choose(observations, &deciding, results, rng);
        row.clone_from(&structure.row);
        inside = Some(structure).filter(|structure| structure.results.len() >= startup);
    }
    let (below, mut above) = match &inside {
        Some(structure) => split(&structure.results),
        None => split(results),
    };
    let pending = inside.map_or_else(|| observations.pending().collect(), |structure| structure.pending);
    for waiting in pending.iter().rev().take(MOST_PENDING) {
        above.push(*waiting, 1.0);
    }
    let is_open = |slot: &usize| row[*slot].is_nan() && layout.exists(&row, *slot);
    let slots: Vec<usize> = (0..layout.len()).filter(is_open).collect();
    let axis = |slot: &usize| match layout.slots[*slot].kind {
        Kind::Category { levels } => Axis::Category { levels },
        Kind::Real | Kind::Ordered { levels: 0 } => Axis::Number { least: LEAST },
        Kind::Ordered { levels } => Axis::Number { least: LEAST.max(OF_A_LEVEL / levels as f64) },
    };
    let axes: Vec<Axis> = slots.iter().map(axis).collect();
    let mixture = |kernels: &Weighted, prior: f64| {
        let column = |slot: &usize| {
            let column = observations.column(*slot);
            kernels.rows.iter().map(|row| column[*row]).collect()
        };
        let columns: Vec<Vec<f64>> = slots.iter().map(column).collect();
        Mixture::new(&axes, &columns, &kernels.weights, prior, BANDWIDTH)
    };
    let good = mixture(&below, below.mean());
    let poor = mixture(&above, PRIOR);
    let mut best = (f64::NEG_INFINITY, Vec::new());
    for _ in 0..candidates.max(1) {
        let mut at = good.sample(rng);
        for (at, slot) in at.iter_mut().zip(&slots) {
            *at = layout.slots[*slot].snap(*at);
        }
        let ratio = good.log_density(&at) - poor.log_density(&at);
        if ratio > best.0 || best.1.is_empty() {
            best = (ratio, at);
        }
    }
    for (slot, at) in slots.iter().zip(best.1) {
        row[*slot] = at;
    }
    row
}
