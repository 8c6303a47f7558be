//! Azure's search space: names with distributions, whose choices may hold spaces of their own.

use hyperdrive::{Choice, Dimension, Domain, Scale, Space, Value};
use serde_json::{Map, Value as Json};

use super::flat::{join, option_values, unique};
use super::names::{Name, Names};

/// The tree of a `search_space`, and what its dimensions are called. The error names the parameter.
pub(super) fn search_space(given: &Map<String, Json>) -> Result<(Space, Names), String> {
    if given.is_empty() {
        return Err("search_space: it has no parameters: name at least one to search".into());
    }
    let mut names = Names::default();
    let dimensions = level(given, &[], "", &mut names)?;
    let space = Space::new(dimensions);
    space.check().map_err(|error| format!("search_space: {error}"))?;
    Ok((space, names))
}

/// One level of parameters: `above` are the names of the groups around it, `path` its place in the tree.
fn level(given: &Map<String, Json>, above: &[String], path: &str, names: &mut Names) -> Result<Vec<Dimension>, String> {
    let tree_names = unique(given.keys().map(|name| name.replace('.', "_")));
    let mut dimensions = Vec::new();
    for ((name, distribution), tree_name) in given.iter().zip(tree_names) {
        let full: Vec<String> = above.iter().chain([name]).cloned().collect();
        let said = full.join(".");
        if name.is_empty() {
            return Err(format!("search_space: a parameter of `{}` has no name", above.join(".")));
        }
        let mut own = Name { path: full, ..Name::default() };
        let domain = match distribution {
            Json::Object(fields) => domain(&said, fields, &mut own, path, &tree_name, names)?,
            constant if above.is_empty() => {
                return Err(format!(
                    "search_space.{said}: {constant} is no distribution: write `type: choice`, `uniform` …"
                ));
            }
            constant => Domain::Fixed { value: constant_value(constant, &said, &mut own)? },
        };
        names.insert(join(path, &tree_name), own);
        dimensions.push(Dimension::new(tree_name, domain));
    }
    Ok(dimensions)
}

fn constant_value(constant: &Json, said: &str, own: &mut Name) -> Result<Value, String> {
    option_values(std::slice::from_ref(constant), own)
        .map_err(|reason| format!("search_space.{said}: {reason}"))?
        .pop()
        .ok_or_else(|| format!("search_space.{said}: it has no value"))
}

/// The fields of a distribution, taken out one by one: what is left over is refused.
struct Fields<'a> {
    said: &'a str,
    kind: &'a str,
    left: Map<String, Json>,
}

impl Fields<'_> {
    fn bad(&self, reason: &str) -> String {
        format!("search_space.{}: {} {reason}", self.said, self.kind)
    }

    fn number(&mut self, name: &str) -> Result<f64, String> {
        let value = self.left.remove(name).ok_or_else(|| self.bad(&format!("has no `{name}`")))?;
        let number = value.as_f64().filter(|x| x.is_finite());
        number.ok_or_else(|| self.bad(&format!("has `{name}` {value}, which is no finite number")))
    }

    fn above_zero(&mut self, name: &str) -> Result<f64, String> {
        let x = self.number(name)?;
        if x > 0.0 { Ok(x) } else { Err(self.bad(&format!("has `{name}` {x}, which is not above 0"))) }
    }

    /// `min_value` and `max_value`, in their order; of the log family they are exponents of e.
    fn range(&mut self, log: bool) -> Result<(f64, f64), String> {
        let (low, high) = (self.number("min_value")?, self.number("max_value")?);
        if low > high {
            return Err(self.bad(&format!("has `min_value` {low} above `max_value` {high}: nothing lies between")));
        }
        if !log {
            return Ok((low, high));
        }
        let (least, most) = (low.exp(), high.exp());
        if least > 0.0 && most.is_finite() {
            return Ok((least, most));
        }
        let reason = format!(
            "goes from e^{low} to e^{high}, beyond what numbers hold: `min_value` and `max_value` are exponents"
        );
        Err(self.bad(&reason))
    }

    fn done(self) -> Result<(), String> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(name) => Err(self.bad(&format!("has no field `{name}`"))),
        }
    }
}

fn domain(
    said: &str,
    given: &Map<String, Json>,
    own: &mut Name,
    path: &str,
    tree_name: &str,
    names: &mut Names,
) -> Result<Domain, String> {
    const KINDS: &str =
        "choice, randint, uniform, loguniform, quniform, qloguniform, normal, lognormal, qnormal, qlognormal";
    let mut left = given.clone();
    let kind = match left.remove("type") {
        Some(Json::String(kind)) => kind,
        Some(other) => return Err(format!("search_space.{said}: its type {other} is none of {KINDS}")),
        None => return Err(format!("search_space.{said}: it has no `type`: one of {KINDS}")),
    };
    let mut fields = Fields { said, kind: &kind, left };
    let is_log = kind.contains("log");
    let scale = if is_log { Scale::Log } else { Scale::Linear };
    let domain = match kind.as_str() {
        "choice" => {
            let values = fields.left.remove("values").ok_or_else(|| fields.bad("has no `values`"))?;
            let Json::Array(values) = values else {
                return Err(fields.bad(&format!("has `values` {values}, which is no list")));
            };
            choice(said, &values, own, path, tree_name, names)?
        }
        "randint" => {
            let upper = fields.left.remove("upper").ok_or_else(|| fields.bad("has no `upper`"))?;
            let Some(upper) = upper.as_i64().filter(|upper| *upper >= 1) else {
                return Err(fields.bad(&format!(
                    "has `upper` {upper}, which is no whole number of at least 1: it draws from 0 to upper − 1"
                )));
            };
            Domain::Int { low: 0, high: upper - 1, scale: Scale::Linear }
        }
        "uniform" | "loguniform" => {
            let (low, high) = fields.range(is_log)?;
            Domain::Float { low, high, scale, step: None }
        }
        "quniform" | "qloguniform" => {
            let (low, high) = fields.range(is_log)?;
            Domain::Float { low, high, scale, step: Some(fields.above_zero("q")?) }
        }
        "normal" | "lognormal" => {
            let (mean, deviation) = (fields.number("mu")?, fields.above_zero("sigma")?);
            Domain::Normal { mean, deviation, scale, step: None }
        }
        "qnormal" | "qlognormal" => {
            let (mean, deviation) = (fields.number("mu")?, fields.above_zero("sigma")?);
            Domain::Normal { mean, deviation, scale, step: Some(fields.above_zero("q")?) }
        }
        other => return Err(format!("search_space.{said}: its type `{other}` is none of {KINDS}")),
    };
    fields.done()?;
    Ok(domain)
}

/// A choice of values, or of groups of parameters.
fn choice(
    said: &str,
    values: &[Json],
    own: &mut Name,
    path: &str,
    tree_name: &str,
    names: &mut Names,
) -> Result<Domain, String> {
    let bad = |reason: &str| format!("search_space.{said}: {reason}");
    if values.is_empty() {
        return Err(bad("the choice has no values: list at least one"));
    }
    let n_groups = values.iter().filter(|value| value.is_object()).count();
    if n_groups == 0 {
        let options = option_values(values, own).map_err(|reason| bad(&reason))?;
        return Ok(Domain::Choice { options: options.into_iter().map(Choice::leaf).collect() });
    }
    if n_groups < values.len() {
        return Err(bad("the choice mixes plain values and groups of parameters: all or none are groups"));
    }
    own.is_group = true;
    let mut options = Vec::new();
    for (i, value) in values.iter().enumerate() {
        let Json::Object(group) = value else { continue };
        let label = format!("{tree_name}:{i}");
        let dimensions = level(group, &own.path, &join(path, &label), names)?;
        options.push(Choice::with(label, dimensions));
    }
    Ok(Domain::Choice { options })
}

#[cfg(test)]
mod tests {
    use hyperdrive::keyed_rng;
    use serde_json::json;

    use super::*;

    fn read(given: &Json) -> (Space, Names) {
        search_space(given.as_object().expect("an object")).expect("sound")
    }

    #[test]
    fn distributions_mean_what_they_mean_in_azure() {
        let of = |given: Json| read(&json!({ "x": given })).0.dimensions.remove(0).domain;
        let float = |low, high, scale, step| Domain::Float { low, high, scale, step };
        let normal = |scale, step| Domain::Normal { mean: 1.0, deviation: 2.0, scale, step };
        let bounds = |kind: &str| json!({"type": kind, "min_value": -1, "max_value": 2});
        let q = |mut given: Json| {
            given["q"] = json!(0.5);
            given
        };
        let spread = |kind: &str| json!({"type": kind, "mu": 1, "sigma": 2});
        let (least, most) = ((-1.0_f64).exp(), 2.0_f64.exp());
        for (given, domain) in [
            (json!({"type": "randint", "upper": 5}), Domain::Int { low: 0, high: 4, scale: Scale::Linear }),
            (bounds("uniform"), float(-1.0, 2.0, Scale::Linear, None)),
            (bounds("loguniform"), float(least, most, Scale::Log, None)),
            (q(bounds("quniform")), float(-1.0, 2.0, Scale::Linear, Some(0.5))),
            (q(bounds("qloguniform")), float(least, most, Scale::Log, Some(0.5))),
            (spread("normal"), normal(Scale::Linear, None)),
            (spread("lognormal"), normal(Scale::Log, None)),
            (q(spread("qnormal")), normal(Scale::Linear, Some(0.5))),
            (q(spread("qlognormal")), normal(Scale::Log, Some(0.5))),
            (
                json!({"type": "choice", "values": ["a", 1, 0.5, true]}),
                Domain::Choice {
                    options: vec![Choice::leaf("a"), Choice::leaf(1_i64), Choice::leaf(0.5), Choice::leaf(true)],
                },
            ),
        ] {
            assert_eq!(of(given.clone()), domain, "{given}");
        }
    }

    /// Groups in groups, of like names: every point leaves as the mapping that was chosen, filled in.
    #[test]
    fn groups_to_any_depth() {
        let inner = json!({"type": "choice", "values": [{"k": 1}, {"k": 2, "p": {"type": "randint", "upper": 3}}]});
        let group = |extra: &str| json!({"type": "choice", "values": [{"sub": inner}, {"name": extra, "lr.x": 0.5}]});
        let (space, names) = read(
            &json!({"a": group("x"), "b": group("y"), "c.d": {"type": "uniform", "min_value": 0, "max_value": 1}}),
        );
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let params = space.sample(&mut keyed_rng(seed, 0, ""));
            let out = names.outside(&params);
            assert!(out["c.d"].is_f64() && out.len() == 3, "{out:?}");
            for (name, text) in [("a", "x"), ("b", "y")] {
                let chosen = &out[name];
                let sound = [
                    *chosen == json!({"sub": {"k": 1}}),
                    chosen["sub"]["k"] == 2 && chosen["sub"]["p"].as_i64().is_some_and(|p| (0..3).contains(&p)),
                    *chosen == json!({"name": text, "lr.x": 0.5}),
                ];
                let which = sound.iter().position(|is| *is).unwrap_or_else(|| panic!("{chosen}"));
                seen.insert((name, which));
            }
            let words = names.in_words(&params);
            assert!(words.contains("c.d=") && !words.contains("option"), "{words}");
        }
        assert_eq!(seen.len(), 6, "each of the three, in both");
    }
}
