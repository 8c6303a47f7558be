//! `automl replay`: a run done again from its journal.

use super::Context;
use super::args::ReplayArgs;
use super::screen::{good, label, loud};
use crate::error::AutoMlError;
use crate::fit::to_json;
use crate::life::{Again, replay_run};
use crate::prepare::thousands;
use crate::spec::available_cores;

/// Exit status where something came out otherwise.
const DIFFERS: u8 = 1;

pub(super) fn run(args: &ReplayArgs, context: &mut Context) -> Result<u8, AutoMlError> {
    let workspace = context.existing_workspace()?;
    let run = workspace.find_run(&args.run)?;
    let cores = args.cores.unwrap_or_else(available_cores);
    let replayed = replay_run(&workspace, &run, args.journal_only, cores, context.clock)?;
    let code = if replayed.same { 0 } else { DIFFERS };
    if context.screen.json() {
        context.screen.document(&to_json(&replayed));
        return Ok(code);
    }
    let screen = &mut context.screen;
    screen.line(&format!("{}{run}", label("Run")));
    let n = thousands(replayed.suggestions as usize + replayed.waits as usize);
    let retried = match replayed.retries {
        0 => String::new(),
        n => format!(" ({n} segments begun again after a stop or a crash)"),
    };
    let verdict = match replayed.n_differences {
        0 => good("each comes out again"),
        n => loud(&format!("{n} come out otherwise")),
    };
    screen.line(&format!("{}{n} of the sampler, derived from the journal: {verdict}{retried}", label("Decisions")));
    for difference in &replayed.differences {
        screen.line(&format!("{}- {difference}", label("")));
    }
    match (&replayed.again, &replayed.not_again) {
        (Some(again), _) => {
            for line in lines(again) {
                screen.line(&line);
            }
        }
        (None, Some(reason)) => screen.line(&format!("{}not run: {reason}", label("Again"))),
        (None, None) => {}
    }
    Ok(code)
}

fn lines(again: &Again) -> Vec<String> {
    let say = |same: bool| if same { good("the same") } else { loud("different") };
    let mut lines = vec![
        format!(
            "{}{} trials fitted again: parameters {}, scores {}",
            label("Again"),
            thousands(again.trials),
            say(again.same_params),
            say(again.same_scores)
        ),
        format!("{}{}, byte by byte: sha256 {}", label("Model"), say(again.same_model), again.again_sha256),
    ];
    lines.extend(again.differences.iter().map(|difference| format!("{}- {difference}", label(""))));
    lines
}
