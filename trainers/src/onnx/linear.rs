//! Weighted sums: of features, of their squares or signs (naive Bayes), of kernels.

use super::features::Features;
use super::graph::{GraphBuilder, Value, int};
use super::neighbors::pairs;
use super::proto::data_type;
use crate::bayes::{BernoulliNaiveBayes, GaussianNaiveBayes};
use crate::linear::{Linear, Logistic};
use crate::svm::{Kernel, Svm};

/// `N × 1` predictions.
pub(super) fn linear(graph: &mut GraphBuilder, features: &Features, model: &Linear) -> Value {
    scores(graph, features, &model.weights, &[model.intercept])
}

/// `N × n_outputs` probabilities.
pub(super) fn logistic(graph: &mut GraphBuilder, features: &Features, model: &Logistic) -> Value {
    let scores = scores(graph, features, &model.weights, &model.intercepts);
    let probabilities = if model.intercepts.len() == 1 { sigmoids(graph, &scores) } else { softmax(graph, &scores) };
    spread(graph, &probabilities, &model.classes, model.n_outputs)
}

/// `N × n_outputs` probabilities.
pub(super) fn bernoulli(graph: &mut GraphBuilder, features: &Features, model: &BernoulliNaiveBayes) -> Value {
    let threshold = graph.double(model.threshold);
    let above = graph.op("Greater", &[&features.doubles, &threshold]);
    let (floats, doubles) = (graph.cast(&above, data_type::FLOAT), graph.cast(&above, data_type::DOUBLE));
    logistic(graph, &Features { floats, doubles, kinds: features.kinds.clone() }, &model.scores)
}

/// `N × n_outputs` probabilities; a matrix of `N × support vectors` stands in memory on the way.
pub(super) fn svm(graph: &mut GraphBuilder, features: &Features, model: &Svm) -> Value {
    let product = matches!(model.kernel, Kernel::Cubic { .. });
    let sums = pairs(graph, features, &model.points, model.n_features, |graph, x, points| {
        if product {
            return graph.op("Mul", &[x, points]);
        }
        let away = graph.op("Sub", &[x, points]);
        graph.op("Mul", &[&away, &away])
    });
    let sums = graph.cast(&sums, data_type::DOUBLE);
    let near = match model.kernel {
        Kernel::Rbf { gamma } => {
            let factor = graph.double(-gamma);
            let exponent = graph.op("Mul", &[&sums, &factor]);
            graph.op("Exp", &[&exponent])
        }
        Kernel::Cubic { gamma } => {
            let (factor, one) = (graph.double(gamma), graph.double(1.0));
            let scaled = graph.op("Mul", &[&sums, &factor]);
            let base = graph.op("Add", &[&scaled, &one]);
            let square = graph.op("Mul", &[&base, &base]);
            let cube = graph.op("Mul", &[&square, &base]);
            let (low, high) = (graph.double(-f64::from(f32::MAX)), graph.double(f64::from(f32::MAX)));
            graph.op("Clip", &[&cube, &low, &high])
        }
    };
    // Our kernels are kept in single precision.
    let near = graph.cast(&near, data_type::FLOAT);
    let near = graph.cast(&near, data_type::DOUBLE);
    let n_scores = model.intercepts.len();
    let coefficients = graph.doubles(&[model.coefficients.len() / n_scores, n_scores], &model.coefficients);
    let intercepts = graph.doubles(&[1, n_scores], &model.intercepts);
    let sums = graph.op("MatMul", &[&near, &coefficients]);
    let scores = graph.op("Add", &[&sums, &intercepts]);
    let probabilities = if n_scores == 1 { sigmoids(graph, &scores) } else { softmax(graph, &scores) };
    spread(graph, &probabilities, &model.classes, model.n_outputs)
}

/// `N × n_outputs` probabilities.
pub(super) fn gaussian(graph: &mut GraphBuilder, features: &Features, model: &GaussianNaiveBayes) -> Value {
    let n_features = features.kinds.len();
    let mut scores = Vec::with_capacity(model.classes.len());
    for (c, prior) in model.log_priors.iter().enumerate() {
        let (means, variances) =
            (&model.means[c * n_features..][..n_features], &model.variances[c * n_features..][..n_features]);
        let factors: Vec<f64> = variances.iter().map(|variance| -0.5 / variance).collect();
        let constant: f64 = variances.iter().map(|variance| -0.5 * (std::f64::consts::TAU * variance).ln()).sum();
        let (means, factors) = (graph.doubles(&[1, n_features], means), graph.doubles(&[n_features, 1], &factors));
        let constant = graph.double(prior + constant);
        // Squares of differences, not three sums that would cancel.
        let away = graph.op("Sub", &[&features.doubles, &means]);
        let squares = graph.op("Mul", &[&away, &away]);
        let sum = graph.op("MatMul", &[&squares, &factors]);
        scores.push(graph.op("Add", &[&sum, &constant]));
    }
    let scores = graph.beside(&scores);
    let probabilities = softmax(graph, &scores);
    spread(graph, &probabilities, &model.classes, model.n_outputs)
}

/// `N × intercepts` weighted sums.
fn scores(graph: &mut GraphBuilder, features: &Features, weights: &[f64], intercepts: &[f64]) -> Value {
    let (n_features, n_scores) = (features.kinds.len(), intercepts.len());
    let by_feature: Vec<f64> =
        (0..n_features).flat_map(|j| (0..n_scores).map(move |s| weights[s * n_features + j])).collect();
    let weights = graph.doubles(&[n_features, n_scores], &by_feature);
    let intercepts = graph.doubles(&[1, n_scores], intercepts);
    let sums = graph.op("MatMul", &[&features.doubles, &weights]);
    graph.op("Add", &[&sums, &intercepts])
}

/// The probabilities of two classes from the one score of the second, each by its own exponential.
pub(super) fn sigmoids(graph: &mut GraphBuilder, score: &str) -> Value {
    let one = graph.double(1.0);
    let minus = graph.op("Neg", &[score]);
    let sides = [score, &minus].map(|exponent| {
        let power = graph.op("Exp", &[exponent]);
        let below = graph.op("Add", &[&one, &power]);
        graph.op("Div", &[&one, &below])
    });
    graph.beside(&sides)
}

/// Scores, one per column, as probabilities.
pub(super) fn softmax(graph: &mut GraphBuilder, scores: &str) -> Value {
    graph.op_with("Softmax", &[scores], vec![int("axis", 1)])
}

/// Probabilities of some classes at their places among all, 0 for the others.
fn spread(graph: &mut GraphBuilder, probabilities: &str, classes: &[u32], n_outputs: usize) -> Value {
    if classes.iter().copied().eq(0..n_outputs as u32) {
        return probabilities.to_owned();
    }
    let pads = graph.ints(&[0, 0, 0, 1]);
    let with_zero = graph.op("Pad", &[probabilities, &pads]);
    let place = |class: usize| classes.iter().position(|&own| own as usize == class).unwrap_or(classes.len());
    let places: Vec<usize> = (0..n_outputs).map(place).collect();
    graph.columns(&with_zero, classes.len() + 1, &places)
}

/// The sum of the rows' columns, `N × 1`.
pub(super) fn row_sums(graph: &mut GraphBuilder, matrix: &str) -> Value {
    let axis = graph.ints(&[1]);
    graph.op_with("ReduceSum", &[matrix, &axis], vec![int("keepdims", 1)])
}

/// A matrix of another shape with the same cells; -1 is what remains.
pub(super) fn reshape(graph: &mut GraphBuilder, value: &str, shape: &[i64]) -> Value {
    let shape = graph.ints(shape);
    graph.op("Reshape", &[value, &shape])
}

/// An axis of length 1 at the end.
pub(super) fn unsqueeze(graph: &mut GraphBuilder, value: &str) -> Value {
    let axis = graph.ints(&[-1]);
    graph.op("Unsqueeze", &[value, &axis])
}

/// The greatest of each row's columns comes first: its index, a list of `N`.
pub(super) fn arg_max(graph: &mut GraphBuilder, matrix: &str) -> Value {
    graph.op_with("ArgMax", &[matrix], vec![int("axis", 1), int("keepdims", 0)])
}

/// The columns of a matrix one by one, each `N × 1`.
pub(super) fn split(graph: &mut GraphBuilder, matrix: &str, n_columns: usize) -> Vec<Value> {
    graph.outputs("Split", &[matrix], n_columns, vec![int("axis", 1)])
}
