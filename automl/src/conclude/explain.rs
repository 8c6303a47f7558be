//! What matters: permutation importance on rows the fold models never saw.

use datasets::Table;
use rayon::prelude::*;
use trainers::explain::shuffled;
use trainers::{Chain, Fitted, Member, Model};

use super::Conclusion;
use crate::ensemble::{Choice, Pool};
use crate::error::AutoMlError;
use crate::search::each;

/// Rows on which columns are shuffled.
const IMPORTANCE_ROWS: usize = 1000;
/// Shuffling columns may take this share of the time left.
const IMPORTANCE_SHARE: f64 = 0.25;
/// Fewer rows than this say nothing about a column.
const IMPORTANCE_LEAST: usize = 100;

impl Conclusion<'_> {
    /// Permutation importance (Breiman 2001) of the best single model, on validation rows its fold models never saw.
    pub(super) fn importance(&self, pool: &Pool, single: &Choice, cut: f64) -> Result<Vec<(String, f64)>, AutoMlError> {
        let (at, _) = single.weights[0];
        let Some(result) = pool.voices[at].trial() else { return Ok(Vec::new()) };
        if (self.hurry() || self.until.is_some()) && !self.ground.keeps(result.trial) {
            return Ok(Vec::new());
        }
        let models = each(&[result], self.spec.budget.cores, |result, threads| {
            self.ground.fold_models(result, self.seed(result.trial), threads)
        })?;
        let chains = &models[0];
        let fold = 0;
        let mut rows: Vec<u32> = pool.judged.fold_rows(fold).to_vec();
        let mut rng = hyperdrive::keyed_rng(self.spec.seed, 0, "importance rows");
        rand::seq::SliceRandom::shuffle(rows.as_mut_slice(), &mut rng);
        rows.truncate(IMPORTANCE_ROWS);
        let chain: &Chain = &chains[fold];
        let member = Member { weight: 1.0, chains: vec![chain.clone()], name: result.name() };
        let model = Fitted::new(self.card(None, String::new()), vec![member]);
        let direction = self.prepared.metric.goal();
        let score = |table: &Table, rows: &[u32]| -> Result<f64, AutoMlError> {
            let predictions = model.predict(table)?;
            Ok(direction.signed(self.prepared.metric.score(&self.prepared.target, rows, &predictions, cut)?))
        };
        let began = self.clock.seconds();
        let mut table = self.prepared.table.take(&rows)?;
        let Ok(mut whole) = score(&table, &rows) else { return Ok(Vec::new()) };
        if let Some(until) = self.until {
            // One pass over the rows tells what a pass per column will take.
            let now = self.clock.seconds();
            let passes = (now - began) * self.prepared.schema.columns.len() as f64 / self.spec.budget.cores as f64;
            let affordable = (until - now).max(0.0) * IMPORTANCE_SHARE;
            if passes > affordable {
                rows.truncate((rows.len() as f64 * affordable / passes) as usize);
                if rows.len() < IMPORTANCE_LEAST {
                    return Ok(Vec::new());
                }
                table = self.prepared.table.take(&rows)?;
                whole = match score(&table, &rows) {
                    Ok(whole) => whole,
                    Err(_) => return Ok(Vec::new()),
                };
            }
        }
        let columns = self.prepared.features();
        let mut found: Vec<(String, f64)> = columns
            .into_par_iter()
            .enumerate()
            .filter_map(|(i, name)| {
                let mut order: Vec<u32> = (0..rows.len() as u32).collect();
                let mut rng = hyperdrive::keyed_rng(self.spec.seed, i as u64, "importance");
                rand::seq::SliceRandom::shuffle(order.as_mut_slice(), &mut rng);
                let mixed = shuffled(&table, &name, &order).ok()?;
                Some((name, whole - score(&mixed, &rows).ok()?))
            })
            .collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Ok(found)
    }
}
