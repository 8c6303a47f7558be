//! Metrics in what a script prints.
//!
//! `metric NAME VALUE [STEP]`, `{"metric": NAME, "value": VALUE, "step": STEP}` or `{NAME: VALUE, …}`, each on a line of
//! its own. Any other line is only logged.

use serde_json::Value as Json;

use super::ask_tell::numbers_spelt_out;

/// A value of a metric, as printed; it may not be finite.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Metric {
    pub(super) name: String,
    pub(super) value: f64,
    /// Whatever the script counts.
    pub(super) step: Option<i64>,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Line {
    /// Metrics, in the order of their names where one object has several.
    Metrics(Vec<Metric>),
    /// It begins like a metric and is none.
    Odd,
    /// Anything else.
    Other,
}

pub(super) fn read(line: &str) -> Line {
    let line = line.trim();
    if line.starts_with('{') {
        return match object(line) {
            Some(metrics) if !metrics.is_empty() => Line::Metrics(metrics),
            _ => Line::Other,
        };
    }
    let Some(rest) = line.strip_prefix("metric").filter(|rest| rest.starts_with(char::is_whitespace)) else {
        return Line::Other;
    };
    let words: Vec<&str> = rest.split_whitespace().collect();
    let metric = |name: &str, value: &str, step: Option<&str>| {
        let step = step.map(|step| step.parse().map_err(|_| ())).transpose().ok()?;
        Some(Metric { name: name.to_owned(), value: value.parse().ok()?, step })
    };
    let metric = match words[..] {
        [name, value] => metric(name, value, None),
        [name, value, step] => metric(name, value, Some(step)),
        _ => None,
    };
    metric.map_or(Line::Odd, |metric| Line::Metrics(vec![metric]))
}

fn object(line: &str) -> Option<Vec<Metric>> {
    let Json::Object(fields) = serde_json::from_str(&numbers_spelt_out(line)).ok()? else { return None };
    let step = fields.get("step").and_then(Json::as_i64);
    if let (Some(Json::String(name)), Some(value)) = (fields.get("metric"), fields.get("value").and_then(number)) {
        return Some(vec![Metric { name: name.clone(), value, step }]);
    }
    let named = fields.iter().filter(|(name, _)| *name != "step" || step.is_none());
    Some(named.filter_map(|(name, value)| Some(Metric { name: name.clone(), value: number(value)?, step })).collect())
}

fn number(value: &Json) -> Option<f64> {
    match value {
        Json::Number(number) => number.as_f64(),
        Json::String(word) if ["NaN", "Infinity", "-Infinity"].contains(&word.as_str()) => word.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(line: &str) -> Vec<(String, String, Option<i64>)> {
        match read(line) {
            Line::Metrics(metrics) => {
                metrics.into_iter().map(|metric| (metric.name, metric.value.to_string(), metric.step)).collect()
            }
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn the_three_ways_to_say_a_metric() {
        let one = |name: &str, value: &str, step| vec![(name.to_owned(), value.to_owned(), step)];
        assert_eq!(metrics("metric acc 0.5"), one("acc", "0.5", None));
        assert_eq!(metrics("  metric\tacc  5e-1 3\r"), one("acc", "0.5", Some(3)));
        assert_eq!(metrics(r#"{"metric":"acc","value":0.5,"step":3}"#), one("acc", "0.5", Some(3)));
        let two = [one("acc", "0.5", Some(2)), one("loss", "1", Some(2))].concat();
        assert_eq!(metrics(r#"{"loss": 1, "acc": 0.5, "step": 2, "note": "text"}"#), two);
        for (line, value) in [
            ("metric acc nan", "NaN"),
            ("metric acc -inf", "-inf"),
            (r#"{"acc": NaN}"#, "NaN"),
            (r#"{"metric": "acc", "value": -Infinity}"#, "-inf"),
        ] {
            assert_eq!(metrics(line), one("acc", value, None), "{line}");
        }
    }

    #[test]
    fn other_lines_are_no_metrics() {
        for line in ["", "epoch 1: acc 0.5", "metrics acc 0.5", "{", "{}", "[1]", r#"{"a": {"b": 1}}"#, "metric"] {
            assert_eq!(read(line), Line::Other, "{line}");
        }
        for line in ["metric acc = 0.5", "metric acc", "metric acc half", "metric acc 0.5 one", "metric acc: 0.5 1 2"] {
            assert_eq!(read(line), Line::Odd, "{line}");
        }
    }
}
