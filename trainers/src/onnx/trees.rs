//! Trees as `TreeEnsembleRegressor`, whose questions are ours: thresholds in single precision compare alike in double,
//! and a missing value goes where the node says.
//!
//! The operator adds leaves in double precision and rounds the sum to single. That could be seen in predictions of any
//! size, and in labels where a forest's share is the threshold: so a leaf is written as a coarse part, whose sums are
//! exact in single precision, and the rest, each to a target of its own.

use super::features::Features;
use super::graph::{GraphBuilder, Value, doubles, int, ints, string, strings};
use super::linear::{row_sums, sigmoids, softmax};
use super::proto::data_type;
use crate::data::Kind;
use crate::error::ExportError;
use crate::trees::{LevelStatistic, Link, Node, Tree, TreeEnsemble};

/// Bits of a sum that single precision keeps, less one for the sign of the rest.
const BITS: i32 = 23;

/// `N × n_outputs` predictions.
pub(super) fn trees(
    graph: &mut GraphBuilder,
    features: &Features,
    rows: &str,
    model: &TreeEnsemble,
) -> Result<Value, ExportError> {
    let raw = raw(graph, features, rows, model)?;
    Ok(match model.link() {
        Link::Identity => raw,
        Link::Logistic => sigmoids(graph, &raw),
        Link::Softmax => softmax(graph, &raw),
        Link::Exp => {
            let (power, most) = (graph.op("Exp", &[&raw]), graph.double(f64::MAX));
            graph.op("Min", &[&power, &most])
        }
        Link::Shares => shares(graph, &raw, model),
    })
}

/// Raw scores, `N × n_raw_outputs`.
fn raw(graph: &mut GraphBuilder, features: &Features, rows: &str, model: &TreeEnsemble) -> Result<Value, ExportError> {
    let n_raw = model.n_raw_outputs();
    let mut base = model.base().to_vec();
    let mut arrays = Arrays::new(model);
    for (t, tree) in model.trees().iter().enumerate() {
        if tree.nodes.is_empty() {
            base[t % n_raw] += model.scale() * f64::from(tree.leaves[0]);
        } else {
            arrays.push(tree, t % n_raw, features, model)?;
        }
    }
    let base = graph.doubles(&[1, n_raw], &base);
    if arrays.n_trees == 0 {
        return Ok(graph.op("Expand", &[&base, rows]));
    }
    let asked = with_statistics(graph, features, model)?;
    let n_targets = arrays.n_targets();
    let sums = graph.ml("TreeEnsembleRegressor", &[&asked], arrays.attributes());
    let sums = graph.cast(&sums, data_type::DOUBLE);
    let coarse = graph.columns(&sums, n_targets, &(0..n_raw).collect::<Vec<_>>());
    let rest = graph.columns(&sums, n_targets, &(n_raw..n_targets).collect::<Vec<_>>());
    let mut sums = graph.op("Add", &[&coarse, &rest]);
    if model.scale() != 1.0 {
        let scale = graph.double(model.scale());
        sums = graph.op("Mul", &[&sums, &scale]);
    }
    Ok(graph.op("Add", &[&sums, &base]))
}

/// Shares, clipped and brought to sum 1; uniform where no class has any.
fn shares(graph: &mut GraphBuilder, raw: &str, model: &TreeEnsemble) -> Value {
    let (zero, one) = (graph.double(0.0), graph.double(1.0));
    let clipped = graph.op("Clip", &[raw, &zero, &one]);
    if model.n_raw_outputs() != model.n_outputs() {
        let other = graph.op("Sub", &[&one, &clipped]);
        return graph.beside(&[other, clipped]);
    }
    let sums = row_sums(graph, &clipped);
    let some = graph.op("Greater", &[&sums, &zero]);
    let shares = graph.op("Div", &[&clipped, &sums]);
    let uniform = graph.double(1.0 / model.n_outputs() as f64);
    graph.op("Where", &[&some, &shares, &uniform])
}

/// The features, and beside them the numbers that stand for levels.
fn with_statistics(graph: &mut GraphBuilder, features: &Features, model: &TreeEnsemble) -> Result<Value, ExportError> {
    let mut parts = vec![features.doubles.clone()];
    for statistic in model.statistics() {
        let LevelStatistic { feature, values, other } = statistic;
        let n_levels = n_levels(features, *feature, model)?;
        let x = graph.columns(&features.doubles, features.kinds.len(), &[*feature as usize]);
        let missing = graph.op("IsNaN", &[&x]);
        let beyond = graph.double(f64::from(n_levels));
        let level = graph.op("Where", &[&missing, &beyond, &x]);
        let level = graph.cast(&level, data_type::INT64);
        let of = |level: u32| f64::from(values.get(level as usize).copied().unwrap_or(*other));
        let table: Vec<f64> = (0..n_levels).map(of).chain([f64::from(*other)]).collect();
        let table = graph.doubles(&[table.len()], &table);
        parts.push(graph.op_with("Gather", &[&table, &level], vec![int("axis", 0)]));
    }
    Ok(graph.beside(&parts))
}

/// How many levels a category has.
fn n_levels(features: &Features, feature: u32, model: &TreeEnsemble) -> Result<u32, ExportError> {
    match features.kinds.get(feature as usize) {
        Some(Kind::Category { n_levels }) => Ok(*n_levels),
        _ => Err(ExportError::Estimator {
            algorithm: model.algorithm(),
            reason: format!("its feature {feature} is asked for its level, and is no category"),
        }),
    }
}

/// The attributes of a tree operator: nodes of all trees in parallel lists.
struct Arrays {
    n_raw: usize,
    n_trees: usize,
    /// The unit of the coarse parts of leaves.
    unit: f64,
    tree: Vec<i64>,
    node: Vec<i64>,
    feature: Vec<i64>,
    leaf: Vec<bool>,
    threshold: Vec<f64>,
    left: Vec<i64>,
    right: Vec<i64>,
    missing_left: Vec<i64>,
    target_tree: Vec<i64>,
    target_node: Vec<i64>,
    target: Vec<i64>,
    weight: Vec<f64>,
}

/// Some of the levels of a category, as thresholds: levels up to the first bound lie on its side, those beyond up to the
/// second on that one's, and so on; those beyond the last are on the side `beyond`.
struct Ranges {
    /// Bounds, ascending, each with whether the levels below it go left.
    bounds: Vec<(f64, bool)>,
    /// Whether levels beyond the last bound go left.
    beyond: bool,
    /// Whether a missing level is below the first bound; else it is beyond the last.
    missing_first: bool,
}

impl Ranges {
    fn new(set: &[u32], n_levels: u32, missing_left: bool) -> Ranges {
        let left = |level: u32| set.get(level as usize / 32).is_some_and(|word| word >> (level % 32) & 1 == 1);
        let mut bounds: Vec<(f64, bool)> = (1..n_levels)
            .filter(|&level| left(level) != left(level - 1))
            .map(|level| (f64::from(level - 1), left(level - 1)))
            .collect();
        let mut beyond = n_levels > 0 && left(n_levels - 1);
        let first = bounds.first().map_or(beyond, |(_, side)| *side);
        let missing_first = beyond != missing_left && first == missing_left;
        // Missing is on neither end's side, or nothing is asked at all: then all levels are below one more bound.
        if beyond != missing_left && !missing_first || bounds.is_empty() {
            bounds.push((f64::from(n_levels), beyond));
            beyond = missing_left;
        }
        Ranges { bounds, beyond, missing_first }
    }
}

impl Arrays {
    fn new(model: &TreeEnsemble) -> Arrays {
        Arrays {
            n_raw: model.n_raw_outputs(),
            n_trees: 0,
            unit: unit(model),
            tree: Vec::new(),
            node: Vec::new(),
            feature: Vec::new(),
            leaf: Vec::new(),
            threshold: Vec::new(),
            left: Vec::new(),
            right: Vec::new(),
            missing_left: Vec::new(),
            target_tree: Vec::new(),
            target_node: Vec::new(),
            target: Vec::new(),
            weight: Vec::new(),
        }
    }

    fn n_targets(&self) -> usize {
        2 * self.n_raw
    }

    /// Appends a tree. A node of ours is a node of the same number; what follows its first for a set of levels, and leaves,
    /// come behind. Nodes of one set share the child on their true side, never that on the false one, which ONNX Runtime
    /// wants to itself.
    fn push(
        &mut self,
        tree: &Tree,
        target: usize,
        features: &Features,
        model: &TreeEnsemble,
    ) -> Result<(), ExportError> {
        let n_nodes = tree.nodes.len();
        let child = |child: i32| if child < 0 { (n_nodes as i64) + i64::from(!child) } else { i64::from(child) };
        let mut next = (n_nodes + tree.leaves.len()) as i64;
        let mut behind = Vec::new();
        for (n, node) in tree.nodes.iter().enumerate() {
            let (left, right) = (child(node.left), child(node.right));
            if !node.category {
                self.question(n as i64, node, f64::from(node.threshold), [left, right], node.missing_left);
                continue;
            }
            let n_levels = n_levels(features, node.feature, model)?;
            let ranges = Ranges::new(tree.set(node), n_levels, node.missing_left);
            let side = |goes_left: bool| if goes_left { left } else { right };
            let last = ranges.bounds.len() - 1;
            for (b, &(bound, goes_left)) in ranges.bounds.iter().enumerate() {
                let number = if b == 0 { n as i64 } else { next + b as i64 - 1 };
                let otherwise = if b == last { side(ranges.beyond) } else { next + b as i64 };
                let question = (number, bound, [side(goes_left), otherwise], b == 0 && ranges.missing_first);
                if b == 0 {
                    self.question(question.0, node, question.1, question.2, question.3);
                } else {
                    behind.push((node, question));
                }
            }
            next += last as i64;
        }
        for (leaf, &value) in tree.leaves.iter().enumerate() {
            self.leaf((n_nodes + leaf) as i64, f64::from(value), target);
        }
        for (node, (number, bound, children, missing)) in behind {
            self.question(number, node, bound, children, missing);
        }
        self.n_trees += 1;
        Ok(())
    }

    fn question(&mut self, number: i64, node: &Node, threshold: f64, children: [i64; 2], missing_left: bool) {
        self.tree.push(self.n_trees as i64);
        self.node.push(number);
        self.feature.push(i64::from(node.feature));
        self.leaf.push(false);
        self.threshold.push(threshold);
        self.left.push(children[0]);
        self.right.push(children[1]);
        self.missing_left.push(i64::from(missing_left));
    }

    fn leaf(&mut self, number: i64, value: f64, target: usize) {
        self.tree.push(self.n_trees as i64);
        self.node.push(number);
        self.feature.push(0);
        self.leaf.push(true);
        self.threshold.push(0.0);
        self.left.push(0);
        self.right.push(0);
        self.missing_left.push(0);
        let coarse = (value / self.unit).round() * self.unit;
        for (target, weight) in [(target, coarse), (target + self.n_raw, value - coarse)] {
            self.target_tree.push(self.n_trees as i64);
            self.target_node.push(number);
            self.target.push(target as i64);
            self.weight.push(weight);
        }
    }

    fn attributes(self) -> Vec<super::proto::Attribute> {
        let modes = self.leaf.iter().map(|&leaf| if leaf { "LEAF" } else { "BRANCH_LEQ" });
        vec![
            string("aggregate_function", "SUM"),
            string("post_transform", "NONE"),
            int("n_targets", self.n_targets() as i64),
            strings("nodes_modes", modes),
            ints("nodes_treeids", self.tree),
            ints("nodes_nodeids", self.node),
            ints("nodes_featureids", self.feature),
            doubles("nodes_values_as_tensor", &self.threshold),
            ints("nodes_truenodeids", self.left),
            ints("nodes_falsenodeids", self.right),
            ints("nodes_missing_value_tracks_true", self.missing_left),
            ints("target_treeids", self.target_tree),
            ints("target_nodeids", self.target_node),
            ints("target_ids", self.target),
            doubles("target_weights_as_tensor", &self.weight),
        ]
    }
}

/// A power of two of which no sum of leaves has so many that single precision would round it.
fn unit(model: &TreeEnsemble) -> f64 {
    let greatest = |tree: &Tree| tree.leaves.iter().map(|leaf| f64::from(leaf.abs())).fold(0.0, f64::max);
    let most: f64 = model.trees().iter().map(greatest).sum();
    // Rounding a leaf to whole units adds up to half a unit to each.
    let exponent = most.max(f64::from(f32::MIN_POSITIVE)).log2().ceil() as i32 + 1 - BITS;
    let unit = 2.0_f64.powi(exponent);
    if (most / unit + model.trees().len() as f64) < 2.0_f64.powi(BITS + 1) { unit } else { unit * 2.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A walk along the bounds ends on the side that the set and the node say, missing or not.
        #[test]
        fn ranges_are_the_set(
            n_levels in 0_u32..100,
            words in prop::collection::vec(any::<u32>(), 0..5),
            missing_left in any::<bool>(),
        ) {
            let ranges = Ranges::new(&words, n_levels, missing_left);
            let walk = |level: f64| {
                for (b, &(bound, side)) in ranges.bounds.iter().enumerate() {
                    if level <= bound || level.is_nan() && b == 0 && ranges.missing_first {
                        return side;
                    }
                }
                ranges.beyond
            };
            for level in 0..n_levels {
                let held = words.get(level as usize / 32).is_some_and(|word| word >> (level % 32) & 1 == 1);
                prop_assert_eq!(walk(f64::from(level)), held, "level {}", level);
            }
            prop_assert_eq!(walk(f64::NAN), missing_left);
        }
    }
}
