//! How far it gets in so many trials, and what must not matter to it.

use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::distribution::Distribution;
use super::margin::{cell, keep_margin, place_in};
use super::options::Options;
use super::sampler::{Cma, Settings};
use crate::early_termination::EarlyTerminationPolicy;
use crate::history::History;
use crate::keys::keyed_rng;
use crate::limits::Limits;
use crate::params::Params;
use crate::sampler::observations::Verdict;
use crate::sampler::suggest::Sampler;
use crate::sampler::{SamplingAlgorithm, check_sampler};
use crate::simulate::{SimulatedExecutor, example_study};
use crate::space::{Choice, Dimension, Layout, Space};
use crate::study::{Known, Ladder, StudySpec};
use crate::trial::{Goal, Objective, Outcome, Trial};

fn cma() -> SamplingAlgorithm {
    serde_json::from_str(r#"{"cma_es":{}}"#).unwrap()
}

fn study(space: Space, trials: u32, seed: u64) -> StudySpec {
    StudySpec {
        search_space: space,
        objectives: vec![Objective { metric: "loss".to_owned(), goal: Goal::Minimize }],
        sampling_algorithm: cma(),
        early_termination: EarlyTerminationPolicy::None,
        limits: Limits { max_trials: Some(trials), search_seconds: Some(1e9), ..Limits::default() },
        ladder: Ladder::single(),
        known: Vec::new(),
        seed,
    }
}

fn searched(spec: &StudySpec, slots: usize, loss: fn(&Params) -> f64) -> History {
    let executor = SimulatedExecutor::new(slots, move |params, _, _| Outcome::single(loss(params), 1.0));
    executor.run(spec).expect("it runs").0.history
}

/// Trials until the loss is at most `aim`.
fn needed(history: &History, aim: f64) -> usize {
    let reached = history.trials().iter().position(|trial| trial.value().is_some_and(|value| value <= aim));
    reached.map_or(usize::MAX, |i| i + 1)
}

fn floats(d: usize) -> Space {
    Space::new((0..d).map(|i| Dimension::float(format!("x{i}"), 0.0, 1.0)).collect())
}

fn xs(params: &Params) -> Vec<f64> {
    (0..).map_while(|i| params.float(&format!("x{i}")).ok()).collect()
}

fn shifted(params: &Params) -> Vec<f64> {
    xs(params).iter().zip([0.37, 0.61, 0.45, 0.7, 0.33]).map(|(x, at)| 10.0 * (x - at)).collect()
}

fn sphere(params: &Params) -> f64 {
    shifted(params).iter().map(|x| x * x).sum()
}

fn ellipsoid(params: &Params) -> f64 {
    shifted(params).iter().enumerate().map(|(i, x)| 10_f64.powf(1.5 * i as f64) * x * x).sum()
}

fn rosenbrock(params: &Params) -> f64 {
    let x: Vec<f64> = xs(params).iter().map(|u| 4.0 * (u - 0.25)).collect();
    x.windows(2).map(|pair| 100.0 * (pair[1] - pair[0] * pair[0]).powi(2) + (1.0 - pair[0]).powi(2)).sum()
}

/// The median number of trials over five seeds.
fn median_needed(space: &Space, most: u32, slots: usize, loss: fn(&Params) -> f64) -> usize {
    let mut all: Vec<usize> =
        (0..5).map(|seed| needed(&searched(&study(space.clone(), most, seed), slots, loss), 1e-6)).collect();
    all.sort_unstable();
    all[2]
}

#[test]
fn it_needs_no_more_trials_than_the_reference() {
    // Median trials to 1e-6 of `cmaes` 0.13.1 (Python) with mean 0.5 and sigma 0.2 over seeds 0-10 on the same three
    // functions in 5 dimensions: 548, 1397, 1389 (extremes 457-665, 1188-1524, 939-2052).
    for (loss, reference) in [(sphere as fn(&Params) -> f64, 548), (ellipsoid, 1_397), (rosenbrock, 1_389)] {
        let median = median_needed(&floats(5), 2 * reference as u32, 1, loss);
        assert!(median <= reference * 6 / 5, "{median} trials where the reference needs {reference}");
    }
}

#[test]
fn stragglers_cost_little() {
    let median = median_needed(&floats(5), 1_500, 8, sphere);
    assert!(median <= 548 * 3 / 2, "{median} trials with 8 at a time");
}

#[test]
fn integers_do_not_collapse() {
    // Median trials to 1e-6 of `cmaes.CMAwM` 0.13.1 over seeds 0-10: 1,950 (1,400-2,490), with mean drawn from [1, 3]
    // and sigma 2 on an ellipsoid of 5 real numbers and 5 integers with axis ratio 100 in [-10, 10].
    fn loss(params: &Params) -> f64 {
        let of = |i: usize| match i {
            0..5 => params.float(&format!("r{i}")).unwrap(),
            _ => params.int(&format!("k{i}")).unwrap() as f64,
        };
        (0..10).map(|i| 10_f64.powf(4.0 * i as f64 / 9.0) * of(i).powi(2)).sum()
    }
    let real = (0..5).map(|i| Dimension::float(format!("r{i}"), -9.0, 11.0));
    let whole = (5..10).map(|i| Dimension::int(format!("k{i}"), -9, 12));
    // The reference's population. With 7, which is usual here, it gets there as surely but in twice as many trials.
    let with_ten: SamplingAlgorithm = serde_json::from_str(r#"{"cma_es":{"population":10}}"#).unwrap();
    let space = Space::new(real.chain(whole).collect());
    let mut all: Vec<usize> = (0..5)
        .map(|seed| StudySpec { sampling_algorithm: with_ten.clone(), ..study(space.clone(), 4_000, seed) })
        .map(|spec| needed(&searched(&spec, 1, loss), 1e-6))
        .collect();
    all.sort_unstable();
    assert!(all[2] <= 2_900 && all[4] <= 4_000, "{all:?} trials");
}

#[test]
fn restarts_find_the_lowest_of_many_wells() {
    fn rastrigin(params: &Params) -> f64 {
        let wave = |x: &f64| x * x + 10.0 * (1.0 - (std::f64::consts::TAU * x).cos());
        shifted(params).iter().map(wave).sum()
    }
    let found = |seed| needed(&searched(&study(floats(2), 6_000, seed), 1, rastrigin), 1e-6) <= 6_000;
    let found = (0..5).filter(|seed| found(*seed)).count();
    assert!(found >= 4, "{found} of 5 seeds found it");
}

#[test]
fn where_all_is_equal_it_goes_on_elsewhere() {
    let history = searched(&study(floats(2), 400, 0), 1, |_| 1.0);
    let ends = history.trials()[300..].iter().map(|trial| xs(&trial.params)[0]);
    let (low, high) = ends.fold((1.0_f64, 0.0_f64), |(low, high), x| (low.min(x), high.max(x)));
    assert!(high - low > 0.3, "after 300 equal results it looks at {low}..{high} alone");
}

#[test]
fn only_the_order_of_losses_counts() {
    let points = |loss: fn(&Params) -> f64| -> Vec<Params> {
        let history = searched(&study(floats(5), 200, 3), 1, loss);
        history.trials().iter().map(|trial: &Trial| trial.params.clone()).collect()
    };
    assert_eq!(points(sphere), points(|params| sphere(params).sqrt() * 7.0 - 100.0));
}

#[test]
fn what_was_known_is_where_it_begins() {
    let mut spec = study(floats(5), 60, 0);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    spec.known = (0..200)
        .map(|_| spec.search_space.sample(&mut rng))
        .map(|params| Known { values: vec![sphere(&params)], params })
        .collect();
    let mut best: Vec<f64> = spec.known.iter().map(|known| known.values[0]).collect();
    best.sort_by(f64::total_cmp);
    let first = searched(&spec, 1, sphere);
    let mean = first.trials()[..8].iter().filter_map(Trial::value).sum::<f64>() / 8.0;
    assert!(mean < best[30], "the first generation is at {mean}, the best known ones at {:?}", &best[..4]);
    // Handed over after as many trials of its own study it begins from them as well.
    let begin_after = |begin_after| Settings { population: None, sigma: 0.2, begin_after };
    let plain =
        searched(&StudySpec { sampling_algorithm: SamplingAlgorithm::Random, ..study(floats(5), 200, 1) }, 1, sphere);
    let draw = |settings| {
        let mut sampler = Cma::new(settings);
        let mean = |sampler: &mut Cma| {
            let draws = (0..20).map(|i| {
                let said = sampler.suggest(&plain, &mut keyed_rng(1, i, "")).expect("it suggests");
                let crate::sampler::Suggestion::New { params, .. } = said else { panic!("{said:?} is not new") };
                sphere(&params)
            });
            draws.sum::<f64>() / 20.0
        };
        mean(&mut sampler)
    };
    let random = plain.trials().iter().filter_map(Trial::value).sum::<f64>() / 200.0;
    let handed = draw(begin_after(200));
    assert!(handed < random / 2.0, "{handed} is not far below {random}");
}

#[test]
fn options_follow_the_best_and_none_is_given_up() {
    let mut options = Options::new(4, false);
    assert_eq!(options.probabilities(), vec![0.25; 4]);
    for i in 0..100 {
        options.take(Verdict::Loss(f64::from(i % 4 + i / 50)), i as usize % 4);
    }
    options.take(Verdict::Failed, 3);
    let shares = options.probabilities();
    assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    assert!(shares[0] > 0.6 && shares[1..].iter().all(|share| *share >= 0.025), "{shares:?}");
}

#[test]
fn it_finds_its_branch() {
    // The branch whose best is better begins worse: 0.2 against 0.1 at the centre.
    fn loss(params: &Params) -> f64 {
        match params.text("model") {
            Ok("easy") => 0.1 + 0.4 * (params.float("easy.x").unwrap() - 0.5).abs(),
            _ => ["a", "b"].map(|key| 0.5 * (params.float(&format!("hard.{key}")).unwrap() - 0.7).abs()).iter().sum(),
        }
    }
    let hard = vec![Dimension::float("a", 0.0, 1.0), Dimension::float("b", 0.0, 1.0)];
    let easy = vec![Dimension::float("x", 0.0, 1.0)];
    let options = vec![Choice::with("easy", easy), Choice::with("hard", hard)];
    let space = Space::new(vec![Dimension::choice("model", options)]);
    let found = (0..10).filter(|seed| {
        let history = searched(&study(space.clone(), 150, *seed), 1, loss);
        history.best().and_then(Trial::value).is_some_and(|value| value < 0.05)
    });
    let found = found.count();
    assert!(found >= 8, "{found} of 10 seeds found it");
}

#[test]
fn a_result_is_taken_once() {
    // A guard that is counted, not timed: 500 suggestions take each result once and never begin anew.
    let mut sampler = Cma::new(Settings { population: None, sigma: 0.2, begin_after: 0 });
    let spec = study(floats(10), 500, 0);
    let records = {
        let executor = SimulatedExecutor::new(1, |params, _, _| Outcome::single(xs(params)[0], 1.0));
        let (_, journal) = executor.run(&spec).expect("it runs");
        journal.records().to_vec()
    };
    let mut history = History::begin(&records[0]).expect("a journal");
    for record in &records {
        history.apply(record).expect("a sound journal");
        sampler.suggest(&history, &mut keyed_rng(0, 0, "")).expect("it suggests");
    }
    assert_eq!(sampler.counted, (1, 500));
}

#[test]
fn a_space_without_numbers_is_refused() {
    let space = Space::new(vec![Dimension::boolean("a"), Dimension::choice("b", vec![Choice::leaf("x")])]);
    let message = "`sampling_algorithm.cma_es`: the space has choices alone and no number for it to search; \
                   `random` and `asha` can search such a space";
    assert_eq!(study(space, 10, 0).check().expect_err("no number").to_string(), message);
    let narrow: SamplingAlgorithm = serde_json::from_str(r#"{"cma_es":{"population":3}}"#).unwrap();
    let refused = StudySpec { sampling_algorithm: narrow, ..study(floats(2), 10, 0) };
    let message = "`sampling_algorithm.cma_es.population`: 3 is less than 4";
    assert_eq!(refused.check().expect_err("too few").to_string(), message);
}

#[test]
fn every_kind_of_number_passes_the_suite() {
    let below = vec![
        Dimension::int("k", 1, 1_000).log(),
        Dimension::ordinal("o", [1_i64, 5, 25]),
        Dimension::float("q", 0.1, 2.0).step(0.25),
        Dimension::normal("n", 0.0, 1.0),
        Dimension::normal("m", 0.0, 1.0).log().step(0.5),
        Dimension::int("only", 3, 3),
    ];
    let space = Space::new(vec![
        Dimension::choice("c", vec![Choice::leaf("plain"), Choice::with("more", below)]),
        Dimension::float("x", -1.0, 1.0),
        Dimension::float("same", 1.0, 1.0),
        Dimension::float("l", 1e-3, 1.0).log().step(0.1),
    ]);
    let spec = StudySpec { search_space: space, ladder: Ladder::single(), ..example_study(2) };
    let spec = StudySpec { sampling_algorithm: cma(), ..spec };
    check_sampler(&|| cma().build(), &spec);
}

proptest! {
    #[test]
    fn a_cell_is_all_the_places_of_a_value(u in 0.0..1.0_f64, low in 1_i64..40, width in 1_i64..60) {
        let space = Space::new(vec![
            Dimension::int("a", low, low + width),
            Dimension::int("b", low, low + width).log(),
            Dimension::ordinal("c", [1_i64, 5, 25]),
            Dimension::float("d", low as f64 + 0.3, (low + width) as f64 + 0.4).step(0.5),
            Dimension::float("e", low as f64 + 0.3, (low + width) as f64 + 0.4).log().step(0.5),
            Dimension::normal("f", low as f64, width as f64).step(0.5),
        ]);
        for slot in &Layout::new(&space).slots {
            let (from, to) = cell(slot, u);
            prop_assert!(from <= u + 1e-9 && u <= to + 1e-9, "{}: {u} is not in {from}..{to}", slot.key);
            let value = slot.value(u);
            for part in [0.001, 0.5, 0.999] {
                prop_assert_eq!(slot.value(from + part * (to - from)), value.clone(), "{} in {}..{}", slot.key, from, to);
            }
            if from > 1e-9 {
                prop_assert!(slot.value(from - (to - from) * 1e-3) != value);
            }
            let at = place_in((from, to), 0.3, 0.05, 0.7);
            prop_assert!((from..=to).contains(&at));
        }
    }

    #[test]
    fn neighbours_stay_within_reach(mean in 0.0..1.0_f64, sigma in -8.0..-1.0_f64, levels in 2_i64..40) {
        let space = Space::new(vec![Dimension::int("a", 1, levels), Dimension::float("x", 0.0, 1.0)]);
        let layout = Layout::new(&space);
        let slots: Vec<_> = layout.slots.iter().collect();
        let mut distribution = Distribution::round(vec![mean, 0.5], 10_f64.powf(sigma), 6);
        keep_margin(&mut distribution, &slots);
        let (low, high) = cell(slots[0], distribution.mean[0]);
        let beyond = |x: f64| crate::numeric::normal::cdf(-(x - distribution.mean[0]).abs() / distribution.deviation(0));
        let least = 1.0 / 12.0;
        for (border, there) in [(low, low > 0.0), (high, high < 1.0)] {
            let p = beyond(border);
            prop_assert!(!there || p > least / 2.0 - 1e-9, "{p} beyond {border}, mean {}", distribution.mean[0]);
        }
        prop_assert_eq!(distribution.widened[1], 1.0);
    }
}
