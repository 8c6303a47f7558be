//! What matters: permutation importance on rows the fold models never saw, and how the prediction depends on it.

use datasets::Table;
use rayon::prelude::*;
use trainers::explain::{Inputs, View, dependence, shuffled};
use trainers::{Fitted, Member, Model};

use super::Conclusion;
use crate::ensemble::{Choice, Pool};
use crate::error::AutoMlError;
use crate::leaderboard::DependenceSummary;
use crate::search::{deviation, each, mean};

/// Rows on which columns are shuffled.
const IMPORTANCE_ROWS: usize = 1000;
/// Shuffling columns may take this share of the time left.
const IMPORTANCE_SHARE: f64 = 0.25;
/// Fewer rows than this say nothing about a column.
const IMPORTANCE_LEAST: usize = 100;
/// Shuffles of a column where there is time for more than one.
const REPEATS: usize = 3;
/// Columns whose dependence is looked at: those that matter most.
const DEPENDENCES: usize = 5;
/// Values of each of them.
const DEPENDENCE_VALUES: usize = 16;
/// Rows over which the mean is taken.
const DEPENDENCE_ROWS: usize = 300;
/// It may take this share of the time left.
const DEPENDENCE_SHARE: f64 = 0.1;

/// What the best single model looks at.
#[derive(Default)]
pub(crate) struct Explained {
    /// Loss of score when a column is shuffled, greatest first.
    pub(crate) importance: Vec<(String, f64)>,
    /// Standard deviation of each over the shuffles, in the same order; empty for one shuffle.
    pub(crate) deviations: Vec<f64>,
    pub(crate) dependence: Vec<DependenceSummary>,
}

impl Conclusion<'_> {
    /// Permutation importance (Breiman 2001) and partial dependence (Friedman 2001) of the best single model, on validation
    /// rows its fold models never saw; as much of it as there is time for.
    pub(super) fn explain(&self, pool: &Pool, single: &Choice, cut: f64) -> Result<Explained, AutoMlError> {
        let (at, _) = single.weights[0];
        let Some(result) = pool.voices[at].trial() else { return Ok(Explained::default()) };
        if (self.hurry() || self.until.is_some()) && !self.ground.keeps(result.trial) {
            return Ok(Explained::default());
        }
        let models = each(&[result], self.spec.budget.cores, |result, threads| {
            self.ground.fold_models(result, self.seed(result.trial), threads)
        })?;
        let fold = 0;
        let mut rows: Vec<u32> = pool.judged.fold_rows(fold).to_vec();
        let mut rng = hyperdrive::keyed_rng(self.spec.seed, 0, "importance rows");
        rand::seq::SliceRandom::shuffle(rows.as_mut_slice(), &mut rng);
        rows.truncate(IMPORTANCE_ROWS);
        let member = Member { weight: 1.0, chains: vec![models[0][fold].clone()], name: result.name() };
        let model = Fitted::new(self.card(None, String::new()), vec![member]);
        let began = self.clock.seconds();
        let mut table = self.prepared.table.take(&rows)?;
        if self.signed_score(&model, &table, &rows, cut).is_err() {
            return Ok(Explained::default());
        }
        // One pass over the rows tells what a pass per column will take.
        let pass = (self.clock.seconds() - began) / self.spec.budget.cores as f64;
        let passes = pass * self.prepared.schema.columns.len() as f64;
        let (affordable, n_passed) = (self.share_left(IMPORTANCE_SHARE), rows.len());
        let repeats = if passes * REPEATS as f64 > affordable { 1 } else { REPEATS };
        if passes > affordable {
            rows.truncate((rows.len() as f64 * affordable / passes) as usize);
            if rows.len() < IMPORTANCE_LEAST {
                return Ok(Explained::default());
            }
            table = self.prepared.table.take(&rows)?;
        }
        let found = self.importance(&model, &table, &rows, cut, repeats);
        let looked_at: Vec<&str> =
            found.iter().filter(|found| found.1 > 0.0).take(DEPENDENCES).map(|found| found.0.as_str()).collect();
        let n_rows = rows.len().min(DEPENDENCE_ROWS);
        let predicted = pass * (looked_at.len() * DEPENDENCE_VALUES * n_rows) as f64 / n_passed as f64;
        let dependence = if predicted > self.share_left(DEPENDENCE_SHARE) {
            Vec::new()
        } else {
            dependences(&model, &self.prepared.table.take(&rows[..n_rows])?, &looked_at)
        };
        Ok(Explained {
            deviations: if repeats > 1 { found.iter().map(|found| found.2).collect() } else { Vec::new() },
            importance: found.into_iter().map(|(name, loss, _)| (name, loss)).collect(),
            dependence,
        })
    }

    /// Seconds that a share of the time left is; without end in ordered mode.
    fn share_left(&self, share: f64) -> f64 {
        self.until.map_or(f64::INFINITY, |until| (until - self.clock.seconds()).max(0.0) * share)
    }

    fn signed_score(&self, model: &Fitted, table: &Table, rows: &[u32], cut: f64) -> Result<f64, AutoMlError> {
        let predictions = model.predict(table)?;
        let direction = self.prepared.metric.goal();
        Ok(direction.signed(self.prepared.metric.score(&self.prepared.target, rows, &predictions, cut)?))
    }

    /// Columns with the mean and the deviation of the loss, greatest first; none where the rows have no score.
    fn importance(
        &self,
        model: &Fitted,
        table: &Table,
        rows: &[u32],
        cut: f64,
        repeats: usize,
    ) -> Vec<(String, f64, f64)> {
        let Ok(whole) = self.signed_score(model, table, rows, cut) else { return Vec::new() };
        let loss = |i: usize, name: &str, repeat: usize| {
            let mut order: Vec<u32> = (0..rows.len() as u32).collect();
            let path = if repeat == 0 { "importance".to_owned() } else { format!("importance {repeat}") };
            let mut rng = hyperdrive::keyed_rng(self.spec.seed, i as u64, &path);
            rand::seq::SliceRandom::shuffle(order.as_mut_slice(), &mut rng);
            let mixed = shuffled(table, name, &order).ok()?;
            Some(whole - self.signed_score(model, &mixed, rows, cut).ok()?)
        };
        let mut found: Vec<(String, f64, f64)> = self
            .prepared
            .features()
            .into_par_iter()
            .enumerate()
            .filter_map(|(i, name)| {
                let losses: Vec<f64> = (0..repeats).map(|repeat| loss(i, &name, repeat)).collect::<Option<_>>()?;
                Some((name, mean(&losses), deviation(&losses)))
            })
            .collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        found
    }
}

/// The dependence on each of these columns; those that the model does not read or that are text are left out.
fn dependences(model: &Fitted, table: &Table, columns: &[&str]) -> Vec<DependenceSummary> {
    let Ok(inputs) = Inputs::new(model, table, View::Columns) else { return Vec::new() };
    let of = |column: &&str| {
        let part = inputs.names().iter().position(|name| name == column)?;
        let found = dependence(&inputs, part, DEPENDENCE_VALUES).ok()?;
        (!found.values.is_empty()).then_some(DependenceSummary {
            column: found.name,
            values: found.values,
            means: found.means,
        })
    };
    columns.par_iter().filter_map(of).collect()
}
