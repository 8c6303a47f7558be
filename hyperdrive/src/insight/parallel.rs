//! Trials as lines across the parameters.

use serde::{Deserialize, Serialize};

use crate::history::History;
use crate::space::{Domain, Kind, Layout, Slot};
use crate::trial::TrialId;

/// Values of a dimension up to which each has a tick of its own.
const FEW: u128 = 12;

/// A parallel-coordinate picture: an axis for each parameter that can be searched, a line for each trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parallel {
    /// In the order of the space.
    pub axes: Vec<Axis>,
    /// In the order of the trials.
    pub lines: Vec<Line>,
}

/// One parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// Key of the parameter.
    pub key: String,
    /// What to write along it.
    pub ticks: Vec<Tick>,
}

/// A label on an axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tick {
    /// Where, from 0 to 1.
    pub at: f64,
    /// What.
    pub label: String,
}

/// One trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Which.
    pub trial: TrialId,
    /// Where it crosses each axis, from 0 to 1, where equal lengths are equally likely; `None` where the parameter does
    /// not exist.
    pub places: Vec<Option<f64>>,
    /// The first objective: of its result, or at the highest rung it has reported.
    pub value: Option<f64>,
    /// Whether it finished at the top rung.
    pub complete: bool,
}

/// The trials of a study across its parameters; those without a place in the present space are left out.
pub fn parallel_coordinates(history: &History) -> Parallel {
    let layout = Layout::new(&history.spec().search_space);
    let lines = history.trials().iter().filter_map(|trial| {
        let row = layout.encode(&trial.params)?;
        let places = layout.slots.iter().zip(row).map(|(slot, at)| (!at.is_nan()).then(|| place(slot, at)));
        Some(Line { trial: trial.id, places: places.collect(), value: trial.value(), complete: trial.is_complete() })
    });
    let lines = lines.collect();
    Parallel { axes: layout.slots.iter().map(axis).collect(), lines }
}

fn place(slot: &Slot, at: f64) -> f64 {
    match slot.kind {
        Kind::Category { levels } => (at + 0.5) / levels as f64,
        Kind::Real | Kind::Ordered { .. } => at.clamp(0.0, 1.0),
    }
}

fn axis(slot: &Slot) -> Axis {
    let levels = match slot.kind {
        Kind::Category { levels } => levels as u128,
        Kind::Ordered { levels } => levels,
        Kind::Real => 0,
    };
    let even = (1..=FEW).contains(&levels) && !matches!(slot.domain, Domain::Float { .. });
    let places: Vec<f64> = match slot.kind {
        Kind::Category { levels } => (0..levels).map(|i| i as f64).collect(),
        // The middles of the intervals; what falls together on a log scale is named once.
        _ if even => (0..levels).map(|i| (i as f64 + 0.5) / levels as f64).collect(),
        // The ends of a normal distribution are nowhere near what it gives.
        _ if matches!(slot.domain, Domain::Normal { .. }) => [0.05, 0.25, 0.5, 0.75, 0.95].to_vec(),
        _ => [0.0, 0.25, 0.5, 0.75, 1.0].to_vec(),
    };
    let mut ticks: Vec<Tick> = Vec::new();
    for at in places {
        let label = slot.value(at).to_string();
        if ticks.last().is_none_or(|last| last.label != label) {
            ticks.push(Tick { at: place(slot, slot.snap(at)), label });
        }
    }
    Axis { key: slot.key.clone(), ticks }
}
