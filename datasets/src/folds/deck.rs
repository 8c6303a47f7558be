//! Rows shuffled once and dealt to folds.

use std::collections::{BTreeMap, HashMap};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::order::check_rows;
use crate::error::DataError;

/// Shuffled rows ready to be dealt: units of several rows first, then single rows class by class.
pub(super) struct Deck {
    /// Groups of more than one row, larger ones first.
    pub(super) units: Vec<Vec<u32>>,
    /// Single rows of each class.
    singles: Vec<Vec<u32>>,
    /// Dense class of each row in the deck.
    class_of: HashMap<u32, usize>,
    /// Rows of each class.
    class_sizes: Vec<usize>,
}

impl Deck {
    pub(super) fn new(
        rows: &[u32],
        classes: Option<&[u32]>,
        groups: Option<&[u32]>,
        seed: u64,
    ) -> Result<Self, DataError> {
        let n_rows = [classes, groups].into_iter().flatten().map(<[u32]>::len).min();
        check_rows(rows, n_rows)?;
        let mut shuffled = rows.to_vec();
        // Sorting first makes the draw a matter of which rows there are, not of their order.
        shuffled.sort_unstable();
        shuffled.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let mut dense: BTreeMap<u32, usize> =
            rows.iter().map(|&row| (classes.map_or(0, |classes| classes[row as usize]), 0)).collect();
        for (i, class) in dense.values_mut().enumerate() {
            *class = i;
        }
        let class_of: HashMap<u32, usize> =
            rows.iter().map(|&row| (row, dense[&classes.map_or(0, |classes| classes[row as usize])])).collect();
        let mut class_sizes = vec![0; dense.len()];
        for &class in class_of.values() {
            class_sizes[class] += 1;
        }
        let mut members: HashMap<u32, Vec<u32>> = HashMap::new();
        for &row in &shuffled {
            if let Some(groups) = groups {
                members.entry(groups[row as usize]).or_default().push(row);
            }
        }
        let mut units = Vec::new();
        let mut singles = vec![Vec::new(); dense.len()];
        for &row in &shuffled {
            match groups.map(|groups| &members[&groups[row as usize]]) {
                // A group enters where its first row was drawn.
                Some(unit) if unit.len() > 1 => {
                    if unit[0] == row {
                        units.push(unit.clone());
                    }
                }
                _ => singles[class_of[&row]].push(row),
            }
        }
        units.sort_by_key(|unit| std::cmp::Reverse(unit.len()));
        Ok(Self { units, singles, class_of, class_sizes })
    }

    pub(super) fn n_singles(&self) -> usize {
        self.singles.iter().map(Vec::len).sum()
    }

    /// Rows of each class in a unit.
    fn class_counts(&self, unit: &[u32]) -> BTreeMap<usize, usize> {
        let mut counts = BTreeMap::new();
        for row in unit {
            *counts.entry(self.class_of[row]).or_insert(0) += 1;
        }
        counts
    }

    /// The fold of each row.
    pub(super) fn deal(&self, k: usize) -> HashMap<u32, usize> {
        let mut fold_of = HashMap::with_capacity(self.class_of.len());
        let mut counts = vec![vec![0_usize; self.class_sizes.len()]; k];
        let mut totals = vec![0_usize; k];
        for unit in &self.units {
            let add = self.class_counts(unit);
            // How much the sum of squared class shares would grow: least where the unit's classes
            // are scarcest.
            let growth = |fold: usize| -> f64 {
                add.iter()
                    .map(|(&class, &n)| (2 * counts[fold][class] * n + n * n) as f64 / self.class_sizes[class] as f64)
                    .sum()
            };
            let fold = (0..k)
                .min_by(|&a, &b| growth(a).total_cmp(&growth(b)).then(totals[a].cmp(&totals[b])))
                .expect("there are at least two folds");
            for (&class, &n) in &add {
                counts[fold][class] += n;
            }
            totals[fold] += unit.len();
            fold_of.extend(unit.iter().map(|&row| (row, fold)));
        }
        for (class, singles) in self.singles.iter().enumerate() {
            for &row in singles {
                let fold = (0..k)
                    .min_by_key(|&fold| (counts[fold][class], totals[fold]))
                    .expect("there are at least two folds");
                counts[fold][class] += 1;
                totals[fold] += 1;
                fold_of.insert(row, fold);
            }
        }
        fold_of
    }

    /// `(the rest, the share)`, unsorted.
    pub(super) fn cut(&self, fraction: f64) -> (Vec<u32>, Vec<u32>) {
        let mut quota = quotas(&self.class_sizes, fraction);
        let (mut rest, mut held) = (Vec::new(), Vec::new());
        for unit in &self.units {
            let add = self.class_counts(unit);
            if add.iter().all(|(&class, &n)| n <= quota[class]) {
                for (&class, &n) in &add {
                    quota[class] -= n;
                }
                held.extend(unit);
            } else {
                rest.extend(unit);
            }
        }
        for (class, singles) in self.singles.iter().enumerate() {
            let (taken, left) = singles.split_at(quota[class].min(singles.len()));
            held.extend(taken);
            rest.extend(left);
        }
        (rest, held)
    }
}

/// How many rows of each class make up `fraction` of all, by largest remainder; at least one row of
/// each class stays.
fn quotas(sizes: &[usize], fraction: f64) -> Vec<usize> {
    let total = (sizes.iter().sum::<usize>() as f64 * fraction).round() as usize;
    let mut quota: Vec<usize> =
        sizes.iter().map(|&n| ((n as f64 * fraction).floor() as usize).min(n.saturating_sub(1))).collect();
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    let remainder = |class: usize| (sizes[class] as f64 * fraction).fract();
    order.sort_by(|&a, &b| remainder(b).total_cmp(&remainder(a)).then(a.cmp(&b)));
    let mut left = total.saturating_sub(quota.iter().sum());
    for class in order {
        if left > 0 && quota[class] + 1 < sizes[class] {
            quota[class] += 1;
            left -= 1;
        }
    }
    quota
}
