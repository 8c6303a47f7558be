//! Losses bent so that a Gaussian process can hold for them.

/// Losses further out than this are taken to be here.
const FAR: f64 = 1e150;

/// A monotone map from losses to the units of the model, where they have mean 0 and variance 1.
///
/// With u = (loss − least) / unit it is u itself or a Box and Cox power of 1 + u (Journal of the Royal Statistical
/// Society B 26, 1964), going on straight below the least loss, then standardised. A power of 0, the logarithm, spreads
/// out the good losses as far as the bad ones, the further the smaller the unit: the log warp of Vizier (Song et al.,
/// arXiv:2408.11527, section 4.1) with its scale left open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Output {
    least: f64,
    unit: f64,
    bend: Bend,
    mean: f64,
    deviation: f64,
}

/// The shape of the map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Bend {
    /// A straight line.
    Straight,
    /// A power of 1 + u, where u is 1 at this share of the way from the least loss to the median.
    Power { power: f64, share: f64 },
}

impl Bend {
    /// The shapes a fit chooses from, the straight one first.
    pub(super) const ALL: [Self; 3] =
        [Self::Straight, Self::Power { power: 0.5, share: 1.0 }, Self::Power { power: 0.0, share: 1.0 }];
}

impl Output {
    /// The map of that shape for finite losses.
    pub(super) fn new(bend: Bend, losses: &[f64]) -> Self {
        let mut sorted: Vec<f64> = losses.iter().map(|loss| loss.clamp(-FAR, FAR)).collect();
        sorted.sort_by(f64::total_cmp);
        let least = sorted.first().copied().unwrap_or(0.0);
        let median = sorted.get(sorted.len() / 2).map_or(0.0, |median| median - least);
        let average = sorted.iter().map(|loss| (loss - least) / sorted.len() as f64).sum::<f64>();
        let scale = [median, average].into_iter().find(|scale| *scale > 0.0).unwrap_or(1.0);
        let unit = match bend {
            Bend::Straight => scale,
            Bend::Power { share, .. } => (scale * share).max(f64::MIN_POSITIVE),
        };
        let mut output = Self { least, unit, bend, mean: 0.0, deviation: 1.0 };
        let n = losses.len().max(1) as f64;
        let bent: Vec<f64> = losses.iter().map(|loss| output.apply(*loss)).collect();
        let mean = bent.iter().sum::<f64>() / n;
        let variance = bent.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
        output.mean = mean;
        output.deviation = if variance > 0.0 { variance.sqrt() } else { 1.0 };
        output
    }

    /// Losses as they are.
    #[cfg(test)]
    pub(super) fn plain() -> Self {
        Self { least: 0.0, unit: 1.0, bend: Bend::Straight, mean: 0.0, deviation: 1.0 }
    }

    /// A loss in the units of the model.
    pub(super) fn apply(&self, loss: f64) -> f64 {
        let u = self.share(loss);
        let bent = match self.bend {
            Bend::Power { power: 0.0, .. } if u > 0.0 => u.ln_1p(),
            Bend::Power { power, .. } if u > 0.0 => ((1.0 + u).powf(power) - 1.0) / power,
            Bend::Straight | Bend::Power { .. } => u,
        };
        (bent - self.mean) / self.deviation
    }

    /// Logarithm of the derivative at a loss: what a density in the model's units is to be multiplied by.
    pub(super) fn log_slope(&self, loss: f64) -> f64 {
        let u = self.share(loss).max(0.0);
        let bend = match self.bend {
            Bend::Straight => 0.0,
            Bend::Power { power, .. } => (power - 1.0) * u.ln_1p(),
        };
        bend - self.unit.ln() - self.deviation.ln()
    }

    fn share(&self, loss: f64) -> f64 {
        (loss.clamp(-FAR, FAR) - self.least) / self.unit
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_shape_keeps_the_order_and_knows_its_slope(
            losses in proptest::collection::vec(-10.0..1e4_f64, 4..30),
            extra in -50.0..2e4_f64,
        ) {
            for bend in Bend::ALL {
                let output = Output::new(bend, &losses);
                let bent: Vec<f64> = losses.iter().map(|loss| output.apply(*loss)).collect();
                let n = losses.len() as f64;
                prop_assert!((bent.iter().sum::<f64>() / n).abs() < 1e-6);
                prop_assert!((bent.iter().map(|x| x * x).sum::<f64>() / n - 1.0).abs() < 1e-6);
                let h = 1e-4;
                prop_assert!(output.apply(extra + h) > output.apply(extra - h));
                if output.share(extra - h) > 0.0 {
                    let slope = (output.apply(extra + h) - output.apply(extra - h)) / (2.0 * h);
                    prop_assert!((slope.ln() - output.log_slope(extra)).abs() < 1e-2);
                }
            }
        }
    }

    #[test]
    fn equal_and_huge_losses_stay_finite() {
        for losses in [vec![3.0; 5], vec![-f64::MAX, f64::MAX, 0.0, 1.0], vec![1.0]] {
            for bend in Bend::ALL {
                let output = Output::new(bend, &losses);
                assert!(
                    losses.iter().all(|loss| output.apply(*loss).is_finite() && output.log_slope(*loss).is_finite())
                );
            }
        }
    }
}
