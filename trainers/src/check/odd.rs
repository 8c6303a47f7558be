//! Data that real files do contain, and that must not bring a search down.

use std::sync::Arc;

use super::toy::{Toy, block};
use super::{check_sane, fit};
use crate::algorithm::Algorithm;
use crate::data::{Block, TargetValues, TrainData};
use crate::task::Task;

pub(super) fn check_odd_data(algorithm: Algorithm, task: Task) {
    let toy = Toy::new(task, 40, 5);
    let n_rows = toy.block.n_rows;
    let with_columns = |columns: Vec<Vec<f32>>| {
        let names = (0..columns.len()).map(|j| format!("x{j}")).collect();
        TrainData { blocks: vec![block(names, &columns)], ..toy.data.clone() }
    };
    let with_rows = |rows: Vec<u32>| TrainData { rows: rows.into(), ..toy.data.clone() };
    let one_answer = || {
        let mut target = (*toy.data.target).clone();
        match &mut target.values {
            TargetValues::Classes(classes) => classes.fill(1),
            TargetValues::Numbers(numbers) => numbers.fill(2.5),
        }
        TrainData { target: Arc::new(target), ..toy.data.clone() }
    };
    let wide = (0..100_usize).map(|j| (0..n_rows).map(|i| ((i * 37 + j * 101) % 19) as f32 - 9.0).collect()).collect();
    let empty = Block::numbers(Vec::new(), n_rows, Vec::new());
    for (case, data) in [
        ("every column constant", with_columns(vec![vec![3.0; n_rows], vec![0.0; n_rows]])),
        ("two equal columns", with_columns(vec![toy.block.column(0).to_vec(), toy.block.column(0).to_vec()])),
        ("huge values", with_columns(vec![(0..n_rows).map(|i| (i as f32 - 20.0) * 1e37).collect()])),
        ("more features than rows", with_columns(wide)),
        ("one row", with_rows(vec![4])),
        ("two rows", with_rows(vec![4, 9])),
        ("the same row twice", with_rows(vec![4, 4])),
        ("no rows", with_rows(Vec::new())),
        ("a row beyond the data", with_rows(vec![0, 1, 1_000_000])),
        ("one class or number", one_answer()),
        ("no features", TrainData { blocks: vec![Arc::new(empty)], ..toy.data.clone() }),
        ("no blocks", TrainData { blocks: Vec::new(), ..toy.data.clone() }),
        ("a NaN", with_columns(vec![vec![f32::NAN; n_rows]])),
    ] {
        let params = algorithm.trainer().default_params(&data.shape());
        if let Ok(model) = fit(algorithm, &data, &params) {
            assert!(!data.rows.is_empty(), "{algorithm} learned from no rows");
            assert!(!data.rows.contains(&1_000_000), "{algorithm} learned from a row that is not there");
            let all = data.blocks.first().cloned().unwrap_or_default();
            let rows: Vec<u32> = (0..all.n_rows as u32).collect();
            if case != "a NaN" {
                check_sane(algorithm, &data, &model.predict(&all, &rows), rows.len());
            }
        }
    }
}
