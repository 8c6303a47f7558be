//! The sampler.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::design::Spread;
use super::optimise::propose;
use super::surrogate::Surrogate;
use crate::error::StudyError;
use crate::history::History;
use crate::keys::keyed_rng;
use crate::sampler::observations::{Observations, Observed};
use crate::sampler::suggest::{Sampler, Suggestion};

/// Results a model needs at least.
const LEAST: usize = 3;
/// Results a fit takes at most: the best half and the latest half of these.
const MOST: usize = 512;

/// Bayesian optimisation with a Gaussian process.
///
/// Hyperparameters are fitted afresh whenever the number of results has grown by an eighth (by one below 16, by 64
/// from 512 on), to the results so far in their order; those in between are appended. So a fresh sampler that is shown
/// the history fits once and says what the old one said (law 2).
pub(in crate::sampler) struct GaussianProcess {
    startup: Option<u32>,
    observations: Option<Observations>,
    model: Option<Model>,
}

struct Model {
    /// How many results the hyperparameters were fitted to.
    fitted: usize,
    /// The results it has been shown.
    shown: Vec<Observed>,
    surrogate: Surrogate,
}

impl GaussianProcess {
    /// One that begins with `startup` points of an even design, or with a number of them that suits the space.
    pub(in crate::sampler) fn new(startup: Option<u32>) -> Self {
        Self { startup, observations: None, model: None }
    }
}

impl Sampler for GaussianProcess {
    fn suggest(&mut self, history: &History, rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError> {
        let spec = history.spec();
        let observations = Observations::up_to_date(self.observations.take(), history);
        let layout = &observations.layout;
        let until = spec.top();
        let results = observations.results(history);
        let startup = self.startup.map_or_else(|| startup(layout.len(), spec.limits.max_trials), |n| n as usize);
        let number = observations.len();
        if number < startup || results.len() < LEAST {
            let default = spec.search_space.default.as_ref().filter(|_| number == 0);
            let params = default.cloned().unwrap_or_else(|| {
                let mut of_study = keyed_rng(spec.seed, 0, "gp design");
                layout.decode(&Spread::new(layout.len(), || of_study.random::<f64>()).row(number, layout, &[]))
            });
            self.observations = Some(observations);
            return Ok(Suggestion::New { params, until });
        }
        let model = Model::up_to_date(self.model.take(), &observations, results);
        let pending: Vec<Vec<f64>> = observations.pending().map(|row| observations.row(row)).collect();
        let every = crate::numeric::knob("LOCAL", 0.0) as usize;
        let local = (every > 0 && layout.len() as f64 >= crate::numeric::knob("LOCALD", 8.0) && number % every == 0).then(|| {
            let least = crate::numeric::knob("TRMIN", 0.0078125);
            let (mut width, mut wins, mut fails, mut best): (f64, usize, usize, f64) = (0.8, 0, 0, f64::INFINITY);
            for (i, result) in model.shown.iter().enumerate() {
                let better = result.loss < best - 1e-3 * best.abs();
                best = best.min(result.loss);
                if i < startup { continue; }
                if better { wins += 1; fails = 0; } else { fails += 1; wins = 0; }
                if wins >= crate::numeric::knob("WINS", 3.0) as usize { width = (2.0 * width).min(1.6); wins = 0; }
                if fails >= (crate::numeric::knob("FAILS", 1.0) * layout.len() as f64).max(4.0) as usize { width *= 0.5; fails = 0; }
                if width < least { width = 0.8; }
            }
            width
        });
        let mut held = Vec::new();
        let robin = crate::numeric::knob("ROBIN", 0.0) as usize;
        if robin > 0 && number % robin == 1 {
            // Every option of every choice: its best loss and how often it was tried.
            let mut most: Option<(f64, usize, f64)> = None;
            for (slot, place) in layout.slots.iter().enumerate() {
                let crate::space::Kind::Category { levels } = place.kind else { continue };
                if place.parent.is_some() { continue; }
                let mut best = vec![f64::INFINITY; levels];
                let mut tries = vec![0_usize; levels];
                for row in 0..observations.len() { let at = observations.column(slot)[row]; if !at.is_nan() { tries[at as usize] += 1; } }
                for result in &model.shown { let at = observations.column(slot)[result.row]; if !at.is_nan() { best[at as usize] = best[at as usize].min(result.loss); } }
                let mut order: Vec<usize> = (0..levels).collect();
                order.sort_by(|a, b| best[*a].total_cmp(&best[*b]));
                for (rank, option) in order.iter().enumerate().skip(1) {
                    let claim = 1.0 / rank as f64 / (1.0 + tries[*option] as f64);
                    if most.is_none_or(|(claims, ..)| claim > claims) { most = Some((claim, slot, *option as f64)); }
                }
            }
            held.extend(most.map(|(_, slot, option)| (slot, option)));
        }
        let k = crate::numeric::knob("POLISH", 5.0) as usize;
        let window = crate::numeric::knob("STAG", 4.0) as usize;
        let xi = crate::numeric::knob("XI", 0.0);
        let least = |x: &[f64]| x.iter().copied().fold(f64::INFINITY, f64::min);
        let t = &model.surrogate.targets;
        let gain = least(&t[..t.len().saturating_sub(window)]) - least(t);
        let stagnant = gain < xi;
        let margin = if stagnant && number % k != 0 { xi * if number % 2 == 0 { crate::numeric::knob("XI2", 1.0) } else { 1.0 } } else { 0.0 };
        if std::env::var("DEBUG").is_ok() {
            eprintln!("{number} best {:.4} gain {gain:.4} margin {margin} {:?} lengths {:.2?} noise {:.1e}", model.shown.iter().map(|r| r.loss).fold(f64::INFINITY, f64::min), model.surrogate.output, model.surrogate.lengths(), model.surrogate.noise);
        }
        let row = propose(&model.surrogate, layout, &pending, &held, local, margin, rng);
        let params = layout.decode(&row);
        self.model = Some(model);
        self.observations = Some(observations);
        Ok(Suggestion::New { params, until })
    }
}

impl Model {
    fn up_to_date(old: Option<Self>, observations: &Observations, results: Vec<Observed>) -> Self {
        let fitted = scheduled(results.len());
        // Where stand-ins for missing losses have changed, what was shown is no longer true.
        let usable = old.filter(|old| old.fitted == fitted && results.starts_with(&old.shown));
        let mut model = usable.unwrap_or_else(|| {
            let chosen = chosen(&results[..fitted]);
            let rows: Vec<Vec<f64>> = chosen.iter().map(|result| observations.row(result.row)).collect();
            let losses: Vec<f64> = chosen.iter().map(|result| result.loss).collect();
            let surrogate = Surrogate::fit(&observations.layout, &rows, &losses);
            Self { fitted, shown: results[..fitted].to_vec(), surrogate }
        });
        for result in &results[model.shown.len()..] {
            model.surrogate.append(&observations.row(result.row), result.loss);
        }
        model.shown = results;
        model
    }
}

/// How many points to begin with: a tenth to a fifth of the trials, between 5 and 10, and no more than twice what a
/// plane through them needs.
fn startup(slots: usize, max_trials: Option<u32>) -> usize {
    let share = max_trials.map_or(usize::MAX, |n| n as usize / 5);
    share.min(2 * (slots + 1)).clamp(5, 10)
}

/// The last number of results, at most `n`, at which hyperparameters are fitted.
fn scheduled(n: usize) -> usize {
    let mut at = LEAST;
    loop {
        let next = at + (at / 8).clamp(1, MOST / 8);
        if next > n {
            return at;
        }
        at = next;
    }
}

/// The results a fit takes, in their order.
fn chosen(results: &[Observed]) -> Vec<Observed> {
    if results.len() <= MOST {
        return results.to_vec();
    }
    let (earlier, latest) = results.split_at(results.len() - MOST / 2);
    let mut order: Vec<usize> = (0..earlier.len()).collect();
    order.sort_by(|a, b| earlier[*a].loss.total_cmp(&earlier[*b].loss).then(a.cmp(b)));
    order.truncate(MOST - MOST / 2);
    order.sort_unstable();
    order.into_iter().map(|i| earlier[i]).chain(latest.iter().copied()).collect()
}
