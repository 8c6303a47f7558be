//! Which option of a choice to take.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::sampler::observations::Verdict;

/// The share that each option of a choice has among the best results in which the choice exists.
///
/// As in `CatCMA` (Hamano et al., arXiv:2405.09962) every option keeps a least probability, and better results weigh
/// more. Instead of a learning rate, results weigh the less the more often their option was tried: otherwise an option
/// would be among the best for having been tried often.
#[derive(Clone, Debug)]
pub(super) struct Options {
    floor: f64,
    tried: Vec<u32>,
    /// The best results with their options, best first.
    elite: Vec<(Verdict, usize)>,
}

/// Share of the results that count as the best, and how many do at most.
const SHARE: f64 = 0.2;
const MOST: usize = 48;
/// Probability that is spread evenly over the options, whatever the results; more where an option has numbers below it,
/// which take a while to show what it is worth.
const FLOOR: f64 = 0.1;
const FLOOR_OF_BRANCHES: f64 = 0.25;
/// Weight of the best result; that of having tried nothing, all options together, is 1.
const WEIGHT: f64 = 4.0;

impl Options {
    pub(super) fn new(levels: usize, branches: bool) -> Self {
        Self { floor: if branches { FLOOR_OF_BRANCHES } else { FLOOR }, tried: vec![0; levels], elite: Vec::new() }
    }

    pub(super) fn take(&mut self, verdict: Verdict, option: usize) {
        self.tried[option] += 1;
        let at = self.elite.partition_point(|(other, _)| other.total_cmp(&verdict).is_le());
        self.elite.insert(at, (verdict, option));
        self.elite.truncate(MOST);
    }

    pub(super) fn draw(&self, rng: &mut ChaCha8Rng) -> usize {
        let mut left = rng.random::<f64>();
        for (option, probability) in self.probabilities().iter().enumerate() {
            left -= probability;
            if left < 0.0 {
                return option;
            }
        }
        self.tried.len() - 1
    }

    /// Of each option; they sum to 1.
    pub(super) fn probabilities(&self) -> Vec<f64> {
        let levels = self.tried.len() as f64;
        let seen: u32 = self.tried.iter().sum();
        let count = ((SHARE * f64::from(seen)).ceil() as usize).min(MOST);
        let mut weights = vec![1.0 / levels; self.tried.len()];
        for (i, (_, option)) in self.elite.iter().take(count).enumerate() {
            let often = f64::from(self.tried[*option]) * levels / f64::from(seen);
            weights[*option] += WEIGHT * (1.0 - i as f64 / count as f64) / often.sqrt();
        }
        let total: f64 = weights.iter().sum();
        weights.iter().map(|weight| self.floor / levels + (1.0 - self.floor) * weight / total).collect()
    }
}
