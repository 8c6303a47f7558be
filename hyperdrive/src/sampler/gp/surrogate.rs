//! What the losses are expected to be everywhere, from those at some points.

use super::embedding::{Embedding, Part, Warp};
use super::fit::{self, Hyperparameters, Prior};
use super::kernel::{matern, matern_and_slope};
use super::output::Output;
use crate::numeric::linear::{Whitener, dot};
use crate::space::{Kind, Layout};

/// A Gaussian process over the points of a layout, conditional ones too, conditioned on losses.
///
/// Means and variances are in the model's own units, in which the losses it was fitted to have mean 0 and variance 1
/// after a monotone bend: the order of losses is kept, so the least mean is the least expected loss.
#[derive(Clone, Debug)]
pub(crate) struct Surrogate {
    pub(super) embedding: Embedding,
    output: Output,
    weights: Vec<f64>,
    warps: Vec<Warp>,
    signal: f64,
    noise: f64,
    /// What it is conditioned on, as the layout has it.
    pub(super) rows: Vec<Vec<f64>>,
    /// The same as features, in columns.
    columns: Vec<Vec<f64>>,
    targets: Vec<f64>,
    whitener: Whitener,
    mean: f64,
    alpha: Vec<f64>,
}

/// Room for the numbers of one prediction, to be used again for the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    point: Vec<f64>,
    q: Vec<f64>,
    slopes: Vec<f64>,
    white: Vec<f64>,
    back: Vec<f64>,
}

impl Surrogate {
    /// Fits hyperparameters to `losses` (finite, smaller is better) at `rows` of the layout and conditions on them all.
    /// How far losses are alike is taken to be similar along all slots but those `apart`, which are of another nature,
    /// such as a resource. A pure function of its arguments.
    ///
    /// Costs O(n³) a step, some hundred steps; `append` between fits costs O(n²).
    pub(crate) fn fit(layout: &Layout, rows: &[Vec<f64>], losses: &[f64], apart: &[usize]) -> Self {
        let embedding = Embedding::new(layout);
        let apart = (0..layout.len()).map(|slot| apart.contains(&slot)).collect();
        let prior = Prior { dimension: dimension(layout), apart };
        let (hyper, output) = fit::fit(&embedding, &prior, rows, losses);
        let mut surrogate = Self::unconditioned(embedding, &hyper, output);
        for (row, loss) in rows.iter().zip(losses) {
            surrogate.push(row, output.apply(*loss));
        }
        surrogate.weigh();
        surrogate
    }

    fn unconditioned(embedding: Embedding, hyper: &Hyperparameters, output: Output) -> Self {
        Self {
            columns: vec![Vec::new(); embedding.width()],
            embedding,
            output,
            weights: hyper.weights(),
            warps: hyper.warps(),
            signal: hyper.signal(),
            noise: hyper.noise(),
            rows: Vec::new(),
            targets: Vec::new(),
            whitener: Whitener::new(),
            mean: 0.0,
            alpha: Vec::new(),
        }
    }

    /// Conditions on one more loss, with the hyperparameters as they are.
    pub(crate) fn append(&mut self, row: &[f64], loss: f64) {
        self.push(row, self.output.apply(loss));
        self.weigh();
    }

    /// Conditions on a point under way as if it had come out as expected: the variance around it shrinks, the mean stays
    /// (the kriging believer of Ginsbourger, Le Riche and Carraro, 2010).
    pub(crate) fn believe(&mut self, row: &[f64]) {
        let (mean, _) = self.predict(row);
        self.push(row, mean);
        self.weigh();
    }

    /// How many points it is conditioned on.
    pub(crate) fn len(&self) -> usize {
        self.targets.len()
    }

    /// Mean and variance of the loss without noise at a row of the layout, in the model's units.
    pub(crate) fn predict(&self, row: &[f64]) -> (f64, f64) {
        self.predict_in(row, &mut Scratch::default())
    }

    pub(super) fn predict_in(&self, row: &[f64], scratch: &mut Scratch) -> (f64, f64) {
        self.distances(row, scratch);
        for q in &mut scratch.q {
            *q = self.signal * matern(*q);
        }
        self.whitener.whiten(&scratch.q, &mut scratch.white);
        let mean = self.mean + dot(&scratch.q, &self.alpha);
        (mean, self.variance(&scratch.white))
    }

    /// Mean and variance, and writes their derivatives by each number of the row; 0 for options and what does not exist.
    pub(super) fn gradients_in(
        &self,
        row: &[f64],
        scratch: &mut Scratch,
        by_mean: &mut [f64],
        by_variance: &mut [f64],
    ) -> (f64, f64) {
        self.distances(row, scratch);
        scratch.slopes.clear();
        for q in &mut scratch.q {
            let (value, slope) = matern_and_slope(*q);
            *q = self.signal * value;
            scratch.slopes.push(self.signal * slope);
        }
        self.whitener.whiten(&scratch.q, &mut scratch.white);
        self.whitener.whiten_back(&scratch.white, &mut scratch.back);
        let mean = self.mean + dot(&scratch.q, &self.alpha);
        // From here on `q` and `back` are the derivatives by the squared distance to each point.
        let mut sums = (0.0, 0.0);
        for i in 0..self.len() {
            scratch.q[i] = scratch.slopes[i] * self.alpha[i];
            scratch.back[i] *= -2.0 * scratch.slopes[i];
            sums.0 += scratch.q[i];
            sums.1 += scratch.back[i];
        }
        for (slot, part) in self.embedding.parts.iter().enumerate() {
            let (m, v) = self.slot_gradient(*part, slot, row[slot], scratch, sums);
            by_mean[slot] = m;
            by_variance[slot] = v;
        }
        (mean, self.variance(&scratch.white))
    }

    fn slot_gradient(&self, part: Part, slot: usize, at: f64, scratch: &Scratch, sums: (f64, f64)) -> (f64, f64) {
        // Σ c (x − other) for a feature x: the derivative of Σ c × squared distance, halved.
        let pull = |feature: usize| {
            let (x, column) = (scratch.point[feature], &self.columns[feature]);
            (x * sums.0 - dot(&scratch.q, column), x * sums.1 - dot(&scratch.back, column))
        };
        let scale = 2.0 * self.weights[slot] * if at.is_nan() { 0.0 } else { self.warps[slot].slope(at) };
        match part {
            Part::Line { feature } => {
                let (m, v) = pull(feature);
                (scale * m, scale * v)
            }
            Part::Arc { .. } if at.is_nan() => (0.0, 0.0),
            Part::Arc { feature } => {
                let (cos, sin) = (scratch.point[feature], scratch.point[feature + 1]);
                let ((a, b), (c, d)) = (pull(feature), pull(feature + 1));
                (scale * (cos * c - sin * a), scale * (cos * d - sin * b))
            }
            Part::Code { .. } => (0.0, 0.0),
        }
    }

    /// The expected loss at each point it is conditioned on.
    pub(super) fn expected(&self) -> impl Iterator<Item = f64> {
        // K α = targets − mean with the noise in K, so without it the expectation is the target less the noise's share.
        self.targets.iter().zip(&self.alpha).map(|(target, alpha)| target - self.noise * alpha)
    }

    /// The expected loss at the points it is conditioned on that have these numbers in these slots, in their order; at
    /// all of them where none has.
    pub(super) fn expected_with(&self, fixed: &[(usize, f64)]) -> Vec<f64> {
        let has = |row: &[f64]| fixed.iter().all(|(slot, at)| row[*slot] == *at);
        let some: Vec<f64> =
            self.expected().zip(&self.rows).filter(|(_, row)| has(row)).map(|(expected, _)| expected).collect();
        if some.is_empty() { self.expected().collect() } else { some }
    }

    /// Each slot's length: how far the loss is alike along it.
    pub(super) fn lengths(&self) -> Vec<f64> {
        self.weights.iter().map(|weight| weight.sqrt().recip()).collect()
    }

    fn distances(&self, row: &[f64], scratch: &mut Scratch) {
        self.embedding.embed(row, &self.warps, &mut scratch.point);
        scratch.q.clear();
        scratch.q.resize(self.len(), 0.0);
        for (part, weight) in self.embedding.parts.iter().zip(&self.weights) {
            part.add_distances(*weight, &scratch.point, &self.columns, &mut scratch.q);
        }
    }

    fn variance(&self, white: &[f64]) -> f64 {
        (self.signal - dot(white, white)).max(1e-12 * self.signal)
    }

    fn push(&mut self, row: &[f64], target: f64) {
        let mut scratch = Scratch::default();
        self.distances(row, &mut scratch);
        for q in &mut scratch.q {
            *q = self.signal * matern(*q);
        }
        self.whitener.push(&scratch.q, self.signal + self.noise, 1e-3 * self.noise);
        for (column, x) in self.columns.iter_mut().zip(&scratch.point) {
            column.push(*x);
        }
        self.targets.push(target);
        self.rows.push(row.to_vec());
    }

    fn weigh(&mut self) {
        (self.mean, self.alpha, _) = fit::weigh(&self.whitener, &self.targets);
    }
}

/// How many slots a point of the layout has on the average, if each option is equally likely; at least 1.
fn dimension(layout: &Layout) -> f64 {
    let mut chance: Vec<f64> = Vec::with_capacity(layout.len());
    for slot in &layout.slots {
        chance.push(match slot.parent {
            None => 1.0,
            Some((parent, _)) => match layout.slots[parent].kind {
                Kind::Category { levels } => chance[parent] / levels as f64,
                _ => chance[parent],
            },
        });
    }
    chance.iter().sum::<f64>().max(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::super::acquisition::LogExpectedImprovement;
    use super::*;
    use crate::numeric::eigen;
    use crate::space::{Choice, Dimension, Space};

    fn square() -> Layout {
        Layout::new(&Space::new(vec![Dimension::float("x", 0.0, 1.0), Dimension::float("y", 0.0, 1.0)]))
    }

    /// Two levels of conditions, numbers and options under each.
    fn tree() -> Space {
        let x = |name: &str| Dimension::float(name, 0.0, 1.0);
        let deep = vec![Choice::leaf("none"), Choice::with("some", vec![x("p"), Dimension::int("k", 1, 9)])];
        let models = vec![
            Choice::with("a", vec![x("q"), Dimension::choice("deep", deep)]),
            Choice::with("b", vec![x("r"), Dimension::boolean("fast")]),
            Choice::leaf("c"),
        ];
        Space::new(vec![x("share"), Dimension::choice("model", models), Dimension::boolean("flag")])
    }

    fn rows(space: &Space, seed: u64, n: usize) -> Vec<Vec<f64>> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let layout = Layout::new(space);
        (0..n).map(|_| layout.encode(&space.sample(&mut rng)).expect("a point")).collect()
    }

    fn conditioned(layout: &Layout, hyper: &Hyperparameters, rows: &[Vec<f64>], losses: &[f64]) -> Surrogate {
        let plain = Output::plain();
        let mut surrogate = Surrogate::unconditioned(Embedding::new(layout), hyper, plain);
        for (row, loss) in rows.iter().zip(losses) {
            surrogate.append(row, *loss);
        }
        surrogate
    }

    #[test]
    fn the_posterior_is_that_of_scikit_learn() {
        // GaussianProcessRegressor(1 + 1.7 * Matern([0.3, 0.7], nu=2.5), alpha=1e-3, optimizer=None), scikit-learn
        // 1.9.1: a constant kernel of variance 1 is our mean's prior. Variances without it.
        let rows = [[0.1, 0.9], [0.4, 0.2], [0.35, 0.6], [0.8, 0.5], [0.95, 0.05]].map(|row| row.to_vec());
        let hyper = Hyperparameters::plain(&[0.3, 0.7], 1.7, 1e-3);
        let surrogate = conditioned(&square(), &hyper, &rows, &[0.3, -1.1, 0.2, 1.4, -0.5]);
        for (at, golden) in [
            ([0.5, 0.5], (0.218_269_222_338_665_28, 0.292_440_743_019_634)),
            ([0.1, 0.9], (0.299_993_941_115_948_6, 0.000_999_094_259_696_242_4)),
            ([0.0, 0.0], (-0.455_279_439_144_072_6, 1.372_548_332_662_368_6)),
        ] {
            let (mean, variance) = surrogate.predict(&at);
            assert!((mean - golden.0).abs() < 1e-10, "{mean} at {at:?}");
            assert!((variance - golden.1).abs() < 1e-10, "{variance} at {at:?}");
        }
        assert_eq!(surrogate.len(), 5);
        let expected = surrogate.expected_with(&[(0, 0.1)]);
        assert!(expected.len() == 1 && (expected[0] - 0.299_993_941_115_948_6).abs() < 1e-10);
    }

    #[test]
    fn appended_is_as_fitted_and_a_believed_point_moves_no_mean() {
        let space = tree();
        let (layout, rows) = (Layout::new(&space), rows(&space, 1, 24));
        let losses: Vec<f64> = (0..24).map(|i| f64::from(i % 7) + 0.1 * f64::from(i)).collect();
        let mut grown = Surrogate::fit(&layout, &rows[..20], &losses[..20], &[]);
        let mut at_once = grown.clone();
        for (row, loss) in rows[20..].iter().zip(&losses[20..]) {
            grown.append(row, *loss);
            at_once.push(row, at_once.output.apply(*loss));
        }
        at_once.weigh();
        assert_eq!(grown.predict(&rows[0]), at_once.predict(&rows[0]));
        let place = self::rows(&space, 2, 1).swap_remove(0);
        let (mean, variance) = grown.predict(&place);
        grown.believe(&place);
        let (believed, less) = grown.predict(&place);
        assert!((believed - mean).abs() < 1e-9, "{mean} became {believed}");
        // What one result under noise leaves of a variance.
        let left = variance * grown.noise / (variance + grown.noise);
        assert!((less - left).abs() < 1e-9, "{variance} became {less}, not {left}");
    }

    proptest! {
        #[test]
        fn distances_of_conditional_points_make_positive_semidefinite_matrices(
            seed in any::<u64>(),
            lengths in proptest::collection::vec(0.05..5.0_f64, 9),
        ) {
            let space = tree();
            let (layout, rows) = (Layout::new(&space), rows(&space, seed, 20));
            prop_assert_eq!(layout.len(), 9);
            let hyper = Hyperparameters::plain(&lengths, 1.0, 1e-6);
            let surrogate = conditioned(&layout, &hyper, &rows, &[0.0; 20]);
            let mut gram = Vec::new();
            let mut scratch = Scratch::default();
            for row in &rows {
                surrogate.distances(row, &mut scratch);
                gram.extend(scratch.q.iter().map(|q| matern(*q)));
            }
            let eigen = eigen::symmetric(&gram, 20, &eigen::identity(20));
            let least = eigen.values.iter().copied().fold(f64::INFINITY, f64::min);
            prop_assert!(least > -1e-10, "an eigenvalue of {}", least);
        }

        #[test]
        fn what_exists_on_one_side_only_counts_the_same_wherever_it_stands(p in 0.0..1.0_f64, q in 0.0..1.0_f64) {
            let option = Choice::with("on", vec![Dimension::float("x", 0.0, 1.0)]);
            let layout = Layout::new(&Space::new(vec![Dimension::choice("c", vec![Choice::leaf("off"), option])]));
            let hyper = Hyperparameters::plain(&[1.0, 0.5], 1.0, 1e-6);
            let rows = [vec![0.0, f64::NAN], vec![1.0, p]];
            let surrogate = conditioned(&layout, &hyper, &rows, &[0.0; 2]);
            let distances = |row: &[f64]| {
                let mut scratch = Scratch::default();
                surrogate.distances(row, &mut scratch);
                scratch.q
            };
            // 1 for the option, and 1 / 0.5² for what only one of them has.
            prop_assert!((distances(&[1.0, q])[0] - 5.0).abs() < 1e-9);
            prop_assert!((distances(&[0.0, f64::NAN])[0]).abs() < 1e-12);
            let chord = 2.0 * (0.5 * (p - q)).sin();
            prop_assert!((distances(&[1.0, q])[1] - 4.0 * chord * chord).abs() < 1e-9);
        }

        #[test]
        fn slopes_are_those_of_differences(seed in any::<u64>(), bent in any::<bool>()) {
            let space = tree();
            let (layout, rows) = (Layout::new(&space), rows(&space, seed, 16));
            let losses: Vec<f64> = rows.iter().map(|row| (3.0 * row[0]).sin() + row[1]).collect();
            let mut hyper = Hyperparameters::plain(&[0.4, 0.9, 0.5, 0.8, 0.6, 0.7, 0.5, 1.0, 0.9], 1.3, 1e-3);
            if bent {
                hyper = hyper.bent(0.3, -0.2);
            }
            let surrogate = conditioned(&layout, &hyper, &rows, &losses);
            let mut worth = LogExpectedImprovement::new(&surrogate, 0.1);
            let mut row = self::rows(&space, seed ^ 1, 1).swap_remove(0);
            let mut slopes = vec![0.0; 9];
            for slot in 0..9 {
                if row[slot].is_nan() || matches!(layout.slots[slot].kind, Kind::Category { .. }) {
                    continue;
                }
                row[slot] = row[slot].clamp(0.01, 0.99);
                let value = worth.gradient(&row, &mut slopes);
                prop_assert_eq!(value, worth.value(&row));
                let at = row[slot];
                let mut beside = |h: f64| {
                    row[slot] = at + h;
                    let value = worth.value(&row);
                    row[slot] = at;
                    value
                };
                let difference = (beside(1e-5) - beside(-1e-5)) / 2e-5;
                let tolerance = 1e-4 * (1.0 + difference.abs());
                prop_assert!((slopes[slot] - difference).abs() < tolerance, "{} is not {}", slopes[slot], difference);
            }
        }
    }

    #[test]
    fn losses_of_any_size_fit() {
        let layout = square();
        let rows: Vec<Vec<f64>> = (0..6).map(|i| vec![f64::from(i) / 5.0, f64::from(i * i % 6) / 5.0]).collect();
        for losses in [[2.0; 6], [0.0, 1e300, -1e300, 5.0, 1.0, 2.0], [1e-300, 2e-300, 0.0, 3e-300, 1e-300, 0.0]] {
            let surrogate = Surrogate::fit(&layout, &rows, &losses, &[]);
            let (mean, variance) = surrogate.predict(&[0.5, 0.5]);
            assert!(mean.is_finite() && variance > 0.0, "{mean} and {variance} from {losses:?}");
        }
    }
}
