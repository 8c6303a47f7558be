//! The default: picks among the samplers with a model, and changes as the study grows.

use std::collections::BTreeSet;

use rand_chacha::ChaCha8Rng;

use super::algorithm::SamplingAlgorithm;
use super::gp::GaussianProcess;
use super::suggest::{Sampler, Suggestion};
use crate::error::StudyError;
use crate::history::History;
use crate::keys::branch;
use crate::space::Layout;
use crate::trial::{Seq, Trial, TrialId};

/// Results up to which a Gaussian process is worth its time: its cost grows with their square, its lead shrinks.
const MODEL_RESULTS: usize = 400;
/// Results over which the sampler's time and the trials' are compared.
const WINDOW: usize = 10;
/// The share of the trials' own time that the sampler may take, where time is the limit.
const SHARE: f64 = 0.5;

/// Picks the sampler by the space, by the number of results, and, where time is the limit, by what each has cost.
///
/// | where | sampler |
/// |---|---|
/// | up to 400 results | Gaussian process |
/// | beyond, where all dimensions are numbers that always exist | CMA-ES, from the best of what there is |
/// | beyond, where there are options or conditions | TPE |
///
/// Where the search has a time limit, the Gaussian process also gives way for good once its suggestions have taken,
/// over ten results in a row, more than half of what the trials themselves have taken, both as the history tells.
pub(super) struct Auto {
    model: GaussianProcess,
    /// What comes after the model, and the number of results at which it does.
    after: Option<(usize, Box<dyn Sampler>)>,
    cache: Option<Cache>,
}

/// What follows from the history, kept between calls.
struct Cache {
    generation: u64,
    /// Changes of the history taken in so far.
    seen: usize,
    /// Trials that have ended, in the order in which they did.
    ended: BTreeSet<(Seq, TrialId)>,
}

impl Auto {
    pub(super) fn new() -> Self {
        Self { model: GaussianProcess::new(None), after: None, cache: None }
    }
}

impl Sampler for Auto {
    fn suggest(&mut self, history: &History, rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError> {
        let cache = Cache::up_to_date(self.cache.take(), history);
        let handover = self.cache.insert(cache).handover(history);
        let Some(results) = handover else {
            return self.model.suggest(history, &mut branch(rng, "model"));
        };
        let kept = self.after.take().filter(|(at, _)| *at == results);
        let (_, after) = self.after.insert(kept.unwrap_or_else(|| (results, successor(history, results))));
        after.suggest(history, &mut branch(rng, "after"))
    }
}

/// The sampler that takes over after so many results of the study.
fn successor(history: &History, results: usize) -> Box<dyn Sampler> {
    let layout = Layout::new(&history.spec().search_space);
    let plain = layout.is_numeric() && !layout.is_conditional();
    if plain { SamplingAlgorithm::cma_es(results as u32).build() } else { SamplingAlgorithm::tpe().build() }
}

impl Cache {
    fn up_to_date(old: Option<Self>, history: &History) -> Self {
        let usable = old.filter(|cache| cache.generation == history.generation());
        let fresh = || Self { generation: history.generation(), seen: 0, ended: BTreeSet::new() };
        let mut cache = usable.unwrap_or_else(fresh);
        for id in history.changes(cache.seen) {
            if let Some(seq) = history.trial(*id).and_then(|trial| trial.ended) {
                cache.ended.insert((seq, *id));
            }
            cache.seen += 1;
        }
        cache
    }

    /// The number of results at which the model gives way, if it has come to that.
    fn handover(&self, history: &History) -> Option<usize> {
        let most = MODEL_RESULTS.saturating_sub(history.spec().known.len());
        let slow = || {
            let trials: Vec<&Trial> = self.ended.iter().take(most).filter_map(|(_, id)| history.trial(*id)).collect();
            trials.windows(WINDOW).position(thinks_too_long).map(|first| first + WINDOW)
        };
        let late = (self.ended.len() >= most).then_some(most);
        history.spec().limits.search_seconds.and_then(|_| slow()).or(late)
    }
}

/// Whether over these results the sampler took more than its share.
fn thinks_too_long(window: &[&Trial]) -> bool {
    let thought: f64 = window.iter().map(|trial| trial.suggest_seconds).sum();
    let worked: f64 = window.iter().map(|trial| trial.cost).sum();
    thought > SHARE * worked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Event, Record};
    use crate::limits::Limits;

    use crate::simulate::{SimulatedExecutor, example_objective, example_study};
    use crate::study::{Ladder, StudySpec};

    /// A history of so many trials, whose suggestions took `thought` and whose work took `worked` seconds each.
    fn history(trials: u32, search_seconds: Option<f64>, thought: f64, worked: f64) -> History {
        let spec = StudySpec {
            sampling_algorithm: SamplingAlgorithm::Random,
            early_termination: crate::EarlyTerminationPolicy::None,
            ladder: Ladder::single(),
            limits: Limits { max_trials: Some(trials), search_seconds: Some(1e9), ..Limits::default() },
            ..example_study(1)
        };
        let executor = SimulatedExecutor::new(1, move |params, rung, seed| crate::Outcome {
            cost: worked,
            ..example_objective(params, rung, seed)
        });
        let (_, journal) = executor.run(&spec).expect("it runs");
        let mut records: Vec<Record> = journal.records().to_vec();
        for record in &mut records {
            match &mut record.event {
                Event::Started { suggest_seconds, .. } => *suggest_seconds = thought,
                Event::Created { spec, .. } => spec.limits.search_seconds = search_seconds,
                _ => {}
            }
        }
        History::replay(&records).expect("a sound journal").expect("it has records")
    }

    fn handover(history: &History) -> Option<usize> {
        Cache::up_to_date(None, history).handover(history)
    }

    #[test]
    fn gives_way_after_many_results() {
        assert_eq!(handover(&history(399, None, 0.0, 1.0)), None);
        assert_eq!(handover(&history(400, None, 0.0, 1.0)), Some(400));
        assert_eq!(handover(&history(450, None, 0.0, 1.0)), Some(400));
    }

    #[test]
    fn gives_way_where_it_takes_longer_than_it_is_worth_and_time_is_the_limit() {
        assert_eq!(handover(&history(30, Some(100.0), 0.4, 1.0)), None);
        assert_eq!(handover(&history(30, Some(100.0), 0.6, 1.0)), Some(10));
        assert_eq!(handover(&history(9, Some(100.0), 0.6, 1.0)), None);
        assert_eq!(handover(&history(30, None, 0.6, 1.0)), None);
    }
}
