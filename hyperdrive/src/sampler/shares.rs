//! A search shared between the options of a choice.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::algorithm::SamplingAlgorithm;
use super::effort::Effort;
use super::suggest::{Sampler, Suggestion};
use crate::error::StudyError;
use crate::history::History;
use crate::keys::branch;
use crate::space::{Domain, Space};
use crate::study::StudySpec;
use crate::trial::Trial;

/// So much of the suggestions is dealt evenly among the options.
const EVEN: f64 = 0.4;

/// Chooses an option first, then a point within it by a sampler that sees only that option's trials.
///
/// Options are drawn with odds of one to what it should cost them to improve on the best of all (FLAML's ECI; costs as
/// trials report them), and a fixed part of the suggestions is dealt evenly, so that none starves: what is behind today
/// may be what an ensemble lacks. An option without a trial comes first, and one whose sampler is done is left out.
pub(super) struct Shares {
    of: String,
    inner: SamplingAlgorithm,
    generation: u64,
    arms: Vec<Arm>,
}

/// One option: its trials, and who suggests the next.
struct Arm {
    label: String,
    view: History,
    sampler: Box<dyn Sampler>,
}

/// The labels of a choice that always exists; none where `of` is something else.
fn labels(space: &Space, of: &str) -> Vec<String> {
    let dimension = space.dimensions.iter().find(|dimension| dimension.name == of);
    match dimension.map(|dimension| &dimension.domain) {
        Some(Domain::Choice { options }) => options.iter().map(|option| option.value.label()).collect(),
        _ => Vec::new(),
    }
}

/// The study in which the choice has that option alone.
fn within(spec: &StudySpec, of: &str, label: &str) -> StudySpec {
    let mut own = spec.clone();
    for dimension in own.search_space.dimensions.iter_mut().filter(|dimension| dimension.name == of) {
        if let Domain::Choice { options } = &mut dimension.domain {
            options.retain(|option| option.value.label() == label);
        }
    }
    let is_inside = |params: &crate::params::Params| params.get(of).is_some_and(|value| value.label() == label);
    own.search_space.default = own.search_space.default.filter(is_inside);
    own.known.retain(|known| is_inside(&known.params));
    own
}

impl Shares {
    pub(super) fn new(of: String, inner: SamplingAlgorithm) -> Self {
        Self { of, inner, generation: 0, arms: Vec::new() }
    }

    /// Refuses what is no choice that always exists, and an inner sampler that cannot search within every option.
    pub(super) fn check(of: &str, inner: &SamplingAlgorithm, spec: &StudySpec) -> Result<(), StudyError> {
        let options = labels(&spec.search_space, of);
        if options.is_empty() {
            return Err(StudyError::Spec {
                field: "sampling_algorithm.shares.of".to_owned(),
                reason: format!("`{of}` is no choice at the top of the search space"),
            });
        }
        options.iter().try_for_each(|label| inner.check(&within(spec, of, label)))
    }

    fn up_to_date(&mut self, history: &History) {
        if self.arms.is_empty() || self.generation != history.generation() {
            self.generation = history.generation();
            let arm = |label: String| {
                let spec = within(history.spec(), &self.of, &label);
                let view = history.filtered(&spec, &cut(&self.of, &label));
                Arm { view, sampler: self.inner.build(), label }
            };
            self.arms = labels(&history.spec().search_space, &self.of).into_iter().map(arm).collect();
        }
        for arm in &mut self.arms {
            arm.view.follow(history, &cut(&self.of, &arm.label));
        }
    }
}

/// Lets the trials of one option through.
fn cut<'a>(of: &'a str, label: &'a str) -> impl Fn(&Trial) -> Option<Trial> + 'a {
    move |trial| trial.params.get(of).filter(|value| value.label() == label).map(|_| trial.clone())
}

impl Arm {
    fn effort(&self) -> Effort {
        let goal = self.view.spec().goal();
        let mut effort = Effort::NEW;
        let mut trials: Vec<&Trial> = self.view.trials().iter().collect();
        trials.sort_by_key(|trial| (trial.ended.is_none(), trial.ended, trial.id));
        for trial in trials {
            match trial.value().filter(|_| trial.is_complete()) {
                Some(value) => effort.hear(goal.loss(value), trial.cost),
                None => effort.spend(trial.cost),
            }
        }
        effort
    }
}

impl Sampler for Shares {
    fn suggest(&mut self, history: &History, rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError> {
        self.up_to_date(history);
        let efforts: Vec<Effort> = self.arms.iter().map(Arm::effort).collect();
        let best = efforts.iter().map(|effort| effort.best[0]).fold(f64::INFINITY, f64::min);
        let odds: Vec<f64> = efforts.iter().map(|effort| effort.to_improve(best).recip().min(1e300)).collect();
        let mut left: Vec<usize> = (0..self.arms.len()).collect();
        let mut waits = false;
        while !left.is_empty() {
            let at = match left.iter().position(|arm| self.arms[*arm].view.trials().is_empty()) {
                Some(new) => new,
                None => draw(&left, &odds, rng),
            };
            let arm = &mut self.arms[left.swap_remove(at)];
            match arm.sampler.suggest(&arm.view, &mut branch(rng, &arm.label))? {
                Suggestion::Done => {}
                Suggestion::Wait => waits = true,
                said => return Ok(said),
            }
        }
        Ok(if waits { Suggestion::Wait } else { Suggestion::Done })
    }
}

/// A place in `left`: evenly now and then, else by the odds.
fn draw(left: &[usize], odds: &[f64], rng: &mut ChaCha8Rng) -> usize {
    let (evenly, mut u) = (rng.random::<f64>() < EVEN, rng.random::<f64>());
    if evenly {
        return ((u * left.len() as f64) as usize).min(left.len() - 1);
    }
    u *= left.iter().map(|arm| odds[*arm]).sum::<f64>();
    let drawn = left.iter().position(|arm| {
        u -= odds[*arm];
        u < 0.0
    });
    drawn.unwrap_or(left.len() - 1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::sampler::check_sampler;
    use crate::simulate::{SimulatedExecutor, example_study};
    use crate::space::{Choice, Dimension};
    use crate::study::Ladder;
    use crate::trial::Outcome;

    fn study(seed: u64) -> StudySpec {
        let option = |label: &str| Choice::with(label, vec![Dimension::float("x", 0.0, 1.0)]);
        let options = vec![option("good"), option("dear"), option("hopeless"), Choice::leaf("fixed")];
        let mut spec = example_study(seed);
        spec.search_space = Space::new(vec![Dimension::choice("way", options)]);
        let inner = Box::new(SamplingAlgorithm::Random);
        spec.sampling_algorithm = SamplingAlgorithm::Shares { of: "way".to_owned(), inner };
        spec.ladder = Ladder::single();
        spec.early_termination = crate::early_termination::EarlyTerminationPolicy::None;
        spec.limits.max_trials = Some(200);
        spec
    }

    #[test]
    fn it_passes_the_suite() {
        for inner in [SamplingAlgorithm::Random, SamplingAlgorithm::tpe()] {
            let make = || -> Box<dyn Sampler> { Box::new(Shares::new("algorithm".to_owned(), inner.clone())) };
            check_sampler(&make, &example_study(3));
        }
    }

    #[test]
    fn most_goes_to_what_improves_for_little_and_none_starves() {
        let executor = SimulatedExecutor::new(4, |params, _, _| {
            let way = params.text("way").expect("a choice");
            let x = params.float(&format!("{way}.x")).unwrap_or(0.5);
            let (loss, cost) = match way {
                "good" => (x, 1.0),
                "dear" => (x, 50.0),
                _ => (10.0 + x, 1.0),
            };
            Outcome::single(loss, cost)
        });
        let (ended, _) = executor.run(&study(1)).expect("it runs");
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for trial in ended.history.trials() {
            *counts.entry(trial.params.text("way").expect("a choice")).or_insert(0) += 1;
        }
        assert_eq!(counts["fixed"], 1, "there is one point: {counts:?}");
        assert!(counts["good"] > 2 * counts["dear"] && counts["good"] > 2 * counts["hopeless"], "{counts:?}");
        assert!(counts["dear"] > 10 && counts["hopeless"] > 10, "{counts:?}");
    }

    #[test]
    fn what_is_no_choice_is_refused() {
        let mut spec = study(1);
        spec.sampling_algorithm =
            SamplingAlgorithm::Shares { of: "x".to_owned(), inner: Box::new(SamplingAlgorithm::Random) };
        let message = "`sampling_algorithm.shares.of`: `x` is no choice at the top of the search space";
        assert_eq!(spec.sampling_algorithm.check(&spec).expect_err("no choice").to_string(), message);
    }
}
