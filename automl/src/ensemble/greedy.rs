//! Greedy ensemble selection with replacement (Caruana, Niculescu-Mizil, Crew & Ksikes, "Ensemble selection from
//! libraries of models", ICML 2004, section 2): start from the best, add whichever voice helps most, keep the best
//! prefix. Weights are counts over the length of that prefix. Of two means, arithmetic and geometric, the one that
//! scores better stands.

use std::collections::BTreeMap;

use rayon::prelude::*;
use trainers::{Blend, MetricError, Pooling, Predictions};

use super::temperature::best_temperature;
use super::voice::Pool;

/// Rounds of adding.
const ROUNDS: usize = 25;
/// Rounds without improvement after which nothing more is tried.
const PATIENCE: usize = 4;
/// An improvement smaller than this share of the score is none.
const NOISE: f64 = 1e-9;

/// Voices (by position in the pool) and their weights, which sum to 1, and how they are put together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Choice {
    pub(crate) weights: Vec<(usize, f64)>,
    pub(crate) blend: Blend,
}

impl Choice {
    /// The ensemble's predictions of one fold.
    pub(crate) fn predict(&self, pool: &Pool, fold: usize) -> Predictions {
        self.blend.of(self.weights.iter().map(|&(voice, weight)| (weight, &pool.voices[voice].predictions[fold])))
    }

    /// Whether it is more than one trial.
    pub(crate) fn is_ensemble(&self, pool: &Pool) -> bool {
        self.weights.len() > 1 || self.is_stacked(pool)
    }

    fn is_stacked(&self, pool: &Pool) -> bool {
        self.weights.iter().any(|&(at, _)| pool.voices[at].trial().is_none())
    }

    /// What Azure calls it: `StackEnsemble` where anything of the second layer has a vote, else `VotingEnsemble`.
    pub(crate) fn kind(&self, pool: &Pool) -> &'static str {
        if self.is_stacked(pool) { "StackEnsemble" } else { "VotingEnsemble" }
    }

    /// The ensemble's score of each given fold.
    pub(crate) fn scores(&self, pool: &Pool, folds: &[usize], threshold: f64) -> Result<Vec<f64>, MetricError> {
        folds.iter().map(|&fold| pool.judged.score_fold(fold, &self.predict(pool, fold), threshold)).collect()
    }
}

/// Chooses on the given folds only; `most` 1 picks the single best. When `late`, what is picked so far stands.
pub(crate) fn choose(
    pool: &Pool,
    folds: &[usize],
    most: usize,
    late: &(dyn Fn() -> bool + Sync),
) -> Result<Choice, MetricError> {
    let (arithmetic, mut choice) = pick(pool, folds, most, Pooling::Arithmetic, late)?;
    if most == 1 || !pool.judged.target.task.is_classification() {
        return Ok(choice);
    }
    if !late() {
        let (score, geometric) = pick(pool, folds, most, Pooling::Geometric, late)?;
        if score > arithmetic {
            choice = geometric;
        }
    }
    if !choice.is_ensemble(pool) {
        // A single model stays as it is, so that what explains it is exact.
        choice.blend = Blend::default();
        return Ok(choice);
    }
    choice.blend.temperature = best_temperature(pool, folds, &choice);
    Ok(choice)
}

/// The choice under one kind of mean, with its score, greater better.
fn pick(
    pool: &Pool,
    folds: &[usize],
    most: usize,
    pooling: Pooling,
    late: &(dyn Fn() -> bool + Sync),
) -> Result<(f64, Choice), MetricError> {
    let direction = pool.judged.metric.goal();
    let blend = Blend { pooling, ..Blend::default() };
    // What each voice adds to the sums, made once.
    let terms: Vec<Vec<Predictions>> = pool
        .voices
        .par_iter()
        .map(|voice| {
            let term = |&fold: &usize| {
                let said = &voice.predictions[fold];
                let mut sums = vec![0.0; said.values().len()];
                blend.add(&mut sums, 1.0, said);
                Predictions::new(said.n_outputs(), sums)
            };
            folds.iter().map(term).collect()
        })
        .collect();
    let score_of = |sums: &[Vec<f64>], voice: usize, n: f64| -> Result<f64, MetricError> {
        let mut total = 0.0;
        for ((sum, own), &fold) in sums.iter().zip(&terms[voice]).zip(folds) {
            let values = sum.iter().zip(own.values()).map(|(s, v)| (s + v) / n).collect();
            total += pool.judged.score_fold(fold, &blend.close(own.n_outputs(), values), 0.5)?;
        }
        Ok(direction.signed(total / folds.len() as f64))
    };
    let mut sums: Vec<Vec<f64>> = terms[0].iter().map(|term| vec![0.0; term.values().len()]).collect();
    let (mut picked, mut best, mut best_len) = (Vec::new(), f64::NEG_INFINITY, 0);
    for round in 0..ROUNDS {
        let n = (round + 1) as f64;
        let affordable = pool.affordable(&picked);
        let scores: Vec<Result<(usize, f64), MetricError>> = (0..terms.len())
            .into_par_iter()
            .filter(|&voice| affordable[voice])
            .map(|voice| Ok((voice, score_of(&sums, voice, n)?)))
            .collect();
        let mut leader: Option<(usize, f64)> = None;
        for scored in scores {
            let (voice, score) = scored?;
            if leader.is_none_or(|(_, top)| score > top) {
                leader = Some((voice, score));
            }
        }
        let Some((voice, score)) = leader else { break };
        picked.push(voice);
        for (sum, term) in sums.iter_mut().zip(&terms[voice]) {
            for (total, value) in sum.iter_mut().zip(term.values()) {
                *total += value;
            }
        }
        if score > best + NOISE * best.abs().min(1e300) {
            (best, best_len) = (score, picked.len());
        }
        if picked.len() - best_len >= PATIENCE || most == 1 || late() {
            break;
        }
    }
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for &voice in &picked[..best_len.max(1)] {
        *counts.entry(voice).or_insert(0) += 1;
    }
    let total = best_len.max(1) as f64;
    let weights = counts.into_iter().map(|(voice, n)| (voice, n as f64 / total)).collect();
    Ok((best, Choice { weights, blend }))
}
