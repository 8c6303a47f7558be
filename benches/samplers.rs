//! What a suggestion costs beside a trial: to suggest, and to take in the result, after 100 to 10,000 trials of ten
//! dimensions; and to replay a journal of 10,000 trials. In seconds of the processor, which other programs do not slow.

use std::hint::black_box;
use std::time::Duration;

use cpu_time::ThreadTime;
use criterion::{Criterion, criterion_group, criterion_main};
use hyperdrive::{
    Dimension, EarlyTerminationPolicy, Event, FORMAT, Goal, History, Ladder, Limits, Objective, Origin, Outcome,
    Params, Record, Rung, Sampler, SamplingAlgorithm, Segment, Seq, Space, StudySpec, Suggestion, TrialId, keyed_rng,
};

/// Samplers, as in a specification, and the most trials after which each is asked.
const SAMPLERS: [(&str, u32); 7] = [
    ("\"random\"", 10_000),
    ("\"sobol\"", 10_000),
    ("\"cfo\"", 10_000),
    ("{\"cma_es\":{}}", 10_000),
    ("{\"tpe\":{}}", 10_000),
    ("{\"gp\":{}}", 1_000),
    ("\"auto\"", 10_000),
];

/// Steps measured in a row, during which the study grows.
const STEPS: u64 = 20;

fn spec(sampling_algorithm: SamplingAlgorithm) -> StudySpec {
    StudySpec {
        search_space: Space::new((0..10).map(|i| Dimension::float(format!("x{i}"), -5.0, 5.0)).collect()),
        objectives: vec![Objective { metric: "loss".to_owned(), goal: Goal::Minimize }],
        sampling_algorithm,
        early_termination: EarlyTerminationPolicy::None,
        limits: Limits { search_seconds: Some(1e9), ..Limits::default() },
        ladder: Ladder::single(),
        known: Vec::new(),
        seed: 1,
    }
}

fn loss(params: &Params) -> f64 {
    (0..10).map(|i| (params.float(&format!("x{i}")).expect("a number") - 1.0).powi(2)).sum()
}

/// Started, reported, finished.
fn trial(number: u32, params: Params) -> [Event; 3] {
    let (segment, trial) = (Segment(number), TrialId(number));
    let outcome = Outcome::single(loss(&params), 1.0);
    let started = Event::Started {
        segment,
        trial,
        params,
        origin: Origin::New,
        from: None,
        until: Rung(0),
        attempt: 1,
        saw: Seq(0),
        suggest_seconds: 0.0,
    };
    let reported = Event::Reported { segment, trial, rung: Rung(0), outcome: outcome.clone() };
    [started, reported, Event::Finished { segment, trial, partial: false, outcome, curve: Vec::new() }]
}

/// The journal of `n` random trials.
fn records(spec: &StudySpec, n: u32) -> Vec<Record> {
    let mut rng = keyed_rng(7, 7, "points");
    let trials = (0..n).flat_map(|number| trial(number, spec.search_space.sample(&mut rng)));
    let events = std::iter::once(Event::Created { format: FORMAT, spec: spec.clone() }).chain(trials);
    events.zip(0..).map(|(event, seq)| Record { seq: Seq(seq), event }).collect()
}

/// Suggests the next trial and takes in all that comes of it.
fn step(sampler: &mut dyn Sampler, history: &mut History) {
    let number = history.segments();
    let mut rng = keyed_rng(1, u64::from(number), "");
    let suggestion = sampler.suggest(history, &mut rng).expect("a suggestion");
    let Suggestion::New { params, .. } = suggestion else { panic!("{suggestion:?} is nothing new") };
    for event in trial(number, params) {
        let record = Record { seq: Seq(history.seq().0 + 1), event };
        history.apply(&record).expect("a sound journal");
    }
}

fn steps(spec: &StudySpec, start: &History, iterations: u64) -> Duration {
    let mut took = Duration::ZERO;
    let mut left = iterations;
    while left > 0 {
        let (mut sampler, mut history) = (spec.sampling_algorithm.build(), start.clone());
        step(sampler.as_mut(), &mut history);
        let now = left.min(STEPS);
        let begun = ThreadTime::now();
        for _ in 0..now {
            step(sampler.as_mut(), &mut history);
        }
        took += begun.elapsed();
        left -= now;
    }
    took
}

fn suggest(c: &mut Criterion) {
    let mut group = c.benchmark_group("suggest and apply, 10 dimensions");
    group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(2));
    for (text, most) in SAMPLERS {
        let algorithm: SamplingAlgorithm = serde_json::from_str(text).expect("a sampler");
        let spec = spec(algorithm);
        spec.check().expect("a sound study");
        for n in [100, 200, 1_000, 10_000].into_iter().filter(|n| *n <= most) {
            let history = History::replay(&records(&spec, n)).expect("a sound journal").expect("not an empty one");
            let name = format!("{} after {n}", text.replace(['"', '{', '}', ':'], ""));
            group.bench_function(name, |b| b.iter_custom(|iterations| steps(&spec, &history, iterations)));
        }
    }
    group.finish();
}

fn replay(c: &mut Criterion) {
    let journal = records(&spec(SamplingAlgorithm::Random), 10_000);
    let mut group = c.benchmark_group("journal");
    group.sample_size(10);
    group.bench_function("replay of 10,000 trials", |b| b.iter(|| black_box(History::replay(&journal))));
    group.finish();
}

criterion_group!(benches, suggest, replay);
criterion_main!(benches);
