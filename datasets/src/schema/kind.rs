//! What a column is to a person, and how its cells are held.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::DataError;

/// What a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Numbers, at least one of them written with a decimal part or an exponent.
    Numeric,
    /// Numbers, all written as whole ones.
    Integer,
    /// Two levels that say yes and no.
    Boolean,
    /// Levels without order.
    Categorical,
    /// Times.
    Datetime,
    /// Free text.
    Text,
    /// A name of the row: another value in every row, or nearly so.
    Id,
    /// The same in every row, or missing in every row.
    Constant,
}

impl Kind {
    /// Every kind, in the order of the enum.
    pub const ALL: [Self; 8] = [
        Self::Numeric,
        Self::Integer,
        Self::Boolean,
        Self::Categorical,
        Self::Datetime,
        Self::Text,
        Self::Id,
        Self::Constant,
    ];

    /// The name in lower case, as `--types` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Numeric => "numeric",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Categorical => "categorical",
            Self::Datetime => "datetime",
            Self::Text => "text",
            Self::Id => "id",
            Self::Constant => "constant",
        }
    }

    /// Whether the column is something to learn from as it stands: neither an id nor a constant.
    pub fn is_feature(self) -> bool {
        !matches!(self, Self::Id | Self::Constant)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Kind {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(text)).ok_or_else(|| {
            DataError::BadOverride { entry: text.to_owned(), message: format!("there is no type `{text}`") }
        })
    }
}

/// How the cells of a column are held in a [`crate::Table`]; for ids and constants the kind alone
/// does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Storage {
    /// [`crate::Values::Number`].
    Number,
    /// [`crate::Values::Category`].
    Category,
    /// [`crate::Values::Datetime`].
    Datetime,
    /// [`crate::Values::Text`].
    Text,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_parses_from_what_it_displays() {
        for kind in Kind::ALL {
            assert_eq!(kind.to_string().parse::<Kind>().ok(), Some(kind));
        }
        assert!("number".parse::<Kind>().is_err());
    }
}
