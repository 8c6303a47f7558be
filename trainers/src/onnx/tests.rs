//! What is written, looked at as messages: the runs under ONNX Runtime are end-to-end tests.

use std::collections::BTreeSet;

use datasets::{Raw, RawColumn, RawValues, Schema, TypeOverrides};
use prost::Message;

use super::proto::{Graph, Model, attribute_type, data_type};
use super::{Element, Layout, to_onnx};
use crate::algorithm::Algorithm;
use crate::error::ExportError;
use crate::linear::Logistic;
use crate::model::{Chain, Estimator, Fitted, Member, ModelCard};
use crate::task::Task;
use crate::transform::{
    Datetime, DatetimePart, FeaturizedColumn, Featurizer, Impute, Level, OneHot, Scale, Step, Text,
};
use crate::trees::{Link, Node, Tree, TreeEnsemble};

fn schema() -> Schema {
    let column = |name: &str, cells: [&str; 4]| RawColumn {
        name: name.to_string(),
        values: RawValues::Text(cells.into_iter().collect()),
    };
    let raw = Raw::from_columns(vec![
        column("age", ["31", "52.5", "47", "18"]),
        column("label", ["Lyon", "Oslo", "Lyon", "Rome"]),
        column("ok", ["yes", "no", "no", "yes"]),
        column("day", ["2024-01-02", "2024-02-03", "2024-03-04", "2024-03-05"]),
        column("note", ["one two three four", "five six seven eight", "nine ten eleven twelve", "a b c d e"]),
    ]);
    Schema::infer(&raw, &TypeOverrides::default()).expect("plain columns").0
}

fn column(column: &str, encode: Step, n_features: usize) -> FeaturizedColumn {
    FeaturizedColumn { column: column.to_string(), minus: None, encode, scale: vec![None; n_features] }
}

fn city() -> FeaturizedColumn {
    let levels = ["Lyon", "Oslo"].map(ToString::to_string).to_vec();
    column("label", Step::OneHot(OneHot { levels, infrequent: true, missing: true, second: None }), 4)
}

fn age() -> FeaturizedColumn {
    let scale = Scale { offset: 40.0, factor: 0.1, low: -10.0, high: 10.0 };
    FeaturizedColumn {
        scale: vec![Some(scale), None],
        ..column("age", Step::Impute(Impute { value: 40.0, marker: true }), 2)
    }
}

fn logistic(n_features: usize) -> Estimator {
    Estimator::Logistic(Logistic {
        n_outputs: 2,
        classes: vec![0, 1],
        weights: vec![0.5; n_features],
        intercepts: vec![0.25],
    })
}

fn fitted(columns: Vec<FeaturizedColumn>, estimator: Estimator) -> Fitted {
    let schema = schema();
    let chain = Chain { features: Featurizer { columns }, estimator };
    let card = ModelCard {
        task: Task::Binary,
        target: "bought".to_string(),
        target_schema: schema.columns[0].clone(),
        classes: vec!["no".to_string(), "yes".to_string()],
        metric: "roc_auc".to_string(),
        threshold: Some(0.25),
        positive: Some("yes".to_string()),
        schema,
        target_range: None,
        trained_on: "nothing".to_string(),
        seed: 1,
        automl_version: "0.1.0".to_string(),
    };
    Fitted::new(card, vec![Member { weight: 1.0, chains: vec![chain], name: "by hand".to_string() }])
}

fn written(model: &Fitted, layout: Layout) -> (Model, Graph) {
    let bytes = to_onnx(model, layout).expect("it can be carried").bytes;
    let message = Model::decode(bytes.as_slice()).expect("a message");
    assert_eq!(message.encode_to_vec(), bytes, "what was read is what was written");
    let graph = message.graph.clone().expect("a graph");
    (message, graph)
}

fn operators(graph: &Graph) -> Vec<&str> {
    graph.node.iter().map(|node| node.op_type.as_str()).collect()
}

#[test]
fn nodes_read_what_is_there_and_names_are_their_own() {
    let (message, graph) = written(&fitted(vec![age(), city()], logistic(6)), Layout::Matrix);
    let versions: Vec<(&str, i64)> =
        message.opset_import.iter().map(|set| (set.domain.as_str(), set.version)).collect();
    assert_eq!((message.ir_version, versions), (8, vec![("", 17), ("ai.onnx.ml", 3)]));
    let mut known: BTreeSet<&str> = graph.input.iter().map(|input| input.name.as_str()).collect();
    assert_eq!(known.len(), 2, "only what is looked at is an input");
    for constant in &graph.initializer {
        assert!(known.insert(&constant.name), "{} twice", constant.name);
    }
    for node in &graph.node {
        for input in &node.input {
            assert!(known.contains(input.as_str()), "{} reads {input}, which is not there yet", node.op_type);
        }
        for output in &node.output {
            assert!(known.insert(output), "{output} twice");
        }
    }
    let outputs: Vec<&str> = graph.output.iter().map(|output| output.name.as_str()).collect();
    assert_eq!(outputs, ["label_1", "probabilities"], "a column has the name of an output");
    assert!(outputs.iter().all(|output| known.contains(output)));
    let expected = ["Where", "LabelEncoder", "Gather", "MatMul", "Exp", "GreaterOrEqual"];
    assert!(expected.iter().all(|wanted| operators(&graph).contains(wanted)), "{:?}", operators(&graph));
}

#[test]
fn cells_of_a_category_are_known_as_the_reader_knows_them() {
    let step = Step::Level(Level { levels: vec!["yes".to_string(), "no".to_string()] });
    let (_, graph) = written(&fitted(vec![column("ok", step, 1)], logistic(1)), Layout::Matrix);
    let encoder = graph.node.iter().find(|node| node.op_type == "LabelEncoder").expect("a category");
    let of = |name: &str| encoder.attribute.iter().find(|attribute| attribute.name == name).expect("an attribute");
    let codes: Vec<(&str, i64)> = of("keys_strings")
        .strings
        .iter()
        .map(|key| std::str::from_utf8(key).expect("text"))
        .zip(of("values_int64s").ints.iter().copied())
        .collect();
    for (word, code) in [("", 3), ("no", 0), ("NO", 0), ("nO", 0), ("yes", 1), ("Yes", 1), ("YES", 1)] {
        assert!(codes.contains(&(word, code)), "{word}: {codes:?}");
    }
    assert_eq!(of("default_int64").i, Some(2), "what was not seen has a code of its own");
    // The column's own step says what each code means: no, yes, unseen, missing.
    let table = graph.initializer.iter().find(|tensor| tensor.data_type == data_type::FLOAT).expect("a table");
    let cells: Vec<f32> = table
        .raw_data
        .as_ref()
        .expect("numbers")
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().expect("four bytes")))
        .collect();
    assert_eq!(cells[..2], [1.0, 0.0]);
    assert!(cells[2..].iter().all(|cell| cell.is_nan()) && cells.len() == 4, "{cells:?}");
}

#[test]
fn columns_are_lists_for_data_frames() {
    let model = fitted(vec![age(), city()], logistic(6));
    let onnx = to_onnx(&model, Layout::Columns).expect("it can be carried");
    let ports = |ports: &[super::Port]| ports.iter().map(|port| (port.name.clone(), port.element)).collect::<Vec<_>>();
    assert_eq!(ports(&onnx.inputs), [("age".to_string(), Element::Double), ("label".to_string(), Element::String)]);
    let outputs = [("label_1", Element::String), ("p_no", Element::Double), ("p_yes", Element::Double)];
    assert_eq!(ports(&onnx.outputs), outputs.map(|(name, element)| (name.to_string(), element)));
}

/// A tree that asks for the level of a city, then for the age.
fn trees(set: u32) -> Estimator {
    let city = Node { feature: 0, threshold: 0.0, left: !0, right: 1, missing_left: true, category: true };
    let older = Node { feature: 1, threshold: 40.5, left: !1, right: !2, missing_left: false, category: false };
    let tree = Tree {
        nodes: vec![city, older],
        leaves: vec![-1.0, 2.0, 3.0],
        gains: vec![1.0; 2],
        covers: vec![4.0; 5],
        levels: vec![1, set],
    };
    let stump = Tree { nodes: Vec::new(), leaves: vec![0.5], gains: Vec::new(), covers: vec![4.0], levels: Vec::new() };
    let ensemble = TreeEnsemble::new(Algorithm::LightGbm, 2, 2, Link::Logistic, vec![0.5], 1.0, vec![tree, stump]);
    Estimator::Trees(ensemble)
}

#[test]
fn sets_of_levels_are_thresholds() {
    let levels: Vec<String> = ["Lyon", "Oslo", "Rome"].map(ToString::to_string).to_vec();
    let columns = || {
        vec![
            column("label", Step::Level(Level { levels: levels.clone() }), 1),
            column("age", Step::Keep(crate::transform::Keep), 1),
        ]
    };
    // Lyon and Rome go left, and missing with them: three ranges, of which missing takes the first.
    let (_, graph) = written(&fitted(columns(), trees(0b101)), Layout::Matrix);
    let node = graph.node.iter().find(|node| node.op_type == "TreeEnsembleRegressor").expect("trees");
    let of = |name: &str| node.attribute.iter().find(|attribute| attribute.name == name).expect("an attribute");
    assert_eq!(node.domain, "ai.onnx.ml");
    assert_eq!(of("nodes_values_as_tensor").r#type, attribute_type::TENSOR);
    // Nodes 0 and 1 are the tree's own, 2 to 4 its leaves, 5 what follows 0; the tree that is one leaf is in the base.
    assert_eq!(of("nodes_nodeids").ints, [0, 1, 2, 3, 4, 5]);
    assert_eq!(of("nodes_truenodeids").ints, [2, 3, 0, 0, 0, 1]);
    assert_eq!(of("nodes_falsenodeids").ints, [5, 4, 0, 0, 0, 2]);
    assert_eq!(of("nodes_missing_value_tracks_true").ints, [0, 0, 0, 0, 0, 0]);
    assert_eq!(of("target_nodeids").ints, [2, 2, 3, 3, 4, 4]);
    assert_eq!(of("target_ids").ints, [0, 1, 0, 1, 0, 1], "the coarse part of a leaf, and the rest");
}

#[test]
fn what_cannot_be_carried_is_named() {
    let datetime = Step::Datetime(Datetime { parts: vec![DatetimePart::Epoch], value: 0, marker: false });
    let text = Step::Text(Text { words: Vec::new(), idf: Vec::new() });
    for (name, step, transformer) in [("day", datetime, "DateTimeTransformer"), ("note", text, "TfIdf")] {
        let error = to_onnx(&fitted(vec![age(), column(name, step, 1)], logistic(3)), Layout::Matrix)
            .expect_err("no operator does it");
        assert!(matches!(&error, ExportError::Step { column, .. } if column == name), "{error}");
        assert_eq!(
            error.to_string(),
            format!("column `{name}`: ONNX has no operator for its {transformer}, which logistic_regression looks at")
        );
        assert!(error.hint().is_some_and(|hint| hint.contains(&format!("--ignore {name}"))));
    }
    let two =
        FeaturizedColumn { minus: Some("day".to_string()), ..column("day", Step::Keep(crate::transform::Keep), 1) };
    let error = to_onnx(&fitted(vec![two], logistic(1)), Layout::Matrix).expect_err("days between dates");
    assert!(error.to_string().starts_with("column `day`:"), "{error}");
}
