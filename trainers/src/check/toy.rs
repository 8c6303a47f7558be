//! Small problems with a known answer.

use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::data::{Block, Target, TargetValues, TrainData};
use crate::task::Task;

/// Two features that matter, one of noise, one constant; three rows of five are for training.
pub(super) struct Toy {
    pub(super) block: Arc<Block>,
    pub(super) data: TrainData,
    /// Rows outside the training view.
    pub(super) unseen: Vec<u32>,
}

impl Toy {
    pub(super) fn new(task: Task, n_rows: usize, seed: u64) -> Toy {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // Sums of uniforms: near enough to normal, mean 0, variance 1.
        let mut normal = || (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
        let mut columns: Vec<Vec<f32>> = vec![Vec::new(); 3];
        columns.push(vec![1.0; n_rows]);
        let (mut classes, mut numbers) = (Vec::new(), Vec::new());
        for row in 0..n_rows {
            let (a, b, noise) = (normal(), normal(), normal());
            let signal = 2.0 * a - b + 0.3 * normal();
            let class = match task {
                Task::Binary => u32::from(signal > 0.0),
                Task::Multiclass => row as u32 % 3,
                Task::Regression => 0,
            };
            // Three classes are three clusters; otherwise the class or number follows from the features.
            let shift = if task == Task::Multiclass { f64::from(class) * 2.0 } else { 0.0 };
            columns[0].push((a + shift) as f32);
            columns[1].push((b - shift) as f32);
            columns[2].push(noise as f32);
            classes.push(class);
            numbers.push(5.0 + 3.0 * signal);
        }
        let (values, n_classes) = match task {
            Task::Binary => (TargetValues::Classes(classes), 2),
            Task::Multiclass => (TargetValues::Classes(classes), 3),
            Task::Regression => (TargetValues::Numbers(numbers), 0),
        };
        let target = Target { task, classes: (0..n_classes).map(|c| format!("class {c}")).collect(), values };
        let names = ["signal", "counter", "noise", "constant"];
        let block = block(names.iter().map(ToString::to_string).collect(), &columns);
        let (unseen, rows): (Vec<u32>, Vec<u32>) = (0..n_rows as u32).partition(|row| row % 5 < 2);
        let data = TrainData::new(vec![Arc::clone(&block)], rows.into(), Arc::new(target), 3);
        Toy { block, data, unseen }
    }

    /// The same data with everything outside the training view spoiled.
    pub(super) fn poisoned(&self) -> TrainData {
        let mut block = (*self.block).clone();
        let mut target = (*self.data.target).clone();
        for &row in &self.unseen {
            for j in 0..block.n_features() {
                block.values[j * block.n_rows + row as usize] = f32::NAN;
            }
            match &mut target.values {
                TargetValues::Classes(classes) => classes[row as usize] = u32::MAX,
                TargetValues::Numbers(numbers) => numbers[row as usize] = f64::NAN,
            }
        }
        TrainData { blocks: vec![Arc::new(block)], target: Arc::new(target), ..self.data.clone() }
    }
}

pub(super) fn block(names: Vec<String>, columns: &[Vec<f32>]) -> Arc<Block> {
    let n_rows = columns.first().map_or(0, Vec::len);
    Arc::new(Block::numbers(names, n_rows, columns.concat()))
}
