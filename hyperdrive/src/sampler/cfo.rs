//! Cost-frugal local search.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::cma::cell;
use super::observations::{Observations, Verdict};
use super::suggest::{Sampler, Suggestion};
use crate::error::StudyError;
use crate::history::History;
use crate::numeric::normal;
use crate::space::{Kind, Layout, Slot};

/// FLOW2 with random restarts: Wu, Wang and Huang, "Frugal Optimization for Cost-related Hyperparameters", AAAI 2021,
/// arXiv:2005.01571, with the constants of its implementation in FLAML (`flow2.py`).
///
/// From the best point of the thread it steps in a random direction, then in the opposite one. A better point is the
/// new centre; where so many have not been better that most orthants were tried, the step shrinks. A thread whose step
/// passes its lower bound is over, and the next begins at a random point. The first begins at the space's default
/// point, which is meant to be cheap: steps are so small that what follows is cheap as well.
///
/// What is suggested follows from the results alone: a step belongs to the present centre where it is no further from
/// it than a step can be; others count only if they are better.
#[derive(Default)]
pub(super) struct Cfo {
    observations: Option<Observations>,
    fold: Option<Fold>,
}

/// Step at the start and at the end, both times the square root of the number of dimensions.
const STEP: f64 = 0.1;
const LEAST_STEP: f64 = 1e-4;
/// Dimensions beyond which the patience no longer doubles.
const MOST_DOUBLINGS: usize = 9;

/// What the results so far have taught.
#[derive(Default)]
struct Fold {
    generation: u64,
    consumed: usize,
    thread: Option<Thread>,
    /// Where the last thread ended, and how far from there its last points may lie.
    left: Option<(Vec<f64>, f64)>,
}

/// One local search.
struct Thread {
    centre: Vec<f64>,
    verdict: Verdict,
    step: f64,
    /// Results of the thread.
    results: u32,
    /// The result that became the centre.
    found: u32,
    /// Results around the centre that were not better, less those a shrinking has used up.
    failures: u32,
    /// Results before and after which the step last shrank.
    shrunk: Option<(u32, u32)>,
}

impl Sampler for Cfo {
    fn suggest(&mut self, history: &History, rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError> {
        let observations = Observations::up_to_date(self.observations.take(), history);
        let same = |fold: &Fold| fold.generation == history.generation() && fold.consumed <= observations.n_results();
        let mut fold = self.fold.take().filter(same).unwrap_or_default();
        fold.generation = history.generation();
        while fold.consumed < observations.n_results() {
            let (row, verdict) = observations.verdict(fold.consumed, history);
            fold.consumed += 1;
            fold.take(&observations.layout, observations.row(row), verdict);
        }
        let spec = history.spec();
        let params = match (&fold.thread, &spec.search_space.default) {
            (Some(thread), default) => {
                let layout = &observations.layout;
                let default = default.as_ref().and_then(|point| layout.encode(point));
                let rows: Vec<Vec<f64>> = (observations.len().saturating_sub(2)..observations.len())
                    .map(|row| observations.row(row))
                    .collect();
                let last = thread.to_turn(layout, &rows);
                layout.decode(&thread.next(layout, last, default.as_deref(), rng))
            }
            (None, Some(default)) if history.trials().is_empty() => default.clone(),
            (None, _) => spec.search_space.sample(rng),
        };
        self.observations = Some(observations);
        self.fold = Some(fold);
        Ok(Suggestion::New { params, until: spec.top() })
    }
}

impl Fold {
    fn take(&mut self, layout: &Layout, row: Vec<f64>, verdict: Verdict) {
        let Some(thread) = &mut self.thread else {
            let straggles = self.left.as_ref().is_some_and(|(end, reach)| distance(layout, end, &row) <= *reach);
            if matches!(verdict, Verdict::Loss(_)) && !straggles {
                self.thread = Some(Thread::new(row, verdict));
            }
            return;
        };
        thread.take(layout, row, verdict);
        if thread.step < least_step(layout) * root(&thread.centre) {
            self.left = Some((thread.centre.clone(), 3.0 * thread.step));
            self.thread = None;
        }
    }
}

impl Thread {
    fn new(centre: Vec<f64>, verdict: Verdict) -> Self {
        let step = STEP * root(&centre);
        Self { centre, verdict, step, results: 1, found: 1, failures: 0, shrunk: None }
    }

    fn take(&mut self, layout: &Layout, row: Vec<f64>, verdict: Verdict) {
        if verdict.total_cmp(&self.verdict).is_lt() {
            self.results += 1;
            (self.centre, self.verdict, self.found, self.failures) = (row, verdict, self.results, 0);
            if let Some((before, after)) = self.shrunk {
                self.step *= (f64::from(after) / f64::from(before)).sqrt();
            }
            self.step = self.step.min(root(&self.centre));
            return;
        }
        if distance(layout, &self.centre, &row) > 1.5 * self.step {
            return;
        }
        self.results += 1;
        self.failures += 1;
        let dimensions = self.centre.iter().filter(|at| !at.is_nan()).count();
        if self.failures >= 1 << dimensions.min(MOST_DOUBLINGS) {
            self.failures -= 2;
            let before = self.shrunk.map_or(self.found, |(_, after)| after);
            let after = self.results + 1;
            self.step *= (f64::from(before) / f64::from(after)).sqrt();
            self.shrunk = Some((before, after));
        }
    }

    /// The last of the latest points (two, in the order of their numbers), if it was a step from the centre whose
    /// opposite has not been suggested.
    fn to_turn<'a>(&self, layout: &Layout, latest: &'a [Vec<f64>]) -> Option<&'a [f64]> {
        let is_step = |row: &&Vec<f64>| {
            let far = distance(layout, &self.centre, row);
            far > 0.0 && far <= 1.5 * self.step
        };
        let last = latest.last().filter(is_step)?;
        let is_opposite = |first: &Vec<f64>| {
            layout.slots.iter().enumerate().all(|(i, slot)| {
                let opposite = slot.snap((2.0 * self.centre[i] - first[i]).clamp(0.0, 1.0));
                let numeric = !matches!(slot.kind, Kind::Category { .. });
                // Where one of the three does not exist, the comparison is with NaN and says nothing.
                !(numeric && (opposite - last[i]).abs() > 1e-9)
            })
        };
        let first = latest.len().checked_sub(2).map(|i| &latest[i]).filter(is_step);
        if first.is_some_and(is_opposite) { None } else { Some(last) }
    }

    /// A step from the centre: away from `last` where there is one, otherwise in a random direction.
    ///
    /// An option without an order stands in the middle of its dimension, as in FLAML: a step that leaves its share of
    /// the dimension takes another one.
    fn next(&self, layout: &Layout, last: Option<&[f64]>, default: Option<&[f64]>, rng: &mut ChaCha8Rng) -> Vec<f64> {
        let direction: Vec<f64> =
            self.centre.iter().map(|_| normal::quantile(rng.random_range(f64::EPSILON..1.0))).collect();
        let exists = |i: &usize| !self.centre[*i].is_nan();
        let length = (0..direction.len()).filter(exists).map(|i| direction[i].powi(2)).sum::<f64>().sqrt();
        let mut row = vec![f64::NAN; layout.len()];
        for (i, slot) in layout.slots.iter().enumerate() {
            if !layout.exists(&row, i) {
                continue;
            }
            let centre = self.centre[i];
            let move_by = self.step * direction[i] / length;
            let opposite = last.map(|last| last[i]).filter(|at| !at.is_nan());
            row[i] = match slot.kind {
                Kind::Category { levels } if !centre.is_nan() => {
                    let leaves = match opposite {
                        Some(opposite) => opposite != centre,
                        None => move_by.abs() > 0.5 / levels as f64,
                    };
                    if leaves && levels > 1 {
                        let other = rng.random_range(0..levels - 1);
                        if other >= centre as usize { other as f64 + 1.0 } else { other as f64 }
                    } else {
                        centre
                    }
                }
                Kind::Real | Kind::Ordered { .. } if !centre.is_nan() => {
                    let at = opposite.map_or(centre + move_by, |opposite| 2.0 * centre - opposite);
                    at.clamp(0.0, 1.0)
                }
                // It exists only because an option is another.
                kind => default.map(|row| row[i]).filter(|at| !at.is_nan()).unwrap_or_else(|| match kind {
                    Kind::Category { levels } => rng.random_range(0..levels) as f64,
                    Kind::Real | Kind::Ordered { .. } => rng.random(),
                }),
            };
        }
        row
    }
}

/// The step below which a thread is over, over the square root of the number of dimensions: as in FLAML the width of the
/// narrowest of the ordered values, where there are any.
fn least_step(layout: &Layout) -> f64 {
    let width = |slot: &Slot| match slot.kind {
        Kind::Ordered { .. } => {
            let (from, to) = cell(slot, 1.0);
            Some(to - from)
        }
        Kind::Real | Kind::Category { .. } => None,
    };
    layout.slots.iter().filter_map(width).reduce(f64::min).map_or(LEAST_STEP, |width| width.max(LEAST_STEP))
}

/// Square root of the number of dimensions that exist.
fn root(row: &[f64]) -> f64 {
    (row.iter().filter(|at| !at.is_nan()).count() as f64).sqrt()
}

/// How far apart two points are in the numbers that both have, less what rounding to ordered values can have added.
fn distance(layout: &Layout, a: &[f64], b: &[f64]) -> f64 {
    let part = |i: usize| match layout.slots[i].kind {
        Kind::Category { .. } => 0.0,
        Kind::Ordered { levels } if levels > 0 => ((a[i] - b[i]).abs() - 1.0 / levels as f64).max(0.0),
        Kind::Real | Kind::Ordered { .. } => (a[i] - b[i]).abs(),
    };
    (0..a.len()).map(part).filter(|x| !x.is_nan()).map(|x| x * x).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::early_termination::EarlyTerminationPolicy;

    use crate::limits::Limits;
    use crate::params::Params;

    use crate::sampler::SamplingAlgorithm;
    use crate::simulate::SimulatedExecutor;
    use crate::space::{Choice, Dimension, Space};
    use crate::study::{Ladder, StudySpec};
    use crate::trial::{Goal, Objective, Outcome, Trial};

    fn searched(space: Space, trials: u32, seed: u64, loss: fn(&Params) -> f64) -> History {
        let spec = StudySpec {
            search_space: space,
            objectives: vec![Objective { metric: "loss".to_owned(), goal: Goal::Minimize }],
            sampling_algorithm: SamplingAlgorithm::Cfo,
            early_termination: EarlyTerminationPolicy::None,
            limits: Limits { max_trials: Some(trials), search_seconds: Some(1e9), ..Limits::default() },
            ladder: Ladder::single(),
            known: Vec::new(),
            seed,
        };
        let executor = SimulatedExecutor::new(1, move |params, _, _| Outcome::single(loss(params), 1.0));
        executor.run(&spec).expect("it runs").0.history
    }

    fn bowl(params: &Params) -> f64 {
        (0..2).map(|i| (params.float(&format!("x{i}")).expect("a number") - 0.8).powi(2)).sum()
    }

    fn plane() -> Space {
        let mut space = Space::new((0..2).map(|i| Dimension::float(format!("x{i}"), 0.0, 1.0)).collect());
        space.default = Some(Params::new().with("x0", 0.1).with("x1", 0.1));
        space
    }

    #[test]
    fn it_walks_from_the_default_point_in_short_steps() {
        let history = searched(plane(), 150, 0, bowl);
        let places: Vec<[f64; 2]> = history
            .trials()
            .iter()
            .map(|trial| ["x0", "x1"].map(|key| trial.params.float(key).expect("a number")))
            .collect();
        assert_eq!(places[0], [0.1, 0.1]);
        // No point is further from the best before it than a step, which only ever shrinks at first.
        for (i, place) in places.iter().enumerate().skip(1).take(30) {
            let best =
                (0..i).min_by(|a, b| bowl(&history.trials()[*a].params).total_cmp(&bowl(&history.trials()[*b].params)));
            let best = places[best.expect("there is one before it")];
            let far = (place[0] - best[0]).hypot(place[1] - best[1]);
            assert!(far <= 0.1 * 2_f64.sqrt() + 1e-9, "trial {i} is {far} from the best before it");
        }
        let best = history.best().and_then(Trial::value).expect("a value");
        assert!(best < 1e-3, "{best}");
    }

    #[test]
    fn the_second_step_is_opposite_to_the_first_that_failed() {
        let mut space = plane();
        space.default = Some(Params::new().with("x0", 0.8).with("x1", 0.8));
        let history = searched(space, 3, 0, bowl);
        let at = |i: usize, key: &str| history.trials()[i].params.float(key).expect("a number") - 0.8;
        for key in ["x0", "x1"] {
            assert!((at(1, key) + at(2, key)).abs() < 1e-12 && at(1, key) != 0.0);
        }
    }

    #[test]
    fn a_thread_that_is_over_makes_room_for_another() {
        fn loss(params: &Params) -> f64 {
            ["a", "b"].map(|key| (params.int(key).expect("an integer") - 15).pow(2) as f64).iter().sum()
        }
        let mut space = Space::new(vec![Dimension::int("a", 0, 20), Dimension::int("b", 0, 20)]);
        space.default = Some(Params::new().with("a", 10_i64).with("b", 10_i64));
        let history = searched(space, 200, 0, loss);
        let found = history.trials().iter().position(|trial| loss(&trial.params) == 0.0).expect("it finds it");
        let far = history.trials()[found..].iter().filter(|trial| loss(&trial.params) > 50.0).count();
        assert!(found < 60 && far > 0, "found after {found}, then {far} trials elsewhere");
    }

    #[test]
    fn options_are_exchanged_with_what_hangs_below_them() {
        fn loss(params: &Params) -> f64 {
            params.float("b.x").map_or(1.0, |x| (x - 0.3).abs())
        }
        let options = vec![Choice::leaf("a"), Choice::with("b", vec![Dimension::float("x", 0.0, 1.0)])];
        let history = searched(Space::new(vec![Dimension::choice("c", options)]), 100, 1, loss);
        assert!(history.best().and_then(Trial::value).is_some_and(|value| value < 0.01));
    }
}
