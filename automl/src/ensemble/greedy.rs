//! Greedy ensemble selection with replacement (Caruana, Niculescu-Mizil, Crew & Ksikes, "Ensemble selection from
//! libraries of models", ICML 2004, section 2): start from the best, add whichever member helps most, keep the best
//! prefix. Weights are counts over the length of that prefix.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use trainers::{MetricError, Predictions};

use super::blend;
use crate::search::{Judged, TrialResult};

/// Rounds of adding.
const ROUNDS: usize = 25;
/// Rounds without improvement after which nothing more is tried.
const PATIENCE: usize = 4;
/// An improvement smaller than this share of the score is none.
const NOISE: f64 = 1e-9;

/// The trials an ensemble may draw on, best first, with their predictions at hand.
pub(crate) struct Pool {
    pub(crate) judged: Judged,
    pub(crate) members: Vec<(TrialResult, Arc<Vec<Predictions>>)>,
}

/// Members (by position in the pool) and their weights, which sum to 1.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Choice {
    pub(crate) weights: Vec<(usize, f64)>,
}

impl Choice {
    /// The ensemble's predictions of one fold.
    pub(crate) fn predict(&self, pool: &Pool, fold: usize) -> Predictions {
        blend(self.weights.iter().map(|&(member, weight)| (weight, &pool.members[member].1[fold])))
    }

    /// The ensemble's score of each given fold.
    pub(crate) fn scores(&self, pool: &Pool, folds: &[usize], threshold: f64) -> Result<Vec<f64>, MetricError> {
        folds.iter().map(|&fold| pool.judged.score_fold(fold, &self.predict(pool, fold), threshold)).collect()
    }
}

/// Chooses on the given folds only; `max_members` 1 picks the single best. When `late`, what is picked so far stands.
pub(crate) fn choose(
    pool: &Pool,
    folds: &[usize],
    max_members: usize,
    late: &(dyn Fn() -> bool + Sync),
) -> Result<Choice, MetricError> {
    let direction = pool.judged.metric.goal();
    let score_of = |sums: &[Vec<f64>], member: usize, n: f64| -> Result<f64, MetricError> {
        let mut total = 0.0;
        for (sum, &fold) in sums.iter().zip(folds) {
            let own = &pool.members[member].1[fold];
            let values = sum.iter().zip(own.values()).map(|(s, v)| (s + v) / n).collect();
            total += pool.judged.score_fold(fold, &Predictions::new(own.n_outputs(), values), 0.5)?;
        }
        Ok(direction.signed(total / folds.len() as f64))
    };
    let mut sums: Vec<Vec<f64>> = folds.iter().map(|&fold| vec![0.0; pool.members[0].1[fold].values().len()]).collect();
    let (mut picked, mut best, mut best_len) = (Vec::new(), f64::NEG_INFINITY, 0);
    for round in 0..ROUNDS {
        let n = (round + 1) as f64;
        let scores: Vec<Result<f64, MetricError>> =
            (0..pool.members.len()).into_par_iter().map(|member| score_of(&sums, member, n)).collect();
        let mut leader: Option<(usize, f64)> = None;
        for (member, score) in scores.into_iter().enumerate() {
            let score = score?;
            if leader.is_none_or(|(_, top)| score > top) {
                leader = Some((member, score));
            }
        }
        let Some((member, score)) = leader else { break };
        picked.push(member);
        for (sum, &fold) in sums.iter_mut().zip(folds) {
            for (total, value) in sum.iter_mut().zip(pool.members[member].1[fold].values()) {
                *total += value;
            }
        }
        if score > best + NOISE * best.abs().min(1e300) {
            (best, best_len) = (score, picked.len());
        }
        if picked.len() - best_len >= PATIENCE || max_members == 1 || late() {
            break;
        }
    }
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for &member in &picked[..best_len.max(1)] {
        *counts.entry(member).or_insert(0) += 1;
    }
    let total = best_len.max(1) as f64;
    Ok(Choice { weights: counts.into_iter().map(|(member, n)| (member, n as f64 / total)).collect() })
}
