//! Ensembles in model files: all trees as a few long arrays, so that nothing is named per node and numbers are read
//! by the block.

use std::fmt;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::statistic::LevelStatistic;
use super::tree::{Link, Node, Tree, TreeEnsemble};
use crate::algorithm::Algorithm;

const MISSING_LEFT: u8 = 1;
const CATEGORY: u8 = 2;

/// The form in files. Arrays run over the trees in order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arrays {
    algorithm: Algorithm,
    n_features: u32,
    n_outputs: u32,
    link: Link,
    base: Vec<f64>,
    scale: f64,
    /// Inner nodes of each tree; there is one more leaf.
    n_nodes: Vec<u32>,
    /// Words of levels of each tree.
    n_words: Vec<u32>,
    feature: Vec<u32>,
    threshold: Floats,
    left: Vec<i32>,
    right: Vec<i32>,
    flags: Vec<u8>,
    leaf: Floats,
    gain: Floats,
    cover: Floats,
    levels: Vec<u32>,
    /// The last, so that a file without is as it was before there were any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    statistics: Vec<LevelStatistic>,
}

impl From<&TreeEnsemble> for Arrays {
    fn from(model: &TreeEnsemble) -> Arrays {
        let trees = &model.trees;
        let nodes = || trees.iter().flat_map(|tree| &tree.nodes);
        let flags = |node: &Node| u8::from(node.missing_left) * MISSING_LEFT + u8::from(node.category) * CATEGORY;
        Arrays {
            algorithm: model.algorithm,
            n_features: model.n_features,
            n_outputs: model.n_outputs,
            link: model.link,
            base: model.base.clone(),
            scale: model.scale,
            n_nodes: trees.iter().map(|tree| tree.nodes.len() as u32).collect(),
            n_words: trees.iter().map(|tree| tree.levels.len() as u32).collect(),
            feature: nodes().map(|node| node.feature).collect(),
            threshold: Floats(nodes().map(|node| node.threshold).collect()),
            left: nodes().map(|node| node.left).collect(),
            right: nodes().map(|node| node.right).collect(),
            flags: nodes().map(flags).collect(),
            leaf: Floats(trees.iter().flat_map(|tree| &tree.leaves).copied().collect()),
            gain: Floats(trees.iter().flat_map(|tree| &tree.gains).copied().collect()),
            cover: Floats(trees.iter().flat_map(|tree| &tree.covers).copied().collect()),
            levels: trees.iter().flat_map(|tree| &tree.levels).copied().collect(),
            statistics: model.statistics.clone(),
        }
    }
}

impl TryFrom<Arrays> for TreeEnsemble {
    type Error = String;

    fn try_from(arrays: Arrays) -> Result<TreeEnsemble, String> {
        let n_trees = arrays.n_nodes.len();
        let n_nodes = arrays.n_nodes.iter().map(|&n| n as usize).sum::<usize>();
        let n_words = arrays.n_words.iter().map(|&n| n as usize).sum::<usize>();
        let found = [
            ("n_words", arrays.n_words.len(), n_trees),
            ("feature", arrays.feature.len(), n_nodes),
            ("threshold", arrays.threshold.0.len(), n_nodes),
            ("left", arrays.left.len(), n_nodes),
            ("right", arrays.right.len(), n_nodes),
            ("flags", arrays.flags.len(), n_nodes),
            ("leaf", arrays.leaf.0.len(), n_nodes + n_trees),
            ("gain", arrays.gain.0.len(), n_nodes),
            ("cover", arrays.cover.0.len(), 2 * n_nodes + n_trees),
            ("levels", arrays.levels.len(), n_words),
        ];
        if let Some((name, length, expected)) = found.into_iter().find(|(_, length, expected)| length != expected) {
            return Err(format!("`{name}` of the trees has {length} values, not {expected}"));
        }
        if let Some(flags) = arrays.flags.iter().find(|&&flags| flags > MISSING_LEFT + CATEGORY) {
            return Err(format!("a node of the trees has flags {flags}"));
        }
        let mut nodes = (0..n_nodes).map(|n| Node {
            feature: arrays.feature[n],
            threshold: arrays.threshold.0[n],
            left: arrays.left[n],
            right: arrays.right[n],
            missing_left: arrays.flags[n] & MISSING_LEFT != 0,
            category: arrays.flags[n] & CATEGORY != 0,
        });
        let mut leaves = arrays.leaf.0.as_slice();
        let mut gains = arrays.gain.0.as_slice();
        let mut covers = arrays.cover.0.as_slice();
        let mut levels = arrays.levels.as_slice();
        let trees = arrays.n_nodes.iter().zip(&arrays.n_words).map(|(&n, &n_words)| {
            let n = n as usize;
            Tree {
                nodes: nodes.by_ref().take(n).collect(),
                leaves: take(&mut leaves, n + 1),
                gains: take(&mut gains, n),
                covers: take(&mut covers, 2 * n + 1),
                levels: take(&mut levels, n_words as usize),
            }
        });
        let trees = trees.collect();
        let (n_features, n_outputs) = (arrays.n_features as usize, arrays.n_outputs as usize);
        let (algorithm, link) = (arrays.algorithm, arrays.link);
        let ensemble = TreeEnsemble::new(algorithm, n_features, n_outputs, link, arrays.base, arrays.scale, trees);
        Ok(ensemble.with_statistics(arrays.statistics))
    }
}

/// Copies the first `n` values, of which there are enough, and moves on.
fn take<T: Copy>(values: &mut &[T], n: usize) -> Vec<T> {
    let (first, rest) = values.split_at(n);
    *values = rest;
    first.to_vec()
}

impl Serialize for TreeEnsemble {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Arrays::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TreeEnsemble {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TreeEnsemble, D::Error> {
        Arrays::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

/// Numbers as one string of little-endian bytes, or as numbers where a person reads them.
pub(super) struct Floats(pub(super) Vec<f32>);

impl Serialize for Floats {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return self.0.serialize(serializer);
        }
        let bytes: Vec<u8> = self.0.iter().flat_map(|x| x.to_le_bytes()).collect();
        serializer.serialize_bytes(&bytes)
    }
}

impl<'de> Deserialize<'de> for Floats {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Floats, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_seq(FloatsVisitor)
        } else {
            deserializer.deserialize_bytes(FloatsVisitor)
        }
    }
}

struct FloatsVisitor;

impl<'de> Visitor<'de> for FloatsVisitor {
    type Value = Floats;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("numbers of four bytes")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Floats, E> {
        let (numbers, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(E::invalid_length(bytes.len(), &self));
        }
        Ok(Floats(numbers.iter().map(|&number| f32::from_le_bytes(number)).collect()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Floats, A::Error> {
        let mut values = Vec::new();
        while let Some(number) = numbers.next_element()? {
            values.push(number);
        }
        Ok(Floats(values))
    }
}
