//! The page: its head, its contents and its sections.

use std::collections::BTreeMap;

use hyperdrive::History;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::svg::number;
use super::{again, columns, data, inputs, leaderboard, left, model, quality, rows, search};
use crate::conclude::Concluded;
use crate::leaderboard::{Score, Summary};
use crate::prepare::{Prepared, thousands};

/// The look of every page.
pub(crate) const STYLE: &str = include_str!("style.css");

/// What the page is made of.
pub(crate) struct Material<'a> {
    pub(crate) summary: &'a Summary,
    pub(crate) prepared: &'a Prepared,
    pub(crate) history: &'a History,
    pub(crate) concluded: &'a Concluded,
    /// What the run recorded of itself: the command line, the host.
    pub(crate) facts: BTreeMap<String, String>,
}

/// A part of the page: its anchor, its heading, and what it says; nothing where there is nothing to say.
struct Section {
    id: &'static str,
    title: &'static str,
    body: fn(&Material<'_>) -> Option<Markup>,
}

/// Every part, in the order of the page.
const SECTIONS: &[Section] = &[
    Section { id: "model", title: "The model", body: |material| Some(model::section(material)) },
    Section { id: "leaderboard", title: "Leaderboard", body: |material| Some(leaderboard::section(material)) },
    Section { id: "quality", title: "How good it is", body: quality::section },
    Section { id: "inputs", title: "What matters", body: inputs::section },
    Section { id: "search", title: "The search", body: |material| Some(search::section(material)) },
    Section { id: "left", title: "Why the others were left", body: left::section },
    Section { id: "data", title: "The data", body: |material| Some(data::section(material)) },
    Section { id: "columns", title: "Columns", body: |material| Some(columns::section(material)) },
    Section { id: "rows", title: "Which rows trained and judged what", body: |material| Some(rows::section(material)) },
    Section { id: "again", title: "Use it, and make it again", body: |material| Some(again::section(material)) },
];

/// The page, complete in itself.
pub(crate) fn render(material: &Material<'_>) -> String {
    let sections: Vec<(&Section, Markup)> =
        SECTIONS.iter().filter_map(|section| Some((section, (section.body)(material)?))).collect();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (material.summary.model.name) " · automl" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { (head(material.summary)) }
                nav aria-label="Contents" { @for (section, _) in &sections { a href={ "#" (section.id) } { (section.title) } " " } }
                main { @for (section, body) in &sections {
                    section id=(section.id) { h2 { (section.title) } (body) }
                } }
            }
        }
    };
    page.into_string()
}

fn head(summary: &Summary) -> Markup {
    let goal = &summary.goal;
    html! {
        div.head {
            div {
                h1 { (summary.model.name) }
                p.soft { (goal.task) " · " code { (goal.target) } " from " (summary.data.source.join(", ")) " · run " (summary.run) }
            }
            div {
                div.score { (number(summary.score.value)) " " small { (summary.score.metric) } }
                p.soft { (interval(&summary.score)) (summary.score.source) ", " (thousands(summary.score.n_rows)) " rows" }
            }
            div { div.score { (number(summary.baseline)) } p.soft { "baseline: the same answer for every row" } }
        }
    }
}

fn interval(score: &Score) -> String {
    score.interval.map_or_else(String::new, |(low, high)| format!("95% [{}, {}] · ", number(low), number(high)))
}

/// The first letter in upper case.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance of a colour as `#rrggbb` (WCAG 2.2).
    fn luminance(colour: &str) -> f64 {
        let channel = |from: usize| {
            let value = f64::from(u8::from_str_radix(&colour[from..from + 2], 16).expect("two hex digits")) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (a, b) = (luminance(one), luminance(other));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// Text stands out by 4.5 and lines by 3, in light and in dark (WCAG 2.2, 1.4.3 and 1.4.11).
    #[test]
    fn colours_can_be_told_from_the_ground_in_both_looks() {
        let looks: Vec<BTreeMap<&str, &str>> = STYLE
            .split(":root {")
            .skip(1)
            .filter(|rules| rules.contains("--ground"))
            .map(|rules| rules.split('}').next().unwrap_or_default())
            .map(|rules| rules.split(';').filter_map(|rule| rule.trim().split_once(": ")).collect())
            .collect();
        assert_eq!(looks.len(), 2, "light and dark");
        for look in &looks {
            for name in ["--ink", "--soft", "--main", "--good", "--bad"] {
                for ground in ["--ground", "--panel"] {
                    let found = contrast(look[name], look[ground]);
                    assert!(found >= 4.5, "{name} {} on {ground}: {found:.2}", look[name]);
                }
            }
            for i in 0..12 {
                let found = contrast(look[format!("--s{i}").as_str()], look["--ground"]);
                assert!(found >= 3.0, "line {i}: {found:.2}");
            }
        }
    }

    #[test]
    fn sections_have_names_of_their_own() {
        let ids: std::collections::BTreeSet<&str> = SECTIONS.iter().map(|section| section.id).collect();
        assert_eq!(ids.len(), SECTIONS.len());
    }
}
