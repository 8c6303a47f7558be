//! `automl benchmark`: engines measured beside each other.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::args::BenchmarkArgs;
use super::screen::{Screen, good, label, loud, soft};
use super::standings::show;
use super::{Context, STOPPED};
use crate::benchmark::{
    BenchmarkNarrator, BenchmarkOutcome, BenchmarkSession, Learning, Plan, Record, Suite, in_words, learn_portfolio,
    run as run_suite, summarise,
};
use crate::error::AutoMlError;
use crate::report::number;
use crate::spec::{Bytes, Seconds};

/// How often the bar is drawn.
const FRAME: Duration = Duration::from_millis(200);

pub(super) fn run(args: &BenchmarkArgs, context: &mut Context) -> Result<u8, AutoMlError> {
    let mut suite = Suite::read(&args.suite)?;
    suite.keep_only("--only", &args.only).map_err(AutoMlError::Usage)?;
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("benchmark-{}", suite.name)));
    if args.dry_run {
        return Ok(dry_run(&suite, context));
    }
    if let Some(file) = &args.learn_portfolio {
        return learn(&suite, &out, file, args.draws, context);
    }
    if args.summary_only {
        let summary = summarise(&suite, &out)?;
        show(&summary, &out, &mut context.screen);
        return Ok(0);
    }
    for line in header(&suite) {
        context.screen.say(&line);
    }
    if args.jobs > 1 {
        let text = format!(
            "{} runs share the machine: times and scores are not comparable with those of runs alone",
            args.jobs
        );
        context.screen.note(&format!("~ {text}"));
    }
    let program = std::env::current_exe()
        .map_err(|error| AutoMlError::Usage(format!("the program cannot tell where it lies itself: {error}")))?;
    let mut teller = Teller::new(context);
    let outcome = run_suite(
        &suite,
        &mut BenchmarkSession {
            out: out.clone(),
            program,
            jobs: args.jobs,
            retry_failed: args.retry_failed,
            clock: context.clock,
            stop: context.interrupt.stop.clone(),
            narrator: &mut teller,
        },
    );
    teller.end();
    let BenchmarkOutcome { summary, is_stopped } = outcome?;
    show(&summary, &out, &mut context.screen);
    if is_stopped {
        context.screen.say("");
        context.screen.say("Stopped; every run that had ended is kept.");
        context.screen.say(&format!("Next  {}", again(context)));
        return Ok(STOPPED);
    }
    Ok(0)
}

/// `--learn-portfolio`.
fn learn(suite: &Suite, out: &Path, file: &Path, draws: usize, context: &mut Context) -> Result<u8, AutoMlError> {
    for line in header(suite).into_iter().take(2) {
        context.screen.say(&line);
    }
    context.interrupt.searching.store(true, Ordering::Relaxed);
    let learning = Learning { draws, stop: context.interrupt.stop.clone() };
    let screen = &mut context.screen;
    let Some(learned) = learn_portfolio(suite, out, &learning, &mut |line| screen.note(line))? else {
        context.screen.say("Stopped; every data set that was measured is kept.");
        context.screen.say(&format!("Next  {}", again(context)));
        return Ok(STOPPED);
    };
    let text =
        serde_json::to_string_pretty(&learned.portfolio).map_err(|error| AutoMlError::Usage(error.to_string()))?;
    platform::write_atomic(file, text.as_bytes())?;
    if context.screen.json() {
        context.screen.document(&json!({ "portfolio": learned.portfolio, "gains": learned.gains }));
        return Ok(0);
    }
    context.screen.line("");
    for (point, gain) in learned.portfolio.points.iter().zip(&learned.gains) {
        context.screen.line(&format!("{:6.2}%  {}", gain * 100.0, in_words(point)));
    }
    context.screen.line("");
    context.screen.line(&soft("gain: share of what there is to gain over the constant, as a mean over data sets"));
    context.screen.line(&format!("{}{}", label("Saved"), file.display()));
    Ok(0)
}

/// What was typed is what goes on.
fn again(context: &Context) -> String {
    let words = context
        .command_line
        .iter()
        .skip(1)
        .map(|word| if word.contains(' ') { format!("'{word}'") } else { word.clone() });
    std::iter::once("automl".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

fn header(suite: &Suite) -> Vec<String> {
    let listed = |names: Vec<String>| names.join(", ");
    let folds: usize = suite.datasets.iter().map(|dataset| dataset.folds().len()).sum();
    let mut datasets: Vec<String> = suite.datasets.iter().take(8).map(|dataset| dataset.name.clone()).collect();
    if suite.datasets.len() > datasets.len() {
        datasets.push(format!("… {} in all", suite.datasets.len()));
    }
    vec![
        format!(
            "{}{} · {} threads · seeds {}",
            label("Benchmark"),
            suite.name,
            suite.threads,
            listed(suite.seeds.iter().map(u64::to_string).collect())
        ),
        format!("{}{} ({folds} {} in all)", label("Data"), listed(datasets), if folds == 1 { "fold" } else { "folds" }),
        format!("{}{}", label("Engines"), listed(suite.engines.iter().map(|engine| engine.name.clone()).collect())),
        format!(
            "{}{}",
            label("Budgets"),
            listed(suite.budgets.iter().map(|budget| Seconds(*budget).to_string()).collect())
        ),
    ]
}

fn dry_run(suite: &Suite, context: &mut Context) -> u8 {
    let folds: usize = suite.datasets.iter().map(|dataset| dataset.folds().len()).sum();
    let each = folds * suite.seeds.len() * suite.engines.len();
    let runs = each * suite.budgets.len();
    let seconds = suite.budgets.iter().sum::<f64>() * each as f64;
    if context.screen.json() {
        let names: Vec<&str> = suite.datasets.iter().map(|dataset| dataset.name.as_str()).collect();
        context.screen.document(
            &json!({ "dry_run": true, "runs": runs, "seconds": seconds, "datasets": names, "notes": suite.notes }),
        );
        return 0;
    }
    for line in header(suite).into_iter().chain(suite.notes.iter().map(|note| format!("{}~ {note}", label("")))) {
        context.screen.line(&line);
    }
    context.screen.line("");
    let text = format!(
        "A dry run: nothing was started. {runs} runs, {} where every engine takes its budget.",
        Seconds(seconds)
    );
    context.screen.line(&text);
    0
}

/// Tells a benchmark to a person: a line a run, and a bar on a terminal.
struct Teller {
    screen: Screen,
    is_live: bool,
    searching: Arc<AtomicBool>,
    bar: Option<ProgressBar>,
}

impl Teller {
    fn new(context: &Context) -> Self {
        let is_live = context.screen.live();
        let screen = Screen::new(context.screen.json(), !is_live && !context.screen.plain_progress());
        Self { screen, is_live, searching: context.interrupt.searching.clone(), bar: None }
    }

    fn tell(&mut self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => self.screen.note(text),
        }
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl BenchmarkNarrator for Teller {
    fn planned(&mut self, plan: &Plan) {
        self.searching.store(true, Ordering::Relaxed);
        let missing = plan.total - plan.done;
        let kept = if plan.done > 0 { format!(" · {} are there already", plan.done) } else { String::new() };
        let text = format!(
            "{}{missing} of {} to do{kept} · {} at most by their budgets",
            label("Runs"),
            plan.total,
            Seconds(plan.seconds)
        );
        self.tell(&text);
        if self.is_live && missing > 0 {
            let bar = ProgressBar::with_draw_target(Some(plan.total as u64), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} · {msg}") {
                bar.set_style(style);
            }
            bar.set_position(plan.done as u64);
            bar.enable_steady_tick(FRAME);
            self.bar = Some(bar);
        }
    }

    fn begun(&mut self, dataset: &str, engine: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{dataset} {engine}"));
        }
    }

    fn ended(&mut self, n: usize, plan: &Plan, record: &Record, left: f64) {
        let width = plan.total.to_string().len();
        let result = match (record.score, &record.error) {
            (Some(score), _) => format!("{} {}", record.metric, good(&number(score))),
            (None, error) => loud(&format!("failed: {}", error.as_deref().unwrap_or_default())),
        };
        let seconds = Seconds(record.fit_seconds + record.predict_seconds.unwrap_or(0.0));
        let which = format!("fold {} seed {} {}", record.fold, record.seed, Seconds(record.budget));
        let eta = if n < plan.total { format!(" · {} left", Seconds(left)) } else { String::new() };
        self.tell(&format!(
            "{n:>width$}/{}  {}  {}  {result}  {seconds}  {}",
            plan.total,
            record.dataset,
            record.engine,
            soft(&format!("{which} · {}{eta}", Bytes(record.peak_memory_bytes)))
        ));
        if let Some(bar) = &self.bar {
            bar.set_position(n as u64);
        }
    }

    fn note(&mut self, text: &str) {
        self.tell(&soft(&format!("~ {text}")));
    }
}
