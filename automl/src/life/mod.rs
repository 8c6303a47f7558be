//! Life after the first fit: the same recipe on new rows, a search that begins with what another found, two runs beside
//! each other, and a run done again from its journal.

mod compare;
mod honest;
mod recipe;
mod refit;
mod replay;
mod warm;

pub use compare::{Compared, Comparison, Differs, Side, Verdict, compare};
pub(crate) use honest::Honest;
pub use recipe::{RECIPE_VERSION, Recipe, RecipeMember, RecipeSecond};
pub use refit::{REFIT, REFITTED_VERSION, Refit, Refitted};
pub use replay::{Again, Replayed, replay_run};
pub use warm::warm_start;
