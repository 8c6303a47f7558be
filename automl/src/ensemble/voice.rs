//! What an ensemble may draw on: trials, and models of a second layer that hear them.

use std::collections::BTreeMap;
use std::sync::Arc;

use trainers::{Algorithm, Chain, Predictions};

use crate::search::{Judged, TrialResult};

/// The voices an ensemble may draw on, trials first and best first, with their predictions at hand.
#[derive(Clone)]
pub(crate) struct Pool {
    pub(crate) judged: Judged,
    pub(crate) voices: Vec<Voice>,
}

/// One of them with its predictions of every fold, made by models that did not see the fold.
#[derive(Clone)]
pub(crate) struct Voice {
    pub(crate) source: Source,
    pub(crate) predictions: Arc<Vec<Predictions>>,
}

/// Where a voice comes from.
#[derive(Clone)]
pub(crate) enum Source {
    Trial(TrialResult),
    Second(Arc<Second>),
}

/// A model of the second layer, fitted on what the first says of rows it was not fitted on.
pub(crate) struct Second {
    pub(crate) algorithm: Algorithm,
    /// The voices it hears, by position in the pool; all are trials.
    pub(crate) inputs: Vec<usize>,
    pub(crate) chain: Chain,
    pub(crate) fit_seconds: f64,
}

impl Voice {
    /// `light_gbm #12`, or `stacked light_gbm`.
    pub(crate) fn name(&self) -> String {
        match &self.source {
            Source::Trial(result) => result.name(),
            Source::Second(second) => second.name(),
        }
    }

    /// The trial it is; none of the second layer.
    pub(crate) fn trial(&self) -> Option<&TrialResult> {
        match &self.source {
            Source::Trial(result) => Some(result),
            Source::Second(_) => None,
        }
    }

    /// The same with its predictions in the order of other folds over the same rows; `from` none: they are so.
    pub(crate) fn in_order(self, from: Option<&Judged>, to: &Judged) -> Voice {
        let Some(from) = from else { return self };
        let n_outputs = to.target.n_outputs();
        let mut of_row: BTreeMap<u32, &[f64]> = BTreeMap::new();
        for (said, fold) in self.predictions.iter().zip(0..) {
            of_row.extend(from.fold_rows(fold).iter().copied().zip(said.rows()));
        }
        let fold = |fold: usize| {
            let rows = to.fold_rows(fold).iter().filter_map(|row| of_row.get(row));
            Predictions::new(n_outputs, rows.flat_map(|said| said.iter().copied()).collect())
        };
        let predictions = (0..to.n_folds()).map(fold).collect();
        Voice { predictions: Arc::new(predictions), source: self.source.clone() }
    }

    /// The same with other predictions of one fold.
    pub(crate) fn with(&self, fold: usize, predictions: Predictions) -> Voice {
        let mut all = (*self.predictions).clone();
        all[fold] = predictions;
        Voice { source: self.source.clone(), predictions: Arc::new(all) }
    }

    /// Seconds to fit it once.
    pub(crate) fn fit_seconds(&self) -> f64 {
        match &self.source {
            Source::Trial(result) => result.measured.fit_seconds,
            Source::Second(second) => second.fit_seconds,
        }
    }
}

impl Second {
    pub(crate) fn name(&self) -> String {
        format!("stacked {}", self.algorithm)
    }
}

impl Pool {
    /// Some of the voices, none of the second layer, which knows whom it hears by their places.
    pub(crate) fn only(&self, keep: impl Fn(&TrialResult) -> bool) -> Pool {
        let kept = self.voices.iter().filter(|voice| voice.trial().is_some_and(&keep));
        Pool { judged: self.judged.clone(), voices: kept.cloned().collect() }
    }

    /// The same with further voices behind.
    pub(crate) fn with(&self, others: impl Iterator<Item = Voice>) -> Pool {
        Pool { judged: self.judged.clone(), voices: self.voices.iter().cloned().chain(others).collect() }
    }
}
