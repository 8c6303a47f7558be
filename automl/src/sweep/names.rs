//! What parameters are called outside: a search's own keys are paths of a tree, people and scripts have names.

use std::collections::BTreeMap;

use hyperdrive::{Params, Value};
use serde_json::{Map, Value as Json};

/// The names of a space's dimensions, by their keys in [`Params`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Names(BTreeMap<String, Name>);

/// What one dimension is called.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Name {
    /// Its name, below those of the choices of groups that it is a part of.
    pub(super) path: Vec<String>,
    /// Options that the search knows by a stand-in, by that stand-in.
    pub(super) stand_ins: BTreeMap<String, Json>,
    /// Whether it only chooses a group of others, and has no value itself.
    pub(super) is_group: bool,
}

impl Names {
    pub(super) fn insert(&mut self, key: String, name: Name) {
        self.0.insert(key, name);
    }

    /// The parameters under their given names, each value of the type it was given in; a group is an object.
    pub fn outside(&self, params: &Params) -> Map<String, Json> {
        let mut all = Map::new();
        for (key, value) in params.iter() {
            let Some(name) = self.0.get(key) else { continue };
            let value = match value {
                _ if name.is_group => Json::Object(Map::new()),
                value => name.stand_ins.get(&value.label()).cloned().unwrap_or_else(|| plain(value)),
            };
            put(&mut all, &name.path, value);
        }
        all
    }

    /// The same as one line for people: `lr=0.01, model.depth=3`.
    pub fn in_words(&self, params: &Params) -> String {
        let words = |(key, value): (&str, &Value)| {
            let name = self.0.get(key).filter(|name| !name.is_group)?;
            let value = name.stand_ins.get(&value.label()).map_or_else(|| value.to_string(), text);
            Some((name.path.join("."), value))
        };
        let mut all: Vec<(String, String)> = params.iter().filter_map(words).collect();
        all.sort();
        all.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ")
    }

    /// The name of the dimension with this key.
    pub(super) fn of(&self, key: &str) -> Option<String> {
        self.0.get(key).map(|name| name.path.join("."))
    }

    /// Every name, groups included, each below those of the groups around it.
    pub fn paths(&self) -> impl Iterator<Item = &[String]> {
        self.0.values().map(|name| name.path.as_slice())
    }
}

/// A value as text for a command line: text without quotes, anything else as JSON.
pub(super) fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The search's own value of an option, where it has one: text, whole numbers, other finite numbers, yes and no.
pub(super) fn native(value: &Json) -> Option<Value> {
    match value {
        Json::Bool(yes) => Some(Value::Bool(*yes)),
        Json::String(text) => Some(Value::Text(text.clone())),
        Json::Number(number) => match number.as_i64() {
            Some(k) => Some(Value::Int(k)),
            None => number.as_f64().filter(|x| x.is_finite()).map(Value::Float),
        },
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

fn plain(value: &Value) -> Json {
    match value {
        Value::Float(x) => Json::from(*x),
        Value::Int(k) => Json::from(*k),
        Value::Text(text) => Json::from(text.as_str()),
        Value::Bool(yes) => Json::from(*yes),
    }
}

/// Sets what lies at `path`; a group that is there already keeps what it holds.
fn put(all: &mut Map<String, Json>, path: &[String], value: Json) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        match (all.get_mut(first), value) {
            (Some(Json::Object(_)), Json::Object(new)) if new.is_empty() => {}
            (_, value) => {
                all.insert(first.clone(), value);
            }
        }
        return;
    }
    let inner = all.entry(first.clone()).or_insert_with(|| Json::Object(Map::new()));
    if let Json::Object(inner) = inner {
        put(inner, rest, value);
    }
}
