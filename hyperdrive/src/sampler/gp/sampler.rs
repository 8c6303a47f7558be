//! The sampler.

use rand_chacha::ChaCha8Rng;

use super::optimise::propose;
use super::surrogate::Surrogate;
use crate::error::StudyError;
use crate::history::History;
use crate::keys::keyed_rng;
use crate::sampler::observations::{Observations, Observed};
use crate::sampler::sobol::Points;
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
                layout.decode(&Points::new(layout, &mut of_study).row(layout, number as u32))
            });
            self.observations = Some(observations);
            return Ok(Suggestion::New { params, until });
        }
        let model = Model::up_to_date(self.model.take(), &observations, results.into_owned());
        let pending: Vec<Vec<f64>> = observations.pending().map(|row| observations.row(row)).collect();
        let row = propose(&model.surrogate, layout, &pending, &[], &|row| observations.has(row), rng);
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
            let surrogate = Surrogate::fit(&observations.layout, &rows, &losses, &[]);
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
