//! What is to be predicted.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of question a target column asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// One of two classes; the second of the class list is the positive one.
    Binary,
    /// One of three or more classes.
    Multiclass,
    /// A number.
    Regression,
}

impl Task {
    /// Every task, in a fixed order.
    pub const ALL: [Task; 3] = [Task::Binary, Task::Multiclass, Task::Regression];

    /// Whether the target is one of several classes.
    pub fn is_classification(self) -> bool {
        !matches!(self, Task::Regression)
    }

    /// The name written in files and on the terminal: `binary`, `multiclass`, `regression`.
    pub fn name(self) -> &'static str {
        match self {
            Task::Binary => "binary",
            Task::Multiclass => "multiclass",
            Task::Regression => "regression",
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
