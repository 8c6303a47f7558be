//! The whole model: inputs, chains of both layers, what they say together, and what comes out.

use std::collections::BTreeSet;

use prost::Message;

use super::features::{self, Features};
use super::graph::{GraphBuilder, ML, Value, int, port};
use super::inputs::Inputs;
use super::linear::{arg_max, bernoulli, gaussian, linear, logistic, reshape, svm};
use super::neighbors::knn;
use super::proto::{Graph, Model, OperatorSet, Property, ValueInfo, data_type};
use super::trees::trees;
use crate::data::{Block, Kind};
use crate::error::ExportError;
use crate::model::{Blend, Chain, Estimator, Fitted, LEAST, Logarithm, Pooling};

/// Version of the file format: that of ONNX 1.13.
const IR_VERSION: i64 = 8;
/// Version of ONNX's own operators.
const OPSET: i64 = 17;
/// Version of the operators of machine learning.
const OPSET_ML: i64 = 3;
/// What a message of protocol buffers may have at most.
const MOST_BYTES: usize = i32::MAX as usize;

/// How inputs and outputs are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Inputs of shape `[N, 1]`; outputs `label` (`[N]`) and `probabilities` (`[N, classes]`), or for regression
    /// `variable` (`[N, 1]`): the form of other converters to ONNX.
    Matrix,
    /// Inputs of any shape with a cell per row; every output a list of `N`: `label` and `p_CLASS` for each class, or
    /// `prediction`. It is what makes a data frame a column at a time, as MLflow does.
    Columns,
}

/// What the cells of an input or output are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// Double precision.
    Double,
    /// A 64-bit integer.
    Int64,
    /// Text.
    String,
}

/// An input or output of an exported model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name; of an input, the column's.
    pub name: String,
    /// What its cells are.
    pub element: Element,
}

/// A model in ONNX's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnnxModel {
    /// The file.
    pub bytes: Vec<u8>,
    /// What it reads, in the order of the model's columns: those that some chain looks at.
    pub inputs: Vec<Port>,
    /// What it gives.
    pub outputs: Vec<Port>,
}

/// Writes the whole model in ONNX's form. The same model gives the same bytes.
///
/// Numbers are inputs of double precision, where NaN and infinities are missing; all other columns are strings as the
/// reader would see them, without blanks around, and empty where missing. A column of dates or of text that a chain looks
/// at is [`ExportError::Step`].
pub fn to_onnx(model: &Fitted, layout: Layout) -> Result<OnnxModel, ExportError> {
    model.check()?;
    let mut used: BTreeSet<&str> = model.chains().filter(|chain| !is_constant(chain)).flat_map(columns_of).collect();
    if used.is_empty() {
        // Something must say how many rows there are.
        used.extend(model.card.schema.columns.iter().map(|column| column.name.as_str()).take(1));
    }
    let mut graph = GraphBuilder::new(model.card.schema.columns.iter().map(|column| column.name.as_str()));
    let mut inputs = Inputs::declare(&mut graph, &model.card.schema, &used, layout)?;
    let sum = votes(&mut graph, &mut inputs, model)?;
    let outputs = if model.card.task.is_classification() {
        classes(&mut graph, &sum, model, layout)
    } else {
        numbers(&mut graph, &sum, layout)
    };
    let (inputs_of, outputs_of) = (ports(&inputs.ports), ports(&outputs));
    let message = message(model, graph, inputs.ports, outputs);
    let n_bytes = message.encoded_len();
    if n_bytes > MOST_BYTES {
        return Err(ExportError::TooLarge { n_bytes, most: MOST_BYTES });
    }
    Ok(OnnxModel { bytes: message.encode_to_vec(), inputs: inputs_of, outputs: outputs_of })
}

/// Whether the estimator looks at no feature.
fn is_constant(chain: &Chain) -> bool {
    matches!(chain.estimator, Estimator::Constant(_)) || chain.features.names().is_empty()
}

fn columns_of(chain: &Chain) -> impl Iterator<Item = &str> {
    chain.features.columns.iter().flat_map(|column| [Some(column.column.as_str()), column.minus.as_deref()]).flatten()
}

/// What both layers say together, `N × n_outputs`, in the order in which the model itself adds it up.
fn votes<'a>(graph: &mut GraphBuilder, inputs: &mut Inputs<'a>, model: &'a Fitted) -> Result<Value, ExportError> {
    let total = model.total_weight();
    let n_outputs = model.card.n_outputs();
    let mut built = Built::default();
    let (mut said, mut terms) = (Vec::new(), Vec::new());
    for member in &model.members {
        let mut chains = Vec::new();
        for chain in &member.chains {
            chains.push(if is_constant(chain) {
                constant(graph, &inputs.shape, chain)
            } else {
                let features = built.features(graph, inputs, chain)?;
                estimate(graph, features, &inputs.shape, &chain.estimator)?
            });
        }
        let share = 1.0 / chains.len() as f64;
        let voice = if let [only] = &chains[..] {
            only.clone()
        } else {
            let parts: Vec<Value> = chains.iter().map(|chain| scaled(graph, chain, share)).collect();
            graph.op("Sum", &parts.iter().map(String::as_str).collect::<Vec<_>>())
        };
        if member.weight > 0.0 {
            terms.push(term(graph, &voice, model.blend, n_outputs, member.weight / total));
        }
        said.push(voice);
    }
    for voice in &model.stacked {
        let own = built.features(graph, inputs, &voice.chain)?;
        let read: Vec<usize> = (usize::from(n_outputs > 1)..n_outputs).collect();
        let heard: Vec<Value> = voice
            .inputs
            .iter()
            .map(|&input| {
                let columns = graph.columns(&said[input], n_outputs, &read);
                graph.cast(&columns, data_type::FLOAT)
            })
            .collect();
        let kinds = own.kinds.iter().copied().chain(std::iter::repeat_n(Kind::Number, heard.len() * read.len()));
        let kinds: Vec<Kind> = kinds.collect();
        let own_part = (!own.kinds.is_empty()).then(|| own.floats.clone());
        let floats = graph.beside(&own_part.into_iter().chain(heard).collect::<Vec<_>>());
        let doubles = graph.cast(&floats, data_type::DOUBLE);
        let features = Features { floats, doubles, kinds };
        let said = estimate(graph, &features, &inputs.shape, &voice.chain.estimator)?;
        terms.push(term(graph, &said, model.blend, n_outputs, voice.weight / total));
    }
    let terms: Vec<&str> = terms.iter().map(String::as_str).collect();
    let sum = graph.op("Sum", &terms);
    Ok(closed(graph, &sum, model.blend, n_outputs))
}

/// The features of every featurizer, each built once.
#[derive(Default)]
struct Built<'a>(Vec<(&'a Chain, Features)>);

impl<'a> Built<'a> {
    fn features(
        &mut self,
        graph: &mut GraphBuilder,
        inputs: &mut Inputs<'a>,
        chain: &'a Chain,
    ) -> Result<&Features, ExportError> {
        let at = self.0.iter().position(|(known, _)| known.features == chain.features).unwrap_or(self.0.len());
        if at == self.0.len() {
            let features = features::build(graph, inputs, &chain.features, chain.estimator.algorithm())?;
            self.0.push((chain, features));
        }
        Ok(&self.0[at].1)
    }
}

fn scaled(graph: &mut GraphBuilder, value: &str, factor: f64) -> Value {
    let factor = graph.double(factor);
    graph.op("Mul", &[value, &factor])
}

/// What a voice adds to the sum of [`Blend::add`].
fn term(graph: &mut GraphBuilder, voice: &str, blend: Blend, n_outputs: usize, share: f64) -> Value {
    if blend.pooling == Pooling::Geometric && n_outputs > 1 {
        let least = graph.double(LEAST);
        let bounded = graph.op("Max", &[voice, &least]);
        let logarithms = graph.op("Log", &[&bounded]);
        return scaled(graph, &logarithms, share);
    }
    scaled(graph, voice, share)
}

/// What [`Blend::close`] makes of the sums.
fn closed(graph: &mut GraphBuilder, sums: &str, blend: Blend, n_outputs: usize) -> Value {
    let heated = blend.temperature.to_bits() != 1.0_f64.to_bits();
    if n_outputs < 2 || (blend.pooling == Pooling::Arithmetic && !heated) {
        return sums.to_owned();
    }
    let logarithms = match blend.pooling {
        Pooling::Geometric => sums.to_owned(),
        Pooling::Arithmetic => graph.op("Log", &[sums]),
    };
    let scores = if heated { scaled(graph, &logarithms, 1.0 / blend.temperature) } else { logarithms };
    graph.op_with("Softmax", &[&scores], vec![int("axis", 1)])
}

/// What an estimator makes of features, `N × n_outputs`.
fn estimate(
    graph: &mut GraphBuilder,
    features: &Features,
    rows: &str,
    estimator: &Estimator,
) -> Result<Value, ExportError> {
    Ok(match estimator {
        Estimator::Constant(model) => expand(graph, rows, &model.values),
        Estimator::Linear(model) => linear(graph, features, model),
        Estimator::Logistic(model) => logistic(graph, features, model),
        Estimator::Knn(model) => knn(graph, features, model),
        Estimator::GaussianNaiveBayes(model) => gaussian(graph, features, model),
        Estimator::BernoulliNaiveBayes(model) => bernoulli(graph, features, model),
        Estimator::Svm(model) => svm(graph, features, model),
        Estimator::Trees(model) => trees(graph, features, rows, model)?,
        Estimator::Logarithm(Logarithm { scale, estimator }) => {
            let logarithms = estimate(graph, features, rows, estimator)?;
            let (least, most, shift) = (graph.double(scale.least), graph.double(scale.most), graph.double(scale.shift));
            let bounded = graph.op("Clip", &[&logarithms, &least, &most]);
            let exponential = graph.op("Exp", &[&bounded]);
            graph.op("Sub", &[&exponential, &shift])
        }
    })
}

/// What a chain that looks at no feature says of every row.
fn constant(graph: &mut GraphBuilder, rows: &str, chain: &Chain) -> Value {
    let row = Block { n_rows: 1, ..Block::default() };
    expand(graph, rows, chain.estimator.predict(&row, &[0]).values())
}

fn expand(graph: &mut GraphBuilder, rows: &str, values: &[f64]) -> Value {
    let values = graph.doubles(&[1, values.len()], values);
    graph.op("Expand", &[&values, rows])
}

/// Outputs of a classification.
fn classes(graph: &mut GraphBuilder, probabilities: &str, model: &Fitted, layout: Layout) -> Vec<ValueInfo> {
    let names = &model.card.classes;
    let index = if names.len() == 2 {
        let second = graph.columns(probabilities, 2, &[1]);
        let second = reshape(graph, &second, &[-1]);
        let threshold = graph.double(model.card.threshold.unwrap_or(0.5));
        let reached = graph.op("GreaterOrEqual", &[&second, &threshold]);
        graph.cast(&reached, data_type::INT64)
    } else {
        arg_max(graph, probabilities)
    };
    let integers: Option<Vec<i64>> =
        names.iter().map(|name| name.parse().ok().filter(|number: &i64| number.to_string() == *name)).collect();
    let (table, element) = match &integers {
        Some(integers) => (graph.ints(integers), data_type::INT64),
        None => (graph.strings(names), data_type::STRING),
    };
    let labels = graph.op("Gather", &[&table, &index]);
    let mut outputs = vec![output(graph, &labels, "label", element, &[])];
    match layout {
        Layout::Matrix => {
            outputs.push(output(graph, probabilities, "probabilities", data_type::DOUBLE, &[names.len()]));
        }
        Layout::Columns => {
            for (class, name) in names.iter().enumerate() {
                let own = graph.columns(probabilities, names.len(), &[class]);
                let own = reshape(graph, &own, &[-1]);
                outputs.push(output(graph, &own, &format!("p_{name}"), data_type::DOUBLE, &[]));
            }
        }
    }
    outputs
}

/// The output of a regression.
fn numbers(graph: &mut GraphBuilder, prediction: &str, layout: Layout) -> Vec<ValueInfo> {
    match layout {
        Layout::Matrix => vec![output(graph, prediction, "variable", data_type::DOUBLE, &[1])],
        Layout::Columns => {
            let flat = reshape(graph, prediction, &[-1]);
            vec![output(graph, &flat, "prediction", data_type::DOUBLE, &[])]
        }
    }
}

/// A value as an output of this name; of a name with a number behind where a column has it.
fn output(graph: &mut GraphBuilder, value: &str, name: &str, element: i32, columns: &[usize]) -> ValueInfo {
    let name = graph.claim(name);
    graph.rename(value, &name);
    port(&name, element, Some(columns), "")
}

fn ports(infos: &[ValueInfo]) -> Vec<Port> {
    let port = |info: &ValueInfo| {
        let tensor = info.r#type.as_ref().and_then(|r#type| r#type.tensor_type.as_ref());
        let element = match tensor.map_or(data_type::STRING, |tensor| tensor.elem_type) {
            data_type::DOUBLE => Element::Double,
            data_type::INT64 => Element::Int64,
            _ => Element::String,
        };
        Port { name: info.name.clone(), element }
    };
    infos.iter().map(port).collect()
}

fn message(model: &Fitted, graph: GraphBuilder, input: Vec<ValueInfo>, output: Vec<ValueInfo>) -> Model {
    let card = &model.card;
    let mut properties = vec![
        ("task", card.task.to_string()),
        ("target", card.target.clone()),
        ("metric", card.metric.clone()),
        ("classes", card.classes.join("\n")),
    ];
    if card.classes.len() == 2 {
        properties.push(("threshold", card.threshold.unwrap_or(0.5).to_string()));
    }
    properties.push(("automl_version", card.automl_version.clone()));
    properties.retain(|(_, value)| !value.is_empty());
    let property = |(key, value): (&str, String)| Property { key: key.to_owned(), value };
    let opset = |domain: &str, version| OperatorSet { domain: domain.to_owned(), version };
    Model {
        ir_version: IR_VERSION,
        producer_name: "automl".to_owned(),
        producer_version: card.automl_version.clone(),
        version: 1,
        doc_string: format!("{} of {}: {}", card.task, card.target, card.trained_on),
        graph: Some(Graph {
            node: graph.nodes,
            name: "automl".to_owned(),
            initializer: graph.constants,
            input,
            output,
        }),
        opset_import: vec![opset("", OPSET), opset(ML, OPSET_ML)],
        metadata_props: properties.into_iter().map(property).collect(),
    }
}
