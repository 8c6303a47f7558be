//! What can go wrong in a fit, a resume or a prediction, grouped by what the caller can do about it.

use datasets::DataError;
use hyperdrive::{JournalError, StudyError};
use platform::PlatformError;
use trainers::{ExplainError, ExportError, MetricError, ModelError, TrainError};

/// Everything the engine refuses or fails at. [`AutoMlError::exit_code`] is the documented process status.
#[derive(Debug, thiserror::Error)]
pub enum AutoMlError {
    /// An option or a combination of options that makes no sense; nothing was read or written.
    #[error("{0}")]
    Usage(String),
    /// A file, column or target that cannot be used as asked.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Data that was read but cannot be learned from; says what to do.
    #[error("{message}")]
    Unusable {
        /// What is wrong, naming the column and its values.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The search ended and no trial had finished.
    #[error("no model: {reason}")]
    NoModel {
        /// Why no trial finished, with the first failures' own reasons.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A model file or a stored prediction could not be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A trainer refused outside the search (inside it, a refusal is a failed trial).
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A metric could not be computed.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// A model could not be explained as asked.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// A model could not be written in another program's form.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The search itself failed: its specification or its journal.
    #[error(transparent)]
    Study(#[from] StudyError),
    /// The workspace refused: not found, busy, newer, read-only or full.
    #[error(transparent)]
    Platform(#[from] PlatformError),
}

impl AutoMlError {
    /// The process exit status: 1 machine or workspace, 2 usage, 3 bad data, 4 no model.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_)
            | Self::Explain(
                ExplainError::NoExactShap { .. }
                | ExplainError::BoundLogarithm { .. }
                | ExplainError::Stacked { .. }
                | ExplainError::Blend { .. }
                | ExplainError::NoPart { .. },
            )
            | Self::Platform(
                PlatformError::UnknownRun { .. }
                | PlatformError::AmbiguousRun { .. }
                | PlatformError::Invalid { .. }
                | PlatformError::NoWorkspace { .. },
            ) => 2,
            Self::Data(_) | Self::Unusable { .. } => 3,
            Self::NoModel { .. }
            | Self::Model(_)
            | Self::Explain(ExplainError::Model(_))
            | Self::Export(_)
            | Self::Platform(PlatformError::UnknownModel { .. } | PlatformError::UnknownVersion { .. }) => 4,
            Self::Train(_)
            | Self::Metric(_)
            | Self::Explain(ExplainError::Metric(_))
            | Self::Study(_)
            | Self::Platform(_) => 1,
        }
    }

    /// What to do about it, where something is known to help.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unusable { hint, .. } | Self::NoModel { hint, .. } => hint.clone(),
            Self::Data(error) => error.hint(),
            Self::Platform(error) => error.hint(),
            Self::Export(error) => error.hint(),
            Self::Study(StudyError::Journal(JournalError::Storage { source, .. })) => {
                source.downcast_ref::<PlatformError>().and_then(PlatformError::hint)
            }
            _ => None,
        }
    }

    /// Data that cannot be learned from, with what to do.
    pub(crate) fn unusable(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Unusable { message: message.into(), hint: Some(hint.into()) }
    }
}
