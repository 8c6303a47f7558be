//! What an ensemble may draw on: trials, and models of a second layer that hear them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use trainers::{Algorithm, Chain, Predictions};

use crate::search::{Judged, TrialResult};

/// The voices an ensemble may draw on, trials first and best first, with their predictions at hand.
#[derive(Clone)]
pub(crate) struct Pool {
    pub(crate) judged: Judged,
    pub(crate) voices: Vec<Voice>,
    /// Microseconds a row that those chosen may take together.
    pub(crate) most_us: f64,
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

    /// Whether it says the same of every row.
    pub(crate) fn is_constant(&self) -> bool {
        self.trial().is_some_and(|own| own.algorithm == Algorithm::Constant.name())
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

    /// Microseconds a row that it takes, and whom it hears among `voices` with it.
    fn predict_us(&self, voices: &[Voice]) -> f64 {
        match &self.source {
            Source::Trial(result) => result.measured.predict_us,
            Source::Second(second) => second.inputs.iter().map(|&at| voices[at].predict_us(voices)).sum(),
        }
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
    /// Microseconds a row of these voices together, each counted once.
    pub(crate) fn predict_us(&self, chosen: impl IntoIterator<Item = usize>) -> f64 {
        let chosen: BTreeSet<usize> = chosen.into_iter().collect();
        chosen.into_iter().map(|at| self.voices[at].predict_us(&self.voices)).sum()
    }

    /// Those that may join the chosen.
    pub(crate) fn affordable(&self, chosen: &[usize]) -> Vec<bool> {
        if self.most_us == f64::INFINITY {
            return vec![true; self.voices.len()];
        }
        let with = |at: usize| self.predict_us(chosen.iter().copied().chain([at]));
        let mut affordable: Vec<bool> = (0..self.voices.len()).map(|at| with(at) <= self.most_us).collect();
        if chosen.is_empty() && !affordable.contains(&true) {
            // Where nobody is fast enough, the fastest.
            let fastest = (0..self.voices.len()).min_by(|a, b| with(*a).total_cmp(&with(*b)));
            if let Some(at) = fastest {
                affordable[at] = true;
            }
        }
        affordable
    }

    /// Some of the voices, none of the second layer, which knows whom it hears by their places.
    pub(crate) fn only(&self, keep: impl Fn(&TrialResult) -> bool) -> Pool {
        let kept = self.voices.iter().filter(|voice| voice.trial().is_some_and(&keep));
        Pool { voices: kept.cloned().collect(), judged: self.judged.clone(), most_us: self.most_us }
    }

    /// The same with further voices behind.
    pub(crate) fn with(&self, others: impl Iterator<Item = Voice>) -> Pool {
        let voices = self.voices.iter().cloned().chain(others).collect();
        Pool { voices, judged: self.judged.clone(), most_us: self.most_us }
    }
}
