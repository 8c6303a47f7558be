//! Fitting a second layer: the features of the search with what the first layer says of each row behind them, and trees
//! on both. Who hears whom, and whether it is worth it, is decided in `conclude`.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use trainers::model::heard;
use trainers::trees::Bins;
use trainers::{
    Algorithm, Block, Encoding, Estimator, FeaturePlan, Featurizer, Predictions, Scaling, Shape, TrainData,
};

use super::blocks::MAX_BINS;
use super::oof::REFOLDS;
use super::threads::Pool;
use super::trial::{Ground, lock};
use crate::error::AutoMlError;

/// The models of a second layer: shallow and few trees, for the first layer has done the work. One corrects, one
/// averages.
pub(crate) const SECOND_LAYER: [Algorithm; 2] = [Algorithm::LightGbm, Algorithm::ExtremeRandomTrees];

/// Most voices that are heard.
const MOST_INPUTS: usize = 10;
/// Most columns they may make, classes counted.
const MOST_COLUMNS: usize = 150;

/// How many voices may be heard, when each has so many outputs.
pub(crate) fn most_heard(n_outputs: usize) -> usize {
    MOST_INPUTS.min(MOST_COLUMNS / (n_outputs - 1).max(1))
}

/// What a second layer learns from.
pub(crate) struct SecondData {
    featurizer: Arc<Featurizer>,
    block: Arc<Block>,
    bins: Arc<Bins>,
}

impl SecondData {
    pub(crate) fn featurizer(&self) -> Featurizer {
        (*self.featurizer).clone()
    }

    /// What a model that was fitted on this predicts of some rows of it.
    pub(crate) fn predicted(&self, estimator: &Estimator, rows: &[u32]) -> Predictions {
        estimator.predict(&self.block, rows)
    }
}

impl Ground {
    /// What voices said of the judged rows, beside the features. `said` holds each voice's predictions in the order of
    /// `rows`.
    pub(crate) fn second_data(&self, rows: &[u32], said: &[Predictions]) -> Result<SecondData, AutoMlError> {
        let failed = |reason: String| AutoMlError::NoModel { reason, hint: None };
        let plan = FeaturePlan {
            categorical: Encoding::Native,
            scaling: Scaling::None,
            columns: self.columns.clone(),
            settings: self.prepared.settings.clone(),
        };
        let featurized = self.blocks.get(&plan, 0, 1.0, rows).map_err(failed)?;
        let n_rows = featurized.block.n_rows;
        let wide: Vec<Predictions> = said.iter().map(|own| scattered(own, rows, n_rows)).collect();
        let block = Arc::new(featurized.block.beside(&heard(wide.iter(), n_rows)));
        let bins =
            Bins::cut(std::slice::from_ref(&block), rows, MAX_BINS).map_err(|error| failed(error.to_string()))?;
        Ok(SecondData { featurizer: featurized.featurizer.clone(), block, bins: Arc::new(bins) })
    }

    /// Fits one model of the second layer on some rows.
    pub(crate) fn fit_second(
        &self,
        algorithm: Algorithm,
        data: &SecondData,
        rows: &[u32],
        pool: &Pool,
    ) -> Result<Estimator, AutoMlError> {
        let prepared = &self.prepared;
        let data = TrainData {
            bins: Some(data.bins.clone()),
            weights: prepared.weights.as_ref().map(|weights| weights.values.clone()),
            pool: pool.clone(),
            ..TrainData::new(vec![data.block.clone()], rows.into(), prepared.target.clone(), prepared.split.folds.seed)
        };
        let shape = data.shape();
        let failed = |error: trainers::TrainError| AutoMlError::NoModel {
            reason: format!("stacked {algorithm} could not be fitted: {error}"),
            hint: None,
        };
        let mut training = algorithm.trainer().start(&data, &settings(algorithm, &shape), None).map_err(failed)?;
        training.advance(1.0, &AtomicBool::new(false)).map_err(failed)?;
        training.model().map_err(failed)
    }

    /// Seconds that a whole second layer takes, every fold and all rows, when it hears as many voices as it may.
    pub(crate) fn second_layer_seconds(&self, cores: usize) -> f64 {
        let (n_rows, n_outputs) = (self.judged.rows.len(), self.judged.target.n_outputs());
        let n_features = self.columns.len() + most_heard(n_outputs) * (n_outputs - 1).max(1);
        let each = SECOND_LAYER.iter().filter_map(|algorithm| self.second_seconds(*algorithm, n_rows, n_features));
        each.sum::<f64>() * (self.judged.n_folds().max(REFOLDS) + 1) as f64 / cores as f64
    }

    /// Seconds that fitting a model of the second layer on so many rows and features takes, from what trials of the
    /// same algorithm took; none when there were none.
    pub(crate) fn second_seconds(&self, algorithm: Algorithm, n_rows: usize, n_features: usize) -> Option<f64> {
        let trainer = algorithm.trainer();
        let own = Self::shape(&self.prepared);
        let (mut seconds, mut work) = (0.0, 0.0);
        for result in lock(&self.finished).values().filter(|result| result.algorithm == algorithm.name()) {
            let candidate = self.candidate(&result.params).ok()?;
            let rounds = result.measured.rounds.folds.iter().copied().max().unwrap_or(0);
            seconds += result.measured.fit_seconds;
            work += trainer.work(&own, &candidate.params) * candidate.share_of_work(rounds);
        }
        let shape = Shape { n_rows, n_features, ..own };
        (work > 0.0).then(|| seconds / work * trainer.work(&shape, &settings(algorithm, &shape)))
    }
}

/// Hyperparameters of the second layer.
fn settings(algorithm: Algorithm, shape: &Shape) -> hyperdrive::Params {
    let defaults = algorithm.trainer().default_params(shape);
    match algorithm {
        Algorithm::LightGbm => defaults
            .with("n_estimators", 100_i64)
            .with("learning_rate", 0.05)
            .with("num_leaves", 8_i64)
            .with("colsample_bytree", 0.5),
        _ => defaults.with("n_estimators", 150_i64).with("min_child_samples", 3_i64).with("max_features", "half"),
    }
}

/// Predictions of some rows as predictions of every table row, missing elsewhere.
fn scattered(said: &Predictions, rows: &[u32], n_rows: usize) -> Predictions {
    let n = said.n_outputs();
    let mut values = vec![f64::NAN; n_rows * n];
    for (own, &row) in said.rows().zip(rows) {
        values[row as usize * n..][..n].copy_from_slice(own);
    }
    Predictions::new(n, values)
}
