//! One readable HTML page per run: no script, nothing fetched, light and dark. It says what the terminal says, with room
//! for the plots and every column. `page` has the table of sections, a file each; `charts`, `numbers` and `looks` go from
//! data to drawings, `plot` and `bars` draw.

mod again;
mod bars;
mod charts;
mod columns;
mod data;
mod figure;
mod inputs;
mod leaderboard;
mod left;
mod looks;
mod model;
mod numbers;
mod page;
mod plot;
mod quality;
mod rows;
mod search;
mod svg;

pub(crate) use bars::{bars, intervals};
pub(crate) use page::{Material, STYLE, render};
pub(crate) use svg::{number, two_digits};
