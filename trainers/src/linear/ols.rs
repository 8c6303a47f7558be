//! Fits least squares by QR decomposition.

use std::sync::atomic::{AtomicBool, Ordering};

use hyperdrive::{Dimension, Params};

use super::lbfgs::{add, dot};
use super::regression::Standardised;
use crate::algorithm::Algorithm;
use crate::data::{Shape, TrainData};
use crate::error::TrainError;
use crate::model::Estimator;
use crate::task::Task;
use crate::trainer::{Capabilities, OneShot, Trainer, Training};
use crate::transform::SHARED_INPUT;

const SELF: Algorithm = Algorithm::LinearRegression;
/// Ridge relative to a feature of variance 1.
const RIDGE: f64 = 1e-9;
/// Rows that are decomposed together, at least.
const BLOCK_ROWS: usize = 512;

/// Fits [`crate::linear::Linear`] by least squares, weighted if there are weights.
///
/// A departure: every weight carries a ridge a billionth as strong as a standardised feature's own variance. One-hot
/// features always sum to a constant, so that plain least squares has no single solution; the ridge picks the
/// shortest, also where there are more features than rows, and is far below the noise everywhere else.
#[derive(Debug, Clone, Copy)]
pub struct LeastSquaresTrainer;

impl Trainer for LeastSquaresTrainer {
    fn describe(&self) -> Capabilities {
        Capabilities {
            algorithm: SELF,
            tasks: &[Task::Regression],
            input: SHARED_INPUT,
            stepped: false,
            weighted: true,
            watches: false,
            baseline: false,
        }
    }

    fn space(&self, _: &Shape) -> Vec<Dimension> {
        Vec::new()
    }

    fn default_params(&self, _: &Shape) -> Params {
        Params::new()
    }

    fn work(&self, shape: &Shape, _: &Params) -> f64 {
        // Householder's QR of n × p, with a quarter more for the triangle above each block.
        let (n, p) = (shape.n_rows as f64 + 1.0, shape.n_features as f64 + 1.0);
        2.5 * (n + p) * p * p
    }

    fn repeats_within(&self) -> Option<f64> {
        Some(1e-6)
    }

    fn start(&self, data: &TrainData, _: &Params, checkpoint: Option<&[u8]>) -> Result<Box<dyn Training>, TrainError> {
        let data = data.clone();
        OneShot::stoppable(SELF, checkpoint, move |stop| fit(&data, stop))
    }
}

fn fit(data: &TrainData, stop: &AtomicBool) -> Result<Option<Estimator>, TrainError> {
    let (data, weights) = data.weighed()?;
    let problem = Standardised::new(&data, weights.as_deref(), SELF)?;
    if problem.is_trivial() {
        return Ok(Some(problem.trivial().into()));
    }
    let Some(found) = solve(&problem, stop) else { return Ok(None) };
    Ok(Some(problem.unscale(&found, SELF)?.into()))
}

/// The weights of least squares; `None` when `stop` became true meanwhile.
///
/// Householder's QR decomposition of as many rows at a time as stay near, each time under the triangle of all rows before
/// (Demmel et al., *Communication-optimal parallel and sequential QR and LU factorizations*, 2012, section 2). The ridge
/// is the triangle to begin with: as good as one more row per feature that asks its weight to be 0.
fn solve(problem: &Standardised, stop: &AtomicBool) -> Option<Vec<f64>> {
    let n_rows = problem.y.len();
    let n_features = problem.columns().len();
    let size = (4 * n_features).max(BLOCK_ROWS).min(n_rows);
    // Column-major, the targets last: the triangle, then a block of rows.
    let height = n_features + size;
    let mut cells = vec![0.0; height * (n_features + 1)];
    for j in 0..n_features {
        cells[j * height + j] = (RIDGE * n_rows as f64).sqrt();
    }
    for from in (0..n_rows).step_by(size) {
        let to = n_rows.min(from + size);
        let columns = problem.columns().chain([problem.y.as_slice()]);
        for (j, (cells, column)) in cells.chunks_exact_mut(height).zip(columns).enumerate() {
            if j < n_features {
                cells[j + 1..n_features].fill(0.0);
            }
            let (block, rest) = cells[n_features..].split_at_mut(to - from);
            block.copy_from_slice(&column[from..to]);
            rest.fill(0.0);
        }
        reflect(&mut cells, height, n_features, stop)?;
    }
    let target = n_features * height;
    let mut weights = vec![0.0; n_features];
    for k in (0..n_features).rev() {
        let known: f64 = (k + 1..n_features).map(|j| cells[j * height + k] * weights[j]).sum();
        weights[k] = (cells[target + k] - known) / cells[k * height + k];
    }
    Some(weights)
}

/// Makes the first columns a triangle, and does the same to all others. What is left below it has no meaning.
fn reflect(cells: &mut [f64], height: usize, n_columns: usize, stop: &AtomicBool) -> Option<()> {
    for k in 0..n_columns {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let (head, rest) = cells.split_at_mut((k + 1) * height);
        let own = &mut head[k * height + k..];
        let norm = dot(own, own).sqrt();
        if norm == 0.0 {
            continue;
        }
        let to = if own[0] > 0.0 { -norm } else { norm };
        own[0] -= to;
        let squares = dot(own, own);
        for column in rest.chunks_exact_mut(height) {
            let column = &mut column[k..];
            let share = 2.0 * dot(own, column) / squares;
            add(column, -share, own);
        }
        own[0] = to;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{DIABETES, assert_close, fit, standardised, weighted};

    /// scikit-learn 1.9.1, `LinearRegression` on `StandardScaler` features of the diabetes data.
    #[test]
    fn weights_are_those_of_scikit_learn() {
        let data = standardised(DIABETES, Task::Regression);
        let Ok(Estimator::Linear(model)) = fit(SELF, &data, &Params::new()) else { panic!("a linear model") };
        let expected = [
            -0.476_120_786,
            -11.406_866_923,
            24.726_548_86,
            15.429_404_131,
            -37.679_952_611,
            22.676_162_766,
            4.806_138_137,
            8.422_039_356,
            35.734_445_771,
            3.216_673_718,
        ];
        assert_close(&model.weights, &expected, 2e-3);
        assert_close(&[model.intercept], &[152.133_484_162], 1e-4);
    }

    /// Blocks of rows end in what all rows at once do: the normal equations hold.
    #[test]
    fn rows_of_several_blocks_are_all_heard() {
        let plain = standardised(DIABETES, Task::Regression);
        let rows: Vec<u32> = (0..2000).map(|i| (i * 7919 % 442) as u32).collect();
        let data = TrainData { rows: rows.into(), ..plain };
        let problem = Standardised::new(&data, None, SELF).expect("sound data");
        let weights = solve(&problem, &AtomicBool::new(false)).expect("nobody stops it");
        let mut rest = problem.y.clone();
        for (column, weight) in problem.columns().zip(&weights) {
            add(&mut rest, -weight, column);
        }
        for column in problem.columns() {
            let pull = dot(column, &rest) / 2000.0;
            assert!(pull.abs() < 1e-8, "{pull} is left");
        }
        assert_eq!(solve(&problem, &AtomicBool::new(true)), None);
    }

    #[test]
    fn features_that_add_up_share_the_weight() {
        // y = 3 + 2·a with a twice: the shortest solution gives each half.
        let columns = [[1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]].concat();
        let block = std::sync::Arc::new(crate::Block::numbers(vec!["a".into(), "b".into()], 4, columns));
        let target = std::sync::Arc::new(crate::Target {
            task: Task::Regression,
            classes: Vec::new(),
            values: crate::TargetValues::Numbers(vec![5.0, 7.0, 9.0, 11.0]),
        });
        let data = TrainData::new(vec![block], (0..4).collect(), target, 0);
        let Ok(Estimator::Linear(model)) = fit(SELF, &data, &Params::new()) else { panic!("a linear model") };
        assert_close(&model.weights, &[1.0, 1.0], 1e-6);
        assert_close(&[model.intercept], &[3.0], 1e-6);
    }

    /// As above, with `sample_weight`.
    #[test]
    fn weighted_fits_are_those_of_scikit_learn() {
        let data = weighted(standardised(DIABETES, Task::Regression));
        let Ok(Estimator::Linear(model)) = fit(SELF, &data, &Params::new()) else { panic!("a linear model") };
        let expected = [
            -1.672_861_328,
            -11.668_917_65,
            26.048_032_171,
            18.374_986_02,
            -48.672_164_124,
            35.413_503_754,
            5.999_783_243,
            3.982_251_907,
            39.200_665_77,
            2.664_678_783,
        ];
        assert_close(&model.weights, &expected, 2e-3);
        assert_close(&[model.intercept], &[155.700_616_603], 1e-4);
    }
}
