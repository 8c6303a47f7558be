//! The choice of a policy, as it stands in a specification.

use serde::{Deserialize, Serialize};

use super::bandit::{Bandit, Slack};
use super::decide::{EarlyTermination, Never};
use super::halving::SuccessiveHalving;
use super::median::MedianStopping;
use super::patience::Patience;
use super::schedule::Schedule;
use super::threshold::Threshold;
use super::truncation::TruncationSelection;
use crate::error::{JournalError, StudyError};
use crate::journal::finite;

/// Which policy stops trials early.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum EarlyTerminationPolicy {
    /// None: every trial goes where it was to go.
    None,
    /// Stops a trial whose best value so far is further behind the best of all at the same rung than the slack.
    Bandit {
        /// How far behind it may be.
        slack: Slack,
        /// Applied at every so many of the trial's reports, at least 1. Default 1.
        #[serde(default = "default_interval")]
        evaluation_interval: u32,
        /// Not applied before this many reports of the trial. Default 0.
        #[serde(default)]
        delay_evaluation: u32,
    },
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
    /// Stops a trial whose value is among the worst of all at the same rung.
    TruncationSelection {
        /// How many percent of the trials, 1 to 99.
        truncation_percentage: u32,
        /// Applied at every so many of the trial's reports, at least 1. Default 1.
        #[serde(default = "default_interval")]
        evaluation_interval: u32,
        /// Not applied before this many reports of the trial. Default 0.
        #[serde(default)]
        delay_evaluation: u32,
    },
    /// Stops a trial that no longer improves on its own best value.
    Patience {
        /// How many reports without improvement, at least 1.
        patience: u32,
        /// By how much the value must become better to have improved, at least 0. Default 0.
        #[serde(default)]
        min_delta: f64,
        /// Applied at every so many of the trial's reports, at least 1. Default 1.
        #[serde(default = "default_interval")]
        evaluation_interval: u32,
        /// Not applied before this many reports of the trial. Default 0.
        #[serde(default)]
        delay_evaluation: u32,
    },
    /// Stops a trial whose value leaves a range. At least one bound is needed.
    Threshold {
        /// The least it may report. Default: no bound.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lower: Option<f64>,
        /// The most it may report. Default: no bound.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        upper: Option<f64>,
        /// Applied at every so many of the trial's reports, at least 1. Default 1.
        #[serde(default = "default_interval")]
        evaluation_interval: u32,
        /// Not applied before this many reports of the trial. Default 0.
        #[serde(default)]
        delay_evaluation: u32,
    },
    /// Asynchronous successive halving that stops: at each rung a trial runs on only where it is among the best
    /// 1 / `reduction_factor` so far. For trials that cannot be paused; see the sampler `asha` for those that can.
    SuccessiveHalving {
        /// η, at least 2. Default 3.
        #[serde(default = "default_reduction_factor")]
        reduction_factor: u32,
        /// The first report it is applied at, at least 1; for a script's own reports those of number
        /// `first_report`·η^i follow, on a ladder of rungs all. Default 1.
        #[serde(default = "default_interval")]
        first_report: u32,
    },
}

fn default_interval() -> u32 {
    1
}

fn default_reduction_factor() -> u32 {
    3
}

impl EarlyTerminationPolicy {
    /// The policy, for a specification that has passed its check.
    pub fn build(&self) -> Box<dyn EarlyTermination> {
        let schedule = self.schedule();
        match *self {
            Self::None => Box::new(Never),
            Self::Bandit { slack, .. } => Box::new(Bandit::new(slack, schedule)),
            Self::MedianStopping { .. } => Box::new(MedianStopping::new(schedule)),
            Self::TruncationSelection { truncation_percentage, .. } => {
                Box::new(TruncationSelection::new(truncation_percentage, schedule))
            }
            Self::Patience { patience, min_delta, .. } => Box::new(Patience { reports: patience, min_delta, schedule }),
            Self::Threshold { lower, upper, .. } => Box::new(Threshold { lower, upper, schedule }),
            Self::SuccessiveHalving { reduction_factor, first_report } => {
                Box::new(SuccessiveHalving::new(reduction_factor, first_report))
            }
        }
    }

    /// When it is applied; always, for what has no schedule of its own.
    fn schedule(&self) -> Schedule {
        match *self {
            Self::Bandit { evaluation_interval, delay_evaluation, .. }
            | Self::MedianStopping { evaluation_interval, delay_evaluation }
            | Self::TruncationSelection { evaluation_interval, delay_evaluation, .. }
            | Self::Patience { evaluation_interval, delay_evaluation, .. }
            | Self::Threshold { evaluation_interval, delay_evaluation, .. } => {
                Schedule { evaluation_interval, delay_evaluation }
            }
            Self::None | Self::SuccessiveHalving { .. } => Schedule { evaluation_interval: 1, delay_evaluation: 0 },
        }
    }

    /// What it is called in a specification.
    fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bandit { .. } => "bandit",
            Self::MedianStopping { .. } => "median_stopping",
            Self::TruncationSelection { .. } => "truncation_selection",
            Self::Patience { .. } => "patience",
            Self::Threshold { .. } => "threshold",
            Self::SuccessiveHalving { .. } => "successive_halving",
        }
    }

    /// Checks its fields against their ranges.
    pub fn check(&self) -> Result<(), StudyError> {
        let bad = |field: &str, reason: String| {
            Err(StudyError::Spec { field: format!("early_termination.{}{field}", self.name()), reason })
        };
        if self.schedule().evaluation_interval == 0 {
            return bad(".evaluation_interval", "0 is less than 1".to_owned());
        }
        match *self {
            Self::Bandit { slack, .. } if !(slack.figure() >= 0.0 && slack.figure().is_finite()) => {
                bad(".slack", format!("{} is not a finite number of at least 0", slack.figure()))
            }
            Self::TruncationSelection { truncation_percentage, .. } if !(1..=99).contains(&truncation_percentage) => {
                bad(".truncation_percentage", format!("{truncation_percentage} is not between 1 and 99"))
            }
            Self::Patience { patience: 0, .. } => bad(".patience", "0 is less than 1".to_owned()),
            Self::Patience { min_delta, .. } if !(min_delta >= 0.0 && min_delta.is_finite()) => {
                bad(".min_delta", format!("{min_delta} is not a finite number of at least 0"))
            }
            Self::Threshold { lower: None, upper: None, .. } => {
                bad("", "it has neither a lower nor an upper bound".to_owned())
            }
            Self::Threshold { lower, upper, .. } if lower.into_iter().chain(upper).any(|bound| !bound.is_finite()) => {
                bad("", "a bound is not finite; leave out the one that is not needed".to_owned())
            }
            Self::Threshold { lower: Some(lower), upper: Some(upper), .. } if lower > upper => {
                bad(".lower", format!("{lower} is above `upper`, which is {upper}"))
            }
            Self::SuccessiveHalving { reduction_factor: factor @ 0..=1, .. } => {
                bad(".reduction_factor", format!("{factor} is less than 2"))
            }
            Self::SuccessiveHalving { first_report: 0, .. } => bad(".first_report", "0 is less than 1".to_owned()),
            _ => Ok(()),
        }
    }

    /// An example of every variant: what the compliance suites go through.
    pub fn registered() -> Vec<Self> {
        let (evaluation_interval, delay_evaluation) = (1, 0);
        let bandit = |slack| Self::Bandit { slack, evaluation_interval, delay_evaluation };
        vec![
            Self::None,
            bandit(Slack::Factor(0.5)),
            bandit(Slack::Amount(0.1)),
            Self::MedianStopping { evaluation_interval, delay_evaluation },
            Self::TruncationSelection { truncation_percentage: 40, evaluation_interval, delay_evaluation: 2 },
            Self::Patience { patience: 1, min_delta: 0.01, evaluation_interval, delay_evaluation },
            Self::Threshold { lower: None, upper: Some(0.6), evaluation_interval, delay_evaluation },
            Self::SuccessiveHalving { reduction_factor: 2, first_report: 1 },
        ]
    }

    pub(crate) fn check_finite(&self) -> Result<(), JournalError> {
        match *self {
            Self::Bandit { slack, .. } => finite("early_termination.slack", slack.figure()),
            Self::Patience { min_delta, .. } => finite("early_termination.min_delta", min_delta),
            Self::Threshold { lower, upper, .. } => {
                lower.into_iter().chain(upper).try_for_each(|bound| finite("early_termination.threshold", bound))
            }
            Self::None
            | Self::MedianStopping { .. }
            | Self::TruncationSelection { .. }
            | Self::SuccessiveHalving { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> EarlyTerminationPolicy {
        serde_json::from_str(text).expect("it parses")
    }

    #[test]
    fn fields_have_defaults() {
        let slack = Slack::Factor(0.2);
        assert_eq!(
            parse(r#"{"bandit":{"slack":{"factor":0.2}}}"#),
            EarlyTerminationPolicy::Bandit { slack, evaluation_interval: 1, delay_evaluation: 0 }
        );
        assert_eq!(
            parse(r#"{"successive_halving":{}}"#),
            EarlyTerminationPolicy::SuccessiveHalving { reduction_factor: 3, first_report: 1 }
        );
        for policy in EarlyTerminationPolicy::registered() {
            policy.check().expect("an example is sound");
            assert_eq!(parse(&serde_json::to_string(&policy).expect("it serialises")), policy);
        }
    }

    #[test]
    fn refusals_name_the_field() {
        let refused = |text: &str| parse(text).check().expect_err("it should be refused").to_string();
        assert_eq!(
            refused(r#"{"bandit":{"slack":{"amount":-1.0}}}"#),
            "`early_termination.bandit.slack`: -1 is not a finite number of at least 0"
        );
        assert_eq!(
            refused(r#"{"truncation_selection":{"truncation_percentage":100}}"#),
            "`early_termination.truncation_selection.truncation_percentage`: 100 is not between 1 and 99"
        );
        assert_eq!(
            refused(r#"{"median_stopping":{"evaluation_interval":0}}"#),
            "`early_termination.median_stopping.evaluation_interval`: 0 is less than 1"
        );
        assert_eq!(
            refused(r#"{"threshold":{}}"#),
            "`early_termination.threshold`: it has neither a lower nor an upper bound"
        );
        assert_eq!(
            refused(r#"{"threshold":{"lower":2.0,"upper":1.0}}"#),
            "`early_termination.threshold.lower`: 2 is above `upper`, which is 1"
        );
        assert_eq!(
            refused(r#"{"successive_halving":{"reduction_factor":1}}"#),
            "`early_termination.successive_halving.reduction_factor`: 1 is less than 2"
        );
    }
}
