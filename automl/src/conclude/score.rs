//! Scores that nothing was chosen on: nested, on a holdout, on a test set; and the threshold.

use std::collections::BTreeMap;
use std::sync::Arc;

use trainers::{Fitted, Metric, Predictions, Target, Task};

use super::{Conclusion, join};
use crate::ensemble::{Choice, Interval, Nested, Pool, best_threshold, bootstrap, threshold_metric};
use crate::error::AutoMlError;
use crate::leaderboard::{Score, Threshold};
use crate::predict::predict_rows;
use crate::search::{Judged, mean};

/// Bins of the expected calibration error.
const CALIBRATION_BINS: usize = 15;
/// Metrics shown beside the one that chooses; those that rank every class apart would cost seconds on large tables, and
/// `automl evaluate` has them all.
const OTHERS: &[Metric] = &[
    Metric::RocAuc,
    Metric::LogLoss,
    Metric::Accuracy,
    Metric::BalancedAccuracy,
    Metric::F1,
    Metric::AveragePrecision,
    Metric::MatthewsCorrelation,
    Metric::Precision,
    Metric::Recall,
    Metric::BrierScore,
    Metric::CohenKappa,
    Metric::NormMacroRecall,
    Metric::WeightedAccuracy,
    Metric::Rmse,
    Metric::Mae,
    Metric::R2,
    Metric::MedianAbsoluteError,
    Metric::SpearmanCorrelation,
    Metric::Mape,
    Metric::Rmsle,
    Metric::ExplainedVariance,
    Metric::NormalizedRootMeanSquaredError,
    Metric::NormalizedMeanAbsoluteError,
];
/// Resamples behind an interval.
const RESAMPLES: usize = 200;

impl Conclusion<'_> {
    pub(super) fn threshold(&self, judged: &Judged, folds: &[(usize, Predictions)]) -> Option<Threshold> {
        if self.prepared.task() != Task::Binary {
            return None;
        }
        let metric = threshold_metric(&judged.metric);
        let value = best_threshold(judged, &metric, folds);
        let rows: Vec<u32> = folds.iter().flat_map(|(fold, _)| judged.fold_rows(*fold).iter().copied()).collect();
        let all = join(folds.iter().map(|(_, predictions)| predictions));
        let at = |threshold| metric.score(&judged.target, &rows, &all, threshold).unwrap_or(f64::NAN);
        Some(Threshold { value, metric: metric.name().into(), score: at(value), score_at_half: at(0.5) })
    }

    pub(super) fn on_nested(&self, judged: &Judged, honest: &Nested, unseen: bool) -> Score {
        let parts: Vec<(usize, &Predictions, f64)> =
            honest.0.iter().map(|part| (part.fold, &part.predictions, part.threshold)).collect();
        let rows: Vec<u32> = parts.iter().flat_map(|(fold, ..)| judged.fold_rows(*fold).iter().copied()).collect();
        let interval = bootstrap(judged, &parts, self.resamples(rows.len()), self.spec.seed);
        let all = join(parts.iter().map(|(_, predictions, _)| *predictions));
        let threshold = mean(&parts.iter().map(|(.., threshold)| *threshold).collect::<Vec<_>>());
        let source = if unseen { "nested out-of-fold" } else { "validation (used to choose)" };
        self.score(honest.score(), interval, source, &judged.target, &rows, &all, threshold)
    }

    /// The models as they were before any refit, on the rows nothing was chosen on.
    pub(super) fn on_holdout(
        &self,
        pool: &Pool,
        choice: &Choice,
        rows: &Arc<[u32]>,
        cut: f64,
    ) -> Result<Score, AutoMlError> {
        let bag = self.bag(pool, choice)?;
        let table = self.prepared.table.take(rows)?;
        let predictions = predict_rows(&bag, &table)?;
        let target = &self.prepared.target;
        let value = self.prepared.metric.score(target, rows, &predictions, cut)?;
        let interval = self.interval_of(target, rows, &predictions, cut);
        let mut score = self.score(value, interval, "holdout", target, rows, &predictions, cut);
        score.looks = self.looks + 1;
        Ok(score)
    }

    pub(super) fn on_test(&self, fitted: &Fitted, cut: f64) -> Result<Option<Score>, AutoMlError> {
        let Some(test) = &self.prepared.test else { return Ok(None) };
        let table = test.table.take(&test.rows)?;
        let predictions = predict_rows(fitted, &table)?;
        let value = self.prepared.metric.score(&test.target, &test.rows, &predictions, cut)?;
        let target = Arc::new(test.target.clone());
        let interval = self.interval_of(&target, &test.rows, &predictions, cut);
        Ok(Some(self.score(value, interval, "test", &test.target, &test.rows, &predictions, cut)))
    }

    fn interval_of(&self, target: &Arc<Target>, rows: &[u32], predictions: &Predictions, cut: f64) -> Option<Interval> {
        let judged = Judged::of_rows(rows.to_vec(), target.clone(), self.prepared.metric.clone());
        bootstrap(&judged, &[(0, predictions, cut)], self.resamples(rows.len()), self.spec.seed)
    }

    fn resamples(&self, n_rows: usize) -> usize {
        let affordable = 4_000_000 / n_rows.max(1);
        let most = if self.hurry() { RESAMPLES / 4 } else { RESAMPLES };
        affordable.clamp(40, most)
    }

    #[expect(clippy::too_many_arguments, reason = "one place makes every kind of score from its parts")]
    fn score(
        &self,
        value: f64,
        interval: Option<Interval>,
        source: &str,
        target: &Target,
        rows: &[u32],
        predictions: &Predictions,
        cut: f64,
    ) -> Score {
        let own = &self.prepared.metric;
        let measured = OTHERS.iter().filter(|metric| !own.is(**metric) && metric.tasks().contains(&target.task));
        let figure = |metric| own.with(metric).score(target, rows, predictions, cut).ok();
        let mut others: BTreeMap<String, f64> =
            measured.filter_map(|&metric| Some((metric.name().to_owned(), figure(metric)?))).collect();
        if target.task.is_classification() {
            let ece = trainers::expected_calibration_error(target, rows, predictions, CALIBRATION_BINS);
            others.extend(ece.ok().map(|ece| ("expected_calibration_error".to_owned(), ece)));
        }
        Score {
            metric: own.name().into(),
            value,
            interval: interval.map(|interval| (interval.low, interval.high)),
            source: source.into(),
            n_rows: rows.len(),
            others,
            within_noise_of: None,
            looks: 0,
        }
    }
}
