//! `AutoMl::refit`: the recipe of a registered model, fitted on new rows as its next version. Nothing is searched.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use datasets::ReadOptions;
use hyperdrive::History;
use platform::{ModelName, NewRun, NewVersion, RegisteredVersion, RunId, RunStatus};
use serde::{Deserialize, Serialize};
use trainers::{Fitted, Model};

use super::recipe::{RECIPE, Recipe};
use crate::clock::unix_ms;
use crate::conclude::Conclusion;
use crate::error::AutoMlError;
use crate::fit::{AutoMl, MODEL, Session, facts, spec_of, to_json};
use crate::guardrail::Check;
use crate::leaderboard::Score;
use crate::prepare::{Ledger, Prepared, located, prepare_frozen};
use crate::search::{self, Ground, Measured, Status};
use crate::spec::AutoMlSpec;

/// Kind of a run that fits a recipe again, in the workspace.
pub const REFIT: &str = "refit";
/// The format of [`Refitted`].
pub const REFITTED_VERSION: u32 = 1;
/// The document under which a [`Refitted`] is stored with its run.
const REFITTED: &str = "refitted";
/// Features may take this share of free memory.
const MEMORY_SHARE: f64 = 0.5;

/// Which model to fit again, on what.
#[derive(Debug, Clone, PartialEq)]
pub struct Refit {
    /// A registered model: `churn@1`, `churn@latest`, `churn`.
    pub model: String,
    /// The new rows, as training data are named.
    pub data: Vec<String>,
    /// The folder relative paths begin at; the current one when absent.
    pub folder: Option<String>,
    /// Name of the new version; the model's own when absent.
    pub name: Option<String>,
    /// Whether the recipe is scored out of fold on the new rows, at one fit more a fold. Default true.
    pub scored: bool,
    /// Computing threads.
    pub cores: usize,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refitted {
    /// Format, [`REFITTED_VERSION`].
    pub version: u32,
    /// The run.
    pub run: String,
    /// The new version, `churn@2`.
    pub model: String,
    /// The version whose recipe it is.
    pub from: String,
    /// The run that made that.
    pub from_run: String,
    /// Where the rows were read from.
    pub source: Vec<String>,
    /// SHA-256 of the bytes read, in hex.
    pub data_sha256: String,
    /// That of the rows the recipe was found on.
    pub from_data_sha256: String,
    /// Rows and columns in and used.
    pub ledger: Ledger,
    /// The guardrails that look at rows.
    pub checks: Vec<Check>,
    /// What was fitted.
    pub recipe: Recipe,
    /// Its score on rows it was not fitted on; none where that was not asked for.
    pub score: Option<Score>,
    /// The earlier version's scores, on the earlier data.
    pub from_scores: BTreeMap<String, f64>,
    /// Which rows it was fitted on and what its scores are from, in words.
    pub trained_on: String,
    /// Size of the model file.
    pub bytes: u64,
    /// SHA-256 of the model file, in hex.
    pub sha256: String,
    /// Seconds used.
    pub used_seconds: f64,
}

impl AutoMl {
    /// Fits the recipe of a registered model on new rows, which must have its columns and classes, and registers what
    /// comes of it as the next version.
    ///
    /// Errors: the model is unknown or how it was made is not; a column is missing or of another kind; a class is new.
    pub fn refit(request: &Refit, session: &mut Session<'_>) -> Result<Refitted, AutoMlError> {
        let workspace = session.workspace;
        let version = workspace.resolve_model(&request.model)?;
        let earlier = trainers::from_bytes(&workspace.model_bytes(&version)?)?;
        let recipe = Recipe::of(workspace, &version, &earlier)?;
        let mut spec = spec_of(&workspace.get_run(&version.run)?, &version.run)?;
        spec.train.clone_from(&request.data);
        spec.folder.clone_from(&request.folder);
        spec.name = Some(request.name.clone().unwrap_or_else(|| version.name.to_string()));
        spec.test = None;
        spec.budget.cores = request.cores;
        let sources: Vec<String> = spec.train.iter().map(|s| located(s, spec.folder.as_deref())).collect();
        let raw = datasets::open(&sources, &ReadOptions::default())?;
        let prepared = Arc::new(prepare_frozen(&spec, &earlier.card, &raw)?);
        let run = workspace.new_run_id(&spec.model_name())?;
        let mut tags = facts(&spec, &prepared, session);
        tags.extend(lineage(&version));
        workspace.create_run(&NewRun {
            id: run.clone(),
            parent: None,
            kind: REFIT.into(),
            name: spec.model_name(),
            spec: to_json(&spec),
            tags,
            started_ms: unix_ms(),
        })?;
        let _lock = workspace.try_lock_run(&run)?;
        let result =
            Sitting { spec: &spec, prepared, run: run.clone(), version, recipe, scored: request.scored }.run(session);
        let status = if result.is_ok() { RunStatus::Finished } else { RunStatus::Failed };
        let set = workspace.set_status(&run, status, Some(unix_ms()));
        let refitted = result?;
        set?;
        Ok(refitted)
    }
}

/// Where the recipe comes from.
fn lineage(version: &RegisteredVersion) -> BTreeMap<String, String> {
    [
        ("from.model", version.id().to_string()),
        ("from.run", version.run.to_string()),
        ("from.data_sha256", version.data_hash.clone()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

struct Sitting<'a> {
    spec: &'a AutoMlSpec,
    prepared: Arc<Prepared>,
    run: RunId,
    version: RegisteredVersion,
    recipe: Recipe,
    scored: bool,
}

impl Sitting<'_> {
    fn run(self, session: &Session<'_>) -> Result<Refitted, AutoMlError> {
        let study = search::study(self.spec, &self.prepared, None);
        let free = platform::host_facts().free_memory_bytes;
        let memory = self.spec.budget.memory.map_or((free as f64 * MEMORY_SHARE) as u64, |asked| asked.0);
        let ground = Ground::new(
            self.prepared.clone(),
            Arc::new(Status::default()),
            session.clock,
            memory,
            self.spec.budget.memory.is_some(),
            true,
            Box::new(|_, _, _| Ok(())),
        );
        let remade = Conclusion {
            spec: self.spec,
            prepared: &self.prepared,
            ground: &ground,
            history: &History::new(&study),
            clock: session.clock,
            until: None,
            stop: &AtomicBool::new(false),
            load: &|_| Ok(Vec::new()),
            measured: &|_| Ok(Measured::default()),
            looks: 0,
        }
        .remake(&self.recipe, &self.version.id().to_string(), self.scored)?;
        self.save(session, &remade.fitted, remade.score)
    }

    /// Stores the model with its lineage, durably.
    fn save(self, session: &Session<'_>, fitted: &Fitted, score: Option<Score>) -> Result<Refitted, AutoMlError> {
        let workspace = session.workspace;
        let bytes = fitted.save()?;
        let artifact = workspace.put_artifact(&self.run, MODEL, &bytes)?;
        workspace.set_document(&self.run, RECIPE, &to_json(&self.recipe))?;
        let from = self.version.id().to_string();
        let (metrics, source) = match &score {
            Some(score) => {
                let mut metrics = BTreeMap::from([(score.metric.clone(), score.value)]);
                metrics.extend(score.others.clone());
                (metrics, score.source.clone())
            }
            None => (self.version.metrics.clone(), format!("the earlier data ({from})")),
        };
        let mut tags = lineage(&self.version);
        tags.extend([
            ("task".into(), self.prepared.task().to_string()),
            ("score_source".into(), source),
            ("trained_on".into(), fitted.card.trained_on.clone()),
        ]);
        let registered = workspace.register(&NewVersion {
            name: ModelName::parse(&self.spec.model_name())?,
            run: self.run.clone(),
            sha256: artifact.sha256.clone(),
            size: artifact.size,
            data_hash: self.prepared.data_hash.clone(),
            schema: to_json(&self.prepared.schema),
            metrics,
            tags,
            created_ms: unix_ms(),
        })?;
        if let Some(score) = &score {
            workspace.log_metrics(&self.run, &[(score.metric.as_str(), score.value)], 0, unix_ms())?;
        }
        let refitted = Refitted {
            version: REFITTED_VERSION,
            run: self.run.to_string(),
            model: registered.id().to_string(),
            from,
            from_run: self.version.run.to_string(),
            source: self.spec.train.clone(),
            data_sha256: self.prepared.data_hash.clone(),
            from_data_sha256: self.version.data_hash,
            ledger: self.prepared.ledger.clone(),
            checks: self.prepared.checks.clone(),
            recipe: self.recipe,
            score,
            from_scores: self.version.metrics,
            trained_on: fitted.card.trained_on.clone(),
            bytes: artifact.size,
            sha256: artifact.sha256,
            used_seconds: session.clock.seconds(),
        };
        workspace.set_document(&self.run, REFITTED, &to_json(&refitted))?;
        Ok(refitted)
    }
}
