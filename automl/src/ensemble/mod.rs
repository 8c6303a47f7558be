//! Choosing members and weights from out-of-fold predictions, and an honest score for the choice. The ensemble itself is
//! a model in `trainers`; only the choosing is here.

mod greedy;
mod honest;
mod temperature;
mod threshold;
mod voice;

pub(crate) use greedy::{Choice, choose};
pub(crate) use honest::{Interval, Nested, Unseen, bootstrap, nested, seen};
pub(crate) use threshold::{best_threshold, threshold_metric};
pub(crate) use voice::{Pool, Second, Source, Voice};
