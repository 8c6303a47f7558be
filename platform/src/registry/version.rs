//! Versions of models.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::artifact::{check_stored, load};
use crate::error::PlatformError;
use crate::ids::{ModelName, ModelVersion, RunId, check_alias};
use crate::nearest::nearest;
use crate::store::{Durability, Fault};
use crate::tracking::{check_run, parse_json};
use crate::workspace::Workspace;

/// A version to be registered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewVersion {
    /// The model; it is made with its first version.
    pub name: ModelName,
    /// The run that made it.
    pub run: RunId,
    /// SHA-256 of the model file, which was put as an artifact before.
    pub sha256: String,
    /// Length of the model file in bytes.
    pub size: u64,
    /// Hash of the data that it was trained on.
    pub data_hash: String,
    /// The columns that it takes, versioned by their writer.
    pub schema: Value,
    /// Its scores.
    pub metrics: BTreeMap<String, f64>,
    /// Free labels.
    pub tags: BTreeMap<String, String>,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
}

/// A registered version of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisteredVersion {
    /// The model.
    pub name: ModelName,
    /// Its version, from 1 without gaps.
    pub version: u32,
    /// Names that point at this version, in order; without `latest`, which every model has.
    pub aliases: Vec<String>,
    /// Free labels.
    pub tags: BTreeMap<String, String>,
    /// The run that made it.
    pub run: RunId,
    /// Hash of the data that it was trained on.
    pub data_hash: String,
    /// The columns that it takes, versioned by their writer.
    pub schema: Value,
    /// Its scores.
    pub metrics: BTreeMap<String, f64>,
    /// SHA-256 of the model file.
    pub sha256: String,
    /// Length of the model file in bytes.
    pub size: u64,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
}

impl RegisteredVersion {
    /// Name and version, written `churn@1`.
    pub fn id(&self) -> ModelVersion {
        ModelVersion { name: self.name.clone(), version: self.version }
    }
}

impl Workspace {
    /// Registers a model file as the next version of its name. It survives the loss of power.
    ///
    /// Errors: [`PlatformError::UnknownRun`]; [`PlatformError::CorruptArtifact`] if bytes of this hash and size
    /// were never put; [`PlatformError::Invalid`] if a metric is not finite.
    pub fn register(&self, version: &NewVersion) -> Result<RegisteredVersion, PlatformError> {
        if let Some((key, value)) = version.metrics.iter().find(|(_, value)| !value.is_finite()) {
            return Err(PlatformError::invalid("metric", key, format!("is {value}, not finite")));
        }
        check_stored(self, version.name.as_str(), &version.sha256, version.size)?;
        self.store().write("registering a model", Durability::Power, |transaction| {
            check_run(transaction, &version.run)?;
            let number = latest(transaction, &version.name)?.unwrap_or(0) + 1;
            transaction
                .prepare_cached(
                    "INSERT INTO model_version
                     (name, version, run, data_hash, schema, metrics, tags, sha256, size, created_ms)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                )?
                .execute((
                    version.name.as_str(),
                    number,
                    version.run.as_str(),
                    &version.data_hash,
                    version.schema.to_string(),
                    to_json("the metrics of a model", &version.metrics)?,
                    to_json("the tags of a model", &version.tags)?,
                    &version.sha256,
                    version.size as i64,
                    version.created_ms,
                ))?;
            read(transaction, &version.name, number)
        })
    }

    /// The version that a reference means: `churn@1`, `churn@champion` (an alias), `churn@latest`, or `churn`,
    /// which is the latest.
    ///
    /// Errors: [`PlatformError::UnknownModel`] with the nearest name; [`PlatformError::UnknownVersion`] with what
    /// there is; [`PlatformError::Invalid`].
    pub fn resolve_model(&self, reference: &str) -> Result<RegisteredVersion, PlatformError> {
        let (name, wanted) = reference.split_once('@').unwrap_or((reference, "latest"));
        let name = ModelName::parse(name)?;
        self.store().read("finding a model", |connection| {
            let Some(latest) = latest(connection, &name)? else {
                return Err(unknown_model(connection, &name)?);
            };
            let number = match wanted {
                "latest" => Some(latest),
                _ => match wanted.parse::<u32>() {
                    Ok(number) => (1..=latest).contains(&number).then_some(number),
                    Err(_) => connection
                        .prepare_cached("SELECT version FROM model_alias WHERE name = ?1 AND alias = ?2")?
                        .query_row((name.as_str(), wanted), |row| row.get(0))
                        .optional()?,
                },
            };
            match number {
                Some(number) => read(connection, &name, number),
                None => Err(unknown_version(connection, &name, wanted, latest)?),
            }
        })
    }

    /// The model file of a version, verified. Errors: [`PlatformError::CorruptArtifact`].
    pub fn model_bytes(&self, version: &RegisteredVersion) -> Result<Vec<u8>, PlatformError> {
        load(self, &version.id().to_string(), &version.sha256, version.size)
    }

    /// Every version of every model, by name and then version.
    pub fn list_models(&self) -> Result<Vec<RegisteredVersion>, PlatformError> {
        self.store().read("listing models", |connection| {
            let rows = connection
                .prepare_cached(&format!("SELECT {COLUMNS} FROM model_version ORDER BY name, version"))?
                .query_map([], stored)?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            rows.into_iter().map(|row| complete(connection, row)).collect()
        })
    }

    /// Points an alias at a version; if it pointed at another one, it leaves that.
    ///
    /// Errors: [`PlatformError::Invalid`] for a number or `latest`; [`PlatformError::UnknownModel`];
    /// [`PlatformError::UnknownVersion`].
    pub fn set_alias(&self, name: &ModelName, alias: &str, version: u32) -> Result<(), PlatformError> {
        check_alias(alias)?;
        self.store().write("setting an alias", Durability::Power, |transaction| {
            let Some(latest) = latest(transaction, name)? else {
                return Err(unknown_model(transaction, name)?);
            };
            if !(1..=latest).contains(&version) {
                return Err(unknown_version(transaction, name, &version.to_string(), latest)?);
            }
            transaction
                .prepare_cached("INSERT OR REPLACE INTO model_alias (name, alias, version) VALUES (?1, ?2, ?3)")?
                .execute((name.as_str(), alias, version))?;
            Ok(())
        })
    }
}

/// The highest version; `None` where the model has none.
fn latest(connection: &Connection, name: &ModelName) -> rusqlite::Result<Option<u32>> {
    connection
        .prepare_cached("SELECT max(version) FROM model_version WHERE name = ?1")?
        .query_row([name.as_str()], |row| row.get(0))
}

fn unknown_model(connection: &Connection, name: &ModelName) -> Result<Fault, Fault> {
    let names = connection
        .prepare_cached("SELECT DISTINCT name FROM model_version ORDER BY name")?
        .query_map([], |row| row.get::<_, String>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let nearest = nearest(name.as_str(), names.iter().map(String::as_str));
    Ok(PlatformError::UnknownModel { name: name.to_string(), nearest }.into())
}

fn unknown_version(connection: &Connection, name: &ModelName, version: &str, latest: u32) -> Result<Fault, Fault> {
    let mut known = vec![if latest == 1 { "1".to_owned() } else { format!("1 to {latest}") }];
    let aliases = connection
        .prepare_cached("SELECT alias FROM model_alias WHERE name = ?1 ORDER BY alias")?
        .query_map([name.as_str()], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<String>>>()?;
    known.extend(aliases);
    Ok(PlatformError::UnknownVersion { name: name.to_string(), version: version.to_owned(), known }.into())
}

/// The columns that [`stored`] reads, in its order.
const COLUMNS: &str = "name, version, run, data_hash, schema, metrics, tags, sha256, size, created_ms";

/// A row of the registry, its names and JSON unchecked.
struct Stored {
    name: String,
    version: u32,
    run: String,
    data_hash: String,
    schema: String,
    metrics: String,
    tags: String,
    sha256: String,
    size: i64,
    created_ms: i64,
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        name: row.get(0)?,
        version: row.get(1)?,
        run: row.get(2)?,
        data_hash: row.get(3)?,
        schema: row.get(4)?,
        metrics: row.get(5)?,
        tags: row.get(6)?,
        sha256: row.get(7)?,
        size: row.get(8)?,
        created_ms: row.get(9)?,
    })
}

fn read(connection: &Connection, name: &ModelName, version: u32) -> Result<RegisteredVersion, Fault> {
    let row = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM model_version WHERE name = ?1 AND version = ?2"))?
        .query_row((name.as_str(), version), stored)?;
    complete(connection, row)
}

/// Checks a row, and adds its aliases.
fn complete(connection: &Connection, row: Stored) -> Result<RegisteredVersion, Fault> {
    let aliases = connection
        .prepare_cached("SELECT alias FROM model_alias WHERE name = ?1 AND version = ?2 ORDER BY alias")?
        .query_map((&row.name, row.version), |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let what = |part: &str| format!("the {part} of model `{}@{}`", row.name, row.version);
    Ok(RegisteredVersion {
        schema: parse_json(&row.schema, || what("schema"))?,
        metrics: parse_json(&row.metrics, || what("metrics"))?,
        tags: parse_json(&row.tags, || what("tags"))?,
        name: ModelName::parse(&row.name)?,
        version: row.version,
        aliases,
        run: RunId::parse(&row.run)?,
        data_hash: row.data_hash,
        sha256: row.sha256,
        size: row.size as u64,
        created_ms: row.created_ms,
    })
}

fn to_json(what: &str, value: &impl Serialize) -> Result<String, PlatformError> {
    serde_json::to_string(value).map_err(|source| PlatformError::Json { what: what.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{new_run, workspace};
    use serde_json::json;

    /// Registers `bytes` under `name`.
    fn register(workspace: &Workspace, name: &str, bytes: &[u8]) -> RegisteredVersion {
        let run = workspace.new_run_id(name).expect("an id");
        workspace.create_run(&new_run(&run, None, "fit")).expect("a run");
        let artifact = workspace.put_artifact(&run, "model", bytes).expect("an artifact");
        workspace
            .register(&NewVersion {
                name: ModelName::parse(name).expect("a name"),
                run,
                sha256: artifact.sha256,
                size: artifact.size,
                data_hash: "d".repeat(64),
                schema: json!({"version": 1, "columns": ["a"]}),
                metrics: BTreeMap::from([("roc_auc".to_owned(), 0.1 + 0.2)]),
                tags: BTreeMap::from([("owner".to_owned(), "me".to_owned())]),
                created_ms: 7,
            })
            .expect("a version")
    }

    #[test]
    fn versions_count_from_one_by_name() {
        let (_folder, workspace) = workspace();
        assert_eq!(register(&workspace, "churn", b"one").version, 1);
        assert_eq!(register(&workspace, "churn", b"two").version, 2);
        assert_eq!(register(&workspace, "iris", b"three").version, 1);
        let listed: Vec<String> =
            workspace.list_models().expect("models").iter().map(|version| version.id().to_string()).collect();
        assert_eq!(listed, ["churn@1", "churn@2", "iris@1"]);
    }

    #[test]
    fn references_mean_what_they_say() {
        let (_folder, workspace) = workspace();
        let first = register(&workspace, "churn", b"one");
        let second = register(&workspace, "churn", b"two");
        workspace.set_alias(&first.name, "champion", 1).expect("an alias");
        let resolve = |reference: &str| workspace.resolve_model(reference).expect("a version");
        assert_eq!(resolve("churn"), second);
        assert_eq!(resolve("churn@latest"), second);
        assert_eq!(resolve("churn@2"), second);
        assert_eq!(resolve("churn@1").aliases, ["champion"]);
        assert_eq!(resolve("churn@champion").version, 1);
        assert_eq!(workspace.model_bytes(&resolve("churn@1")).expect("bytes"), b"one");

        workspace.set_alias(&first.name, "champion", 2).expect("a moved alias");
        assert_eq!(resolve("churn@champion").version, 2);
        assert_eq!(resolve("churn@1").aliases, Vec::<String>::new());
    }

    #[test]
    fn what_is_not_there_is_named_with_what_is() {
        let (_folder, workspace) = workspace();
        let churn = register(&workspace, "churn", b"one");
        register(&workspace, "churn", b"two");
        workspace.set_alias(&churn.name, "champion", 1).expect("an alias");
        let refused = |reference: &str| workspace.resolve_model(reference).expect_err("nothing");
        assert_eq!(refused("chrun").to_string(), "no model `chrun`; did you mean `churn`?");
        assert_eq!(refused("diabetes").to_string(), "no model `diabetes`");
        for wanted in ["3", "0", "-1", "best", ""] {
            assert_eq!(
                refused(&format!("churn@{wanted}")).to_string(),
                format!("model `churn` has no version or alias `{wanted}`; it has 1 to 2, champion")
            );
        }
        assert!(matches!(refused("../churn"), PlatformError::Invalid { .. }));
        assert!(matches!(refused(""), PlatformError::Invalid { .. }));
        for (alias, version) in [("latest", 1), ("7", 1)] {
            let error = workspace.set_alias(&churn.name, alias, version).expect_err("reserved");
            assert!(matches!(error, PlatformError::Invalid { .. }), "{error:?}");
        }
        let error = workspace.set_alias(&churn.name, "best", 3).expect_err("no such version");
        assert!(matches!(error, PlatformError::UnknownVersion { .. }), "{error:?}");
    }

    #[test]
    fn a_version_needs_its_run_its_bytes_and_finite_scores() {
        let (_folder, workspace) = workspace();
        let good = register(&workspace, "churn", b"one");
        let new = NewVersion {
            name: good.name.clone(),
            run: good.run.clone(),
            sha256: good.sha256.clone(),
            size: good.size,
            data_hash: good.data_hash.clone(),
            schema: good.schema.clone(),
            metrics: good.metrics.clone(),
            tags: good.tags.clone(),
            created_ms: good.created_ms,
        };
        let refused = |change: &dyn Fn(&mut NewVersion)| {
            let mut changed = new.clone();
            change(&mut changed);
            workspace.register(&changed).expect_err("refused")
        };
        let error = refused(&|new| new.run = RunId::new("other", 1));
        assert!(matches!(error, PlatformError::UnknownRun { .. }), "{error:?}");
        for sha256 in ["0".repeat(64), "../../etc/passwd".to_owned(), String::new()] {
            let error = refused(&|new| new.sha256.clone_from(&sha256));
            assert!(matches!(error, PlatformError::CorruptArtifact { .. }), "{error:?}");
        }
        let error = refused(&|new| new.size += 1);
        assert!(matches!(error, PlatformError::CorruptArtifact { .. }), "{error:?}");
        let error = refused(&|new| {
            new.metrics.insert("loss".to_owned(), f64::NAN);
        });
        assert_eq!(error.to_string(), "metric `loss`: is NaN, not finite");
        assert_eq!(workspace.list_models().expect("models"), [good]);
    }

    #[test]
    fn two_processes_never_get_the_same_version() {
        let (_folder, workspace) = workspace();
        register(&workspace, "churn", b"zero");
        std::thread::scope(|scope| {
            for thread in 0..2_u8 {
                let root = workspace.root();
                scope.spawn(move || {
                    let other = Workspace::open(root).expect("the same workspace");
                    for n in 0..5_u8 {
                        register(&other, "churn", &[thread, n]);
                    }
                });
            }
        });
        let versions: Vec<u32> = workspace.list_models().expect("models").iter().map(|model| model.version).collect();
        assert_eq!(versions, (1..=11).collect::<Vec<_>>());
    }
}
