//! Column blocks, built once per (plan, fold, share of rows) and shared by every trial that asks for the same thing,
//! within a bound on memory. What training rows see of the target there is cross-fitted. A plan that looks at no target and leaves every number as it is (the native one) would make
//! the same of every fold: it is fitted once on all rows of the search, and its features are binned once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use datasets::Table;
use trainers::transform::Supervision;
use trainers::trees::Bins;
use trainers::{Block, Encoding, FeaturePlan, Featurizer, Target};

use crate::clock::Clock;

/// Most bins a feature is cut into; a bin's number and "missing" fit a byte.
pub(super) const MAX_BINS: usize = 255;
/// The fold of a fit on every row, the holdout's too.
pub(super) const REFIT: u16 = u16::MAX;
/// The fold of what all folds share.
const SEARCH: u16 = u16::MAX - 1;
/// The first of the folds inside what is left without another fold, by the number of the inner one.
pub(super) const INNER: u16 = u16::MAX / 2;

/// A fitted featurizer with what it makes of the whole table.
#[derive(Debug)]
pub(crate) struct Featurized {
    pub(crate) featurizer: Arc<Featurizer>,
    /// In the rows it was fitted on, features that look at the target are cross-fitted.
    pub(crate) block: Arc<Block>,
    /// The block cut into bins; of native plans only, for only trees read bins.
    pub(crate) bins: Option<Arc<Bins>>,
    /// Microseconds a row that making the features took.
    pub(crate) us_per_row: f64,
}

impl Featurized {
    fn bytes(&self) -> u64 {
        (self.block.bytes() + self.bins.as_ref().map_or(0, |bins| bins.bytes())) as u64
    }
}

/// What makes two blocks the same: the plan and the training rows, which (fold, permille of rows) name.
type Key = (FeaturePlan, u16, u16);
type Slot = Arc<OnceLock<Result<Arc<Featurized>, String>>>;

/// What plans that look at the target are fitted with.
#[derive(Debug)]
pub(crate) struct Answers {
    pub(crate) target: Arc<Target>,
    /// Rows of equal number are not divided by the folds inside training rows.
    pub(crate) together: Option<Arc<[u32]>>,
    /// Seed of those folds.
    pub(crate) seed: u64,
}

/// The shared blocks of one search.
#[derive(Debug)]
pub(crate) struct BlockCache {
    table: Arc<Table>,
    answers: Answers,
    /// Every row that some fold trains or validates on, in order; none of the holdout.
    searched: Vec<u32>,
    capacity: u64,
    /// Whether a block larger than that is refused, not only let go soon.
    bounded: bool,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    slots: BTreeMap<Key, (Slot, u64 /* last use */)>,
    uses: u64,
}

impl BlockCache {
    /// Blocks over `table`, holding at most `capacity` bytes; the least recently used leave first. `bounded` refuses a
    /// single block above it: a result that must not hang on a machine's memory is not bounded by what is free.
    /// `searched` are the rows on which plans are fitted that are the same for every fold.
    pub(crate) fn new(table: Arc<Table>, answers: Answers, searched: Vec<u32>, capacity: u64, bounded: bool) -> Self {
        Self { table, answers, searched, capacity, bounded, inner: Mutex::default() }
    }

    /// The block of this plan fitted on these rows, or on all rows of the search when the plan is native and this is not
    /// a refit; built by the first who asks, awaited by the others.
    pub(crate) fn get(
        &self,
        plan: &FeaturePlan,
        fold: u16,
        rows_share: f64,
        rows: &[u32],
    ) -> Result<Arc<Featurized>, String> {
        let shared = plan.categorical == Encoding::Native && fold != REFIT;
        let (fold, rows_share, rows) = if shared { (SEARCH, 1.0, &*self.searched) } else { (fold, rows_share, rows) };
        let key = (plan.clone(), fold, (rows_share * 1000.0) as u16);
        let slot = self.slot(&key);
        let result = slot.get_or_init(|| self.build(plan, rows).map(Arc::new)).clone();
        self.shrink(&key);
        result
    }

    fn slot(&self, key: &Key) -> Slot {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.uses += 1;
        let now = inner.uses;
        let entry = inner.slots.entry(key.clone()).or_default();
        entry.1 = now;
        entry.0.clone()
    }

    fn build(&self, plan: &FeaturePlan, rows: &[u32]) -> Result<Featurized, String> {
        let Answers { target, together, seed } = &self.answers;
        let supervision = Supervision { target, together: together.as_deref(), seed: *seed };
        let fitted = Featurizer::fit_to(plan, &self.table, rows, &supervision).map_err(|error| error.to_string())?;
        let names = fitted.featurizer.names();
        let binned = plan.categorical == Encoding::Native;
        let n_cells = names.len() as u64 * self.table.n_rows() as u64;
        // A cell is an `f32`; its bin is a byte in the feature's column and one among the rows of a group.
        let bytes = n_cells * if binned { 6 } else { 4 };
        if self.bounded && bytes > self.capacity {
            return Err(format!(
                "{} features of {} rows need {}, more than the {} of memory left for features; raise --memory",
                names.len(),
                self.table.n_rows(),
                crate::spec::Bytes(bytes),
                crate::spec::Bytes(self.capacity),
            ));
        }
        let clock = Clock::start();
        let block = Arc::new(fitted.block(&self.table).map_err(|error| error.to_string())?);
        let us_per_row = clock.seconds() * 1e6 / self.table.n_rows().max(1) as f64;
        let bins = if binned {
            let blocks = std::slice::from_ref(&block);
            Some(Arc::new(Bins::cut(blocks, rows, MAX_BINS).map_err(|error| error.to_string())?))
        } else {
            None
        };
        Ok(Featurized { featurizer: Arc::new(fitted.featurizer), block, bins, us_per_row })
    }

    /// Lets go of the least recently used blocks until the rest fits; whoever still computes on one keeps it alive.
    fn shrink(&self, keep: &Key) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let size = |slot: &Slot| match slot.get() {
            Some(Ok(featurized)) => featurized.bytes(),
            _ => 0,
        };
        let mut total: u64 = inner.slots.values().map(|(slot, _)| size(slot)).sum();
        while total > self.capacity {
            let oldest = inner.slots.iter().filter(|(key, _)| *key != keep).min_by_key(|(_, (_, used))| *used);
            let Some((key, bytes)) = oldest.map(|(key, (slot, _))| (key.clone(), size(slot))) else { break };
            inner.slots.remove(&key);
            total -= bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use datasets::{Column, MISSING, Values};
    use trainers::transform::FeatureSettings;
    use trainers::{Kind, Scaling, TargetValues, Task};

    use super::*;

    /// Five rows; row 4 is the holdout's, and only it has the level `rare`.
    fn table() -> Arc<Table> {
        let levels: Arc<[String]> = ["a", "b", "rare"].map(String::from).into();
        let columns = vec![
            Column::new("n", Values::Number(vec![1.0, f64::NAN, 3.0, 4.0, 5.0])),
            Column::new("c", Values::Category { codes: vec![1, 0, 1, MISSING, 2], levels }),
        ];
        Arc::new(Table::new(columns).expect("columns of one length"))
    }

    /// A number for each of `n` rows.
    fn answers(n: u32) -> Answers {
        let values = TargetValues::Numbers((0..n).map(f64::from).collect());
        Answers {
            target: Arc::new(Target { task: Task::Regression, classes: Vec::new(), values }),
            together: None,
            seed: 7,
        }
    }

    fn plan(categorical: Encoding, scaling: Scaling) -> FeaturePlan {
        FeaturePlan {
            categorical,
            scaling,
            columns: vec!["n".into(), "c".into()],
            settings: FeatureSettings::default(),
        }
    }

    #[test]
    fn a_native_block_is_built_once_for_all_folds_and_shares() {
        let cache = BlockCache::new(table(), answers(5), vec![0, 1, 2, 3], 1_000_000, true);
        let native = plan(Encoding::Native, Scaling::None);
        let first = cache.get(&native, 0, 1.0, &[2, 3]).expect("a block");
        for (fold, share, rows) in [(1, 1.0, &[0, 1][..]), (0, 0.25, &[2]), (7, 0.5, &[])] {
            let again = cache.get(&native, fold, share, rows).expect("a block");
            assert!(Arc::ptr_eq(&first, &again), "fold {fold}, share {share}");
        }
        assert!(first.bins.is_some());
        assert_eq!(first.block.kinds, [Kind::Number, Kind::Category { n_levels: 2 }], "the holdout is not looked at");
        assert_eq!(first.block.n_rows, 5, "yet it can be predicted");
        let refit = cache.get(&native, REFIT, 1.0, &[0, 1, 2, 3, 4]).expect("a block");
        assert_eq!(refit.block.kinds[1], Kind::Category { n_levels: 3 });
        assert!(refit.bins.is_some());
    }

    #[test]
    fn other_plans_are_fitted_by_fold_and_share_and_have_no_bins() {
        let cache = BlockCache::new(table(), answers(5), vec![0, 1, 2, 3], 1_000_000, true);
        let scaled = plan(Encoding::OneHot, Scaling::Standard);
        let first = cache.get(&scaled, 0, 1.0, &[2, 3]).expect("a block");
        assert!(first.bins.is_none());
        assert!(Arc::ptr_eq(&first, &cache.get(&scaled, 0, 1.0, &[2, 3]).expect("a block")));
        assert!(!Arc::ptr_eq(&first, &cache.get(&scaled, 1, 1.0, &[0, 1]).expect("a block")));
        assert!(!Arc::ptr_eq(&first, &cache.get(&scaled, 0, 0.5, &[2]).expect("a block")));
    }

    /// Forty levels of five rows each, the target the same within each.
    #[test]
    fn training_rows_are_cross_fitted_and_others_are_not() {
        let levels: Vec<String> = (0..40).map(|level| format!("l{level}")).collect();
        let column = Values::Category { codes: (0..200).map(|row| row % 40).collect(), levels: levels.into() };
        let table = Arc::new(Table::new(vec![Column::new("c", column)]).expect("one column"));
        let values = TargetValues::Numbers((0..200).map(|row| f64::from(row % 40)).collect());
        let target = Arc::new(Target { task: Task::Regression, classes: Vec::new(), values });
        let fold = |together: Option<Arc<[u32]>>, fold: u16, train: &[u32]| {
            let answers = Answers { target: target.clone(), together, seed: 7 };
            let cache = BlockCache::new(table.clone(), answers, (0..200).collect(), 1_000_000, true);
            let plan = FeaturePlan {
                categorical: Encoding::Target,
                scaling: Scaling::None,
                columns: vec!["c".into()],
                settings: FeatureSettings::default(),
            };
            let featurized = cache.get(&plan, fold, 1.0, train).expect("a block");
            let whole = featurized.featurizer.apply(&table).expect("its table");
            (featurized.block.column(0).to_vec(), whole.column(0).to_vec())
        };
        let train: Vec<u32> = (0..160).collect();
        let (block, whole) = fold(None, 0, &train);
        assert_eq!(block[160..], whole[160..], "rows of the validation part are new rows");
        assert_ne!(block[..160], whole[..160]);
        // Rows of one level belong together: a training row has the mean of other levels, near 20.
        let (block, whole) = fold(Some((0..200).map(|row| row % 40).collect()), 1, &train);
        assert!(block[..160].iter().all(|value| (15.0..25.0).contains(value)), "{block:?}");
        assert_eq!(block[160..], whole[160..]);
        assert!((whole[39] - 39.0).abs() < 0.5, "{}", whole[39]);
    }

    #[test]
    fn what_cannot_fit_is_refused_with_figures_before_it_is_made() {
        // Two features of five rows: 40 bytes of block and 20 of bins.
        let native = plan(Encoding::Native, Scaling::None);
        let refused = BlockCache::new(table(), answers(5), vec![0, 1, 2, 3], 59, true).get(&native, 0, 1.0, &[0]);
        let reason = refused.expect_err("it does not fit");
        assert!(reason.starts_with("2 features of 5 rows need 60 B, more than the 59 B"), "{reason}");
        assert!(BlockCache::new(table(), answers(5), vec![0, 1, 2, 3], 60, true).get(&native, 0, 1.0, &[0]).is_ok());
        assert!(BlockCache::new(table(), answers(5), vec![0, 1, 2, 3], 10, false).get(&native, 0, 1.0, &[0]).is_ok());
    }
}
