//! What an algorithm offers to a search: what it can do, what can be tuned, and a training that is advanced
//! from outside.

use std::sync::atomic::{AtomicBool, Ordering};

use hyperdrive::{Dimension, Params};
use serde::{Deserialize, Serialize};

use crate::algorithm::Algorithm;
use crate::data::{Shape, TrainData};
use crate::error::TrainError;
use crate::model::Estimator;
use crate::task::Task;
use crate::transform::{Encoding, Scaling};

/// What a trainer can do, fixed at compile time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent fact; no two exclude each other")]
pub struct Capabilities {
    /// The algorithm it fits.
    pub algorithm: Algorithm,
    /// The tasks it answers.
    pub tasks: &'static [Task],
    /// How it wants its columns prepared.
    pub input: Input,
    /// Whether a fraction of the work gives a usable model; else it advances once, to the end.
    pub stepped: bool,
    /// Whether it weighs rows by [`TrainData::weights`], of which only the ratios matter: a row of weight 0 is as good
    /// as absent. Else it refuses them.
    pub weighted: bool,
    /// Whether it watches [`TrainData::held_out`] when its parameter `early_stopping_rounds` says so, and can stop there:
    /// its rounds, `n_estimators`, then need no search.
    pub watches: bool,
    /// Whether it is a yardstick that looks at no feature.
    pub baseline: bool,
}

/// How a trainer wants its columns prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Input {
    /// How categories become numbers.
    pub categorical: Encoding,
    /// How numbers are scaled.
    pub scaling: Scaling,
}

/// An algorithm that can be fitted. Implementations are unit structs; [`crate::check_trainer`] is what each
/// must pass.
pub trait Trainer: Send + Sync {
    /// What it can do.
    fn describe(&self) -> Capabilities;

    /// Its own hyperparameters for a problem of this size, with unprefixed names such as `k`.
    fn space(&self, shape: &Shape) -> Vec<Dimension>;

    /// Where a search should begin: a point inside [`Trainer::space`].
    fn default_params(&self, shape: &Shape) -> Params;

    /// Deterministic work units, about the floating-point operations of a fit and of predicting a quarter as
    /// many rows (a fold's validation part); positive and finite.
    fn work(&self, shape: &Shape, params: &Params) -> f64;

    /// For a trainer that weighs rows: how far predictions, in their own unit, may lie from those of data in which
    /// every row of weight k stands k times. `None` where the two differ by design, as they do where rows are counted
    /// (leaves of so many rows, so many neighbours).
    fn repeats_within(&self) -> Option<f64> {
        None
    }

    /// Prepares a training; `checkpoint` comes from [`Training::checkpoint`] under the same data and
    /// parameters. The learning itself happens in [`Training::advance`].
    fn start(
        &self,
        data: &TrainData,
        params: &Params,
        checkpoint: Option<&[u8]>,
    ) -> Result<Box<dyn Training>, TrainError>;
}

/// A fit under way. Whoever drives it decides when to stop; after any stop it can be advanced again,
/// checkpointed, or asked for its model.
pub trait Training: Send {
    /// Works until this fraction (0 to 1) of its own work is done or `stop` becomes true, and says what
    /// fraction has been reached. Reaching 1 means the fit is complete. What may take long looks at `stop` all the while:
    /// a search trusts that every training can be ended, and starts no process to be able to kill it.
    fn advance(&mut self, until: f64, stop: &AtomicBool) -> Result<f64, TrainError>;

    /// The state as bytes, from which [`Trainer::start`] goes on to bit-equal results.
    fn checkpoint(&self) -> Result<Vec<u8>, TrainError>;

    /// What has been learned so far; [`TrainError::Unfinished`] before the first step. Where it watches held-out rows,
    /// up to the round that was best on them.
    fn model(&self) -> Result<Estimator, TrainError>;

    /// The loss on the held-out rows after each round so far; empty where none are watched.
    fn watched(&self) -> &[f64] {
        &[]
    }

    /// All that has been learned so far, beyond what was best on held-out rows too.
    fn whole(&self) -> Result<Estimator, TrainError> {
        self.model()
    }
}

/// Fits to the end; `None` when the flag became true meanwhile.
type FitOnce = dyn FnMut(&AtomicBool) -> Result<Option<Estimator>, TrainError> + Send;

/// A training without steps: nothing, then everything.
pub(crate) struct OneShot {
    algorithm: Algorithm,
    fit: Box<FitOnce>,
    done: Option<Estimator>,
}

impl OneShot {
    /// What is too quick, or too foreign, to be stopped on its way.
    pub(crate) fn start(
        algorithm: Algorithm,
        checkpoint: Option<&[u8]>,
        mut fit: impl FnMut() -> Result<Estimator, TrainError> + Send + 'static,
    ) -> Result<Box<dyn Training>, TrainError> {
        OneShot::stoppable(algorithm, checkpoint, move |_| fit().map(Some))
    }

    /// What looks at the stop flag on its way, and then has nothing.
    pub(crate) fn stoppable(
        algorithm: Algorithm,
        checkpoint: Option<&[u8]>,
        fit: impl FnMut(&AtomicBool) -> Result<Option<Estimator>, TrainError> + Send + 'static,
    ) -> Result<Box<dyn Training>, TrainError> {
        let done = match checkpoint {
            Some(bytes) => decode(algorithm, bytes)?,
            None => None,
        };
        Ok(Box::new(OneShot { algorithm, fit: Box::new(fit), done }))
    }
}

impl Training for OneShot {
    fn advance(&mut self, until: f64, stop: &AtomicBool) -> Result<f64, TrainError> {
        if self.done.is_none() && until > 0.0 && !stop.load(Ordering::Relaxed) {
            self.done = (self.fit)(stop)?;
        }
        Ok(if self.done.is_some() { 1.0 } else { 0.0 })
    }

    fn checkpoint(&self) -> Result<Vec<u8>, TrainError> {
        encode(self.algorithm, &self.done)
    }

    fn model(&self) -> Result<Estimator, TrainError> {
        self.done.clone().ok_or(TrainError::Unfinished { algorithm: self.algorithm })
    }
}

/// Writes a checkpoint.
pub(crate) fn encode<T: Serialize>(algorithm: Algorithm, state: &T) -> Result<Vec<u8>, TrainError> {
    rmp_serde::to_vec_named(state).map_err(|error| TrainError::Checkpoint { algorithm, reason: error.to_string() })
}

/// Reads a checkpoint.
pub(crate) fn decode<T: for<'de> Deserialize<'de>>(algorithm: Algorithm, bytes: &[u8]) -> Result<T, TrainError> {
    rmp_serde::from_slice(bytes).map_err(|error| TrainError::Checkpoint { algorithm, reason: error.to_string() })
}
