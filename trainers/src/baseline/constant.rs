//! The constant predictor: what can be known without features. A model that does not beat it has learned
//! nothing.

use serde::{Deserialize, Serialize};

use crate::data::Predictions;

/// The same prediction for every row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Constant {
    /// Class shares of the training rows, or their mean target.
    pub values: Vec<f64>,
}

impl Constant {
    pub(crate) fn predict(&self, rows: &[u32]) -> Predictions {
        Predictions::new(self.values.len(), self.values.repeat(rows.len()))
    }
}

#[cfg(feature = "fit")]
pub use fit::ConstantTrainer;

#[cfg(feature = "fit")]
mod fit {
    use hyperdrive::{Dimension, Params};

    use super::Constant;
    use crate::algorithm::Algorithm;
    use crate::data::{Shape, TrainData};
    use crate::error::TrainError;
    use crate::gather::mean;
    use crate::model::Estimator;
    use crate::task::Task;
    use crate::trainer::{Capabilities, OneShot, Trainer, Training};
    use crate::transform::SHARED_INPUT;
    use crate::weigh::weight_of;

    const SELF: Algorithm = Algorithm::Constant;

    /// Fits [`Constant`]: the class shares or the mean of the training rows, by weight.
    #[derive(Debug, Clone, Copy)]
    pub struct ConstantTrainer;

    impl Trainer for ConstantTrainer {
        fn describe(&self) -> Capabilities {
            Capabilities {
                algorithm: SELF,
                tasks: &Task::ALL,
                input: SHARED_INPUT,
                stepped: false,
                weighted: true,
                watches: false,
                baseline: true,
            }
        }

        fn space(&self, _: &Shape) -> Vec<Dimension> {
            Vec::new()
        }

        fn default_params(&self, _: &Shape) -> Params {
            Params::new()
        }

        fn work(&self, shape: &Shape, _: &Params) -> f64 {
            shape.n_rows.max(1) as f64
        }

        fn repeats_within(&self) -> Option<f64> {
            Some(1e-12)
        }

        fn start(
            &self,
            data: &TrainData,
            _: &Params,
            checkpoint: Option<&[u8]>,
        ) -> Result<Box<dyn Training>, TrainError> {
            let data = data.clone();
            OneShot::start(SELF, checkpoint, move || fit(&data))
        }
    }

    fn fit(data: &TrainData) -> Result<Estimator, TrainError> {
        let (data, weights) = data.weighed()?;
        let targets = data.training_targets(SELF)?;
        let values = match targets {
            crate::TargetValues::Classes(classes) => {
                let mut shares = vec![0.0; data.target.n_outputs()];
                for (i, class) in classes.into_iter().enumerate() {
                    shares[class as usize] += weight_of(weights.as_deref(), i);
                }
                let total: f64 = shares.iter().sum();
                shares.iter().map(|share| share / total).collect()
            }
            crate::TargetValues::Numbers(numbers) => vec![mean(&numbers, weights.as_deref())],
        };
        Ok(Estimator::Constant(Constant { values }))
    }
}
