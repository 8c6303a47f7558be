//! k nearest neighbours by exact search.

use serde::{Deserialize, Serialize};

use crate::data::{Block, Predictions};

/// How far two rows are from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distance {
    /// Sum of absolute differences, p = 1.
    Manhattan,
    /// Root of the sum of squared differences, p = 2.
    Euclidean,
}

/// What a neighbour's vote counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vote {
    /// Every neighbour the same.
    Uniform,
    /// One over its distance; neighbours at distance 0, if any, alone (as in scikit-learn).
    Distance,
}

/// Targets of the remembered rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answers {
    /// Class index per point.
    Classes(Vec<u32>),
    /// Number per point.
    Numbers(Vec<f64>),
    /// Points that do not all count alike.
    Weighed {
        /// What each point's vote is multiplied with, above 0.
        weights: Vec<f64>,
        /// The targets themselves, not weighed again.
        of: Box<Answers>,
    },
}

impl Answers {
    fn len(&self) -> usize {
        match self {
            Answers::Classes(classes) => classes.len(),
            Answers::Numbers(numbers) => numbers.len(),
            Answers::Weighed { weights, .. } => weights.len(),
        }
    }

    /// Whether these are answers of a problem with this many outputs.
    fn fits(&self, n_outputs: usize) -> bool {
        match self {
            Answers::Classes(classes) => classes.iter().all(|&class| (class as usize) < n_outputs),
            Answers::Numbers(_) => n_outputs == 1,
            Answers::Weighed { weights, of } => {
                weights.len() == of.len()
                    && weights.iter().all(|weight| weight.is_finite() && *weight > 0.0)
                    && !matches!(**of, Answers::Weighed { .. })
                    && of.fits(n_outputs)
            }
        }
    }

    /// What the vote of point `index` is multiplied with.
    fn weight(&self, index: usize) -> f64 {
        if let Answers::Weighed { weights, .. } = self { weights[index] } else { 1.0 }
    }

    /// Adds the vote of point `index`.
    fn add(&self, index: usize, weight: f64, out: &mut [f64]) {
        match self {
            Answers::Classes(classes) => out[classes[index] as usize] += weight,
            Answers::Numbers(numbers) => out[0] += weight * numbers[index],
            Answers::Weighed { of, .. } => of.add(index, weight, out),
        }
    }
}

/// The remembered training rows and how they vote. Equal distances go to the earlier training row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Knn {
    /// How many numbers a prediction has.
    pub n_outputs: usize,
    /// How many neighbours vote; at most the number of points.
    pub k: usize,
    /// What a vote counts.
    pub vote: Vote,
    /// What near means.
    pub distance: Distance,
    /// Features per point.
    pub n_features: usize,
    /// Points, row-major: `answers × n_features`.
    pub points: Vec<f32>,
    /// Target per point.
    pub answers: Answers,
}

/// Queries searched together, and points a tile of them is compared with: a tile of points stays in the
/// second-level cache while every query of the group passes over it.
const QUERIES: usize = 16;
const TILE_BYTES: usize = 128 * 1024;

impl Knn {
    pub(crate) fn predict(&self, block: &Block, rows: &[u32]) -> Predictions {
        let mut values = vec![0.0; rows.len() * self.n_outputs];
        let groups = rows.chunks(QUERIES).zip(values.chunks_mut(QUERIES * self.n_outputs.max(1)));
        let mut queries = Vec::new();
        let mut nearest: Vec<Nearest> = (0..QUERIES).map(|_| Nearest::new(self.k)).collect();
        for (rows, out) in groups {
            self.gather(block, rows, &mut queries);
            self.search(&queries, &mut nearest[..rows.len()]);
            for (nearest, out) in nearest.iter_mut().zip(out.chunks_exact_mut(self.n_outputs.max(1))) {
                self.tally(nearest, out);
                nearest.found.clear();
            }
        }
        Predictions::new(self.n_outputs, values)
    }

    pub(crate) fn fits(&self, n_features: usize) -> bool {
        self.answers.fits(self.n_outputs)
            && self.n_features == n_features
            && (1..=self.answers.len()).contains(&self.k)
            && self.answers.len().checked_mul(n_features) == Some(self.points.len())
    }

    /// Lays the queries out row-major.
    fn gather(&self, block: &Block, rows: &[u32], queries: &mut Vec<f32>) {
        queries.clear();
        queries.resize(rows.len() * self.n_features, 0.0);
        for j in 0..self.n_features {
            let column = block.column(j);
            for (i, row) in rows.iter().enumerate() {
                queries[i * self.n_features + j] = column.get(*row as usize).copied().unwrap_or(0.0);
            }
        }
    }

    fn search(&self, queries: &[f32], nearest: &mut [Nearest]) {
        if self.n_features == 0 {
            for nearest in nearest {
                (0..self.k as u32).for_each(|index| nearest.offer(0.0, index));
            }
            return;
        }
        let tile = (TILE_BYTES / (self.n_features * size_of::<f32>())).max(1);
        for (t, points) in self.points.chunks(tile * self.n_features).enumerate() {
            for (query, nearest) in queries.chunks_exact(self.n_features).zip(nearest.iter_mut()) {
                for (i, point) in points.chunks_exact(self.n_features).enumerate() {
                    let distance = match self.distance {
                        Distance::Manhattan => sum_of(query, point, f32::abs),
                        Distance::Euclidean => sum_of(query, point, |difference| difference * difference),
                    };
                    nearest.offer(distance, (t * tile + i) as u32);
                }
            }
        }
    }

    /// Adds up the votes into `out`.
    fn tally(&self, nearest: &Nearest, out: &mut [f64]) {
        let closest = nearest.found.first().map_or(0.0, |(distance, _)| *distance);
        // Where every distance overflowed, none is nearer than another.
        let vote = if closest.is_finite() { self.vote } else { Vote::Uniform };
        let mut total = 0.0;
        for &(distance, index) in &nearest.found {
            let weight = match (vote, self.distance) {
                (Vote::Uniform, _) => 1.0,
                (Vote::Distance, _) if closest == 0.0 => f64::from(u8::from(distance == 0.0)),
                (Vote::Distance, Distance::Manhattan) => 1.0 / f64::from(distance),
                (Vote::Distance, Distance::Euclidean) => 1.0 / f64::from(distance).sqrt(),
            };
            let weight = weight * self.answers.weight(index as usize);
            total += weight;
            self.answers.add(index as usize, weight, out);
        }
        for value in out.iter_mut() {
            *value /= total;
        }
    }
}

/// The sum of a function of the differences, in eight lanes so that it becomes vector instructions; the order
/// of the sum is fixed by the number of features alone.
#[inline]
fn sum_of(a: &[f32], b: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0_f32; 8];
    let (a_lanes, a_rest) = a.as_chunks::<8>();
    let (b_lanes, b_rest) = b.as_chunks::<8>();
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += of(a - b);
        }
    }
    for ((lane, a), b) in lanes.iter_mut().zip(a_rest).zip(b_rest) {
        *lane += of(a - b);
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (b + f)) + ((c + g) + (d + h))
}

/// The k nearest so far, nearest first.
struct Nearest {
    k: usize,
    found: Vec<(f32, u32)>,
}

impl Nearest {
    fn new(k: usize) -> Nearest {
        Nearest { k, found: Vec::new() }
    }

    /// Points come in index order, so an equal distance ranks behind what is there. Nearly every offer fails
    /// the first comparison once k are found; the insertion behind it is short, k being at most 100.
    #[inline]
    fn offer(&mut self, distance: f32, index: u32) {
        if self.found.len() == self.k {
            if self.found.last().is_none_or(|(worst, _)| distance >= *worst) {
                return;
            }
            self.found.pop();
        }
        let place = self.found.partition_point(|(d, _)| *d <= distance);
        self.found.insert(place, (distance, index));
    }
}
