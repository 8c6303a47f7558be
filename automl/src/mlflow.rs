//! A model as an MLflow model folder: the `onnx` and `python_function` flavors, the signature, an example.
//!
//! The form is that of <https://mlflow.org/docs/latest/ml/model/>, as MLflow 3.17 writes it.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use trainers::onnx::{Element, Layout, OnnxModel, Port, to_onnx};
use trainers::{Fitted, Step};

use crate::error::AutoMlError;

/// The MLflow whose form is written.
const MLFLOW: &str = "3.17.2";
/// What the folder needs to predict. Lower bounds are the first that run the operators that are written.
const REQUIREMENTS: &str = "mlflow>=2.10\nonnx>=1.13\nonnxruntime>=1.12\nnumpy\npandas\n";
const PYTHON: &str = "3.11";

/// The files of the folder, by name. The same model and time give the same bytes.
///
/// - `made_ms`: when the model was made, in milliseconds since 1970-01-01 UTC.
///
/// The example is made up of the model's own parameters: no row of anybody's data leaves with the model.
pub fn mlflow_folder(model: &Fitted, made_ms: i64) -> Result<Vec<(&'static str, Vec<u8>)>, AutoMlError> {
    let onnx = to_onnx(model, Layout::Columns)?;
    let (columns, row) = example(model, &onnx);
    let split = json!({ "columns": columns, "data": [row] });
    let conda = conda();
    Ok(vec![
        ("MLmodel", mlmodel(&onnx, made_ms).into_bytes()),
        ("input_example.json", split.to_string().into_bytes()),
        ("serving_input_example.json", json!({ "dataframe_split": split }).to_string().into_bytes()),
        ("requirements.txt", REQUIREMENTS.into()),
        ("conda.yaml", conda.into_bytes()),
        (
            "python_env.yaml",
            format!("python: '{PYTHON}'\nbuild_dependencies:\n- pip\ndependencies:\n- -r requirements.txt\n")
                .into_bytes(),
        ),
        ("model.onnx", onnx.bytes),
    ])
}

fn mlmodel(onnx: &OnnxModel, made_ms: i64) -> String {
    let made = chrono::DateTime::from_timestamp_millis(made_ms).unwrap_or_default().format("%Y-%m-%d %H:%M:%S%.6f");
    // The model names itself, so that the same one has the same name wherever it is written.
    let digest = Sha256::digest(&onnx.bytes);
    let uuid = u128::from_be_bytes(std::array::from_fn(|i| digest[i]));
    let (inputs, outputs) = (signature(&onnx.inputs, true), signature(&onnx.outputs, false));
    format!(
        "flavors:
  onnx:
    code: null
    data: model.onnx
    onnx_session_options: null
    onnx_version: 1.13.0
    providers:
    - CPUExecutionProvider
  python_function:
    data: model.onnx
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: mlflow.onnx
    python_version: {PYTHON}.0
mlflow_version: {MLFLOW}
model_size_bytes: {}
model_uuid: {uuid:032x}
saved_input_example_info:
  artifact_path: input_example.json
  pandas_orient: split
  serving_input_path: serving_input_example.json
  type: dataframe
signature:
  inputs: {inputs}
  outputs: {outputs}
  params: null
utc_time_created: '{made}'
",
        onnx.bytes.len()
    )
}

/// Columns with their types, as a JSON text in YAML's single quotes.
fn signature(ports: &[Port], required: bool) -> String {
    let columns: Vec<Value> = ports
        .iter()
        .map(|port| {
            let kind = match port.element {
                Element::Double => "double",
                Element::Int64 => "long",
                Element::String => "string",
            };
            let mut column = json!({ "type": kind, "name": port.name });
            if required {
                column["required"] = json!(true);
            }
            column
        })
        .collect();
    format!("'{}'", Value::Array(columns).to_string().replace('\'', "''"))
}

/// A row that the model can read: what stands for a missing number where something does, else 0; the first level.
fn example(model: &Fitted, onnx: &OnnxModel) -> (Vec<String>, Vec<Value>) {
    let chains = || model.members.iter().flat_map(|member| &member.chains);
    let number = |name: &str| {
        chains()
            .flat_map(|chain| &chain.features.columns)
            .filter(|column| column.column == name)
            .find_map(|column| if let Step::Impute(step) = &column.encode { Some(step.value) } else { None })
            .unwrap_or(0.0)
    };
    let cell = |port: &Port| match port.element {
        Element::Double | Element::Int64 => json!(number(&port.name)),
        Element::String => {
            let levels = model.card.schema.column(&port.name).map(|column| &column.rules.levels);
            json!(levels.and_then(|levels| levels.first()).map_or("", String::as_str))
        }
    };
    onnx.inputs.iter().map(|port| (port.name.clone(), cell(port))).unzip()
}

fn conda() -> String {
    let pip = REQUIREMENTS.trim_end().replace('\n', "\n  - ");
    format!("channels:\n- conda-forge\ndependencies:\n- python={PYTHON}\n- pip\n- pip:\n  - {pip}\nname: mlflow-env\n")
}
