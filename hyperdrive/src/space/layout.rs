//! The dimensions of a space side by side, as a model takes them: a point is a row of numbers.

use super::count::levels;
use super::domain::{Dimension, Domain};
use super::tree::{Space, join};
use crate::params::{Params, Value};

/// Every dimension of a space that can be searched, whether they exist at once or not, in the order of the tree, so
/// that a parent comes before its children. Fixed dimensions have no slot.
///
/// A point is one number for each slot: where the value stands in [0, 1], equal intervals equally likely; for a choice
/// the index of the option; NaN where the dimension does not exist.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layout {
    pub(crate) slots: Vec<Slot>,
    fixed: Vec<Fixed>,
}

/// A dimension of one value.
#[derive(Clone, Debug, PartialEq)]
struct Fixed {
    key: String,
    value: Value,
    /// As in [`Slot`].
    parent: Option<(usize, usize)>,
}

/// One dimension that can be searched.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Slot {
    pub(crate) key: String,
    pub(crate) domain: Domain,
    pub(crate) kind: Kind,
    /// The slot of the choice it hangs below, and the option under which it exists.
    pub(crate) parent: Option<(usize, usize)>,
}

/// What numbers a slot can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any in [0, 1].
    Real,
    /// The places of so many ordered values in [0, 1]; 0 where they cannot be counted (a rounded normal number).
    Ordered { levels: u128 },
    /// The indices of so many options without an order.
    Category { levels: usize },
}

impl Layout {
    pub(crate) fn new(space: &Space) -> Self {
        let mut layout = Self { slots: Vec::new(), fixed: Vec::new() };
        layout.add(&space.dimensions, "", None);
        layout
    }

    fn add(&mut self, level: &[Dimension], path: &str, parent: Option<(usize, usize)>) {
        for dimension in level {
            let key = join(path, &dimension.name);
            let kind = match &dimension.domain {
                Domain::Fixed { value } => {
                    self.fixed.push(Fixed { key, value: value.clone(), parent });
                    continue;
                }
                Domain::Float { step: None, .. } | Domain::Normal { step: None, .. } => Kind::Real,
                Domain::Choice { options } => Kind::Category { levels: options.len() },
                domain => Kind::Ordered { levels: levels(domain).unwrap_or(0) },
            };
            let slot = self.slots.len();
            self.slots.push(Slot { key, domain: dimension.domain.clone(), kind, parent });
            if let Domain::Choice { options } = &dimension.domain {
                for (i, option) in options.iter().enumerate() {
                    self.add(&option.dimensions, &join(path, &option.label()), Some((slot, i)));
                }
            }
        }
    }

    /// How many slots there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether a slot hangs below an option.
    pub(crate) fn is_conditional(&self) -> bool {
        self.slots.iter().any(|slot| slot.parent.is_some())
    }

    /// Whether all slots are numbers with an order.
    pub(crate) fn is_numeric(&self) -> bool {
        self.slots.iter().all(|slot| !matches!(slot.kind, Kind::Category { .. }))
    }

    /// The row of a point; `None` where a value that exists there is missing or outside its domain.
    pub(crate) fn encode(&self, params: &Params) -> Option<Vec<f64>> {
        let mut row = vec![f64::NAN; self.len()];
        for (i, slot) in self.slots.iter().enumerate() {
            if !self.exists(&row, i) {
                continue;
            }
            let at = slot.domain.encode(params.get(&slot.key)?)?;
            row[i] = match slot.kind {
                Kind::Category { levels } => (at * levels as f64).floor(),
                Kind::Real | Kind::Ordered { .. } => at,
            };
        }
        Some(row)
    }

    /// The point of a row; numbers of slots that do not exist there are not looked at, others must not be NaN.
    pub(crate) fn decode(&self, row: &[f64]) -> Params {
        let mut params = Params::new();
        for (i, slot) in self.slots.iter().enumerate() {
            if self.exists(row, i) {
                params.insert(slot.key.clone(), slot.value(row[i]));
            }
        }
        for Fixed { key, value, parent } in &self.fixed {
            if parent.is_none_or(|parent| self.is_taken(row, parent)) {
                params.insert(key.clone(), value.clone());
            }
        }
        params
    }

    /// Whether the dimension of slot `i` exists at a row, of which the slots before it are set.
    pub(crate) fn exists(&self, row: &[f64], i: usize) -> bool {
        self.slots[i].parent.is_none_or(|parent| self.is_taken(row, parent))
    }

    fn is_taken(&self, row: &[f64], (slot, option): (usize, usize)) -> bool {
        // Below an option that is not taken itself, whatever number stands there does not count.
        self.exists(row, slot) && row[slot] == option as f64
    }

    /// The row with each number at the exact place of the value it stands for, and NaN where nothing exists.
    pub(crate) fn snap(&self, row: &mut [f64]) {
        for i in 0..row.len() {
            row[i] = if self.exists(row, i) { self.slots[i].snap(row[i]) } else { f64::NAN };
        }
    }
}

impl Slot {
    /// The value at a number of the slot.
    pub(crate) fn value(&self, at: f64) -> Value {
        match self.kind {
            Kind::Category { levels } => self.domain.decode((at + 0.5) / levels as f64),
            Kind::Real | Kind::Ordered { .. } => self.domain.decode(at),
        }
    }

    /// The exact place of the value at a number of the slot.
    pub(crate) fn snap(&self, at: f64) -> f64 {
        match self.kind {
            Kind::Real => at.clamp(0.0, 1.0),
            Kind::Ordered { .. } => self.domain.encode(&self.domain.decode(at)).unwrap_or(at),
            Kind::Category { levels } => at.clamp(0.0, levels as f64 - 1.0).floor(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::space::Choice;

    fn zoo() -> Space {
        let kernel = Dimension::choice(
            "kernel",
            vec![Choice::leaf("linear"), Choice::with("rbf", vec![Dimension::float("gamma", 1e-3, 1e1).log()])],
        );
        let svm = vec![Dimension::float("c", 1e-3, 1e3).log(), kernel, Dimension::fixed("cache", 200_i64)];
        let knn = vec![Dimension::int("k", 1, 30).log(), Dimension::ordinal("p", [1_i64, 2])];
        let options = vec![Choice::leaf("dummy"), Choice::with("knn", knn), Choice::with("svm", svm)];
        Space::new(vec![
            Dimension::float("share", 0.0, 1.0).step(0.25),
            Dimension::choice("algorithm", options),
            Dimension::normal("noise", 0.0, 1.0),
            Dimension::boolean("fast"),
        ])
    }

    proptest! {
        #[test]
        fn decode_inverts_encode(seed in any::<u64>()) {
            let space = zoo();
            let layout = Layout::new(&space);
            let point = space.sample(&mut ChaCha8Rng::seed_from_u64(seed));
            let row = layout.encode(&point).expect("a point of the space");
            let back = layout.decode(&row);
            prop_assert!(space.contains(&back).is_ok());
            let mut snapped = row.clone();
            layout.snap(&mut snapped);
            for (a, b) in row.iter().zip(layout.encode(&back).expect("a point").iter().zip(&snapped)) {
                prop_assert!(a.is_nan() && b.0.is_nan() && b.1.is_nan() || (a - b.0).abs() < 1e-9 && (a - b.1).abs() < 1e-9);
            }
        }

        #[test]
        fn any_row_decodes_to_a_point(numbers in proptest::collection::vec(0.0..1.0_f64, 9)) {
            let space = zoo();
            let layout = Layout::new(&space);
            prop_assert_eq!(layout.len(), 9);
            let mut row = numbers;
            for (at, slot) in row.iter_mut().zip(&layout.slots) {
                if let Kind::Category { levels } = slot.kind {
                    *at = (*at * levels as f64).floor();
                }
            }
            prop_assert!(space.contains(&layout.decode(&row)).is_ok());
        }
    }
}
