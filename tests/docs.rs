//! Every snippet of the documentation is run: a fenced block tagged `sh` goes to the shell, line by line, in one folder a
//! page, with the samples at their place. A line that ends in `# exit N` must end so; all others must succeed.

use std::fs;
use std::path::Path;
use std::process::Command;

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
