//! `automl fit`: the main job.

use std::path::Path;

use platform::RunId;
use trainers::{MetricSpec, MetricSpecError, Task};

use super::args::FitArgs;
use super::live::Storyteller;
use super::{Context, STOPPED, summary};

use crate::error::AutoMlError;
use crate::featurization::{FeaturizationMode, FeaturizationSpec};
use crate::fit::{AutoMl, MODEL, Session, to_json};
use crate::guardrail;
use crate::leaderboard::Summary;
use crate::life;
use crate::portfolio::Portfolio;
use crate::spec::{
    AlgorithmSpec, AutoMlSpec, Budget, EnsembleKind, SPEC_VERSION, SplitSpec, available_cores, metric_names,
};

pub(super) fn run(args: FitArgs, context: &mut Context) -> Result<u8, AutoMlError> {
    let (model_out, dry_run) = (args.model_out.clone(), args.dry_run);
    let from = args.from.clone();
    let mut spec = spec(args)?;
    spec.warm = from.map(|run| life::warm_start(&context.existing_workspace()?, &run, &spec)).transpose()?;
    let auto = AutoMl::new(spec)?;
    writable(model_out.as_deref())?;
    if dry_run {
        return plan(&auto, context);
    }
    // Bad data leaves nothing behind, not even an empty workspace.
    let prepared = auto.plan()?;
    let workspace = context.workspace()?;
    let mut storyteller = Storyteller::new(&context.screen, context.clock, &context.interrupt);
    let session = &mut Session {
        workspace: &workspace,
        clock: context.clock,
        stop: context.interrupt.stop.clone(),
        narrator: &mut storyteller,
        command_line: context.command_line.clone(),
    };
    let result = auto.fit_on(prepared, session);
    let run = storyteller.finish();
    conclude(result, run, model_out.as_deref(), &workspace, context)
}

/// What `fit` and `resume` say at the end, and their exit status.
pub(super) fn conclude(
    result: Result<Summary, AutoMlError>,
    run: Option<RunId>,
    model_out: Option<&std::path::Path>,
    workspace: &platform::Workspace,
    context: &mut Context,
) -> Result<u8, AutoMlError> {
    let stopped = context.interrupt.stop.load(std::sync::atomic::Ordering::Relaxed);
    let summary = match (result, run) {
        (Err(AutoMlError::NoModel { reason, .. }), Some(run)) if stopped => {
            let text = format!("stopped before a model was found: {reason}");
            if context.screen.json() {
                context
                    .screen
                    .document(&serde_json::json!({ "run": run.to_string(), "state": "stopped", "reason": text }));
            }
            context.screen.note(&format!("{text}; everything is kept\n\nNext  automl resume {run}"));
            return Ok(STOPPED);
        }
        (result, _) => result?,
    };
    let written = model_out.map_or(Ok(()), |path| {
        let bytes = workspace.get_artifact(&RunId::parse(&summary.run)?, MODEL)?;
        platform::write_atomic(path, &bytes)
    });
    let model_out = model_out.filter(|_| written.is_ok());
    if context.screen.json() {
        context.screen.document(&to_json(&summary));
    } else {
        summary::print(&summary, model_out, context.clock.seconds(), &mut context.screen);
    }
    // The model is registered; what was found is told before what could not be written.
    written?;
    Ok(if summary.state == "stopped" { STOPPED } else { 0 })
}

/// The folder of a file to be written at the end must be there at the start.
pub(super) fn writable(path: Option<&std::path::Path>) -> Result<(), AutoMlError> {
    let folder = path.and_then(std::path::Path::parent).filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => {
            Err(AutoMlError::Usage(format!("--model-out: the folder {} does not exist", folder.display())))
        }
        _ => Ok(()),
    }
}

/// `--dry-run`: the plan and the ledger.
fn plan(auto: &AutoMl, context: &mut Context) -> Result<u8, AutoMlError> {
    let prepared = auto.plan()?;
    let spec = auto.spec();
    let algorithms: Vec<&str> = prepared.algorithms.iter().map(|algorithm| algorithm.name()).collect();
    if context.screen.json() {
        context.screen.document(&serde_json::json!({
            "dry_run": true,
            "task": prepared.task(),
            "task_reason": prepared.task_reason,
            "metric": prepared.metric.name(),
            "classes": prepared.target.classes,
            "class_counts": prepared.class_counts,
            "weight": spec.weight,
            "data": { "sha256": prepared.data_hash, "dialect": prepared.dialect },
            "ledger": prepared.ledger,
            "checks": prepared.checks,
            "azure_guardrails": guardrail::azure(&prepared.checks, &prepared.split.in_words()),
            "split": prepared.split.in_words(),
            "algorithms": algorithms,
            "spec": spec,
        }));
        return Ok(0);
    }
    for line in super::live::header(spec).into_iter().chain(super::live::plan_lines(spec, &prepared)) {
        context.screen.line(&line);
    }
    context.screen.line(&format!("{}{}", super::screen::label("Search"), algorithms.join(", ")));
    context.screen.line("");
    context.screen.line("A dry run: nothing was searched and nothing was written.");
    Ok(0)
}

fn spec(args: FitArgs) -> Result<AutoMlSpec, AutoMlError> {
    let metric = args.metric.map(|name| metric(&name, args.task)).transpose()?;
    let implied =
        if args.blocked_transformers.is_empty() { FeaturizationMode::Auto } else { FeaturizationMode::Custom };
    let mut featurization = FeaturizationSpec {
        mode: args.featurization.unwrap_or(implied),
        blocked_transformers: args.blocked_transformers,
        ..FeaturizationSpec::default()
    };
    for (name, purpose) in args.column_types {
        if let Some(other) = featurization.column_name_and_types.insert(name.clone(), purpose)
            && other != purpose
        {
            return Err(AutoMlError::Usage(format!(
                "--column-type {name} is both {other} and {purpose}: name it once"
            )));
        }
    }
    Ok(AutoMlSpec {
        version: SPEC_VERSION,
        train: args.train,
        folder: std::env::current_dir().ok().map(|here| here.display().to_string()),
        target: args.target,
        test: args.test,
        ignore: args.ignore,
        keep_columns: args.keep_columns,
        id: args.id,
        weight: args.weight,
        types: args.types.unwrap_or_default(),
        featurization,
        ensemble: if args.single_model { EnsembleKind::None } else { args.ensemble.unwrap_or_default() },
        max_latency: args.max_latency,
        portfolio: args.portfolio.as_deref().map(portfolio).transpose()?,
        algorithms: AlgorithmSpec { allowed: args.algorithms, blocked: args.blocked_algorithms },
        split: SplitSpec {
            group: args.group,
            time: args.time,
            column: args.split_column,
            holdout: args.holdout,
            cv: args.cv.unwrap_or_default(),
        },
        task: args.task,
        metric,
        positive: args.positive,
        budget: Budget {
            time_limit: args.time_limit,
            max_trials: args.max_trials,
            cores: args.cores.unwrap_or_else(available_cores),
            concurrent: args.concurrent,
            memory: args.memory,
        },
        seed: args.seed,
        name: args.name,
        warm: None,
    })
}

/// The portfolio in a file, or none.
fn portfolio(file: &Path) -> Result<Portfolio, AutoMlError> {
    if file == Path::new("none") {
        return Ok(Portfolio::none());
    }
    let usage = |error: String| AutoMlError::Usage(format!("--portfolio {}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| usage(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| usage(format!("no portfolio: {error}")))
}

/// The metric of this name or expression; for a name of none the error lists those of the task, or of both kinds where
/// it is not said.
fn metric(text: &str, task: Option<Task>) -> Result<MetricSpec, AutoMlError> {
    MetricSpec::parse(text).map_err(|error| {
        let known = match (&error, task) {
            (MetricSpecError::Expression(_), _) => return AutoMlError::Usage(format!("--metric {error}")),
            (_, Some(task)) => format!("of a {task} task there are {}", metric_names(task)),
            (_, None) => format!(
                "of classes there are {}; of numbers {}",
                metric_names(Task::Binary),
                metric_names(Task::Regression)
            ),
        };
        AutoMlError::Usage(format!("--metric {text}: {error}; {known}"))
    })
}
