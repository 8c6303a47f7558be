//! A dimension cut into cells.

use crate::params::Value;
use crate::space::{Domain, Kind, Scale, Slot};

/// Most cells of a dimension with an order.
const CELLS: usize = 50;

/// The cells of one dimension: its options, its ordered values or, of many, so many steps.
pub(super) struct Grid {
    cells: usize,
    /// Whether neighbouring cells have something to do with each other.
    pub(super) ordered: bool,
}

impl Grid {
    /// That of a slot; `None` where it can only have one value.
    pub(super) fn new(slot: &Slot) -> Option<Self> {
        let (cells, ordered) = match (slot.kind, &slot.domain) {
            (Kind::Category { levels }, _) => (levels, false),
            // As many as doublings, plus one, as Optuna has it.
            (_, Domain::Int { low, high, scale: Scale::Log }) => {
                let values = (i128::from(*high) - i128::from(*low) + 1) as f64;
                (if values > 1.0 { values.log2().ceil() as usize + 1 } else { 1 }, true)
            }
            (Kind::Ordered { levels: 1.. }, _) if levels(slot) < CELLS as u128 => (levels(slot) as usize, true),
            (Kind::Real | Kind::Ordered { .. }, _) => (CELLS, true),
        };
        (cells > 1).then(|| Self { cells: if ordered { cells.min(CELLS) } else { cells }, ordered })
    }

    /// How many cells there are.
    pub(super) fn len(&self) -> usize {
        self.cells
    }

    /// The cell of a number of the slot: the nearest of points that divide the range evenly, the lower of two.
    pub(super) fn cell(&self, slot: &Slot, at: f64) -> usize {
        if !self.ordered {
            return (at as usize).min(self.cells - 1);
        }
        let last = self.cells as f64 - 1.0;
        // Half a cell less, rounded up; short of the noise in the last digits of a place that is computed.
        (place(slot, at) * last - 0.5 - 1e-9).ceil().clamp(0.0, last) as usize
    }
}

fn levels(slot: &Slot) -> u128 {
    match slot.kind {
        Kind::Ordered { levels } => levels,
        Kind::Category { levels } => levels as u128,
        Kind::Real => 0,
    }
}

/// Where the value stands between the least (0) and the greatest (1), where a slot has the middle of its interval.
fn place(slot: &Slot, at: f64) -> f64 {
    let share = |x: f64, low: f64, high: f64| if high > low { (x - low) / (high - low) } else { 0.5 };
    match (&slot.domain, slot.value(at)) {
        (Domain::Int { low, high, scale: Scale::Linear }, Value::Int(k)) => share(k as f64, *low as f64, *high as f64),
        (Domain::Int { low, high, scale: Scale::Log }, Value::Int(k)) => {
            share((k as f64).ln(), (*low as f64).ln(), (*high as f64).ln())
        }
        (Domain::Ordinal { values }, value) => {
            let i = values.iter().position(|other| *other == value).unwrap_or(0);
            share(i as f64, 0.0, values.len() as f64 - 1.0)
        }
        _ => at,
    }
}
