//! `automl doctor`: what this machine has, what will be used, and whether the workspace is sound.

use console::Term;
use serde_json::json;

use super::Context;
use super::screen::{good, label, loud, relative};
use crate::error::AutoMlError;
use crate::spec::{Bytes, available_cores};

pub(super) fn run(context: &mut Context) -> u8 {
    let host = platform::host_facts();
    let workspace = context.existing_workspace();
    let algorithms: Vec<&str> = trainers::Algorithm::all().iter().map(|algorithm| algorithm.name()).collect();
    let git = std::env::current_dir().ok().and_then(|dir| platform::git_facts(&dir));
    let broken = match &workspace {
        Err(AutoMlError::Platform(platform::PlatformError::NoWorkspace { .. })) | Ok(_) => None,
        Err(error) => Some(super::with_sources(error)),
    };
    if context.screen.json() {
        context.screen.document(&json!({
            "version": env!("CARGO_PKG_VERSION"), "host": host, "cores_used": available_cores(),
            "workspace": workspace.as_ref().ok().map(|w| w.root().display().to_string()), "workspace_error": broken,
            "algorithms": algorithms, "git": git.is_some(), "terminal": Term::stderr().is_term(),
        }));
        return u8::from(broken.is_some());
    }
    let screen = &mut context.screen;
    screen.line(&format!("{}automl {}", label("Program"), env!("CARGO_PKG_VERSION")));
    screen.line(&format!(
        "{}{} {} · {} · {} cores, {} used by default",
        label("Machine"),
        host.os,
        host.arch,
        host.cpu_model,
        host.n_cores,
        available_cores()
    ));
    screen.line(&format!("{}{} free of {}", label("Memory"), Bytes(host.free_memory_bytes), Bytes(host.memory_bytes)));
    let place = match (&workspace, &broken) {
        (Ok(workspace), _) => {
            format!("{} {}", relative(&workspace.root().display().to_string()), good("sound"))
        }
        (Err(_), Some(reason)) => loud(reason),
        (Err(_), None) => "none yet; the first fit makes .automl here".into(),
    };
    screen.line(&format!("{}{place}", label("Workspace")));
    screen.line(&format!("{}{}", label("Learns"), algorithms.join(", ")));
    let git = git.map_or_else(
        || "not a repository; runs record no commit".to_owned(),
        |git| format!("{}{}", git.commit, if git.dirty { ", changed" } else { "" }),
    );
    screen.line(&format!("{}{git}", label("Git")));
    let terminal = if Term::stderr().is_term() {
        "a terminal: progress is drawn"
    } else {
        "no terminal: progress is told in plain lines"
    };
    screen.line(&format!("{}{terminal}", label("Screen")));
    u8::from(broken.is_some())
}
