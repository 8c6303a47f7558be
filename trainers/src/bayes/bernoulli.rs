//! Fits naive Bayes of features that are or are not there.

use hyperdrive::{Dimension, Params, Value};

use super::counts::{self, Counts, Smoothing};
use super::model::BernoulliNaiveBayes;
use crate::algorithm::Algorithm;
use crate::data::{Shape, TrainData};
use crate::error::TrainError;
use crate::linear::Logistic;
use crate::model::Estimator;
use crate::task::Task;
use crate::trainer::{Capabilities, OneShot, Trainer, Training};
use crate::transform::SHARED_INPUT;

const SELF: Algorithm = Algorithm::BernoulliNaiveBayes;

/// Fits [`BernoulliNaiveBayes`]: in each class the share `(Nkj + alpha) / (Nk + 2 alpha)` of rows in which a feature is
/// above the threshold (Manning, Raghavan & Schütze, *Introduction to Information Retrieval*, 13.3; scikit-learn's
/// `BernoulliNB`, of which the threshold is `binarize`). On the standard scale that it asks for, 0 is a feature's mean.
#[derive(Debug, Clone, Copy)]
pub struct BernoulliTrainer;

impl Trainer for BernoulliTrainer {
    fn describe(&self) -> Capabilities {
        Capabilities {
            algorithm: SELF,
            tasks: &[Task::Binary, Task::Multiclass],
            input: SHARED_INPUT,
            stepped: false,
            weighted: true,
            watches: false,
            baseline: false,
        }
    }

    fn space(&self, _: &Shape) -> Vec<Dimension> {
        let mut space = counts::space();
        space.push(Dimension::float("binarize", -1.0, 1.0));
        space
    }

    fn default_params(&self, _: &Shape) -> Params {
        counts::defaults().with("binarize", Value::Float(0.0))
    }

    fn work(&self, shape: &Shape, _: &Params) -> f64 {
        let cells = shape.n_rows.max(1) as f64 * (shape.n_features + 1) as f64;
        cells * (5.0 + 0.5 * shape.n_classes as f64)
    }

    fn start(
        &self,
        data: &TrainData,
        params: &Params,
        checkpoint: Option<&[u8]>,
    ) -> Result<Box<dyn Training>, TrainError> {
        let smoothing = Smoothing::read(params)?;
        let threshold = params.float("binarize")?;
        if !threshold.is_finite() {
            return Err(TrainError::Param {
                name: "binarize",
                value: threshold.to_string(),
                allowed: "it must be finite",
            });
        }
        let data = data.clone();
        OneShot::start(SELF, checkpoint, move || fit(&data, smoothing, threshold))
    }
}

fn fit(data: &TrainData, smoothing: Smoothing, threshold: f64) -> Result<Estimator, TrainError> {
    let counts = Counts::of(data, SELF)?;
    let (n_classes, n_features) = (counts.classes.len(), data.n_features());
    let mut weights = vec![0.0; n_classes * n_features];
    let mut intercepts = counts.log_priors(smoothing);
    for (j, column) in counts.columns().enumerate() {
        let sums = counts.sums(column, |x| f64::from(u8::from(x > threshold)));
        for (class, (above, rows)) in sums.iter().zip(&counts.rows).enumerate() {
            let all = rows + 2.0 * smoothing.alpha;
            let (yes, no) = ((above + smoothing.alpha) / all, (rows - above + smoothing.alpha) / all);
            weights[class * n_features + j] = yes.ln() - no.ln();
            intercepts[class] += no.ln();
        }
    }
    let scores = Logistic::of_classes(counts.n_outputs, counts.classes, weights, intercepts);
    Ok(Estimator::BernoulliNaiveBayes(BernoulliNaiveBayes { threshold, scores }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{IRIS, assert_close, fit, predict, standardised, weighted};

    fn params(alpha: f64, fit_prior: &str, binarize: f64) -> Params {
        Params::new().with("alpha", alpha).with("fit_prior", fit_prior).with("binarize", binarize)
    }

    /// scikit-learn 1.9.1, `BernoulliNB(alpha=…, fit_prior=…, binarize=…)` on `StandardScaler` features of iris; the last
    /// with `sample_weight` of mean 1 over the rows that have any.
    #[test]
    fn probabilities_are_those_of_scikit_learn() {
        let data = standardised(IRIS, Task::Multiclass);
        let unlike = weighted(data.clone());
        for (data, params, expected) in [
            (
                &data,
                params(1.0, "true", 0.0),
                [
                    [0.996_518_8, 0.003_459_168, 2.201_289e-5],
                    [1.689_438e-5, 0.172_233_1, 0.827_75],
                    [1.481_73e-6, 0.344_822_2, 0.655_176_3],
                ],
            ),
            (
                &data,
                params(0.1, "false", 0.5),
                [
                    [0.968_800_6, 0.031_115_23, 8.421_78e-5],
                    [6.236_359e-6, 0.071_555_45, 0.928_438_3],
                    [1.484_083e-5, 0.588_149_9, 0.411_835_2],
                ],
            ),
            (
                &unlike,
                params(1.0, "true", 0.0),
                [
                    [0.995_444_1, 0.004_507_323, 4.853_093e-5],
                    [4.812_775e-5, 0.301_234_6, 0.698_717_3],
                    [3.854_962e-6, 0.343_722_5, 0.656_273_6],
                ],
            ),
        ] {
            assert_close(&predict(SELF, data, &params, &[0, 70, 133]).concat(), &expected.concat(), 1e-6);
        }
    }

    #[test]
    fn a_file_with_another_number_of_features_is_refused() {
        let data = standardised(IRIS, Task::Multiclass);
        let model = fit(SELF, &data, &params(1.0, "true", 0.0)).expect("sound data");
        assert!(model.check(4, 3).is_ok() && model.check(5, 3).is_err() && model.check(4, 2).is_err());
        let Estimator::BernoulliNaiveBayes(mut own) = model else { panic!("a naive Bayes model") };
        own.threshold = f64::NAN;
        assert!(!own.fits(4));
    }
}
