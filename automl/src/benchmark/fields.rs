//! The fields of one mapping of a suite file, taken one by one; what is wrong is named by its path and its value.

use serde_json::{Map, Value as Json};

/// What is left of a mapping, and the names that were asked for.
pub(super) struct Fields {
    path: String,
    left: Map<String, Json>,
    known: Vec<&'static str>,
}

impl Fields {
    /// A mapping at `path`, which is empty for the file itself.
    pub(super) fn new(path: &str, given: Json) -> Result<Self, String> {
        match given {
            Json::Object(left) => Ok(Self { path: path.to_owned(), left, known: Vec::new() }),
            other => {
                let at = if path.is_empty() { "the file" } else { path };
                Err(format!("{at}: {} is no mapping of fields to values", shown(&other)))
            }
        }
    }

    /// A field as it stands; `None` where it is absent or null.
    pub(super) fn take(&mut self, name: &'static str) -> Option<Json> {
        self.known.push(name);
        self.left.remove(name).filter(|value| !value.is_null())
    }

    /// A field that must be there.
    pub(super) fn need(&mut self, name: &'static str, what: &str) -> Result<Json, String> {
        let at = self.at(name);
        self.take(name).ok_or_else(|| format!("{at}: it is missing: {what}"))
    }

    /// A text; numbers and truth values count as their text, for a class may be called `1`.
    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<String>, String> {
        let at = self.at(name);
        self.take(name).map(|value| text(&at, &value)).transpose()
    }

    /// A text that must be there.
    pub(super) fn need_text(&mut self, name: &'static str, what: &str) -> Result<String, String> {
        let value = self.need(name, what)?;
        text(&self.at(name), &value)
    }

    /// A whole number of at least `least`.
    pub(super) fn whole(&mut self, name: &'static str, least: u64) -> Result<Option<u64>, String> {
        let at = self.at(name);
        self.take(name).map(|value| whole(&at, &value, least)).transpose()
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, name: &'static str) -> Result<bool, String> {
        match self.take(name) {
            None => Ok(false),
            Some(Json::Bool(yes)) => Ok(yes),
            Some(other) => Err(format!("{}: {} is neither true nor false", self.at(name), shown(&other))),
        }
    }

    /// Items with their paths; a single value is a list of one.
    pub(super) fn list(&mut self, name: &'static str) -> Vec<(String, Json)> {
        let at = self.at(name);
        match self.take(name) {
            None => Vec::new(),
            Some(Json::Array(items)) => {
                items.into_iter().enumerate().map(|(i, item)| (format!("{at}[{i}]"), item)).collect()
            }
            Some(one) => vec![(at, one)],
        }
    }

    /// The path of a field.
    pub(super) fn at(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Refuses what was not asked for.
    pub(super) fn end(self) -> Result<(), String> {
        let Some((name, value)) = self.left.iter().next() else { return Ok(()) };
        let near = datasets::nearest(name, &self.known);
        let near =
            near.map_or_else(|| format!("there are {}", self.known.join(", ")), |near| format!("nearest: `{near}`"));
        Err(format!("{}: no such field (its value is {}); {near}", self.at(name), shown(value)))
    }
}

/// A scalar as text.
pub(super) fn text(at: &str, value: &Json) -> Result<String, String> {
    match value {
        Json::String(text) if text.trim().is_empty() => Err(format!("{at}: it is empty")),
        Json::String(text) => Ok(text.clone()),
        Json::Number(number) => Ok(number.to_string()),
        Json::Bool(yes) => Ok(yes.to_string()),
        other => Err(format!("{at}: {} is no text", shown(other))),
    }
}

/// A whole number of at least `least`.
pub(super) fn whole(at: &str, value: &Json, least: u64) -> Result<u64, String> {
    value
        .as_u64()
        .filter(|number| *number >= least)
        .ok_or_else(|| format!("{at}: {} is no whole number of at least {least}", shown(value)))
}

/// A value in few characters.
pub(super) fn shown(value: &Json) -> String {
    let text = value.to_string();
    if text.chars().count() <= 60 { text } else { text.chars().take(59).chain(['…']).collect() }
}
