//! The specification of a study.

use serde::{Deserialize, Serialize};

use crate::early_termination::EarlyTerminationPolicy;
use crate::error::{JournalError, StudyError};
use crate::journal::finite;
use crate::limits::Limits;
use crate::params::Params;
use crate::sampler::SamplingAlgorithm;
use crate::space::Space;
use crate::trial::{Fidelity, Goal, Objective, Rung};

/// Rungs a ladder of fidelities may have at most: each is a journaled report.
pub const MAX_RUNGS: usize = 32;

/// The steps at which trials report and their values compare.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ladder {
    /// Known fractions of a full evaluation, from cheap to full; 1 to [`MAX_RUNGS`], none less than the one before.
    Rungs(Vec<Fidelity>),
    /// Reports of a script that says what it likes how often it likes: its k-th is rung k − 1, and the top rung is
    /// its end. Nothing can be paused on the way.
    Reports,
}

impl Ladder {
    /// A single rung: every trial is a full evaluation.
    pub fn single() -> Self {
        Self::Rungs(vec![Fidelity { rows: 1.0, folds: 1, work: 1.0 }])
    }

    /// The rung at which a trial is finished.
    pub fn top(&self) -> Rung {
        match self {
            Self::Rungs(rungs) => Rung(rungs.len().saturating_sub(1) as u16),
            Self::Reports => Rung(u16::MAX),
        }
    }

    /// The known fractions; none for a script's own reports.
    pub fn rungs(&self) -> &[Fidelity] {
        match self {
            Self::Rungs(rungs) => rungs,
            Self::Reports => &[],
        }
    }
}

/// A result from before the study, such as another study's: samplers with a model learn from it, and it is no trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// A point of the space.
    pub params: Params,
    /// What it achieved, one finite value for each objective.
    pub values: Vec<f64>,
}

/// A whole study: five independent choices, the ladder they share and a seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudySpec {
    /// What can be tried.
    pub search_space: Space,
    /// What is to be made large or small; the first decides rank and early termination. At least one.
    pub objectives: Vec<Objective>,
    /// What to try next, and how far.
    pub sampling_algorithm: SamplingAlgorithm,
    /// Whether a running trial is still worth it.
    pub early_termination: EarlyTerminationPolicy,
    /// When it is all over.
    pub limits: Limits,
    /// The steps at which trials report.
    pub ladder: Ladder,
    /// Results from before the study.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<Known>,
    /// All randomness is keyed by this.
    pub seed: u64,
}

impl StudySpec {
    /// The rung at which a trial is finished.
    pub fn top(&self) -> Rung {
        self.ladder.top()
    }

    /// Which way the first objective goes.
    pub fn goal(&self) -> Goal {
        self.objectives.first().map_or(Goal::Maximize, |objective| objective.goal)
    }

    /// Checks every field against its range and against the others.
    pub fn check(&self) -> Result<(), StudyError> {
        self.search_space.check()?;
        self.limits.check()?;
        self.check_objectives()?;
        self.check_ladder()?;
        self.check_known()?;
        self.sampling_algorithm.check(self)?;
        self.early_termination.check()
    }

    /// Whether `other` is the same study, its limits apart, in a space that is the same or more.
    pub(crate) fn check_same(&self, other: &Self) -> Result<(), StudyError> {
        let same = [
            ("objectives", self.objectives == other.objectives),
            ("sampling_algorithm", self.sampling_algorithm == other.sampling_algorithm),
            ("early_termination", self.early_termination == other.early_termination),
            ("ladder", self.ladder == other.ladder),
            ("known", self.known == other.known),
            ("seed", self.seed == other.seed),
        ];
        match same.into_iter().find(|(_, same)| !same) {
            Some((field, _)) => Err(StudyError::Changed { field }),
            None => other.search_space.extends(&self.search_space),
        }
    }

    pub(crate) fn check_finite(&self) -> Result<(), JournalError> {
        self.search_space.check_finite()?;
        self.sampling_algorithm.check_finite()?;
        self.early_termination.check_finite()?;
        self.limits.check_finite()?;
        for known in &self.known {
            known.params.check_finite()?;
            known.values.iter().try_for_each(|&x| finite("known.values", x))?;
        }
        self.ladder.rungs().iter().try_for_each(|rung| {
            finite("ladder.rows", rung.rows)?;
            finite("ladder.work", rung.work)
        })
    }

    fn check_objectives(&self) -> Result<(), StudyError> {
        let bad = |reason: String| StudyError::Spec { field: "objectives".to_owned(), reason };
        if self.objectives.is_empty() {
            return Err(bad("there is none".to_owned()));
        }
        for (i, objective) in self.objectives.iter().enumerate() {
            if self.objectives[..i].iter().any(|earlier| earlier.metric == objective.metric) {
                return Err(bad(format!("`{}` is there twice", objective.metric)));
            }
        }
        Ok(())
    }

    fn check_known(&self) -> Result<(), StudyError> {
        for (i, known) in self.known.iter().enumerate() {
            let bad = |reason: String| StudyError::Spec { field: format!("known[{i}]"), reason };
            self.search_space.contains(&known.params).map_err(|error| bad(error.to_string()))?;
            let (values, objectives) = (known.values.len(), self.objectives.len());
            if values != objectives {
                return Err(bad(format!("{values} values for {objectives} objectives")));
            }
        }
        Ok(())
    }

    fn check_ladder(&self) -> Result<(), StudyError> {
        let bad = |reason: String| StudyError::Spec { field: "ladder".to_owned(), reason };
        let Ladder::Rungs(ladder) = &self.ladder else {
            return Ok(());
        };
        if ladder.is_empty() || ladder.len() > MAX_RUNGS {
            return Err(bad(format!("{} rungs are not between 1 and {MAX_RUNGS}", ladder.len())));
        }
        for (i, rung) in ladder.iter().enumerate() {
            for (name, x) in [("rows", rung.rows), ("work", rung.work)] {
                if !(x > 0.0 && x <= 1.0) {
                    return Err(bad(format!("{name} of rung {i} is {x}, not above 0 and at most 1")));
                }
            }
            if rung.folds == 0 {
                return Err(bad(format!("rung {i} has no folds")));
            }
        }
        for (i, pair) in ladder.windows(2).enumerate() {
            let [low, high] = [pair[0], pair[1]];
            let climbs = low.rows <= high.rows && low.folds <= high.folds && low.work <= high.work && low != high;
            if !climbs {
                return Err(bad(format!("rung {} is not more than rung {i}", i + 1)));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::example_study;
    use crate::space::Dimension;

    fn refused(change: impl FnOnce(&mut StudySpec)) -> String {
        let mut spec = example_study(1);
        change(&mut spec);
        spec.check().expect_err("should be refused").to_string()
    }

    #[test]
    fn the_example_is_sound_and_survives_json() {
        let spec = example_study(1);
        spec.check().expect("sound");
        let text = serde_json::to_string(&spec).expect("serialises");
        assert_eq!(serde_json::from_str::<StudySpec>(&text).expect("parses"), spec);
        let unknown = text.replacen("\"seed\"", "\"sed\":1,\"seed\"", 1);
        assert!(serde_json::from_str::<StudySpec>(&unknown).is_err());
    }

    fn change(spec: &mut StudySpec, change: impl FnOnce(&mut Vec<Fidelity>)) {
        let mut rungs = spec.ladder.rungs().to_vec();
        change(&mut rungs);
        spec.ladder = Ladder::Rungs(rungs);
    }

    #[test]
    fn refusals_name_the_field() {
        assert_eq!(refused(|spec| spec.objectives.clear()), "`objectives`: there is none");
        assert_eq!(
            refused(|spec| spec.objectives.push(spec.objectives[0].clone())),
            "`objectives`: `loss` is there twice"
        );
        assert_eq!(
            refused(|spec| spec.ladder = Ladder::Rungs(Vec::new())),
            "`ladder`: 0 rungs are not between 1 and 32"
        );
        assert_eq!(refused(|spec| change(spec, |rungs| rungs.reverse())), "`ladder`: rung 1 is not more than rung 0");
        assert_eq!(
            refused(|spec| change(spec, |rungs| rungs[0].rows = f64::NAN)),
            "`ladder`: rows of rung 0 is NaN, not above 0 and at most 1"
        );
    }

    #[test]
    fn only_the_limits_may_differ_and_the_space_grow() {
        let spec = example_study(1);
        let mut other = spec.clone();
        other.limits.max_trials = Some(1_000);
        other.search_space.dimensions[0] = Dimension::float("x", -2.0, 1.0);
        spec.check_same(&other).expect("limits may differ, and a range be wider");
        let error = other.check_same(&spec).expect_err("a range is narrower").to_string();
        assert_eq!(
            error,
            "dimension `x`: a real number from -1 to 1 is less than the study had, a real number from -2 to 1"
        );
        other.seed = 2;
        assert!(matches!(spec.check_same(&other), Err(StudyError::Changed { field: "seed" })));
    }
}
