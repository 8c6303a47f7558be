//! `automl sweep`: tuning of scripts and of other programs.

use std::io::BufRead;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyperdrive::{Counts, EarlyTerminationPolicy, Goal};
use platform::RunId;
use serde_json::json;

use super::args::{AskTellArgs, SweepCommand, SweepRunArgs};
use super::live::Drawer;
use super::screen::{Screen, good, label, loud, relative, soft};
use super::{Context, STOPPED, table};
use crate::clock::Clock;
use crate::error::AutoMlError;
use crate::fit::{Extra, to_json};
use crate::report::number;
use crate::search::Status;
use crate::spec::{Seconds, available_cores};
use crate::sweep::{self, AskTell, Sweep, SweepNarrator, SweepSession, SweepSummary};

/// Trials that are shown at the end.
const SHOWN: usize = 5;
/// Characters of a trial's parameters in a table.
const WIDTH: usize = 60;

pub(super) fn run(command: &SweepCommand, context: &mut Context) -> Result<u8, AutoMlError> {
    match command {
        SweepCommand::Run(args) => sweep_run(args, context),
        SweepCommand::AskTell(args) => Ok(ask_tell(args, context)),
    }
}

/// Lines of JSON in, lines of JSON out. A line that cannot be understood is answered and changes nothing; only a first
/// line that is no study ends the session, for there is nothing to go on with.
fn ask_tell(args: &AskTellArgs, context: &mut Context) -> u8 {
    let mut lines = std::io::stdin().lock().lines();
    let say = |answers: Vec<serde_json::Value>, context: &mut Context| {
        for answer in answers {
            context.screen.raw(&format!("{answer}\n"));
        }
    };
    let first = lines.by_ref().map_while(Result::ok).find(|line| !line.trim().is_empty());
    let opened = match &first {
        Some(line) => AskTell::open(line, &args.sampler, args.seed),
        None => Err("standard input ended before the first line, which describes the study".to_owned()),
    };
    let mut session = match opened {
        Ok(session) => session,
        Err(message) => {
            say(vec![json!({ "error": message, "exit_code": 2 })], context);
            return 2;
        }
    };
    let greeting = session.greet();
    say(greeting, context);
    for line in lines {
        match line {
            Ok(line) if line.trim().is_empty() => {}
            Ok(line) => say(session.hear(&line), context),
            Err(error) => say(vec![json!({ "error": format!("the line cannot be read: {error}") })], context),
        }
    }
    0
}

fn sweep_run(args: &SweepRunArgs, context: &mut Context) -> Result<u8, AutoMlError> {
    let cores = args.concurrent.unwrap_or_else(available_cores);
    if args.dry_run {
        let sweep = sweep::check(&args.file, cores)?;
        if context.screen.json() {
            context.screen.document(&json!({ "dry_run": true, "study": sweep.study, "notes": sweep.notes }));
            return Ok(0);
        }
        for line in plan(&sweep) {
            context.screen.line(&line);
        }
        context.screen.line("");
        context.screen.line("A dry run: nothing was started and nothing was written.");
        return Ok(0);
    }
    // A file that is refused leaves nothing behind, not even an empty workspace.
    sweep::check(&args.file, cores)?;
    let workspace = context.workspace()?;
    let mut teller = Teller::new(context);
    let result = sweep::start(
        &args.file,
        cores,
        &mut SweepSession {
            workspace: &workspace,
            clock: context.clock,
            stop: context.interrupt.stop.clone(),
            narrator: &mut teller,
            command_line: context.command_line.clone(),
        },
    );
    teller.drawer.stop();
    Ok(conclude(&result?, context))
}

/// `automl resume` of a sweep.
pub(super) fn resume(run: &RunId, extra: Extra, context: &mut Context) -> Result<u8, AutoMlError> {
    let workspace = context.existing_workspace()?;
    let mut teller = Teller::new(context);
    let result = sweep::resume(
        run,
        extra,
        &mut SweepSession {
            workspace: &workspace,
            clock: context.clock,
            stop: context.interrupt.stop.clone(),
            narrator: &mut teller,
            command_line: context.command_line.clone(),
        },
    );
    teller.drawer.stop();
    Ok(conclude(&result?, context))
}

fn conclude(summary: &SweepSummary, context: &mut Context) -> u8 {
    if context.screen.json() {
        context.screen.document(&to_json(summary));
    } else {
        print(summary, context.clock, &mut context.screen);
    }
    if summary.state == "stopped" { STOPPED } else { 0 }
}

/// Tells a sweep to a person.
struct Teller {
    screen: Screen,
    searching: Arc<AtomicBool>,
    drawer: Drawer,
}

impl Teller {
    fn new(context: &Context) -> Self {
        let (live, plain) = (context.screen.live(), context.screen.plain_progress());
        Self {
            screen: Screen::new(context.screen.json(), !live && !plain),
            searching: context.interrupt.searching.clone(),
            drawer: Drawer::new(live, plain),
        }
    }
}

impl SweepNarrator for Teller {
    fn begun(&mut self, sweep: &Sweep, run: &RunId, status: &Arc<Status>, clock: Clock, until: Option<f64>) {
        self.searching.store(true, Ordering::Relaxed);
        for line in plan(sweep) {
            self.screen.say(&line);
        }
        self.screen.say(&format!("{}{run}", label("Run")));
        self.screen.say("");
        self.drawer.start(status, clock, until);
    }

    fn ended(&mut self, _counts: Counts) {
        self.drawer.stop();
    }
}

/// What will be done, before it is.
fn plan(sweep: &Sweep) -> Vec<String> {
    let study = &sweep.study;
    let objective = &study.objectives[0];
    let goal = if objective.goal == Goal::Maximize { "maximize" } else { "minimize" };
    let limits = &study.limits;
    let (trials, at_once) = (limits.max_trials.unwrap_or(0), limits.max_concurrent);
    let mut lines = vec![format!(
        "{}{goal} {} · {} · {trials} trials, {at_once} at a time · seed {}",
        label("Sweep"),
        objective.metric,
        name_of(&to_json(&study.sampling_algorithm)),
        study.seed
    )];
    let names: Vec<String> = sweep.names.paths().map(|path| path.join(".")).collect();
    lines.push(format!("{}{}", label("Space"), names.join(", ")));
    let mut ends = Vec::new();
    if study.early_termination != EarlyTerminationPolicy::None {
        ends.push(format!("{} on reports of {}", name_of(&to_json(&study.early_termination)), objective.metric));
    }
    ends.extend(limits.trial_seconds.map(|seconds| format!("a trial after {}", Seconds(seconds))));
    ends.extend(sweep.timeout.map(|seconds| format!("the sweep after {}", Seconds(seconds))));
    if !ends.is_empty() {
        lines.push(format!("{}{}", label("Ends"), ends.join(" · ")));
    }
    let folder = relative(&sweep.folder.display().to_string());
    let folder = if folder.is_empty() { "this folder" } else { &folder };
    lines.push(format!("{}in {folder}", label("Runs")));
    lines.extend(sweep.notes.iter().map(|note| format!("{}{}", label(""), soft(&format!("~ {note}")))));
    lines
}

/// What a choice is called: the word alone, or the one key of an object.
fn name_of(choice: &serde_json::Value) -> String {
    match choice {
        serde_json::Value::String(name) => name.clone(),
        serde_json::Value::Object(fields) => fields.keys().next().cloned().unwrap_or_default(),
        other => other.to_string(),
    }
}

/// The trials, best first, with a header.
pub(super) fn board(summary: &SweepSummary, shown: usize) -> Vec<String> {
    let cells: Vec<Vec<String>> = summary
        .trials
        .iter()
        .take(shown)
        .map(|row| {
            vec![
                row.trial.to_string(),
                row.value.map_or_else(|| "–".into(), number),
                row.state.clone(),
                row.reports.to_string(),
                Seconds(row.seconds).to_string(),
                shortened(&row.params),
            ]
        })
        .collect();
    let mut lines =
        table::lines(&["trial", &summary.metric, "state", "reports", "took", "parameters"], &cells, &[0, 3, 4]);
    lines[0] = soft(&lines[0]);
    lines
}

fn shortened(params: &str) -> String {
    if params.chars().count() <= WIDTH {
        return params.to_owned();
    }
    params.chars().take(WIDTH - 1).chain(['…']).collect()
}

fn print(summary: &SweepSummary, clock: Clock, screen: &mut Screen) {
    for line in board(summary, SHOWN) {
        screen.line(&line);
    }
    let more = summary.trials.len().saturating_sub(SHOWN);
    if more > 0 {
        screen.line(&soft(&format!("…  {more} more: automl leaderboard {}", summary.run)));
    }
    screen.line("");
    if let Some(best) = &summary.best {
        let value = good(&number(best.value));
        screen.line(&format!("{}{} {value} · trial {}", label("Best"), summary.metric, best.trial));
        for (name, value) in &best.params {
            screen.line(&format!("{}{name} = {value}", label("")));
        }
        let mut command = best.command.lines();
        screen.line(&format!("{}{}", label("Command"), command.next().unwrap_or_default()));
        for line in command {
            screen.line(&format!("{}{line}", label("")));
        }
    }
    let counts = [(summary.finished, "done"), (summary.stopped, "stopped early"), (summary.failed, "failed")];
    let counts: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    screen.line(&format!("{}{} · {}", label("Trials"), counts.join(" · "), summary.ended));
    if let Some((reason, n)) = summary.failures.first() {
        let failed = match summary.failed {
            1 => "1 trial failed".to_owned(),
            all => format!("{all} trials failed, most often ({n})"),
        };
        screen.line(&format!("{}{}", label("Failed"), loud(&format!("{failed}: {reason}"))));
    }
    screen.line(&format!("{}{}", label("Logs"), relative(&summary.logs)));
    screen.line(&format!("{}{}", label("Time"), Seconds(clock.seconds())));
    screen.say("");
    if summary.state == "stopped" {
        screen.say("Stopped; everything finished is kept.");
        screen.say("");
    }
    let more = if summary.trials_exhausted { " --max-trials +20" } else { "" };
    screen.say(&format!("Next  automl resume {}{more}", summary.run));
}
