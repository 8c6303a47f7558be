//! Histograms of nodes: built, searched, and kept to be used again.

use std::borrow::Cow;

use rayon::prelude::*;

use super::bins::{Bins, Group, Placed, in_pool, n_threads};
use super::growth::{Growth, Order};
use super::kernel::{Cell, add_column, add_rows, gather};
use super::split::{Asked, Histogram, Node, Scorer, Scratch, Split};

/// A histogram is kept for a node of at least this many rows per bin of a feature.
const ROWS_PER_BIN: f64 = 1.5;
/// A group of which less than this share of the features is asked about is read lane by lane.
const SHARE_OF_GROUP: f64 = 0.25;
/// Cells to add or look at before other threads are asked to help.
const WORTH_SHARING: usize = 1 << 15;

/// Builds and searches histograms over the features of some bins.
pub(super) struct Histograms<'a> {
    bins: &'a Bins,
    /// The row of each position.
    rows: &'a [u32],
    /// Bins of a feature on average.
    pub(super) mean_bins: f64,
    /// Histograms that nobody uses.
    free: Vec<Vec<Cell>>,
    near: Near,
    room: Room,
}

/// A node's rows with their cells, side by side.
#[derive(Debug, Default)]
struct Near {
    /// Whether every position is its own row.
    is_all: bool,
    rows: Vec<u32>,
    sums: Vec<Cell>,
}

/// What one thread needs for itself.
#[derive(Debug, Default)]
struct Room {
    scratch: Scratch,
    cells: Vec<Cell>,
}

impl Bins {
    /// Bins of a feature on average.
    fn mean_bins(&self) -> f64 {
        let (n, sum) = self.telling().fold((0_u32, 0), |(n, sum), j| (n + 1, sum + self.features[j].n_bins));
        sum as f64 / f64::from(n.max(1))
    }

    /// How many histograms are kept at most while a tree is grown on so many rows, and one under way: one for every
    /// leaf that has rows enough, or, of a symmetric tree, for every leaf that has rows and is asked about.
    pub(super) fn most_kept(&self, n_rows: usize, growth: &Growth) -> usize {
        let enough = match growth.order {
            Order::Symmetric => 1.0,
            Order::LeafWise | Order::DepthWise => (ROWS_PER_BIN * self.mean_bins()).max(1.0),
        };
        let leaves = match (growth.order, growth.num_leaves, growth.max_depth) {
            (Order::Symmetric, _, depth) => 1 << depth.saturating_sub(1).min(40),
            (_, 0, 0) => usize::MAX,
            (_, 0, depth) => 1 << depth.min(40),
            (_, leaves, _) => leaves,
        };
        leaves.min((n_rows as f64 / enough) as usize) + 1
    }
}

impl<'a> Histograms<'a> {
    pub(super) fn new(bins: &'a Bins, rows: &'a [u32]) -> Histograms<'a> {
        Histograms {
            bins,
            rows,
            mean_bins: bins.mean_bins(),
            free: Vec::new(),
            near: Near { is_all: rows.iter().zip(0..).all(|(&row, at)| row == at), ..Near::default() },
            room: Room::default(),
        }
    }

    /// Whether keeping the histogram of a node of so many rows costs less than building its children's anew.
    pub(super) fn pays(&self, n_rows: usize) -> bool {
        n_rows as f64 >= ROWS_PER_BIN * self.mean_bins
    }

    /// The histogram over the groups of these features, of the rows of these positions.
    pub(super) fn build(&mut self, features: &[usize], sums: &[Cell], positions: &[u32]) -> Vec<Cell> {
        let mut cells = self.free.pop().unwrap_or_default();
        cells.clear();
        cells.resize(self.bins.n_cells, 0);
        let (rows, sums) = self.near.gather(self.rows, sums, positions);
        let mut parts: Vec<(&Group, &mut [Cell])> = Vec::new();
        let mut rest = &mut cells[..];
        let mut at = 0;
        for (index, Placed { offset, group }) in self.bins.groups.iter().enumerate() {
            let (part, after) = rest.split_at_mut(offset + group.n_cells + 1 - at);
            rest = after;
            let part = &mut part[offset - at..];
            at = offset + group.n_cells + 1;
            if features.iter().any(|&feature| self.bins.places[feature].group == index) {
                parts.push((group, part));
            }
        }
        if in_pool() && rows.len() * parts.iter().map(|(group, _)| group.n_features).sum::<usize>() >= WORTH_SHARING {
            let shares = n_threads().div_ceil(parts.len());
            parts.into_par_iter().for_each(|(group, part)| add_shared(group, rows, sums, shares, part));
        } else {
            for (group, part) in parts {
                add_rows(group, rows, sums, part);
            }
        }
        cells
    }

    /// Takes a histogram back.
    pub(super) fn release(&mut self, cells: Option<Vec<Cell>>) {
        self.free.extend(cells);
    }

    /// How many histograms nobody uses.
    #[cfg(test)]
    pub(super) fn n_free(&self) -> usize {
        self.free.len()
    }

    /// The best split by any of these features, from a histogram.
    pub(super) fn search(
        &mut self,
        scorer: &Scorer<'_>,
        node: &Node,
        features: &[usize],
        cells: &[Cell],
    ) -> Option<Split> {
        let bins = self.bins;
        let asked = &scorer.ask(node);
        let of = |scratch: &mut Scratch, &feature: &usize| {
            let offset = bins.places[feature].offset;
            scorer.best(asked, &histogram(bins, feature, &cells[offset..]), scratch)
        };
        if in_pool() && features.len() as f64 * self.mean_bins >= WORTH_SHARING as f64 {
            let found = features.par_iter().map_init(Scratch::default, of);
            return scorer.confirm(asked, found.reduce(|| None, better));
        }
        let scratch = &mut self.room.scratch;
        scorer.confirm(asked, features.iter().map(|feature| of(scratch, feature)).fold(None, better))
    }

    /// The best split by any of these features, from the rows of these positions.
    pub(super) fn search_rows(
        &mut self,
        scorer: &Scorer<'_>,
        node: &Node,
        features: &[usize],
        sums: &[Cell],
        positions: &[u32],
    ) -> Option<Split> {
        let bins = self.bins;
        let (rows, sums) = self.near.gather(self.rows, sums, positions);
        let mut features = Cow::Borrowed(features);
        let group = |&feature: &usize| bins.places[feature].group;
        if !features.is_sorted_by_key(group) {
            features.to_mut().sort_by_key(group);
        }
        let groups: Vec<&[usize]> = features.chunk_by(|&a, &b| bins.places[a].group == bins.places[b].group).collect();
        let asked = &scorer.ask(node);
        let of = |room: &mut Room, members: &&[usize]| search_group(bins, scorer, asked, members, rows, sums, room);
        if in_pool() && rows.len() * features.len() >= WORTH_SHARING {
            let found = groups.par_iter().map_init(Room::default, of);
            return scorer.confirm(asked, found.reduce(|| None, better));
        }
        let room = &mut self.room;
        scorer.confirm(asked, groups.iter().map(|members| of(room, members)).fold(None, better))
    }
}

impl Near {
    /// The rows and cells of these positions.
    fn gather<'n>(&'n mut self, rows: &'n [u32], sums: &'n [Cell], positions: &'n [u32]) -> (&'n [u32], &'n [Cell]) {
        if positions.len() == rows.len() {
            // All of the view, in an order that does not matter to a sum.
            return (rows, sums);
        }
        let n = positions.len();
        self.sums.resize(self.sums.len().max(n), 0);
        gather_shared(sums, positions, &mut self.sums[..n]);
        if self.is_all {
            return (positions, &self.sums[..n]);
        }
        self.rows.resize(self.rows.len().max(n), 0);
        gather_shared(rows, positions, &mut self.rows[..n]);
        (&self.rows[..n], &self.sums[..n])
    }
}

fn gather_shared<T: Copy + Send + Sync>(items: &[T], places: &[u32], out: &mut [T]) {
    let threads = n_threads();
    if threads < 2 || places.len() < WORTH_SHARING {
        return gather(items, places, out);
    }
    let each = places.len().div_ceil(threads);
    places.par_chunks(each).zip(out.par_chunks_mut(each)).for_each(|(places, out)| gather(items, places, out));
}

/// Adds rows to a group's histogram, in so many shares at once where there are rows enough; the order does not matter
/// to sums of integers.
fn add_shared(group: &Group, rows: &[u32], sums: &[Cell], shares: usize, cells: &mut [Cell]) {
    if shares < 2 || rows.len() < 2 * cells.len() {
        add_rows(group, rows, sums, cells);
        return;
    }
    let each = rows.len().div_ceil(shares);
    let parts = rows.par_chunks(each).zip(sums.par_chunks(each)).map(|(rows, sums)| {
        let mut own = vec![0; cells.len()];
        add_rows(group, rows, sums, &mut own);
        own
    });
    for own in parts.collect::<Vec<_>>() {
        for (cell, own) in cells.iter_mut().zip(own) {
            *cell = cell.wrapping_add(own);
        }
    }
}

fn search_group(
    bins: &Bins,
    scorer: &Scorer<'_>,
    asked: &Asked<'_>,
    members: &[usize],
    rows: &[u32],
    sums: &[Cell],
    room: &mut Room,
) -> Option<Split> {
    let Placed { offset: first, group } = &bins.groups[bins.places[members[0]].group];
    let cells = &mut room.cells;
    let scratch = &mut room.scratch;
    if (members.len() as f64) < SHARE_OF_GROUP * group.n_features as f64 {
        let each = members.iter().map(|&feature| {
            let of = &bins.features[feature];
            cells.clear();
            cells.resize(of.n_bins, 0);
            add_column(&of.column, rows, sums, cells);
            scorer.best(asked, &histogram(bins, feature, cells), scratch)
        });
        return each.fold(None, better);
    }
    cells.clear();
    cells.resize(group.n_cells + 1, 0);
    add_rows(group, rows, sums, cells);
    let each = members.iter().map(|&feature| {
        let offset = bins.places[feature].offset - first;
        scorer.best(asked, &histogram(bins, feature, &cells[offset..]), scratch)
    });
    each.fold(None, better)
}

/// A feature's histogram from cells that begin with its own.
pub(super) fn histogram<'c>(bins: &Bins, feature: usize, cells: &'c [Cell]) -> Histogram<'c> {
    let of = &bins.features[feature];
    Histogram {
        feature,
        values: &cells[..of.n_values],
        missing: of.missing().map_or(0, |missing| cells[missing]),
        is_category: of.is_category(),
    }
}

fn better(best: Option<Split>, other: Option<Split>) -> Option<Split> {
    match (best, other) {
        (Some(best), Some(other)) => Some(if other.beats(&best) { other } else { best }),
        (best, other) => best.or(other),
    }
}
