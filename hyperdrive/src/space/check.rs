//! What makes a space well formed.

use std::collections::BTreeSet;

use super::domain::{Choice, Dimension, Domain, Scale};
use super::tree::join;
use crate::error::StudyError;
use crate::params::Value;

pub(super) fn check_level(level: &[Dimension], path: &str, keys: &mut BTreeSet<String>) -> Result<(), StudyError> {
    for dimension in level {
        let key = join(path, &dimension.name);
        let bad = |reason: String| StudyError::Space { key: key.clone(), reason };
        if dimension.name.is_empty() || dimension.name.contains('.') {
            return Err(bad("a name is not empty and has no `.`".to_owned()));
        }
        if !keys.insert(key.clone()) {
            return Err(bad("there are two of this key".to_owned()));
        }
        check_domain(&dimension.domain).map_err(bad)?;
        let Domain::Choice { options } = &dimension.domain else {
            continue;
        };
        for option in options {
            let label = option.label();
            if label.contains('.') && !option.dimensions.is_empty() {
                return Err(bad(format!("option `{label}` has dimensions, so no `.` in its label")));
            }
            check_level(&option.dimensions, &join(path, &label), keys)?;
        }
    }
    Ok(())
}

fn check_domain(domain: &Domain) -> Result<(), String> {
    match domain {
        Domain::Float { low, high, scale, step } => {
            all_finite(&[*low, *high])?;
            check_step(*step)?;
            if low > high {
                return Err(format!("low {low} is above high {high}"));
            }
            if *scale == Scale::Log && *low <= 0.0 {
                return Err(format!("low {low} of a log scale is not above 0"));
            }
        }
        Domain::Normal { mean, deviation, step, .. } => {
            all_finite(&[*mean, *deviation])?;
            check_step(*step)?;
            if *deviation <= 0.0 {
                return Err(format!("deviation {deviation} is not above 0"));
            }
        }
        Domain::Int { low, high, scale } => {
            if low > high {
                return Err(format!("low {low} is above high {high}"));
            }
            if *scale == Scale::Log && *low < 1 {
                return Err(format!("low {low} of a log scale is less than 1"));
            }
        }
        Domain::Ordinal { values } => check_values("value", values)?,
        Domain::Choice { options } if options.is_empty() => return Err("the choice has no options".to_owned()),
        Domain::Choice { options } => {
            check_values("option", &options.iter().map(|option| option.value.clone()).collect::<Vec<_>>())?;
        }
        Domain::Fixed { value } => check_values("value", std::slice::from_ref(value))?,
    }
    Ok(())
}

fn all_finite(bounds: &[f64]) -> Result<(), String> {
    let odd = bounds.iter().find(|x| !x.is_finite());
    odd.map_or(Ok(()), |x| Err(format!("bound {x} is not finite")))
}

fn check_step(step: Option<f64>) -> Result<(), String> {
    match step {
        Some(q) if !(q.is_finite() && q > 0.0) => Err(format!("step {q} is not a finite number above 0")),
        _ => Ok(()),
    }
}

/// Values can be told apart, by themselves and by what they are called, and can be written down.
fn check_values(what: &str, values: &[Value]) -> Result<(), String> {
    if values.is_empty() {
        return Err(format!("there is no {what}"));
    }
    for (i, value) in values.iter().enumerate() {
        if value.label().is_empty() {
            return Err(format!("{what} {i} has no label"));
        }
        if let Value::Float(x) = value
            && !x.is_finite()
        {
            return Err(format!("{what} {x} is not finite"));
        }
        if values[..i].iter().any(|earlier| earlier.label() == value.label()) {
            return Err(format!("{what} `{}` is there twice", value.label()));
        }
    }
    Ok(())
}

pub(super) fn describe(domain: &Domain) -> String {
    let listed = |values: Vec<String>| format!("one of {}", values.join(", "));
    match domain {
        Domain::Float { low, high, step: None, .. } => format!("a real number from {low} to {high}"),
        Domain::Float { low, high, step: Some(q), .. } => format!("a multiple of {q} from {low} to {high}"),
        Domain::Normal { step: None, .. } => "a finite number the distribution can give".to_owned(),
        Domain::Normal { step: Some(q), .. } => format!("a multiple of {q} the distribution can give"),
        Domain::Int { low, high, .. } => format!("an integer from {low} to {high}"),
        Domain::Ordinal { values } => listed(values.iter().map(Value::label).collect()),
        Domain::Choice { options } => listed(options.iter().map(Choice::label).collect()),
        Domain::Fixed { value } => value.label(),
    }
}
