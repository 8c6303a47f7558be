//! Where to try next: the point of most expected improvement.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::acquisition::LogExpectedImprovement;
use super::surrogate::Surrogate;
use crate::numeric::descent::{Patience, descend};
use crate::numeric::normal;
use crate::sampler::sobol::Points;
use crate::space::{Kind, Layout};

/// Candidates spread over the whole space.
const SPREAD: usize = 256;
/// Candidates spread over the branches of a conditional space, shared among them.
const BRANCHES: usize = 384;
/// Best points so far whose surroundings are searched.
const ELITE: usize = 5;
/// Candidates around each of them.
const AROUND: usize = 20;
/// Candidates of each kind from which the search goes uphill.
const STARTS: usize = 3;
/// Rounds of uphill and neighbours.
const ROUNDS: usize = 4;
/// Ordered slots of at most so many levels are searched exhaustively.
const FEW: usize = 16;
/// Places looked at to find the levels of an ordered slot; one with more levels is searched as a real one.
const GRID: usize = 1_024;

const PATIENCE: Patience = Patience { steps: 30, gradient: 1e-3, decrease: 1e-5 };

/// Results without an improvement to speak of after which a margin is asked for.
const STUCK: usize = 4;
/// That margin, in the model's units.
const MARGIN: f64 = 0.01;
/// Share of the suggestions that ask for none even then.
const POLISH: f64 = 0.2;

/// The row of the layout with the most expected improvement of the surrogate's least expected loss, as far as it was
/// found, given that the points `pending` are under way, with the slots of `fixed` held at their numbers; the losses it
/// is to improve on are those at points with these numbers, if there are any. Where all that was found
/// `is_tried`, it is a row from anywhere.
///
/// Where the last few losses brought no improvement to speak of, most suggestions look only for one that would be: a
/// local minimum is not polished for ever while others wait.
pub(crate) fn propose(
    surrogate: &Surrogate,
    layout: &Layout,
    pending: &[Vec<f64>],
    fixed: &[(usize, f64)],
    is_tried: &dyn Fn(&[f64]) -> bool,
    rng: &mut ChaCha8Rng,
) -> Vec<f64> {
    let least = |losses: &[f64]| losses.iter().copied().fold(f64::INFINITY, f64::min);
    let losses = surrogate.expected_with(fixed);
    let gained = least(&losses[..losses.len().saturating_sub(STUCK)]) - least(&losses);
    let polishes = rng.random::<f64>() < POLISH;
    let margin = if gained < MARGIN && !polishes { MARGIN } else { 0.0 };
    let mut believing;
    let surrogate = if pending.is_empty() {
        surrogate
    } else {
        believing = surrogate.clone();
        for row in pending {
            believing.believe(row);
        }
        &believing
    };
    let incumbent = least(&surrogate.expected_with(fixed)) - margin;
    let mut search = Search::new(surrogate, layout, fixed, incumbent);
    let mut best: Option<((bool, f64), Vec<f64>)> = None;
    for start in search.starts(rng) {
        let (value, row) = search.climb(start);
        let worth = (!is_tried(&row), value);
        if best.as_ref().is_none_or(|(most, _)| worth > *most) {
            best = Some((worth, row));
        }
    }
    let found = best.filter(|((is_new, _), _)| *is_new);
    found.map_or_else(|| search.spread(rng, 1, fixed).swap_remove(0), |(_, row)| row)
}

struct Search<'a> {
    layout: &'a Layout,
    worth: LogExpectedImprovement<'a>,
    fixed: &'a [(usize, f64)],
    held: Vec<bool>,
    /// The places of the levels of each ordered slot that has not too many.
    levels: Vec<Vec<f64>>,
    /// How far each slot's number may go in one step of about 1.
    scales: Vec<f64>,
}

impl<'a> Search<'a> {
    fn new(surrogate: &'a Surrogate, layout: &'a Layout, fixed: &'a [(usize, f64)], incumbent: f64) -> Self {
        let mut held = vec![false; layout.len()];
        for (slot, _) in fixed {
            held[*slot] = true;
        }
        Self {
            layout,
            worth: LogExpectedImprovement::new(surrogate, incumbent),
            fixed,
            held,
            levels: layout.slots.iter().map(levels).collect(),

            scales: surrogate.lengths().iter().map(|length| length.clamp(0.02, 1.0)).collect(),
        }
    }

    /// Where to go uphill from: the best of candidates all over, around the best points, and in each branch.
    fn starts(&mut self, rng: &mut ChaCha8Rng) -> Vec<Vec<f64>> {
        let all = self.spread(rng, SPREAD, self.fixed);
        let around = self.around(rng);
        let mut starts = self.best(all, STARTS);
        starts.extend(self.best(around, STARTS));
        let branches = self.branches();
        for branch in &branches {
            let within = self.spread(rng, (BRANCHES / branches.len()).max(16), branch);
            starts.extend(self.best(within, 1));
        }
        starts
    }

    fn best(&mut self, rows: Vec<Vec<f64>>, n: usize) -> Vec<Vec<f64>> {
        let mut scored: Vec<(f64, Vec<f64>)> = rows.into_iter().map(|row| (self.worth.value(&row), row)).collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        scored.truncate(n);
        scored.into_iter().map(|(_, row)| row).collect()
    }

    fn spread(&self, rng: &mut ChaCha8Rng, n: usize, fixed: &[(usize, f64)]) -> Vec<Vec<f64>> {
        let points = Points::new(self.layout, rng);
        let row = |k: usize| {
            let mut row = points.row_with(self.layout, k as u32, fixed);
            self.layout.snap(&mut row);
            row
        };
        (0..n).map(row).collect()
    }

    /// Each option of a choice with dimensions below it, and the options that lead to it, where nothing is held against
    /// it: no branch goes without candidates of its own.
    fn branches(&self) -> Vec<Vec<(usize, f64)>> {
        let mut branches = Vec::new();
        for (slot, place) in self.layout.slots.iter().enumerate() {
            let Kind::Category { levels } = place.kind else {
                continue;
            };
            if !self.layout.slots.iter().any(|other| other.parent.is_some_and(|(parent, _)| parent == slot)) {
                continue;
            }
            for option in 0..levels {
                let mut branch = vec![(slot, option as f64)];
                let mut at = place.parent;
                while let Some((parent, option)) = at {
                    branch.push((parent, option as f64));
                    at = self.layout.slots[parent].parent;
                }
                let against = |(slot, at): &(usize, f64)| self.fixed.iter().any(|(s, x)| s == slot && x != at);
                if !branch.iter().any(against) {
                    branch.extend(self.fixed);
                    branches.push(branch);
                }
            }
        }
        branches
    }

    /// Steps of several sizes from the points with the least expected losses.
    fn around(&self, rng: &mut ChaCha8Rng) -> Vec<Vec<f64>> {
        let surrogate = self.worth.surrogate;
        let mut order: Vec<(f64, usize)> = surrogate.expected().zip(0..).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut rows = Vec::new();
        for (_, elite) in order.iter().take(ELITE) {
            for k in 0..AROUND {
                let mut row = surrogate.rows[*elite].clone();
                for (slot, at) in self.fixed {
                    row[*slot] = *at;
                }
                let size = [0.3, 0.1, 0.03, 0.01][k % 4];
                let share = [1.0, 0.3][k / 4 % 2];
                for (slot, place) in self.layout.slots.iter().enumerate() {
                    let (moves, u) = (rng.random::<f64>() < share, rng.random::<f64>());
                    if self.held[slot] {
                        continue;
                    }
                    // A slot that did not exist before may now.
                    if row[slot].is_nan() {
                        row[slot] = match place.kind {
                            Kind::Category { levels } => (u * levels as f64).floor(),
                            Kind::Real | Kind::Ordered { .. } => u,
                        };
                    } else if let Kind::Category { levels } = place.kind {
                        if u < 0.5 * size {
                            row[slot] = (rng.random::<f64>() * levels as f64).floor();
                        }
                    } else if moves {
                        let step = size * normal::quantile(u.clamp(1e-6, 1.0 - 1e-6));
                        row[slot] = (row[slot] + step).clamp(0.0, 1.0);
                    }
                }
                self.layout.snap(&mut row);
                rows.push(row);
            }
        }
        rows
    }

    /// Uphill from a row until neither a slope nor a neighbour is better; its worth, and where.
    fn climb(&mut self, mut row: Vec<f64>) -> (f64, Vec<f64>) {
        let numbers = |search: &Self, row: &[f64], discrete: bool| -> Vec<usize> {
            let free = |slot: &usize| {
                !search.held[*slot]
                    && !row[*slot].is_nan()
                    && match search.layout.slots[*slot].kind {
                        Kind::Real => true,
                        Kind::Ordered { .. } => discrete || search.levels[*slot].is_empty(),
                        Kind::Category { .. } => false,
                    }
            };
            (0..row.len()).filter(free).collect()
        };
        let mut slots = numbers(self, &row, true);
        let mut value = self.worth.value(&row);
        for round in 0..ROUNDS {
            let mut next = row.clone();
            self.ascend(&mut next, &slots);
            self.layout.snap(&mut next);
            let there = self.worth.value(&next);
            if there > value {
                (value, row) = (there, next);
            }
            let stepped = self.step(&mut row, &mut value);
            if !stepped && round > 0 {
                break;
            }
            let reals = numbers(self, &row, false);
            if !stepped && reals.len() == slots.len() {
                break;
            }
            slots = reals;
        }
        (value, row)
    }

    /// Up the slope along the given slots.
    fn ascend(&mut self, row: &mut [f64], slots: &[usize]) {
        if slots.is_empty() {
            return;
        }
        let scales: Vec<f64> = slots.iter().map(|slot| self.scales[*slot]).collect();
        let bounds: Vec<(f64, f64)> = scales.iter().map(|scale| (0.0, scale.recip())).collect();
        let mut x: Vec<f64> = slots.iter().zip(&scales).map(|(slot, scale)| row[*slot] / scale).collect();
        let mut at = row.to_vec();
        let mut slopes = vec![0.0; row.len()];
        let worth = &mut self.worth;
        descend(&mut x, &bounds, PATIENCE, &mut |x, gradient| {
            for ((slot, x), scale) in slots.iter().zip(x).zip(&scales) {
                at[*slot] = (x * scale).clamp(0.0, 1.0);
            }
            let value = worth.gradient(&at, &mut slopes);
            for ((gradient, slot), scale) in gradient.iter_mut().zip(slots).zip(&scales) {
                *gradient = -slopes[*slot] * scale;
            }
            -value
        });
        for ((slot, x), scale) in slots.iter().zip(&x).zip(&scales) {
            row[*slot] = (x * scale).clamp(0.0, 1.0);
        }
    }

    /// To the best level of each slot that has some, one after the other; whether anything was better.
    fn step(&mut self, row: &mut [f64], value: &mut f64) -> bool {
        let mut better = false;
        for slot in 0..row.len() {
            if self.held[slot] || row[slot].is_nan() {
                continue;
            }
            let mut best = row[slot];
            for other in self.neighbours(slot, row[slot]) {
                let before = std::mem::replace(&mut row[slot], other);
                let there = self.worth.value(row);
                row[slot] = before;
                if there > *value {
                    (*value, best, better) = (there, other, true);
                }
            }
            row[slot] = best;
        }
        better
    }

    /// Other levels of a slot: all, or the nearest where they are many. An option that opens or closes dimensions is
    /// left to the candidates of its branch.
    fn neighbours(&self, slot: usize, at: f64) -> Vec<f64> {
        if let Kind::Category { levels } = self.layout.slots[slot].kind {
            let opens = self.layout.slots.iter().any(|other| other.parent.is_some_and(|(parent, _)| parent == slot));
            return if opens { Vec::new() } else { (0..levels).map(|i| i as f64).filter(|i| *i != at).collect() };
        }
        let levels = &self.levels[slot];
        if levels.len() <= FEW {
            return levels.iter().copied().filter(|level| *level != at).collect();
        }
        let here = levels.partition_point(|level| *level < at) as isize;
        let near = [-8, -3, -2, -1, 0, 1, 2, 3, 8].into_iter();
        near.filter_map(|step| levels.get((here + step) as usize).copied()).filter(|level| *level != at).collect()
    }
}

/// The places of the levels of an ordered slot in their order; none where it has no levels or very many.
fn levels(slot: &crate::space::Slot) -> Vec<f64> {
    let Kind::Ordered { .. } = slot.kind else {
        return Vec::new();
    };
    let mut levels: Vec<f64> = (0..GRID).map(|i| slot.snap((i as f64 + 0.5) / GRID as f64)).collect();
    levels.dedup();
    if levels.len() > GRID / 2 { Vec::new() } else { levels }
}
