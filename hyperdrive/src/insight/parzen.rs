//! A density over the cells of one dimension.

use super::grid::Grid;
use crate::numeric::normal;

/// Keeps a ratio of densities finite.
const TINY: f64 = 1e-12;
/// 1.64 standard deviations fit in half a cell.
const LEAST_WIDTH: f64 = 0.5 / 1.64;

/// A mixture of kernels at the cells that were seen, weighted by how often, and of a prior over all of them that weighs
/// as much as one trial. The width is by Scott's rule ("Multivariate Density Estimation", 1992), as in the reference
/// implementation of PED-ANOVA in Optuna 5.0.
pub(super) struct Parzen {
    density: Vec<f64>,
}

impl Parzen {
    /// That of counts in each cell, of which there are some.
    pub(super) fn new(grid: &Grid, counts: &[u32]) -> Self {
        let density = if grid.ordered { ordered(counts) } else { unordered(counts) };
        Self { density: density.into_iter().map(|p| p + TINY).collect() }
    }

    /// Pearson's divergence of this density from another.
    pub(super) fn divergence_from(&self, local: &Self) -> f64 {
        let terms = self.density.iter().zip(&local.density);
        terms.map(|(top, local)| local * (top / local - 1.0).powi(2)).sum()
    }
}

/// The cells that were seen, each with how often.
fn seen(counts: &[u32]) -> Vec<(usize, f64)> {
    let seen = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    seen.map(|(cell, count)| (cell, f64::from(*count))).collect()
}

/// Each cell seen has a kernel of its own cell and a little of all; the prior is even.
fn unordered(counts: &[u32]) -> Vec<f64> {
    let seen = seen(counts);
    let sum: f64 = seen.iter().map(|(_, weight)| weight).sum::<f64>() + 1.0;
    let cells = counts.len() as f64;
    let little = 1.0 / (seen.len() as f64 + 1.0);
    let whole = 1.0 + cells * little;
    let even = (sum - 1.0) / sum * (little / whole) + 1.0 / (sum * cells);
    counts.iter().map(|count| even + f64::from(*count) / sum / whole).collect()
}

/// Normal kernels cut to the cells.
fn ordered(counts: &[u32]) -> Vec<f64> {
    let seen = seen(counts);
    let cells = counts.len();
    let high = cells as f64 - 1.0;
    let sum: f64 = seen.iter().map(|(_, weight)| weight).sum();
    let width = width(&seen, sum);
    let mut kernels: Vec<(f64, f64, f64)> =
        seen.iter().map(|(cell, weight)| (*cell as f64, width, weight / (sum + 1.0))).collect();
    kernels.push((high / 2.0, high + 1.0, 1.0 / (sum + 1.0)));
    let mut density = vec![0.0; cells];
    for (centre, width, weight) in kernels {
        let inside = mass((-0.5 - centre) / width, (high + 0.5 - centre) / width);
        for (cell, p) in density.iter_mut().enumerate() {
            let from = cell as f64 - 0.5 - centre;
            *p += weight * mass(from / width, (from + 1.0) / width) / inside;
        }
    }
    density
}

fn width(seen: &[(usize, f64)], sum: f64) -> f64 {
    let mean = seen.iter().map(|(cell, weight)| *cell as f64 * weight).sum::<f64>() / sum;
    let squares = seen.iter().map(|(cell, weight)| (*cell as f64 - mean).powi(2) * weight).sum::<f64>();
    let deviation = (squares / (sum - 1.0).max(1.0)).sqrt();
    let upto: Vec<f64> = seen
        .iter()
        .scan(0.0, |upto, (_, weight)| {
            *upto += weight;
            Some(*upto)
        })
        .collect();
    let first = upto.partition_point(|upto| *upto < (sum / 4.0).floor());
    let third = upto.partition_point(|upto| *upto <= (sum * 3.0 / 4.0).floor());
    let range = seen[third.min(seen.len() - 1)].0 as f64 - seen[first].0 as f64;
    (1.059 * (range / 1.34).min(deviation) * sum.powf(-0.2)).max(LEAST_WIDTH)
}

/// Probability of a standard normal number between `a` and `b`, taken on the side where it loses no digits.
fn mass(a: f64, b: f64) -> f64 {
    if a > 0.0 { normal::cdf(-a) - normal::cdf(-b) } else { normal::cdf(b) - normal::cdf(a) }
}
