//! Points as columns of features whose weighted squared differences are the kernel's distance.

use crate::space::{Kind, Layout};

/// How the points of a layout become features.
///
/// Each slot is put into a Euclidean space of its own, so that any kernel of the sum of their squared distances that is
/// positive definite on Euclidean spaces stays so:
/// - a number that always exists is itself;
/// - a number that exists only sometimes is a point on an arc of one radian and radius 1, and where it does not exist
///   the arc's centre: two that exist are about their difference apart, one alone is 1 from nothing wherever it stands,
///   and nothing from nothing is 0 (the arc kernel of Hutter and Osborne, arXiv:1310.5738, section 3, with ρ = 1 rad
///   and one scale for both distances);
/// - options of a choice, and its absence as one more, are all 1 apart (Hamming): corners of a simplex.
///
/// Each slot's distances are divided by a length of its own, which the fit finds.
#[derive(Clone, Debug)]
pub(super) struct Embedding {
    pub(super) parts: Vec<Part>,
}

/// How one slot is embedded, and in which features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// One feature: the number.
    Line { feature: usize },
    /// Two features from this one on: a place on the arc, or its centre.
    Arc { feature: usize },
    /// One feature, compared only for being the same: the option, −1 for none.
    Code { feature: usize },
}

impl Embedding {
    pub(super) fn new(layout: &Layout) -> Self {
        let mut feature = 0;
        let parts = layout.slots.iter().map(|slot| {
            let part = match (slot.kind, slot.parent) {
                (Kind::Category { .. }, _) => Part::Code { feature },
                (Kind::Real | Kind::Ordered { .. }, None) => Part::Line { feature },
                (Kind::Real | Kind::Ordered { .. }, Some(_)) => Part::Arc { feature },
            };
            feature += part.width();
            part
        });
        Self { parts: parts.collect() }
    }

    /// How many features there are.
    pub(super) fn width(&self) -> usize {
        self.parts.iter().map(|part| part.width()).sum()
    }

    /// Writes the features of a row of the layout, its numbers bent by `warp` first.
    pub(super) fn embed(&self, row: &[f64], warp: &[Warp], out: &mut Vec<f64>) {
        out.clear();
        for ((part, at), warp) in self.parts.iter().zip(row).zip(warp) {
            match part {
                Part::Line { .. } => out.push(warp.at(*at)),
                Part::Arc { .. } if at.is_nan() => out.extend([0.0, 0.0]),
                Part::Arc { .. } => {
                    let (sin, cos) = (warp.at(*at) - 0.5).sin_cos();
                    out.extend([cos, sin]);
                }
                Part::Code { .. } => out.push(if at.is_nan() { -1.0 } else { *at }),
            }
        }
    }
}

impl Part {
    fn width(self) -> usize {
        match self {
            Self::Line { .. } | Self::Code { .. } => 1,
            Self::Arc { .. } => 2,
        }
    }

    /// Adds the slot's squared distances, times `weight`, between one point's features and those in `columns`.
    pub(super) fn add_distances(self, weight: f64, point: &[f64], columns: &[Vec<f64>], out: &mut [f64]) {
        match self {
            Self::Line { feature } => add_squares(weight, point[feature], &columns[feature], out),
            Self::Arc { feature } => {
                let (x, y) = (point[feature], point[feature + 1]);
                for ((out, a), b) in out.iter_mut().zip(&columns[feature]).zip(&columns[feature + 1]) {
                    *out += weight * ((x - a) * (x - a) + (y - b) * (y - b));
                }
            }
            Self::Code { feature } => {
                let code = point[feature];
                for (out, other) in out.iter_mut().zip(&columns[feature]) {
                    *out += if *other == code { 0.0 } else { weight };
                }
            }
        }
    }
}

fn add_squares(weight: f64, x: f64, column: &[f64], out: &mut [f64]) {
    for (out, a) in out.iter_mut().zip(column) {
        *out += weight * ((x - a) * (x - a));
    }
}

/// A bend of the unit interval: the distribution function of Kumaraswamy, 1 − (1 − xᵃ)ᵇ, which for a = b = 1 is none
/// (Snoek, Swersky, Zemel and Adams, ICML 2014, section 4, who take Beta's).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Warp {
    pub(super) a: f64,
    pub(super) b: f64,
}

impl Warp {
    pub(super) const NONE: Self = Self { a: 1.0, b: 1.0 };

    /// Where `x` in [0, 1] goes.
    pub(super) fn at(self, x: f64) -> f64 {
        if self == Self::NONE { x } else { 1.0 - (1.0 - x.powf(self.a)).powf(self.b) }
    }

    /// How fast: the derivative by `x`, finite also at the ends.
    pub(super) fn slope(self, x: f64) -> f64 {
        if self == Self::NONE {
            return 1.0;
        }
        let x = x.clamp(1e-6, 1.0 - 1e-6);
        let inner = 1.0 - x.powf(self.a);
        self.a * self.b * x.powf(self.a - 1.0) * inner.powf(self.b - 1.0)
    }

    /// The derivatives by ln a and ln b.
    pub(super) fn by_shape(self, x: f64) -> (f64, f64) {
        if x <= 0.0 || x >= 1.0 {
            return (0.0, 0.0);
        }
        let power = x.powf(self.a);
        let inner = 1.0 - power;
        if inner <= 0.0 || power <= 0.0 {
            return (0.0, 0.0);
        }
        let outer = inner.powf(self.b);
        (self.a * self.b * outer / inner * power * x.ln(), -self.b * outer * inner.ln())
    }
}
