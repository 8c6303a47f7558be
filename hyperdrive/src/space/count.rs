//! Counting the points of a finite space, and finding one by its number.

use super::domain::{Dimension, Domain};
use super::tree::{Space, join};
use crate::params::Params;

impl Space {
    /// How many points there are, forbidden ones included; `None` where a dimension is continuous (a real number
    /// without a step, or a normal one) or the count passes 2^127.
    pub fn size(&self) -> Option<u128> {
        size(&self.dimensions)
    }

    /// The `n`-th point of a finite space, in the order in which the last dimension turns fastest; `None` beyond the
    /// last, or where the space is not finite. Forbidden points have numbers too.
    pub fn nth(&self, n: u128) -> Option<Params> {
        if n >= self.size()? {
            return None;
        }
        let mut params = Params::new();
        nth(&self.dimensions, "", n, &mut params)?;
        Some(params)
    }

    /// Key of the first dimension without a finite number of values.
    pub fn continuous(&self) -> Option<String> {
        self.all().into_iter().find(|(_, dimension)| levels(&dimension.domain).is_none()).map(|(key, _)| key)
    }
}

/// Number of values of a domain, options without what is below them.
pub(super) fn levels(domain: &Domain) -> Option<u128> {
    match domain {
        Domain::Float { low, high, step: Some(q), .. } => {
            Some(((high / q).round_ties_even() - (low / q).round_ties_even()) as u128 + 1)
        }
        Domain::Float { step: None, .. } | Domain::Normal { .. } => None,
        Domain::Int { low, high, .. } => Some((i128::from(*high) - i128::from(*low)) as u128 + 1),
        Domain::Ordinal { values } => Some(values.len() as u128),
        Domain::Choice { options } => Some(options.len() as u128),
        Domain::Fixed { .. } => Some(1),
    }
}

fn size(level: &[Dimension]) -> Option<u128> {
    level.iter().try_fold(1_u128, |product, dimension| product.checked_mul(size_of(dimension)?))
}

fn size_of(dimension: &Dimension) -> Option<u128> {
    match &dimension.domain {
        Domain::Choice { options } => {
            options.iter().try_fold(0_u128, |sum, option| sum.checked_add(size(&option.dimensions)?))
        }
        domain => levels(domain),
    }
}

fn nth(level: &[Dimension], path: &str, mut n: u128, params: &mut Params) -> Option<()> {
    for (i, dimension) in level.iter().enumerate() {
        let after = size(&level[i + 1..])?;
        let mut k = n / after;
        n %= after;
        let key = join(path, &dimension.name);
        match &dimension.domain {
            Domain::Choice { options } => {
                for option in options {
                    let below = size(&option.dimensions)?;
                    if k < below {
                        params.insert(key, option.value.clone());
                        nth(&option.dimensions, &join(path, &option.label()), k, params)?;
                        break;
                    }
                    k -= below;
                }
            }
            Domain::Float { low, step: Some(q), .. } => {
                params.insert(key, ((low / q).round_ties_even() + k as f64) * q);
            }
            Domain::Int { low, .. } => {
                params.insert(key, (i128::from(*low) + k as i128) as i64);
            }
            Domain::Ordinal { values } => {
                params.insert(key, values.get(k as usize)?.clone());
            }
            Domain::Fixed { value } => {
                params.insert(key, value.clone());
            }
            Domain::Float { .. } | Domain::Normal { .. } => return None,
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::space::Choice;

    #[test]
    fn every_point_has_one_number() {
        let kernel = vec![
            Choice::leaf("linear"),
            Choice::with("poly", vec![Dimension::int("degree", 2, 4), Dimension::boolean("scaled")]),
        ];
        let space = Space::new(vec![
            Dimension::float("q", 0.4, 2.1).step(0.5),
            Dimension::choice("kernel", kernel),
            Dimension::fixed("seed", 3_i64),
            Dimension::ordinal("size", ["s", "m"]),
        ]);
        // 0.5, 1, 1.5, 2; linear or 3 degrees times 2; s or m.
        assert_eq!(space.size(), Some(4 * 7 * 2));
        let points: Vec<Params> = (0..56).map(|n| space.nth(n).expect("a point")).collect();
        let keys: BTreeSet<String> = points.iter().map(|point| space.hash_key(point)).collect();
        assert_eq!(keys.len(), 56);
        for point in &points {
            space.contains(point).expect("a point of the space");
        }
        assert_eq!(space.nth(56), None);
        assert_eq!(space.continuous(), None);
    }

    #[test]
    fn what_is_continuous_has_no_size() {
        let space = Space::new(vec![Dimension::boolean("b"), Dimension::float("x", 0.0, 1.0)]);
        assert_eq!((space.size(), space.nth(0), space.continuous()), (None, None, Some("x".to_owned())));
        let wide = Space::new((0..3).map(|i| Dimension::int(format!("k{i}"), i64::MIN, i64::MAX)).collect());
        assert_eq!((wide.size(), wide.continuous()), (None, None));
    }
}
