//! The shape of the tree: which crate may know which, what is forbidden where, and that nothing lies about unlisted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::root;

/// Crates with the crates they may depend on: the whole edge table.
const EDGES: &[(&str, &[&str])] = &[
    ("datasets", &[]),
    ("hyperdrive", &[]),
    ("trainers", &["datasets", "hyperdrive"]),
    ("platform", &["datasets", "hyperdrive"]),
    ("automl", &["datasets", "hyperdrive", "platform", "trainers"]),
];

/// Words that have no business in a crate's sources, and why.
const FORBIDDEN: &[(&str, &[&str], &str)] = &[
    ("hyperdrive", &["std::fs", "std::env", "Instant::", "SystemTime", "std::thread", "async fn"], "it is pure"),
    ("datasets", &["std::env", "Instant::", "SystemTime", "std::thread"], "it reads files and nothing else"),
    ("trainers", &["std::fs", "std::env", "Instant::", "SystemTime", "std::net"], "models travel as bytes"),
    (
        "platform",
        &["Instant::", "SystemTime", "async fn", "linfa", "smartcore"],
        "time is an argument, algorithms are elsewhere",
    ),
    ("automl", &["rusqlite", "polars", "linfa", "smartcore", "ndarray"], "it composes"),
];

/// Lines a file may have; longer only when it is listed, with a reason.
const MOST_LINES: usize = 600;
const LONG: &[(&str, &str)] = &[];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the repository").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    sources(&root().join(folder), &mut found);
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text without its tests, comments and strings of documentation.
fn code(path: &Path) -> String {
    let text = read(path);
    let body = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    body.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn is_test_file(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests")
        || path.file_stem().is_some_and(|stem| stem == "tests" || stem == "testing")
}

#[test]
fn crates_depend_on_each_other_as_the_table_says() {
    let own: BTreeSet<&str> = EDGES.iter().map(|(name, _)| *name).collect();
    for (name, allowed) in EDGES {
        let manifest = read(&root().join(name).join("Cargo.toml"));
        let mut section = "";
        let mut found = BTreeSet::new();
        for line in manifest.lines() {
            if line.starts_with('[') {
                section = line;
            }
            let dependency = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if section == "[dependencies]" && own.contains(dependency) {
                found.insert(dependency);
            }
        }
        assert_eq!(found, allowed.iter().copied().collect(), "dependencies of {name}");
    }
}

#[test]
fn what_is_forbidden_in_a_crate_is_not_there() {
    for (name, words, reason) in FORBIDDEN {
        for path in rust_files(&format!("{name}/src")).iter().filter(|path| !is_test_file(path)) {
            // `main` sizes the reader's pool and says why by name.
            if path.ends_with("automl/src/main.rs") {
                continue;
            }
            let text = code(path);
            for word in *words {
                assert!(!text.contains(word), "{}: `{word}` is forbidden, for {reason}", path.display());
            }
        }
    }
}

#[test]
fn polars_stays_in_its_reader() {
    for (name, _) in EDGES {
        for path in rust_files(&format!("{name}/src")) {
            let inside = path.components().any(|part| part.as_os_str() == "read");
            assert!(inside || !code(&path).contains("polars::"), "{} knows polars", path.display());
        }
    }
}

#[test]
fn files_are_rooms_not_halls() {
    let long: BTreeMap<&str, &str> = LONG.iter().copied().collect();
    for folder in ["automl/src", "datasets/src", "hyperdrive/src", "platform/src", "trainers/src", "tests", "benches"] {
        for path in rust_files(folder) {
            let lines = read(&path).lines().count();
            let name = path.strip_prefix(root()).expect("a path in the repository").display().to_string();
            assert!(lines <= MOST_LINES || long.contains_key(name.as_str()), "{name} has {lines} lines");
        }
    }
}

#[test]
fn every_source_file_is_a_module_of_its_parent() {
    for (name, _) in EDGES {
        for path in rust_files(&format!("{name}/src")) {
            let stem = path.file_stem().expect("a file").to_string_lossy().into_owned();
            if ["lib", "main"].contains(&stem.as_str()) {
                continue;
            }
            let folder = path.parent().expect("a folder");
            // `x/mod.rs` and `x/y.rs` are declared by the file that owns the folder.
            let (folder, stem) = if stem == "mod" {
                (folder.parent().expect("a folder"), folder.file_name().expect("a name").to_string_lossy().into_owned())
            } else {
                (folder, stem)
            };
            let own = |file: &str| folder.join(file);
            let beside = folder.with_extension("rs");
            let declared = [own("mod.rs"), own("lib.rs"), own("main.rs"), beside]
                .iter()
                .filter(|file| file.exists())
                .any(|file| read(file).lines().any(|line| line.trim_end().ends_with(&format!("mod {stem};"))));
            assert!(declared, "{} is no module of anything", path.display());
        }
    }
}

#[test]
fn every_trainer_is_registered() {
    let (mut trainers, mut presets) = (BTreeSet::new(), BTreeSet::new());
    for path in rust_files("trainers/src").iter().filter(|path| !is_test_file(path)) {
        for line in code(path).lines().map(str::trim) {
            if let Some(own) = line.strip_prefix("impl Trainer for ") {
                trainers.insert(own.trim_end_matches(['{', ' ']).to_owned());
            }
            // A type with several values is not a trainer itself; each of its values is.
            if let Some(name) =
                line.strip_prefix("pub static ").and_then(|rest| rest.strip_suffix(": Preset = Preset {"))
            {
                presets.insert(name.to_owned());
            }
        }
    }
    assert!(trainers.remove("Preset") && !presets.is_empty(), "the presets of the tree kernel are not where they were");
    trainers.extend(presets);
    let registry = read(&root().join("trainers/src/algorithm.rs"));
    for trainer in &trainers {
        assert!(registry.contains(trainer.as_str()), "{trainer} is not registered in the algorithm table");
    }
    assert_eq!(trainers.len(), trainers::Algorithm::all().len());
}

#[test]
fn every_test_file_is_listed() {
    let listed = read(&root().join("tests/main.rs"));
    for path in rust_files("tests") {
        let stem = path.file_stem().expect("a file").to_string_lossy().into_owned();
        assert!(stem == "main" || listed.contains(&format!("mod {stem};")), "tests/{stem}.rs is not in tests/main.rs");
    }
}

#[test]
fn no_test_is_switched_off_and_nothing_is_left_for_later() {
    for folder in ["automl/src", "datasets/src", "hyperdrive/src", "platform/src", "trainers/src", "tests", "benches"] {
        for path in rust_files(folder) {
            let text = read(&path);
            // Put together here, so that this file does not name them itself.
            for word in
                [concat!("#[ig", "nore"), concat!("to", "do!("), concat!("unimple", "mented!("), concat!("FIX", "ME")]
            {
                assert!(!text.contains(word), "{}: {word}", path.display());
            }
        }
    }
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let contents = read(&root().join("docs/README.md"));
    for entry in fs::read_dir(root().join("docs")).expect("docs").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(name == "README.md" || contents.contains(&format!("({name})")), "docs/{name} is not listed");
    }
}
