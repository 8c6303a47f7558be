//! `automl refit`: a model's recipe on new rows, as its next version.

use platform::RunId;

use super::args::RefitArgs;
use super::screen::{good, label, soft};
use super::{Context, fit, table};
use crate::error::AutoMlError;
use crate::fit::{AutoMl, MODEL, Session, Silent, to_json};
use crate::guardrail::CheckState;
use crate::life::{Refit, Refitted};
use crate::prepare::thousands;
use crate::report::number;
use crate::spec::{Bytes, Seconds, available_cores};

pub(super) fn run(args: &RefitArgs, context: &mut Context) -> Result<u8, AutoMlError> {
    fit::writable(args.model_out.as_deref())?;
    if std::path::Path::new(&args.model).is_file() {
        return Err(AutoMlError::Usage(format!(
            "--model {}: a model file alone does not know how it was made; name a registered model (churn@1), whose run \
             in the workspace does",
            args.model
        )));
    }
    let workspace = context.existing_workspace()?;
    let request = Refit {
        model: args.model.clone(),
        data: args.input.clone(),
        folder: std::env::current_dir().ok().map(|here| here.display().to_string()),
        name: args.name.clone(),
        scored: !args.no_score,
        cores: args.cores.unwrap_or_else(available_cores),
    };
    let refitted = AutoMl::refit(
        &request,
        &mut Session {
            workspace: &workspace,
            clock: context.clock,
            stop: context.interrupt.stop.clone(),
            narrator: &mut Silent,
            command_line: context.command_line.clone(),
        },
    )?;
    let written = args.model_out.as_deref().map_or(Ok(()), |path| {
        platform::write_atomic(path, &workspace.get_artifact(&RunId::parse(&refitted.run)?, MODEL)?)
    });
    if context.screen.json() {
        context.screen.document(&to_json(&refitted));
    } else {
        print(&refitted, context);
    }
    written?;
    Ok(0)
}

fn print(refitted: &Refitted, context: &mut Context) {
    let screen = &mut context.screen;
    let ledger = &refitted.ledger;
    screen.line(&format!(
        "{}{} of {} rows, read by the rules of {}",
        label("Data"),
        thousands(ledger.rows_used),
        thousands(ledger.rows_in),
        refitted.from
    ));
    for (reason, n) in &ledger.rows_dropped {
        screen.line(&format!("{}- {} rows  {reason}", label(""), thousands(*n)));
    }
    for note in &ledger.notes {
        screen.line(&format!("{}~ {note}", label("")));
    }
    for check in refitted.checks.iter().filter(|check| check.state != CheckState::Ok) {
        screen.line(&format!("{}!  {}", label("Checks"), check.text));
    }
    let recipe = &refitted.recipe;
    let first = recipe.members.iter().map(|member| {
        let rounds = if member.rounds > 0 { format!("{} rounds", member.rounds) } else { String::new() };
        let params = member.params.under(&member.algorithm).to_string();
        vec![format!("{} #{}", member.algorithm, member.trial), number(member.weight), rounds, params]
    });
    let second = recipe.second.iter().map(|voice| {
        vec![format!("stacked {}", voice.algorithm), number(voice.weight), String::new(), "fitted anew".into()]
    });
    let rows: Vec<Vec<String>> = first.chain(second).collect();
    for (i, line) in table::lines(&["model", "weight", "rounds", "parameters"], &rows, &[1]).iter().enumerate() {
        let line = if i == 0 { soft(line) } else { line.clone() };
        screen.line(&format!("{}{line}", label(if i == 0 { "Recipe" } else { "" })));
    }
    match &refitted.score {
        Some(score) => {
            let interval =
                score.interval.map_or_else(String::new, |(low, high)| format!(" [{}, {}]", number(low), number(high)));
            let before = refitted.from_scores.get(&score.metric);
            let before = before.map_or_else(String::new, |value| {
                format!(" · {} had {} on its own data", refitted.from, number(*value))
            });
            screen.line(&format!(
                "{}{} {}{interval}{before}",
                label("Score"),
                score.metric,
                good(&number(score.value))
            ));
            screen.line(&format!("{}{}", label(""), soft(&score.source)));
        }
        None => screen.line(&format!(
            "{}not scored: the scores of {} are from the earlier data",
            label("Score"),
            refitted.from
        )),
    }
    screen.line(&format!("{}{}", label("Final"), refitted.trained_on));
    screen.line(&format!(
        "{}{} ({}) · run {}",
        label("Saved"),
        good(&refitted.model),
        Bytes(refitted.bytes),
        refitted.run
    ));
    screen.line(&format!("{}{}", label("Time"), Seconds(refitted.used_seconds)));
    screen.say("");
    screen.say(&format!("Next  automl predict --model {} new.csv --out pred.csv", refitted.model));
}
