//! Kinds that a person gives columns: `--types COL=TYPE,…`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::kind::Kind;
use crate::error::DataError;

/// Kinds given by column name, which inference then does not question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeOverrides(BTreeMap<String, TypeOverride>);

/// The kind given to one column, and how it is written where that needs saying.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeOverride {
    /// The kind.
    pub kind: Kind,
    /// For datetimes `dmy`, `mdy`, `ymd` or a strftime format; for numbers `point` or `comma`, the
    /// decimal mark.
    pub format: Option<String>,
}

impl TypeOverrides {
    /// Reads `COL=TYPE,COL2=TYPE`; the type may say how it is written: `day=datetime:dmy`,
    /// `price=numeric:comma`.
    ///
    /// The last `=` of an entry divides it, so a name may hold one. A column named twice is an
    /// error, and so is a format that the kind does not have.
    pub fn parse(text: &str) -> Result<Self, DataError> {
        let mut overrides = BTreeMap::new();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let bad = |message: &str| DataError::BadOverride { entry: entry.to_owned(), message: message.to_owned() };
            let (name, value) = entry.rsplit_once('=').ok_or_else(|| bad("it has no `=`"))?;
            let (name, value) = (name.trim(), value.trim());
            if name.is_empty() {
                return Err(bad("it names no column"));
            }
            let (kind, format) = match value.split_once(':') {
                Some((kind, format)) => (kind.trim(), Some(format.trim().to_owned())),
                None => (value, None),
            };
            let kind: Kind = kind.parse().map_err(|_| bad(&format!("there is no type `{kind}`")))?;
            let known = match (kind, format.as_deref()) {
                (_, None) | (Kind::Numeric | Kind::Integer, Some("point" | "comma")) => true,
                (Kind::Datetime, Some(format)) => matches!(format, "dmy" | "mdy" | "ymd") || format.contains('%'),
                _ => false,
            };
            if !known {
                return Err(bad("numbers are `point` or `comma`, datetimes `dmy`, `mdy`, `ymd` or hold a `%`"));
            }
            if overrides.insert(name.to_owned(), TypeOverride { kind, format }).is_some() {
                return Err(bad("the column is named twice"));
            }
        }
        Ok(Self(overrides))
    }

    /// These overrides and one more; it replaces an earlier one of the same column.
    #[must_use]
    pub fn with(mut self, column: &str, kind: Kind) -> Self {
        self.0.insert(column.to_owned(), TypeOverride { kind, format: None });
        self
    }

    /// The kind given to this column.
    pub fn get(&self, column: &str) -> Option<&TypeOverride> {
        self.0.get(column)
    }

    /// Every override, by column name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &TypeOverride)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether no column is given a kind.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, Kind)> for TypeOverrides {
    fn from_iter<I: IntoIterator<Item = (String, Kind)>>(entries: I) -> Self {
        Self(entries.into_iter().map(|(name, kind)| (name, TypeOverride { kind, format: None })).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_and_blanks_forgiven() {
        let overrides = TypeOverrides::parse("a=numeric, b = Text ,day=datetime:dmy,a=b=id,").unwrap();
        assert_eq!(overrides.get("a").unwrap().kind, Kind::Numeric);
        assert_eq!(overrides.get("b").unwrap().kind, Kind::Text);
        assert_eq!(overrides.get("a=b").unwrap().kind, Kind::Id);
        assert_eq!(overrides.get("day").unwrap().format.as_deref(), Some("dmy"));
        assert_eq!(overrides.iter().count(), 4);
        assert!(TypeOverrides::parse("").unwrap().is_empty());
    }

    #[test]
    fn wrong_entries_are_named() {
        for (text, expected) in [
            ("a", "`a` is not a column type: it has no `=`"),
            ("=text", "`=text` is not a column type: it names no column"),
            ("a=number", "`a=number` is not a column type: there is no type `number`"),
            ("a=id,a=text", "`a=text` is not a column type: the column is named twice"),
        ] {
            assert_eq!(TypeOverrides::parse(text).unwrap_err().to_string(), expected);
        }
        assert!(TypeOverrides::parse("a=text:dmy").is_err());
        assert!(TypeOverrides::parse("a=datetime:xyz").is_err());
    }
}
