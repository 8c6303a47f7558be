//! One CMA-ES with restarts over numbers that exist together, as a fold over results.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::distribution::Distribution;
use super::margin::{cell, keep_margin, place_in};
use super::restart::Restarts;
use super::strategy::Strategy;
use crate::keys::keyed_rng;
use crate::sampler::observations::Verdict;
use crate::space::Slot;

/// How it starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    /// Population of the first run; the usual one where there is none.
    pub(super) population: Option<u32>,
    /// Standard deviation of the first run in the unit interval.
    pub(super) sigma: f64,
    /// Seed of the study, by which restarts draw.
    pub(super) seed: u64,
}

/// The numbers below one option, or those that always exist.
#[derive(Clone, Debug)]
pub(super) struct Group {
    slots: Vec<Slot>,
    start: Start,
    /// Results to begin from, until the first run begins.
    before: Vec<(Verdict, Vec<f64>)>,
    centre: Vec<f64>,
    run: Option<Distribution>,
    restarts: Restarts,
    /// Results of the generation under way.
    generation: Vec<(Verdict, Vec<f64>)>,
}

/// Tries to draw a point inside the bounds before the last is reflected at them. Drawing again keeps the shape of the
/// distribution where it mostly lies inside, reflection ends where it does not; the point learned from is the one that
/// was tried, so no penalty is needed. Measured: better than reflection at once, and no worse than 100 tries.
const TRIES: usize = 20;
/// Share of the earlier results a run begins from, and standard deviation around each of them: γ and α of WS-CMA-ES.
const PROMISING: f64 = 0.1;
const AROUND: f64 = 0.1;
/// Earlier results of the group from which a covariance is taken; fewer give a mean alone.
const ENOUGH: usize = 20;

impl Group {
    /// `centre` is where it begins if no result says better.
    pub(super) fn new(slots: Vec<Slot>, centre: Vec<f64>, start: Start) -> Self {
        Self {
            slots,
            start,
            before: Vec::new(),
            centre,
            run: None,
            restarts: Restarts::default(),
            generation: Vec::new(),
        }
    }

    /// Takes a result to begin from.
    pub(super) fn prepare(&mut self, verdict: Verdict, point: Vec<f64>) {
        self.before.push((verdict, point));
    }

    /// Takes a result. `u` is a number in (0, 1) for each of its coordinates, to place it inside a cell.
    pub(super) fn take(&mut self, verdict: Verdict, mut point: Vec<f64>, u: impl Fn(usize) -> f64) {
        let run = self.run.get_or_insert_with(|| first(&self.before, &self.slots, &self.centre, self.start));
        for (i, (x, slot)) in point.iter_mut().zip(&self.slots).enumerate() {
            *x = place_in(cell(slot, *x), run.mean[i], run.deviation(i), u(i));
        }
        // What was suggested before a restart would draw the new run back to where the old one ended.
        let stray = self.restarts.count() > 0 && run.generations == 0 && {
            let strategy = &run.strategy;
            run.step(&point).1 > strategy.longest + 1.0
        };
        if stray {
            return;
        }
        self.generation.push((verdict, point));
        if self.generation.len() < run.strategy.population {
            return;
        }
        let mut ranked = std::mem::take(&mut self.generation);
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
        let points: Vec<&[f64]> = ranked.iter().map(|(_, point)| point.as_slice()).collect();
        run.learn(&points);
        for x in &mut run.mean {
            *x = x.clamp(0.0, 1.0);
        }
        let slots: Vec<&Slot> = self.slots.iter().collect();
        keep_margin(run, &slots);
        let verdicts: Vec<Verdict> = ranked.iter().map(|(verdict, _)| *verdict).collect();
        if self.restarts.is_over(run, &verdicts) {
            let d = self.slots.len();
            let usual = self.start.population.map_or_else(|| Strategy::usual_population(d), |p| p as usize);
            let mut rng = keyed_rng(self.start.seed, u64::from(self.restarts.count()), &self.slots[0].key);
            let plan = self.restarts.next(usual, &mut rng);
            let mean = (0..d).map(|_| rng.random()).collect();
            *run = Distribution::round(mean, self.start.sigma * plan.shrink, plan.population);
        }
    }

    /// A point of the unit cube.
    pub(super) fn draw(&self, rng: &mut ChaCha8Rng) -> Vec<f64> {
        let begun;
        let run = if let Some(run) = &self.run {
            run
        } else {
            begun = first(&self.before, &self.slots, &self.centre, self.start);
            &begun
        };
        let mut point = run.draw(rng);
        for _ in 1..TRIES {
            if point.iter().all(|x| (0.0..=1.0).contains(x)) {
                break;
            }
            point = run.draw(rng);
        }
        point.into_iter().map(reflected).collect()
    }
}

/// The first run: from what came before as in Nomura et al., "Warm Starting CMA-ES", arXiv:2012.06932, section 4.2,
/// the normal distribution nearest to a mixture of normal ones around the best tenth.
fn first(before: &[(Verdict, Vec<f64>)], slots: &[Slot], centre: &[f64], start: Start) -> Distribution {
    let d = slots.len();
    let population = start.population.map_or_else(|| Strategy::usual_population(d), |p| p as usize);
    let mut best: Vec<&(Verdict, Vec<f64>)> = before.iter().collect();
    best.sort_by(|a, b| a.0.total_cmp(&b.0));
    best.truncate(((PROMISING * before.len() as f64).ceil() as usize).max(1));
    if best.is_empty() {
        return Distribution::round(centre.to_vec(), start.sigma, population);
    }
    let m = best.len() as f64;
    let mean: Vec<f64> = (0..d).map(|i| best.iter().map(|(_, point)| point[i]).sum::<f64>() / m).collect();
    if before.len() < ENOUGH {
        return Distribution::round(mean, start.sigma, population);
    }
    let covariance = (0..d * d).map(|k| {
        let (i, j) = (k / d, k % d);
        let sum: f64 = best.iter().map(|(_, point)| (point[i] - mean[i]) * (point[j] - mean[j])).sum();
        sum / m + if i == j { AROUND * AROUND } else { 0.0 }
    });
    let covariance = covariance.collect();
    let mut run = Distribution::shaped(mean, covariance, population);
    let slots: Vec<&Slot> = slots.iter().collect();
    keep_margin(&mut run, &slots);
    run
}

/// `x` mirrored at 0 and 1 until it lies between.
fn reflected(x: f64) -> f64 {
    let x = x.rem_euclid(2.0);
    if x > 1.0 { 2.0 - x } else { x }
}
