//! A Parzen estimator over several axes at once: a mixture of kernels, each a product over the axes.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::numeric::normal;

/// What an axis holds: for a number places in [0, 1], for a category indices of options.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Axis {
    /// A number; kernels are at least so wide.
    Number { least: f64 },
    /// One of so many options.
    Category { levels: usize },
}

/// How wide kernels are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bandwidth {
    /// Of n kernels, the prior among them, none is narrower than (n + 1)^-`clip`.
    pub(super) clip: f64,
    /// Weight of each option of a category beside the kernel's own, which has 1 more, times the number of kernels.
    pub(super) spread: f64,
}

/// Kernels that are looked at together.
const BLOCK: usize = 8;

/// A weighted sum of kernels: each is a point that was seen, or the last one the prior, and a product of one factor for
/// each axis (Bergstra et al., `NIPS` 2011, with products over all axes as in Falkner et al., `ICML` 2018).
///
/// A kernel whose point has no value on an axis (NaN) is level there.
pub(super) struct Mixture {
    factors: Vec<Factor>,
    /// Ascending sums of the weights, the last 1.
    cumulative: Vec<f64>,
    /// Logarithms of the weights and of the constants of the factors.
    constants: Blocks<f64>,
}

/// A number for each kernel, filled up to whole blocks.
struct Blocks<T>(Vec<[T; BLOCK]>);

impl<T: Copy> Blocks<T> {
    fn new(values: &[T], fill: T) -> Self {
        let block = |values: &[T]| {
            let mut block = [fill; BLOCK];
            block[..values.len()].copy_from_slice(values);
            block
        };
        Self(values.chunks(BLOCK).map(block).collect())
    }

    fn at(&self, kernel: usize) -> T {
        self.0[kernel / BLOCK][kernel % BLOCK]
    }
}

/// The kernels along one axis.
enum Factor {
    /// Normal, cut off at 0 and 1. The scale is 1 / (√2 σ), and 0 where the kernel is level.
    Number { means: Blocks<f64>, scales: Blocks<f64> },
    /// The option of each kernel, `levels` where it is level; logarithms of the probabilities of the same option and
    /// of each other one.
    Category { options: Blocks<usize>, same: f64, other: f64, levels: usize },
}

impl Mixture {
    /// The mixture of points given as columns, one for each axis, and their weights; `prior` is the weight of the
    /// prior. Weights are not negative, and the prior's is above 0; there are fewer than 2^20 points.
    pub(super) fn new(axes: &[Axis], columns: &[Vec<f64>], weights: &[f64], prior: f64, bandwidth: Bandwidth) -> Self {
        let n = weights.len() + 1;
        let total = weights.iter().sum::<f64>() + prior;
        let mut sum = 0.0;
        let add = |weight: &f64| {
            sum += weight / total;
            sum
        };
        let cumulative = weights.iter().chain([&prior]).map(add).collect();
        let mut scale = Scale::new(weights.iter().chain([&prior]).map(|weight| weight / total).collect());
        let factor = |(axis, column): (&Axis, &Vec<f64>)| match *axis {
            Axis::Number { least } => number(column, least.max((n as f64 + 1.0).powf(-bandwidth.clip)), &mut scale),
            Axis::Category { levels } => category(column, levels, bandwidth.spread / n as f64),
        };
        let factors = axes.iter().zip(columns).map(factor).collect();
        Self { factors, cumulative, constants: Blocks::new(&scale.logarithms(), f64::NEG_INFINITY) }
    }

    /// A point drawn from the mixture, a number for each axis.
    pub(super) fn sample(&self, rng: &mut ChaCha8Rng) -> Vec<f64> {
        let u = rng.random::<f64>();
        let kernel = self.cumulative.partition_point(|sum| *sum <= u).min(self.cumulative.len() - 1);
        self.factors.iter().map(|factor| factor.sample(kernel, rng)).collect()
    }

    /// Logarithm of the density at a point, for a category the probability of the option.
    pub(super) fn log_density(&self, point: &[f64]) -> f64 {
        // A kernel less than e^-40 of the prior is lost in the rounding of the sum, and no factor makes one greater: so
        // most kernels are given up after a few axes.
        let prior = self.cumulative.len() - 1;
        let least = self.block(prior / BLOCK, point, f64::NEG_INFINITY)[prior % BLOCK] - 40.0;
        let (mut greatest, mut sum) = (f64::NEG_INFINITY, 0.0);
        for block in 0..self.constants.0.len() {
            let terms = self.block(block, point, least);
            let most = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            if most < least {
                continue;
            }
            if most > greatest {
                sum *= (greatest - most).exp();
                greatest = most;
            }
            sum += terms.iter().filter(|term| **term > least).map(|term| (term - greatest).exp()).sum::<f64>();
        }
        greatest + sum.ln()
    }

    /// Logarithms of the kernels of one block at a point; of a block with none above `least` what is known so far.
    fn block(&self, block: usize, point: &[f64], least: f64) -> [f64; BLOCK] {
        let mut terms = self.constants.0[block];
        for (factor, at) in self.factors.iter().zip(point) {
            factor.add_to(&mut terms, block, *at);
            if terms.iter().all(|term| *term < least) {
                break;
            }
        }
        terms
    }
}

/// Quotients whose logarithms are taken only now and then, being dear.
struct Scale {
    above: Vec<f64>,
    below: Vec<f64>,
    logarithms: Vec<f64>,
}

impl Scale {
    fn new(above: Vec<f64>) -> Self {
        Self { below: vec![1.0; above.len()], logarithms: vec![0.0; above.len()], above }
    }

    fn divide(&mut self, i: usize, by: f64) {
        self.below[i] *= by;
        if !(1e-200..1e200).contains(&self.below[i]) {
            self.logarithms[i] -= self.below[i].ln();
            self.below[i] = 1.0;
        }
    }

    fn logarithms(self) -> Vec<f64> {
        let quotients = self.above.iter().zip(&self.below).map(|(above, below)| (above / below).ln());
        quotients.zip(self.logarithms).map(|(quotient, logarithm)| quotient + logarithm).collect()
    }
}

/// Kernels as wide as the gap to the further neighbour, the middle of the axis being a neighbour too, and the
/// outermost looking inwards alone: as in hyperopt (Watanabe 2023, section 3.3.4). They are at least `least` wide and
/// at most 1. The prior is a kernel in the middle, 1 wide.
fn number(column: &[f64], least: f64, scale: &mut Scale) -> Factor {
    const MIDDLE: f64 = 0.5;
    // A place to 44 bits and whose it is in 20, as integers sort fastest; closer ones are as good as equal.
    let key = |at: f64, i: usize| ((at * (1_u64 << 44) as f64) as u64) << 20 | i as u64;
    let seen = column.iter().zip(0..).filter(|(at, _)| !at.is_nan()).map(|(at, i)| key(*at, i));
    let mut order: Vec<u64> = seen.chain([key(MIDDLE, column.len())]).collect();
    order.sort_unstable();
    let place = |key: u64| {
        let i = (key & ((1 << 20) - 1)) as usize;
        (column.get(i).copied().unwrap_or(MIDDLE), i)
    };
    let order: Vec<(f64, usize)> = order.into_iter().map(place).collect();
    let mut means = vec![0.0; column.len() + 1];
    let mut scales = vec![0.0; column.len() + 1];
    for (place, (mean, i)) in order.iter().enumerate() {
        let before = place.checked_sub(1).map_or(0.0, |before| mean - order[before].0);
        let after = order.get(place + 1).map_or(0.0, |after| after.0 - mean);
        let is_prior = *i == column.len();
        let deviation = if is_prior { 1.0 } else { before.max(after).clamp(least.min(1.0), 1.0) };
        scale.divide(*i, deviation * mass(*mean, deviation) * (2.0 * PI).sqrt());
        means[*i] = *mean;
        scales[*i] = FRAC_1_SQRT_2 / deviation;
    }
    Factor::Number { means: Blocks::new(&means, 0.0), scales: Blocks::new(&scales, 0.0) }
}

/// Probability that a normal number is in [0, 1].
fn mass(mean: f64, deviation: f64) -> f64 {
    // Beyond six deviations lies less than 1e-9.
    let outside = |distance: f64| if distance > 6.0 * deviation { 0.0 } else { normal::cdf(-distance / deviation) };
    1.0 - outside(mean) - outside(1.0 - mean)
}

fn category(column: &[f64], levels: usize, spread: f64) -> Factor {
    let whole = 1.0 + spread * levels as f64;
    let option = |at: &f64| if at.is_nan() { levels } else { *at as usize };
    let options: Vec<usize> = column.iter().map(option).chain([levels]).collect();
    Factor::Category {
        options: Blocks::new(&options, levels),
        same: ((1.0 + spread) / whole).ln(),
        other: (spread / whole).ln(),
        levels,
    }
}

impl Factor {
    fn sample(&self, kernel: usize, rng: &mut ChaCha8Rng) -> f64 {
        match self {
            Self::Number { scales, .. } if scales.at(kernel) == 0.0 => rng.random(),
            Self::Number { means, scales } => loop {
                // The mean being inside and the deviation at most 1, so is a third of the numbers at least.
                let z = normal::quantile(rng.random::<f64>().max(f64::MIN_POSITIVE));
                let at = means.at(kernel) + z * FRAC_1_SQRT_2 / scales.at(kernel);
                if (0.0..=1.0).contains(&at) {
                    return at;
                }
            },
            Self::Category { options, same, other, levels } => {
                // Each other option's share of the even part is as likely as the kernel's own.
                let own = same.exp() - other.exp();
                if options.at(kernel) < *levels && rng.random::<f64>() < own {
                    return options.at(kernel) as f64;
                }
                rng.random_range(0..*levels) as f64
            }
        }
    }

    /// Adds the logarithm of each kernel of a block at a place, without its constant.
    fn add_to(&self, terms: &mut [f64; BLOCK], block: usize, at: f64) {
        match self {
            Self::Number { means, scales } => {
                for ((term, mean), scale) in terms.iter_mut().zip(&means.0[block]).zip(&scales.0[block]) {
                    let z = (at - mean) * scale;
                    *term -= z * z;
                }
            }
            Self::Category { options, same, other, levels } => {
                let level = -(*levels as f64).ln();
                for (term, option) in terms.iter_mut().zip(&options.0[block]) {
                    *term += match *option {
                        option if option == *levels => level,
                        option if option as f64 == at => *same,
                        _ => *other,
                    };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;

    use super::*;

    const BANDWIDTH: Bandwidth = Bandwidth { clip: 2.0, spread: 1.0 };

    /// From Optuna 5.0.0, `samplers/_tpe/parzen_estimator.py`: `_ParzenEstimator({"x": xs, "y": ys}, {"x":
    /// FloatDistribution(0, 1), "y": FloatDistribution(0, 1)}, _ParzenEstimatorParameters(prior_weight=1.0,
    /// consider_magic_clip=True, consider_endpoints=False, weights=np.ones, multivariate=True)).log_pdf(..)`. A point
    /// in the middle takes away what Optuna leaves out of the gaps, and 1 / (n + 1) is its least width.
    #[test]
    fn it_is_that_of_optuna() {
        let columns = vec![vec![0.1, 0.5, 0.62, 0.9], vec![0.5, 0.3, 0.31, 0.05]];
        let axes = [Axis::Number { least: 0.0 }; 2];
        let mixture = Mixture::new(&axes, &columns, &[1.0; 4], 1.0, Bandwidth { clip: 1.0, spread: 1.0 });
        for (point, expected) in OPTUNA {
            let found = mixture.log_density(&point);
            assert!((found - expected).abs() < 1e-9, "{found} at {point:?} instead of {expected}");
        }
    }

    const OPTUNA: [([f64; 2], f64); 3] = [
        ([0.2, 0.4], 0.305_171_885_846_556_1),
        ([0.6, 0.3], 0.674_556_138_059_125_8),
        ([1.0, 1.0], -1.735_906_026_015_134),
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn it_integrates_to_one(
            xs in proptest::collection::vec(prop_oneof![4 => 0.0..=1.0_f64, 1 => Just(f64::NAN)], 0..12),
            seed in any::<u64>(),
        ) {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let options: Vec<f64> =
                xs.iter().map(|x| if x.is_nan() { f64::NAN } else { rng.random_range(0..3) as f64 }).collect();
            let ys: Vec<f64> = xs.iter().map(|_| rng.random()).collect();
            let weights: Vec<f64> = xs.iter().map(|_| rng.random()).collect();
            let axes = [Axis::Number { least: 0.03 }, Axis::Category { levels: 3 }, Axis::Number { least: 0.1 }];
            let mixture = Mixture::new(&axes, &[xs, options, ys], &weights, 0.5, BANDWIDTH);
            // The midpoint rule, with steps a sixth of the least width.
            let (m, n) = (200, 60);
            let mut sum = 0.0;
            for i in 0..m {
                for j in 0..n {
                    for option in 0..3 {
                        let at = |i, n| (f64::from(i) + 0.5) / f64::from(n);
                        sum += mixture.log_density(&[at(i, m), f64::from(option), at(j, n)]).exp();
                    }
                }
            }
            let integral = sum / f64::from(m * n);
            prop_assert!((integral - 1.0).abs() < 2e-3, "{integral}");
        }

        #[test]
        fn what_is_drawn_is_inside_and_follows_the_density(seed in any::<u64>()) {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let columns = vec![vec![0.0, 1.0, 0.3, f64::NAN], vec![0.0, 2.0, f64::NAN, 1.0]];
            let axes = [Axis::Number { least: 0.03 }, Axis::Category { levels: 3 }];
            let mixture = Mixture::new(&axes, &columns, &[1.0, 2.0, 3.0, 1.0], 1.0, BANDWIDTH);
            let draws = 4_000;
            let mut seen = [[0.0; 3]; 4];
            for _ in 0..draws {
                let at = mixture.sample(&mut rng);
                prop_assert!((0.0..=1.0).contains(&at[0]) && [0.0, 1.0, 2.0].contains(&at[1]));
                seen[((at[0] * 4.0) as usize).min(3)][at[1] as usize] += 1.0 / f64::from(draws);
            }
            for (quarter, seen) in seen.iter().enumerate() {
                for (option, seen) in seen.iter().enumerate() {
                    let at = |i: u32| (quarter as f64 + (f64::from(i) + 0.5) / 100.0) / 4.0;
                    let density = |i| mixture.log_density(&[at(i), option as f64]).exp();
                    let expected = (0..100).map(density).sum::<f64>() / 400.0;
                    // Six standard deviations of a binomial, and the error of the sum.
                    let most = 6.0 * (expected / f64::from(draws)).sqrt() + 1e-3;
                    prop_assert!((seen - expected).abs() < most, "{seen} and {expected} at {quarter}, {option}");
                }
            }
        }
    }

    #[test]
    fn a_lone_point_is_as_wide_as_the_least() {
        // Two kernels: (2 + 1)^-2.
        let mixture = Mixture::new(&[Axis::Number { least: 0.0 }], &[vec![0.5]], &[1.0], 1.0, BANDWIDTH);
        let kernel = |deviation: f64| normal::pdf(0.1 / deviation) / deviation / mass(0.5, deviation);
        let expected = f64::midpoint(kernel(1.0 / 9.0), kernel(1.0)).ln();
        assert!((mixture.log_density(&[0.6]) - expected).abs() < 1e-12);
    }
}
