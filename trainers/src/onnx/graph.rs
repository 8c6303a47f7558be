//! A graph under construction: values by name, each made once.

use std::collections::HashSet;

use super::proto::{Attribute, Dimension, Node, Shape, Tensor, TensorType, Type, ValueInfo, attribute_type, data_type};

/// The operators of machine learning: labels, trees.
pub(super) const ML: &str = "ai.onnx.ml";

/// A value of the graph, by its name.
pub(super) type Value = String;

/// Nodes in the order of their making, so that a node comes after what it reads.
#[derive(Debug, Default)]
pub(super) struct GraphBuilder {
    pub(super) nodes: Vec<Node>,
    pub(super) constants: Vec<Tensor>,
    taken: HashSet<String>,
    next: usize,
}

impl GraphBuilder {
    /// A graph that keeps clear of some names.
    pub(super) fn new<'a>(reserved: impl IntoIterator<Item = &'a str>) -> GraphBuilder {
        GraphBuilder { taken: reserved.into_iter().map(str::to_owned).collect(), ..GraphBuilder::default() }
    }

    /// A name of its own, this one if it is free.
    pub(super) fn claim(&mut self, wanted: &str) -> Value {
        let mut name = wanted.to_owned();
        let mut n = 1;
        while !self.taken.insert(name.clone()) {
            name = format!("{wanted}_{n}");
            n += 1;
        }
        name
    }

    fn fresh(&mut self) -> Value {
        self.next += 1;
        let name = format!("v{}", self.next);
        self.claim(&name)
    }

    /// The output of an operator of ONNX itself.
    pub(super) fn op(&mut self, op: &str, inputs: &[&str]) -> Value {
        self.op_with(op, inputs, Vec::new())
    }

    /// The same with attributes.
    pub(super) fn op_with(&mut self, op: &str, inputs: &[&str], attributes: Vec<Attribute>) -> Value {
        self.push("", op, inputs, 1, attributes).swap_remove(0)
    }

    /// The output of an operator of machine learning.
    pub(super) fn ml(&mut self, op: &str, inputs: &[&str], attributes: Vec<Attribute>) -> Value {
        self.push(ML, op, inputs, 1, attributes).swap_remove(0)
    }

    /// The outputs of an operator that has several.
    pub(super) fn outputs(
        &mut self,
        op: &str,
        inputs: &[&str],
        n_outputs: usize,
        attributes: Vec<Attribute>,
    ) -> Vec<Value> {
        self.push("", op, inputs, n_outputs, attributes)
    }

    fn push(
        &mut self,
        domain: &str,
        op: &str,
        inputs: &[&str],
        n_outputs: usize,
        attribute: Vec<Attribute>,
    ) -> Vec<Value> {
        let output: Vec<Value> = (0..n_outputs).map(|_| self.fresh()).collect();
        self.nodes.push(Node {
            input: inputs.iter().map(ToString::to_string).collect(),
            output: output.clone(),
            name: format!("n{}", self.nodes.len()),
            op_type: op.to_owned(),
            attribute,
            domain: domain.to_owned(),
        });
        output
    }

    /// A value under the name of an output.
    pub(super) fn rename(&mut self, value: &str, output: &str) {
        self.nodes.push(Node {
            input: vec![value.to_owned()],
            output: vec![output.to_owned()],
            name: format!("n{}", self.nodes.len()),
            op_type: "Identity".to_owned(),
            attribute: Vec::new(),
            domain: String::new(),
        });
    }

    /// A constant of doubles.
    pub(super) fn doubles(&mut self, dims: &[usize], values: &[f64]) -> Value {
        self.constant(double_tensor(dims, values))
    }

    /// A double that goes with any shape.
    pub(super) fn double(&mut self, value: f64) -> Value {
        self.doubles(&[], &[value])
    }

    /// A constant of floats.
    pub(super) fn floats(&mut self, dims: &[usize], values: &[f32]) -> Value {
        let raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(tensor(dims, data_type::FLOAT, raw))
    }

    /// A constant list of integers.
    pub(super) fn ints(&mut self, values: &[i64]) -> Value {
        let raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(tensor(&[values.len()], data_type::INT64, raw))
    }

    /// A constant list of strings.
    pub(super) fn strings(&mut self, values: &[String]) -> Value {
        self.constant(Tensor {
            dims: vec![values.len() as i64],
            data_type: data_type::STRING,
            string_data: values.iter().map(|value| value.clone().into_bytes()).collect(),
            name: String::new(),
            raw_data: None,
        })
    }

    fn constant(&mut self, tensor: Tensor) -> Value {
        // Equal constants, such as the indices of columns that every chain takes, are kept once.
        let same = |known: &&Tensor| Tensor { name: String::new(), ..(**known).clone() } == tensor;
        let small = tensor.raw_data.as_ref().is_some_and(|raw| raw.len() <= 8);
        if let Some(known) = self.constants.iter().filter(|known| small && known.dims == tensor.dims).find(same) {
            return known.name.clone();
        }
        let name = self.fresh();
        self.constants.push(Tensor { name: name.clone(), ..tensor });
        name
    }

    /// These columns of a matrix, in this order; the matrix itself where they are all of its `n_columns` in order.
    pub(super) fn columns(&mut self, matrix: &str, n_columns: usize, columns: &[usize]) -> Value {
        if columns.iter().copied().eq(0..n_columns) {
            return matrix.to_owned();
        }
        let indices: Vec<i64> = columns.iter().map(|&column| column as i64).collect();
        let indices = self.ints(&indices);
        self.op_with("Gather", &[matrix, &indices], vec![int("axis", 1)])
    }

    /// Matrices side by side.
    pub(super) fn beside(&mut self, parts: &[Value]) -> Value {
        if let [only] = parts {
            return only.clone();
        }
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        self.op_with("Concat", &parts, vec![int("axis", 1)])
    }

    /// The value as another element type.
    pub(super) fn cast(&mut self, value: &str, to: i32) -> Value {
        self.op_with("Cast", &[value], vec![int("to", i64::from(to))])
    }
}

fn tensor(dims: &[usize], data_type: i32, raw: Vec<u8>) -> Tensor {
    Tensor {
        dims: dims.iter().map(|&dim| dim as i64).collect(),
        data_type,
        string_data: Vec::new(),
        name: String::new(),
        raw_data: Some(raw),
    }
}

fn double_tensor(dims: &[usize], values: &[f64]) -> Tensor {
    tensor(dims, data_type::DOUBLE, values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

fn attribute(name: &str, r#type: i32) -> Attribute {
    Attribute { name: name.to_owned(), r#type, ..Attribute::default() }
}

/// An attribute that is a number.
pub(super) fn int(name: &str, value: i64) -> Attribute {
    Attribute { i: Some(value), ..attribute(name, attribute_type::INT) }
}

/// An attribute that is a list of numbers.
pub(super) fn ints(name: &str, values: Vec<i64>) -> Attribute {
    Attribute { ints: values, ..attribute(name, attribute_type::INTS) }
}

/// An attribute that is a word.
pub(super) fn string(name: &str, value: &str) -> Attribute {
    Attribute { s: Some(value.as_bytes().to_vec()), ..attribute(name, attribute_type::STRING) }
}

/// An attribute that is a list of words.
pub(super) fn strings<'a>(name: &str, values: impl IntoIterator<Item = &'a str>) -> Attribute {
    let strings = values.into_iter().map(|value| value.as_bytes().to_vec()).collect();
    Attribute { strings, ..attribute(name, attribute_type::STRINGS) }
}

/// An attribute that is a list of doubles.
pub(super) fn doubles(name: &str, values: &[f64]) -> Attribute {
    Attribute { t: Some(double_tensor(&[values.len()], values)), ..attribute(name, attribute_type::TENSOR) }
}

/// An input or output: `N` rows and so many columns, or a list of `N`; without a shape, of any.
pub(super) fn port(name: &str, elem_type: i32, columns: Option<&[usize]>, doc: &str) -> ValueInfo {
    let rows = Dimension { dim_value: None, dim_param: Some("N".to_owned()) };
    let number = |&n: &usize| Dimension { dim_value: Some(n as i64), dim_param: None };
    let shape = columns.map(|columns| Shape { dim: std::iter::once(rows).chain(columns.iter().map(number)).collect() });
    ValueInfo {
        name: name.to_owned(),
        r#type: Some(Type { tensor_type: Some(TensorType { elem_type, shape }) }),
        doc_string: doc.to_owned(),
    }
}
