//! The tree of dimensions and what is asked of it.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::check::{check_level, describe};
use super::domain::{Choice, Dimension, Domain};
use crate::error::{JournalError, StudyError};
use crate::journal::finite;
use crate::keys::keyed_rng;
use crate::params::{Params, Value};

/// Version of the space's written form.
const VERSION: u32 = 1;

/// What can be tried: a tree of dimensions, fixed for the whole study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Space {
    /// Version of the written form, 1.
    pub version: u32,
    /// Dimensions that always exist; those of an option exist where it is taken.
    pub dimensions: Vec<Dimension>,
    /// Combinations that may not occur: each a few keys with values, forbidden where a point has all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forbidden: Vec<Params>,
    /// A point that is known to be reasonable, which samplers with a model try first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Params>,
}

/// Draws after which a space is taken to forbid all of its points.
const PATIENCE: usize = 100_000;

impl Space {
    /// A space of the present version.
    pub fn new(dimensions: Vec<Dimension>) -> Self {
        Self { version: VERSION, dimensions, forbidden: Vec::new(), default: None }
    }

    /// Checks version, names, bounds, options, that no two dimensions have the same key, that what is forbidden names
    /// dimensions and leaves something, and that the default is a point of the space.
    pub fn check(&self) -> Result<(), StudyError> {
        if self.version != VERSION {
            let reason = format!("{} is not {VERSION}", self.version);
            return Err(StudyError::Spec { field: "search_space.version".to_owned(), reason });
        }
        check_level(&self.dimensions, "", &mut BTreeSet::new())?;
        self.check_forbidden()?;
        self.default.as_ref().map_or(Ok(()), |point| self.contains(point))
    }

    /// A point drawn from the space: every dimension that exists there, independently from its distribution, until
    /// one is not forbidden.
    pub fn sample(&self, rng: &mut ChaCha8Rng) -> Params {
        loop {
            let params = self.draw(rng);
            if self.forbids(&params).is_none() {
                return params;
            }
        }
    }

    /// The first forbidden combination the point has, if it has one.
    pub fn forbids(&self, params: &Params) -> Option<&Params> {
        let has = |combination: &Params| combination.iter().all(|(key, value)| params.get(key) == Some(value));
        self.forbidden.iter().find(|combination| has(combination))
    }

    fn draw(&self, rng: &mut ChaCha8Rng) -> Params {
        let mut params = Params::new();
        sample_level(&self.dimensions, "", rng, &mut params);
        params
    }

    fn check_forbidden(&self) -> Result<(), StudyError> {
        if self.forbidden.is_empty() {
            return Ok(());
        }
        let domains: BTreeMap<String, &Dimension> = self.all().into_iter().collect();
        for (key, value) in self.forbidden.iter().flat_map(Params::iter) {
            let bad = |reason: String| StudyError::Space { key: key.to_owned(), reason };
            let dimension =
                domains.get(key).ok_or_else(|| bad("is forbidden a value but does not exist".to_owned()))?;
            if dimension.domain.encode(value).is_none() {
                return Err(bad(format!("{value} is forbidden but is not {}", describe(&dimension.domain))));
            }
        }
        let mut rng = keyed_rng(0, 0, "forbidden");
        if (0..PATIENCE).any(|_| self.forbids(&self.draw(&mut rng)).is_none()) {
            return Ok(());
        }
        let reason = format!("of {PATIENCE} points drawn, all are forbidden");
        Err(StudyError::Spec { field: "search_space.forbidden".to_owned(), reason })
    }

    /// Whether the point is in the space: each dimension that exists there has a value in its domain, and there is
    /// nothing else. The error says which key is wrong.
    pub fn contains(&self, params: &Params) -> Result<(), StudyError> {
        let mut known = 0;
        for (key, dimension) in self.active(params) {
            match params.get(&key) {
                None => return Err(wrong(key, "is missing".to_owned())),
                Some(value) if dimension.domain.encode(value).is_none() => {
                    let reason = format!("{value} is not {}", describe(&dimension.domain));
                    return Err(wrong(key, reason));
                }
                Some(_) => known += 1,
            }
        }
        if known == params.len() {
            return match self.forbids(params) {
                None => Ok(()),
                Some(combination) => {
                    let key = combination.iter().map(|(key, _)| key.to_owned()).next().unwrap_or_default();
                    Err(wrong(key, format!("the combination {combination} is forbidden")))
                }
            };
        }
        let keys: BTreeSet<String> = self.active(params).into_iter().map(|(key, _)| key).collect();
        let extra = params.iter().map(|(key, _)| key).find(|key| !keys.contains(*key)).unwrap_or_default();
        Err(wrong(extra.to_owned(), "does not exist here in the search space".to_owned()))
    }

    /// The dimensions that exist at a point, with their keys, in the order of the tree. Below a choice that has no
    /// value, or a value that is no option, nothing exists.
    pub fn active(&self, params: &Params) -> Vec<(String, &Dimension)> {
        let mut found = Vec::new();
        let mut visit = |key: String, dimension| found.push((key, dimension));
        walk(&self.dimensions, "", &mut |key, options| taken(params, key, options), &mut visit);
        found
    }

    /// All dimensions, whether they exist at once or not, with their keys, in the order of the tree.
    pub fn all(&self) -> Vec<(String, &Dimension)> {
        let mut found = Vec::new();
        let mut visit = |key: String, dimension| found.push((key, dimension));
        walk(&self.dimensions, "", &mut |_, options| options.iter().collect(), &mut visit);
        found
    }

    /// A text that two points share only when they are the same point: to find what was tried before.
    pub fn hash_key(&self, params: &Params) -> String {
        let active = self.active(params);
        let parts = active.iter().map(|(key, _)| match params.get(key) {
            Some(Value::Float(x)) => format!("{key:?}:{:016x}", x.to_bits()),
            Some(Value::Int(k)) => format!("{key:?}:{k}"),
            Some(Value::Text(text)) => format!("{key:?}:{text:?}"),
            Some(Value::Bool(yes)) => format!("{key:?}:{yes}"),
            None => format!("{key:?}:-"),
        });
        parts.collect::<Vec<_>>().join(",")
    }

    pub(crate) fn check_finite(&self) -> Result<(), JournalError> {
        let mut points = self.forbidden.iter().chain(&self.default);
        points.try_for_each(Params::check_finite)?;
        self.all().into_iter().try_for_each(|(key, dimension)| {
            let numbers = match &dimension.domain {
                Domain::Float { low, high, step, .. } => vec![Some(*low), Some(*high), *step],
                Domain::Normal { mean, deviation, step, .. } => vec![Some(*mean), Some(*deviation), *step],
                Domain::Ordinal { values } => values.iter().map(number).collect(),
                Domain::Choice { options } => options.iter().map(|option| number(&option.value)).collect(),
                Domain::Fixed { value } => vec![number(value)],
                Domain::Int { .. } => Vec::new(),
            };
            numbers.into_iter().flatten().try_for_each(|x| finite(&key, x))
        })
    }
}

fn number(value: &Value) -> Option<f64> {
    if let Value::Float(x) = value { Some(*x) } else { None }
}

pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn wrong(key: String, reason: String) -> StudyError {
    StudyError::Params { key, reason }
}

/// Visits the dimensions of a level in order, and below each choice those of the options that `open` returns.
fn walk<'a>(
    level: &'a [Dimension],
    path: &str,
    open: &mut dyn FnMut(&str, &'a [Choice]) -> Vec<&'a Choice>,
    visit: &mut dyn FnMut(String, &'a Dimension),
) {
    for dimension in level {
        let key = join(path, &dimension.name);
        visit(key.clone(), dimension);
        if let Domain::Choice { options } = &dimension.domain {
            for option in open(&key, options) {
                walk(&option.dimensions, &join(path, &option.label()), open, visit);
            }
        }
    }
}

fn taken<'a>(params: &Params, key: &str, options: &'a [Choice]) -> Vec<&'a Choice> {
    let value = params.get(key);
    options.iter().find(|option| value == Some(&option.value)).into_iter().collect()
}

fn sample_level(level: &[Dimension], path: &str, rng: &mut ChaCha8Rng, params: &mut Params) {
    for dimension in level {
        let value = dimension.domain.decode(rng.random::<f64>());
        if let Domain::Choice { options } = &dimension.domain
            && let Some(option) = options.iter().find(|option| option.value == value)
        {
            sample_level(&option.dimensions, &join(path, &option.label()), rng, params);
        }
        params.insert(join(path, &dimension.name), value);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;

    use super::*;

    fn zoo() -> Space {
        let kernel = Dimension::choice(
            "kernel",
            vec![Choice::leaf("linear"), Choice::with("rbf", vec![Dimension::float("gamma", 1e-3, 1e1).log()])],
        );
        let svm = vec![Dimension::float("c", 1e-3, 1e3).log(), kernel];
        let knn = vec![Dimension::int("k", 1, 30).log()];
        let options = vec![Choice::leaf("dummy"), Choice::with("knn", knn), Choice::with("svm", svm)];
        Space::new(vec![Dimension::float("share", 0.0, 1.0), Dimension::choice("algorithm", options)])
    }

    fn refused(dimensions: Vec<Dimension>) -> String {
        Space::new(dimensions).check().expect_err("should be refused").to_string()
    }

    #[test]
    fn keys_are_paths_of_labels() {
        let space = zoo();
        space.check().expect("sound");
        let keys: Vec<String> = space.all().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["share", "algorithm", "knn.k", "svm.c", "svm.kernel", "svm.rbf.gamma"]);
        let rbf = Params::new()
            .with("share", 0.5)
            .with("algorithm", "svm")
            .with("svm.c", 1.0)
            .with("svm.kernel", "rbf")
            .with("svm.rbf.gamma", 0.1);
        space.contains(&rbf).expect("a point of the space");
        let keys: Vec<String> = space.active(&rbf).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["share", "algorithm", "svm.c", "svm.kernel", "svm.rbf.gamma"]);
    }

    #[test]
    fn a_point_outside_says_which_key() {
        let space = zoo();
        let knn = Params::new().with("share", 0.5).with("algorithm", "knn").with("knn.k", 5_i64);
        space.contains(&knn).expect("inside");
        for (params, message) in [
            (knn.clone().with("knn.k", 31_i64), "parameter `knn.k`: 31 is not an integer from 1 to 30"),
            (knn.clone().with("algorithm", "tree"), "parameter `algorithm`: tree is not one of dummy, knn, svm"),
            (knn.clone().with("algorithm", "svm"), "parameter `svm.c`: is missing"),
            (knn.clone().with("svm.c", 1.0), "parameter `svm.c`: does not exist here in the search space"),
            (knn.with("share", f64::NAN), "parameter `share`: NaN is not a real number from 0 to 1"),
        ] {
            assert_eq!(space.contains(&params).expect_err("outside").to_string(), message);
        }
    }

    #[test]
    fn refuses_what_makes_no_sense() {
        let x = || Dimension::float("x", 0.0, 1.0);
        assert_eq!(refused(vec![x(), x()]), "dimension `x`: there are two of this key");
        assert_eq!(refused(vec![x().log()]), "dimension `x`: low 0 of a log scale is not above 0");
        assert_eq!(refused(vec![Dimension::int("k", 2, 1)]), "dimension `k`: low 2 is above high 1");
        assert_eq!(refused(vec![Dimension::choice("c", vec![])]), "dimension `c`: the choice has no options");
        assert_eq!(refused(vec![Dimension::float("x", 0.0, f64::INFINITY)]), "dimension `x`: bound inf is not finite");
        let twice = vec![Choice::leaf("a"), Choice::leaf("a")];
        assert_eq!(refused(vec![Dimension::choice("c", twice)]), "dimension `c`: option `a` is there twice");
        // Two choices whose options of the same label hold dimensions of the same name share a key.
        let with = |name: &str| Dimension::choice(name, vec![Choice::with("on", vec![x()])]);
        assert_eq!(refused(vec![with("a"), with("b")]), "dimension `on.x`: there are two of this key");
    }

    proptest! {
        #[test]
        fn samples_are_inside_and_survive_json(seed in any::<u64>()) {
            let space = zoo();
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let (one, two) = (space.sample(&mut rng), space.sample(&mut rng));
            prop_assert!(space.contains(&one).is_ok());
            prop_assert_eq!(one == two, space.hash_key(&one) == space.hash_key(&two));
            let text = serde_json::to_string(&one).expect("serialises");
            prop_assert_eq!(serde_json::from_str::<Params>(&text).expect("parses"), one);
        }
    }

    #[test]
    fn options_are_equally_likely() {
        let space = zoo();
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let draws = 30_000;
        let knn = (0..draws).filter(|_| space.sample(&mut rng).text("algorithm").is_ok_and(|a| a == "knn")).count();
        // Five standard deviations of a binomial with p = 1/3.
        let (mean, spread) = (f64::from(draws) / 3.0, (f64::from(draws) * 2.0 / 9.0).sqrt());
        assert!((knn as f64 - mean).abs() < 5.0 * spread, "{knn} of {draws}");
    }
}
