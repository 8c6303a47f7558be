//! The story of a fit while it goes on: the plan, then a live picture on a terminal or plain lines elsewhere.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use hyperdrive::Counts;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use platform::RunId;

use super::Interrupt;
use super::screen::{Screen, good, label, loud, soft};
use crate::candidate;
use crate::clock::Clock;
use crate::fit::{Narrator, from_summary};
use crate::guardrail::CheckState;
use crate::prepare::{Prepared, thousands};
use crate::report::number;
use crate::search::{Picture, Status};
use crate::spec::{AutoMlSpec, Bytes, Seconds};

/// How often the picture is drawn.
const FRAME: Duration = Duration::from_millis(150);
/// How often plain lines tell the best score, at most, in seconds.
const PLAIN_EVERY: f64 = 2.0;
/// Running trials shown at once.
const SHOWN: usize = 6;
/// Bars and counts are of thousandths, so that short budgets move smoothly.
const STEPS: f64 = 1000.0;

/// Shows how a search goes on, on a thread of its own.
pub(super) struct Drawer {
    live: bool,
    plain: bool,
    thread: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

impl Drawer {
    /// With a live picture, in plain lines, or not at all.
    pub(super) fn new(live: bool, plain: bool) -> Self {
        Self { live, plain, thread: None }
    }

    /// Begins; `until` is the end on `clock`.
    pub(super) fn start(&mut self, status: &Arc<Status>, clock: Clock, until: Option<f64>) {
        if !self.live && !self.plain {
            return;
        }
        let done = Arc::new(AtomicBool::new(false));
        let (status, stop, live) = (status.clone(), done.clone(), self.live);
        let draw = move || if live { draw(&status, clock, until, &stop) } else { tell(&status, clock, &stop) };
        if let Ok(thread) = std::thread::Builder::new().name("drawer".into()).spawn(draw) {
            self.thread = Some((done, thread));
        }
    }

    /// Clears the picture.
    pub(super) fn stop(&mut self) {
        if let Some((done, thread)) = self.thread.take() {
            done.store(true, Ordering::Relaxed);
            // The drawer only draws; if it died, there is nothing to clear.
            let _ = thread.join();
        }
    }
}

/// Tells a fit to a person.
pub(super) struct Storyteller {
    screen: Screen,
    clock: Clock,
    run: Option<RunId>,
    searching: Arc<AtomicBool>,
    drawer: Drawer,
}

impl Storyteller {
    pub(super) fn new(screen: &Screen, clock: Clock, interrupt: &Interrupt) -> Self {
        let (live, plain) = (screen.live(), screen.plain_progress());
        Self {
            screen: Screen::new(screen.json(), !live && !plain),
            clock,
            run: None,
            drawer: Drawer::new(live, plain),
            searching: interrupt.searching.clone(),
        }
    }

    /// Clears the picture; returns the run, when one was begun.
    pub(super) fn finish(mut self) -> Option<RunId> {
        self.drawer.stop();
        self.run.take()
    }
}

impl Narrator for Storyteller {
    fn prepared(&mut self, spec: &AutoMlSpec, prepared: &Prepared) {
        for line in header(spec).into_iter().chain(plan_lines(spec, prepared)) {
            self.screen.say(&line);
        }
        self.screen.say("");
    }

    fn searching(&mut self, run: &RunId, status: &Arc<Status>, clock: Clock, until: Option<f64>) {
        self.run = Some(run.clone());
        self.searching.store(true, Ordering::Relaxed);
        self.drawer.start(status, clock, until);
    }

    fn searched(&mut self, counts: Counts) {
        self.drawer.stop();
        let text = format!("{} after {}", counted(&counts), Seconds(self.clock.seconds()));
        self.screen.note(&soft(&format!("Searched {text}; choosing and fitting the final model\n")));
    }
}

/// `80 done · 131 left early · 1 failed`.
fn counted(counts: &Counts) -> String {
    let mut text = format!("{} done", counts.finished);
    for (n, what) in [(counts.paused, "left early"), (counts.stopped, "stopped"), (counts.failed, "failed")] {
        if n > 0 {
            let _ = write!(text, " · {n} {what}");
        }
    }
    text
}

/// The picture, until told to stop.
fn draw(status: &Status, clock: Clock, until: Option<f64>, stop: &AtomicBool) {
    let bar = ProgressBar::with_draw_target(until.map(|_| STEPS as u64), ProgressDrawTarget::stderr());
    let template = match until {
        Some(_) => " {prefix} {bar:32.cyan/dim} {msg}",
        None => " {prefix} {spinner} {msg}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸─"));
    }
    let began = clock.seconds();
    while !stop.load(Ordering::Relaxed) {
        let now = clock.seconds();
        if let Some(until) = until {
            let share = ((now - began) / (until - began).max(0.001)).clamp(0.0, 1.0);
            bar.set_position((share * STEPS) as u64);
        }
        bar.set_prefix(minutes(now));
        bar.set_message(picture(&status.picture(), now, until));
        bar.tick();
        std::thread::sleep(FRAME);
    }
    bar.finish_and_clear();
}

/// What stands right of and below the bar.
fn picture(picture: &Picture, now: f64, until: Option<f64>) -> String {
    let mut text = until.map(minutes).unwrap_or_default();
    let _ = write!(text, "   {}", counted(&picture.counts));
    if let Some(best) = picture.improvements.last() {
        let _ = write!(text, "\n best {} {} #{}", good(&number(best.value)), best.algorithm, best.trial);
        let before = picture.improvements.iter().rev().find(|earlier| earlier.at_seconds < now - 60.0);
        if let Some(before) = before {
            let gain = best.value - before.value;
            let _ = write!(text, "{}", soft(&format!(" · {gain:+.4} in the last minute")));
        }
    }
    for (trial, running) in picture.running.iter().take(SHOWN) {
        let value = running.value.map(number).unwrap_or_default();
        let _ = write!(text, "\n #{trial:<5} {:<22} {:<14} {value}", running.algorithm, running.progress);
    }
    let _ = write!(text, "\n {}", soft("Ctrl-C keeps everything"));
    text
}

/// Improvements as plain lines, until told to stop.
fn tell(status: &Status, clock: Clock, stop: &AtomicBool) {
    let (mut told, mut last) = (0, f64::NEG_INFINITY);
    loop {
        let over = stop.load(Ordering::Relaxed);
        let picture = status.picture();
        let now = clock.seconds();
        if picture.improvements.len() > told && (over || now - last >= PLAIN_EVERY) {
            told = picture.improvements.len();
            last = now;
            if let Some(best) = picture.improvements.last() {
                let line = format!(
                    "{now:7.1} s  best {} {} #{} · {}\n",
                    number(best.value),
                    best.algorithm,
                    best.trial,
                    counted(&picture.counts)
                );
                let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
            }
        }
        if over {
            break;
        }
        std::thread::sleep(FRAME);
    }
}

/// `2:41`.
fn minutes(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    format!("{}:{:02}", whole / 60, whole % 60)
}

/// The first line: version, machine and budget.
pub(super) fn header(spec: &AutoMlSpec) -> Vec<String> {
    let host = platform::host_facts();
    let budget = match (spec.budget.effective_time(), spec.budget.max_trials) {
        (None, Some(n)) => format!("{n} trials, ordered: the result depends on neither time nor cores"),
        (Some(time), Some(n)) => format!("limit {time} or {n} trials"),
        (Some(time), None) if spec.budget.time_limit.is_none() => format!("limit {time} (default, --time-limit)"),
        (Some(time), None) => format!("limit {time}"),
        (None, None) => "no limit".into(),
    };
    let cores = if spec.budget.cores == 1 { "1 core".to_owned() } else { format!("{} cores", spec.budget.cores) };
    vec![
        soft(&format!(
            "automl {} · {cores} · {} free · {budget}",
            env!("CARGO_PKG_VERSION"),
            Bytes(host.free_memory_bytes)
        )),
        String::new(),
    ]
}

/// Data, task, ledger, checks and split.
pub(super) fn plan_lines(spec: &AutoMlSpec, prepared: &Prepared) -> Vec<String> {
    let ledger = &prepared.ledger;
    let mut lines = vec![format!(
        "{}{} rows × {} columns · {}",
        label("Data"),
        thousands(ledger.rows_in),
        ledger.columns.len(),
        prepared.dialect
    )];
    lines.push(format!("{}{}", label("Task"), task(prepared)));
    lines.push(format!("{}{}", label(""), soft(&prepared.task_reason)));
    if let Some(weights) = &prepared.weights {
        lines.push(format!("{}{}; scores count every row alike", label("Weights"), weights.in_words()));
        let left_out: Vec<&str> = candidate::left_out(prepared.task()).iter().map(|a| a.name()).collect();
        if !left_out.is_empty() {
            let text = format!("not searched, for they cannot weigh rows: {}", left_out.join(", "));
            lines.push(format!("{}{}", label(""), soft(&text)));
        }
    }
    lines.push(format!(
        "{}{} of {} features, {} of {} rows",
        label("Used"),
        ledger.used().len(),
        ledger.candidates(),
        thousands(ledger.rows_used),
        thousands(ledger.rows_in)
    ));
    for dropped in &ledger.columns_dropped {
        let line = format!("- {}  {}", dropped.column, dropped.reason);
        lines.push(format!("{}{}", label(""), if dropped.loud { loud(&line) } else { line }));
    }
    for (reason, n) in &ledger.rows_dropped {
        let rows = if *n == 1 { "row" } else { "rows" };
        lines.push(format!("{}- {} {rows}  {reason}", label(""), thousands(*n)));
    }
    for note in &ledger.notes {
        let column = note.column.as_ref().map_or_else(String::new, |column| format!("{column}  "));
        let hint = note.override_hint.as_ref().map_or_else(String::new, |hint| soft(&format!("  ({hint})")));
        lines.push(format!("{}~ {column}{}{hint}", label(""), note.text));
    }
    if let Some(from) = from_summary(spec, prepared) {
        lines.push(format!("{}{} configurations of {} are tried first", label("From"), from.first, from.run));
        if let Some(first) = from.skipped.first() {
            let text = format!("{} of them skipped, not in this search's space: {first}", from.skipped.len());
            lines.push(format!("{}{}", label(""), soft(&text)));
        }
    }
    let fine: Vec<&str> =
        prepared.checks.iter().filter(|check| check.state == CheckState::Ok).map(|check| check.name.as_str()).collect();
    let fine = if fine.is_empty() { String::new() } else { format!("ok {}", fine.join(", ")) };
    lines.push(format!("{}{fine}", label("Checks")));
    for check in prepared.checks.iter().filter(|check| !check.text.is_empty()) {
        lines.push(format!("{}{}  {}", label(""), loud("!"), check.text));
    }
    let judged = if prepared.split.holdout.is_some() {
        "scored on the holdout"
    } else if prepared.split.is_cross_validation() {
        "scores nested"
    } else {
        "scores cross-fitted"
    };
    lines.push(format!("{}{}, {judged} · seed {}", label("Split"), prepared.split.in_words(), spec.seed));
    lines
}

fn task(prepared: &Prepared) -> String {
    let mut text = prepared.task().to_string();
    let mut classes: Vec<(&String, &usize)> = prepared.target.classes.iter().zip(&prepared.class_counts).collect();
    if classes.len() > 8 {
        classes.sort_by(|a, b| b.1.cmp(a.1));
        let (most, least) = (classes[0], classes[classes.len() - 1]);
        let _ = write!(
            text,
            ": {} classes, from {} {} to {} {}",
            classes.len(),
            least.0,
            thousands(*least.1),
            most.0,
            thousands(*most.1)
        );
    } else if !classes.is_empty() {
        let counts: Vec<String> = classes.iter().map(|(class, n)| format!("{class} {}", thousands(**n))).collect();
        let _ = write!(text, ": {}", counts.join(" · "));
    }
    if prepared.task() == trainers::Task::Binary {
        let _ = write!(text, " · positive {}", prepared.target.classes[1]);
    }
    let _ = write!(text, " · metric {}", prepared.metric.name());
    text
}
