//! The order of points that is worth its time: after those before it, each is the one that an ensemble gains most from
//! for the time it takes, over all tables (greedily; after the zeroshot portfolios of Feurer et al., "Auto-sklearn 2.0",
//! JMLR 2022, section 3.1, with the ensemble of Caruana et al. 2004 in place of the best single).

use rayon::prelude::*;

use trainers::Algorithm;

use super::measure::{Measurement, Run};
use super::{Point, Portfolio};

/// A point that gains less than this share, as a mean over tables of what there is to gain, is left out.
const LEAST_GAIN: f64 = 2e-4;
/// Most points.
const MOST: usize = 40;
/// A point takes at least this share of what boosting takes as it comes, so that being quick alone is nothing.
const LEAST_TIME: f64 = 0.05;

/// An ensemble of what was chosen so far on one table.
struct State<'a> {
    table: &'a Measurement,
    /// Of every row the sum of what was said.
    sum: Vec<f64>,
    n: f64,
    loss: f64,
    /// What there is to gain: the loss of the constant answer less that of the best single point.
    scale: f64,
    /// Seconds of boosting as it comes, by which the others are measured.
    usual: f64,
}

impl<'a> State<'a> {
    fn new(table: &'a Measurement) -> Self {
        let said = |said: &[f32]| said.iter().map(|said| f64::from(*said)).collect::<Vec<f64>>();
        let constant = loss(table, &said(&table.constant), 1.0);
        let best = table.runs.iter().map(|run| loss(table, &said(&run.said), 1.0)).fold(f64::INFINITY, f64::min);
        let of_boosting = table.runs.iter().find(|run| run.point == Point::default_of(Algorithm::LightGbm));
        let most = table.runs.iter().map(|run| run.seconds).fold(0.0, f64::max);
        Self {
            table,
            sum: vec![0.0; table.constant.len()],
            n: 0.0,
            loss: constant,
            scale: (constant - best).max(1e-9),
            usual: of_boosting.map_or(most, |run| run.seconds).max(1e-6),
        }
    }

    fn run(&self, point: &Point) -> Option<&'a Run> {
        self.table.runs.iter().find(|run| run.point == *point)
    }

    /// The best loss with the run at one of a few weights, and the weight.
    fn with(&self, run: &Run) -> (f64, f64) {
        let weights: &[f64] = if self.n > 0.0 { &[1.0, 2.0, self.n.max(3.0)] } else { &[1.0] };
        let of = |weight: f64| {
            let sum: Vec<f64> =
                self.sum.iter().zip(&run.said).map(|(sum, own)| sum + weight * f64::from(*own)).collect();
            (loss(self.table, &sum, self.n + weight), weight)
        };
        weights.iter().map(|weight| of(*weight)).min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((self.loss, 0.0))
    }

    fn take(&mut self, run: &Run) {
        let (loss, weight) = self.with(run);
        if loss < self.loss {
            self.sum.iter_mut().zip(&run.said).for_each(|(sum, own)| *sum += weight * f64::from(*own));
            (self.n, self.loss) = (self.n + weight, loss);
        }
    }
}

/// The root mean squared error, or the log loss, of a sum of `n` opinions.
fn loss(table: &Measurement, sum: &[f64], n: f64) -> f64 {
    let rows = sum.len().max(1) as f64;
    if table.truth.is_empty() {
        return sum.iter().map(|said| -(said / n).max(1e-6).ln()).sum::<f64>() / rows;
    }
    let squares = sum.iter().zip(&table.truth).map(|(said, truth)| (said / n - f64::from(*truth)).powi(2));
    (squares.sum::<f64>() / rows).sqrt()
}

/// The portfolio that these tables suggest, with what each point gained.
pub(crate) fn learn(tables: &[Measurement], about: String) -> (Portfolio, Vec<f64>) {
    let mut left: Vec<&Point> = Vec::new();
    for run in tables.iter().flat_map(|table| &table.runs) {
        if !left.contains(&&run.point) {
            left.push(&run.point);
        }
    }
    let mut states: Vec<State<'_>> = tables.iter().map(State::new).collect();
    let (mut points, mut gains) = (Vec::new(), Vec::new());
    while points.len() < MOST {
        let worth = |point: &&Point| {
            let (mut gain, mut time, mut n) = (0.0, 0.0, 0.0);
            for state in &states {
                let Some(run) = state.run(point) else { continue };
                gain += ((state.loss - state.with(run).0) / state.scale).max(0.0);
                time += (run.seconds / state.usual).max(LEAST_TIME);
                n += 1.0;
            }
            // Of the tables that it is for; a point of few tables is worth as much there.
            (gain / n, gain / time)
        };
        let found = left.par_iter().map(worth).collect::<Vec<_>>().into_iter().enumerate();
        let best = found
            .filter(|(_, (gain, _))| *gain >= LEAST_GAIN)
            .max_by(|a, b| a.1.1.total_cmp(&b.1.1).then(b.0.cmp(&a.0)));
        let Some((at, (gain, _))) = best else { break };
        let point = left.remove(at);
        for state in &mut states {
            if let Some(run) = state.run(point) {
                state.take(run);
            }
        }
        points.push(point.clone());
        gains.push(gain);
    }
    (Portfolio { about, points }, gains)
}

#[cfg(test)]
mod tests {
    use trainers::Task;

    use super::*;

    fn run(algorithm: Algorithm, seconds: f64, said: &[f32]) -> Run {
        Run { point: Point::default_of(algorithm), seconds, said: said.to_vec() }
    }

    #[test]
    fn the_quick_come_before_the_slow_and_copies_are_left_out() {
        let truth = vec![0.0_f32, 1.0, 2.0, 3.0];
        let table = Measurement {
            name: "t".into(),
            task: Task::Regression,
            n_rows: 4,
            constant: vec![1.5; 4],
            truth,
            runs: vec![
                // Good and slow; as good, quick; the same again; what errs the other way; what is as good as nothing.
                run(Algorithm::RandomForest, 10.0, &[0.4, 1.4, 2.4, 3.4]),
                run(Algorithm::DecisionTree, 0.1, &[0.4, 1.4, 2.4, 3.4]),
                run(Algorithm::LightGbm, 1.0, &[0.4, 1.4, 2.4, 3.4]),
                run(Algorithm::LinearRegression, 1.0, &[-0.4, 0.6, 1.6, 2.6]),
                run(Algorithm::Knn, 1.0, &[9.0, 9.0, 9.0, 9.0]),
            ],
        };
        let (learned, gains) = learn(&[table], "a test".into());
        let names: Vec<Algorithm> = learned.points.iter().map(|point| point.algorithm).collect();
        assert_eq!(names, [Algorithm::DecisionTree, Algorithm::LinearRegression]);
        assert!(gains[0] > gains[1] && gains[1] > 0.0, "{gains:?}");
    }

    #[test]
    fn of_classes_the_true_ones_probability_counts() {
        let table = Measurement {
            name: "t".into(),
            task: Task::Binary,
            n_rows: 3,
            constant: vec![0.5; 3],
            truth: Vec::new(),
            runs: vec![run(Algorithm::DecisionTree, 1.0, &[0.9, 0.8, 0.9]), run(Algorithm::Knn, 1.0, &[0.2, 0.1, 0.3])],
        };
        let (learned, _) = learn(&[table], "a test".into());
        assert_eq!(learned.points, [Point::default_of(Algorithm::DecisionTree)]);
    }
}
