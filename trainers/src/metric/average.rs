//! How a score of each class becomes one figure.

use crate::task::Task;

/// How a score of each class against the rest becomes one figure; scikit-learn's `average`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Average {
    /// That of the positive class; for two classes only. Azure's and scikit-learn's `binary`.
    Positive,
    /// The mean over classes.
    Macro,
    /// Of all (row, class) decisions together.
    Micro,
    /// The mean over classes, each counting as many times as it has rows.
    Weighted,
    /// `Positive` for two classes, else `Macro`.
    PositiveOrMacro,
    /// `Positive` for two classes, else `Weighted`.
    PositiveOrWeighted,
}

impl Average {
    /// One of the first four.
    pub(super) fn under(self, task: Task) -> Average {
        match (self, task) {
            (Average::PositiveOrMacro | Average::PositiveOrWeighted, Task::Binary) => Average::Positive,
            (Average::PositiveOrMacro, _) => Average::Macro,
            (Average::PositiveOrWeighted, _) => Average::Weighted,
            (plain, _) => plain,
        }
    }
}
