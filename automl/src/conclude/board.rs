//! The leaderboard.

use std::collections::BTreeSet;

use hyperdrive::TrialId;
use trainers::{Fitted, Model};

use super::Conclusion;
use crate::ensemble::{self, Choice, Pool, nested};
use crate::error::AutoMlError;
use crate::leaderboard::Row;
use crate::search::{deviation, mean};

/// Rows of the leaderboard that are kept.
const BOARD: usize = 25;
/// Rows on which predicting is timed.
const TIMED_ROWS: usize = 1000;

impl Conclusion<'_> {
    /// The ensemble, then the best trials; the best of each algorithm with its nested score.
    pub(super) fn board(
        &self,
        pool: &Pool,
        honest_pool: &Pool,
        finished: &[(TrialId, f64)],
        ensemble: Option<(&Choice, f64)>,
        latency_us: f64,
    ) -> Result<Vec<Row>, AutoMlError> {
        let folds: Vec<usize> = (0..pool.judged.n_folds()).collect();
        let mut rows = Vec::new();
        if let Some((choice, nested)) = ensemble {
            let scores = choice.scores(pool, &folds, 0.5)?;
            rows.push(Row {
                name: format!("{} of {}", choice.kind(pool), choice.weights.len()),
                trial: None,
                score: mean(&scores),
                deviation: deviation(&scores),
                nested: Some(nested),
                fit_seconds: choice.weights.iter().map(|&(at, _)| pool.voices[at].fit_seconds()).sum(),
                predict_us: latency_us,
                params: String::new(),
            });
        }
        let mut seen = BTreeSet::new();
        for (rank, &(trial, score)) in finished.iter().enumerate() {
            let first = seen.insert(self.algorithm(trial));
            // The best of each algorithm is shown wherever it stands.
            if rank >= BOARD && !first {
                continue;
            }
            let result = self.known(trial)?;
            rows.push(Row {
                name: result.name(),
                trial: Some(trial.0),
                score,
                deviation: deviation(&result.fold_scores),
                nested: if first { nested_of(honest_pool, &result.algorithm) } else { None },
                fit_seconds: result.measured.fit_seconds,
                predict_us: result.measured.predict_us,
                params: result.params.under(&result.algorithm).to_string(),
            });
        }
        let direction = self.prepared.metric.goal();
        rows.sort_by(|a, b| direction.signed(b.score).total_cmp(&direction.signed(a.score)));
        Ok(rows)
    }

    /// Microseconds a row of the saved model, features included.
    pub(super) fn time_per_row(&self, fitted: &Fitted) -> f64 {
        let rows: Vec<u32> = self.prepared.rows.iter().copied().take(TIMED_ROWS).collect();
        let Ok(table) = self.prepared.table.take(&rows) else { return 0.0 };
        let began = self.clock.seconds();
        if fitted.predict(&table).is_err() {
            return 0.0;
        }
        (self.clock.seconds() - began) * 1e6 / rows.len().max(1) as f64
    }
}

/// The best of one algorithm chosen without each fold, scored on it.
fn nested_of(pool: &Pool, algorithm: &str) -> Option<f64> {
    if pool.judged.n_folds() < 2 {
        return None;
    }
    let own = pool.only(|result| result.algorithm == algorithm);
    if own.voices.is_empty() {
        return None;
    }
    nested(&own, &|others| ensemble::choose(&own, others, 1, &|| false)).ok().map(|nested| nested.score())
}
