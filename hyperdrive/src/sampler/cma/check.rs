//! What CMA-ES asks of a study.

use crate::error::StudyError;
use crate::space::{Kind, Layout};
use crate::study::StudySpec;

/// Checks the settings, and that there is a number to search.
pub(in crate::sampler) fn check(population: Option<u32>, sigma: f64, spec: &StudySpec) -> Result<(), StudyError> {
    let bad = |field: &str, reason: String| {
        let field = format!("sampling_algorithm.cma_es{field}");
        Err(StudyError::Spec { field, reason })
    };
    if let Some(population @ 0..=3) = population {
        return bad(".population", format!("{population} is less than 4"));
    }
    if !(sigma > 0.0 && sigma <= 1.0) {
        return bad(".sigma", format!("{sigma} is not above 0 and at most 1"));
    }
    if !Layout::new(&spec.search_space).slots.iter().any(|slot| !matches!(slot.kind, Kind::Category { .. })) {
        let reason = "the space has choices alone and no number for it to search; \
                      `random` and `asha` can search such a space";
        return bad("", reason.to_owned());
    }
    Ok(())
}
