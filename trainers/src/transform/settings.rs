//! What a person may say about how columns become features, by Azure's names.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

/// A transformer that can be blocked, by Azure's name, and one of ours. Of some of Azure's we have none; to block them is
/// allowed and changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transformer {
    /// Statistics of the target by words; we have none.
    TextTargetEncoder,
    /// [`super::OneHot`]; blocked, every category is described by the target.
    OneHotEncoder,
    /// [`super::TargetMean`] and [`super::Frequency`]; blocked, the 40 most frequent levels are 0/1 features.
    CatTargetEncoder,
    /// [`super::Text`] and [`super::TextSvd`]; blocked, only the length of a text is a feature.
    TfIdf,
    /// Weight of evidence; we have none.
    WoETargetEncoder,
    /// [`super::Ordinal`], for categories of which one-hot and target encoding are both blocked; blocked too, only the
    /// frequency of a level is a feature.
    LabelEncoder,
    /// Vectors learned elsewhere; we have none.
    WordEmbedding,
    /// Class probabilities by words; we have none.
    NaiveBayes,
    /// Plain counts of words; we have none.
    CountVectorizer,
    /// [`super::HashOneHot`]; blocked, such a column is an ordinary category.
    HashOneHotEncoder,
    /// [`crate::Logarithm`] of the target; ours.
    LogTarget,
}

impl Transformer {
    /// All of them, in Azure's order.
    pub const ALL: [Transformer; 11] = [
        Transformer::TextTargetEncoder,
        Transformer::OneHotEncoder,
        Transformer::CatTargetEncoder,
        Transformer::TfIdf,
        Transformer::WoETargetEncoder,
        Transformer::LabelEncoder,
        Transformer::WordEmbedding,
        Transformer::NaiveBayes,
        Transformer::CountVectorizer,
        Transformer::HashOneHotEncoder,
        Transformer::LogTarget,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Transformer::TextTargetEncoder => "text_target_encoder",
            Transformer::OneHotEncoder => "one_hot_encoder",
            Transformer::CatTargetEncoder => "cat_target_encoder",
            Transformer::TfIdf => "tf_idf",
            Transformer::WoETargetEncoder => "wo_e_target_encoder",
            Transformer::LabelEncoder => "label_encoder",
            Transformer::WordEmbedding => "word_embedding",
            Transformer::NaiveBayes => "naive_bayes",
            Transformer::CountVectorizer => "count_vectorizer",
            Transformer::HashOneHotEncoder => "hash_one_hot_encoder",
            Transformer::LogTarget => "log_target",
        }
    }
}

/// What stands for a missing number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The mean of the training rows.
    Mean,
    /// Their median.
    Median,
    /// Their most frequent value, the smallest of equals.
    MostFrequent,
    /// This number.
    Constant(Fill),
}

/// A number that can be part of a key: equal where its bits are.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Fill(pub f64);

impl PartialEq for Fill {
    fn eq(&self, other: &Fill) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Fill {}

impl PartialOrd for Fill {
    fn partial_cmp(&self, other: &Fill) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Fill {
    fn cmp(&self, other: &Fill) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Hash for Fill {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// How columns become features where a person has said so; by default nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FeatureSettings {
    /// Only what an algorithm cannot do without: numbers as they are, filled and scaled where it must be; categories level
    /// by level; times as one number; of a text its length; no statistics of the target.
    pub plain: bool,
    /// Transformers that are not used.
    pub blocked: BTreeSet<Transformer>,
    /// Columns of numbers with what stands for a missing one. It is filled in for trees too.
    pub imputers: BTreeMap<String, Strategy>,
    /// Columns of categories that are hashed into 2 to this power of 0/1 features, 1 to 12, for algorithms that read no
    /// categories.
    pub hashed: BTreeMap<String, u8>,
}

impl FeatureSettings {
    /// Whether this transformer may be used.
    #[cfg(feature = "fit")]
    pub fn allows(&self, transformer: Transformer) -> bool {
        !self.blocked.contains(&transformer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_are_written() {
        for transformer in Transformer::ALL {
            let written = serde_json::to_string(&transformer).expect("a name");
            assert_eq!(written, format!("\"{}\"", transformer.name()));
        }
    }
}
