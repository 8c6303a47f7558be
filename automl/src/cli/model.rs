//! `automl model`: the registry.

use platform::RegisteredVersion;
use serde_json::json;

use super::args::ModelCommand;
use super::run::when;
use super::screen::{label, soft};
use super::{Context, table};
use crate::error::AutoMlError;
use crate::fit::to_json;
use crate::report::number;
use crate::spec::Bytes;

pub(super) fn run(command: &ModelCommand, context: &mut Context) -> Result<u8, AutoMlError> {
    if let ModelCommand::Export { model, format, out } = command {
        return super::export::run(model, *format, out.as_deref(), context);
    }
    let workspace = context.existing_workspace()?;
    match command {
        ModelCommand::List => list(&workspace.list_models()?, context),
        ModelCommand::Show { model } => {
            let version = workspace.resolve_model(model)?;
            // Showing verifies: a damaged file is an error here, not at the next prediction.
            let fitted = trainers::from_bytes(&workspace.model_bytes(&version)?)?;
            show(&version, &fitted, context);
        }
        ModelCommand::Download { model, out } => {
            let version = workspace.resolve_model(model)?;
            let bytes = workspace.model_bytes(&version)?;
            let path = out.clone().unwrap_or_else(|| format!("{}.automl", version.name).into());
            platform::write_atomic(&path, &bytes)?;
            if context.screen.json() {
                context.screen.document(&json!({ "model": version.id().to_string(), "out": path, "bytes": bytes.len(), "sha256": version.sha256 }));
            }
            context.screen.line(&format!(
                "{} written to {} ({})",
                version.id(),
                path.display(),
                Bytes(bytes.len() as u64)
            ));
        }
        // It needs no workspace, and was seen to above.
        ModelCommand::Export { .. } => {}
    }
    Ok(0)
}

fn list(models: &[RegisteredVersion], context: &mut Context) {
    if context.screen.json() {
        return context.screen.document(&to_json(&models));
    }
    if models.is_empty() {
        return context.screen.line("No models yet: automl fit train.csv --target y registers one.");
    }
    let rows: Vec<Vec<String>> = models
        .iter()
        .map(|model| {
            vec![
                model.id().to_string(),
                model.aliases.join(", "),
                when(model.created_ms),
                Bytes(model.size).to_string(),
                model.run.to_string(),
            ]
        })
        .collect();
    for (i, line) in table::lines(&["model", "aliases", "made", "size", "run"], &rows, &[3]).iter().enumerate() {
        context.screen.line(&if i == 0 { soft(line) } else { line.clone() });
    }
}

fn show(version: &RegisteredVersion, fitted: &trainers::Fitted, context: &mut Context) {
    let card = &fitted.card;
    if context.screen.json() {
        let members: Vec<_> = fitted.members.iter().map(|member| (&member.name, member.weight)).collect();
        let second = fitted
            .stacked
            .iter()
            .map(|voice| json!({ "name": voice.name, "weight": voice.weight, "hears": voice.inputs }));
        let second: Vec<_> = second.collect();
        return context.screen.document(&json!({
            "version": to_json(version), "card": to_json(card), "members": members, "second_layer": second,
            "blend": to_json(&fitted.blend),
        }));
    }
    let screen = &mut context.screen;
    screen.line(&format!(
        "{}{} · {} of `{}` · {}",
        label("Model"),
        version.id(),
        card.task,
        card.target,
        Bytes(version.size)
    ));
    screen.line(&format!("{}{} · run {}", label("Made"), when(version.created_ms), version.run));
    screen.line(&format!("{}{}", label("Fitted"), card.trained_on));
    let voters = fitted.members.iter().map(|member| (member.weight, &member.name));
    let voters = voters.chain(fitted.stacked.iter().map(|voice| (voice.weight, &voice.name)));
    for (i, (weight, name)) in voters.filter(|(weight, _)| *weight > 0.0).enumerate() {
        screen.line(&format!("{}{} × {name}", label(if i == 0 { "Members" } else { "" }), number(weight)));
    }
    if !fitted.stacked.is_empty() {
        let heard = fitted.members.iter().map(|member| member.name.as_str()).collect::<Vec<_>>();
        screen.line(&format!("{}{}", label("Heard"), heard.join(", ")));
    }
    if let Some(threshold) = card.threshold {
        let positive = card.positive.as_deref().unwrap_or_default();
        screen.line(&format!("{}{positive} from a probability of {}", label("Says"), number(threshold)));
    }
    for (i, (name, value)) in version.metrics.iter().enumerate() {
        screen.line(&format!("{}{name} {}", label(if i == 0 { "Scores" } else { "" }), number(*value)));
    }
    let columns: Vec<String> =
        card.schema.columns.iter().map(|column| format!("{} ({})", column.name, column.kind)).collect();
    screen.line(&format!("{}{}", label("Reads"), columns.join(", ")));
    if let Some(from) = version.tags.get("from.model") {
        let data = version.tags.get("from.data_sha256").map_or("", String::as_str);
        screen.line(&format!("{}the recipe of {from}, found on data {data}", label("From")));
    }
    screen.line(&format!("{}data {}", label("Lineage"), version.data_hash));
    screen.line(&format!("{}file {}", label(""), version.sha256));
}
