//! A model of points and resources together, which says what goes on and what begins.

use rand_chacha::ChaCha8Rng;

use super::gp::{GaussianProcess, Surrogate, log_expected_improvement, propose};
use super::suggest::{Sampler, Suggestion};
use crate::error::StudyError;
use crate::history::History;
use crate::space::{Dimension, Kind, Layout, Slot};
use crate::study::{Ladder, StudySpec};
use crate::trial::{Rung, Trial, TrialId, TrialState};

/// Full results a model needs at least.
const LEAST: usize = 3;
/// Reports a fit takes at most: the best half and the latest half of these.
const MOST: usize = 128;
/// Share of the uncertainty at the top that a report at a lower rung must take away for the trial to yield there.
const TELLING: f64 = 0.5;

/// Freeze-thaw Bayesian optimisation (Swersky, Snoek and Adams, arXiv:1406.3896) with the model of MOBSTER (Klein et
/// al., arXiv:2003.10865): one Gaussian process over (point, logarithm of the resource), conditioned on every report.
///
/// Each suggestion weighs all paused trials and the best new point, by the expected improvement *at the top* for the
/// resource that is still missing there. The winner goes on to the lowest rung whose report would take away
/// half of what is uncertain of it at the top: where low rungs say little, the model finds its correlations along the
/// resource short, and nothing is judged there. What runs is taken to come out as expected.
///
/// The first trials go to the top, so that there are whole curves to learn that from. A failed trial is taken as a
/// report at the top as bad as any before it. Once no new trial is allowed, paused ones go on as long as one of them is
/// worth more than a new one would have been.
pub(super) struct FreezeThaw {
    startup: usize,
    /// For the first points, and for ladders of one rung.
    plain: GaussianProcess,
    model: Option<Model>,
}

/// A report as the model takes it: the point and its resource, and the loss there.
#[derive(Clone, Debug, PartialEq)]
struct Report {
    row: Vec<f64>,
    loss: f64,
}

struct Model {
    /// How many reports the hyperparameters were fitted to.
    fitted: usize,
    /// The reports it has been shown.
    shown: Vec<Report>,
    surrogate: Surrogate,
}

/// The space with the resource as one more number.
struct Plane {
    space: Layout,
    joint: Layout,
    /// Where each rung is on the axis of resources, from 0 to 1 at the top.
    places: Vec<f64>,
    /// The resource of each rung as a share of the top's.
    shares: Vec<f64>,
}

impl FreezeThaw {
    /// One whose first `startup` trials go straight to the top.
    pub(super) fn new(startup: u32) -> Self {
        Self { startup: startup as usize, plain: GaussianProcess::new(Some(startup)), model: None }
    }
}

impl Sampler for FreezeThaw {
    fn suggest(&mut self, history: &History, rng: &mut ChaCha8Rng) -> Result<Suggestion, StudyError> {
        let spec = history.spec();
        let top = spec.top();
        let full = history.trials().iter().filter(|trial| trial.at(top).is_some()).count();
        if top == Rung(0) || history.trials().len() < self.startup || full < LEAST {
            return self.plain.suggest(history, rng);
        }
        let plane = Plane::new(spec);
        let model = Model::up_to_date(self.model.take(), &plane, plane.reports(history));
        let model = self.model.insert(model);
        let mut surrogate = model.surrogate.clone();
        let at_top = |trial: &Trial| plane.row(trial, top);
        for row in history.trials().iter().filter(|trial| trial.is_running()).filter_map(at_top) {
            surrogate.believe(&row);
        }
        // What is expected of those who have been at the top; new ones are to be better.
        let finished = history.trials().iter().filter(|trial| trial.at(top).is_some());
        let means = finished.filter_map(at_top).map(|row| surrogate.predict(&row).0);
        let incumbent = means.fold(f64::INFINITY, f64::min);
        let worth = |row: &[f64], missing: f64| {
            let (mean, variance) = surrogate.predict(row);
            log_expected_improvement(mean, variance, incumbent) - missing.ln()
        };
        let point = propose(&surrogate, &plane.joint, &[], &[(plane.space.len(), 1.0)], &|_| false, rng);
        let new = worth(&point, 1.0);
        let mut best: Option<(f64, TrialId, Rung, Vec<f64>)> = None;
        for trial in history.trials() {
            let (TrialState::Paused { rung }, Some(row)) = (&trial.state, at_top(trial)) else {
                continue;
            };
            let worth = worth(&row, 1.0 - plane.shares[usize::from(rung.0)]);
            if worth >= new && best.as_ref().is_none_or(|(most, ..)| worth > *most) {
                best = Some((worth, trial.id, *rung, row));
            }
        }
        if let Some((_, trial, rung, row)) = best {
            return Ok(Suggestion::Resume { trial, until: plane.telling(&surrogate, &row, rung.0 + 1) });
        }
        let params = plane.space.decode(&point[..plane.space.len()]);
        Ok(Suggestion::New { params, until: plane.telling(&surrogate, &point, 0) })
    }
}

impl Plane {
    fn new(spec: &StudySpec) -> Self {
        let space = Layout::new(&spec.search_space);
        let mut joint = space.clone();
        let resource = Dimension::float("", 0.0, 1.0);
        joint.slots.push(Slot { key: resource.name, domain: resource.domain, kind: Kind::Real, parent: None });
        let resources: Vec<f64> = match &spec.ladder {
            Ladder::Rungs(rungs) => rungs.iter().map(|rung| rung.rows * f64::from(rung.folds) * rung.work).collect(),
            Ladder::Reports => vec![1.0],
        };
        let (first, last) = (resources[0], resources[resources.len() - 1]);
        let places = resources.iter().map(|x| if first == last { 1.0 } else { (x / first).ln() / (last / first).ln() });
        Self { space, joint, places: places.collect(), shares: resources.iter().map(|x| x / last).collect() }
    }

    /// A trial at a rung; none where its point has no place in the space.
    fn row(&self, trial: &Trial, rung: Rung) -> Option<Vec<f64>> {
        let mut row = self.space.encode(&trial.params)?;
        row.push(self.places[usize::from(rung.0)]);
        Some(row)
    }

    /// All reports in the order in which they came, those from before the study first.
    fn reports(&self, history: &History) -> Vec<Report> {
        let spec = history.spec();
        let (goal, top) = (spec.goal(), spec.top());
        let mut reports = Vec::new();
        for known in &spec.known {
            if let (Some(mut row), Some(value)) = (self.space.encode(&known.params), known.values.first()) {
                row.push(1.0);
                reports.push(Report { row, loss: goal.loss(*value) });
            }
        }
        // With the record that said it; a loss is missing where a trial failed.
        let mut said = Vec::new();
        for trial in history.trials() {
            for ((rung, outcome), seq) in trial.reports.iter().zip(&trial.reported) {
                said.extend(outcome.values.first().map(|value| (*seq, trial, *rung, Some(goal.loss(*value)))));
            }
            if let (TrialState::Failed { .. }, Some(seq)) = (&trial.state, trial.ended) {
                said.push((seq, trial, top, None));
            }
        }
        said.sort_by_key(|(seq, ..)| *seq);
        let mut worst = reports.iter().map(|report| report.loss).fold(f64::NEG_INFINITY, f64::max);
        for (_, trial, rung, loss) in said {
            let loss = loss.unwrap_or(worst);
            worst = worst.max(loss);
            if let (Some(row), true) = (self.row(trial, rung), loss.is_finite()) {
                reports.push(Report { row, loss });
            }
        }
        reports
    }

    /// The lowest rung from `from` on whose report would tell enough of what a trial is at the top.
    fn telling(&self, surrogate: &Surrogate, row: &[f64], from: u16) -> Rung {
        let (_, before) = surrogate.predict(row);
        let top = self.places.len() as u16 - 1;
        let tells = |rung: &u16| {
            let mut there = row.to_vec();
            there[self.space.len()] = self.places[usize::from(*rung)];
            let mut after = surrogate.clone();
            after.believe(&there);
            after.predict(row).1 <= (1.0 - TELLING) * before
        };
        Rung((from..top).find(tells).unwrap_or(top))
    }
}

impl Model {
    fn up_to_date(old: Option<Self>, plane: &Plane, reports: Vec<Report>) -> Self {
        let fitted = scheduled(reports.len());
        let usable = old.filter(|old| old.fitted == fitted && reports.starts_with(&old.shown));
        let mut model = usable.unwrap_or_else(|| {
            let chosen = chosen(&reports[..fitted]);
            let rows: Vec<Vec<f64>> = chosen.iter().map(|report| report.row.clone()).collect();
            let losses: Vec<f64> = chosen.iter().map(|report| report.loss).collect();
            let surrogate = Surrogate::fit(&plane.joint, &rows, &losses, &[plane.space.len()]);
            Self { fitted, shown: reports[..fitted].to_vec(), surrogate }
        });
        for report in &reports[model.shown.len()..] {
            model.surrogate.append(&report.row, report.loss);
        }
        model.shown = reports;
        model
    }
}

/// The last number of reports, at most `n`, at which hyperparameters are fitted: as they have grown by a sixth.
fn scheduled(n: usize) -> usize {
    let mut at = LEAST;
    loop {
        let next = at + (at / 6).clamp(1, MOST / 8);
        if next > n {
            return at.min(n);
        }
        at = next;
    }
}

/// The reports a fit takes, in their order.
fn chosen(reports: &[Report]) -> Vec<&Report> {
    if reports.len() <= MOST {
        return reports.iter().collect();
    }
    let (earlier, latest) = reports.split_at(reports.len() - MOST / 2);
    let mut order: Vec<usize> = (0..earlier.len()).collect();
    order.sort_by(|a, b| earlier[*a].loss.total_cmp(&earlier[*b].loss).then(a.cmp(b)));
    order.truncate(MOST - MOST / 2);
    order.sort_unstable();
    order.into_iter().map(|i| &earlier[i]).chain(latest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Event, Record};
    use crate::sampler::SamplingAlgorithm;
    use crate::sampler::halving_tests::{records, study};
    use crate::simulate::SimulatedExecutor;
    use crate::trial::Outcome;

    /// The records of a study in which a trial's loss at a rung is a function of its `x`, the rung and its seed.
    fn frozen(trials: u32, slots: u32, loss: impl Fn(f64, u16, f64) -> f64 + 'static) -> Vec<Record> {
        let spec = study(SamplingAlgorithm::FreezeThaw { startup: None }, trials, slots);
        let executor = SimulatedExecutor::new(slots as usize, move |params, rung, seed| {
            let noise = (seed >> 11) as f64 / (1_u64 << 53) as f64;
            Outcome::single(loss(params.float("x").expect("the space has an x"), rung.0, noise), 1.0)
        });
        records(&spec, executor)
    }

    /// Where each new trial was to yield first, and how many segments resumed one.
    fn first_rungs(records: &[Record]) -> (Vec<u16>, usize) {
        let mut new = Vec::new();
        let mut resumed = 0;
        for record in records {
            match record.event {
                Event::Started { from: None, until, .. } => new.push(until.0),
                Event::Started { .. } => resumed += 1,
                _ => {}
            }
        }
        (new, resumed)
    }

    #[test]
    fn where_low_rungs_tell_they_are_used_and_the_good_go_on() {
        // Many hollows, so that a model of few points stays in doubt.
        let hollows = |x: f64| (x - 0.3).powi(2) + 0.2 * (1.0 - (40.0 * (x - 0.3)).cos());
        let records = frozen(40, 2, move |x, rung, _| hollows(x) + 0.5 / f64::from(rung + 1));
        let (new, resumed) = first_rungs(&records);
        assert_eq!(new[..5], [2; 5], "whole curves first");
        let low = new[5..].iter().filter(|rung| **rung < 2).count();
        assert!(low > 10, "{low} of 35 trials yielded below the top");
        let history = History::replay(&records).expect("a sound journal").expect("it has records");
        assert!(resumed > 0 && history.counts().paused > 5, "{resumed} went on, {} stay", history.counts().paused);
        // Those at the top are nearer to the best than those left behind, on the average.
        let mean = |top: bool| {
            let of = history.trials()[5..].iter().filter(|trial| trial.is_complete() == top);
            let gaps: Vec<f64> = of.map(|trial| hollows(trial.params.float("x").expect("an x"))).collect();
            gaps.iter().sum::<f64>() / gaps.len() as f64
        };
        assert!(mean(true) < mean(false), "{} at the top, {} behind", mean(true), mean(false));
    }

    #[test]
    fn where_low_rungs_tell_nothing_trials_go_to_the_top() {
        let records = frozen(30, 2, |x, rung, noise| if rung == 2 { (x - 0.3).powi(2) } else { noise });
        let (new, _) = first_rungs(&records);
        let low = new[10..].iter().filter(|rung| **rung < 2).count();
        assert!(low < 7, "{low} of 20 trials yielded at a rung of pure noise");
    }

    #[test]
    fn reports_come_in_the_order_of_their_records_and_failures_are_as_bad_as_any() {
        use crate::simulate::Fate;
        use crate::trial::FailureKind;
        let spec = study(SamplingAlgorithm::FreezeThaw { startup: None }, 12, 3);
        let executor = SimulatedExecutor::new(3, |params, rung, _| {
            Outcome::single(params.float("x").expect("an x") + f64::from(rung.0), 1.0)
        })
        .with_fate(|assignment| match assignment.trial.0 {
            7 => Fate::Fails { at: Rung(0), kind: FailureKind::Error, reason: "planned".to_owned() },
            _ => Fate::Runs,
        });
        let records = records(&spec, executor);
        let plane = Plane::new(&spec);
        let mut history = History::begin(&records[0]).expect("a sound journal");
        let mut expected: Vec<f64> = Vec::new();
        for record in &records {
            history.apply(record).expect("a sound journal");
            match &record.event {
                Event::Reported { outcome, .. } => expected.push(outcome.values[0]),
                Event::Failed { .. } => expected.push(expected.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
                _ => {}
            }
            let losses: Vec<f64> = plane.reports(&history).iter().map(|report| report.loss).collect();
            assert_eq!(losses, expected);
        }
        // Rungs of 1/9, 1/3 and 1 are equally far apart on a logarithmic axis.
        assert!(plane.places.iter().zip([0.0, 0.5, 1.0]).all(|(a, b)| (a - b).abs() < 1e-12));
    }
}
