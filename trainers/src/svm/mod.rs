//! Support vector machines: margins between classes, straight or along kernels, with probabilities fitted on top.

#[cfg(feature = "fit")]
mod calibrate;
#[cfg(feature = "fit")]
mod kernel_svm;
#[cfg(feature = "fit")]
mod linear_svm;
mod model;
#[cfg(feature = "fit")]
mod smo;

#[cfg(feature = "fit")]
pub use kernel_svm::KernelSvmTrainer;
#[cfg(feature = "fit")]
pub use linear_svm::LinearSvmTrainer;
pub use model::{Kernel, Svm};
