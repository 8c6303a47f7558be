//! When a run is over, and how large the next one is.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::distribution::Distribution;
use crate::sampler::observations::Verdict;

/// BIPOP: runs with a doubled population in turn with runs of a small one and a small step, whichever kind has used
/// less (Hansen, "Benchmarking a BI-population CMA-ES on the BBOB-2009 function testbed", 2009, section 2).
#[derive(Clone, Debug, Default)]
pub(super) struct Restarts {
    count: u32,
    /// Runs of the doubled population so far.
    doublings: u32,
    small: bool,
    spent_small: usize,
    spent_large: usize,
    /// Best loss of each generation of the run.
    best: Vec<f64>,
    /// Median loss of each generation of the run.
    median: Vec<f64>,
    /// Generations whose best third were all equal.
    flat: u32,
}

/// The next run.
pub(super) struct Plan {
    pub(super) population: usize,
    /// By what the first standard deviation is multiplied.
    pub(super) shrink: f64,
}

/// Differences of the loss, relative to its size, that are none.
const SAME: f64 = 1e-12;
/// Standard deviation in a space of side 1 below which places are the same.
const NARROW: f64 = 1e-11;
/// A ratio of variances beyond which rounding rules.
const CONDITION: f64 = 1e14;
/// Doublings at most; then populations stay.
const MOST_DOUBLINGS: u32 = 9;

impl Restarts {
    /// How many there were.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// Whether the run is over after the generation with these `verdicts`, best first.
    ///
    /// The criteria are those of Hansen 2009, section 2: `TolHistFun`, `EqualFunVals`, `TolX`, `ConditionCov`,
    /// `NoEffectAxis`, `NoEffectCoord` and `Stagnation`.
    pub(super) fn is_over(&mut self, run: &Distribution, verdicts: &[Verdict]) -> bool {
        let population = run.strategy.population;
        *(if self.small { &mut self.spent_small } else { &mut self.spent_large }) += population;
        let loss = |i: usize| verdicts[i].loss();
        self.best.push(loss(0));
        self.median.push(loss(population / 2));
        let third = population.div_ceil(3);
        self.flat = if loss(0) == loss(third) { self.flat + 1 } else { 0 };
        let d = run.mean.len();
        let history = 10 + 30 * d / population;
        let same = |a: f64, b: f64| (b - a).abs() <= SAME * (1.0 + a.abs());
        let recent = &self.best[self.best.len().saturating_sub(history)..];
        let least = recent.iter().copied().fold(f64::INFINITY, f64::min);
        let most = recent.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let no_change = self.best.len() >= history && same(least, most) && same(loss(0), loss(population - 1));
        let narrow = (0..d).all(|i| run.deviation(i) < NARROW && run.sigma * run.path_c[i].abs() < NARROW);
        let largest = run.lengths.iter().copied().fold(0.0, f64::max);
        let smallest = run.lengths.iter().copied().fold(f64::INFINITY, f64::min);
        let skewed = (largest / smallest).powi(2) > CONDITION;
        let axis = run.generations as usize % d;
        let no_effect = run.axis(axis).zip(&run.mean).all(|(x, m)| m + 0.1 * x == *m)
            || (0..d).any(|i| run.mean[i] + 0.2 * run.deviation(i) == run.mean[i]);
        let flat = self.flat as usize > 10 + d;
        no_change || narrow || skewed || no_effect || flat || self.stagnates(d, population)
    }

    fn stagnates(&self, d: usize, population: usize) -> bool {
        let length = (120 + 30 * d / population).max(self.best.len() / 5).min(20_000);
        let worse = |all: &[f64]| {
            let all = &all[all.len() - length..];
            let part = length * 3 / 10;
            median(&all[length - part..]) >= median(&all[..part])
        };
        self.best.len() > length && worse(&self.best) && worse(&self.median)
    }

    /// Plans the next run; `usual` is the population of the first.
    pub(super) fn next(&mut self, usual: usize, rng: &mut ChaCha8Rng) -> Plan {
        if self.count == 0 {
            // The first run belongs to neither kind.
            (self.spent_small, self.spent_large) = (0, 0);
        }
        self.count += 1;
        self.best.clear();
        self.median.clear();
        self.flat = 0;
        self.small = self.doublings > 0 && self.spent_small < self.spent_large;
        if !self.small {
            self.doublings = (self.doublings + 1).min(MOST_DOUBLINGS);
        }
        let large = usual << self.doublings;
        if !self.small {
            return Plan { population: large, shrink: 1.0 };
        }
        let share: f64 = rng.random();
        let ratio = 0.5 * large as f64 / usual as f64;
        let population = (usual as f64 * ratio.powf(share * share)).floor() as usize;
        Plan { population, shrink: 10_f64.powf(-2.0 * rng.random::<f64>()) }
    }
}

fn median(all: &[f64]) -> f64 {
    let mut all = all.to_vec();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}
