//! Tuning of what is not ours: scripts described by a sweep file, and programs that ask and tell.

mod ask_tell;
mod command;
mod executor;
mod file;
mod flat;
mod metric;
mod names;
mod process;
mod run;
mod sampler;
mod search_space;
mod yaml;

pub use ask_tell::{AskTell, Opening};
pub use command::Template;
pub use file::{Stored, Sweep};
pub use flat::{Flat, Kind, Parameter};
pub use names::Names;
pub(crate) use process::{Guard, trouble};
pub use run::{SWEEP, SweepBest, SweepNarrator, SweepRow, SweepSession, SweepSummary, resume, start};
pub(crate) use run::{check, so_far};
pub use sampler::sampler;
pub(crate) use yaml::read as read_yaml;
