//! How a model was made, in full: what fits it again on other rows without a search.

use hyperdrive::{History, Params, TrialId};
use platform::{RegisteredVersion, Workspace};
use serde::{Deserialize, Serialize};
use trainers::{Algorithm, Blend, Fitted};

use super::refit::REFIT;
use crate::candidate::ALGORITHM;
use crate::error::AutoMlError;
use crate::fit::{FIT, replay};
use crate::search::Measured;

/// The format of a stored [`Recipe`].
pub const RECIPE_VERSION: u32 = 1;
/// The document under which a refit keeps its recipe.
pub(super) const RECIPE: &str = "recipe";

/// Members with their parameters and rounds, and how they are put together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Format, [`RECIPE_VERSION`].
    pub version: u32,
    /// The first layer, in the order of the model.
    pub members: Vec<RecipeMember>,
    /// The second layer, which may be empty.
    pub second: Vec<RecipeSecond>,
    /// How their voices are put together.
    pub blend: Blend,
    /// The probability at which a binary model says yes.
    pub threshold: Option<f64>,
}

/// One member of the first layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeMember {
    /// The trial it was, whose number keys its seed.
    pub trial: u32,
    /// Its algorithm.
    pub algorithm: String,
    /// Its parameters, algorithm included.
    pub params: Params,
    /// Rounds of boosting; 0 where none were learned.
    pub rounds: usize,
    /// Its share of the vote; 0 where only the second layer hears it.
    pub weight: f64,
}

/// One voice of the second layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeSecond {
    /// Its algorithm, with the parameters that a second layer has.
    pub algorithm: Algorithm,
    /// Its share of the vote.
    pub weight: f64,
    /// The members it hears, by position.
    pub inputs: Vec<usize>,
}

impl Recipe {
    /// The recipe of a registered model, from the run that made it: the journal of a fit, or what a refit kept.
    ///
    /// Errors: the run is of another kind, or what it recorded does not fit the model.
    pub fn of(workspace: &Workspace, version: &RegisteredVersion, fitted: &Fitted) -> Result<Self, AutoMlError> {
        let run = workspace.get_run(&version.run)?;
        match run.kind.as_str() {
            FIT => {
                let history = replay(workspace, &version.run)?;
                let history = history.ok_or_else(|| unknown(version, "its run has no journal"))?;
                Self::of_fit(workspace, version, fitted, &history)
            }
            REFIT => {
                let stored = workspace.get_document(&version.run, RECIPE)?;
                let stored = stored.ok_or_else(|| unknown(version, "its run kept no recipe"))?;
                serde_json::from_value(stored)
                    .map_err(|error| unknown(version, &format!("another version of automl wrote it: {error}")))
            }
            other => Err(unknown(version, &format!("run `{}` is a {other}", version.run))),
        }
    }

    /// A member is named after its trial; the journal has the parameters, the trial's run the rounds.
    fn of_fit(
        workspace: &Workspace,
        version: &RegisteredVersion,
        fitted: &Fitted,
        history: &History,
    ) -> Result<Self, AutoMlError> {
        let member = |member: &trainers::Member| {
            let lost = || unknown(version, &format!("its run has no trial `{}`", member.name));
            let (algorithm, number) = member.name.split_once(" #").ok_or_else(lost)?;
            let trial: u32 = number.parse().map_err(|_| lost())?;
            let params = &history.trial(TrialId(trial)).ok_or_else(lost)?.params;
            if params.text(ALGORITHM).ok() != Some(algorithm) {
                return Err(lost());
            }
            let measured = Measured::of(&workspace.get_run(&version.run.child(trial))?.metrics);
            Ok(RecipeMember {
                trial,
                algorithm: algorithm.to_owned(),
                params: params.clone(),
                rounds: measured.rounds.refit,
                weight: member.weight,
            })
        };
        let second = |voice: &trainers::Stacked| {
            let name = voice.name.strip_prefix("stacked ").unwrap_or(&voice.name);
            let algorithm = Algorithm::parse(name)
                .map_err(|_| unknown(version, &format!("there is no algorithm `{name}` for its second layer")))?;
            Ok(RecipeSecond { algorithm, weight: voice.weight, inputs: voice.inputs.clone() })
        };
        Ok(Self {
            version: RECIPE_VERSION,
            members: fitted.members.iter().map(member).collect::<Result<_, AutoMlError>>()?,
            second: fitted.stacked.iter().map(second).collect::<Result<_, AutoMlError>>()?,
            blend: fitted.blend,
            threshold: fitted.card.threshold,
        })
    }
}

fn unknown(version: &RegisteredVersion, reason: &str) -> AutoMlError {
    AutoMlError::NoModel {
        reason: format!("how {} was made is not known: {reason}", version.id()),
        hint: Some("fit anew".into()),
    }
}
