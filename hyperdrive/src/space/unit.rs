//! Between a value and its place in the unit interval.

use super::domain::{Domain, Scale};
use crate::params::Value;

impl Domain {
    /// The value at `u` in [0, 1): equal intervals of `u` are equally likely values.
    ///
    /// An integer owns an interval, so all are reached; on a log scale that of k is [ln(k − ½), ln(k + ½)], as in
    /// Optuna's `IntDistribution(log=True)`. Rounding never leaves the bounds.
    pub fn decode(&self, u: f64) -> Value {
        let u = u.clamp(0.0, 1.0);
        match self {
            // A difference of two huge bounds may overflow; a weighted mean of them does not.
            Self::Float { low, high, scale: Scale::Linear } => {
                Value::Float((low * (1.0 - u) + high * u).clamp(*low, *high))
            }
            Self::Float { low, high, scale: Scale::Log } => {
                let (from, to) = (low.ln(), high.ln());
                Value::Float((from + u * (to - from)).exp().clamp(*low, *high))
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
            Self::Choice { options } => {
                let i = ((u * options.len() as f64) as usize).min(options.len().saturating_sub(1));
                options.get(i).map_or_else(|| Value::Text(String::new()), |o| Value::Text(o.label.clone()))
            }
        }
    }

    /// Where a value stands in [0, 1]: the inverse of [`Domain::decode`], the middle of the interval for an
    /// integer or an option. `None` where the value is not of this domain.
    pub fn encode(&self, value: &Value) -> Option<f64> {
        match (self, value) {
            (Self::Float { low, high, scale }, Value::Float(x)) if x >= low && x <= high => {
                let at = |x: f64| {
                    if *scale == Scale::Log { x.ln() } else { x / 2.0 }
                };
                let range = at(*high) - at(*low);
                Some(if range == 0.0 { 0.5 } else { (at(*x) - at(*low)) / range })
            }
            (Self::Int { low, high, scale }, Value::Int(k)) if k >= low && k <= high => {
                if *scale == Scale::Log {
                    let (from, to) = ((*low as f64 - 0.5).ln(), (*high as f64 + 0.5).ln());
                    return Some(((*k as f64).ln() - from) / (to - from));
                }
                let count = (i128::from(*high) - i128::from(*low) + 1) as f64;
                Some(((i128::from(*k) - i128::from(*low)) as f64 + 0.5) / count)
            }
            (Self::Choice { options }, Value::Text(label)) => {
                let i = options.iter().position(|option| option.label == *label)?;
                Some((i as f64 + 0.5) / options.len() as f64)
            }
            _ => None,
        }
    }
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
            ] {
                let value = domain.decode(u);
                let at = domain.encode(&value);
                prop_assert!(at.is_some_and(|at| (-1e-12..=1.0 + 1e-12).contains(&at)), "{value:?} at {at:?}");
                let back = domain.decode(at.unwrap_or(0.0));
                if let (Value::Float(a), Value::Float(b)) = (&value, &back) {
                    prop_assert!((a - b).abs() <= 1e-9 * (1.0 + a.abs()));
                } else {
                    prop_assert_eq!(&value, &back);
                }
            }
        }
    }
}
