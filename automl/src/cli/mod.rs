//! The command line: one file per command, each a thin layer over a library call. This module parses, dispatches, and
//! turns an error into words and an exit status.

mod args;
mod benchmark;
mod compare;
mod completions;
mod doctor;
mod evaluate;
mod explain;
mod export;
mod fit;
mod leaderboard;
mod live;
mod model;
mod predict;
mod refit;
mod replay;
mod resume;
mod run;
mod screen;
mod standings;
mod summary;
mod sweep;
mod table;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Parser;
use platform::Workspace;
use serde_json::json;

pub use args::command;
use args::{Arguments, Command};
use screen::Screen;

use crate::clock::Clock;
use crate::error::AutoMlError;
use crate::spec::available_cores;

/// Exit status of a search that was stopped by the user and kept.
const STOPPED: u8 = 130;

/// What Ctrl-C does: at once while nothing would be lost, else the search is asked to end and keep everything.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    /// Set while there is something to keep: a search.
    pub searching: Arc<AtomicBool>,
    /// Set by the signal.
    pub stop: Arc<AtomicBool>,
}

/// What every command is given.
struct Context {
    screen: Screen,
    workspace: Option<std::path::PathBuf>,
    clock: Clock,
    interrupt: Interrupt,
    command_line: Vec<String>,
}

impl Context {
    /// The workspace to write to, made when there is none.
    fn workspace(&self) -> Result<Workspace, AutoMlError> {
        let here = std::env::current_dir().unwrap_or_else(|_| ".".into());
        Ok(Workspace::find_or_create(self.workspace.as_deref(), &here)?)
    }

    /// The workspace to read from; there must be one.
    fn existing_workspace(&self) -> Result<Workspace, AutoMlError> {
        let here = std::env::current_dir().unwrap_or_else(|_| ".".into());
        Ok(Workspace::find(self.workspace.as_deref(), &here)?)
    }
}

/// Runs the program on its arguments (the first is its name) and returns its exit status.
pub fn run(arguments: Vec<String>, clock: Clock, interrupt: Interrupt) -> u8 {
    let parsed = match Arguments::try_parse_from(&arguments) {
        Ok(parsed) => parsed,
        Err(error) if error.use_stderr() && arguments.iter().any(|argument| argument == "--json") => {
            let text = error.render().to_string();
            let message = text.trim().trim_start_matches("error: ");
            let code = error.exit_code();
            let document = json!({ "error": { "message": message, "hint": null, "exit_code": code } });
            Screen::new(true, true).document(&document);
            return code as u8;
        }
        Err(error) => {
            // Help and version are answers (status 0), the rest are usage errors (status 2); clap knows which.
            let _ = error.print();
            return error.exit_code() as u8;
        }
    };
    let mut context = Context {
        screen: Screen::new(parsed.json, parsed.quiet),
        workspace: parsed.workspace,
        clock,
        interrupt,
        command_line: arguments,
    };
    let result = match parsed.command {
        Command::Fit(args) => fit::run(*args, &mut context),
        Command::Predict(args) => predict::run(&args, &mut context),
        Command::Evaluate(args) => evaluate::run(&args, &mut context),
        Command::Explain(args) => explain::run(&args, &mut context),
        Command::Refit(args) => refit::run(&args, &mut context),
        Command::Resume(args) => resume::run(&args, &mut context),
        Command::Leaderboard(args) => leaderboard::run(&args, &mut context),
        Command::Replay(args) => replay::run(&args, &mut context),
        Command::Sweep(command) => sweep::run(&command, &mut context),
        Command::Benchmark(args) => benchmark::run(&args, &mut context),
        Command::Run(command) => run::run(&command, &mut context),
        Command::Model(command) => model::run(&command, &mut context),
        Command::Doctor => Ok(doctor::run(&mut context)),
        Command::Completions(args) => Ok(completions::run(&args, &mut context)),
    };
    result.unwrap_or_else(|error| fail(&error, &mut context.screen))
}

/// Says what went wrong and what to do, on standard error, or as the one JSON document.
fn fail(error: &AutoMlError, screen: &mut Screen) -> u8 {
    let code = error.exit_code();
    let message = with_sources(error);
    if screen.json() {
        screen.document(&json!({ "error": { "message": message, "hint": error.hint(), "exit_code": code } }));
    } else {
        Screen::error(&message, error.hint().as_deref());
    }
    code
}

/// The message with its causes, each said once.
fn with_sources(error: &AutoMlError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        source = cause.source();
    }
    text
}

/// The value of `--cores`, needed before anything is parsed in earnest; all cores when absent or unreadable.
pub fn cores_asked(arguments: &[String]) -> usize {
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let value =
            if argument == "--cores" { rest.next().map(String::as_str) } else { argument.strip_prefix("--cores=") };
        if let Some(cores) = value.and_then(|value| value.parse::<usize>().ok()).filter(|cores| *cores > 0) {
            return cores;
        }
    }
    available_cores()
}

/// A model by registered name (`churn@1`, `churn@latest`, `churn`) or by file.
fn load_model(reference: &str, context: &Context) -> Result<(trainers::Fitted, String), AutoMlError> {
    let path = Path::new(reference);
    if path.is_file() {
        let bytes = std::fs::read(path)
            .map_err(|error| AutoMlError::Usage(format!("{reference}: the model file cannot be read: {error}")))?;
        return Ok((trainers::from_bytes(&bytes)?, reference.to_owned()));
    }
    let workspace = context.existing_workspace()?;
    let version = workspace.resolve_model(reference)?;
    let bytes = workspace.model_bytes(&version)?;
    Ok((trainers::from_bytes(&bytes)?, version.id().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_found_before_parsing() {
        let arguments = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(cores_asked(&arguments("automl fit x.csv --cores 3")), 3);
        assert_eq!(cores_asked(&arguments("automl fit --cores=1 x.csv")), 1);
        assert_eq!(cores_asked(&arguments("automl fit --cores none")), available_cores());
    }
}
