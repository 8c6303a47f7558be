//! Every snippet of the documentation is run: a fenced block tagged `sh` goes to the shell, line by line, in one folder a
//! page, with the samples at their place. A line that ends in `# exit N` must end so; all others must succeed.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use hyperdrive::{Domain, Scale, Value};
use trainers::{Algorithm, Goal, Metric, Shape, Task, transform};

use crate::support::{Place, binary, root};

/// The commands of a page's `sh` blocks, with the exit status each must have.
fn commands(text: &str) -> Vec<(String, i32)> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match line.trim() {
            "```sh" => inside = true,
            "```" => inside = false,
            command if inside && !command.is_empty() && !command.starts_with('#') => {
                let (command, status) = command.split_once("# exit ").unwrap_or((command, "0"));
                found.push((command.trim().to_owned(), status.trim().parse().expect("a status")));
            }
            _ => {}
        }
    }
    found
}

fn link(from: &Path, to: &Path) {
    std::os::unix::fs::symlink(from, to).expect("a link in the temporary folder");
}

fn run_page(page: &Path) -> usize {
    let place = Place::new();
    link(&root().join("datasets"), &place.path("datasets"));
    fs::create_dir(place.path("bin")).expect("a folder");
    link(binary(), &place.path("bin/automl"));
    let path = format!("{}:/usr/bin:/bin", place.path("bin").display());
    let commands = commands(&fs::read_to_string(page).expect("a page"));
    for (command, status) in &commands {
        let output = Command::new("bash")
            .args(["-c", command])
            .current_dir(place.0.path())
            .env("PATH", &path)
            .env("NO_COLOR", "1")
            .output()
            .expect("bash");
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(*status), "{}: {command}\n{text}", page.display());
    }
    commands.len()
}

#[test]
fn every_snippet_runs() {
    let mut total = 0;
    for entry in fs::read_dir(root().join("docs")).expect("docs").flatten() {
        total += run_page(&entry.path());
    }
    assert!(total > 15, "only {total} commands were found");
}

#[test]
fn the_readme_names_what_is_there() {
    let text = fs::read_to_string(root().join("README.md")).expect("the README");
    assert!(
        text.contains("cargo run --release -- fit datasets/data/breast_cancer.csv --target diagnosis --time-limit 30s")
    );
    assert!(text.contains("cargo test --workspace"));
    for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(
            link.starts_with("http") || root().join(link).exists(),
            "the README links to {link}, which is not there"
        );
    }
}

fn shape(task: Task, n_rows: usize) -> Shape {
    Shape { task, n_rows, n_features: 20, n_classes: if task == Task::Binary { 2 } else { 0 } }
}

/// What can be drawn, in words.
fn range(domain: &Domain) -> String {
    let spread = |scale: Scale| if scale == Scale::Log { ", log" } else { "" };
    match domain {
        Domain::Float { low, high, scale, .. } => format!("{low:?} to {high:?}{}", spread(*scale)),
        Domain::Int { low, high, scale } => format!("{low} to {high}{}", spread(*scale)),
        Domain::Choice { options } => {
            options.iter().map(|option| format!("`{}`", option.label())).collect::<Vec<_>>().join(", ")
        }
        Domain::Normal { .. } | Domain::Ordinal { .. } | Domain::Fixed { .. } => {
            panic!("no trainer has a {domain:?}: say here how it is written")
        }
    }
}

fn words(value: Option<&Value>) -> String {
    match value.expect("every dimension has a default") {
        Value::Float(value) => format!("{value:?}"),
        Value::Int(value) => value.to_string(),
        Value::Text(text) => format!("`{text}`"),
        Value::Bool(yes) => format!("`{yes}`"),
    }
}

/// The table of the parameters of trees, or of all others, as the algorithms themselves say it.
fn parameters(of_trees: bool) -> String {
    let mut table = String::from("| algorithm | parameter | searched | default |\n|---|---|---|---|\n");
    let (classes, numbers) = (shape(Task::Binary, 1_000_000), shape(Task::Regression, 1_000_000));
    for algorithm in Algorithm::all() {
        let trainer = algorithm.trainer();
        if (trainer.describe().input == transform::TREE_INPUT) != of_trees {
            continue;
        }
        let mut name = format!("`{algorithm}`");
        for dimension in trainer.space(&numbers) {
            let known = |shape| trainer.space(shape).into_iter().find(|other| other.name == dimension.name);
            let of = |shape| words(trainer.default_params(shape).get(&dimension.name));
            let of_classes = known(&classes);
            let same = of_classes.as_ref().is_none_or(|other| *other == dimension);
            assert!(same, "{algorithm}: the table has one range for all tasks");
            let of_numbers = of(&numbers);
            let default = match of_classes {
                None => format!("{of_numbers}, for numbers only"),
                Some(_) if of(&classes) == of_numbers => of_numbers,
                Some(_) => format!("{} for classes, {of_numbers} for numbers", of(&classes)),
            };
            let _ = writeln!(table, "| {name} | `{}` | {} | {default} |", dimension.name, range(&dimension.domain));
            name.clear();
        }
    }
    table
}

#[test]
fn the_table_of_parameters_is_what_the_trees_say() {
    let page = fs::read_to_string(root().join("docs/trees.md")).expect("the page");
    let table = parameters(true);
    assert!(page.contains(&table), "docs/trees.md should have this table:\n\n{table}");
    // What the page says of the one range that depends on the rows.
    for (n_rows, most) in [(100, 31), (1_000, 125), (10_000, 512)] {
        for task in [Task::Binary, Task::Regression] {
            let space = Algorithm::LightGbm.trainer().space(&shape(task, n_rows));
            let leaves = space.iter().find(|dimension| dimension.name == "num_leaves").expect("it is searched");
            assert_eq!(range(&leaves.domain), format!("4 to {most}, log"));
        }
    }
}

#[test]
fn the_tables_of_algorithms_are_what_they_say() {
    let page = fs::read_to_string(root().join("docs/algorithms.md")).expect("the page");
    let table = parameters(false);
    assert!(page.contains(&table), "docs/algorithms.md should have this table:\n\n{table}");
    let names = page.split("## ").next().unwrap_or_default();
    for algorithm in Algorithm::all() {
        let begin = format!("| `{algorithm}` |");
        let row = names.lines().find(|line| line.starts_with(&begin)).unwrap_or_else(|| panic!("no row: {begin}"));
        let cells: Vec<&str> = row.split('|').collect();
        for name in cells[2].split(',').chain(cells[3].split(',')).map(|name| name.trim().trim_matches('`')) {
            assert!(name.is_empty() || Algorithm::parse(name) == Ok(*algorithm), "{row}: {name}");
        }
        let own = algorithm.trainer().describe();
        let tasks = match (own.tasks.contains(&Task::Binary), own.tasks.contains(&Task::Regression)) {
            (true, true) => "all",
            (true, false) => "classes",
            _ => "numbers",
        };
        assert_eq!(cells[4].trim(), tasks, "{row}");
        assert!(own.weighted, "{algorithm}: the page says that all weigh rows");
    }
}

#[test]
fn the_tables_of_metrics_are_what_the_metrics_say() {
    let page = fs::read_to_string(root().join("docs/metrics.md")).expect("the page");
    let tables = page.split("## Expressions").next().unwrap_or_default();
    let listed = tables.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(listed, Metric::all().len(), "docs/metrics.md has a row a metric");
    for metric in Metric::all() {
        let begin = format!("| `{metric}` | ");
        let row = tables.lines().find(|line| line.starts_with(&begin)).unwrap_or_else(|| panic!("no row for {metric}"));
        let goal = if metric.goal() == Goal::Higher { "| higher |" } else { "| lower |" };
        assert!(row.contains(goal), "{metric}: {row}");
        for name in metric.tasks().iter().filter_map(|task| metric.azure_name(*task)) {
            assert!(row.contains(&format!("`{name}`")), "{metric}: {row} should have {name}");
        }
    }
}

#[test]
fn the_snippet_about_trees_is_code_that_a_test_runs() {
    let page = fs::read_to_string(root().join("docs/trees.md")).expect("the page");
    let code = fs::read_to_string(root().join("tests/trees.rs")).expect("the test");
    let (_, snippet) = page.split_once("```rust\n").expect("a snippet");
    let (snippet, _) = snippet.split_once("```").expect("its end");
    for line in snippet.lines() {
        assert!(code.contains(line), "{line}");
    }
}
