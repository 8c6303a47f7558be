//! Names of runs and models: newtypes that cannot hold a path or a query.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::PlatformError;

/// Longest id or name, in bytes; short enough for any file system's file name.
const MAX_LENGTH: usize = 128;
/// Longest readable part of a generated id, in bytes.
const MAX_STEM: usize = 40;

/// The id of a run: `churn-3f2a`, or of its child run 87: `churn-3f2a.87`.
///
/// One to 128 characters of `a-z 0-9 . _ -`, beginning with a letter or digit, without two dots in a row or a dot
/// at the end; so it is always a plain file name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
    /// The id `stem-xxxx`, where `xxxx` is `random` in hexadecimal.
    ///
    /// The stem may be any text (a file's stem): it is lower-cased, everything else becomes `-`, at most 40
    /// characters are kept, and an empty one becomes `run`. Ids may collide: `Workspace::new_run_id` draws until
    /// one is free.
    pub fn new(stem: &str, random: u16) -> Self {
        let stem = tidy(&stem.to_lowercase(), "run");
        Self(format!("{stem}-{random:04x}"))
    }

    /// Checks an id. Errors: [`PlatformError::Invalid`].
    pub fn parse(text: &str) -> Result<Self, PlatformError> {
        check("run id", text, |byte| byte.is_ascii_lowercase())?;
        Ok(Self(text.to_owned()))
    }

    /// The id of child run `n`.
    #[must_use]
    pub fn child(&self, n: u32) -> Self {
        Self(format!("{}.{n}", self.0))
    }

    /// The id of the run that this one is a child of by its name; `None` where it is no child's id.
    pub fn parent(&self) -> Option<Self> {
        let (parent, n) = self.0.rsplit_once('.')?;
        n.parse::<u32>().ok().map(|_| Self(parent.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a registered model: one to 128 characters of `A-Z a-z 0-9 . _ -`, beginning with a letter or
/// digit, without two dots in a row or a dot at the end. It holds no `@`, which separates name and version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelName(String);

impl ModelName {
    /// Checks a name. Errors: [`PlatformError::Invalid`].
    pub fn parse(text: &str) -> Result<Self, PlatformError> {
        check("model name", text, |byte| byte.is_ascii_alphabetic())?;
        Ok(Self(text.to_owned()))
    }

    /// The valid name nearest to any text (a file's stem): every other character becomes `-`, at most 40
    /// characters are kept, and an empty one becomes `model`.
    pub fn tidy(text: &str) -> Self {
        Self(tidy(text, "model"))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One version of a model, written `churn@1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelVersion {
    /// The model.
    pub name: ModelName,
    /// Its version, from 1.
    pub version: u32,
}

impl fmt::Display for ModelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

/// Implements what every name does: text in, text out.
macro_rules! text_newtype {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = PlatformError;
            fn from_str(text: &str) -> Result<Self, PlatformError> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = PlatformError;
            fn try_from(text: String) -> Result<Self, PlatformError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }
    };
}
text_newtype!(RunId);
text_newtype!(ModelName);

/// Checks an alias of a model's version: written like a model's name, not a number, and not `latest`, which
/// always means the highest version.
pub(crate) fn check_alias(text: &str) -> Result<(), PlatformError> {
    check("alias", text, |byte| byte.is_ascii_alphabetic())?;
    if text == "latest" {
        return Err(PlatformError::invalid("alias", text, "always means the highest version"));
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(PlatformError::invalid("alias", text, "is a version's number"));
    }
    Ok(())
}

/// The rule that all names share; `letter` says which letters are allowed.
pub(crate) fn check(what: &'static str, text: &str, letter: impl Fn(u8) -> bool) -> Result<(), PlatformError> {
    let refuse = |reason: String| Err(PlatformError::invalid(what, text, reason));
    if text.is_empty() || text.len() > MAX_LENGTH {
        return refuse(format!("is {} characters long, not 1 to {MAX_LENGTH}", text.len()));
    }
    let first = text.as_bytes()[0];
    if !(letter(first) || first.is_ascii_digit()) {
        return refuse("begins with neither a letter nor a digit that is allowed".to_owned());
    }
    let allowed = |c: char| c.is_ascii() && (letter(c as u8) || c.is_ascii_digit() || "._-".contains(c));
    if let Some(other) = text.chars().find(|&c| !allowed(c)) {
        return refuse(format!("holds {other:?}; letters, digits, `.`, `_` and `-` are allowed"));
    }
    if text.contains("..") || text.ends_with('.') {
        return refuse("has a dot at the end or two in a row".to_owned());
    }
    Ok(())
}

/// Makes a valid name of any text: what is not a letter, digit or `_` becomes one `-`, none at either end.
fn tidy(text: &str, empty: &str) -> String {
    let mut tidied = String::new();
    for c in text.chars() {
        if tidied.len() >= MAX_STEM {
            break;
        }
        if c.is_ascii_alphanumeric() || (c == '_' && !tidied.is_empty()) {
            tidied.push(c);
        } else if !tidied.is_empty() && !tidied.ends_with('-') {
            tidied.push('-');
        }
    }
    let tidied = tidied.trim_end_matches(['-', '_']);
    if tidied.is_empty() { empty.to_owned() } else { tidied.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run_id(text: &str) -> Option<String> {
        RunId::parse(text).ok().map(String::from)
    }

    #[test]
    fn ids_read_as_documented() {
        let id = RunId::new("Customer churn (2024)", 0x3f2a);
        assert_eq!(id.as_str(), "customer-churn-2024-3f2a");
        assert_eq!(id.child(87).as_str(), "customer-churn-2024-3f2a.87");
        assert_eq!(id.child(87).parent(), Some(id.clone()));
        assert_eq!(id.parent(), None);
        assert_eq!(RunId::new("…", 1).as_str(), "run-0001");
        assert_eq!(ModelName::tidy("Customer churn").as_str(), "Customer-churn");
        assert_eq!(ModelName::tidy("..").as_str(), "model");
    }

    #[test]
    fn what_could_be_a_path_is_refused() {
        let long = "a".repeat(MAX_LENGTH + 1);
        for bad in ["", ".", "..", "a..b", "a.", ".a", "-a", "_a", "a/b", "a\\b", "a\0", "a b", "A", "é", "a%2e", &long]
        {
            assert_eq!(run_id(bad), None, "{bad:?}");
        }
        assert!(ModelName::parse("Churn").is_ok());
        assert!(ModelName::parse("churn@1").is_err());
    }

    #[test]
    fn aliases_cannot_be_taken_for_versions() {
        assert!(check_alias("champion").is_ok());
        assert!(check_alias("latest").is_err());
        assert!(check_alias("12").is_err());
        assert!(check_alias("1st").is_ok());
    }

    #[test]
    fn serde_checks_what_it_reads() {
        let id: RunId = serde_json::from_str("\"churn-3f2a\"").expect("a valid id");
        assert_eq!(serde_json::to_string(&id).expect("text"), "\"churn-3f2a\"");
        assert!(serde_json::from_str::<RunId>("\"../etc\"").is_err());
    }

    proptest! {
        #[test]
        fn a_new_id_is_valid_whatever_the_stem(stem in any::<String>(), random: u16, n: u32) {
            let id = RunId::new(&stem, random);
            prop_assert_eq!(RunId::parse(id.as_str()).ok(), Some(id.clone()));
            let child = id.child(n);
            prop_assert_eq!(RunId::parse(child.as_str()).ok(), Some(child.clone()));
            prop_assert_eq!(child.parent(), Some(id));
            let name = ModelName::tidy(&stem);
            prop_assert_eq!(ModelName::parse(name.as_str()).ok(), Some(name));
        }

        #[test]
        fn a_parsed_id_is_one_plain_file_name(text in "[a-zA-Z0-9._/\\\\%@ -]{0,12}") {
            if let Some(id) = run_id(&text) {
                prop_assert_eq!(&id, &text);
                let mut parts = std::path::Path::new(&id).components();
                prop_assert!(matches!(parts.next(), Some(std::path::Component::Normal(part)) if part == id.as_str()));
                prop_assert!(parts.next().is_none());
            }
        }

        #[test]
        fn the_characters_and_only_they_decide(text in "[a-z0-9][a-z0-9_-]{0,30}") {
            prop_assert_eq!(run_id(&text), Some(text));
        }
    }
}
