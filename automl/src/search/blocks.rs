//! Column blocks, built once per (plan, fold, share of rows) and shared by every trial that asks for the same thing,
//! within a bound on memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use datasets::Table;
use trainers::{Block, FeaturePlan, Featurizer};

/// A fitted featurizer with what it makes of the whole table.
#[derive(Debug)]
pub(crate) struct Featurized {
    pub(crate) featurizer: Arc<Featurizer>,
    pub(crate) block: Arc<Block>,
}

/// What makes two blocks the same: the plan and the training rows, which (fold, permille of rows) name.
type Key = (FeaturePlan, u16, u16);
type Slot = Arc<OnceLock<Result<Arc<Featurized>, String>>>;

/// The shared blocks of one search.
#[derive(Debug)]
pub(crate) struct BlockCache {
    table: Arc<Table>,
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
    pub(crate) fn new(table: Arc<Table>, capacity: u64, bounded: bool) -> Self {
        Self { table, capacity, bounded, inner: Mutex::default() }
    }

    /// The block of this plan fitted on these rows; built by the first who asks, awaited by the others.
    pub(crate) fn get(
        &self,
        plan: &FeaturePlan,
        fold: u16,
        rows_share: f64,
        rows: &[u32],
    ) -> Result<Arc<Featurized>, String> {
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
        let featurizer = Featurizer::fit(plan, &self.table, rows).map_err(|error| error.to_string())?;
        let bytes = featurizer.names().len() as u64 * self.table.n_rows() as u64 * 4;
        if self.bounded && bytes > self.capacity {
            return Err(format!(
                "{} features of {} rows need {}, more than the {} of memory left for features; raise --memory",
                featurizer.names().len(),
                self.table.n_rows(),
                crate::spec::Bytes(bytes),
                crate::spec::Bytes(self.capacity),
            ));
        }
        let block = featurizer.apply(&self.table).map_err(|error| error.to_string())?;
        Ok(Featurized { featurizer: Arc::new(featurizer), block: Arc::new(block) })
    }

    /// Lets go of the least recently used blocks until the rest fits; whoever still computes on one keeps it alive.
    fn shrink(&self, keep: &Key) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let size = |slot: &Slot| match slot.get() {
            Some(Ok(featurized)) => featurized.block.bytes() as u64,
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
