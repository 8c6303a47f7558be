//! Table columns into features: what is fitted on training rows only, kept as plain parameters, and applied to
//! any row the same way, alone or in a batch.

#[cfg(feature = "fit")]
mod cross_fit;
mod datetime;
mod featurizer;
#[cfg(feature = "fit")]
mod fit;
mod frequency;
mod hash_one_hot;
mod impute;
mod keep;
mod level;
mod moment;
mod ngrams;
mod one_hot;
mod ordinal;
mod scale;
mod settings;
mod step;
#[cfg(feature = "fit")]
mod svd;
mod target_mean;
#[cfg(all(test, feature = "fit"))]
mod tests;
mod text;
mod text_svd;

#[cfg(feature = "fit")]
pub use cross_fit::Supervision;
#[cfg(feature = "fit")]
pub use datetime::FitDatetime;
pub use datetime::{Datetime, DatetimePart};
pub use featurizer::{Encoding, FeaturePlan, FeaturizedColumn, Featurizer, Scaling};
#[cfg(feature = "fit")]
pub use featurizer::{SHARED_INPUT, TREE_INPUT};
#[cfg(feature = "fit")]
pub use fit::{FEW_LEVELS, FittedFeatures};
#[cfg(feature = "fit")]
pub use frequency::FitFrequency;
pub use frequency::Frequency;
#[cfg(feature = "fit")]
pub use hash_one_hot::FitHashOneHot;
pub use hash_one_hot::HashOneHot;
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
pub use settings::{FeatureSettings, Fill, Strategy, Transformer};
pub use step::{Feature, Step};
#[cfg(feature = "fit")]
pub use step::{TargetTransform, Transform};
pub use target_mean::TargetMean;
#[cfg(feature = "fit")]
pub use target_mean::{FitTargetMean, Smoothing};
#[cfg(feature = "fit")]
pub use text::FitText;
pub use text::Text;
#[cfg(feature = "fit")]
pub use text_svd::FitTextSvd;
pub use text_svd::{Pieces, TextSvd, Vocabulary};
