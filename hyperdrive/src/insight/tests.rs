//! Against Optuna, and against definitions.

use super::{best_so_far, importance, parallel_coordinates, ranks};
use crate::ask_tell::Study;
use crate::early_termination::EarlyTerminationPolicy;
use crate::history::History;
use crate::limits::Limits;
use crate::params::Params;
use crate::sampler::SamplingAlgorithm;
use crate::simulate::example_study;
use crate::space::{Choice, Dimension, Space};
use crate::study::{Ladder, StudySpec};
use crate::trial::{FailureKind, Outcome, TrialId};

/// A study of those points, each with its outcome; it fails where there is none.
fn told(space: Space, trials: &[(Params, Option<Outcome>)]) -> History {
    let points = trials.iter().map(|(params, _)| params.clone()).collect();
    let then = Box::new(SamplingAlgorithm::Random);
    let spec = StudySpec {
        search_space: space,
        sampling_algorithm: SamplingAlgorithm::Enqueue { points, then },
        early_termination: EarlyTerminationPolicy::None,
        ladder: Ladder::single(),
        limits: Limits::default(),
        ..example_study(1)
    };
    let mut study = Study::new(&spec).expect("a sound study");
    for (_, outcome) in trials {
        let trial = study.ask().expect("it goes on").expect("there are more points").trial;
        match outcome {
            Some(outcome) => study.tell(trial, outcome.clone()).expect("under way"),
            None => study.fail(trial, FailureKind::Error, "as planned").expect("under way"),
        };
    }
    study.history().clone()
}

/// 120 points spread by multiples of irrational numbers; the same arithmetic in Python gave the golden figures.
fn spread() -> History {
    let u = |i: u32, a: f64| (f64::from(i) * a) % 1.0;
    let below = vec![Dimension::int("depth", 1, 5)];
    let kernel = vec![Choice::leaf("a"), Choice::with("b", below), Choice::leaf("c")];
    let space = Space::new(vec![
        Dimension::float("x", 0.0, 1.0),
        Dimension::float("c", 1e-3, 1e3).log(),
        Dimension::int("k", 1, 30),
        Dimension::int("n", 1, 1_000).log(),
        Dimension::choice("kernel", kernel),
        Dimension::float("q", 0.0, 1.0).step(0.25),
        Dimension::fixed("version", 3_i64),
    ]);
    let trial = |i: u32| {
        let x = u(i, 0.618_033_988_749_894_9);
        let k = 1 + (30.0 * u(i, 0.569_840_290_998_053_2)) as i64;
        let kernel = (3.0 * u(i, 0.671_043_606_703_789_3)) as usize;
        let depth = 1 + (5.0 * u(i, 0.549_700_477_901_970_3)) as i64;
        let mut params = Params::new()
            .with("x", x)
            .with("c", 10_f64.powf(-3.0 + 6.0 * u(i, 0.754_877_666_246_692_7)))
            .with("k", k)
            .with("n", 1 + (999.0 * u(i, 0.819_172_513_396_164_5)) as i64)
            .with("kernel", ["a", "b", "c"][kernel])
            .with("q", 0.25 * (5.0 * u(i, 0.450_359_912_345_678_9)).floor())
            .with("version", 3_i64);
        if kernel == 1 {
            params.insert("b.depth", depth);
        }
        let loss = 4.0 * (x - 0.3).powi(2) + (k - 10).pow(2) as f64 / 400.0 + [0.5, 0.1 * depth as f64, 0.3][kernel];
        (params, Some(Outcome::single(loss, 1.0)))
    };
    told(space, &(0..120).map(trial).collect::<Vec<_>>())
}

#[test]
fn importances_are_those_of_optuna() {
    // optuna.importance.PedAnovaImportanceEvaluator(target_quantile=q).evaluate(study), optuna 5.0.0.
    let golden = [
        (
            0.1,
            [
                ("k", 0.011_966_631_514_187_163),
                ("x", 0.007_893_850_572_624_95),
                ("b.depth", 0.002_677_702_479_519_132_4),
                ("c", 0.001_547_465_631_322_457_5),
                ("q", 0.001_351_218_473_048_204_7),
                ("kernel", 0.001_067_116_182_659_267_2),
                ("n", 0.000_272_261_478_271_339_8),
            ],
        ),
        (
            0.25,
            [
                ("x", 0.040_398_049_588_228_804),
                ("k", 0.022_773_140_006_585_202),
                ("kernel", 0.003_451_664_768_200_697),
                ("q", 0.002_788_569_564_664_096_6),
                ("n", 0.001_769_183_941_024_667_8),
                ("b.depth", 0.000_849_221_623_225_534_9),
                ("c", 0.000_294_702_327_355_745_47),
            ],
        ),
    ];
    let history = spread();
    for (quantile, golden) in golden {
        let importances = importance(&history, quantile);
        let keys: Vec<&str> = importances.iter().map(|importance| importance.key.as_str()).collect();
        assert_eq!(keys, golden.map(|(key, _)| key));
        for (importance, (key, divergence)) in importances.iter().zip(golden) {
            let off = (importance.divergence - divergence).abs();
            assert!(off < 1e-9 * divergence, "{quantile} {key}: {} is not {divergence}", importance.divergence);
        }
        let sum: f64 = importances.iter().map(|importance| importance.share).sum();
        assert!((sum - 1.0).abs() < 1e-12);
    }
}

#[test]
fn too_few_trials_make_no_difference() {
    let space = Space::new(vec![Dimension::float("x", 0.0, 1.0), Dimension::boolean("b")]);
    let none = importance(&told(space, &[]), 0.1);
    assert_eq!(none.iter().map(|importance| importance.share).collect::<Vec<_>>(), [0.5, 0.5]);
    assert!(none.iter().all(|importance| importance.divergence == 0.0));
}

fn few() -> History {
    let space = Space::new(vec![Dimension::float("x", 0.0, 2.0), Dimension::boolean("b")]);
    let point = |x: f64| Params::new().with("x", x).with("b", x > 1.0);
    let outcome = |value, constraint, cost| Some(Outcome { values: vec![value], constraints: vec![constraint], cost });
    let trials = [
        (point(0.0), outcome(3.0, 0.0, 1.0)),
        (point(0.5), outcome(1.0, 0.5, 2.0)),
        (point(1.0), None),
        (point(1.5), outcome(2.0, -1.0, 4.0)),
        (point(2.0), outcome(2.0, 0.0, 8.0)),
        (point(0.1), outcome(2.5, 0.0, 16.0)),
    ];
    told(space, &trials)
}

#[test]
fn the_best_so_far_by_hand() {
    let best = |id, value| Some((TrialId(id), value));
    let course: Vec<_> =
        best_so_far(&few()).into_iter().map(|p| (p.trial.0, p.cost, p.value, p.counts, p.best)).collect();
    let expected = [
        (0, 1.0, Some(3.0), true, best(0, 3.0)),
        (1, 3.0, Some(1.0), false, best(0, 3.0)),
        (2, 3.0, None, false, best(0, 3.0)),
        (3, 7.0, Some(2.0), true, best(3, 2.0)),
        (4, 15.0, Some(2.0), true, best(3, 2.0)),
        (5, 31.0, Some(2.5), true, best(3, 2.0)),
    ];
    assert_eq!(course, expected);
    assert_eq!(ranks(&few()), [(3, 1), (4, 1), (5, 3), (0, 4)].map(|(id, rank)| (TrialId(id), rank)));
}

#[test]
fn lines_cross_the_axes_where_their_values_are() {
    let parallel = parallel_coordinates(&few());
    let places: Vec<Vec<Option<f64>>> = parallel.lines.iter().map(|line| line.places.clone()).collect();
    assert_eq!(places[0], [Some(0.0), Some(0.25)]);
    assert_eq!(places[3], [Some(0.75), Some(0.75)]);
    assert!(!parallel.lines[2].complete && parallel.lines[2].value.is_none());
    let ticks = |i: usize| parallel.axes[i].ticks.iter().map(|tick| (tick.at, tick.label.as_str())).collect::<Vec<_>>();
    assert_eq!(ticks(0), [(0.0, "0"), (0.25, "0.5"), (0.5, "1"), (0.75, "1.5"), (1.0, "2")]);
    assert_eq!(ticks(1), [(0.25, "false"), (0.75, "true")]);
    let text = serde_json::to_string(&parallel).expect("serialises");
    assert_eq!(serde_json::from_str::<super::Parallel>(&text).expect("parses"), parallel);
    // What does not exist is crossed nowhere; what is fixed has no axis.
    let spread = parallel_coordinates(&spread());
    let keys: Vec<&str> = spread.axes.iter().map(|axis| axis.key.as_str()).collect();
    assert_eq!(keys, ["x", "c", "k", "n", "kernel", "b.depth", "q"]);
    let missing = spread.lines.iter().filter(|line| line.places[5].is_none()).count();
    assert!((60..=100).contains(&missing), "{missing}");
    let depth: Vec<&str> = spread.axes[5].ticks.iter().map(|tick| tick.label.as_str()).collect();
    assert_eq!(depth, ["1", "2", "3", "4", "5"]);
}
