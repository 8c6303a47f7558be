//! Parameters of one trial: a flat, ordered map from key to value.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::StudyError;

/// The value of one parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// A finite real number.
    Float(f64),
    /// An integer.
    Int(i64),
    /// Text, such as the label of an option.
    Text(String),
    /// Yes or no.
    Bool(bool),
}

impl Value {
    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Float(_) => "a real number",
            Self::Int(_) => "an integer",
            Self::Text(_) => "text",
            Self::Bool(_) => "a truth value",
        }
    }

    /// The value as text from which it can be read again: what an option is called.
    pub fn label(&self) -> String {
        match self {
            Self::Float(x) => x.to_string(),
            Self::Int(k) => k.to_string(),
            Self::Text(text) => text.clone(),
            Self::Bool(yes) => yes.to_string(),
        }
    }
}

impl fmt::Display for Value {
    /// For people: four significant digits; the exact number is in the journal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Float(x) => f.write_str(&four_digits(*x)),
            Self::Int(k) => write!(f, "{k}"),
            Self::Text(text) => f.write_str(text),
            Self::Bool(yes) => write!(f, "{yes}"),
        }
    }
}

fn four_digits(x: f64) -> String {
    let magnitude = x.abs();
    if x == 0.0 {
        return "0".to_owned();
    }
    if !x.is_finite() {
        return x.to_string();
    }
    if !(1e-4..1e6).contains(&magnitude) {
        let text = format!("{x:.3e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{exponent}", trim_zeros(mantissa));
    }
    let decimals = (3 - magnitude.log10().floor() as i32).max(0) as usize;
    trim_zeros(&format!("{x:.decimals$}")).to_owned()
}

fn trim_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

impl From<f64> for Value {
    fn from(x: f64) -> Self {
        Self::Float(x)
    }
}

impl From<i64> for Value {
    fn from(k: i64) -> Self {
        Self::Int(k)
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Bool(yes)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// Parameters of one trial, flat: a dimension inside the option `knn` of a choice is keyed `knn.k`.
///
/// The key is the path of option labels down the tree, then the name of the dimension, joined by `.`. A clone shares
/// the map until one of the two is changed: a trial's point is in the journal, the history and every view of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params(Arc<BTreeMap<String, Value>>);

impl Params {
    /// No parameters.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with `key` set to `value`.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.insert(key, value);
        self
    }

    /// Sets `key`; returns what it was.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        Arc::make_mut(&mut self.0).insert(key.into(), value.into())
    }

    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// The real number under `key`; an integer is taken as one.
    pub fn float(&self, key: &str) -> Result<f64, StudyError> {
        match self.expect(key)? {
            Value::Float(x) => Ok(*x),
            Value::Int(k) => Ok(*k as f64),
            other @ (Value::Text(_) | Value::Bool(_)) => Err(wrong(key, other, "a real number")),
        }
    }

    /// The integer under `key`.
    pub fn int(&self, key: &str) -> Result<i64, StudyError> {
        match self.expect(key)? {
            Value::Int(k) => Ok(*k),
            other => Err(wrong(key, other, "an integer")),
        }
    }

    /// The text under `key`: the label of an option.
    pub fn text(&self, key: &str) -> Result<&str, StudyError> {
        match self.expect(key)? {
            Value::Text(text) => Ok(text),
            other => Err(wrong(key, other, "text")),
        }
    }

    /// The truth value under `key`.
    pub fn bool(&self, key: &str) -> Result<bool, StudyError> {
        match self.expect(key)? {
            Value::Bool(yes) => Ok(*yes),
            other => Err(wrong(key, other, "a truth value")),
        }
    }

    /// All of them, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those below `prefix`, without it: `under("knn")` of `knn.k=5, algorithm=knn` is `k=5`.
    #[must_use]
    pub fn under(&self, prefix: &str) -> Self {
        let start = format!("{prefix}.");
        let below = self.0.range(start.clone()..).take_while(|(key, _)| key.starts_with(&start));
        below.map(|(key, value)| (key[start.len()..].to_owned(), value.clone())).collect()
    }

    /// The same with `prefix.` before every key: the inverse of [`Params::under`].
    #[must_use]
    pub fn prefixed(&self, prefix: &str) -> Self {
        self.0.iter().map(|(key, value)| (format!("{prefix}.{key}"), value.clone())).collect()
    }

    fn expect(&self, key: &str) -> Result<&Value, StudyError> {
        self.get(key).ok_or_else(|| StudyError::Params { key: key.to_owned(), reason: "is missing".to_owned() })
    }
}

fn wrong(key: &str, value: &Value, wanted: &str) -> StudyError {
    StudyError::Params { key: key.to_owned(), reason: format!("{value} is {}, not {wanted}", value.kind()) }
}

impl Serialize for Params {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        BTreeMap::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Params {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Arc::new(BTreeMap::deserialize(deserializer)?)))
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (key, value)) in self.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{key}={value}")?;
        }
        Ok(())
    }
}

impl FromIterator<(String, Value)> for Params {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(pairs: I) -> Self {
        Self(Arc::new(pairs.into_iter().collect()))
    }
}

impl Extend<(String, Value)> for Params {
    fn extend<I: IntoIterator<Item = (String, Value)>>(&mut self, pairs: I) {
        Arc::make_mut(&mut self.0).extend(pairs);
    }
}

impl IntoIterator for Params {
    type Item = (String, Value);
    type IntoIter = std::collections::btree_map::IntoIter<String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        Arc::unwrap_or_clone(self.0).into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_for_people() {
        let params = Params::new().with("k", 5_i64).with("weights", "distance").with("alpha", 0.012_345_678);
        assert_eq!(params.to_string(), "alpha=0.01235, k=5, weights=distance");
        let cases = [
            (0.0, "0"),
            (1.0, "1"),
            (-2.5, "-2.5"),
            (1234.56, "1235"),
            (999_999.0, "999999"),
            (1e-7, "1e-7"),
            (12_345_678.0, "1.235e7"),
        ];
        for (x, text) in cases {
            assert_eq!(Value::Float(x).to_string(), text);
        }
    }

    #[test]
    fn typed_access_names_the_key_and_the_value() {
        let params = Params::new().with("k", 5_i64).with("weights", "distance");
        assert_eq!(params.float("k").expect("an integer is a number"), 5.0);
        assert_eq!(params.text("weights").expect("is text"), "distance");
        assert_eq!(
            params.int("weights").expect_err("is text").to_string(),
            "parameter `weights`: distance is text, not an integer"
        );
        assert_eq!(params.float("c").expect_err("absent").to_string(), "parameter `c`: is missing");
    }

    #[test]
    fn under_and_prefixed_are_inverses() {
        let inner = Params::new().with("k", 5_i64).with("metric.p", 2.0);
        let all = inner.prefixed("knn").with("algorithm", "knn").with("knnx.k", 1_i64).with("knn", "odd");
        assert_eq!(all.under("knn"), inner);
        assert!(all.under("tree").is_empty());
    }
}
