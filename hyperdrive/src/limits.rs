//! When it is all over, and in which order results are seen.

use serde::{Deserialize, Serialize};

use crate::error::StudyError;

/// When it is all over. A resume may revise every field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Trials started from new (those lost to crashes not counted). Default: no limit.
    pub max_trials: Option<u32>,
    /// Seconds of search, counted over all sittings. Default: no limit.
    pub search_seconds: Option<f64>,
    /// Seconds for each segment of a trial, after which it is scored with what it has. Has no meaning in ordered
    /// mode. Default: no limit.
    pub trial_seconds: Option<f64>,
    /// Segments under way at a time, at least 1. Default 1.
    pub max_concurrent: u32,
    /// L of ordered mode: suggestion n sees the results of segments up to n − L. At least 1, never derived from
    /// the number of cores. Default 8.
    pub lag: u32,
    /// How many times a segment is tried again after the process that ran it died. Default 1.
    pub max_retries: u32,
    /// Sum of the trials' cost, after which nothing new is started. Default: no limit.
    pub max_cost: Option<f64>,
    /// Finished trials in a row that are not the new best, at least 1, after which nothing new is started. Trials that
    /// are stopped or fail do not count. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_improvement: Option<u32>,
    /// Value of the first objective that is good enough: once the best trial has reached it, nothing new is started.
    /// Default: none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_trials: None,
            search_seconds: None,
            trial_seconds: None,
            max_concurrent: 1,
            lag: 8,
            max_retries: 1,
            max_cost: None,
            no_improvement: None,
            target: None,
        }
    }
}

/// In which order a sampler sees results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By segment number, `lag` behind: the same on any number of cores.
    Ordered {
        /// L: suggestion n sees segments up to n − L.
        lag: u32,
    },
    /// As they arrive.
    Arrival,
}

impl Limits {
    /// Ordered when a number of trials is asked for without a time; by arrival otherwise.
    pub fn order(&self) -> Order {
        if self.max_trials.is_some() && self.search_seconds.is_none() {
            Order::Ordered { lag: self.lag }
        } else {
            Order::Arrival
        }
    }

    /// How many segments may be under way at a time: in ordered mode at most the lag.
    pub fn slots(&self) -> usize {
        match self.order() {
            Order::Ordered { lag } => self.max_concurrent.min(lag) as usize,
            Order::Arrival => self.max_concurrent as usize,
        }
    }

    /// Checks every field against its range.
    pub fn check(&self) -> Result<(), StudyError> {
        let bad = |field: &str, reason: String| StudyError::Spec { field: format!("limits.{field}"), reason };
        let counts = [
            ("max_concurrent", Some(self.max_concurrent)),
            ("lag", Some(self.lag)),
            ("no_improvement", self.no_improvement),
        ];
        for (field, value) in counts {
            if value == Some(0) {
                return Err(bad(field, "0 is less than 1".to_owned()));
            }
        }
        for (field, value) in [
            ("search_seconds", self.search_seconds),
            ("trial_seconds", self.trial_seconds),
            ("max_cost", self.max_cost),
        ] {
            if let Some(x) = value
                && !(x.is_finite() && x >= 0.0)
            {
                return Err(bad(field, format!("{x} is not a finite number of at least 0")));
            }
        }
        match self.target {
            Some(x) if !x.is_finite() => Err(bad("target", format!("{x} is not a finite number"))),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordered_only_with_a_count_and_no_time() {
        let count = Limits { max_trials: Some(5), ..Limits::default() };
        assert_eq!(count.order(), Order::Ordered { lag: 8 });
        let both = Limits { search_seconds: Some(1.0), ..count.clone() };
        assert_eq!(both.order(), Order::Arrival);
        assert_eq!(Limits::default().order(), Order::Arrival);
        let wide = Limits { max_concurrent: 64, ..count };
        assert_eq!(wide.slots(), 8);
    }

    #[test]
    fn refuses_what_makes_no_sense() {
        let zero = Limits { lag: 0, ..Limits::default() };
        assert_eq!(zero.check().expect_err("zero").to_string(), "`limits.lag`: 0 is less than 1");
        let nan = Limits { trial_seconds: Some(f64::NAN), ..Limits::default() };
        assert!(nan.check().is_err());
        let never = Limits { no_improvement: Some(0), ..Limits::default() };
        assert_eq!(never.check().expect_err("zero").to_string(), "`limits.no_improvement`: 0 is less than 1");
        let far = Limits { target: Some(f64::INFINITY), ..Limits::default() };
        assert_eq!(far.check().expect_err("infinite").to_string(), "`limits.target`: inf is not a finite number");
        assert!(Limits::default().check().is_ok());
    }
}
