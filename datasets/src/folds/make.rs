//! The folds themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::deck::Deck;
use super::order::{check_rows, time_blocks};
use crate::error::DataError;

/// One division of rows into those to learn from and those to score on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Table rows to learn from, ascending.
    #[serde(with = "crate::arc_slice")]
    pub train: Arc<[u32]>,
    /// Table rows to score on, ascending.
    #[serde(with = "crate::arc_slice")]
    pub valid: Arc<[u32]>,
}

/// Divisions of the same rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folds {
    /// The divisions, in fold order.
    pub splits: Vec<Split>,
    /// By which rule they were made.
    pub kind: FoldKind,
    /// The seed they were made from; 0 where nothing was drawn.
    pub seed: u64,
}

/// By which rule folds are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FoldKind {
    /// Each fold has the classes in the same proportions.
    Stratified,
    /// Folds of equal size.
    Plain,
    /// Rows of one group are never on both sides.
    Grouped,
    /// Learn from the past, score on what follows.
    TimeOrdered,
    /// The folds a column names.
    Given,
    /// One division.
    Holdout,
}

impl fmt::Display for FoldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Stratified => "stratified",
            Self::Plain => "plain",
            Self::Grouped => "grouped",
            Self::TimeOrdered => "time-ordered",
            Self::Given => "given",
            Self::Holdout => "holdout",
        })
    }
}

impl Folds {
    /// `k` folds in which every class is spread evenly: without groups, the counts of a class
    /// differ by at most 1 between folds, and so do the sizes of the folds.
    ///
    /// `classes` and `groups` hold one value per *table* row; `rows` are the table rows to divide.
    /// Rows of one group stay together, which is meant for small groups such as duplicate rows:
    /// large ones are placed first, each where its classes are scarcest, and single rows even out
    /// what is left.
    pub fn stratified(
        rows: &[u32],
        classes: &[u32],
        k: usize,
        seed: u64,
        groups: Option<&[u32]>,
    ) -> Result<Self, DataError> {
        Self::dealt(FoldKind::Stratified, rows, Some(classes), groups, k, seed)
    }

    /// `k` folds of equal size; rows of one group stay together. See [`Folds::stratified`].
    pub fn plain(rows: &[u32], k: usize, seed: u64, groups: Option<&[u32]>) -> Result<Self, DataError> {
        Self::dealt(FoldKind::Plain, rows, None, groups, k, seed)
    }

    /// `k` folds that no group crosses, as even in size, and in classes where given, as the groups
    /// allow. See [`Folds::stratified`].
    pub fn grouped(
        rows: &[u32],
        groups: &[u32],
        classes: Option<&[u32]>,
        k: usize,
        seed: u64,
    ) -> Result<Self, DataError> {
        Self::dealt(FoldKind::Grouped, rows, classes, Some(groups), k, seed)
    }

    /// `k` folds over an expanding window: the rows in order of time are cut into `k + 1` parts of
    /// like size, never between equal times, and fold i learns from parts 0 to i and scores on part
    /// i + 1.
    ///
    /// `times` holds one time per table row; a missing one ([`crate::MISSING_TIME`]) is an error.
    pub fn time_ordered(rows: &[u32], times: &[i64], k: usize) -> Result<Self, DataError> {
        check_rows(rows, Some(times.len()))?;
        let blocks = time_blocks(rows, times, &(1..=k).map(|i| i as f64 / (k + 1) as f64).collect::<Vec<_>>())?;
        if k == 0 || blocks.iter().any(Vec::is_empty) {
            let distinct = blocks.iter().flatten().map(|&row| times[row as usize]).collect::<BTreeSet<_>>();
            return Err(DataError::TooFewForFolds { k, n: distinct.len(), unit: "distinct times" });
        }
        let splits = (0..k).map(|i| Split::new(blocks[..=i].concat(), blocks[i + 1].clone())).collect();
        Ok(Self { splits, kind: FoldKind::TimeOrdered, seed: 0 })
    }

    /// One fold per distinct label, in ascending order: it scores on the rows of that label and
    /// learns from the rest.
    ///
    /// `labels` holds one label per table row.
    pub fn given<L: Ord + Clone>(rows: &[u32], labels: &[L]) -> Result<Self, DataError> {
        check_rows(rows, Some(labels.len()))?;
        let mut by_label: BTreeMap<&L, Vec<u32>> = BTreeMap::new();
        for &row in rows {
            by_label.entry(&labels[row as usize]).or_default().push(row);
        }
        if by_label.len() < 2 {
            return Err(DataError::TooFewForFolds { k: 2, n: by_label.len(), unit: "labels" });
        }
        let splits = by_label
            .keys()
            .map(|label| {
                let (valid, train) = rows.iter().partition(|&&row| labels[row as usize] == **label);
                Split::new(train, valid)
            })
            .collect();
        Ok(Self { splits, kind: FoldKind::Given, seed: 0 })
    }

    /// One division, given. Both sides must have rows, and no row may be on both.
    pub fn single(train: Vec<u32>, valid: Vec<u32>) -> Result<Self, DataError> {
        for side in [&train, &valid] {
            if side.is_empty() {
                return Err(DataError::TooFewForFolds { k: 1, n: 0, unit: "rows" });
            }
        }
        check_rows(&[train.as_slice(), &valid].concat(), None)?;
        Ok(Self { splits: vec![Split::new(train, valid)], kind: FoldKind::Holdout, seed: 0 })
    }

    /// Folds.
    pub fn len(&self) -> usize {
        self.splits.len()
    }

    /// Whether there is no fold.
    pub fn is_empty(&self) -> bool {
        self.splits.is_empty()
    }

    fn dealt(
        kind: FoldKind,
        rows: &[u32],
        classes: Option<&[u32]>,
        groups: Option<&[u32]>,
        k: usize,
        seed: u64,
    ) -> Result<Self, DataError> {
        let deck = Deck::new(rows, classes, groups, seed)?;
        let (n, unit) =
            if groups.is_some() { (deck.units.len() + deck.n_singles(), "groups") } else { (rows.len(), "rows") };
        if k < 2 || n < k {
            return Err(DataError::TooFewForFolds { k, n, unit });
        }
        let fold_of = deck.deal(k);
        let mut rows = rows.to_vec();
        rows.sort_unstable();
        let splits = (0..k)
            .map(|fold| {
                let (valid, train) = rows.iter().partition(|row| fold_of[row] == fold);
                Split::new(train, valid)
            })
            .collect();
        Ok(Self { splits, kind, seed })
    }
}

impl Split {
    /// A division of these table rows; each side is sorted.
    pub fn new(mut train: Vec<u32>, mut valid: Vec<u32>) -> Self {
        train.sort_unstable();
        valid.sort_unstable();
        Self { train: Arc::from(train), valid: Arc::from(valid) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::table::MISSING_TIME;

    /// Every row is scored on once, and no row is on both sides.
    fn check_partition(folds: &Folds, rows: &[u32]) {
        let mut expected = rows.to_vec();
        expected.sort_unstable();
        let mut scored: Vec<u32> = folds.splits.iter().flat_map(|split| split.valid.iter().copied()).collect();
        scored.sort_unstable();
        assert_eq!(scored, expected);
        for split in &folds.splits {
            let mut both = [split.train.as_ref(), &split.valid].concat();
            both.sort_unstable();
            assert_eq!(both, expected);
            assert!(split.train.is_sorted() && split.valid.is_sorted());
        }
    }

    fn spread(folds: &Folds, of: impl Fn(u32) -> bool) -> usize {
        let counts = folds.splits.iter().map(|split| split.valid.iter().filter(|&&row| of(row)).count());
        counts.clone().max().unwrap() - counts.min().unwrap()
    }

    proptest! {
        #[test]
        fn stratified_folds_are_even(
            classes in proptest::collection::vec(0_u32..4, 10..120),
            k in 2_usize..8,
            seed: u64,
        ) {
            // Every second row from the end: rows need not be all, nor in order.
            let rows: Vec<u32> = (0..classes.len() as u32).rev().step_by(2).collect();
            prop_assume!(rows.len() >= k);
            let folds = Folds::stratified(&rows, &classes, k, seed, None).unwrap();
            prop_assert_eq!(folds.len(), k);
            check_partition(&folds, &rows);
            prop_assert!(spread(&folds, |_| true) <= 1);
            for class in 0..4 {
                prop_assert!(spread(&folds, |row| classes[row as usize] == class) <= 1);
            }
            prop_assert_eq!(&folds, &Folds::stratified(&rows, &classes, k, seed, None).unwrap());
            let sorted: Vec<u32> = rows.iter().rev().copied().collect();
            prop_assert_eq!(folds, Folds::stratified(&sorted, &classes, k, seed, None).unwrap());
        }

        #[test]
        fn groups_never_cross(
            groups in proptest::collection::vec(0_u32..30, 40..100),
            classes in proptest::collection::vec(0_u32..2, 100),
            k in 2_usize..5,
            seed: u64,
        ) {
            let rows: Vec<u32> = (0..groups.len() as u32).collect();
            for folds in [
                Folds::grouped(&rows, &groups, None, k, seed),
                Folds::grouped(&rows, &groups, Some(&classes), k, seed),
                Folds::stratified(&rows, &classes, k, seed, Some(&groups)),
                Folds::plain(&rows, k, seed, Some(&groups)),
            ] {
                let folds = folds.unwrap();
                check_partition(&folds, &rows);
                for split in &folds.splits {
                    let group = |row: &u32| groups[*row as usize];
                    let crosses =
                        |row: &u32| split.train.iter().any(|other| group(other) == group(row));
                    prop_assert!(!split.valid.iter().any(crosses));
                }
            }
        }

        #[test]
        fn time_never_runs_back(
            times in proptest::collection::vec(0_i64..40, 60..120),
            k in 1_usize..5,
        ) {
            let rows: Vec<u32> = (0..times.len() as u32).collect();
            let folds = Folds::time_ordered(&rows, &times, k).unwrap();
            prop_assert_eq!(folds.len(), k);
            for split in &folds.splits {
                let last = split.train.iter().map(|&row| times[row as usize]).max().unwrap();
                let first = split.valid.iter().map(|&row| times[row as usize]).min().unwrap();
                prop_assert!(last < first);
            }
            for pair in folds.splits.windows(2) {
                prop_assert_eq!(pair[1].train.len(), pair[0].train.len() + pair[0].valid.len());
            }
        }
    }

    #[test]
    fn a_few_duplicates_leave_folds_even() {
        let classes: Vec<u32> = (0..100).map(|row| u32::from(row % 4 == 0)).collect();
        let groups: Vec<u32> = (0..100).map(|row| if row < 6 { row / 2 } else { row }).collect();
        let rows: Vec<u32> = (0..100).collect();
        let folds = Folds::stratified(&rows, &classes, 5, 7, Some(&groups)).unwrap();
        assert_eq!(spread(&folds, |row| classes[row as usize] == 1), 0);
        assert_eq!(spread(&folds, |_| true), 0);
    }

    #[test]
    fn seeds_differ() {
        let rows: Vec<u32> = (0..50).collect();
        let folds = |seed| Folds::plain(&rows, 5, seed, None).unwrap().splits;
        assert_ne!(folds(1), folds(2));
    }

    #[test]
    fn given_folds_follow_their_labels() {
        let labels = ["b", "a", "b", "c"];
        let folds = Folds::given(&[0, 1, 2, 3], &labels).unwrap();
        let valid: Vec<&[u32]> = folds.splits.iter().map(|split| split.valid.as_ref()).collect();
        assert_eq!(valid, [&[1][..], &[0, 2], &[3]]);
        assert_eq!(folds.splits[1].train.as_ref(), [1, 3]);
        assert!(matches!(Folds::given(&[0, 2], &labels), Err(DataError::TooFewForFolds { n: 1, .. })));
    }

    #[test]
    fn what_cannot_be_divided_is_named() {
        let rows: Vec<u32> = (0..4).collect();
        let error = Folds::plain(&rows, 5, 0, None).unwrap_err();
        assert_eq!(error.to_string(), "5 folds cannot be cut from 4 rows");
        let error = Folds::grouped(&rows, &[0, 0, 1, 1], None, 3, 0).unwrap_err();
        assert_eq!(error.to_string(), "3 folds cannot be cut from 2 groups");
        let error = Folds::time_ordered(&rows, &[1, 1, 1, 2], 2).unwrap_err();
        assert_eq!(error.to_string(), "2 folds cannot be cut from 2 distinct times");
        let error = Folds::time_ordered(&rows, &[1, MISSING_TIME, 3, 4], 2).unwrap_err();
        assert_eq!(error.to_string(), "the time is missing in 1 of the rows (first at row 2)");
        let error = Folds::stratified(&[0, 9], &[0, 0], 2, 0, None).unwrap_err();
        assert_eq!(error.to_string(), "row index 9 is outside of the 2 rows");
        assert!(matches!(Folds::single(vec![1], vec![1]), Err(DataError::RepeatedRow { row: 1 })));
        assert!(Folds::single(vec![1], vec![]).is_err());
        assert!(Folds::plain(&rows, 1, 0, None).is_err());
        assert!(Folds::plain(&[], 2, 0, None).is_err());
        assert!(Folds::time_ordered(&[], &[], 2).is_err());
        assert!(Folds::time_ordered(&rows, &[1, 2, 3, 4], 0).is_err());
    }

    #[test]
    fn folds_survive_serde() {
        let folds = Folds::plain(&[0, 1, 2, 3], 2, 7, None).unwrap();
        let text = serde_json::to_string(&folds).unwrap();
        assert_eq!(serde_json::from_str::<Folds>(&text).unwrap(), folds);
    }
}
