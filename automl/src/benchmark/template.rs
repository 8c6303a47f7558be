//! A command with places to fill in, as the harness's `run_peer.py` has them (Python's `str.format`).

/// The places there are; those of forecasting stay empty or 0 for a table.
const PLACES: [&str; 14] = [
    "train",
    "test",
    "target",
    "task",
    "metric",
    "budget",
    "threads",
    "out",
    "model",
    "seed",
    "horizon",
    "freq",
    "seasonality",
    "known",
];

/// A command taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Plain(String),
    Place(&'static str),
}

impl Template {
    /// Takes a command apart: `{train}` and its like are places, `{{` and `}}` are braces. The error names what is no
    /// place, with the nearest.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut parts, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            let inner = rest.split_once('}').filter(|_| brace == "{");
            let Some((name, after)) = inner else {
                return Err(format!("a lone `{brace}`: write `{brace}{brace}` for a brace of the command's own"));
            };
            let Some(place) = PLACES.iter().find(|place| **place == name) else {
                let near = datasets::nearest(name, &PLACES).map_or_else(
                    || format!("there are {}", PLACES.join(", ")),
                    |near| format!("nearest: `{{{near}}}`"),
                );
                return Err(format!(
                    "`{{{name}}}` is no place to fill in; {near}; a brace of the command's own is `{{{{`"
                ));
            };
            parts.push(Part::Plain(std::mem::take(&mut plain)));
            parts.push(Part::Place(place));
            rest = after;
        }
        plain.push_str(rest);
        parts.push(Part::Plain(plain));
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The command as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it has this place.
    pub fn names(&self, place: &str) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Place(name) if *name == place))
    }

    /// The command with every place filled in, quoted for a shell.
    pub fn fill(&self, value: impl Fn(&str) -> String) -> String {
        let part = |part: &Part| match part {
            Part::Plain(plain) => plain.clone(),
            Part::Place(name) => quoted(&value(name)),
        };
        self.parts.iter().map(part).collect()
    }
}

/// A word for a POSIX shell, quoted where it must be.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r#"'"'"'"#))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_in_and_quoted() {
        let template = Template::parse("fit {train} --y {target} '{{x}}' ${{HOME}}").expect("sound");
        assert!(template.names("train") && !template.names("out"));
        let filled = template.fill(|name| if name == "train" { "a b's.csv".into() } else { "y".into() });
        assert_eq!(filled, r#"fit 'a b'"'"'s.csv' --y y '{x}' ${HOME}"#);
        assert_eq!(Template::parse("{known}").expect("sound").fill(|_| String::new()), "''");
    }

    #[test]
    fn what_is_no_place_is_named() {
        for (text, word) in [
            ("fit {trian}", "nearest: `{train}`"),
            ("awk '{ print }'", "a brace of the command's own"),
            ("fit {train", "a lone `{`"),
            ("fit }", "a lone `}`"),
        ] {
            let error = Template::parse(text).expect_err(text);
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
