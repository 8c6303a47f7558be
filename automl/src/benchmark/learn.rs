//! A portfolio learned on the data sets of a suite: every candidate point is fitted on the rows to learn from of each, and
//! put in order by what it brings for its time. What has been measured is kept, so that it can be stopped and gone on
//! with, and learned again from some of the data sets alone.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use hyperdrive::Value;
use sha2::{Digest, Sha256};

use super::engine::hex;
use super::layout::{failed, lay_out, make};
use super::suite::Suite;
use crate::error::AutoMlError;
use crate::portfolio::{Measurement, Point, Portfolio, candidates, learn, measure};
use crate::spec::AutoMlSpec;

/// What is to be learned.
#[derive(Debug, Clone)]
pub struct Learning {
    /// Points drawn for each algorithm beside those of the portfolio that is shipped.
    pub draws: usize,
    /// Set from outside to stop after what is under way.
    pub stop: Arc<AtomicBool>,
}

/// A portfolio with what each of its points gained: the share of what there is to gain, as a mean over data sets.
#[derive(Debug, Clone, PartialEq)]
pub struct Learned {
    /// The points in order.
    pub portfolio: Portfolio,
    /// What each gained when it was taken.
    pub gains: Vec<f64>,
}

/// Measures what is missing below `out` and learns from all of the suite's data sets; `None` when stopped. `told` hears
/// of every data set.
pub fn learn_portfolio(
    suite: &Suite,
    out: &Path,
    learning: &Learning,
    told: &mut dyn FnMut(&str),
) -> Result<Option<Learned>, AutoMlError> {
    suite.check().map_err(AutoMlError::Usage)?;
    let seed = suite.seeds.first().copied().unwrap_or(1);
    let points = candidates(learning.draws, seed);
    let named = serde_json::to_vec(&points).map_err(|error| AutoMlError::Usage(error.to_string()))?;
    let version = hex(&Sha256::digest(&named)[..4]);
    let folder = out.join("portfolio");
    make(&folder)?;
    let mut tables = Vec::new();
    for (index, dataset) in suite.datasets.iter().enumerate() {
        let cases = lay_out(dataset, index, &out.join("data"))?;
        let Some(case) = cases.first() else { continue };
        let file = folder.join(format!("{}-{}-{version}.json", dataset.name, &case.hash[..8.min(case.hash.len())]));
        let kept = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice::<Measurement>(&bytes).ok());
        let (table, verb) = if let Some(table) = kept {
            (table, "kept")
        } else {
            let mut spec = AutoMlSpec::new(case.train.display().to_string(), &dataset.target);
            (spec.task, spec.positive, spec.seed) = (Some(dataset.task), dataset.positive.clone(), seed);
            spec.budget.cores = suite.threads;
            let Some(table) = measure(&dataset.name, &spec, &points, &learning.stop)? else { return Ok(None) };
            let bytes = serde_json::to_vec(&table).map_err(|error| AutoMlError::Usage(error.to_string()))?;
            platform::write_atomic(&file, &bytes).map_err(|error| failed(&file, &std::io::Error::other(error)))?;
            (table, "measured")
        };
        let n = index + 1;
        told(&format!(
            "{n}/{}  {}  {} points {verb} on {} rows",
            suite.datasets.len(),
            table.name,
            table.runs.len(),
            table.n_rows
        ));
        tables.push(table);
    }
    let names: Vec<&str> = suite.datasets.iter().map(|dataset| dataset.name.as_str()).collect();
    let about = format!(
        "learned by `automl benchmark --learn-portfolio`, {} candidates on {} data sets: {}",
        points.len(),
        names.len(),
        names.join(", ")
    );
    let (portfolio, gains) = learn(&tables, about);
    Ok(Some(Learned { portfolio, gains }))
}

/// A point in words: `light_gbm learning_rate=0.05`.
pub fn in_words(point: &Point) -> String {
    let params = point.params.iter().map(|(name, value)| format!(" {name}={}", Value::from(value).label()));
    std::iter::once(point.algorithm.name().to_owned()).chain(params).collect()
}
