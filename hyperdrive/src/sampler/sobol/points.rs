//! A Sobol sequence over a space.

use rand_chacha::ChaCha8Rng;

use super::sequence::Sequence;
use crate::space::{Kind, Layout};

/// A scrambled Sobol sequence over the slots of a layout.
///
/// Dimensions that never exist together, being below different options of a choice, share coordinates, which keeps
/// those in use low, where the sequence is best.
pub(in crate::sampler) struct Points {
    sequence: Sequence,
    /// The coordinate of each slot.
    places: Vec<usize>,
}

impl Points {
    /// The sequence that `rng` picks.
    pub(in crate::sampler) fn new(layout: &Layout, rng: &mut ChaCha8Rng) -> Self {
        let mut places = vec![0; layout.len()];
        let coordinates = place(layout, None, 0, &mut places);
        Self { sequence: Sequence::scrambled(coordinates, rng), places }
    }

    /// Row `k` of the sequence, as the layout has rows; it may be a forbidden point.
    pub(in crate::sampler) fn row(&self, layout: &Layout, k: u32) -> Vec<f64> {
        self.row_with(layout, k, &[])
    }

    /// The same with the slots of `fixed` at their numbers.
    pub(in crate::sampler) fn row_with(&self, layout: &Layout, k: u32, fixed: &[(usize, f64)]) -> Vec<f64> {
        let point = self.sequence.point(k);
        let mut row = vec![f64::NAN; layout.len()];
        for (i, slot) in layout.slots.iter().enumerate() {
            if layout.exists(&row, i) {
                let at = point[self.places[i]];
                row[i] = match slot.kind {
                    Kind::Category { levels } => (at * levels as f64).floor(),
                    Kind::Real | Kind::Ordered { .. } => at,
                };
                if let Some((_, at)) = fixed.iter().find(|(slot, _)| *slot == i) {
                    row[i] = *at;
                }
            }
        }
        row
    }
}

/// Gives the slots below `parent` coordinates from `next` on; returns the first that is still free.
fn place(layout: &Layout, parent: Option<(usize, usize)>, mut next: usize, places: &mut [usize]) -> usize {
    for (i, slot) in layout.slots.iter().enumerate().filter(|(_, slot)| slot.parent == parent) {
        places[i] = next;
        next += 1;
        if let Kind::Category { levels } = slot.kind {
            let ends = (0..levels).map(|option| place(layout, Some((i, option)), next, places));
            next = ends.max().unwrap_or(next);
        }
    }
    next
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::space::{Choice, Dimension, Space};

    #[test]
    fn branches_share_coordinates() {
        let x = |name: &str| Dimension::float(name, 0.0, 1.0);
        let options = vec![Choice::with("a", vec![x("p"), x("q")]), Choice::with("b", vec![x("r")])];
        let space = Space::new(vec![Dimension::choice("c", options), x("last")]);
        let layout = Layout::new(&space);
        let mut places = [0; 5];
        assert_eq!(place(&layout, None, 0, &mut places), 4);
        assert_eq!(places, [0, 1, 2, 1, 3]);
        let points = Points::new(&layout, &mut ChaCha8Rng::seed_from_u64(1));
        let rows: Vec<Vec<f64>> = (0..64).map(|k| points.row(&layout, k)).collect();
        assert_eq!(rows.iter().filter(|row| row[0] == 0.0).count(), 32, "half of the points have each option");
        for row in rows {
            space.contains(&layout.decode(&row)).expect("a point of the space");
            assert_eq!(row[0] == 0.0, row[3].is_nan());
        }
    }
}
