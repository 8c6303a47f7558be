//! Out-of-fold predictions: what a finished trial leaves behind, and all that choosing and ensembling read.

use std::collections::BTreeMap;
use std::sync::Arc;

use datasets::{FoldKind, Folds};
use hyperdrive::{Params, TrialId};
use trainers::{Measure, MetricError, Predictions, Target};

use super::rounds::Rounds;

/// Stored as `f32` little endian, row-major in the order of the folds' validation rows, less `offset`.
const WIDTH: usize = size_of::<f32>();

/// Folds made of one validation split, so that a choice can be judged on rows it did not see.
pub(crate) const REFOLDS: usize = 5;

/// The rows on which trials are judged, in storage order, and how they fall into folds.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    /// Table rows, fold after fold.
    pub(crate) rows: Vec<u32>,
    /// Where each fold begins in `rows`; one more entry than folds.
    pub(crate) starts: Vec<usize>,
    /// The target.
    pub(crate) target: Arc<Target>,
    /// The metric that chooses.
    pub(crate) metric: Measure,
    /// Whether folds follow one another in time.
    pub(crate) in_time: bool,
    /// Subtracted before numbers are rounded to `f32`: the mean of a regression's target, so that a large level does
    /// not eat the digits of small differences. 0 for probabilities.
    offset: f64,
    /// Divides what is left: the power of two above the target's spread, so that no target is too large for an `f32`.
    /// 1 for probabilities.
    scale: f64,
}

impl Judged {
    pub(crate) fn new(folds: &Folds, target: Arc<Target>, metric: Measure) -> Self {
        let mut starts = vec![0];
        let mut rows = Vec::new();
        for split in &folds.splits {
            rows.extend_from_slice(&split.valid);
            starts.push(rows.len());
        }
        let offset = target.numbers().map_or(0.0, |numbers| {
            rows.iter().map(|&row| numbers[row as usize]).sum::<f64>() / rows.len().max(1) as f64
        });
        let spread = target
            .numbers()
            .map_or(1.0, |numbers| rows.iter().map(|&row| (numbers[row as usize] - offset).abs()).fold(0.0, f64::max));
        let scale = if spread > 0.0 && spread.is_finite() { spread.log2().ceil().exp2() } else { 1.0 };
        let in_time = folds.kind == FoldKind::TimeOrdered;
        Self { rows, starts, target, metric, in_time, offset, scale }
    }

    /// Some rows as a single fold.
    pub(crate) fn of_rows(rows: Vec<u32>, target: Arc<Target>, metric: Measure) -> Self {
        Self { starts: vec![0, rows.len()], rows, target, metric, in_time: false, offset: 0.0, scale: 1.0 }
    }

    /// The same rows in another order, cut elsewhere.
    pub(crate) fn reordered(&self, order: &[usize], starts: Vec<usize>) -> Self {
        Self { rows: order.iter().map(|&i| self.rows[i]).collect(), starts, ..self.clone() }
    }

    /// How many folds.
    pub(crate) fn n_folds(&self) -> usize {
        self.starts.len() - 1
    }

    /// The table rows of one fold.
    pub(crate) fn fold_rows(&self, fold: usize) -> &[u32] {
        &self.rows[self.starts[fold]..self.starts[fold + 1]]
    }

    /// The score of predictions for some fold's rows.
    pub(crate) fn score_fold(
        &self,
        fold: usize,
        predictions: &Predictions,
        threshold: f64,
    ) -> Result<f64, MetricError> {
        self.metric.score(&self.target, self.fold_rows(fold), predictions, threshold)
    }

    /// Rounds to what is stored, so that a score can be computed again from the file to the last bit.
    pub(crate) fn round(&self, predictions: &Predictions) -> Predictions {
        let values = predictions.values().iter().map(|v| self.unpacked(self.packed(*v)));
        Predictions::new(predictions.n_outputs(), values.collect())
    }

    fn packed(&self, value: f64) -> f32 {
        ((value - self.offset) / self.scale) as f32
    }

    fn unpacked(&self, stored: f32) -> f64 {
        f64::from(stored) * self.scale + self.offset
    }

    /// The stored form.
    pub(crate) fn encode(&self, folds: &[Predictions]) -> Vec<u8> {
        let values = folds.iter().flat_map(Predictions::values);
        values.flat_map(|v| self.packed(*v).to_le_bytes()).collect()
    }

    /// Reads the stored form; `None` when it does not fit these rows.
    pub(crate) fn decode(&self, bytes: &[u8]) -> Option<Vec<Predictions>> {
        let n_outputs = self.target.n_outputs();
        if bytes.len() != self.rows.len() * n_outputs * WIDTH {
            return None;
        }
        let values: Vec<f64> =
            bytes.chunks_exact(WIDTH).map(|b| self.unpacked(f32::from_le_bytes([b[0], b[1], b[2], b[3]]))).collect();
        let fold = |f: usize| values[self.starts[f] * n_outputs..self.starts[f + 1] * n_outputs].to_vec();
        Some((0..self.n_folds()).map(|f| Predictions::new(n_outputs, fold(f))).collect())
    }
}

/// A finished trial as the ensemble and the leaderboard see it.
#[derive(Debug, Clone)]
pub(crate) struct TrialResult {
    pub(crate) trial: TrialId,
    pub(crate) params: Params,
    pub(crate) algorithm: String,
    pub(crate) fold_scores: Vec<f64>,
    pub(crate) measured: Measured,
}

/// What a finished trial has cost and come to, kept as metrics of its run.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Measured {
    /// Seconds to fit one fold, on average; 0 when not known.
    pub(crate) fit_seconds: f64,
    /// Microseconds to predict one row, features included; 0 when not known.
    pub(crate) predict_us: f64,
    pub(crate) rounds: Rounds,
}

impl Measured {
    const FIT_SECONDS: &str = "fit_seconds";
    const PREDICT_US: &str = "predict_us_per_row";
    const ROUNDS: &str = "rounds";

    pub(crate) fn metrics(&self) -> Vec<(String, f64)> {
        let mut all =
            vec![(Self::FIT_SECONDS.to_owned(), self.fit_seconds), (Self::PREDICT_US.to_owned(), self.predict_us)];
        if self.rounds.refit > 0 {
            all.push((Self::ROUNDS.to_owned(), self.rounds.refit as f64));
            let folds = self.rounds.folds.iter().zip(1..);
            all.extend(folds.map(|(rounds, fold)| (format!("{}_{fold}", Self::ROUNDS), *rounds as f64)));
        }
        all
    }

    pub(crate) fn of(metrics: &BTreeMap<String, f64>) -> Self {
        let of = |name: &str| metrics.get(name).copied().unwrap_or(0.0);
        let fold = |fold: usize| metrics.get(&format!("{}_{fold}", Self::ROUNDS)).map(|rounds| *rounds as usize);
        let rounds = Rounds { folds: (1..).map_while(fold).collect(), refit: of(Self::ROUNDS) as usize };
        Self { fit_seconds: of(Self::FIT_SECONDS), predict_us: of(Self::PREDICT_US), rounds }
    }
}

impl TrialResult {
    /// `logistic_regression #12`.
    pub(crate) fn name(&self) -> String {
        format!("{} #{}", self.algorithm, self.trial.0)
    }

    /// The score that chooses: the mean over folds.
    pub(crate) fn score(&self) -> f64 {
        mean(&self.fold_scores)
    }
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Sample standard deviation; 0 below two values.
pub(crate) fn deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let m = mean(values);
    (values.iter().map(|v| (v - m) * (v - m)).sum::<f64>() / (values.len() - 1) as f64).sqrt()
}
