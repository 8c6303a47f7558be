//! Between a value and its place in the unit interval.

use super::domain::{Domain, Scale};
use crate::numeric::normal;
use crate::params::Value;

impl Domain {
    /// The value at `u` in [0, 1): equal intervals of `u` are equally likely values.
    ///
    /// An integer owns an interval, so all are reached; on a log scale that of k is [ln(k − ½), ln(k + ½)], as in
    /// Optuna's `IntDistribution(log=True)`. Rounding never leaves the bounds. A normal number is the quantile at `u`,
    /// short of the two infinite ones.
    pub fn decode(&self, u: f64) -> Value {
        let u = u.clamp(0.0, 1.0);
        match self {
            // A difference of two huge bounds may overflow; a weighted mean of them does not.
            Self::Float { low, high, scale: Scale::Linear, step } => {
                Value::Float(rounded((low * (1.0 - u) + high * u).clamp(*low, *high), *step))
            }
            Self::Float { low, high, scale: Scale::Log, step } => {
                let (from, to) = (low.ln(), high.ln());
                Value::Float(rounded((from + u * (to - from)).exp().clamp(*low, *high), *step))
            }
            Self::Normal { mean, deviation, scale, step } => {
                let z = normal::quantile(u.clamp(f64::EPSILON / 4.0, 1.0 - f64::EPSILON / 2.0));
                let x = mean + deviation * z;
                let x = if *scale == Scale::Log { x.exp() } else { x };
                Value::Float(rounded(x.clamp(f64::MIN, f64::MAX), *step))
            }
            Self::Int { low, high, scale: Scale::Linear } => {
                let count = (i128::from(*high) - i128::from(*low) + 1) as f64;
                let step = (u * count).floor() as i128;
                Value::Int((i128::from(*low) + step).clamp(i128::from(*low), i128::from(*high)) as i64)
            }
            Self::Int { low, high, scale: Scale::Log } => {
                let (from, to) = ((*low as f64 - 0.5).ln(), (*high as f64 + 0.5).ln());
                Value::Int(((from + u * (to - from)).exp().round() as i64).clamp(*low, *high))
            }
            Self::Ordinal { values } => at(values, u).cloned().unwrap_or(Value::Text(String::new())),
            Self::Choice { options } => at(options, u).map_or(Value::Text(String::new()), |o| o.value.clone()),
            Self::Fixed { value } => value.clone(),
        }
    }

    /// Where a value stands in [0, 1]: the inverse of [`Domain::decode`], the middle of the interval for an
    /// integer, an ordinal or an option. `None` where the value is not of this domain.
    pub fn encode(&self, value: &Value) -> Option<f64> {
        match (self, value) {
            (Self::Float { low, high, scale, step }, Value::Float(x)) => {
                if step.is_some() && rounded(*x, *step) != *x {
                    return None;
                }
                // A multiple of the step may lie a little outside; it came from the nearest bound.
                let (least, most) = (rounded(*low, *step).min(*low), rounded(*high, *step).max(*high));
                if !(least..=most).contains(x) {
                    return None;
                }
                let x = x.clamp(*low, *high);
                let at = |x: f64| if *scale == Scale::Log { x.ln() } else { x / 2.0 };
                let range = at(*high) - at(*low);
                Some(if range == 0.0 { 0.5 } else { (at(x) - at(*low)) / range })
            }
            (Self::Normal { mean, deviation, scale, step }, Value::Float(x)) => {
                let inside = x.is_finite() && rounded(*x, *step) == *x;
                match scale {
                    Scale::Linear => inside.then(|| normal::cdf((x - mean) / deviation)),
                    // A number rounded down to 0 has no logarithm and stands at the lower end.
                    Scale::Log if *x == 0.0 => step.map(|_| 0.0),
                    Scale::Log => (inside && *x > 0.0).then(|| normal::cdf((x.ln() - mean) / deviation)),
                }
            }
            (Self::Int { low, high, scale }, Value::Int(k)) if k >= low && k <= high => {
                if *scale == Scale::Log {
                    let (from, to) = ((*low as f64 - 0.5).ln(), (*high as f64 + 0.5).ln());
                    return Some(((*k as f64).ln() - from) / (to - from));
                }
                let count = (i128::from(*high) - i128::from(*low) + 1) as f64;
                Some(((i128::from(*k) - i128::from(*low)) as f64 + 0.5) / count)
            }
            (Self::Ordinal { values }, value) => Some(middle(values.iter().position(|v| v == value)?, values.len())),
            (Self::Choice { options }, value) => {
                Some(middle(options.iter().position(|o| o.value == *value)?, options.len()))
            }
            (Self::Fixed { value: only }, value) if only == value => Some(0.5),
            _ => None,
        }
    }
}

/// The nearest multiple of `step`, halves to the even one as in Python's `round`; `x` itself without a step.
fn rounded(x: f64, step: Option<f64>) -> f64 {
    step.map_or(x, |q| (x / q).round_ties_even() * q)
}

fn at<T>(all: &[T], u: f64) -> Option<&T> {
    all.get(((u * all.len() as f64) as usize).min(all.len().saturating_sub(1)))
}

fn middle(i: usize, n: usize) -> f64 {
    (i as f64 + 0.5) / n as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::params::Value;
    use crate::space::{Choice, Dimension};

    #[test]
    fn integers_share_the_interval_evenly() {
        let die = Dimension::int("die", 1, 6).domain;
        let faces: Vec<Value> = (0..6).map(|i| die.decode((f64::from(i) + 0.5) / 6.0)).collect();
        assert_eq!(faces, (1..=6).map(Value::Int).collect::<Vec<_>>());
        let all = Dimension::int("all", i64::MIN, i64::MAX).domain;
        assert_eq!(all.decode(0.0), Value::Int(i64::MIN));
        assert_eq!(all.decode(1.0), Value::Int(i64::MAX));
    }

    #[test]
    fn log_has_equal_ratios() {
        let c = Dimension::float("c", 1e-3, 1e3).log().domain;
        let Value::Float(middle) = c.decode(0.5) else { panic!("a float") };
        assert!((middle - 1.0).abs() < 1e-12);
        let Value::Float(low) = c.decode(0.0) else { panic!("a float") };
        assert!((1e-3..1.000_001e-3).contains(&low));
    }

    #[test]
    fn huge_bounds_do_not_overflow() {
        let wide = Dimension::float("x", -f64::MAX, f64::MAX).domain;
        assert_eq!(wide.decode(0.5), Value::Float(0.0));
        assert_eq!(wide.encode(&Value::Float(0.0)), Some(0.5));
    }

    proptest! {
        #[test]
        fn decode_stays_inside_and_encode_inverts(u in 0.0..1.0_f64, low in -50_i64..50, width in 0_i64..100) {
            let high = low + width;
            let labels = ["a", "b", "c"].map(Choice::leaf).to_vec();
            for domain in [
                Dimension::float("x", low as f64, high as f64).domain,
                Dimension::float("x", 0.5, 1.5 + width as f64).log().domain,
                Dimension::int("k", low, high).domain,
                Dimension::int("k", 1, 1 + width).log().domain,
                Dimension::choice("c", labels.clone()).domain,
                Dimension::ordinal("o", [1_i64, 5, 25]).domain,
                Dimension::normal("n", low as f64, 1.0 + width as f64).domain,
                Dimension::normal("n", 0.0, 1.0).log().step(0.25).domain,
                Dimension::float("q", low as f64 + 0.3, high as f64 + 0.4).step(0.5).domain,
                Dimension::float("q", 0.2, 1.4 + width as f64).log().step(1.0).domain,
            ] {
                let value = domain.decode(u);
                let at = domain.encode(&value);
                prop_assert!(at.is_some_and(|at| (-1e-12..=1.0 + 1e-12).contains(&at)), "{value:?} at {at:?}");
                let back = domain.decode(at.unwrap_or(0.0));
                if let (Value::Float(a), Value::Float(b)) = (&value, &back) {
                    prop_assert!((a - b).abs() <= 1e-9 * (1.0 + a.abs() + width as f64), "{domain:?}: {a} {b}");
                } else {
                    prop_assert_eq!(&value, &back);
                }
            }
        }
    }
}
