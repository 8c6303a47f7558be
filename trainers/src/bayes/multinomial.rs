//! Fits naive Bayes with a multinomial distribution over the features.

use hyperdrive::{Dimension, Params};

use super::counts::{self, Counts, Smoothing};
use crate::algorithm::Algorithm;
use crate::data::{Shape, TrainData};
use crate::error::TrainError;
use crate::linear::Logistic;
use crate::model::Estimator;
use crate::task::Task;
use crate::trainer::{Capabilities, Input, OneShot, Trainer, Training};
use crate::transform::{Encoding, Scaling};

const SELF: Algorithm = Algorithm::MultinomialNaiveBayes;

/// Fits [`Logistic`], of which this is a case: a class's score is the logarithm of its share, plus each feature times
/// the logarithm of the share `(Nkj + alpha) / (Nk + alpha n)` that the feature has in the class (Manning, Raghavan &
/// Schütze, *Introduction to Information Retrieval*, 13.2; scikit-learn's `MultinomialNB`).
///
/// Features are to be counts or shares, 0 or more, so it asks for a scale of 0 to 1. A departure: a feature that is
/// below 0 in some training row is counted from its least value there, where scikit-learn refuses it.
#[derive(Debug, Clone, Copy)]
pub struct MultinomialTrainer;

impl Trainer for MultinomialTrainer {
    fn describe(&self) -> Capabilities {
        Capabilities {
            algorithm: SELF,
            tasks: &[Task::Binary, Task::Multiclass],
            input: Input { categorical: Encoding::Target, scaling: Scaling::MinMax },
            stepped: false,
            weighted: true,
            watches: false,
            baseline: false,
        }
    }

    fn space(&self, _: &Shape) -> Vec<Dimension> {
        counts::space()
    }

    fn default_params(&self, _: &Shape) -> Params {
        counts::defaults()
    }

    fn work(&self, shape: &Shape, _: &Params) -> f64 {
        // A fit reads every cell a few times; predicting a quarter as many rows, once per class.
        let cells = shape.n_rows.max(1) as f64 * (shape.n_features + 1) as f64;
        cells * (4.0 + 0.5 * shape.n_classes as f64)
    }

    fn start(
        &self,
        data: &TrainData,
        params: &Params,
        checkpoint: Option<&[u8]>,
    ) -> Result<Box<dyn Training>, TrainError> {
        let smoothing = Smoothing::read(params)?;
        let data = data.clone();
        OneShot::start(SELF, checkpoint, move || fit(&data, smoothing))
    }
}

fn fit(data: &TrainData, smoothing: Smoothing) -> Result<Estimator, TrainError> {
    let counts = Counts::of(data, SELF)?;
    let (n_classes, n_features) = (counts.classes.len(), data.n_features());
    let mut sums = vec![0.0; n_classes * n_features];
    let mut lows = vec![0.0; n_features];
    for (j, column) in counts.columns().enumerate() {
        lows[j] = column.iter().copied().fold(0.0, f64::min);
        for (class, sum) in counts.sums(column, |x| x - lows[j]).into_iter().enumerate() {
            sums[class * n_features + j] = sum;
        }
    }
    let mut intercepts = counts.log_priors(smoothing);
    for (sums, intercept) in sums.chunks_exact_mut(n_features.max(1)).zip(&mut intercepts) {
        let total = sums.iter().sum::<f64>() + smoothing.alpha * n_features as f64;
        for (weight, low) in sums.iter_mut().zip(&lows) {
            *weight = ((*weight + smoothing.alpha) / total).ln();
            *intercept -= low * *weight;
        }
    }
    Ok(Logistic::of_classes(counts.n_outputs, counts.classes, sums, intercepts).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{IRIS, assert_close, fit, predict, standardised, weighted};

    fn params(alpha: f64, fit_prior: &str) -> Params {
        Params::new().with("alpha", alpha).with("fit_prior", fit_prior)
    }

    /// scikit-learn 1.9.1, `MultinomialNB(alpha=…, fit_prior=…)` on `StandardScaler` features of iris less their minimum;
    /// the last with `sample_weight` of mean 1 over the rows that have any.
    #[test]
    fn probabilities_are_those_of_scikit_learn() {
        let data = standardised(IRIS, Task::Multiclass);
        let unlike = weighted(data.clone());
        for (data, alpha, fit_prior, expected) in [
            (
                &data,
                1.0,
                "true",
                [
                    [0.901_025_4, 0.057_974_42, 0.041_000_14],
                    [0.005_601_622, 0.510_621_4, 0.483_776_9],
                    [0.001_808_883, 0.490_540_6, 0.507_650_5],
                    [0.002_526_118, 0.500_075_3, 0.497_398_6],
                    [0.002_636_616, 0.500_510_5, 0.496_852_8],
                ],
            ),
            (
                &data,
                0.1,
                "false",
                [
                    [0.901_872_6, 0.057_541_8, 0.040_585_59],
                    [0.004_351_563, 0.511_306_6, 0.484_341_9],
                    [0.001_400_594, 0.490_663_6, 0.507_935_8],
                    [0.001_975_506, 0.500_379_3, 0.497_645_2],
                    [0.002_019_493, 0.500_783_9, 0.497_196_6],
                ],
            ),
            (
                &unlike,
                1.0,
                "true",
                [
                    [0.904_629_9, 0.059_834_92, 0.035_535_23],
                    [0.004_960_462, 0.523_638_4, 0.471_401_2],
                    [0.001_554_832, 0.489_291_5, 0.509_153_7],
                    [0.002_174_494, 0.502_719_4, 0.495_106_1],
                    [0.002_296_664, 0.506_448_1, 0.491_255_2],
                ],
            ),
        ] {
            let found = predict(SELF, data, &params(alpha, fit_prior), &[0, 70, 83, 133, 149]);
            assert_close(&found.concat(), &expected.concat(), 1e-6);
        }
    }

    #[test]
    fn what_is_below_0_is_counted_from_the_least() {
        let plain = standardised(IRIS, Task::Binary);
        let mut block = (*plain.blocks[0]).clone();
        for j in 0..4 {
            let low = block.column(j).iter().copied().fold(f32::INFINITY, f32::min);
            for value in &mut block.values[j * 150..(j + 1) * 150] {
                *value -= low;
            }
        }
        let shifted = TrainData { blocks: vec![std::sync::Arc::new(block)], ..plain.clone() };
        let rows: Vec<u32> = (0..150).collect();
        let params = params(0.5, "true");
        let (a, b) = (predict(SELF, &plain, &params, &rows), predict(SELF, &shifted, &params, &rows));
        assert_close(&a.concat(), &b.concat(), 1e-6);
    }

    #[test]
    fn parameters_without_sense_are_refused() {
        let data = standardised(IRIS, Task::Multiclass);
        for (params, words) in
            [(params(0.0, "true"), "alpha"), (params(f64::NAN, "true"), "alpha"), (params(1.0, "perhaps"), "fit_prior")]
        {
            let error = fit(SELF, &data, &params).expect_err("it has no sense").to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
