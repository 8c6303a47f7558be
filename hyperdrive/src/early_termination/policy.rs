//! The choice of a policy, as it stands in a specification.

use serde::{Deserialize, Serialize};

use super::decide::{EarlyTermination, Never};
use super::median::MedianStopping;
use crate::error::StudyError;

/// Which policy stops trials early.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum EarlyTerminationPolicy {
    /// None: every trial goes where it was to go.
    None,
    /// Stops a trial whose best value so far is worse than the median of the running averages of all trials at the
    /// same rung.
    MedianStopping {
        /// Applied at every so many of the trial's reports, at least 1. Default 1.
        #[serde(default = "default_interval")]
        evaluation_interval: u32,
        /// Not applied before this many reports of the trial. Default 0.
        #[serde(default)]
        delay_evaluation: u32,
    },
}

fn default_interval() -> u32 {
    1
}

impl EarlyTerminationPolicy {
    /// The policy, for a specification that has passed its check.
    pub fn build(&self) -> Box<dyn EarlyTermination> {
        match *self {
            Self::None => Box::new(Never),
            Self::MedianStopping { evaluation_interval, delay_evaluation } => {
                Box::new(MedianStopping { evaluation_interval, delay_evaluation })
            }
        }
    }

    /// Checks its fields against their ranges.
    pub fn check(&self) -> Result<(), StudyError> {
        match self {
            Self::MedianStopping { evaluation_interval: 0, .. } => Err(StudyError::Spec {
                field: "early_termination.median_stopping.evaluation_interval".to_owned(),
                reason: "0 is less than 1".to_owned(),
            }),
            Self::None | Self::MedianStopping { .. } => Ok(()),
        }
    }

    /// An example of every variant: what the compliance suites go through.
    pub fn registered() -> Vec<Self> {
        vec![Self::None, Self::MedianStopping { evaluation_interval: 1, delay_evaluation: 0 }]
    }
}
