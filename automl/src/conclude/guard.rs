//! Whether a second layer that scores better truly is.
//!
//! The first layer's out-of-fold predictions of a row are made by models that have seen the other folds, those among
//! them on which the second layer is then judged; what it learns may be their answers. So a fifth of the folds is taken
//! out before anything is fitted: the voices that are heard are fitted again without them, inside too, and both choices
//! are scored on them (nested cross-validation; the dynamic stacking of `AutoGluon` does the same with a holdout).

use trainers::Predictions;

use super::{Conclusion, join};
use crate::ensemble::{Choice, Pool, Source};
use crate::error::AutoMlError;
use crate::leaderboard::StackingGuard;
use crate::search::{Judged, TrialResult, deviation, each, mean};

/// One in this many folds is taken out.
const ONE_IN: usize = 5;
/// What is lost against the score that was claimed counts when it is so many standard errors.
const SURE: f64 = 2.0;
/// Checking may take this share of the time left.
const SHARE: f64 = 0.3;
/// Of fewer rows a second layer that there is no time to check is not used.
const LEAST_UNCHECKED: usize = 2000;

impl Conclusion<'_> {
    /// Whether the second layer of `two` may be used beside the voices of `one`, and what a check of it came to, where
    /// there is time and need for one. Where one split was refolded there is no need: no voice has seen a row of it.
    pub(super) fn trusts(&self, one: &Pool, two: &Pool) -> Result<(bool, Option<StackingGuard>), AutoMlError> {
        if self.ground.judged.n_folds() < 2 {
            return Ok((true, None));
        }
        let unchecked = (two.judged.rows.len() >= LEAST_UNCHECKED, None);
        let Some(inputs) = heard(two) else { return Ok(unchecked) };
        if self.hurry() || !self.has_time_to_check(&inputs) {
            return Ok(unchecked);
        }
        let (away, others) = Self::taken_out(two.judged.n_folds());
        let (in_one, in_two) = (self.choose(one, &others, usize::MAX)?, self.choose(two, &others, usize::MAX)?);
        let anew = self.without(two, &inputs, &away, &others, &in_two)?;
        let of = |pool: &Pool, choice: &Choice| losses(&two.judged, &away, &|fold| choice.predict(pool, fold));
        let guard = judged(&of(&anew, &in_one), &of(&anew, &in_two), &of(two, &in_two));
        Ok((!guard.fired, Some(guard)))
    }

    /// The folds that are taken out, and the others.
    fn taken_out(n_folds: usize) -> (Vec<usize>, Vec<usize>) {
        (0..n_folds).partition(|fold| *fold < n_folds.div_ceil(ONE_IN))
    }

    fn has_time_to_check(&self, inputs: &[(usize, &TrialResult)]) -> bool {
        let Some(until) = self.until else { return true };
        let seconds: f64 = inputs.iter().map(|(_, result)| result.measured.fit_seconds).sum();
        let predicted = seconds * self.ground.judged.n_folds() as f64 / self.spec.budget.cores as f64;
        predicted < SHARE * (until - self.clock.seconds())
    }

    /// The pool with what both layers predict of the folds taken out when nothing of them has seen these.
    fn without(
        &self,
        two: &Pool,
        inputs: &[(usize, &TrialResult)],
        away: &[usize],
        others: &[usize],
        in_two: &Choice,
    ) -> Result<Pool, AutoMlError> {
        let (judged, cores) = (&two.judged, self.spec.budget.cores);
        let rows_of = |folds: &mut dyn Iterator<Item = usize>| -> Vec<u32> {
            folds.flat_map(|fold| judged.fold_rows(fold).iter().copied()).collect()
        };
        // Each voice once for all that is taken out, and once for each fold that is left.
        let inner = || std::iter::once(None).chain(others.iter().copied().map(Some));
        let jobs: Vec<(&TrialResult, Option<usize>)> =
            inputs.iter().flat_map(|&(_, result)| inner().map(move |fold| (result, fold))).collect();
        let said = each(&jobs, cores, |&(result, fold), threads| {
            let rows = rows_of(&mut others.iter().copied().filter(|other| Some(*other) != fold));
            let chain = self.ground.fit_inside(result, self.seed(result.trial), fold.unwrap_or(0), &rows, threads)?;
            let of = fold.as_ref().map_or(away, std::slice::from_ref);
            let said = of.iter().map(|&fold| Ok(chain.predict(&self.prepared.table.take(judged.fold_rows(fold))?)?));
            said.collect::<Result<Vec<Predictions>, AutoMlError>>()
        })?;
        let mut pool = two.clone();
        let mut heard = Vec::new();
        for (&(at, _), said) in inputs.iter().zip(said.chunks_exact(1 + others.len())) {
            // Those taken out are the first folds, so this is the order of the judged rows.
            heard.push(join(said.iter().flatten()));
            for (&fold, said) in away.iter().zip(&said[0]) {
                pool.voices[at] = pool.voices[at].with(fold, said.clone());
            }
        }
        let data = self.ground.second_data(&judged.rows, &heard)?;
        let train = rows_of(&mut others.iter().copied());
        let second = in_two.weights.iter().filter_map(|&(at, _)| match &two.voices[at].source {
            Source::Second(second) => Some((at, second.algorithm)),
            Source::Trial(_) => None,
        });
        let second: Vec<_> = second.collect();
        let estimators =
            each(&second, cores, |&(_, algorithm), threads| self.ground.fit_second(algorithm, &data, &train, threads))?;
        for ((at, _), estimator) in second.into_iter().zip(estimators) {
            for &fold in away {
                let said = data.predicted(&estimator, judged.fold_rows(fold));
                pool.voices[at] = pool.voices[at].with(fold, said);
            }
        }
        Ok(pool)
    }
}

/// The trials that the second layer hears, with their places; all of it hears the same.
fn heard(pool: &Pool) -> Option<Vec<(usize, &TrialResult)>> {
    let inputs = pool.voices.iter().find_map(|voice| match &voice.source {
        Source::Second(second) => Some(&second.inputs),
        Source::Trial(_) => None,
    })?;
    inputs.iter().map(|&at| Some((at, pool.voices[at].trial()?))).collect()
}

/// The log loss or squared error of every row of some folds.
fn losses(judged: &Judged, folds: &[usize], predict: &dyn Fn(usize) -> Predictions) -> Vec<f64> {
    let loss = |row: u32, said: &[f64]| match judged.target.class(row) {
        Some(class) => -said[class as usize].max(1e-15).ln(),
        None => judged.target.number(row).map_or(0.0, |number| (number - said[0]).powi(2)),
    };
    let of_fold = |&fold: &usize| {
        let said = predict(fold);
        judged.fold_rows(fold).iter().zip(said.rows()).map(|(&row, said)| loss(row, said)).collect::<Vec<f64>>()
    };
    folds.iter().flat_map(of_fold).collect()
}

/// It fires where two layers are worse than one by more than the standard error; or where they fall behind what they
/// claimed for certain, and are not for certain better than one.
fn judged(one: &[f64], two: &[f64], claimed: &[f64]) -> StackingGuard {
    let paired = |a: &[f64], b: &[f64]| {
        let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
        (mean(&differences), deviation(&differences) / (differences.len().max(1) as f64).sqrt())
    };
    let (worse, standard_error) = paired(two, one);
    let (lost, error_of_lost) = paired(two, claimed);
    StackingGuard {
        fired: worse > standard_error || (lost > SURE * error_of_lost && worse > -standard_error),
        one_layer: mean(one),
        two_layers: mean(two),
        claimed: mean(claimed),
        standard_error,
        n_rows: one.len(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use hyperdrive::MemoryJournal;

    use super::*;
    use crate::clock::Clock;
    use crate::ensemble::Voice;
    use crate::search::{self, Ground, Status};
    use crate::spec::AutoMlSpec;

    /// Searches a few trials on the sample data and hands over what concluding has at hand.
    fn after_a_search(test: impl FnOnce(&Conclusion<'_>, Pool)) {
        let mut spec = AutoMlSpec::new("open://diabetes", "progression");
        (spec.budget.max_trials, spec.budget.cores) = (Some(6), 2);
        let prepared = Arc::new(crate::prepare::prepare(&spec).expect("the sample data"));
        let status = Arc::new(Status::default());
        let stored = Arc::new(std::sync::Mutex::new(std::collections::BTreeMap::new()));
        let shelf = stored.clone();
        let sink: search::Sink = Box::new(move |trial, bytes, _| {
            shelf.lock().expect("no panic").insert(trial, bytes.to_vec());
            Ok(())
        });
        let clock = Clock::start();
        let ground = Arc::new(Ground::new(prepared.clone(), status, clock, 1 << 30, false, true, sink));
        let study = search::study(&spec, &prepared, None);
        let mut journal = MemoryJournal::new();
        let searched = search::search(&study, &ground, 2, &mut journal, clock, &|| false).expect("a search");
        let conclusion = Conclusion {
            spec: &spec,
            prepared: &prepared,
            ground: &ground,
            history: &searched.history,
            clock,
            until: None,
            stop: &AtomicBool::new(false),
            load: &|trial| Ok(stored.lock().expect("no panic")[&trial].clone()),
            measured: &|_| Ok(search::Measured::default()),
            looks: 0,
        };
        let pool = conclusion.pool(&conclusion.finished()).expect("a pool");
        test(&conclusion, pool);
    }

    fn both_layers(conclusion: &Conclusion<'_>, pool: &Pool) -> Pool {
        let folds: Vec<usize> = (0..pool.judged.n_folds()).collect();
        let first = conclusion.choose(pool, &folds, usize::MAX).expect("a choice");
        let second = conclusion.second_layer(pool, &first).expect("a second layer");
        assert_eq!(second.len(), 2);
        pool.with(second.into_iter())
    }

    #[test]
    fn answers_planted_among_what_the_second_layer_hears_are_found_out() {
        after_a_search(|conclusion, pool| {
            let two = both_layers(conclusion, &pool);
            let (trusted, guard) = conclusion.trusts(&pool, &two).expect("a check");
            let guard = guard.expect("there is time");
            // One voice of the second layer alone is all that it hears, too.
            let alone = |at: usize| Choice { weights: vec![(at, 1.0)], blend: trainers::Blend::default() };
            assert!(!alone(0).is_ensemble(&two) && alone(pool.voices.len()).is_ensemble(&two));
            assert_eq!(alone(pool.voices.len()).kind(&two), "StackEnsemble");
            assert!(trusted && !guard.fired && guard.n_rows == 89, "{guard:?}");

            // The worst voice says, of rows it pretends not to have seen, what they are, in a way that no mean can use but
            // a tree can; fitted anew it cannot.
            let mut planted = pool.clone();
            // The constant is heard by nobody.
            let last = planted.voices.iter().rposition(|voice| !voice.is_constant()).expect("several");
            let judged = &planted.judged;
            let leaked = |fold: usize| {
                let of = |row: &u32| {
                    let number = judged.target.number(*row).expect("a number");
                    // Every other answer is turned over at 150, near the mean.
                    if row.is_multiple_of(2) { number - 1000.0 } else { 1300.0 - number }
                };
                Predictions::new(1, judged.fold_rows(fold).iter().map(of).collect())
            };
            let predictions = Arc::new((0..judged.n_folds()).map(leaked).collect());
            planted.voices[last] = Voice { predictions, source: planted.voices[last].source.clone() };
            let two = both_layers(conclusion, &planted);
            let (trusted, guard) = conclusion.trusts(&planted, &two).expect("a check");
            assert!(!trusted && guard.is_some_and(|guard| guard.fired), "{guard:?}");
        });
    }
}
