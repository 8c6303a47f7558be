//! Points that fill a space evenly.

use crate::space::{Kind, Layout};

/// Where a sequence of evenly spread points of a layout begins, and how it goes on: point k is the fraction of
/// `shift + k × stride`, slot by slot, the stride being the powers of the generalised golden ratio (Roberts, "The
/// unreasonable effectiveness of quasirandom sequences", 2018).
pub(super) struct Spread {
    shift: Vec<f64>,
    stride: Vec<f64>,
}

impl Spread {
    /// One with a random beginning: `uniform` returns numbers in [0, 1).
    pub(super) fn new(slots: usize, mut uniform: impl FnMut() -> f64) -> Self {
        // The root of x^(d+1) = x + 1 by fixed-point iteration, which contracts.
        let mut phi = 2.0_f64;
        for _ in 0..64 {
            phi = (1.0 + phi).powf(1.0 / (slots as f64 + 1.0));
        }
        let stride = (1..=slots).map(|i| phi.powi(-(i as i32)).fract());
        Self { stride: stride.collect(), shift: (0..slots).map(|_| uniform()).collect() }
    }

    /// Point `k` as a row of the layout, where some slots are held at given numbers.
    pub(super) fn row(&self, k: usize, layout: &Layout, fixed: &[(usize, f64)]) -> Vec<f64> {
        let mut row: Vec<f64> =
            self.shift.iter().zip(&self.stride).map(|(shift, stride)| (shift + k as f64 * stride).fract()).collect();
        for (at, slot) in row.iter_mut().zip(&layout.slots) {
            if let Kind::Category { levels } = slot.kind {
                *at = (*at * levels as f64).floor();
            }
        }
        for (slot, at) in fixed {
            row[*slot] = *at;
        }
        layout.snap(&mut row);
        row
    }
}
