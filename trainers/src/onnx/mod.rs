//! A model as an ONNX file: the whole chain, from raw columns to classes and probabilities, for programs that have ONNX
//! Runtime and not this library.
//!
//! What is written is equal to what [`crate::Fitted`] predicts: features are the same numbers to the last bit, since steps
//! on categories become tables of what the step itself makes of each level, and steps on numbers the same operations in
//! double precision, rounded to single precision at the same place; estimators then calculate in double precision.
//!
//! | room | question |
//! |---|---|
//! | `proto`, `graph` | how a file is written |
//! | `inputs`, `features` | raw columns, and what chains see of them |
//! | `linear`, `trees`, `neighbors` | what estimators make of features |
//! | `export` | the whole, and what comes out |
//!
//! Operators are of opset 17 and of `ai.onnx.ml` 3: every ONNX Runtime since 1.12 (2022) runs them.

mod export;
mod features;
mod graph;
mod inputs;
mod linear;
mod neighbors;
mod proto;
#[cfg(all(test, feature = "fit"))]
mod tests;
mod trees;

pub use export::{Element, Layout, OnnxModel, Port, to_onnx};
