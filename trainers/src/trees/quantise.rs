//! Gradients and weights as integers.
//!
//! Rounding to integers (Shi et al. 2022, "Quantized Training of Gradient Boosting Decision Trees") makes a
//! histogram's cell one 64-bit integer, halves its memory, makes sums exact, and so the same on any number of
//! threads, and subtraction of siblings free of error. A departure from the paper: not 2 to 5 bits a row but as
//! many as the sums leave room for (a million rows: 10 bits for the mean gradient; ten thousand: 17), so that the
//! loss does not change and leaf values need no second pass.

use super::kernel::{Cell, pack};

/// Rows whose gradients are computed and summed at once, on one thread.
pub(super) const CHUNK: usize = 4096;
/// The sums of all rows stay below this, in both halves of a cell.
const ROOM: f64 = (1_u32 << 30) as f64;
/// The golden ratio in 32 bits: its multiples spread evenly (Weyl), which rounds without bias.
const GOLDEN: u32 = 0x9e37_79b9;

/// What one unit of a cell's halves stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Units {
    pub(super) gradient: f64,
    pub(super) weight: f64,
    /// Whether a weight counts rows.
    pub(super) counts: bool,
}

/// Sums from which units are chosen: of the gradients' sizes and of the weights.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sizes {
    pub(super) gradients: f64,
    pub(super) weights: f64,
}

impl Sizes {
    pub(super) fn plus(self, other: Sizes) -> Sizes {
        Sizes { gradients: self.gradients + other.gradients, weights: self.weights + other.weights }
    }
}

impl Units {
    /// Units in which the sums over `n_rows` rows keep inside their halves. `whole`: every weight is 1, so that a
    /// sum of weights is a count.
    pub(super) fn of(sizes: Sizes, n_rows: usize, whole: bool) -> Units {
        let room = ROOM - n_rows as f64;
        let unit = |sum: f64| if sum > 0.0 && sum.is_finite() { sum / room } else { 1.0 };
        Units { gradient: unit(sizes.gradients), weight: if whole { 1.0 } else { unit(sizes.weights) }, counts: whole }
    }
}

/// A row's gradient and weight as they are before they are rounded, in the place of its cell.
pub(super) fn hold(gradient: f32, weight: f32) -> Cell {
    (i64::from(gradient.to_bits()) << 32) | i64::from(weight.to_bits())
}

/// Rounds what [`hold`] put there, up or down so that the mean is kept; `first` is the position of the first cell.
pub(super) fn round(cells: &mut [Cell], units: Units, first: usize, key: u64) {
    // Between these, single precision can hold a unit, its inverse and what they are multiplied with.
    let usual = 1e-30..1e30;
    if !(usual.contains(&units.gradient) && usual.contains(&units.weight)) {
        return round_exactly(cells, units, first, key);
    }
    let (per_gradient, per_weight) = (1.0 / units.gradient as f32, 1.0 / units.weight as f32);
    let mut dither = (key as u32).wrapping_add((first as u32).wrapping_mul(GOLDEN));
    for cell in cells {
        // 23 bits: 1 plus the greatest is still below 2, so that a weight of 1 stays 1.
        let up = (dither >> 9) as i32 as f32 * (1.0 / (1 << 23) as f32);
        dither = dither.wrapping_add(GOLDEN);
        let gradient = f32::from_bits((*cell >> 32) as u32) * per_gradient + up;
        let weight = f32::from_bits(*cell as u32) * per_weight + up;
        let mut whole = gradient as i32;
        whole -= i32::from(whole as f32 > gradient);
        *cell = pack(whole, (weight as i32) as u32);
    }
}

/// [`round`] for numbers so large or small that only double precision can hold their units.
fn round_exactly(cells: &mut [Cell], units: Units, first: usize, key: u64) {
    let mut dither = (key as u32).wrapping_add((first as u32).wrapping_mul(GOLDEN));
    for cell in cells {
        let up = f64::from(dither >> 9) / f64::from(1 << 23);
        dither = dither.wrapping_add(GOLDEN);
        let gradient = f64::from(f32::from_bits((*cell >> 32) as u32)) / units.gradient + up;
        let weight = f64::from(f32::from_bits(*cell as u32)) / units.weight + up;
        *cell = pack(gradient.floor() as i32, weight as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::super::kernel;
    use super::*;

    #[test]
    fn rounding_keeps_the_mean_and_the_halves() {
        let n = 10_000;
        let raw: Vec<(f32, f32)> = (0..n).map(|i| ((i as f32 * 0.7).sin() - 0.2, 0.1 + (i % 7) as f32)).collect();
        let sizes = raw.iter().fold(Sizes::default(), |sum, &(g, h)| {
            sum.plus(Sizes { gradients: f64::from(g.abs()), weights: f64::from(h) })
        });
        let units = Units::of(sizes, n, false);
        let mut cells: Vec<Cell> = raw.iter().map(|&(g, h)| hold(g, h)).collect();
        round(&mut cells, units, 0, 17);
        let total: Cell = cells.iter().sum();
        let expected: f64 = raw.iter().map(|&(g, _)| f64::from(g)).sum();
        let found = f64::from(kernel::gradient(total)) * units.gradient;
        assert!((found - expected).abs() < 1e-5 * sizes.gradients, "{found} {expected}");
        let found = f64::from(kernel::weight(total)) * units.weight;
        assert!((found / sizes.weights - 1.0).abs() < 1e-5, "{found} {}", sizes.weights);
        assert!(cells.iter().zip(&raw).all(|(&cell, &(g, _))| {
            (f64::from(kernel::gradient(cell)) * units.gradient - f64::from(g)).abs() <= units.gradient * 1.01
        }));
    }

    #[test]
    fn weights_of_one_count() {
        let mut cells = vec![hold(0.5, 1.0); 100];
        round(&mut cells, Units::of(Sizes { gradients: 50.0, weights: 100.0 }, 100, true), 0, 3);
        assert_eq!(kernel::weight(cells.iter().sum()), 100);
    }

    #[test]
    fn a_chunk_is_rounded_as_part_of_the_whole() {
        let units = Units { gradient: 0.01, weight: 0.02, counts: false };
        let raw: Vec<Cell> = (0..100).map(|i| hold(i as f32 * 0.013 - 0.7, i as f32 * 0.011)).collect();
        let (mut whole, mut parts) = (raw.clone(), raw);
        round(&mut whole, units, 0, 5);
        let (left, right) = parts.split_at_mut(37);
        round(left, units, 0, 5);
        round(right, units, 37, 5);
        assert_eq!(whole, parts);
    }
}
