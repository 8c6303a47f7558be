//! The HTML report: complete, for every task, whatever the columns are called, with nothing fetched and nothing run.

use std::fs;

use crate::support::{Place, made, sample};

/// The report of a fit.
fn report(place: &Place, arguments: &[&str]) -> String {
    let summary = place.json(&[&["fit"], arguments].concat());
    fs::read_to_string(summary["report"].as_str().expect("a path")).expect("a report")
}

/// The text between two marks, every time.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> Vec<&'a str> {
    text.split(begin).skip(1).filter_map(|rest| rest.split_once(end)).map(|(inside, _)| inside).collect()
}

/// What every report must be, whatever the task.
fn assert_sound(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html>") && page.len() < 1_500_000, "{} bytes", page.len());
    for outside in ["<script", "<link", "<img", "<iframe", "@import", "url(", "src=", "http://", "https://", "onload"] {
        assert!(!page.contains(outside), "the report has `{outside}`");
    }
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("@media print"), "its looks");
    for anchor in between(page, "href=\"#", "\"") {
        assert!(page.contains(&format!("<section id=\"{anchor}\"")), "#{anchor} leads nowhere");
    }
    let ids = between(page, "<section id=\"", "\"");
    assert_eq!(between(page, "href=\"#", "\""), ids, "the contents list every section");
    let drawings = page.matches("<svg").count();
    assert!(drawings > 3, "{drawings} drawings");
    for svg in between(page, "<svg", "</svg>") {
        let svg = format!("<svg{svg}</svg>");
        well_formed(&svg).unwrap_or_else(|error| panic!("{error}: {svg}"));
        let spoken = svg.contains("role=\"img\"") && svg.contains("<title>") && !svg.contains("<title></title>");
        assert!(spoken || svg.contains("aria-hidden"), "a drawing without words: {svg}");
        for word in ["NaN", "inf"] {
            let numbers = svg.split('"').filter(|part| part.contains(word) && part.contains(','));
            assert_eq!(numbers.count(), 0, "{word} in {svg}");
        }
    }
}

/// Whether a fragment is XML: tags are closed in turn, attributes quoted, marks written out.
fn well_formed(text: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some((words, tail)) = rest.split_once('<') {
        for (_, after) in words.match_indices('&').map(|(i, _)| words.split_at(i)) {
            let known = ["&amp;", "&lt;", "&gt;", "&quot;"].iter().any(|entity| after.starts_with(entity));
            known.then_some(()).ok_or_else(|| format!("a bare & before {after}"))?;
        }
        let (tag, tail) = tail.split_once('>').ok_or("a tag without end")?;
        rest = tail;
        if let Some(name) = tag.strip_prefix('/') {
            let last = open.pop();
            (last == Some(name)).then_some(()).ok_or_else(|| format!("</{name}> closes {last:?}"))?;
            continue;
        }
        let quotes = tag.matches('"').count();
        let attributes = tag.matches("=\"").count();
        (quotes == 2 * attributes).then_some(()).ok_or_else(|| format!("quotes of <{tag}>"))?;
        if !tag.ends_with('/') {
            open.extend(tag.split(' ').next());
        }
    }
    open.is_empty().then_some(()).ok_or_else(|| format!("{open:?} never close"))
}

#[test]
fn the_check_of_drawings_can_fail() {
    assert_eq!(well_formed(r#"<svg a="1"><g><line x="2"/></g>a &amp; b</svg>"#), Ok(()));
    for broken in ["<svg><g></svg>", "<svg a=1\"></svg>", "<svg>", "<svg>a & b</svg>", "<svg></g></svg>", "<svg"] {
        assert!(well_formed(broken).is_err(), "{broken}");
    }
}

#[test]
fn two_classes_are_reported_from_ledger_to_command() {
    let place = Place::new();
    let page = report(&place, &[&sample("breast_cancer.csv"), "--target", "diagnosis", "--max-trials", "14"]);
    assert_sound(&page);
    for id in ["model", "leaderboard", "quality", "inputs", "search", "left", "data", "columns", "rows", "again"] {
        assert!(page.contains(&format!("<section id=\"{id}\"")), "no section {id}");
    }
    for title in
        ["Confusion", "ROC curve", "Precision–recall curve", "Calibration", "Importance", "Best so far", "Guardrails"]
    {
        assert!(page.contains(&format!("<h3>{title}</h3>")), "no figure {title}");
    }
    // Each of the rows is in the confusion matrix, and in a bin of the reliability diagram.
    let calibration = page.split("<h3>Calibration</h3>").nth(1).and_then(|rest| rest.split("</figure>").next());
    let rows: usize = between(calibration.expect("it is there"), "<tr><td>", "</tr>")
        .iter()
        .filter_map(|row| between(row, "<td class=\"num\">", "</td>").last()?.parse::<usize>().ok())
        .sum();
    assert_eq!(rows, 569);
    let confusion = page.split("<h3>Confusion</h3>").nth(1).and_then(|rest| rest.split("</figure>").next());
    let counts = ["<td class=\"num hit\">", "<td class=\"num miss\">"]
        .map(|cell| between(confusion.expect("it is there"), cell, "</td>"))
        .concat();
    assert_eq!(counts.iter().filter_map(|n| n.parse::<usize>().ok()).sum::<usize>(), 569, "{counts:?}");
    let dependence = between(&page, "<title>mean probability of malignant by ", "<").len();
    assert!(dependence == 5, "five columns have their dependence drawn: {dependence}");
    // What typed it, and what it was typed on.
    assert!(page.contains("fit") && page.contains("--max-trials 14") && page.contains("byte for byte"), "how again");
    assert_eq!(page.matches("<details>").count(), page.matches("<summary>").count());
    assert!(page.contains("one standard deviation over repeated shuffles"), "the spread of importance");
}

#[test]
fn numbers_have_residuals_and_no_curves() {
    let place = Place::new();
    let page = report(&place, &[&sample("diabetes.csv"), "--target", "progression", "--max-trials", "8"]);
    assert_sound(&page);
    for title in ["True against predicted", "Residuals", "How residuals are spread", "Importance"] {
        assert!(page.contains(&format!("<h3>{title}</h3>")), "no figure {title}");
    }
    for title in ["ROC curve", "Calibration", "Confusion"] {
        assert!(!page.contains(&format!("<h3>{title}</h3>")), "{title} of numbers");
    }
}

#[test]
fn several_classes_have_a_curve_each() {
    let place = Place::new();
    let page = report(&place, &[&sample("wine.csv"), "--target", "class", "--max-trials", "8"]);
    assert_sound(&page);
    let roc = page.split("<h3>ROC curve</h3>").nth(1).and_then(|rest| rest.split("</figure>").next());
    let roc = roc.expect("a curve");
    assert!(roc.contains("Each class against all others."), "{roc}");
    assert_eq!(between(roc, "<polyline class=\"s", "\"").len(), 6, "three lines, three in the legend");
}

#[test]
fn names_and_values_are_only_text() {
    let evil = "<script>alert('x')</script>&\"";
    let quoted = format!("\"{}\"", evil.replace('"', "\"\""));
    let place = Place::new();
    let text = made(240).replacen("a,b,colour,y", &format!("{quoted},b & c,colour,y"), 1);
    let text = text.replace(",red,", &format!(",{quoted},")).replace(",yes", ",<b>yes</b>").replace(",no\n", ",n&o\n");
    let page = report(&place, &[&place.write("evil.csv", text), "--target", "y", "--max-trials", "6"]);
    assert_sound(&page);
    assert!(!page.contains("alert('x')</script>") && !page.contains("<b>yes"), "a name broke out");
    assert!(page.contains("&lt;script&gt;alert") && page.contains("&lt;b&gt;yes&lt;/b&gt;"), "the names are shown");
}

#[test]
fn what_was_stopped_and_what_failed_is_told_with_its_reason() {
    let place = Place::new();
    let train = place.write("many.csv", made(600));
    let page = report(&place, &[&train, "--target", "y", "--max-trials", "40"]);
    assert_sound(&page);
    let left = page.split("<section id=\"left\"").nth(1).and_then(|rest| rest.split("</section>").next());
    let left = left.expect("the section");
    assert!(left.contains("others at its rung promised more") && left.contains("0: "), "{left}");
    let all = left.split("<details>").nth(1).expect("every trial");
    assert_eq!(all.matches("<tr>").count(), 41, "a row a trial, and the head");
}
