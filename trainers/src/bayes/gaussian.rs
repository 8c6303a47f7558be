//! Fits naive Bayes: class shares, means and variances.

use hyperdrive::{Dimension, Params, Value};

use super::model::GaussianNaiveBayes;
use crate::algorithm::Algorithm;
use crate::data::{Shape, TrainData};
use crate::error::TrainError;
use crate::gather::{center, classes_of, count};
use crate::model::Estimator;
use crate::task::Task;
use crate::trainer::{Capabilities, OneShot, Trainer, Training};
use crate::transform::SHARED_INPUT;
use crate::weigh::weight_of;

const SELF: Algorithm = Algorithm::GaussianNaiveBayes;

/// Fits [`GaussianNaiveBayes`]: class shares, means and variances of the training rows, by weight, then scikit-learn's
/// smoothing, `var_smoothing` times the greatest variance of a feature over all rows, added to every variance. That
/// variance is weighted too, where scikit-learn's is not, so that a row of weight 0 is as good as absent.
///
/// The sums are taken here: smartcore 0.7 computes the same figures in time that grows with the square of the rows
/// (80 s for 40,000 × 50, where this takes 20 ms); it is the oracle of a test instead.
#[derive(Debug, Clone, Copy)]
pub struct GaussianTrainer;

impl Trainer for GaussianTrainer {
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
        vec![Dimension::float("var_smoothing", 1e-12, 1e-1).log()]
    }

    fn default_params(&self, _: &Shape) -> Params {
        Params::new().with("var_smoothing", Value::Float(1e-9))
    }

    fn work(&self, shape: &Shape, _: &Params) -> f64 {
        // A fit reads every cell a few times; predicting a quarter as many rows, once per class.
        let cells = shape.n_rows.max(1) as f64 * (shape.n_features + 1) as f64;
        cells * (10.0 + shape.n_classes as f64)
    }

    fn repeats_within(&self) -> Option<f64> {
        Some(1e-9)
    }

    fn start(
        &self,
        data: &TrainData,
        params: &Params,
        checkpoint: Option<&[u8]>,
    ) -> Result<Box<dyn Training>, TrainError> {
        let var_smoothing = params.float("var_smoothing")?;
        if !(var_smoothing.is_finite() && var_smoothing >= 0.0) {
            return Err(TrainError::Param {
                name: "var_smoothing",
                value: var_smoothing.to_string(),
                allowed: "it must be 0 or more",
            });
        }
        let data = data.clone();
        OneShot::start(SELF, checkpoint, move || fit(&data, var_smoothing))
    }
}

fn fit(data: &TrainData, var_smoothing: f64) -> Result<Estimator, TrainError> {
    let (data, weights) = data.weighed()?;
    let weights = weights.as_deref();
    let targets = data.training_classes(SELF)?;
    let (n_rows, n_features) = (data.rows.len(), data.n_features());
    let mut values = data.training_features()?;
    // Variances are taken about the mean of all rows first, so that they keep their digits far from 0.
    let offsets = center(&mut values, n_rows, weights);
    let (classes, members) = classes_of(&targets, data.target.n_outputs());
    let counts: Vec<f64> = count(&members, weights, classes.len());
    let total: f64 = counts.iter().sum();
    let mut means = vec![0.0; classes.len() * n_features];
    let mut variances = vec![0.0; classes.len() * n_features];
    let mut greatest = 0.0_f64;
    for (j, column) in values.chunks_exact(n_rows).enumerate() {
        let squares = column.iter().enumerate().map(|(row, x)| weight_of(weights, row) * (x * x));
        greatest = greatest.max(squares.sum::<f64>() / total);
        let centers = per_class(&members, weights, &counts, |row, _| column[row]);
        let spreads = per_class(&members, weights, &counts, |row, class| (column[row] - centers[class]).powi(2));
        for (class, (center, spread)) in centers.iter().zip(&spreads).enumerate() {
            means[class * n_features + j] = center + offsets[j];
            variances[class * n_features + j] = *spread;
        }
    }
    // Where every feature is constant, any variance says the same; it only must not be 0.
    let smoothing = (var_smoothing * greatest).max(f64::MIN_POSITIVE.sqrt());
    for variance in &mut variances {
        *variance += smoothing;
    }
    Ok(Estimator::GaussianNaiveBayes(GaussianNaiveBayes {
        n_outputs: data.target.n_outputs(),
        classes,
        log_priors: counts.iter().map(|count| (count / total).ln()).collect(),
        means,
        variances,
    }))
}

/// The mean of a function of row and class over the rows of every class.
fn per_class(members: &[usize], weights: Option<&[f64]>, counts: &[f64], of: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let mut sums = vec![0.0; counts.len()];
    for (row, &class) in members.iter().enumerate() {
        sums[class] += weight_of(weights, row) * of(row, class);
    }
    for (sum, count) in sums.iter_mut().zip(counts) {
        *sum /= count;
    }
    sums
}

#[cfg(test)]
mod tests {
    use smartcore::linalg::basic::matrix::DenseMatrix;
    use smartcore::naive_bayes::gaussian::{GaussianNB, GaussianNBParameters};

    use super::*;
    use crate::testing::{IRIS, assert_close, fit as fit_to_end, predict, standardised, weighted};

    /// scikit-learn 1.9.1, `GaussianNB(var_smoothing=…)` on `StandardScaler` features of iris.
    #[test]
    fn probabilities_are_those_of_scikit_learn() {
        let data = standardised(IRIS, Task::Multiclass);
        let rows = [0, 70, 83, 133, 149];
        for (smoothing, expected) in [
            (
                1e-9,
                [
                    [1.0, 1.358e-18, 7.11e-26],
                    [2.59e-130, 0.154_494_061, 0.845_505_939],
                    [2.14e-135, 0.612_159_847, 0.387_840_153],
                    [2.68e-131, 0.712_645_156, 0.287_354_844],
                    [3.26e-146, 0.056_005, 0.943_995],
                ],
            ),
            (
                0.1,
                [
                    [0.999_999_987, 1.262_395_6e-8, 2.722_65e-14],
                    [1.052e-15, 0.390_548_233, 0.609_451_767],
                    [2.57e-16, 0.706_066_154, 0.293_933_846],
                    [4.02e-16, 0.695_322_206, 0.304_677_794],
                    [2.16e-17, 0.316_014_229, 0.683_985_771],
                ],
            ),
        ] {
            let params = Params::new().with("var_smoothing", smoothing);
            for (row, expected) in predict(SELF, &data, &params, &rows).iter().zip(expected) {
                // Features are f32 here, which the densest variances magnify.
                assert_close(row, &expected, 1e-5);
            }
        }
    }

    #[test]
    fn means_and_variances_are_those_of_smartcore() {
        let mut data = standardised(IRIS, Task::Multiclass);
        data.rows = (20..130).collect();
        let params = Params::new().with("var_smoothing", 0.0);
        let Ok(Estimator::GaussianNaiveBayes(model)) = fit_to_end(SELF, &data, &params) else {
            panic!("a naive Bayes model")
        };
        let columns = data.training_features().expect("the features are finite");
        let x = DenseMatrix::new(110, 4, columns, true).expect("as many values as cells");
        let y = data.training_classes(SELF).expect("every row has a class");
        let theirs = GaussianNB::fit(&x, &y, GaussianNBParameters::default()).expect("smartcore fits");
        assert_close(&model.means, &theirs.theta().concat(), 1e-12);
        assert_close(&model.variances, &theirs.var().concat(), 1e-12);
        let priors: Vec<f64> = model.log_priors.iter().map(|log| log.exp()).collect();
        assert_close(&priors, theirs.class_priors(), 1e-12);
        assert_eq!(model.classes, *theirs.classes());
    }

    /// scikit-learn 1.9.1, `GaussianNB(var_smoothing=0).fit(…, sample_weight=…)` on `StandardScaler` features of iris.
    #[test]
    fn weighted_probabilities_are_those_of_scikit_learn() {
        let data = weighted(standardised(IRIS, Task::Multiclass));
        let expected = [
            [0.0, 0.183_403_148, 0.816_596_852],
            [0.0, 0.537_703_381, 0.462_296_619],
            [0.0, 0.668_585_913, 0.331_414_087],
            [0.0, 0.069_152_754, 0.930_847_246],
        ];
        let params = Params::new().with("var_smoothing", 0.0);
        for (row, expected) in predict(SELF, &data, &params, &[70, 83, 133, 149]).iter().zip(expected) {
            assert_close(row, &expected, 1e-5);
        }
    }
}
