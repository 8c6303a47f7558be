//! `automl model export`: a model for other programs.

use std::path::{Path, PathBuf};

use serde_json::json;
use trainers::onnx::{Layout, to_onnx};

use super::args::ExportFormat;
use super::{Context, load_model};
use crate::error::AutoMlError;
use crate::mlflow::mlflow_folder;
use crate::spec::Bytes;

pub(super) fn run(
    model: &str,
    format: ExportFormat,
    out: Option<&Path>,
    context: &mut Context,
) -> Result<u8, AutoMlError> {
    let (fitted, name) = load_model(model, context)?;
    let stem = Path::new(name.split('@').next().unwrap_or(&name))
        .file_stem()
        .map_or("model".into(), |stem| stem.to_string_lossy().into_owned());
    let (path, n_bytes) = match format {
        ExportFormat::Onnx => {
            let path = out.map_or_else(|| PathBuf::from(format!("{stem}.onnx")), Path::to_path_buf);
            let onnx = to_onnx(&fitted, Layout::Matrix)?;
            platform::write_atomic(&path, &onnx.bytes)?;
            (path, onnx.bytes.len())
        }
        ExportFormat::Mlflow => {
            let path = out.map_or_else(|| PathBuf::from(format!("{stem}-mlflow")), Path::to_path_buf);
            let made_ms = made(model, context);
            let n_bytes = write_folder(&path, &mlflow_folder(&fitted, made_ms)?)?;
            (path, n_bytes)
        }
    };
    if context.screen.json() {
        context.screen.document(&json!({ "model": name, "format": format.name(), "out": path, "bytes": n_bytes }));
    }
    context.screen.line(&format!(
        "{name} written to {} as {} ({})",
        path.display(),
        format.title(),
        Bytes(n_bytes as u64)
    ));
    Ok(0)
}

/// When the model was made; now, where only its file is known.
fn made(model: &str, context: &Context) -> i64 {
    let registered = context.existing_workspace().and_then(|workspace| Ok(workspace.resolve_model(model)?));
    registered.map_or_else(|_| crate::clock::unix_ms(), |version| version.created_ms)
}

/// Writes the files of a model folder; a folder that is something else is left alone.
fn write_folder(path: &Path, files: &[(&str, Vec<u8>)]) -> Result<usize, AutoMlError> {
    let usage = |what: String| AutoMlError::Usage(format!("{}: {what}", path.display()));
    let occupied = std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
    if occupied && !path.join("MLmodel").is_file() {
        return Err(usage("the folder is not empty and holds no MLflow model; name another with --out".to_owned()));
    }
    std::fs::create_dir_all(path).map_err(|error| usage(format!("the folder cannot be made: {error}")))?;
    let mut n_bytes = 0;
    for (name, bytes) in files {
        platform::write_atomic(&path.join(name), bytes)?;
        n_bytes += bytes.len();
    }
    Ok(n_bytes)
}
