//! YAML read as the JSON it stands for.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value as Json};

/// The one document of a text. Errors name the line: what is no YAML, a key there twice, a key that is no text, a number
/// that is not finite, several documents.
pub(crate) fn read(text: &str) -> Result<Json, String> {
    let documents = Yaml::load_from_str(text).map_err(|error| format!("it is no YAML: {error}"))?;
    match documents.as_slice() {
        [] => Err("it is empty".into()),
        [document] => json(document, ""),
        several => Err(format!("it holds {} documents: one is read", several.len())),
    }
}

fn json(yaml: &Yaml<'_>, path: &str) -> Result<Json, String> {
    let bad = |what: &str| Err(format!("{}: {what}", if path.is_empty() { "the file" } else { path }));
    match yaml {
        Yaml::Value(scalar) => match scalar {
            Scalar::Null => Ok(Json::Null),
            Scalar::Boolean(yes) => Ok(Json::from(*yes)),
            Scalar::Integer(k) => Ok(Json::from(*k)),
            Scalar::FloatingPoint(x) if x.is_finite() => Ok(Json::from(x.into_inner())),
            Scalar::FloatingPoint(x) => bad(&format!("{x} is not finite")),
            Scalar::String(text) => Ok(Json::from(text.as_ref())),
        },
        Yaml::Sequence(items) => {
            let items = items.iter().enumerate().map(|(i, item)| json(item, &format!("{path}[{i}]")));
            items.collect::<Result<_, _>>().map(Json::Array)
        }
        Yaml::Mapping(fields) => {
            let mut object = Map::new();
            for (key, value) in fields {
                let key = match json(key, path)? {
                    Json::String(key) => key,
                    Json::Number(key) => key.to_string(),
                    Json::Bool(key) => key.to_string(),
                    other => return bad(&format!("{other} is no name of a field")),
                };
                let inner = super::flat::join(path, &key);
                let value = json(value, &inner)?;
                object.insert(key, value);
            }
            Ok(Json::Object(object))
        }
        Yaml::Tagged(_, inner) => json(inner, path),
        Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => bad("its value cannot be read"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn types_are_those_of_yaml_1_2() {
        let text = "a: 1\nb: 1e-3\nc: 'x'\nd: [yes, true, ~, -.5]\ne: &e {f: \"1\"}\ng: *e\n2: >-\n  two\n  lines\n";
        let expected = json!({
            "a": 1, "b": 1e-3, "c": "x", "d": ["yes", true, null, -0.5], "e": {"f": "1"}, "g": {"f": "1"}, "2": "two lines",
        });
        assert_eq!(read(text), Ok(expected));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, word) in [
            ("a: 1\na: 2\n", "duplicated key"),
            ("a: [1\n", "line"),
            ("", "empty"),
            ("a: 1\n---\nb: 2\n", "2 documents"),
            ("a:\n  b: .inf\n", "a.b: inf is not finite"),
            ("[1]: 2\n", "no name"),
            ("a: !!int x\n", "a: its value"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(word), "{text:?}: {error}");
        }
    }
}
