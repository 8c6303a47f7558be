//! Whether a space holds all that an earlier version of it held.

use super::check::describe;
use super::domain::{Choice, Dimension, Domain};
use super::tree::{Space, join};
use crate::error::StudyError;
use crate::params::{Params, Value};

impl Space {
    /// Whether this space is `old` or a larger version of it, so that a study may go on in it: ranges may be wider,
    /// choices and ordered values have more, options bring new dimensions of their own, and less may be forbidden. The
    /// dimensions that always exist are the same, and so are scales and steps. The error names what is less.
    pub fn extends(&self, old: &Self) -> Result<(), StudyError> {
        extends(&self.dimensions, &old.dimensions, "")?;
        let new = self.forbidden.iter().find(|combination| !old.forbidden.contains(combination));
        new.map_or(Ok(()), |combination: &Params| {
            let reason = format!("the study had not forbidden the combination {combination}");
            Err(StudyError::Spec { field: "search_space.forbidden".to_owned(), reason })
        })
    }
}

fn extends(level: &[Dimension], old: &[Dimension], path: &str) -> Result<(), StudyError> {
    let error = |name: &str, reason: String| Err(StudyError::Space { key: join(path, name), reason });
    for before in old {
        let name = &before.name;
        let Some(now) = level.iter().find(|now| now.name == *name) else {
            return error(name, "the study had it, and it is gone".to_owned());
        };
        if let (Domain::Choice { options }, Domain::Choice { options: earlier }) = (&now.domain, &before.domain) {
            options_extend(options, earlier, path, name)?;
        } else if !domain_extends(&now.domain, &before.domain) {
            let (now, before) = (describe(&now.domain), describe(&before.domain));
            return error(name, format!("{now} is less than the study had, {before}"));
        }
    }
    match level.iter().find(|now| old.iter().all(|before| before.name != now.name)) {
        Some(now) => error(&now.name, "the study had it not, so its trials have no value of it".to_owned()),
        None => Ok(()),
    }
}

fn options_extend(options: &[Choice], old: &[Choice], path: &str, name: &str) -> Result<(), StudyError> {
    for before in old {
        let label = before.label();
        let Some(now) = options.iter().find(|now| now.value == before.value) else {
            let reason = format!("the study had an option `{label}`, and it is gone");
            return Err(StudyError::Space { key: join(path, name), reason });
        };
        extends(&now.dimensions, &before.dimensions, &join(path, &label))?;
    }
    Ok(())
}

fn domain_extends(now: &Domain, before: &Domain) -> bool {
    match (now, before) {
        (
            Domain::Float { low, high, scale, step },
            Domain::Float { low: low_before, high: high_before, scale: scale_before, step: step_before },
        ) => low <= low_before && high >= high_before && (scale, step) == (scale_before, step_before),
        (Domain::Int { low, high, scale }, Domain::Int { low: low_before, high: high_before, scale: scale_before }) => {
            low <= low_before && high >= high_before && scale == scale_before
        }
        (Domain::Ordinal { values }, Domain::Ordinal { values: before }) => is_within(before, values),
        (now, before) => now == before,
    }
}

/// Whether `some` are among `all`, in the same order.
fn is_within(some: &[Value], all: &[Value]) -> bool {
    let mut rest = all.iter();
    some.iter().all(|value| rest.any(|other| other == value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::Layout;

    fn space(high: i64, labels: &[&str], sizes: &[&str]) -> Space {
        let below = vec![Dimension::int("depth", 1, high)];
        let options = labels.iter().map(|label| match *label {
            "tree" => Choice::with("tree", below.clone()),
            other => Choice::leaf(other),
        });
        Space::new(vec![
            Dimension::choice("algorithm", options.collect()),
            Dimension::ordinal("size", sizes.to_vec()),
            Dimension::float("x", 0.1, 1.0).log(),
        ])
    }

    fn old() -> Space {
        space(5, &["linear", "tree"], &["s", "l"])
    }

    fn refused(new: &Space) -> String {
        new.extends(&old()).expect_err("it is less").to_string()
    }

    #[test]
    fn more_is_more() {
        let new = space(9, &["svm", "tree", "linear"], &["xs", "s", "m", "l"]);
        new.extends(&old()).expect("all of it is there");
        old().extends(&old()).expect("it is itself");
        let forbidden = vec![Params::new().with("algorithm", "linear")];
        old().extends(&Space { forbidden: forbidden.clone(), ..old() }).expect("less is forbidden");
        let error = refused(&Space { forbidden, ..old() });
        assert_eq!(error, "`search_space.forbidden`: the study had not forbidden the combination algorithm=linear");
        let point = Params::new().with("algorithm", "tree").with("tree.depth", 5_i64).with("size", "l").with("x", 0.1);
        let place = |space: &Space| Layout::new(space).encode(&point).expect("a point of both");
        assert_eq!(place(&old())[..3], [1.0, 0.9, 0.75]);
        assert_eq!(place(&new)[..3], [1.0, 0.5, 0.875]);
    }

    #[test]
    fn what_is_less_is_named() {
        let cases = [
            (
                space(4, &["linear", "tree"], &["s", "l"]),
                "dimension `tree.depth`: an integer from 1 to 4 is less than the study had, an integer from 1 to 5",
            ),
            (
                space(5, &["tree"], &["s", "l"]),
                "dimension `algorithm`: the study had an option `linear`, and it is gone",
            ),
            (
                space(5, &["linear", "tree"], &["l", "s"]),
                "dimension `size`: one of l, s is less than the study had, one of s, l",
            ),
            (Space::new(old().dimensions[..2].to_vec()), "dimension `x`: the study had it, and it is gone"),
            (
                Space::new([old().dimensions, vec![Dimension::boolean("b")]].concat()),
                "dimension `b`: the study had it not, so its trials have no value of it",
            ),
        ];
        for (new, message) in cases {
            assert_eq!(refused(&new), message);
        }
        let mut linear = old();
        linear.dimensions[2] = Dimension::float("x", 0.1, 1.0);
        assert!(linear.extends(&old()).is_err(), "another scale");
    }
}
