//! Which parameters mattered.

use serde::{Deserialize, Serialize};

use super::grid::Grid;
use super::parzen::Parzen;
use crate::history::History;
use crate::space::{Layout, Slot};
use crate::trial::{Rank, Trial};

/// Trials that a part of a conditional space needs to be looked at.
const LEAST: usize = 2;

/// How much one parameter mattered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Importance {
    /// Key of the parameter.
    pub key: String,
    /// The divergence itself, at least 0.
    pub divergence: f64,
    /// Its share of the sum over all parameters; equal shares where that is 0.
    pub share: f64,
}

/// How much each parameter that can be searched mattered for being among the best `quantile` of the complete trials
/// (0 to 1, both excluded; 0.1 is usual), the most important first.
///
/// PED-ANOVA (Watanabe, Bansal and Hutter, "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary
/// Subspaces", IJCAI 2023): the Pearson divergence between the densities of a parameter among the best trials and among
/// all. A parameter that exists in some trials only counts by the share of them it exists in, as in its conditional form
/// (arXiv 2601.20800, theorem 4.2), so does not matter where it does not exist. Trials that break their constraints come
/// after those that keep them. With fewer than two complete trials all shares are equal.
pub fn importance(history: &History, quantile: f64) -> Vec<Importance> {
    let goal = history.spec().goal();
    let ranked = |trial: &'_ Trial| trial.result().filter(|_| trial.is_complete()).map(|outcome| outcome.rank(goal));
    let layout = Layout::new(&history.spec().search_space);
    let all: Vec<(Rank, Vec<f64>)> =
        history.trials().iter().filter_map(|trial| Some((ranked(trial)?, layout.encode(&trial.params)?))).collect();
    let divergences = divergences(&layout, &all, quantile);
    let sum: f64 = divergences.iter().sum();
    let share = |divergence: f64| if sum > 0.0 { divergence / sum } else { 1.0 / divergences.len() as f64 };
    let named = layout.slots.iter().zip(&divergences);
    let mut importances: Vec<Importance> = named
        .map(|(slot, divergence)| Importance {
            key: slot.key.clone(),
            divergence: *divergence,
            share: share(*divergence),
        })
        .collect();
    importances.sort_by(|a, b| b.divergence.total_cmp(&a.divergence));
    importances
}

/// The divergence of each slot.
fn divergences(layout: &Layout, all: &[(Rank, Vec<f64>)], quantile: f64) -> Vec<f64> {
    if all.len() < 2 {
        return vec![0.0; layout.len()];
    }
    let mut ranks: Vec<Rank> = all.iter().map(|(rank, _)| *rank).collect();
    ranks.sort();
    let last = ((quantile * all.len() as f64).ceil() as usize).clamp(1, all.len()) - 1;
    let is_best = |rank: &Rank| *rank <= ranks[last];
    let n_best = all.iter().filter(|(rank, _)| is_best(rank)).count();
    let slots = layout.slots.iter().enumerate();
    let of_slot = |(i, slot): (usize, &Slot)| {
        let Some(grid) = Grid::new(slot) else {
            return 0.0;
        };
        let exists = |row: &&(Rank, Vec<f64>)| !row.1[i].is_nan();
        let (mut everywhere, mut among_best) = (vec![0_u32; grid.len()], vec![0_u32; grid.len()]);
        for (rank, row) in all.iter().filter(exists) {
            let cell = grid.cell(slot, row[i]);
            everywhere[cell] += 1;
            among_best[cell] += u32::from(is_best(rank));
        }
        let (here, best_here) = (everywhere.iter().sum::<u32>(), among_best.iter().sum::<u32>());
        if (here as usize) < LEAST || best_here == 0 {
            return 0.0;
        }
        let share_of_best = f64::from(best_here) / n_best as f64;
        let share_of_all = f64::from(here) / all.len() as f64;
        let (best, local) = (Parzen::new(&grid, &among_best), Parzen::new(&grid, &everywhere));
        share_of_best.powi(2) / share_of_all * best.divergence_from(&local)
    };
    let scale = (n_best as f64 / all.len() as f64).powi(2);
    slots.map(of_slot).map(|divergence| divergence * scale).collect()
}
