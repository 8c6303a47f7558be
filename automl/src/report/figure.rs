//! A drawing with its words and its numbers: whoever cannot see the one reads the others.

use maud::{Markup, PreEscaped, Render, html};

/// A drawing, what it shows, and the numbers behind it.
#[derive(Debug, Clone, Default)]
pub(super) struct Figure {
    /// Its heading.
    pub(super) title: String,
    /// What it shows, in words.
    pub(super) caption: String,
    /// The drawing.
    pub(super) svg: String,
    /// Names of its lines with their colours, where there are several.
    pub(super) legend: Vec<(String, String)>,
    /// The head of the table of numbers.
    pub(super) header: Vec<String>,
    /// Its rows; the first cell names the row.
    pub(super) rows: Vec<Vec<String>>,
}

impl Render for Figure {
    fn render(&self) -> Markup {
        html! {
            figure {
                h3 { (self.title) }
                figcaption { (self.caption) }
                (PreEscaped(&self.svg))
                @if !self.legend.is_empty() {
                    ul.legend { @for (class, name) in &self.legend {
                        li { (swatch(class)) (name) }
                    } }
                }
                @if !self.rows.is_empty() {
                    details { summary { "The numbers" } div.wide { (table(&self.header, &self.rows)) } }
                }
            }
        }
    }
}

/// A piece of a line in its colour.
fn swatch(class: &str) -> Markup {
    html! { (PreEscaped(format!(r#"<svg class="swatch" viewBox="0 0 24 8" aria-hidden="true"><polyline class="{class}" points="0,4 24,4"/></svg>"#))) }
}

/// A table whose first column names the row and whose others are numbers.
pub(super) fn table(header: &[String], rows: &[Vec<String>]) -> Markup {
    html! {
        table {
            thead { tr { @for (i, name) in header.iter().enumerate() {
                @if i == 0 { th scope="col" { (name) } } @else { th.num scope="col" { (name) } }
            } } }
            tbody { @for row in rows {
                tr { @for (i, cell) in row.iter().enumerate() {
                    @if i == 0 { td { (cell) } } @else { td.num { (cell) } }
                } }
            } }
        }
    }
}
