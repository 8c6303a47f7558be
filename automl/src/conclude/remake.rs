//! The same model on other rows: members, rounds, weights, blend and threshold as a recipe has them, nothing chosen anew.
//! A second layer is fitted on what the members say, out of fold, of the new rows, by the folds that a fit would use.

use std::sync::Arc;

use hyperdrive::TrialId;
use trainers::{Algorithm, Fitted, Predictions};

use super::Conclusion;
use super::choose::refold;
use crate::ensemble::{Choice, Nested, Pool, Source, Unseen, Voice};
use crate::error::AutoMlError;
use crate::leaderboard::Score;
use crate::life::Recipe;
use crate::prepare::thousands;
use crate::search::{Measured, Rounds, TrialResult, each};

/// A model made again.
pub(crate) struct Remade {
    pub(crate) fitted: Fitted,
    /// Its score on rows that its members were not fitted on; none where that was not asked for.
    pub(crate) score: Option<Score>,
}

impl Conclusion<'_> {
    /// Fits a recipe on every row, and scores it out of fold where `scored`. `of` names the model it comes from.
    pub(crate) fn remake(&self, recipe: &Recipe, of: &str, scored: bool) -> Result<Remade, AutoMlError> {
        let mut pool = self.members(recipe, scored || !recipe.second.is_empty())?;
        let refolded = if pool.judged.n_folds() > 1 || recipe.second.is_empty() {
            None
        } else {
            Some(refold(&pool, self.spec.seed).ok_or_else(|| AutoMlError::NoModel {
                reason: "the rows are too few to fit a second layer again".into(),
                hint: Some("add rows, or fit anew".into()),
            })?)
        };
        let mut honest = refolded.unwrap_or_else(|| pool.clone());
        let mut weights: Vec<(usize, f64)> =
            recipe.members.iter().map(|member| member.weight).enumerate().filter(|(_, weight)| *weight > 0.0).collect();
        // All of a second layer hears the same.
        if let Some(first) = recipe.second.first() {
            let algorithms: Vec<Algorithm> = recipe.second.iter().map(|voice| voice.algorithm).collect();
            let second = self.second_voices(&honest, &first.inputs, &algorithms)?;
            weights.extend((pool.voices.len()..).zip(recipe.second.iter().map(|voice| voice.weight)));
            let order = honest.judged.clone();
            honest = honest.with(second.iter().cloned());
            pool = pool.with(second.into_iter().map(|voice| voice.in_order(Some(&order), &pool.judged)));
        }
        let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
        let blended = weights.iter().map(|&(at, weight)| (at, weight / total)).collect();
        let score = if scored {
            Some(self.of_recipe(&honest, &Choice { weights: blended, blend: recipe.blend }, recipe)?)
        } else {
            None
        };
        let n = thousands(self.prepared.rows.len());
        let scores = if scored { "scores are from before that" } else { "its scores are those of the earlier data" };
        let mut card = self.card(None, format!("fitted again on all {n} rows by the recipe of {of}; {scores}"));
        card.threshold = recipe.threshold;
        // Weights as they are: counts over their number, which no division may change.
        let fitted = self.on_every_row(&pool, &Choice { weights, blend: recipe.blend }, card)?;
        Ok(Remade { fitted, score })
    }

    /// The members of a recipe as voices, with their predictions out of fold where they are needed.
    fn members(&self, recipe: &Recipe, predicted: bool) -> Result<Pool, AutoMlError> {
        let judged = &self.ground.judged;
        let n_folds = judged.n_folds();
        let results: Vec<TrialResult> = recipe
            .members
            .iter()
            .map(|member| TrialResult {
                trial: TrialId(member.trial),
                params: member.params.clone(),
                algorithm: member.algorithm.clone(),
                fold_scores: Vec::new(),
                measured: Measured {
                    rounds: Rounds { folds: vec![member.rounds; n_folds], refit: member.rounds },
                    ..Measured::default()
                },
            })
            .collect();
        let folds = if predicted { n_folds } else { 0 };
        let jobs: Vec<(&TrialResult, usize)> =
            results.iter().flat_map(|result| (0..folds).map(move |fold| (result, fold))).collect();
        let said = each(&jobs, self.spec.budget.cores, |&(result, fold), threads| {
            self.ground.out_of_fold(result, self.seed(result.trial), fold, threads)
        })?;
        let mut said = said.into_iter();
        let voices = results.iter().map(|result| Voice {
            source: Source::Trial(result.clone()),
            predictions: Arc::new(said.by_ref().take(folds).collect::<Vec<Predictions>>()),
        });
        let voices = voices.collect();
        Ok(Pool { judged: judged.clone(), voices, most_us: f64::INFINITY })
    }

    /// The score of the recipe on rows that its members were not fitted on.
    fn of_recipe(&self, pool: &Pool, choice: &Choice, recipe: &Recipe) -> Result<Score, AutoMlError> {
        let threshold = recipe.threshold.unwrap_or(0.5);
        let folds = (0..pool.judged.n_folds()).map(|fold| {
            let predictions = choice.predict(pool, fold);
            let score = pool.judged.score_fold(fold, &predictions, threshold)?;
            Ok(Unseen { fold, predictions, threshold, score })
        });
        let judged = Nested(folds.collect::<Result<_, AutoMlError>>()?);
        let mut score = self.on_nested(&pool.judged, &judged, true);
        score.source =
            format!("out-of-fold on the new data ({}), nothing chosen on it", self.prepared.split.in_words());
        Ok(score)
    }
}
