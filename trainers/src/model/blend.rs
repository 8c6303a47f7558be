//! How the voices of an ensemble become one prediction.

use serde::{Deserialize, Serialize};

use crate::data::Predictions;

/// Least probability whose logarithm is taken: a single voice that calls a class impossible does not decide alone.
pub(crate) const LEAST: f64 = 1e-3;

/// The mean that is taken over voices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// The weighted arithmetic mean: of numbers, and of probabilities unless it is said otherwise (linear pooling).
    #[default]
    Arithmetic,
    /// The weighted geometric mean of probabilities, scaled to sum to 1 (logarithmic pooling; Genest & Zidek, "Combining
    /// probability distributions", Statistical Science 1, 1986): sharper where voices agree. A probability below 0.001
    /// counts as that.
    Geometric,
}

/// From the predictions of voices to one: a mean, then a temperature.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Blend {
    /// The mean.
    pub pooling: Pooling,
    /// Probabilities become `p^(1/temperature)`, scaled to sum to 1 (Guo, Pleiss, Sun & Weinberger, "On calibration of
    /// modern neural networks", ICML 2017): above 1 they are less sure. 1 leaves every bit as it is.
    pub temperature: f64,
}

impl Default for Blend {
    fn default() -> Self {
        Self { pooling: Pooling::Arithmetic, temperature: 1.0 }
    }
}

impl Blend {
    /// The prediction of voices with their weights, which sum to 1. All have `n_outputs` numbers a row; one output is a
    /// number, on which [`Pooling::Geometric`] and the temperature have no say.
    pub fn of<'a>(&self, voices: impl Iterator<Item = (f64, &'a Predictions)>) -> Predictions {
        let mut sums: Vec<f64> = Vec::new();
        let mut n_outputs = 1;
        for (weight, said) in voices {
            n_outputs = said.n_outputs();
            sums.resize(said.values().len(), 0.0);
            self.add(&mut sums, weight, said);
        }
        self.close(n_outputs, sums)
    }

    /// Adds a voice to the sums that [`Blend::close`] makes predictions of.
    pub fn add(&self, sums: &mut [f64], weight: f64, said: &Predictions) {
        let logarithms = self.pooling == Pooling::Geometric && said.n_outputs() > 1;
        for (sum, value) in sums.iter_mut().zip(said.values()) {
            *sum += weight * if logarithms { value.max(LEAST).ln() } else { *value };
        }
    }

    /// Predictions of sums over voices whose weights sum to 1.
    pub fn close(&self, n_outputs: usize, mut sums: Vec<f64>) -> Predictions {
        if n_outputs > 1 {
            let logarithms = self.pooling == Pooling::Geometric;
            for row in sums.chunks_exact_mut(n_outputs) {
                if logarithms {
                    exponential(row);
                }
                heat(row, self.temperature);
            }
        }
        Predictions::new(n_outputs, sums)
    }

    /// Whether it can be worked with.
    pub(super) fn is_sound(&self) -> bool {
        self.temperature.is_finite() && self.temperature > 0.0
    }
}

/// `p^(1/temperature)` of one row, scaled to sum to 1.
fn heat(row: &mut [f64], temperature: f64) {
    if temperature.to_bits() == 1.0_f64.to_bits() {
        return;
    }
    let greatest = row.iter().copied().fold(0.0, f64::max);
    if greatest <= 0.0 {
        return;
    }
    for p in row.iter_mut() {
        *p = (*p / greatest).max(0.0).powf(1.0 / temperature);
    }
    let sum: f64 = row.iter().sum();
    for p in row {
        *p /= sum;
    }
}

/// Logarithms to probabilities that sum to 1.
fn exponential(row: &mut [f64]) {
    let greatest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for score in row.iter_mut() {
        *score = (*score - greatest).exp();
    }
    let sum: f64 = row.iter().sum();
    for score in row {
        *score /= sum;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near(left: &[f64], right: &[f64]) -> bool {
        left.len() == right.len() && left.iter().zip(right).all(|(a, b)| (a - b).abs() < 1e-12)
    }

    #[test]
    fn means_and_temperature_by_hand() {
        let (a, b) = (Predictions::new(2, vec![0.9, 0.1]), Predictions::new(2, vec![0.5, 0.5]));
        let voices = || [(0.5, &a), (0.5, &b)].into_iter();
        assert!(near(Blend::default().of(voices()).values(), &[0.7, 0.3]));
        // √.45 : √.05 = 3 : 1.
        let geometric = Blend { pooling: Pooling::Geometric, temperature: 1.0 };
        assert!(near(geometric.of(voices()).values(), &[0.75, 0.25]));
        // Half the temperature squares the odds: 9 : 1.
        assert!(near(Blend { temperature: 0.5, ..geometric }.of(voices()).values(), &[0.9, 0.1]));
        // What one voice holds impossible counts as one in a thousand: √.001 : √.999.
        let (never, even) = (Predictions::new(2, vec![0.0, 1.0]), Predictions::new(2, vec![0.5, 0.5]));
        let odds = 0.001_f64.sqrt();
        let found = geometric.of([(0.5, &never), (0.5, &even)].into_iter());
        assert!(near(found.values(), &[odds / (1.0 + odds), 1.0 / (1.0 + odds)]));
        // Numbers know one mean, and no temperature.
        let (x, y) = (Predictions::new(1, vec![-3.0, 1e9]), Predictions::new(1, vec![5.0, 1e9]));
        let blend = Blend { pooling: Pooling::Geometric, temperature: 3.0 };
        assert_eq!(blend.of([(0.25, &x), (0.75, &y)].into_iter()).values(), [3.0, 1e9]);
    }

    proptest! {
        #[test]
        fn probabilities_stay_such_and_keep_their_order(
            cells in prop::collection::vec(0.0..1.0_f64, 12), share in 0.0..1.0_f64, temperature in 0.2..5.0_f64,
            geometric in any::<bool>(),
        ) {
            let of = |cells: &[f64]| {
                let rows = cells.chunks_exact(3).map(|row| (row, row.iter().sum::<f64>().max(1e-9)));
                Predictions::new(3, rows.flat_map(|(row, sum)| row.iter().map(move |cell| cell / sum)).collect())
            };
            let (a, b) = (of(&cells[..6]), of(&cells[6..]));
            let pooling = if geometric { Pooling::Geometric } else { Pooling::Arithmetic };
            let at = |temperature| Blend { pooling, temperature }.of([(share, &a), (1.0 - share, &b)].into_iter());
            let (plain, heated) = (at(1.0), at(temperature));
            for (plain, heated) in plain.rows().zip(heated.rows()) {
                prop_assert!((heated.iter().sum::<f64>() - 1.0).abs() < 1e-9);
                for (i, j) in [(0, 1), (0, 2), (1, 2)] {
                    let apart = (plain[i] - plain[j]).abs() > 1e-9;
                    prop_assert!(!apart || (plain[i] < plain[j]) == (heated[i] < heated[j]));
                }
            }
        }
    }
}
