//! Fitting a trial again from its seed: on every row, fold by fold, or inside of what is left without some folds.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use trainers::{Chain, Predictions};

use super::blocks::{INNER, REFIT};
use super::oof::TrialResult;
use super::threads::Pool;
use super::trial::{FoldModel, Ground, Means, lock};
use crate::error::AutoMlError;

impl Ground {
    /// Fits a trial's candidate on all of `rows`, as a chain. Seeds are the trial's own, so it is the same each time.
    pub(crate) fn refit(
        &self,
        result: &TrialResult,
        seed: u64,
        rows: &Arc<[u32]>,
        pool: &Pool,
    ) -> Result<Chain, AutoMlError> {
        self.fit_chain(result, seed, REFIT, rows, pool)
    }

    /// The same on some rows, which `fold` names: what is shared is shared by it.
    fn fit_chain(
        &self,
        result: &TrialResult,
        seed: u64,
        fold: u16,
        rows: &Arc<[u32]>,
        pool: &Pool,
    ) -> Result<Chain, AutoMlError> {
        let candidate = self.candidate(&result.params)?.with_rounds(result.measured.rounds.refit);
        let means = Means { seed, pool, stop: &AtomicBool::new(false), until: None };
        let fitted = self.fit(&candidate, fold, 1.0, rows, None, &means).map_err(|halt| halt.into_error(result))?;
        Ok(fitted.model.chain())
    }

    /// A trial's fold models: kept ones, or fitted again from their seed.
    pub(crate) fn fold_models(&self, result: &TrialResult, seed: u64, pool: &Pool) -> Result<Vec<Chain>, AutoMlError> {
        if let Some(models) = lock(&self.kept).get(result.trial) {
            return Ok(models.iter().map(FoldModel::chain).collect());
        }
        let candidate = self.candidate(&result.params)?;
        let splits = &self.prepared.split.folds.splits;
        let means = Means { seed, pool, stop: &AtomicBool::new(false), until: None };
        let fitted = splits.iter().enumerate().map(|(fold, split)| {
            let rounds = result.measured.rounds.folds.get(fold).copied().unwrap_or(0);
            self.fit(&candidate.clone().with_rounds(rounds), fold as u16, 1.0, &split.train, None, &means)
                .map(|fitted| fitted.model.chain())
                .map_err(|halt| halt.into_error(result))
        });
        fitted.collect()
    }

    /// What a trial's candidate, fitted with the rounds of a refit, says of the rows of a fold that it was not fitted on.
    pub(crate) fn out_of_fold(
        &self,
        result: &TrialResult,
        seed: u64,
        fold: usize,
        pool: &Pool,
    ) -> Result<Predictions, AutoMlError> {
        let candidate = self.candidate(&result.params)?.with_rounds(result.measured.rounds.refit);
        let split = &self.prepared.split.folds.splits[fold];
        let stop = AtomicBool::new(false);
        let means = Means { seed, pool, stop: &stop, until: None };
        let said = self.fit(&candidate, fold as u16, 1.0, &split.train, None, &means).and_then(|fitted| {
            let said = self.predict(&fitted.model.estimator, &fitted.block, &split.valid, &stop)?;
            Ok(self.judged.round(&said))
        });
        said.map_err(|halt| halt.into_error(result))
    }

    /// Fits a trial's candidate on the rows that are left when one fold was taken out and then this inner one.
    pub(crate) fn fit_inside(
        &self,
        result: &TrialResult,
        seed: u64,
        inner: usize,
        rows: &[u32],
        pool: &Pool,
    ) -> Result<Chain, AutoMlError> {
        self.fit_chain(result, seed, INNER + inner as u16, &rows.into(), pool)
    }
}
