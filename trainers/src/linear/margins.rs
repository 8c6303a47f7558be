//! The penalised loss of linear scores of classes, with its gradient, over the training rows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::lbfgs::dot;
use super::model::Logistic;
use super::rows::{Rows, add_row, score};
use crate::algorithm::Algorithm;
use crate::data::TrainData;
use crate::error::TrainError;
use crate::gather::{classes_of, count};
use crate::weigh::weight_of;

/// Rows are summed in parts, as many whatever the threads, so that the sums have the same bits on any number of them.
const PARTS: usize = 64;
/// A part has at least so many rows, and the stop flag is looked at as often.
const PART_ROWS: usize = 512;

/// What a score costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// `ln(1 + exp(-y s))` for two classes, cross-entropy of the softmax for more.
    Logistic,
    /// `max(0, 1 - y s)²`, each class against the others.
    SquaredHinge,
}

/// The mean loss over the training rows, by weight, and `½ penalty / n · |weights|²`; intercepts are free. Points are
/// score-major, of each score its weights and then its intercept: `n_scores × (n_features + 1)`.
#[derive(Debug, Clone)]
pub(crate) struct Margins {
    pub(crate) rows: Arc<Rows>,
    /// The classes of the training rows, ascending, two or more; and of each row the position of its class among them.
    pub(crate) classes: Vec<u32>,
    pub(crate) members: Vec<usize>,
    pub(crate) weights: Option<Vec<f64>>,
    n_outputs: usize,
    loss: Loss,
    penalty: f64,
}

impl Margins {
    pub(crate) fn new(data: &TrainData, loss: Loss, penalty: f64, own: Algorithm) -> Result<Margins, TrainError> {
        let (data, weights) = data.weighed()?;
        let targets = data.training_classes(own)?;
        let (classes, members) = classes_of(&targets, data.target.n_outputs());
        if classes.len() < 2 {
            return Err(TrainError::OneClass { algorithm: own, n_rows: targets.len() });
        }
        let rows = Arc::new(Rows::of(&data)?);
        Ok(Margins { rows, classes, members, weights, n_outputs: data.target.n_outputs(), loss, penalty })
    }

    /// The same of rows that count otherwise; those of weight 0 are held out.
    pub(crate) fn weighing(&self, weights: Vec<f64>) -> Margins {
        Margins { weights: Some(weights), ..self.clone() }
    }

    /// One score for two classes, that of the second; else one each.
    pub(crate) fn n_scores(&self) -> usize {
        if self.classes.len() == 2 { 1 } else { self.classes.len() }
    }

    /// How long a point is.
    pub(crate) fn len(&self) -> usize {
        self.n_scores() * (self.rows.n_features + 1)
    }

    /// No weights; under the logistic loss the intercepts that are best without any.
    pub(crate) fn start(&self) -> Vec<f64> {
        let mut point = vec![0.0; self.len()];
        if self.loss == Loss::Logistic {
            let counts = count(&self.members, self.weights.as_deref(), self.classes.len());
            let stride = self.rows.n_features + 1;
            match counts.as_slice() {
                [negative, positive] => point[stride - 1] = (positive / negative).ln(),
                many => {
                    let mean = many.iter().map(|count| count.ln()).sum::<f64>() / many.len() as f64;
                    for (point, count) in point.chunks_exact_mut(stride).zip(many) {
                        point[stride - 1] = count.ln() - mean;
                    }
                }
            }
        }
        point
    }

    /// The value at a point, and its gradient; `None` when `stop` became true meanwhile.
    pub(crate) fn value(&self, point: &[f64], gradient: &mut [f64], stop: &AtomicBool) -> Option<f64> {
        let n_rows = self.rows.n_rows();
        let size = n_rows.div_ceil(PARTS).max(PART_ROWS);
        gradient.fill(0.0);
        let mut sum = 0.0;
        let of = |part: usize| self.part(point, part * size..n_rows.min((part + 1) * size), stop);
        let n_parts = n_rows.div_ceil(size);
        let mut take = |(value, part): (f64, Vec<f64>)| {
            sum += value;
            for (g, part) in gradient.iter_mut().zip(part) {
                *g += part;
            }
        };
        if n_parts > 1 && rayon::current_thread_index().is_some() && rayon::current_num_threads() > 1 {
            let parts: Vec<Option<_>> = (0..n_parts).into_par_iter().map(of).collect();
            for part in parts {
                take(part?);
            }
        } else {
            for part in 0..n_parts {
                take(of(part)?);
            }
        }
        // Weights have a mean of 1, so the rows are their sum. Where some are held out, by a weight of 0, loss and penalty
        // are both divided by too much, which moves no minimum.
        let n = n_rows as f64;
        let strength = self.penalty / n;
        let mut value = sum / n;
        let stride = self.rows.n_features + 1;
        for (g, x) in gradient.chunks_exact_mut(stride).zip(point.chunks_exact(stride)) {
            let free = stride - 1;
            value += 0.5 * strength * dot(&x[..free], &x[..free]);
            for (g, x) in g[..free].iter_mut().zip(&x[..free]) {
                *g = *g / n + strength * x;
            }
            g[free] /= n;
        }
        Some(value)
    }

    fn part(&self, point: &[f64], rows: std::ops::Range<usize>, stop: &AtomicBool) -> Option<(f64, Vec<f64>)> {
        let n_scores = self.n_scores();
        let stride = self.rows.n_features + 1;
        let mut gradient = vec![0.0; point.len()];
        let mut scores = vec![0.0; n_scores];
        let mut sum = 0.0;
        for i in rows {
            if i.is_multiple_of(PART_ROWS) && stop.load(Ordering::Relaxed) {
                return None;
            }
            let weight = weight_of(self.weights.as_deref(), i);
            if weight == 0.0 {
                continue;
            }
            let row = self.rows.row(i);
            for (score_of, point) in scores.iter_mut().zip(point.chunks_exact(stride)) {
                *score_of = score(row, &point[..stride - 1]) + point[stride - 1];
            }
            sum += weight * slopes(self.loss, &mut scores, self.members[i]);
            for (slope, gradient) in scores.iter().zip(gradient.chunks_exact_mut(stride)) {
                if *slope != 0.0 {
                    add_row(gradient, weight * slope, row);
                    gradient[stride - 1] += weight * slope;
                }
            }
        }
        Some((sum, gradient))
    }

    /// The score of a training row at a point.
    pub(crate) fn score(&self, point: &[f64], i: usize, of: usize) -> f64 {
        let stride = self.rows.n_features + 1;
        let point = &point[of * stride..][..stride];
        score(self.rows.row(i), &point[..stride - 1]) + point[stride - 1]
    }

    /// A point as a model.
    pub(crate) fn model(&self, point: &[f64]) -> Logistic {
        let stride = self.rows.n_features + 1;
        Logistic {
            n_outputs: self.n_outputs,
            classes: self.classes.clone(),
            weights: point.chunks_exact(stride).flat_map(|score| &score[..stride - 1]).copied().collect(),
            intercepts: point.chunks_exact(stride).map(|score| score[stride - 1]).collect(),
        }
    }
}

/// The loss of a row of this class; its scores become the slopes of the loss along them.
fn slopes(loss: Loss, scores: &mut [f64], class: usize) -> f64 {
    match (loss, scores) {
        (Loss::Logistic, [score]) => {
            let side = if class == 1 { 1.0 } else { -1.0 };
            let away = -side * *score;
            // By the exponential that cannot overflow.
            let small = (-away.abs()).exp();
            *score = -side * if away > 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
            away.max(0.0) + small.ln_1p()
        }
        (Loss::Logistic, scores) => {
            let greatest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let own = scores[class] - greatest;
            let mut total = 0.0;
            for score in scores.iter_mut() {
                *score = (*score - greatest).exp();
                total += *score;
            }
            for score in scores.iter_mut() {
                *score /= total;
            }
            scores[class] -= 1.0;
            total.ln() - own
        }
        (Loss::SquaredHinge, scores) => {
            let single = scores.len() == 1;
            let mut sum = 0.0;
            for (of, score) in scores.iter_mut().enumerate() {
                let own = if single { class == 1 } else { class == of };
                let side = if own { 1.0 } else { -1.0 };
                let short = (1.0 - side * *score).max(0.0);
                *score = -2.0 * side * short;
                sum += short * short;
            }
            sum
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Slopes are what differences of the loss say.
        #[test]
        fn slopes_are_those_of_the_loss(
            scores in proptest::collection::vec(-8.0_f64..8.0, 1..5), class in 0_usize..5, hinge in proptest::bool::ANY
        ) {
            prop_assume!(scores.len() != 2);
            let class = class % scores.len().max(2);
            let loss = if hinge { Loss::SquaredHinge } else { Loss::Logistic };
            let mut found = scores.clone();
            slopes(loss, &mut found, class);
            for at in 0..scores.len() {
                let moved = |by: f64| {
                    let mut scores = scores.clone();
                    scores[at] += by;
                    slopes(loss, &mut scores, class)
                };
                let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                prop_assert!((found[at] - difference).abs() < 1e-5, "{} where differences say {difference}", found[at]);
            }
        }
    }

    #[test]
    fn scores_far_out_neither_overflow_nor_vanish() {
        for class in [0, 1] {
            for far in [-1e6, 1e6] {
                let mut scores = [far];
                let value = slopes(Loss::Logistic, &mut scores, class);
                let wrong = (far > 0.0) != (class == 1);
                assert_eq!(value, if wrong { 1e6 } else { 0.0 });
                assert_eq!(scores[0].abs(), f64::from(u8::from(wrong)));
            }
        }
    }
}
