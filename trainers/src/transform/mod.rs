//! Table columns into features: what is fitted on training rows only, kept as plain parameters, and applied to
//! any row the same way, alone or in a batch.

mod datetime;
mod featurizer;
mod impute;
mod keep;
mod level;
mod moment;
mod one_hot;
mod ordinal;
mod scale;
mod step;
#[cfg(all(test, feature = "fit"))]
mod tests;
mod text;

#[cfg(feature = "fit")]
pub use datetime::FitDatetime;
pub use datetime::{Datetime, DatetimePart};
pub use featurizer::{Encoding, FeaturePlan, FeaturizedColumn, Featurizer, Scaling};
#[cfg(feature = "fit")]
pub use featurizer::{SHARED_INPUT, TREE_INPUT};
#[cfg(feature = "fit")]
pub use impute::FitImpute;
pub use impute::Impute;
#[cfg(feature = "fit")]
pub use keep::FitKeep;
pub use keep::Keep;
#[cfg(feature = "fit")]
pub use level::FitLevel;
pub use level::Level;
#[cfg(feature = "fit")]
pub use moment::FitMoment;
pub use moment::Moment;
#[cfg(feature = "fit")]
pub use one_hot::FitOneHot;
pub use one_hot::OneHot;
#[cfg(feature = "fit")]
pub use ordinal::FitOrdinal;
pub use ordinal::Ordinal;
#[cfg(feature = "fit")]
pub use scale::FitScale;
pub use scale::Scale;
#[cfg(feature = "fit")]
pub use step::Transform;
pub use step::{Feature, Step};
#[cfg(feature = "fit")]
pub use text::FitText;
pub use text::Text;
