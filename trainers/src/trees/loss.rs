//! What boosting minimises: losses by name, and the trait for one's own.

use std::fmt::Debug;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::growth::refused;
use super::kernel::Cell;
use super::quantise::{Sizes, hold};
use super::tree::Link;
use crate::error::TrainError;

/// A loss of raw scores, twice differentiable or made so. Rows are handed over in chunks, on several threads.
///
/// A training refuses a loss whose link or number of raw scores is not one of its target ([`Link`] says which are).
pub trait Loss: Debug + Send + Sync {
    /// How raw scores become predictions: of numbers [`Link::Identity`] or [`Link::Exp`], of two classes
    /// [`Link::Logistic`], all of one score; of classes [`Link::Softmax`], of a score for each, or [`Link::Shares`].
    fn link(&self) -> Link;

    /// The best score that is the same for every row, one per raw output. Labels are class indices or numbers.
    fn base(&self, labels: &[f64], weights: Option<&[f32]>) -> Vec<f64>;

    /// Gradient and second derivative of some rows' losses by each raw output, per row unweighted. `scores` and
    /// `out` hold one slice per raw output, each as long as `labels`.
    fn gradients(&self, scores: &[&[f32]], labels: &[f32], out: &mut [&mut [Gradient]]);

    /// Why a label cannot be learned from, if it cannot.
    fn refuses(&self, _label: f64) -> Option<&'static str> {
        None
    }

    /// Whether every second derivative is 1.
    fn is_flat(&self) -> bool {
        false
    }

    /// A leaf's value is this quantile of its residuals, not a Newton step (Friedman 2001, section 4.4).
    fn quantile(&self) -> Option<f64> {
        None
    }

    /// The loss of one row.
    fn loss(&self, scores: &[f32], label: f32) -> f64;
}

/// Gradient and second derivative of a row's loss.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Gradient {
    /// First derivative by the score.
    pub first: f32,
    /// Second derivative by the score, not negative.
    pub second: f32,
}

/// The losses that are built in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// Squared error; its best constant is the mean.
    Squared,
    /// Absolute error; the median.
    Absolute,
    /// Squared error up to `delta` (in the target's unit), absolute beyond (Huber 1964).
    Huber {
        /// Where it turns, above 0.
        delta: f64,
    },
    /// Pinball loss of this quantile (Koenker & Bassett 1978).
    Quantile {
        /// Between 0 and 1, both excluded.
        alpha: f64,
    },
    /// Poisson deviance of a count or rate, with a logarithmic link.
    Poisson,
    /// Logarithmic loss of two classes.
    Logistic,
    /// Logarithmic loss of several classes.
    Softmax {
        /// How many.
        n_classes: usize,
    },
}

impl Objective {
    /// The loss; refuses parameters it cannot have.
    pub fn build(self) -> Result<Arc<dyn Loss>, TrainError> {
        Ok(match self {
            Objective::Huber { delta } if !(delta > 0.0 && delta.is_finite()) => {
                return Err(refused("delta", delta, "it must be above 0"));
            }
            Objective::Quantile { alpha } if !(alpha > 0.0 && alpha < 1.0) => {
                return Err(refused("alpha", alpha, "it must be between 0 and 1"));
            }
            Objective::Softmax { n_classes } if n_classes < 2 => {
                return Err(refused("n_classes", n_classes, "there must be at least 2"));
            }
            Objective::Logistic => Arc::new(Logistic),
            Objective::Softmax { n_classes } => Arc::new(Softmax { n_classes }),
            Objective::Poisson => Arc::new(Poisson),
            residual => Arc::new(Residual(residual)),
        })
    }
}

/// Losses of the difference of score and label.
#[derive(Debug, Clone, Copy)]
struct Residual(Objective);

impl Loss for Residual {
    fn link(&self) -> Link {
        Link::Identity
    }

    fn base(&self, labels: &[f64], weights: Option<&[f32]>) -> Vec<f64> {
        vec![match self.quantile() {
            Some(alpha) => {
                let mut pairs: Vec<(f64, f64)> =
                    labels.iter().enumerate().map(|(i, &label)| (label, weight_of(weights, i))).collect();
                quantile(&mut pairs, alpha, weights.is_some())
            }
            None => mean(labels.iter().copied(), weights),
        }]
    }

    fn gradients(&self, scores: &[&[f32]], labels: &[f32], out: &mut [&mut [Gradient]]) {
        fn each(scores: &[f32], labels: &[f32], out: &mut [Gradient], first: impl Fn(f32) -> f32) {
            for ((out, &score), &label) in out.iter_mut().zip(scores).zip(labels) {
                *out = Gradient { first: first(score - label), second: 1.0 };
            }
        }
        let (scores, out) = (scores[0], &mut *out[0]);
        match self.0 {
            Objective::Absolute => {
                let sign = |residual: f32| f32::from(i8::from(residual > 0.0) - i8::from(residual < 0.0));
                each(scores, labels, out, sign);
            }
            Objective::Huber { delta } => {
                let delta = delta as f32;
                each(scores, labels, out, |residual| residual.clamp(-delta, delta));
            }
            Objective::Quantile { alpha } => {
                let alpha = alpha as f32;
                each(scores, labels, out, |residual| if residual >= 0.0 { 1.0 - alpha } else { -alpha });
            }
            _ => each(scores, labels, out, |residual| residual),
        }
    }

    fn is_flat(&self) -> bool {
        true
    }

    fn quantile(&self) -> Option<f64> {
        match self.0 {
            Objective::Absolute => Some(0.5),
            Objective::Quantile { alpha } => Some(alpha),
            _ => None,
        }
    }

    fn loss(&self, scores: &[f32], label: f32) -> f64 {
        let residual = f64::from(scores[0]) - f64::from(label);
        match self.0 {
            Objective::Absolute => residual.abs(),
            Objective::Huber { delta } if residual.abs() > delta => delta * (residual.abs() - delta / 2.0),
            Objective::Quantile { alpha } => residual * (f64::from(u8::from(residual >= 0.0)) - alpha),
            _ => residual * residual / 2.0,
        }
    }
}

/// Greatest log-odds of a constant: a class that is not there is as good as impossible, not infinitely so.
const RARE: f64 = 1e-15;

#[derive(Debug, Clone, Copy)]
struct Logistic;

impl Loss for Logistic {
    fn link(&self) -> Link {
        Link::Logistic
    }

    fn base(&self, labels: &[f64], weights: Option<&[f32]>) -> Vec<f64> {
        let share = mean(labels.iter().copied(), weights).clamp(RARE, 1.0 - RARE);
        vec![(share / (1.0 - share)).ln()]
    }

    fn gradients(&self, scores: &[&[f32]], labels: &[f32], out: &mut [&mut [Gradient]]) {
        for ((out, &score), &label) in out[0].iter_mut().zip(scores[0]).zip(labels) {
            let p = 1.0 / (1.0 + exp(-score));
            *out = Gradient { first: p - label, second: p * (1.0 - p) };
        }
    }

    fn loss(&self, scores: &[f32], label: f32) -> f64 {
        let margin = f64::from(if label > 0.5 { scores[0] } else { -scores[0] });
        // log(1 + exp(-margin)) without overflow.
        (-margin).max(0.0) + (-margin.abs()).exp().ln_1p()
    }
}

#[derive(Debug, Clone, Copy)]
struct Softmax {
    n_classes: usize,
}

impl Loss for Softmax {
    fn link(&self) -> Link {
        Link::Softmax
    }

    fn base(&self, labels: &[f64], weights: Option<&[f32]>) -> Vec<f64> {
        let share = |class: usize| mean(labels.iter().map(|&label| f64::from(label == class as f64)), weights);
        (0..self.n_classes).map(|class| share(class).max(RARE).ln()).collect()
    }

    fn gradients(&self, scores: &[&[f32]], labels: &[f32], out: &mut [&mut [Gradient]]) {
        let n = labels.len();
        let mut greatest = vec![f32::NEG_INFINITY; n];
        for scores in scores {
            for (greatest, &score) in greatest.iter_mut().zip(*scores) {
                *greatest = if score > *greatest { score } else { *greatest };
            }
        }
        let mut sums = vec![0.0_f32; n];
        for (scores, out) in scores.iter().zip(out.iter_mut()) {
            for (((out, &score), &greatest), sum) in out.iter_mut().zip(*scores).zip(&greatest).zip(&mut sums) {
                out.first = exp(score - greatest);
                *sum += out.first;
            }
        }
        // The diagonal of the Hessian times K / (K - 1) (Friedman 2001, algorithm 6; as LightGBM).
        let factor = self.n_classes as f32 / (self.n_classes as f32 - 1.0);
        for (class, out) in out.iter_mut().enumerate() {
            for ((out, &sum), &label) in out.iter_mut().zip(&sums).zip(labels) {
                let p = out.first / sum;
                let own = if label == class as f32 { 1.0 } else { 0.0 };
                *out = Gradient { first: p - own, second: factor * p * (1.0 - p) };
            }
        }
    }

    fn loss(&self, scores: &[f32], label: f32) -> f64 {
        let greatest = f64::from(scores.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let sum: f64 = scores.iter().map(|&score| (f64::from(score) - greatest).exp()).sum();
        let own = scores.get(label as usize).copied().unwrap_or(f32::NEG_INFINITY);
        sum.ln() + greatest - f64::from(own)
    }
}

#[derive(Debug, Clone, Copy)]
struct Poisson;

impl Poisson {
    /// Added to the exponent of the second derivative, which keeps steps small (LightGBM's
    /// `poisson_max_delta_step`).
    const CAUTION: f32 = 0.7;
}

impl Loss for Poisson {
    fn link(&self) -> Link {
        Link::Exp
    }

    fn refuses(&self, label: f64) -> Option<&'static str> {
        (label < 0.0).then_some("a count or rate must not be negative")
    }

    fn base(&self, labels: &[f64], weights: Option<&[f32]>) -> Vec<f64> {
        vec![mean(labels.iter().copied(), weights).max(RARE).ln()]
    }

    fn gradients(&self, scores: &[&[f32]], labels: &[f32], out: &mut [&mut [Gradient]]) {
        for ((out, &score), &label) in out[0].iter_mut().zip(scores[0]).zip(labels) {
            *out = Gradient { first: exp(score) - label, second: exp(score + Poisson::CAUTION) };
        }
    }

    fn loss(&self, scores: &[f32], label: f32) -> f64 {
        f64::from(scores[0]).exp() - f64::from(label) * f64::from(scores[0])
    }
}

/// Weighs gradients and puts them where their cells will be; gives the sums units are chosen by.
pub(super) fn weigh(gradients: &[Gradient], weights: Option<&[f32]>, cells: &mut [Cell]) -> Sizes {
    const LANES: usize = 8;
    let (mut firsts, mut seconds) = ([0.0_f64; LANES], [0.0_f64; LANES]);
    let mut put = |i: usize, gradient: Gradient, cell: &mut Cell| {
        firsts[i % LANES] += f64::from(gradient.first.abs());
        seconds[i % LANES] += f64::from(gradient.second);
        *cell = hold(gradient.first, gradient.second);
    };
    if let Some(weights) = weights {
        for (i, ((&gradient, &weight), cell)) in gradients.iter().zip(weights).zip(cells).enumerate() {
            put(i, Gradient { first: gradient.first * weight, second: gradient.second * weight }, cell);
        }
    } else {
        for (i, (&gradient, cell)) in gradients.iter().zip(cells).enumerate() {
            put(i, gradient, cell);
        }
    }
    let sum = |lanes: [f64; LANES]| lanes.iter().sum();
    Sizes { gradients: sum(firsts), weights: sum(seconds) }
}

/// `e^x` in single precision, relative error below 2e-7 for -87 ≤ x ≤ 88, clamped outside; without a branch, so that
/// a loop over it is vectorised (Cephes `expf`: the exponent apart, a polynomial for the rest).
pub(super) fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let rest = x - whole * 0.693_359_4 - whole * -2.121_944_4e-4;
    let mut poly = 1.987_569_2e-4_f32;
    for coefficient in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 5e-1] {
        poly = poly * rest + coefficient;
    }
    let power = f32::from_bits((((shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32) + 127) << 23) as u32);
    (poly * rest * rest + rest + 1.0) * power
}

fn weight_of(weights: Option<&[f32]>, i: usize) -> f64 {
    weights.map_or(1.0, |weights| f64::from(weights[i]))
}

/// The weighted mean; 0 of nothing.
pub(super) fn mean(values: impl Iterator<Item = f64>, weights: Option<&[f32]>) -> f64 {
    let (sum, weight) = values.enumerate().fold((0.0, 0.0), |(sum, all), (i, value)| {
        let weight = weight_of(weights, i);
        (sum + weight * value, all + weight)
    });
    if weight > 0.0 { sum / weight } else { 0.0 }
}

/// The quantile of values with weights: interpolated between neighbours when all weigh alike, else the least value
/// up to which the weights make up the share.
pub(super) fn quantile(pairs: &mut [(f64, f64)], alpha: f64, weighted: bool) -> f64 {
    if pairs.is_empty() {
        return 0.0;
    }
    pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    if !weighted {
        let at = alpha * (pairs.len() - 1) as f64;
        let (below, above) = (pairs[at.floor() as usize].0, pairs[at.ceil() as usize].0);
        return below + (above - below) * at.fract();
    }
    // A hair less, so that a share that is met exactly is met in floating point too.
    let wanted = alpha * (1.0 - 1e-9) * pairs.iter().map(|pair| pair.1).sum::<f64>();
    let mut sum = 0.0;
    for pair in pairs.iter() {
        sum += pair.1;
        if sum >= wanted {
            return pair.0;
        }
    }
    pairs[pairs.len() - 1].0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_as_exact_as_single_precision() {
        let mut worst = 0.0_f64;
        for i in -8700..=8800 {
            let x = i as f32 / 100.0;
            let exact = f64::from(x).exp();
            worst = worst.max((f64::from(exp(x)) / exact - 1.0).abs());
        }
        assert!(worst < 2e-7, "{worst}");
        assert!(exp(f32::INFINITY).is_finite() && exp(f32::NEG_INFINITY) > 0.0);
    }

    /// Central differences of the loss.
    #[test]
    fn gradients_are_derivatives_of_the_loss() {
        let objectives = [
            Objective::Squared,
            Objective::Absolute,
            Objective::Huber { delta: 0.7 },
            Objective::Quantile { alpha: 0.3 },
            Objective::Poisson,
            Objective::Logistic,
            Objective::Softmax { n_classes: 3 },
        ];
        for objective in objectives {
            let loss = objective.build().expect("sound parameters");
            let n_outputs = if loss.link() == Link::Softmax { 3 } else { 1 };
            for (i, label) in [0.0_f32, 1.0, 1.0].into_iter().enumerate() {
                let scores = [0.3 + i as f32, -0.45, 1.1];
                let each: Vec<&[f32]> = scores[..n_outputs].iter().map(std::slice::from_ref).collect();
                let mut out = vec![[Gradient::default()]; n_outputs];
                let mut slots: Vec<&mut [Gradient]> = out.iter_mut().map(|slot| &mut slot[..]).collect();
                loss.gradients(&each, &[label], &mut slots);
                for output in 0..n_outputs {
                    let moved = |by: f32| {
                        let mut scores = scores;
                        scores[output] += by;
                        loss.loss(&scores[..n_outputs], label)
                    };
                    let step = 1e-2_f32;
                    let slope = (moved(step) - moved(-step)) / (2.0 * f64::from(step));
                    let found = f64::from(out[output][0].first);
                    assert!((slope - found).abs() < 1e-3, "{objective:?} at {scores:?}: {found} {slope}");
                }
            }
        }
    }

    #[test]
    fn the_best_constant_is_the_best() {
        let labels = [0.0, 1.0, 1.0, 4.0, 2.0];
        let weights = [1.0, 2.0, 0.5, 1.0, 1.0];
        for objective in
            [Objective::Squared, Objective::Absolute, Objective::Quantile { alpha: 0.6 }, Objective::Poisson]
        {
            let loss = objective.build().expect("sound parameters");
            for weights in [None, Some(&weights[..])] {
                let base = loss.base(&labels, weights)[0];
                let total = |score: f64| -> f64 {
                    labels
                        .iter()
                        .enumerate()
                        .map(|(i, &y)| weight_of(weights, i) * loss.loss(&[score as f32], y as f32))
                        .sum()
                };
                for other in [base - 0.1, base + 0.1] {
                    assert!(total(base) <= total(other) + 1e-6, "{objective:?}: {base} {other}");
                }
            }
        }
    }

    #[test]
    fn unsound_parameters_are_refused() {
        for objective in [
            Objective::Huber { delta: 0.0 },
            Objective::Huber { delta: f64::NAN },
            Objective::Quantile { alpha: 1.0 },
            Objective::Quantile { alpha: f64::NAN },
        ] {
            assert!(objective.build().is_err(), "{objective:?}");
        }
    }
}
