//! Every end-to-end test, one file per capability, in one binary. `tidy` holds that no file here is forgotten.

#![expect(clippy::format_push_string, clippy::format_collect, reason = "small tables are written as they read")]

mod bad_input;
mod benchmark;
mod cores;
mod determinism;
mod docs;
mod explain;
mod faults;
mod featurization;
mod fit;
mod help;
mod kill;
mod library;
mod life;
mod metrics;
mod onnx;
mod predict;
mod report;
mod stop;
mod support;
mod sweep;
mod tidy;
mod trees;
mod trust;
