//! The hyperparameters: the maximum of their posterior density.

use super::embedding::{Embedding, Part, Warp};
use super::kernel::matern_and_slope;
use super::output::{Bend, Output};
use crate::numeric::descent::{Patience, descend};
use crate::numeric::linear::{Whitener, dot};

/// Logarithms of the lengths, less ½ ln d: mean, standard deviation of what all have in common, and of what each has of
/// its own.
const LENGTH: (f64, f64, f64) = (-0.5, 1.25, 0.5);
/// The same of a length apart: √2 and √3 (Hvarfner, Hellsten and Nardi, arXiv:2402.02229, section 5).
const LENGTH_APART: (f64, f64) = (std::f64::consts::SQRT_2, 1.732_050_807_568_877_2);
/// Logarithm of the variance of the signal: mean and standard deviation.
const SIGNAL: (f64, f64) = (0.0, 0.5);
/// Logarithm of the variance of the noise: mean and standard deviation, wide enough for none.
const NOISE: (f64, f64) = (-8.0, 3.0);
/// Logarithms of the shapes of a warp: mean and standard deviation (Snoek et al. 2014).
const SHAPE: (f64, f64) = (0.0, 0.75);
/// By how much the logarithm of the density must rise for each number that is warped, two shapes each, for warps to be
/// taken: what Akaike's criterion asks for.
const WARP_GAIN: f64 = 2.0;
/// Results a fit of warps takes at least.
const WARP_LEAST: usize = 16;
/// Least variance of the noise, of losses of variance 1.
const LEAST_NOISE: f64 = 1e-6;
/// Prior variance of the constant mean, of losses of variance 1.
pub(super) const MEAN_VARIANCE: f64 = 1.0;
/// What a fit does from each start before it goes on from the best.
const SHORT: Patience = Patience { steps: 10, gradient: 1e-2, decrease: 1e-2 };
const LONG: Patience = Patience { steps: 50, gradient: 1e-2, decrease: 1e-3 };

/// What a fit finds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Hyperparameters {
    /// Logarithm of each slot's length.
    lengths: Vec<f64>,
    /// Logarithm of the variance of the signal.
    signal: f64,
    /// Logarithm of the variance of the noise.
    noise: f64,
    /// Logarithms of the two shapes of each slot's warp; none where there are no warps.
    shapes: Vec<(f64, f64)>,
}

impl Hyperparameters {
    /// What a slot's squared distance is multiplied by.
    pub(super) fn weights(&self) -> Vec<f64> {
        self.lengths.iter().map(|length| (-2.0 * length).exp()).collect()
    }

    /// Variance of the signal.
    pub(super) fn signal(&self) -> f64 {
        self.signal.exp()
    }

    /// Variance of the noise.
    pub(super) fn noise(&self) -> f64 {
        self.noise.exp()
    }

    /// The warp of each slot.
    pub(super) fn warps(&self) -> Vec<Warp> {
        if self.shapes.is_empty() {
            return vec![Warp::NONE; self.lengths.len()];
        }
        self.shapes.iter().map(|(a, b)| Warp { a: a.exp(), b: b.exp() }).collect()
    }

    fn to_vec(&self) -> Vec<f64> {
        let mut theta = self.lengths.clone();
        theta.extend([self.signal, self.noise]);
        theta.extend(self.shapes.iter().flat_map(|(a, b)| [*a, *b]));
        theta
    }

    fn from_slice(theta: &[f64], slots: usize) -> Self {
        Self {
            lengths: theta[..slots].to_vec(),
            signal: theta[slots],
            noise: theta[slots + 1],
            shapes: theta[slots + 2..].chunks_exact(2).map(|pair| (pair[0], pair[1])).collect(),
        }
    }
}

/// The hyperparameters and the shape of the output that explain the losses at `rows` best.
///
/// A cold fit: a pure function of its arguments. For each shape of [`Bend::ALL`] the search goes a few steps down from
/// each of the fixed starts; from where the losses have the highest density *in their own units* (the Jacobian counts)
/// it goes on to the end. Then the numbers are warped too, if that explains much more.
pub(super) fn fit(
    embedding: &Embedding,
    prior: &Prior,
    rows: &[Vec<f64>],
    losses: &[f64],
) -> (Hyperparameters, Output) {
    let mut best: Option<(f64, Vec<f64>, Posterior, Output)> = None;
    for bend in Bend::ALL {
        let output = Output::new(bend, losses);
        let targets: Vec<f64> = losses.iter().map(|loss| output.apply(*loss)).collect();
        let slope: f64 = losses.iter().map(|loss| output.log_slope(*loss)).sum();
        let posterior = Posterior { embedding, prior, rows, targets };
        for start in posterior.starts() {
            let mut theta = start.to_vec();
            let value = posterior.descend(&mut theta, SHORT) - slope;
            if value.is_finite() && best.as_ref().is_none_or(|(least, ..)| value < *least) {
                let posterior = Posterior { embedding, prior, rows, targets: posterior.targets.clone() };
                best = Some((value, theta, posterior, output));
            }
        }
    }
    let slots = embedding.parts.len();
    let Some((_, mut theta, posterior, output)) = best else {
        let posterior = Posterior { embedding, prior, rows, targets: Vec::new() };
        return (posterior.starts().swap_remove(0), Output::new(Bend::Straight, losses));
    };
    let straight = posterior.descend(&mut theta, LONG);
    if rows.len() >= WARP_LEAST {
        let mut bent = theta.clone();
        bent.extend(vec![0.0; 2 * slots]);
        let value = posterior.descend(&mut bent, LONG);
        let numbers = embedding.parts.iter().filter(|part| !matches!(part, Part::Code { .. })).count();
        if straight - value > WARP_GAIN * numbers as f64 {
            theta = bent;
        }
    }
    (Hyperparameters::from_slice(&theta, slots), output)
}

/// What is known of the lengths beforehand.
#[derive(Clone, Debug)]
pub(super) struct Prior {
    /// How many slots exist in a point on the average.
    pub(super) dimension: f64,
    /// Slots whose length owes nothing to the others'.
    pub(super) apart: Vec<bool>,
}

/// Negative logarithm of the posterior density of the hyperparameters, up to a constant.
struct Posterior<'a> {
    embedding: &'a Embedding,
    prior: &'a Prior,
    rows: &'a [Vec<f64>],
    targets: Vec<f64>,
}

impl Posterior<'_> {
    fn starts(&self) -> Vec<Hyperparameters> {
        let start = |share: f64, noise: f64| Hyperparameters {
            lengths: vec![(share * self.prior.dimension.sqrt()).ln(); self.embedding.parts.len()],
            signal: 0.0,
            noise,
            shapes: Vec::new(),
        };
        // Wiggly and exact, smooth and exact, and smooth under much noise.
        vec![start(0.3, -9.0), start(1.5, -9.0), start(1.0, -2.0)]
    }

    fn descend(&self, theta: &mut [f64], patience: Patience) -> f64 {
        let slots = self.embedding.parts.len();
        let mut bounds = vec![(-4.0, 9.0); slots];
        bounds.extend([(-5.0, 6.0), (LEAST_NOISE.ln(), 0.0)]);
        bounds.resize(theta.len(), (-1.4, 1.4));
        descend(theta, &bounds, patience, &mut |theta, gradient| self.value(theta, gradient))
    }

    fn value(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let slots = self.embedding.parts.len();
        let hyper = Hyperparameters::from_slice(theta, slots);
        let (weights, warps, signal, noise) = (hyper.weights(), hyper.warps(), hyper.signal(), hyper.noise());
        let columns = columns(self.embedding, self.rows, &warps);
        let n = self.rows.len();
        let mut whitener = Whitener::new();
        let (mut covariances, mut slopes) = (Vec::new(), Vec::new());
        let (mut q, mut point) = (Vec::new(), Vec::new());
        for i in 0..n {
            q.clear();
            q.resize(i, 0.0);
            point.clear();
            point.extend(columns.iter().map(|column| column[i]));
            for (part, weight) in self.embedding.parts.iter().zip(&weights) {
                part.add_distances(*weight, &point, &columns, &mut q);
            }
            let start = covariances.len();
            for q in &q {
                let (value, slope) = matern_and_slope(*q);
                covariances.push(signal * value);
                slopes.push(signal * slope);
            }
            whitener.push(&covariances[start..], signal + noise, 1e-3 * noise);
        }
        let (mean, alpha, fit) = weigh(&whitener, &self.targets);
        gradient.fill(0.0);
        let bent = if hyper.shapes.is_empty() { Vec::new() } else { self.by_shapes(&warps) };
        let inverse = whitener.columns();
        let (mut by_signal, mut by_noise) = (0.0, 0.0);
        let mut h = Vec::new();
        for i in 0..n {
            let rest = alpha[i] * alpha[i] - dot(&inverse[i], &inverse[i]);
            by_noise += 0.5 * noise * rest;
            by_signal += 0.5 * signal * rest;
            let start = i * i.saturating_sub(1) / 2;
            h.clear();
            for j in 0..i {
                let rest = alpha[i] * alpha[j] - dot(&inverse[i], &inverse[j][i - j..]);
                by_signal += rest * covariances[start + j];
                h.push(rest * slopes[start + j]);
            }
            self.add_gradient(i, &h, &columns, &weights, &mut gradient[..slots]);
            if !bent.is_empty() {
                self.add_shape_gradient(i, &h, &columns, &bent, &weights, &mut gradient[slots + 2..]);
            }
        }
        gradient[slots] = by_signal;
        gradient[slots + 1] = by_noise;
        for gradient in gradient.iter_mut() {
            *gradient = -*gradient;
        }
        let likelihood = 0.5 * (fit + whitener.log_determinant() + mean * mean / MEAN_VARIANCE);
        likelihood + self.prior(theta, gradient)
    }

    /// Adds what row `i` and those before it tell of the lengths: Σ h times the derivative of the squared distance by
    /// the logarithm of the length, −2 times the distance.
    fn add_gradient(&self, i: usize, h: &[f64], columns: &[Vec<f64>], weights: &[f64], gradient: &mut [f64]) {
        for ((part, weight), gradient) in self.embedding.parts.iter().zip(weights).zip(gradient) {
            let sum = match *part {
                Part::Line { feature } => weighted_squares(h, &columns[feature], i),
                Part::Arc { feature } => {
                    weighted_squares(h, &columns[feature], i) + weighted_squares(h, &columns[feature + 1], i)
                }
                Part::Code { feature } => {
                    let column = &columns[feature];
                    h.iter().zip(column).map(|(h, code)| if *code == column[i] { 0.0 } else { *h }).sum()
                }
            };
            *gradient -= 2.0 * weight * sum;
        }
    }

    /// The derivatives of the features of all rows by the logarithms of both shapes of their slot's warp, in columns.
    fn by_shapes(&self, warps: &[Warp]) -> Vec<[Vec<f64>; 2]> {
        let mut columns = vec![[Vec::new(), Vec::new()]; self.embedding.width()];
        for (slot, part) in self.embedding.parts.iter().enumerate() {
            for row in self.rows {
                let at = row[slot];
                let (a, b) = if at.is_nan() { (0.0, 0.0) } else { warps[slot].by_shape(at) };
                match *part {
                    Part::Line { feature } => {
                        columns[feature][0].push(a);
                        columns[feature][1].push(b);
                    }
                    Part::Arc { feature } => {
                        let (sin, cos) = if at.is_nan() { (0.0, 0.0) } else { (warps[slot].at(at) - 0.5).sin_cos() };
                        columns[feature][0].push(-sin * a);
                        columns[feature][1].push(-sin * b);
                        columns[feature + 1][0].push(cos * a);
                        columns[feature + 1][1].push(cos * b);
                    }
                    Part::Code { .. } => {}
                }
            }
        }
        columns
    }

    /// The same for the warps' shapes: Σ h times 2 weight (x − x') (dx − dx').
    fn add_shape_gradient(
        &self,
        i: usize,
        h: &[f64],
        columns: &[Vec<f64>],
        bent: &[[Vec<f64>; 2]],
        weights: &[f64],
        gradient: &mut [f64],
    ) {
        for (slot, (part, weight)) in self.embedding.parts.iter().zip(weights).enumerate() {
            let features = match *part {
                Part::Line { feature } => feature..feature + 1,
                Part::Arc { feature } => feature..feature + 2,
                Part::Code { .. } => continue,
            };
            for feature in features {
                let column = &columns[feature];
                for shape in 0..2 {
                    let by = &bent[feature][shape];
                    let terms = h.iter().zip(column).zip(by).map(|((h, x), dx)| h * (column[i] - x) * (by[i] - dx));
                    gradient[2 * slot + shape] += 2.0 * weight * terms.sum::<f64>();
                }
            }
        }
    }

    /// Negative logarithm of the prior density, and adds its slopes.
    ///
    /// Lengths: log-normal and growing with √d (Hvarfner, Hellsten and Nardi, arXiv:2402.02229, section 5), but alike:
    /// what the slots have in common may vary widely, what each has of its own less. Independent priors as wide let a few
    /// results in ten dimensions be explained by two of them, chosen by chance.
    fn prior(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let slots = self.embedding.parts.len();
        let apart = &self.prior.apart;
        let growth = 0.5 * self.prior.dimension.ln();
        let (mean, common, own) = (LENGTH.0 + growth, LENGTH.1 * LENGTH.1, LENGTH.2 * LENGTH.2);
        // The inverse of own × I + common × 1 1ᵀ (Sherman and Morrison).
        let together = || theta[..slots].iter().zip(apart).filter(|(_, apart)| !**apart).map(|(x, _)| x - mean);
        let shared = common / (own + common * together().count() as f64) * together().sum::<f64>();
        let mut sum = 0.0;
        for (i, (x, gradient)) in theta.iter().zip(gradient).enumerate() {
            let (mean, deviation) = match i.checked_sub(slots) {
                None if apart[i] => (LENGTH_APART.0 + growth, LENGTH_APART.1),
                None => {
                    let slope = (x - mean - shared) / own;
                    sum += 0.5 * (x - mean) * slope;
                    *gradient += slope;
                    continue;
                }
                Some(0) => SIGNAL,
                Some(1) => NOISE,
                Some(_) => SHAPE,
            };
            let z = (x - mean) / deviation;
            sum += 0.5 * z * z;
            *gradient += z / deviation;
        }
        sum
    }
}

/// The features of all rows, in columns.
pub(super) fn columns(embedding: &Embedding, rows: &[Vec<f64>], warps: &[Warp]) -> Vec<Vec<f64>> {
    let mut columns = vec![Vec::with_capacity(rows.len()); embedding.width()];
    let mut point = Vec::new();
    for row in rows {
        embedding.embed(row, warps, &mut point);
        for (column, x) in columns.iter_mut().zip(&point) {
            column.push(*x);
        }
    }
    columns
}

/// The constant mean that fits best under its prior, K⁻¹ (targets − mean), and its product with (targets − mean).
pub(super) fn weigh(whitener: &Whitener, targets: &[f64]) -> (f64, Vec<f64>, f64) {
    let (mut ones, mut white) = (Vec::new(), Vec::new());
    whitener.whiten(&vec![1.0; targets.len()], &mut ones);
    whitener.whiten(targets, &mut white);
    let mean = dot(&ones, &white) / (dot(&ones, &ones) + 1.0 / MEAN_VARIANCE);
    for (white, one) in white.iter_mut().zip(&ones) {
        *white -= mean * one;
    }
    let mut alpha = Vec::new();
    whitener.whiten_back(&white, &mut alpha);
    (mean, alpha, dot(&white, &white))
}

fn weighted_squares(h: &[f64], column: &[f64], i: usize) -> f64 {
    let x = column[i];
    let mut lanes = [0.0; 4];
    let (weights, others) = (h.chunks_exact(4), column[..h.len()].chunks_exact(4));
    let tail: f64 =
        weights.remainder().iter().zip(others.remainder()).map(|(h, other)| h * (x - other) * (x - other)).sum();
    for (h, others) in weights.zip(others) {
        for lane in 0..4 {
            lanes[lane] += h[lane] * (x - others[lane]) * (x - others[lane]);
        }
    }
    (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]) + tail
}

#[cfg(test)]
impl Hyperparameters {
    /// Those of given lengths and variances, without warps.
    pub(super) fn plain(lengths: &[f64], signal: f64, noise: f64) -> Self {
        let lengths = lengths.iter().map(|length| length.ln()).collect();
        Self { lengths, signal: signal.ln(), noise: noise.ln(), shapes: Vec::new() }
    }

    /// The same with one warp for all slots, of these logarithms of its shapes.
    pub(super) fn bent(self, a: f64, b: f64) -> Self {
        Self { shapes: vec![(a, b); self.lengths.len()], ..self }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::space::{Choice, Dimension, Layout, Space};

    fn together(dimension: f64) -> Prior {
        Prior { dimension, apart: vec![false; dimension as usize] }
    }

    fn space() -> Space {
        let x = |name: &str| Dimension::float(name, 0.0, 1.0);
        let options = vec![Choice::with("a", vec![x("p"), x("q")]), Choice::leaf("b")];
        Space::new(vec![x("x"), Dimension::choice("c", options)])
    }

    proptest! {
        #[test]
        fn slopes_are_those_of_differences(
            seed in any::<u64>(),
            lengths in proptest::collection::vec(-1.5..1.0_f64, 4),
            signal in -1.0..1.0_f64,
            noise in -7.0..-1.0_f64,
            shapes in proptest::collection::vec(-0.7..0.7_f64, 8),
            bent in any::<bool>(),
        ) {
            let (space, layout) = (space(), Layout::new(&space()));
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let rows: Vec<Vec<f64>> =
                (0..15).map(|_| layout.encode(&space.sample(&mut rng)).expect("a point")).collect();
            let targets = rows.iter().map(|row| (5.0 * row[0]).sin() - row[1] + row[2].max(0.0)).collect();
            let embedding = Embedding::new(&layout);
            let prior = Prior { dimension: 2.5, apart: vec![false, false, true, false] };
            let posterior = Posterior { embedding: &embedding, prior: &prior, rows: &rows, targets };
            let mut theta = lengths;
            theta.extend([signal, noise]);
            if bent {
                theta.extend(shapes);
            }
            let (mut slopes, mut others) = (vec![0.0; theta.len()], vec![0.0; theta.len()]);
            posterior.value(&theta, &mut slopes);
            for i in 0..theta.len() {
                let at = theta[i];
                let mut beside = |h: f64| {
                    theta[i] = at + h;
                    let value = posterior.value(&theta, &mut others);
                    theta[i] = at;
                    value
                };
                let difference = (beside(1e-5) - beside(-1e-5)) / 2e-5;
                let tolerance = 1e-4 * (1.0 + difference.abs());
                prop_assert!((slopes[i] - difference).abs() < tolerance, "{}: {} is not {}", i, slopes[i], difference);
            }
        }
    }

    #[test]
    fn numbers_are_warped_where_that_explains_the_losses() {
        let space = Space::new(vec![Dimension::float("x", 0.0, 1.0)]);
        let layout = Layout::new(&space);
        let rows: Vec<Vec<f64>> = (0..24).map(|i| vec![(f64::from(i) + 0.5) / 24.0]).collect();
        let warped = |f: &dyn Fn(f64) -> f64| {
            let losses: Vec<f64> = rows.iter().map(|row| f(row[0])).collect();
            fit(&Embedding::new(&layout), &together(1.0), &rows, &losses).0.warps()[0] != Warp::NONE
        };
        assert!(warped(&|x| (8.0 * x.powi(4)).sin()), "all happens at one end");
        assert!(!warped(&|x| (6.0 * x).sin()), "the same all over");
    }

    #[test]
    fn finds_which_number_matters_and_how_the_losses_are_spread() {
        let space = Space::new(vec![Dimension::float("x", 0.0, 1.0), Dimension::float("idle", 0.0, 1.0)]);
        let layout = Layout::new(&space);
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let rows: Vec<Vec<f64>> = (0..30).map(|_| layout.encode(&space.sample(&mut rng)).expect("a point")).collect();
        let wave = |row: &[f64]| (6.0 * row[0]).sin();
        let straight: Vec<f64> = rows.iter().map(|row| wave(row)).collect();
        let steep: Vec<f64> = rows.iter().map(|row| (4.0 * wave(row)).exp()).collect();
        let (hyper, _) = fit(&Embedding::new(&layout), &together(2.0), &rows, &straight);
        assert!(hyper.lengths[1] > hyper.lengths[0] + 1.0, "{:?}", hyper.lengths);
        assert!(hyper.noise() < 1e-3);
        let (_, output) = fit(&Embedding::new(&layout), &together(2.0), &rows, &steep);
        let curve = |loss: f64| output.apply(2.0 * loss) - output.apply(loss);
        assert!(curve(20.0) < 4.0 * curve(1.0), "exponentials are not bent back: {output:?}");
    }
}
