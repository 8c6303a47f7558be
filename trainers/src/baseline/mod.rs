//! Yardsticks that look at no feature.

mod constant;

pub use constant::Constant;
#[cfg(feature = "fit")]
pub use constant::ConstantTrainer;
