//! Text as weighted word counts.

use std::collections::HashMap;

use datasets::Column;
use serde::{Deserialize, Serialize};

use super::ngrams::words;
use super::step::{Feature, features, texts};
use crate::data::Kind;
use crate::error::ModelError;

/// Word frequencies weighted by rarity (TF-IDF as scikit-learn's `TfidfVectorizer` has it: raw counts times
/// `ln((1 + n) / (1 + df)) + 1`, then divided by their Euclidean norm), and the length as `ln(1 + characters)`.
/// A missing text has no words and length 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Text {
    /// The words, in alphabetical order; each is a feature `column:word`.
    pub words: Vec<String>,
    /// Weight of each word.
    pub idf: Vec<f64>,
}

impl Text {
    pub(super) fn apply(&self, column: &Column) -> Result<Vec<Feature>, ModelError> {
        let cells = texts(column)?;
        let slots: HashMap<&str, usize> =
            self.words.iter().enumerate().map(|(slot, word)| (word.as_str(), slot)).collect();
        let mut values = vec![vec![0.0; cells.len()]; self.words.len()];
        let mut lengths = Vec::with_capacity(cells.len());
        let mut counts = vec![0.0; self.words.len()];
        for (row, cell) in cells.iter().enumerate() {
            let cell = cell.unwrap_or_default();
            lengths.push((cell.chars().count() as f64).ln_1p());
            counts.fill(0.0);
            for word in words(cell) {
                if let Some(&slot) = slots.get(word.as_str()) {
                    counts[slot] += 1.0;
                }
            }
            for (count, idf) in counts.iter_mut().zip(&self.idf) {
                *count *= idf;
            }
            let norm = counts.iter().map(|weight| weight * weight).sum::<f64>().sqrt();
            if norm > 0.0 {
                for (column, weight) in values.iter_mut().zip(&counts) {
                    column[row] = weight / norm;
                }
            }
        }
        let mut features = features(self.names(&column.name), values, false);
        let name = length_name(&column.name);
        features.push(Feature { name, values: lengths, kind: Kind::Number, scalable: true });
        Ok(features)
    }

    pub(super) fn names(&self, column: &str) -> Vec<String> {
        let mut names: Vec<String> = self.words.iter().map(|word| format!("{column}:{word}")).collect();
        names.push(length_name(column));
        names
    }
}

fn length_name(column: &str) -> String {
    format!("{column}_length")
}

#[cfg(feature = "fit")]
pub use fit::FitText;

#[cfg(feature = "fit")]
mod fit {
    use std::collections::{BTreeMap, BTreeSet};

    use datasets::Column;

    use super::super::ngrams::words;
    use super::super::step::{Step, Transform, inside, texts};
    use super::Text;
    use crate::error::TrainError;

    /// Fits [`Text`].
    #[derive(Debug, Clone, Copy)]
    pub struct FitText {
        /// A word is kept when at least this many training rows have it; default 2.
        pub min_rows: usize,
        /// A word is left out when more than this share of the training rows has it; default 0.9.
        pub max_share: f64,
        /// At most this many words are kept, those of most rows; default 300.
        pub max_words: usize,
    }

    impl Default for FitText {
        fn default() -> FitText {
            FitText { min_rows: 2, max_share: 0.9, max_words: 300 }
        }
    }

    impl Transform for FitText {
        fn fit(&self, column: &Column, rows: &[u32]) -> Result<Step, TrainError> {
            let cells = texts(column)?;
            let mut rows_with: BTreeMap<String, usize> = BTreeMap::new();
            let mut n_rows = 0_usize;
            for row in inside(rows, cells.len()) {
                n_rows += 1;
                for word in words(cells.get(row).unwrap_or_default()).collect::<BTreeSet<String>>() {
                    *rows_with.entry(word).or_default() += 1;
                }
            }
            let most = self.max_share * n_rows as f64;
            let mut kept: Vec<(String, usize)> =
                rows_with.into_iter().filter(|(_, count)| *count >= self.min_rows && *count as f64 <= most).collect();
            // The sort is stable: of words in equally many rows the alphabetically first stay.
            kept.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            kept.truncate(self.max_words);
            kept.sort_unstable();
            let idf = kept.iter().map(|(_, count)| ((1 + n_rows) as f64 / (1 + count) as f64).ln() + 1.0).collect();
            Ok(Step::Text(Text { words: kept.into_iter().map(|(word, _)| word).collect(), idf }))
        }
    }
}
