//! Samplers and policies by name: the search's own tables, and Azure's words for some of their rows.

use hyperdrive::{EarlyTerminationPolicy, SamplingAlgorithm};
use serde_json::{Map, Value as Json, json};

/// A sampler by its name, with its own defaults.
pub fn sampler(name: &str) -> Result<SamplingAlgorithm, String> {
    sampler_with(name, Map::new())
}

/// A sampler by its name and fields. A sampler without fields is written as its name alone.
pub(super) fn sampler_with(name: &str, fields: Map<String, Json>) -> Result<SamplingAlgorithm, String> {
    named(name, fields).map_err(|reason| format!("sampler `{name}`: {reason}"))
}

/// The variant of that name of one of the search's tables.
fn named<T: serde::de::DeserializeOwned>(name: &str, fields: Map<String, Json>) -> Result<T, String> {
    let bare = fields.is_empty();
    let alone = serde_json::from_value(json!(name));
    match alone {
        Ok(found) if bare => return Ok(found),
        Ok(_) => return Err(format!("it has no field `{}`", fields.keys().next().map_or("", String::as_str))),
        Err(_) => {}
    }
    serde_json::from_value(json!({ name: fields })).map_err(|error| error.to_string())
}

/// An early termination policy as Azure writes it: an object with a `type`.
pub(super) fn policy(given: &Json) -> Result<EarlyTerminationPolicy, String> {
    let bad = |reason: String| format!("early_termination: {reason}");
    let Json::Object(given) = given else {
        return Err(bad(format!("{given} is no object: write `type: bandit`, `median_stopping` or `truncation_selection`")));
    };
    let mut fields: Map<String, Json> =
        given.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.clone(), value.clone())).collect();
    let Some(Json::String(name)) = fields.remove("type") else {
        return Err(bad("it has no `type`: bandit, median_stopping or truncation_selection".into()));
    };
    if name == "none" {
        return Ok(EarlyTerminationPolicy::None);
    }
    let policy: EarlyTerminationPolicy = named(&name, fields).map_err(|reason| bad(format!("`{name}`: {reason}")))?;
    policy.check().map_err(|error| error.to_string())?;
    Ok(policy)
}
