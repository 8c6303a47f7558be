//! The command of a trial: text with parameters and inputs put in.
//!
//! `${{search_space.NAME}}` and `${{inputs.NAME}}` are replaced by the value's text, as Azure does: quotes around them are
//! the command's own. `$[[ … ]]` is left out where it holds a parameter that does not exist in the trial.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hyperdrive::{Dimension, Domain, Space};
use serde_json::{Map, Value as Json};

use super::flat::join;
use super::names::{Names, text};

/// A command to be filled in, once for each trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
    unused: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Plain(String),
    /// A parameter by its path.
    Parameter(Vec<String>),
    /// Left out where a parameter in it does not exist.
    Optional(Vec<Part>),
}

impl Template {
    /// Takes a command apart and puts the inputs in. Refuses names that are in neither the space nor the inputs, and a
    /// parameter that does not always exist outside of `$[[ ]]`.
    pub fn parse(
        command: &str,
        names: &Names,
        space: &Space,
        inputs: &BTreeMap<String, Json>,
        folder: &Path,
    ) -> Result<Self, String> {
        if command.trim().is_empty() {
            return Err("trial.command: it is empty".into());
        }
        let known: BTreeMap<String, Vec<String>> = names.paths().map(|path| (path.join("."), path.to_vec())).collect();
        let always = always(&space.dimensions, "", names);
        let mut context = Context { known: &known, always: &always, inputs, folder, used: BTreeSet::new() };
        let parts = context.parts(command, false)?;
        let used = context.used;
        // A group counts as used with one of its parts, and the parts with their group.
        let is_used = |name: &String| {
            used.iter().any(|used| {
                used == name || used.starts_with(&format!("{name}.")) || name.starts_with(&format!("{used}."))
            })
        };
        let unused = known.keys().filter(|name| !is_used(name)).cloned().collect();
        Ok(Self { parts, unused })
    }

    /// Parameters that the command does not name.
    pub fn unused(&self) -> impl Iterator<Item = &str> {
        self.unused.iter().map(String::as_str)
    }

    /// The command with a trial's parameters, as [`Names::outside`] gives them.
    pub fn fill(&self, params: &Map<String, Json>) -> String {
        self.parts.iter().map(|part| fill(part, params).unwrap_or_default()).collect()
    }
}

fn fill(part: &Part, params: &Map<String, Json>) -> Option<String> {
    match part {
        Part::Plain(plain) => Some(plain.clone()),
        Part::Parameter(path) => find(params, path).map(text),
        Part::Optional(parts) => {
            let filled: Option<Vec<String>> = parts.iter().map(|part| fill(part, params)).collect();
            Some(filled.map(|parts| parts.concat()).unwrap_or_default())
        }
    }
}

fn find<'a>(params: &'a Map<String, Json>, path: &[String]) -> Option<&'a Json> {
    let (first, rest) = path.split_first()?;
    let value = params.get(first)?;
    if rest.is_empty() { Some(value) } else { find(value.as_object()?, rest) }
}

/// The names that exist in every trial: those of a level, and below a choice those that each of its options has.
fn always(level: &[Dimension], path: &str, names: &Names) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for dimension in level {
        found.extend(names.of(&join(path, &dimension.name)));
        let Domain::Choice { options } = &dimension.domain else { continue };
        let below = options.iter().map(|option| always(&option.dimensions, &join(path, &option.label()), names));
        found.extend(below.reduce(|all, one| &all & &one).unwrap_or_default());
    }
    found
}

struct Context<'a> {
    known: &'a BTreeMap<String, Vec<String>>,
    always: &'a BTreeSet<String>,
    inputs: &'a BTreeMap<String, Json>,
    folder: &'a Path,
    used: BTreeSet<String>,
}

impl Context<'_> {
    fn parts(&mut self, mut rest: &str, optional: bool) -> Result<Vec<Part>, String> {
        let mut parts = Vec::new();
        loop {
            let next = [("${{", "}}"), ("$[[", "]]")];
            let next = next.into_iter().filter_map(|(open, close)| Some((rest.find(open)?, open, close))).min();
            let Some((at, open, close)) = next else { break };
            parts.push(Part::Plain(rest[..at].to_owned()));
            let after = &rest[at + open.len()..];
            let Some(end) = after.find(close) else {
                return Err(format!("trial.command: `{open}` is not closed by `{close}`"));
            };
            let inner = &after[..end];
            rest = &after[end + close.len()..];
            if open == "$[[" {
                parts.push(Part::Optional(self.parts(inner, true)?));
            } else {
                parts.push(self.expression(inner.trim(), optional)?);
            }
        }
        parts.push(Part::Plain(rest.to_owned()));
        Ok(parts)
    }

    fn expression(&mut self, expression: &str, optional: bool) -> Result<Part, String> {
        let bad = |reason: String| format!("trial.command: `${{{{{expression}}}}}`: {reason}");
        if let Some(name) = expression.strip_prefix("inputs.") {
            let Some(input) = self.inputs.get(name) else {
                return Err(bad(format!("`{name}` is not among the inputs{}", listed(self.inputs.keys()))));
            };
            return literal(input, self.folder).map(Part::Plain).map_err(bad);
        }
        let Some(name) = expression.strip_prefix("search_space.") else {
            return Err(bad("only `search_space.NAME` and `inputs.NAME` can be put in here".into()));
        };
        let Some(path) = self.known.get(name) else {
            return Err(bad(format!("`{name}` is not in the search space{}", listed(self.known.keys()))));
        };
        if !optional && !self.always.contains(name) {
            let example = format!("$[[--{} ${{{{{expression}}}}}]]", name.rsplit('.').next().unwrap_or(name));
            return Err(bad(format!("it does not exist in every trial: write it inside of `$[[ ]]`, as {example}")));
        }
        self.used.insert(name.to_owned());
        Ok(Part::Parameter(path.clone()))
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.map(String::as_str).collect();
    if names.is_empty() { ", which is empty".into() } else { format!(": {}", names.join(", ")) }
}

/// An input that is a value, or a path on this machine.
fn literal(input: &Json, folder: &Path) -> Result<String, String> {
    match input {
        Json::Object(fields) => match (fields.get("value"), fields.get("path")) {
            (None, Some(Json::String(path))) if path.starts_with("azureml:") => {
                Err(format!("{path} is data of a cloud workspace: give a path on this machine or a value"))
            }
            (None, Some(Json::String(path))) if path.contains("://") => Ok(path.clone()),
            (None, Some(Json::String(path))) => Ok(folder.join(path).display().to_string()),
            (Some(value @ (Json::String(_) | Json::Number(_) | Json::Bool(_))), _) => Ok(text(value)),
            _ => Err("it has neither a `value` nor a `path`".into()),
        },
        Json::Array(_) => Err(format!("{input} is no single value")),
        Json::Null => Err("it has no value".into()),
        other => Ok(text(other)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sweep::search_space::search_space;

    fn template(command: &str) -> Result<(Template, Space, Names), String> {
        let given = json!({
            "lr": {"type": "uniform", "min_value": 0, "max_value": 1},
            "opt": {"type": "choice", "values": ["a b", 2]},
            "net": {"type": "choice", "values": [{"kind": "mlp", "layers": {"type": "randint", "upper": 4}}, {"kind": "linear"}]},
        });
        let (space, names) = search_space(given.as_object().expect("an object"))?;
        let inputs = BTreeMap::from([
            ("n".to_owned(), json!(3)),
            ("data".to_owned(), json!({"path": "d/x.csv"})),
            ("cloud".to_owned(), json!({"path": "azureml:data:1"})),
        ]);
        let template = Template::parse(command, &names, &space, &inputs, Path::new("/here"))?;
        Ok((template, space, names))
    }

    #[test]
    fn values_stand_where_their_names_stood() {
        let command = "run ${{search_space.lr}} '${{ search_space.opt }}' ${{inputs.n}} ${{inputs.data}} \
                       $[[-l ${{search_space.net.layers}} ]]$HOME ${x} ${{search_space.net}}";
        let (template, ..) = template(command).expect("sound");
        let fill = |params: Json| template.fill(params.as_object().expect("an object"));
        let mlp = fill(json!({"lr": 0.25, "opt": "a b", "net": {"kind": "mlp", "layers": 2}}));
        assert_eq!(mlp, r#"run 0.25 'a b' 3 /here/d/x.csv -l 2 $HOME ${x} {"kind":"mlp","layers":2}"#);
        let linear = fill(json!({"lr": 0.25, "opt": 2, "net": {"kind": "linear"}}));
        assert_eq!(linear, r#"run 0.25 '2' 3 /here/d/x.csv $HOME ${x} {"kind":"linear"}"#);
        assert_eq!(template.unused().count(), 0);
    }

    #[test]
    fn every_point_of_the_space_fills_it() {
        let command = "${{search_space.lr}} ${{search_space.net.kind}}$[[ ${{search_space.net.layers}}]]";
        let (template, space, names) = template(command).expect("sound");
        for seed in 0..20 {
            let params = space.sample(&mut hyperdrive::keyed_rng(seed, 0, ""));
            let filled = template.fill(&names.outside(&params));
            let words: Vec<&str> = filled.split(' ').collect();
            assert_eq!(words.len(), if words[1] == "mlp" { 3 } else { 2 }, "{filled}");
        }
        assert_eq!(template.unused().collect::<Vec<_>>(), ["opt"]);
    }

    #[test]
    fn what_cannot_be_put_in_is_named() {
        for (command, word) in [
            (" ", "empty"),
            ("${{search_space.l}}", "`l` is not in the search space: lr"),
            ("${{search_space.net.layers}}", "inside of `$[[ ]]`, as $[[--layers ${{search_space.net.layers}}]]"),
            ("${{inputs.m}}", "`m` is not among the inputs: cloud, data, n"),
            ("${{inputs.cloud}}", "azureml:data:1 is data of a cloud workspace"),
            ("${{outputs.model}}", "only `search_space.NAME` and `inputs.NAME`"),
            ("${{search_space.lr", "`${{` is not closed by `}}`"),
            ("$[[ x", "`$[[` is not closed by `]]`"),
        ] {
            let error = template(command).map(|_| ()).expect_err(command);
            assert!(error.contains(word), "{command}: {error}");
        }
    }
}
