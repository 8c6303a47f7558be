//! Text as a few dense numbers.

use std::collections::HashMap;

use datasets::Column;
use serde::{Deserialize, Serialize};

use super::ngrams::{each_run_of_characters, each_word_and_pair};
use super::step::{Feature, features, texts};
use crate::error::ModelError;

/// Which pieces of a text are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pieces {
    /// Words, and pairs of words that follow each other.
    Words,
    /// Runs of three and four characters within words, spaces around a word included.
    Characters,
}

impl Pieces {
    fn each(self, text: &str, take: impl FnMut(&str)) {
        match self {
            Pieces::Words => each_word_and_pair(text, take),
            Pieces::Characters => each_run_of_characters(text, take),
        }
    }
}

/// The pieces of one sort that are counted, each with its weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vocabulary {
    /// What is counted.
    pub pieces: Pieces,
    /// The pieces, in alphabetical order.
    pub terms: Vec<String>,
    /// Weight of each.
    pub idf: Vec<f32>,
}

impl Vocabulary {
    fn slots(&self) -> HashMap<&str, u32> {
        self.terms.iter().enumerate().map(|(slot, term)| (term.as_str(), slot as u32)).collect()
    }

    /// The weights of a text's pieces as scikit-learn's `TfidfVectorizer(sublinear_tf=True)` has them, by ascending slot:
    /// `(1 + ln count) (ln((1 + n) / (1 + df)) + 1)`, divided by their Euclidean norm.
    fn weigh(&self, slots: &HashMap<&str, u32>, text: &str, found: &mut Vec<u32>, out: &mut Vec<(u32, f32)>) {
        found.clear();
        out.clear();
        self.pieces.each(text, |piece| found.extend(slots.get(piece)));
        found.sort_unstable();
        out.extend(found.chunk_by(|a, b| a == b).map(|run| {
            let weight = (1.0 + (run.len() as f64).ln()) * f64::from(self.idf[run[0] as usize]);
            (run[0], weight as f32)
        }));
        let norm = out.iter().map(|(_, weight)| f64::from(*weight).powi(2)).sum::<f64>().sqrt();
        for (_, weight) in out {
            *weight = (f64::from(*weight) / norm) as f32;
        }
    }
}

/// Latent semantic analysis: the weighted counts of words, pairs of words and runs of characters, projected on the
/// directions in which training texts differ most (Deerwester et al. 1990). A missing text is 0 in all of them, as one is
/// that has no known piece.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextSvd {
    /// What is counted; their slots follow each other.
    pub vocabularies: Vec<Vocabulary>,
    /// How many features.
    pub n_components: usize,
    /// Terms × features, the features of one term side by side.
    pub projection: Vec<f32>,
}

impl TextSvd {
    pub(super) fn apply(&self, column: &Column) -> Result<Vec<Feature>, ModelError> {
        let cells = texts(column)?;
        let k = self.n_components;
        let mut values = vec![vec![0.0; cells.len()]; k];
        let mut row_values = vec![0.0_f64; k];
        let (mut found, mut weights) = (Vec::new(), Vec::new());
        let slots: Vec<HashMap<&str, u32>> = self.vocabularies.iter().map(Vocabulary::slots).collect();
        for (row, cell) in cells.iter().enumerate() {
            let Some(cell) = cell else { continue };
            row_values.fill(0.0);
            let mut offset = 0;
            for (vocabulary, slots) in self.vocabularies.iter().zip(&slots) {
                vocabulary.weigh(slots, cell, &mut found, &mut weights);
                for &(slot, weight) in &weights {
                    let direction = &self.projection[(offset + slot as usize) * k..][..k];
                    row_values.iter_mut().zip(direction).for_each(|(v, d)| *v += f64::from(weight) * f64::from(*d));
                }
                offset += vocabulary.terms.len();
            }
            values.iter_mut().zip(&row_values).for_each(|(values, value)| values[row] = *value);
        }
        Ok(features(self.names(&column.name), values, true))
    }

    pub(super) fn names(&self, column: &str) -> Vec<String> {
        (0..self.n_components).map(|j| format!("{column}_svd_{j}")).collect()
    }

    pub(super) fn check(&self) -> bool {
        let n_terms: usize = self.vocabularies.iter().map(|vocabulary| vocabulary.terms.len()).sum();
        self.vocabularies.iter().all(|vocabulary| vocabulary.terms.len() == vocabulary.idf.len())
            && self.projection.len() == n_terms * self.n_components
    }
}

#[cfg(feature = "fit")]
pub use fit::FitTextSvd;

#[cfg(feature = "fit")]
mod fit {
    use std::collections::{HashMap, HashSet};

    use datasets::{Column, TextColumn};

    use super::super::step::{Step, Transform, inside, texts};
    use super::super::svd::{Sparse, leading_directions};
    use super::{Pieces, TextSvd, Vocabulary};
    use crate::error::TrainError;

    /// Fits [`TextSvd`].
    #[derive(Debug, Clone, Copy)]
    pub struct FitTextSvd {
        /// At most this many features; default 32.
        pub n_components: usize,
        /// At most this many pieces of each sort are counted, those of most rows; default 2,000.
        pub max_terms: usize,
        /// A piece is counted when at least this many training rows have it; default 2.
        pub min_rows: usize,
        /// A piece is left out when more than this share of the training rows has it; default 0.9.
        pub max_share: f64,
        /// With more training rows than this, every second, third and so on is looked at; default 10,000.
        pub max_rows: usize,
    }

    impl Default for FitTextSvd {
        fn default() -> FitTextSvd {
            FitTextSvd { n_components: 32, max_terms: 2_000, min_rows: 2, max_share: 0.9, max_rows: 10_000 }
        }
    }

    impl Transform for FitTextSvd {
        fn fit(&self, column: &Column, rows: &[u32]) -> Result<Step, TrainError> {
            let cells = texts(column)?;
            let rows: Vec<usize> = inside(rows, cells.len()).collect();
            let every = rows.len().div_ceil(self.max_rows.max(1)).max(1);
            let rows: Vec<usize> = rows.into_iter().step_by(every).collect();
            let vocabularies =
                vec![self.vocabulary(Pieces::Words, cells, &rows), self.vocabulary(Pieces::Characters, cells, &rows)];
            let matrix = weights(&vocabularies, cells, &rows);
            let mut rng = hyperdrive::keyed_rng(0, 0, "text directions");
            let (projection, n_components) = leading_directions(&matrix, self.n_components, &mut rng);
            Ok(Step::TextSvd(TextSvd { vocabularies, n_components, projection }))
        }
    }

    impl FitTextSvd {
        fn vocabulary(&self, pieces: Pieces, cells: &TextColumn, rows: &[usize]) -> Vocabulary {
            let mut rows_with: HashMap<String, usize> = HashMap::new();
            let mut seen: HashSet<String> = HashSet::new();
            for &row in rows {
                pieces.each(cells.get(row).unwrap_or_default(), |piece| {
                    if !seen.contains(piece) {
                        seen.insert(piece.to_owned());
                    }
                });
                for piece in seen.drain() {
                    *rows_with.entry(piece).or_default() += 1;
                }
            }
            let most = self.max_share * rows.len() as f64;
            let mut kept: Vec<(String, usize)> =
                rows_with.into_iter().filter(|(_, count)| *count >= self.min_rows && *count as f64 <= most).collect();
            // Of pieces in equally many rows the alphabetically first stay, whatever the order of the map.
            kept.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            kept.truncate(self.max_terms);
            kept.sort_unstable();
            let idf = |count: usize| (((1 + rows.len()) as f64 / (1 + count) as f64).ln() + 1.0) as f32;
            let (terms, idf) = kept.into_iter().map(|(term, count)| (term, idf(count))).unzip();
            Vocabulary { pieces, terms, idf }
        }
    }

    /// The weights of every row's pieces.
    fn weights(vocabularies: &[Vocabulary], cells: &TextColumn, rows: &[usize]) -> Sparse {
        let n_columns = vocabularies.iter().map(|vocabulary| vocabulary.terms.len()).sum();
        let slots: Vec<HashMap<&str, u32>> = vocabularies.iter().map(Vocabulary::slots).collect();
        let mut matrix = Sparse { n_columns, columns: Vec::new(), values: Vec::new(), ends: Vec::new() };
        let (mut found, mut own) = (Vec::new(), Vec::new());
        for &row in rows {
            let mut offset = 0;
            for (vocabulary, slots) in vocabularies.iter().zip(&slots) {
                vocabulary.weigh(slots, cells.get(row).unwrap_or_default(), &mut found, &mut own);
                matrix.columns.extend(own.iter().map(|(slot, _)| offset + slot));
                matrix.values.extend(own.iter().map(|(_, weight)| *weight));
                offset += vocabulary.terms.len() as u32;
            }
            matrix.ends.push(matrix.columns.len());
        }
        matrix
    }
}
