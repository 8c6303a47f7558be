//! The second layer: which voices it hears, and its predictions of rows it was not fitted on.
//!
//! It learns from out-of-fold predictions (Wolpert 1992), so a fold's rows are predicted by models that were fitted on the
//! other folds' rows alone; it joins the first layer's voices in the pool, and greedy selection decides what it is worth.
//! Whoever has nothing to add gets no weight.

use std::sync::Arc;

use trainers::{Algorithm, Chain, Predictions};

use super::{Conclusion, join};
use crate::ensemble::{Choice, Pool, Second, Source, Voice};
use crate::error::AutoMlError;
use crate::search::{SECOND_LAYER, each, most_heard};

/// Fewer rows than this teach a second layer nothing.
const LEAST_ROWS: usize = 200;
/// Fitting it may take this share of the time left.
const SHARE: f64 = 0.35;

impl Conclusion<'_> {
    /// The voices of the second layer on the folds of this pool, of which there are at least two; none where there is no
    /// time, nobody to hear, or where folds follow one another in time.
    pub(super) fn second_layer(&self, pool: &Pool, first: &Choice) -> Result<Vec<Voice>, AutoMlError> {
        let judged = &pool.judged;
        let inputs = inputs(pool, first);
        let few = judged.rows.len() < LEAST_ROWS || inputs.len() < 2 || judged.n_folds() < 2;
        if few || judged.in_time || self.hurry() {
            return Ok(Vec::new());
        }
        let affordable = self.affordable(pool, inputs.len());
        if affordable.is_empty() {
            return Ok(Vec::new());
        }
        self.second_voices(pool, &inputs, &affordable)
    }

    /// These algorithms as voices that hear these of the pool.
    pub(super) fn second_voices(
        &self,
        pool: &Pool,
        inputs: &[usize],
        algorithms: &[Algorithm],
    ) -> Result<Vec<Voice>, AutoMlError> {
        let judged = &pool.judged;
        let said: Vec<Predictions> = inputs.iter().map(|&at| join(pool.voices[at].predictions.iter())).collect();
        let data = self.ground.second_data(&judged.rows, &said)?;
        // Every fold of every algorithm, and one fit on all rows of each.
        let n_folds = judged.n_folds();
        let jobs: Vec<(Algorithm, Option<usize>)> = algorithms
            .iter()
            .flat_map(|&algorithm| {
                std::iter::once(None).chain((0..n_folds).map(Some)).map(move |fold| (algorithm, fold))
            })
            .collect();
        let mut done = each(&jobs, self.spec.budget.cores, |&(algorithm, fold), threads| {
            let began = self.clock.seconds();
            let folds = (0..n_folds).filter(|other| Some(*other) != fold);
            let rows: Vec<u32> = folds.flat_map(|other| judged.fold_rows(other).iter().copied()).collect();
            let estimator = self.ground.fit_second(algorithm, &data, &rows, threads)?;
            let predictions = fold.map(|fold| data.predicted(&estimator, judged.fold_rows(fold)));
            Ok((estimator, predictions, self.clock.seconds() - began))
        })?
        .into_iter();
        let mut voices = Vec::new();
        for &algorithm in algorithms {
            let Some((estimator, _, fit_seconds)) = done.next() else { break };
            let predictions: Vec<Predictions> = done.by_ref().take(n_folds).filter_map(|(_, said, _)| said).collect();
            let chain = Chain { features: data.featurizer(), estimator };
            let second = Second { algorithm, inputs: inputs.to_vec(), chain, fit_seconds };
            voices.push(Voice { source: Source::Second(Arc::new(second)), predictions: Arc::new(predictions) });
        }
        Ok(voices)
    }

    /// The algorithms for which there is time; all where time does not count.
    fn affordable(&self, pool: &Pool, n_inputs: usize) -> Vec<Algorithm> {
        let Some(until) = self.until else { return SECOND_LAYER.to_vec() };
        let mut left = (until - self.clock.seconds()).max(0.0) * SHARE;
        let n_outputs = pool.judged.target.n_outputs();
        let n_features = self.prepared.features().len() + n_inputs * (n_outputs - 1).max(1);
        let fits = (pool.judged.n_folds() + 1) as f64 / self.spec.budget.cores as f64;
        let seconds =
            |algorithm| Some(fits * self.ground.second_seconds(algorithm, pool.judged.rows.len(), n_features)?);
        let fit = |algorithm: &Algorithm| {
            let predicted = seconds(*algorithm).filter(|seconds| *seconds < left)?;
            left -= predicted;
            Some(*algorithm)
        };
        SECOND_LAYER.iter().filter_map(fit).collect()
    }
}

/// Whom the second layer hears: those the first layer's choice weighs, by weight, then the best of every algorithm that
/// is not among them, but not the constant, which would only say which fold a row is in. In the order of the pool.
fn inputs(pool: &Pool, first: &Choice) -> Vec<usize> {
    let most = most_heard(pool.judged.target.n_outputs());
    let mut weighed = first.weights.clone();
    weighed.retain(|(at, _)| !pool.voices[*at].is_constant());
    weighed.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut heard: Vec<usize> = weighed.into_iter().map(|(at, _)| at).take(most).collect();
    for (at, voice) in pool.voices.iter().enumerate() {
        let Some(result) = voice.trial().filter(|_| !voice.is_constant()) else { continue };
        let known =
            |&other: &usize| pool.voices[other].trial().is_some_and(|other| other.algorithm == result.algorithm);
        if heard.len() < most && !heard.iter().any(known) {
            heard.push(at);
        }
    }
    heard.sort_unstable();
    heard
}
