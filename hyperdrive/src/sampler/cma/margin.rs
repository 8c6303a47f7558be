//! Coordinates that stand for ordered values: which part of the unit interval is a value, and a margin that keeps the
//! neighbours of the present value within reach.

use super::distribution::Distribution;
use crate::numeric::normal;
use crate::params::Value;
use crate::space::{Domain, Kind, Scale, Slot};

/// The part of [0, 1] whose places are the same value as `at`; the whole of it where there is one value alone, the
/// point itself for a real number.
pub(in crate::sampler) fn cell(slot: &Slot, at: f64) -> (f64, f64) {
    if slot.kind == Kind::Real {
        return (at, at);
    }
    let between = |low: f64, high: f64, scale: Scale, x: f64| {
        let place = |x: f64| if scale == Scale::Log { x.ln() } else { x };
        let part = (place(x) - place(low)) / (place(high) - place(low));
        if part.is_nan() { 0.5 } else { part.clamp(0.0, 1.0) }
    };
    match (&slot.domain, slot.domain.decode(at)) {
        (Domain::Int { low, high, scale: Scale::Log }, Value::Int(k)) => {
            let (from, to) = (*low as f64 - 0.5, *high as f64 + 0.5);
            (between(from, to, Scale::Log, k as f64 - 0.5), between(from, to, Scale::Log, k as f64 + 0.5))
        }
        (Domain::Float { low, high, scale, step: Some(q) }, Value::Float(x)) => {
            let below = if x - q / 2.0 <= *low { 0.0 } else { between(*low, *high, *scale, x - q / 2.0) };
            let above = if x + q / 2.0 >= *high { 1.0 } else { between(*low, *high, *scale, x + q / 2.0) };
            (below, above)
        }
        (Domain::Normal { mean, deviation, scale, step: Some(q) }, Value::Float(x)) => {
            let place = |x: f64| match scale {
                Scale::Linear => normal::cdf((x - mean) / deviation),
                Scale::Log if x <= 0.0 => 0.0,
                Scale::Log => normal::cdf((x.ln() - mean) / deviation),
            };
            (place(x - q / 2.0), place(x + q / 2.0))
        }
        _ => match slot.kind {
            Kind::Ordered { levels } if levels > 0 => {
                let k = (at * levels as f64).floor().min(levels as f64 - 1.0);
                (k / levels as f64, (k + 1.0) / levels as f64)
            }
            _ => (0.0, 1.0),
        },
    }
}

/// A place inside the cell of an observed value, since which place was drawn there is not known: the `u`-quantile of
/// the present distribution of the coordinate, given the cell.
///
/// Taking the middle of the cell instead would report a step where none was made as soon as the distribution is
/// narrower than the cell.
pub(super) fn place_in(cell: (f64, f64), mean: f64, deviation: f64, u: f64) -> f64 {
    let (low, high) = cell;
    if low >= high {
        return low;
    }
    let (from, to) = (normal::cdf((low - mean) / deviation), normal::cdf((high - mean) / deviation));
    let at = mean + deviation * normal::quantile(from + u * (to - from));
    if at.is_finite() { at.clamp(low, high) } else { f64::midpoint(low, high) }
}

/// Moves the mean and widens the coordinates of ordered values, so that the values beside the present one keep a
/// probability of at least 1 / (λ d): Hamano et al., "CMA-ES with Margin", arXiv:2205.13482, section 4.
pub(super) fn keep_margin(distribution: &mut Distribution, slots: &[&Slot]) {
    let least = 1.0 / (distribution.strategy.population * slots.len()) as f64;
    for (i, slot) in slots.iter().enumerate() {
        let mean = distribution.mean[i].clamp(0.0, 1.0);
        let (low, high) = cell(slot, mean);
        if low >= high || (low <= 0.0 && high >= 1.0) {
            continue;
        }
        let deviation = distribution.deviation(i);
        let place = |x: f64| (x - distribution.mean[i]) / deviation;
        if low <= 0.0 || high >= 1.0 {
            // The first or the last value: the other side must stay within reach.
            let (border, outward) = if low <= 0.0 { (high, -1.0) } else { (low, 1.0) };
            let reach = -normal::quantile(least.min(0.5)) * deviation;
            let far = (mean - border).abs();
            distribution.mean[i] = border + outward * far.min(reach);
            continue;
        }
        let (below, above) = (normal::cdf(place(low)), 1.0 - normal::cdf(place(high)));
        let inside = 1.0 - below - above;
        let (mut left, mut right) = (below.max(least / 2.0), above.max(least / 2.0));
        if left == below && right == above {
            continue;
        }
        let excess = 1.0 - left - right - inside;
        let room = left + right + inside - 1.5 * least;
        left += excess / room * (left - least / 2.0);
        right += excess / room * (right - least / 2.0);
        let (left, right) = (-normal::quantile(left), -normal::quantile(right));
        if left + right <= 0.0 {
            continue;
        }
        distribution.widened[i] *= (high - low) / (deviation * (left + right));
        distribution.mean[i] = (low * right + high * left) / (left + right);
    }
}
