//! Samplers and policies by name: the search's own tables, and Azure's words for some of their rows.

use hyperdrive::{EarlyTerminationPolicy, SamplingAlgorithm};
use serde_json::{Map, Value as Json, json};

/// A sampler by its name, with its own defaults.
pub fn sampler(name: &str) -> Result<SamplingAlgorithm, String> {
    sampler_with(name, &Map::new())
}

/// A sampler by its name and fields. A sampler without fields is written as its name alone.
pub(super) fn sampler_with(name: &str, fields: &Map<String, Json>) -> Result<SamplingAlgorithm, String> {
    named(name, fields).map_err(|reason| format!("sampler `{name}`: {reason}"))
}

/// The variant of that name of one of the search's tables.
fn named<T: serde::de::DeserializeOwned>(name: &str, fields: &Map<String, Json>) -> Result<T, String> {
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
        return Err(bad(format!(
            "{given} is no object: write `type: bandit`, `median_stopping` or `truncation_selection`"
        )));
    };
    let mut fields: Map<String, Json> =
        given.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.clone(), value.clone())).collect();
    let Some(Json::String(name)) = fields.remove("type") else {
        return Err(bad("it has no `type`: bandit, median_stopping or truncation_selection".into()));
    };
    if name == "none" {
        return Ok(EarlyTerminationPolicy::None);
    }
    if name == "bandit" {
        slack(&mut fields).map_err(|reason| bad(format!("`bandit`: {reason}")))?;
    }
    let policy: EarlyTerminationPolicy = named(&name, &fields).map_err(|reason| bad(format!("`{name}`: {reason}")))?;
    policy.check().map_err(|error| error.to_string())?;
    Ok(policy)
}

/// Azure's two fields of which one is given, as the one field that they are.
fn slack(fields: &mut Map<String, Json>) -> Result<(), String> {
    let slack = match (fields.remove("slack_factor"), fields.remove("slack_amount")) {
        (Some(factor), None) => json!({ "factor": factor }),
        (None, Some(amount)) => json!({ "amount": amount }),
        (None, None) => return Err("it has neither `slack_factor` nor `slack_amount`".into()),
        (Some(_), Some(_)) => return Err("it has both `slack_factor` and `slack_amount`: one of them".into()),
    };
    fields.insert("slack".into(), slack);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_search() {
        assert_eq!(sampler("random"), Ok(SamplingAlgorithm::Random));
        for name in ["auto", "tpe", "gp", "cma_es", "cfo", "random", "sobol", "grid"] {
            assert!(sampler(name).is_ok(), "{name}: {:?}", sampler(name));
        }
        let error = sampler("randon").expect_err("no such sampler");
        assert!(error.contains("`randon`") && error.contains("`random`") && error.contains("`gp`"), "{error}");
        let fields = Map::from_iter([("startup".to_owned(), json!(3))]);
        assert_eq!(sampler_with("gp", &fields), Ok(SamplingAlgorithm::Gp { startup: Some(3) }));
        let error = sampler_with("random", &fields).expect_err("it has no fields");
        assert!(error.contains("no field `startup`"), "{error}");
    }

    #[test]
    fn policies_are_written_as_azure_writes_them() {
        let read = |given: Json| policy(&given).map(|policy| json!(policy));
        let bandit = json!({"type": "bandit", "slack_factor": 0.2, "evaluation_interval": 2, "delay_evaluation": null});
        let own = json!({"bandit": {"slack": {"factor": 0.2}, "evaluation_interval": 2, "delay_evaluation": 0}});
        assert_eq!(read(bandit), Ok(own));
        let truncation = json!({"type": "truncation_selection", "truncation_percentage": 20});
        assert!(read(truncation).expect("sound")["truncation_selection"]["truncation_percentage"] == 20);
        assert_eq!(read(json!({"type": "none"})), Ok(json!("none")));
        for (given, word) in [
            (json!("bandit"), "no object"),
            (json!({"slack_factor": 0.1}), "no `type`"),
            (json!({"type": "bandit"}), "neither `slack_factor` nor `slack_amount`"),
            (json!({"type": "bandit", "slack_factor": 0.1, "slack_amount": 1}), "both"),
            (json!({"type": "truncation_selection", "truncation_percentage": 100}), "truncation_percentage"),
            (json!({"type": "median_stopping", "slack_factor": 1}), "slack_factor"),
            (
                json!({"type": "truncation_selection", "truncation_percentage": 20, "exclude_finished_jobs": true}),
                "exclude",
            ),
        ] {
            let error = read(given.clone()).expect_err("no policy");
            assert!(error.contains("early_termination") && error.contains(word), "{given}: {error}");
        }
    }
}
