//! Nearest neighbours from operators of ONNX itself: distances are added up feature by feature in the order of our own
//! search, so that they are the same to the last bit and equally near points are told apart alike.

use super::features::Features;
use super::graph::{GraphBuilder, Value, int};
use super::linear::{split, unsqueeze};
use super::proto::data_type;
use crate::neighbors::{Answers, Distance, Knn, Vote};

/// Sums that run side by side in our search and in our kernels.
const LANES: usize = 8;

/// `N × n_outputs` predictions; a matrix of `N × points` stands in memory on the way. There is at least one feature.
pub(super) fn knn(graph: &mut GraphBuilder, features: &Features, model: &Knn) -> Value {
    let distances = distances(graph, features, model);
    let k = graph.ints(&[model.k as i64]);
    // Of equal distances the lower index comes first, as in our search.
    let nearest =
        graph.outputs("TopK", &[&distances, &k], 2, vec![int("axis", 1), int("largest", 0), int("sorted", 1)]);
    let (near, which) = (&nearest[0], &nearest[1]);
    let mut votes = votes(graph, near, model);
    let (mut answers, mut weights) = (&model.answers, None);
    if let Answers::Weighed { weights: own, of } = answers {
        (answers, weights) = (of, Some(own));
    }
    if let Some(weights) = weights {
        let weights = graph.doubles(&[weights.len()], weights);
        let weights = graph.op_with("Gather", &[&weights, which], vec![int("axis", 0)]);
        votes = graph.op("Mul", &[&votes, &weights]);
    }
    // A row of answers per point: the number, or a one at its class.
    let n_outputs = model.n_outputs;
    let rows: Vec<f64> = match answers {
        Answers::Numbers(numbers) => numbers.clone(),
        Answers::Classes(classes) => classes
            .iter()
            .flat_map(|&class| (0..n_outputs).map(move |output| f64::from(u8::from(output == class as usize))))
            .collect(),
        Answers::Weighed { .. } => Vec::new(),
    };
    let rows = graph.doubles(&[rows.len() / n_outputs.max(1), n_outputs], &rows);
    let answers = graph.op_with("Gather", &[&rows, which], vec![int("axis", 0)]);
    let each = unsqueeze(graph, &votes);
    let heard = graph.op("Mul", &[&answers, &each]);
    let axis = graph.ints(&[1]);
    let sums = graph.op_with("ReduceSum", &[&heard, &axis], vec![int("keepdims", 0)]);
    let total = graph.op_with("ReduceSum", &[&votes, &axis], vec![int("keepdims", 1)]);
    graph.op("Div", &[&sums, &total])
}

/// `N × points` floats: sums of absolute or squared differences.
fn distances(graph: &mut GraphBuilder, features: &Features, model: &Knn) -> Value {
    pairs(graph, features, &model.points, model.n_features, |graph, x, points| {
        let away = graph.op("Sub", &[x, points]);
        match model.distance {
            Distance::Manhattan => graph.op("Abs", &[&away]),
            Distance::Euclidean => graph.op("Mul", &[&away, &away]),
        }
    })
}

/// `N × points` floats: for each row and point the sum over features of a function of both, in our own order.
pub(super) fn pairs(
    graph: &mut GraphBuilder,
    features: &Features,
    points: &[f32],
    n: usize,
    of: impl Fn(&mut GraphBuilder, &str, &str) -> Value,
) -> Value {
    let n_points = points.len() / n;
    let mut lanes: [Option<Value>; LANES] = Default::default();
    for (j, x) in split(graph, &features.floats, n).into_iter().enumerate() {
        let points: Vec<f32> = points.iter().skip(j).step_by(n).copied().collect();
        let points = graph.floats(&[1, n_points], &points);
        let part = of(graph, &x, &points);
        let lane = &mut lanes[j % LANES];
        *lane = Some(match lane.take() {
            Some(sum) => graph.op("Add", &[&sum, &part]),
            None => part,
        });
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    let mut add = |a: Option<Value>, b: Option<Value>| match (a, b) {
        (Some(a), Some(b)) => Some(graph.op("Add", &[&a, &b])),
        (one, other) => one.or(other),
    };
    let (ae, bf, cg, dh) = (add(a, e), add(b, f), add(c, g), add(d, h));
    let (first, second) = (add(ae, bf), add(cg, dh));
    add(first, second).expect("there is at least one feature")
}

/// What each neighbour's vote counts, `N × k`.
fn votes(graph: &mut GraphBuilder, near: &str, model: &Knn) -> Value {
    let near = graph.cast(near, data_type::DOUBLE);
    let (zero, one) = (graph.double(0.0), graph.double(1.0));
    if model.vote == Vote::Uniform {
        let no = graph.op("Mul", &[&near, &zero]);
        // Where a distance overflowed, its product with 0 is no number.
        let odd = graph.op("IsNaN", &[&no]);
        let flat = graph.op("Where", &[&odd, &zero, &no]);
        return graph.op("Add", &[&flat, &one]);
    }
    let length = match model.distance {
        Distance::Manhattan => near.clone(),
        Distance::Euclidean => graph.op("Sqrt", &[&near]),
    };
    let votes = graph.op("Div", &[&one, &length]);
    let closest = graph.columns(&near, model.k, &[0]);
    // Points at distance 0 vote alone.
    let (met, own) = (graph.op("Equal", &[&closest, &zero]), graph.op("Equal", &[&near, &zero]));
    let alone = graph.cast(&own, data_type::DOUBLE);
    let votes = graph.op("Where", &[&met, &alone, &votes]);
    // Where every distance overflowed, none is nearer than another.
    let far = graph.op("IsInf", &[&closest]);
    graph.op("Where", &[&far, &one, &votes])
}
