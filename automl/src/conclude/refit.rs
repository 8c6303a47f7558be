//! The model that is saved: its members fitted on every row, or the bag of their fold models.

use std::sync::Arc;

use hyperdrive::TrialId;
use trainers::{Fitted, Member, ModelCard, Task};

use super::Conclusion;
use crate::ensemble::{Choice, Pool};
use crate::error::AutoMlError;
use crate::leaderboard::Threshold;
use crate::prepare::thousands;
use crate::search::each;

/// A refit is begun only when it is predicted to take at most this share of the time left.
const REFIT_SHARE: f64 = 0.8;

impl Conclusion<'_> {
    /// Members as bags of their fold models.
    pub(super) fn bag(&self, pool: &Pool, choice: &Choice) -> Result<Fitted, AutoMlError> {
        let members = each(&choice.weights, self.spec.budget.cores, |&(at, weight), threads| {
            let result = &pool.members[at].0;
            let chains = self.ground.fold_models(result, self.seed(result.trial), threads)?;
            Ok(Member { weight, chains, name: result.name() })
        })?;
        Ok(Fitted { card: self.card(None, String::new()), members })
    }

    pub(super) fn seed(&self, trial: TrialId) -> u64 {
        hyperdrive::trial_seed(self.spec.seed, trial)
    }

    /// Fits the chosen members on every row when there is time, else keeps their fold models as a bag.
    pub(super) fn fit_final(
        &self,
        pool: &Pool,
        choice: &Choice,
        threshold: Option<&Threshold>,
    ) -> Result<(Fitted, Vec<(String, f64)>), AutoMlError> {
        let members: Vec<(String, f64)> =
            choice.weights.iter().map(|&(at, weight)| (pool.members[at].0.name(), weight)).collect();
        let n = thousands(self.prepared.rows.len());
        let scored_before = "scores are from before that";
        let mut failed = None;
        if self.time_to_refit(pool, choice) {
            let rows: Arc<[u32]> = self.prepared.rows.clone().into();
            let refitted = each(&choice.weights, self.spec.budget.cores, |&(at, weight), threads| {
                let result = &pool.members[at].0;
                let chain = self.ground.refit(result, self.seed(result.trial), &rows, threads)?;
                Ok(Member { weight, chains: vec![chain], name: result.name() })
            });
            match refitted {
                Ok(refitted) => {
                    let words = format!("fitted on all {n} rows; {scored_before}");
                    return Ok((Fitted { card: self.card(threshold, words), members: refitted }, members));
                }
                Err(error) => failed = Some(error.to_string()),
            }
        }
        let why = match failed {
            Some(reason) => format!("the refit failed: {reason}"),
            None if self.hurry() => "stopped before a refit".into(),
            None => "no time was left to refit".into(),
        };
        let mut bag = self.bag(pool, choice)?;
        let splits = &self.prepared.split.folds.splits;
        let words = if splits.len() > 1 {
            format!("the mean of {} fold models, each fitted on its part of {n} rows; {why}", splits.len())
        } else {
            let part = thousands(splits[0].train.len());
            format!("fitted on {part} of {n} rows; {why}")
        };
        bag.card = self.card(threshold, words);
        Ok((bag, members))
    }

    /// Predicted from what the folds took: a refit sees more rows than any of them.
    fn time_to_refit(&self, pool: &Pool, choice: &Choice) -> bool {
        let kept = choice.weights.iter().all(|&(at, _)| self.ground.keeps(pool.members[at].0.trial));
        if self.hurry() {
            // Without the fold models a bag would cost one fit a fold.
            return !kept;
        }
        let Some(until) = self.until.filter(|_| kept) else { return true };
        let seconds = choice.weights.iter().map(|&(at, _)| pool.members[at].0.measured.fit_seconds);
        let predicted = self.ground.refit_seconds(seconds, self.spec.budget.cores);
        predicted < REFIT_SHARE * (until - self.clock.seconds())
    }

    pub(super) fn card(&self, threshold: Option<&Threshold>, trained_on: String) -> ModelCard {
        let prepared = self.prepared;
        let target = &prepared.target;
        ModelCard {
            task: target.task,
            target: self.spec.target.clone(),
            target_schema: prepared.target_schema.clone(),
            classes: target.classes.clone(),
            metric: prepared.metric.name().into(),
            threshold: threshold.map(|threshold| threshold.value),
            positive: (target.task == Task::Binary).then(|| target.classes[1].clone()),
            schema: prepared.schema.clone(),
            target_range: target.range(prepared.rows.iter().copied()),
            trained_on,
            seed: self.spec.seed,
            automl_version: env!("CARGO_PKG_VERSION").into(),
        }
    }
}
