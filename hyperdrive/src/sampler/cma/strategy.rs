//! The constants of CMA-ES.

/// What a dimension and a population size decide.
///
/// Hansen, "The CMA Evolution Strategy: A Tutorial", arXiv:1604.00772v2, table 1, with negative weights (active CMA).
#[derive(Clone, Debug)]
pub(super) struct Strategy {
    /// λ.
    pub(super) population: usize,
    /// One for each of the population, best first; the positive ones sum to 1.
    pub(super) weights: Vec<f64>,
    pub(super) mu_eff: f64,
    pub(super) c_sigma: f64,
    pub(super) d_sigma: f64,
    pub(super) c_c: f64,
    pub(super) c_1: f64,
    pub(super) c_mu: f64,
    /// Mean length of a standard normal vector.
    pub(super) chi: f64,
    /// Length at which a step is cut, measured in standard deviations: Hansen, "Injecting external solutions into
    /// CMA-ES", arXiv:1110.4181, table 1.
    pub(super) longest: f64,
}

impl Strategy {
    /// Three quarters of the tutorial's 4 + ⌊3 ln d⌋, at least 4: with one or two hundred trials more generations are
    /// worth more than larger ones (measured on eight functions, at 100 and at 200 trials).
    pub(super) fn usual_population(d: usize) -> usize {
        ((4 + (3.0 * (d as f64).ln()).floor() as usize) * 3 / 4).max(4)
    }

    pub(super) fn new(d: usize, population: usize) -> Self {
        let n = d as f64;
        let middle = ((population + 1) as f64 / 2.0).ln();
        let raw: Vec<f64> = (1..=population).map(|i| middle - (i as f64).ln()).collect();
        let effective = |part: &[f64]| {
            let sum: f64 = part.iter().sum();
            sum * sum / part.iter().map(|w| w * w).sum::<f64>()
        };
        let (better, worse) = raw.split_at(population / 2);
        let (mu_eff, mu_eff_worse) = (effective(better), effective(worse));
        let c_1 = 2.0 / ((n + 1.3).powi(2) + mu_eff);
        let c_mu = (1.0 - c_1).min(2.0 * (0.25 + mu_eff + 1.0 / mu_eff - 2.0) / ((n + 2.0).powi(2) + mu_eff));
        let c_sigma = (mu_eff + 2.0) / (n + mu_eff + 5.0);
        let of_rates = 1.0 + c_1 / c_mu;
        let of_selection = 1.0 + 2.0 * mu_eff_worse / (mu_eff + 2.0);
        let of_definiteness = (1.0 - c_1 - c_mu) / (n * c_mu);
        let negative = of_rates.min(of_selection).min(of_definiteness);
        let positive_sum: f64 = raw.iter().filter(|w| **w > 0.0).sum();
        let negative_sum: f64 = -raw.iter().filter(|w| **w < 0.0).sum::<f64>();
        let scaled = |w: &f64| if *w > 0.0 { w / positive_sum } else { w * negative / negative_sum };
        Self {
            population,
            weights: raw.iter().map(scaled).collect(),
            mu_eff,
            c_sigma,
            d_sigma: 1.0 + 2.0 * (((mu_eff - 1.0) / (n + 1.0)).sqrt() - 1.0).max(0.0) + c_sigma,
            c_c: (4.0 + mu_eff / n) / (n + 4.0 + 2.0 * mu_eff / n),
            c_1,
            c_mu,
            chi: n.sqrt() * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n)),
            longest: n.sqrt() + 2.0 * n / (n + 2.0),
        }
    }
}
