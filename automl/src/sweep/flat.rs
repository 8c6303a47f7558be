//! Flat spaces: a list of parameters, each with its range and the condition under which it exists.

use std::collections::{BTreeMap, BTreeSet};

use hyperdrive::{Choice, Dimension, Domain, Params, Scale, Space, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::names::{Name, Names, native};

/// One parameter of a flat space.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its name, as it stands in the parameters of a trial; not empty.
    pub name: String,
    /// What it can be.
    pub kind: Kind,
    /// The least value of a `float` or `int`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lo: Option<f64>,
    /// The greatest value of a `float` or `int`, included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hi: Option<f64>,
    /// Whether equal ratios are equally likely, rather than equal differences. Default no.
    #[serde(default)]
    pub log: bool,
    /// The values of a `cat`, of any JSON type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choices: Option<Vec<Json>>,
    /// `[parent, value]`: it exists only where the `cat` called parent has that value.
    #[serde(default)]
    pub cond: Option<(String, Json)>,
}

/// What a parameter can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A real number.
    Float,
    /// A whole number.
    Int,
    /// One of several values without an order.
    Cat,
}

/// A flat space as a search sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Flat {
    /// The tree.
    pub space: Space,
    /// What its dimensions were called.
    pub names: Names,
    /// By name: the key in the tree, the parameter, and what the search calls its options.
    known: BTreeMap<String, (String, Parameter, Vec<Value>)>,
}

impl Flat {
    /// The tree of a list of parameters, in their order. What is refused is named: empty and doubled names, ranges that
    /// are missing, empty or not finite, the logarithm of what is not above 0, choices that are none or there twice,
    /// conditions on what does not exist, cannot be chosen or depends on itself.
    pub fn new(parameters: &[Parameter]) -> Result<Self, String> {
        if parameters.is_empty() {
            return Err("the space has no parameters: name at least one to search".into());
        }
        let mut seen = BTreeSet::new();
        for parameter in parameters {
            if parameter.name.is_empty() {
                return Err("a parameter has no name: give each a `name`".into());
            }
            if !seen.insert(parameter.name.as_str()) {
                return Err(format!("parameter `{}` is there twice: names must differ", parameter.name));
            }
        }
        let by_name: BTreeMap<&str, &Parameter> = parameters.iter().map(|p| (p.name.as_str(), p)).collect();
        for parameter in parameters {
            check_condition(parameter, &by_name)?;
        }
        let mut tree = Tree {
            parameters,
            unpointed: unique(parameters.iter().map(|p| p.name.replace('.', "_"))),
            names: Names::default(),
            known: BTreeMap::new(),
        };
        let dimensions = tree.level(None, "")?;
        let Tree { names, known, .. } = tree;
        let space = Space::new(dimensions);
        space.check().map_err(|error| error.to_string())?;
        Ok(Self { space, names, known })
    }

    /// The parameters of a trial under their given names.
    pub fn outside(&self, params: &Params) -> Map<String, Json> {
        self.names.outside(params)
    }

    /// A point given under the names of the list. The error names the parameter.
    pub fn inside(&self, given: &Map<String, Json>) -> Result<Params, String> {
        let mut params = Params::new();
        for (name, value) in given {
            let (key, parameter, options) =
                self.known.get(name).ok_or_else(|| format!("parameter `{name}` is not in the space"))?;
            let bad = || format!("parameter `{name}`: {value} is none of its values");
            let value = match parameter.kind {
                Kind::Float => Value::Float(value.as_f64().ok_or_else(bad)?),
                Kind::Int => Value::Int(value.as_i64().or_else(|| whole(value.as_f64()?)).ok_or_else(bad)?),
                Kind::Cat => {
                    let choices = parameter.choices.as_deref().unwrap_or_default();
                    let at = choices.iter().position(|choice| same(choice, value)).ok_or_else(bad)?;
                    options[at].clone()
                }
            };
            params.insert(key.clone(), value);
        }
        self.space.contains(&params).map_err(|error| error.to_string())?;
        Ok(params)
    }
}

struct Tree<'a> {
    parameters: &'a [Parameter],
    /// Names without points, by place in the list.
    unpointed: Vec<String>,
    names: Names,
    known: BTreeMap<String, (String, Parameter, Vec<Value>)>,
}

impl Tree<'_> {
    /// The dimensions that exist under a condition, in the order of the list.
    fn level(&mut self, condition: Option<(&str, &Json)>, path: &str) -> Result<Vec<Dimension>, String> {
        let mut level = Vec::new();
        for (i, parameter) in self.parameters.iter().enumerate() {
            let here = match (&parameter.cond, condition) {
                (None, None) => true,
                (Some((parent, value)), Some((name, taken))) => parent == name && same(value, taken),
                (None, Some(_)) | (Some(_), None) => false,
            };
            if !here {
                continue;
            }
            let key = join(path, &self.unpointed[i]);
            let mut name = Name { path: vec![parameter.name.clone()], ..Name::default() };
            let mut options = Vec::new();
            let domain = match parameter.kind {
                Kind::Cat => self.choice(parameter, path, &mut name, &mut options)?,
                Kind::Float | Kind::Int => range(parameter)?,
            };
            self.names.insert(key.clone(), name);
            self.known.insert(parameter.name.clone(), (key, parameter.clone(), options));
            level.push(Dimension::new(self.unpointed[i].clone(), domain));
        }
        Ok(level)
    }

    fn choice(
        &mut self,
        parameter: &Parameter,
        path: &str,
        name: &mut Name,
        values: &mut Vec<Value>,
    ) -> Result<Domain, String> {
        let bad = |reason: &str| format!("parameter `{}`: {reason}", parameter.name);
        if parameter.lo.is_some() || parameter.hi.is_some() || parameter.log {
            return Err(bad("a cat has `choices`, and neither `lo` and `hi` nor `log`"));
        }
        let choices = parameter.choices.as_deref().unwrap_or_default();
        if choices.is_empty() {
            return Err(bad("it has no choices: list at least one in `choices`"));
        }
        *values = option_values(choices, name).map_err(|reason| bad(&reason))?;
        let mut options = Vec::new();
        for (choice, value) in choices.iter().zip(values.iter_mut()) {
            let below = self.parameters.iter().any(|p| {
                p.cond.as_ref().is_some_and(|(parent, taken)| *parent == parameter.name && same(taken, choice))
            });
            if below && value.label().contains('.') {
                *value = stand_in(options.len(), choice, name);
            }
            let dimensions = self.level(Some((&parameter.name, choice)), &join(path, &value.label()))?;
            options.push(Choice::with(value.clone(), dimensions));
        }
        Ok(Domain::Choice { options })
    }
}

/// What the search calls the options: their own values where those can be told apart by their text, else stand-ins.
pub(super) fn option_values(choices: &[Json], name: &mut Name) -> Result<Vec<Value>, String> {
    let mut labels = BTreeSet::new();
    let mut values: Vec<Value> = Vec::new();
    for (i, choice) in choices.iter().enumerate() {
        if choices[..i].contains(choice) {
            return Err(format!("choice {choice} is there twice"));
        }
        let own = native(choice).filter(|value| !value.label().is_empty() && !labels.contains(&value.label()));
        let value = own.unwrap_or_else(|| stand_in(i, choice, name));
        labels.insert(value.label());
        values.push(value);
    }
    Ok(values)
}

fn stand_in(i: usize, choice: &Json, name: &mut Name) -> Value {
    let label = format!("option {i}");
    name.stand_ins.insert(label.clone(), choice.clone());
    Value::Text(label)
}

fn range(parameter: &Parameter) -> Result<Domain, String> {
    let bad = |reason: String| format!("parameter `{}`: {reason}", parameter.name);
    if parameter.choices.is_some() {
        return Err(bad("`choices` are for a cat; a number has `lo` and `hi`".into()));
    }
    let bound = |value: Option<f64>, which: &str| {
        let value = value.ok_or_else(|| bad(format!("it has no `{which}`")))?;
        if value.is_finite() { Ok(value) } else { Err(bad(format!("`{which}` is {value}, not finite"))) }
    };
    let (low, high) = (bound(parameter.lo, "lo")?, bound(parameter.hi, "hi")?);
    if low > high {
        return Err(bad(format!("`lo` {low} is above `hi` {high}: nothing lies between")));
    }
    if parameter.log && low <= 0.0 {
        return Err(bad(format!("`lo` {low} of a log range is not above 0")));
    }
    let scale = if parameter.log { Scale::Log } else { Scale::Linear };
    match parameter.kind {
        Kind::Int => {
            let int =
                |x: f64, which| whole(x).ok_or_else(|| bad(format!("`{which}` {x} of an int is no whole number")));
            Ok(Domain::Int { low: int(low, "lo")?, high: int(high, "hi")?, scale })
        }
        Kind::Float | Kind::Cat => Ok(Domain::Float { low, high, scale, step: None }),
    }
}

/// Follows a parameter's conditions to the root: each parent is there, can be chosen so, and does not come again.
fn check_condition(parameter: &Parameter, all: &BTreeMap<&str, &Parameter>) -> Result<(), String> {
    let mut passed = vec![parameter.name.as_str()];
    let mut at = parameter;
    while let Some((parent, value)) = &at.cond {
        let bad = |reason: String| Err(format!("parameter `{}`: {reason}", at.name));
        let Some(above) = all.get(parent.as_str()) else {
            return bad(format!("its condition names `{parent}`, which is not in the space"));
        };
        if passed.contains(&parent.as_str()) {
            passed.push(parent);
            return bad(format!("its condition depends on itself: {}", passed.join(" ← ")));
        }
        if above.kind != Kind::Cat {
            return bad(format!("its condition names `{parent}`, which is no cat: only a choice can open others"));
        }
        let choices = above.choices.as_deref().unwrap_or_default();
        if !choices.iter().any(|choice| same(choice, value)) {
            let listed: Vec<String> = choices.iter().map(ToString::to_string).collect();
            return bad(format!("`{parent}` is never {value}: it is one of {}", listed.join(", ")));
        }
        passed.push(parent);
        at = above;
    }
    Ok(())
}

/// The same value, a whole number being the same however it is written.
fn same(a: &Json, b: &Json) -> bool {
    a == b || a.as_f64().is_some_and(|x| b.as_f64() == Some(x))
}

fn whole(x: f64) -> Option<i64> {
    // Beyond 2^53 a double cannot tell neighbours apart.
    (x.fract() == 0.0 && x.abs() <= 9_007_199_254_740_992.0).then_some(x as i64)
}

pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The same names, those that are there already with a number behind them.
pub(super) fn unique(names: impl Iterator<Item = String>) -> Vec<String> {
    let names: Vec<String> = names.collect();
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut made = Vec::new();
    for (i, name) in names.iter().enumerate() {
        let is_free = |text: &String| !taken.contains(text) && !names[i + 1..].contains(text);
        let plain = Some(name.clone()).filter(|name| !taken.contains(name));
        let free = plain.or_else(|| (2..=names.len() + 1).map(|n| format!("{name}_{n}")).find(is_free));
        let free = free.unwrap_or_else(|| name.clone());
        taken.insert(free.clone());
        made.push(free);
    }
    made
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn parsed(space: Json) -> Result<Flat, String> {
        let parameters: Vec<Parameter> = serde_json::from_value(space).map_err(|error| error.to_string())?;
        Flat::new(&parameters)
    }

    /// The tree of the harness's `cond13`, cut short, with names and values that need care.
    fn awkward() -> Flat {
        parsed(json!([
            {"name": "model", "kind": "cat", "choices": ["svm", "rf.v2", 1, 1.5, null, ""], "cond": null},
            {"name": "svm.c", "kind": "float", "lo": 1e-3, "hi": 1e3, "log": true, "cond": ["model", "svm"]},
            {"name": "svm_c", "kind": "int", "lo": 2, "hi": 6, "log": false, "cond": ["model", "svm"]},
            {"name": "kernel", "kind": "cat", "choices": ["rbf", "linear"], "cond": ["model", "svm"]},
            {"name": "gamma", "kind": "float", "lo": 0, "hi": 1, "cond": ["kernel", "rbf"]},
            {"name": "depth", "kind": "int", "lo": 1, "hi": 64, "log": true, "cond": ["model", "rf.v2"]},
            {"name": "share", "kind": "float", "lo": 0, "hi": 1, "cond": ["model", 1.5]},
            {"name": "flag", "kind": "cat", "choices": [true, false, [1, 2], {"a": 1}]},
        ]))
        .expect("a sound space")
    }

    proptest! {
        /// What is drawn leaves under the given names with the given types, exists where its condition holds and nowhere
        /// else, and comes back as what it was.
        #[test]
        fn points_go_out_and_come_back(seed in any::<u64>()) {
            let flat = awkward();
            let params = flat.space.sample(&mut hyperdrive::keyed_rng(seed, 0, ""));
            let out = flat.outside(&params);
            prop_assert_eq!(flat.inside(&out), Ok(params));
            let is = |name: &str, value: Json| out.get(name) == Some(&value);
            prop_assert_eq!(out.contains_key("svm.c"), is("model", json!("svm")));
            prop_assert_eq!(out.contains_key("gamma"), is("kernel", json!("rbf")));
            prop_assert_eq!(out.contains_key("depth"), is("model", json!("rf.v2")));
            prop_assert_eq!(out.contains_key("share"), is("model", json!(1.5)));
            prop_assert!(out.get("depth").is_none_or(Json::is_i64));
            prop_assert!(out.get("gamma").is_none_or(Json::is_f64));
            let choices = [json!(true), json!(false), json!([1, 2]), json!({"a": 1})];
            prop_assert!(choices.contains(&out["flag"]));
        }
    }

    #[test]
    fn a_given_point_outside_the_space_is_named() {
        let flat = awkward();
        let inside = |given: Json| flat.inside(given.as_object().expect("an object")).map(|_| ());
        inside(json!({"model": 1, "flag": false})).expect("a point");
        for (given, word) in [
            (json!({"model": 1, "flag": 0}), "`flag`: 0 is none of its values"),
            (json!({"model": 1}), "missing"),
            (json!({"model": 1, "flag": true, "x": 1}), "`x` is not in the space"),
            (json!({"model": "rf.v2", "flag": true, "depth": 65}), "65"),
            (json!({"model": "rf.v2", "flag": true, "depth": 1.5}), "`depth`: 1.5 is none"),
        ] {
            let error = inside(given.clone()).expect_err("outside");
            assert!(error.contains(word), "{given}: {error}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let x = json!({"name": "x", "kind": "float", "lo": 0, "hi": 1});
        let with = |name: &str, value: Json| {
            let mut x = x.clone();
            x[name] = value;
            x
        };
        let cat = |name: &str, cond: Json| json!({"name": name, "kind": "cat", "choices": ["a", "b"], "cond": cond});
        for (space, word) in [
            (json!([]), "no parameters"),
            (json!([x, x]), "`x` is there twice"),
            (json!([with("name", json!(""))]), "has no name"),
            (json!([with("lo", json!(2))]), "`x`: `lo` 2 is above `hi` 1"),
            (json!([with("lo", json!(null))]), "`x`: it has no `lo`"),
            (json!([with("log", json!(true))]), "`x`: `lo` 0 of a log range is not above 0"),
            (json!([with("kind", json!("real"))]), "unknown variant `real`"),
            (json!([with("low", json!(1))]), "unknown field `low`"),
            (json!([with("choices", json!([1]))]), "`choices` are for a cat"),
            (json!([{"name": "k", "kind": "int", "lo": 0.5, "hi": 2}]), "`lo` 0.5 of an int"),
            (json!([{"name": "c", "kind": "cat", "choices": []}]), "`c`: it has no choices"),
            (json!([{"name": "c", "kind": "cat"}]), "`c`: it has no choices"),
            (json!([{"name": "c", "kind": "cat", "choices": ["a", "a"]}]), "`c`: choice \"a\" is there twice"),
            (json!([{"name": "c", "kind": "cat", "choices": ["a"], "lo": 1}]), "neither `lo` and `hi` nor `log`"),
            (json!([with("cond", json!(["y", 1]))]), "names `y`, which is not in the space"),
            (json!([x, cat("c", json!(["x", 1]))]), "`c`: its condition names `x`, which is no cat"),
            (json!([cat("c", json!(null)), with("cond", json!(["c", "z"]))]), "`c` is never \"z\": it is one of"),
            (json!([cat("c", json!(["c", "a"]))]), "depends on itself: c ← c"),
            (json!([cat("c", json!(["d", "a"])), cat("d", json!(["c", "a"]))]), "depends on itself: c ← d ← c"),
        ] {
            let error = parsed(space.clone()).expect_err("no space");
            assert!(error.contains(word), "{space}: {error}");
        }
    }
}
