//! The model that is saved: its members fitted on every row, or the bag of their fold models.

use std::collections::BTreeMap;
use std::sync::Arc;

use hyperdrive::TrialId;
use trainers::{Blend, Fitted, Member, ModelCard, Stacked, Task};

use super::Conclusion;
use crate::ensemble::{Choice, Pool, Second, Source};
use crate::error::AutoMlError;
use crate::leaderboard::Threshold;
use crate::prepare::thousands;
use crate::search::{TrialResult, each};

/// Refits are predicted to take at most this share of the time left.
const REFIT_SHARE: f64 = 0.8;

/// Who takes part in a choice.
struct Cast<'a> {
    /// The trials with a vote or a hearer, with their weights.
    trials: Vec<(&'a TrialResult, f64)>,
    /// Those of the second layer, with their weights and the positions of what they hear among `trials`.
    second: Vec<(&'a Second, f64, Vec<usize>)>,
    blend: Blend,
}

impl<'a> Cast<'a> {
    fn of(pool: &'a Pool, choice: &Choice) -> Self {
        let mut weights: BTreeMap<usize, f64> = choice.weights.iter().copied().collect();
        for &(at, _) in &choice.weights {
            if let Source::Second(second) = &pool.voices[at].source {
                second.inputs.iter().for_each(|&input| {
                    weights.entry(input).or_insert(0.0);
                });
            }
        }
        let first = weights.iter().filter_map(|(&at, &weight)| Some((at, pool.voices[at].trial()?, weight)));
        let (places, trials): (Vec<usize>, Vec<_>) = first.map(|(at, result, weight)| (at, (result, weight))).unzip();
        let place = |at: &usize| places.binary_search(at).ok();
        let second = choice.weights.iter().filter_map(|&(at, weight)| match &pool.voices[at].source {
            Source::Second(second) => Some((&**second, weight, second.inputs.iter().filter_map(place).collect())),
            Source::Trial(_) => None,
        });
        Self { trials, second: second.collect(), blend: choice.blend }
    }

    /// The model of its members, fitted in the order of `trials`.
    fn with(&self, card: ModelCard, members: Vec<Member>) -> Fitted {
        let second = self.second.iter().map(|(second, weight, inputs)| Stacked {
            weight: *weight,
            inputs: inputs.clone(),
            chain: second.chain.clone(),
            name: second.name(),
        });
        Fitted { stacked: second.collect(), blend: self.blend, ..Fitted::new(card, members) }
    }
}

impl Conclusion<'_> {
    /// Members as bags of their fold models.
    pub(super) fn bag(&self, pool: &Pool, choice: &Choice) -> Result<Fitted, AutoMlError> {
        let cast = Cast::of(pool, choice);
        let members = each(&cast.trials, self.spec.budget.cores, |&(result, weight), threads| {
            let chains = self.ground.fold_models(result, self.seed(result.trial), threads)?;
            Ok(Member { weight, chains, name: result.name() })
        })?;
        Ok(cast.with(self.card(None, String::new()), members))
    }

    pub(super) fn seed(&self, trial: TrialId) -> u64 {
        hyperdrive::trial_seed(self.spec.seed, trial)
    }

    /// Fits the chosen members on every row as far as there is time, those that weigh most first; the others stay the bags
    /// of their fold models.
    pub(super) fn fit_final(
        &self,
        pool: &Pool,
        choice: &Choice,
        threshold: Option<&Threshold>,
    ) -> Result<(Fitted, Vec<(String, f64)>), AutoMlError> {
        let members: Vec<(String, f64)> =
            choice.weights.iter().map(|&(at, weight)| (pool.voices[at].name(), weight)).collect();
        let rows: Arc<[u32]> = self.prepared.rows.clone().into();
        let cast = Cast::of(pool, choice);
        let refits = self.refits(&cast);
        let jobs: Vec<((&TrialResult, f64), bool)> = cast.trials.iter().copied().zip(refits).collect();
        let fitted = each(&jobs, self.spec.budget.cores, |&((result, weight), refit), threads| {
            let seed = self.seed(result.trial);
            let member = |chains| Member { weight, chains, name: result.name() };
            let mut failed = None;
            if refit {
                match self.ground.refit(result, seed, &rows, threads) {
                    Ok(chain) => return Ok((member(vec![chain]), true, None)),
                    Err(error) => failed = Some(error.to_string()),
                }
            }
            let mut chains = self.ground.fold_models(result, seed, threads)?;
            if self.spec.max_latency.is_some() {
                // A bag of them would take as many times as long.
                chains.truncate(1);
            }
            Ok((member(chains), false, failed))
        })?;
        let n_refitted = fitted.iter().filter(|(_, refitted, _)| *refitted).count();
        let failed = fitted.iter().find_map(|(.., failed)| failed.clone());
        let words = self.trained_on(n_refitted, fitted.len(), failed);
        let fitted = fitted.into_iter().map(|(member, ..)| member).collect();
        Ok((cast.with(self.card(threshold, words), fitted), members))
    }

    /// Which rows so many of the members were fitted on, and why not all were.
    fn trained_on(&self, n_refitted: usize, n_members: usize, failed: Option<String>) -> String {
        let n = thousands(self.prepared.rows.len());
        if n_refitted == n_members {
            return format!("fitted on all {n} rows; scores are from before that");
        }
        let why = match failed {
            Some(reason) => format!("a refit failed: {reason}"),
            None if self.hurry() => "stopped before a refit".into(),
            None if n_refitted > 0 => "no time was left to refit more".into(),
            None => "no time was left to refit".into(),
        };
        let splits = &self.prepared.split.folds.splits;
        let bag = if splits.len() > 1 && self.spec.max_latency.is_none() {
            format!("the mean of {} fold models, each fitted on its part of {n} rows", splits.len())
        } else {
            format!("fitted on {} of {n} rows", thousands(splits[0].train.len()))
        };
        if n_refitted == 0 {
            return format!("{bag}; {why}");
        }
        let scored_before = "scores are from before that";
        format!(
            "{n_refitted} of {n_members} members fitted on all {n} rows; {scored_before}; the others are {bag}; {why}"
        )
    }

    /// The chosen members fitted on every row.
    pub(super) fn on_every_row(&self, pool: &Pool, choice: &Choice, card: ModelCard) -> Result<Fitted, AutoMlError> {
        let rows: Arc<[u32]> = self.prepared.rows.clone().into();
        let cast = Cast::of(pool, choice);
        let members = each(&cast.trials, self.spec.budget.cores, |&(result, weight), threads| {
            let chain = self.ground.refit(result, self.seed(result.trial), &rows, threads)?;
            Ok(Member { weight, chains: vec![chain], name: result.name() })
        })?;
        Ok(cast.with(card, members))
    }

    /// Which members are fitted on every row. Predicted from what the folds took: a refit sees more rows than any of them.
    fn refits(&self, cast: &Cast<'_>) -> Vec<bool> {
        let kept = |result: &TrialResult| self.ground.keeps(result.trial);
        let mut refits: Vec<bool> =
            cast.trials.iter().map(|(result, _)| !self.hurry() && self.until.is_none() || !kept(result)).collect();
        let (Some(until), false) = (self.until, self.hurry()) else { return refits };
        let affordable = REFIT_SHARE * (until - self.clock.seconds());
        let mut order: Vec<usize> = (0..refits.len()).collect();
        order.sort_by(|&a, &b| cast.trials[b].1.total_cmp(&cast.trials[a].1).then(a.cmp(&b)));
        let seconds = |refits: &[bool]| {
            let chosen = cast.trials.iter().zip(refits).filter(|(_, refit)| **refit);
            let each = chosen.map(|((result, _), _)| result.measured.fit_seconds);
            self.ground.refit_seconds(each, self.spec.budget.cores)
        };
        for at in order {
            let before = std::mem::replace(&mut refits[at], true);
            if seconds(&refits) > affordable {
                refits[at] = before;
            }
        }
        refits
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
