//! Where trials of a sweep run: processes of this machine, as many at a time as there are slots.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use hyperdrive::{Assignment, Executor, FailureKind, Goal, Outcome, Rung, Segment, SegmentEnd, TrialId, Update};
use serde_json::{Map, Value as Json};

use super::command::Template;
use super::metric::Metric;
use super::names::{Names, text};
use super::process::{Guard, News, Order, Process, What, last_line, log_of, trouble};
use crate::clock::Clock;
use crate::search::{RunningTrial, Status};
use crate::spec::Seconds;

/// A group that was asked to end is ended after this many seconds.
const TERM_GRACE: f64 = 0.7;
/// What has not gone this many seconds after it was ended is given up.
const KILL_GRACE: f64 = 2.0;
/// What a shell's children have printed is waited for this many seconds after its end.
const OUTPUT_GRACE: f64 = 0.5;
/// The rung of a trial's last report, and the one before the top.
const LAST_RUNG: u16 = u16::MAX - 1;
/// News that wait before a script that prints them has to wait itself.
const NEWS: usize = 4096;
/// Names of other metrics that a reason lists.
const LISTED: usize = 5;

/// What all trials of a sweep have in common.
pub(super) struct Ground {
    pub(super) template: Template,
    pub(super) names: Names,
    pub(super) environment: BTreeMap<String, String>,
    /// Where the command runs.
    pub(super) folder: PathBuf,
    /// Where logs are written.
    pub(super) logs: PathBuf,
    /// Where each trial has a folder of its own.
    pub(super) outputs: PathBuf,
    pub(super) metric: String,
    pub(super) goal: Goal,
    /// Whether a policy looks at reports on the way.
    pub(super) is_watched: bool,
    pub(super) clock: Clock,
    pub(super) status: Arc<Status>,
    /// Told of every other metric, and of the primary one where no policy looks: trial, step, name, value.
    pub(super) record: Recorder,
}

/// Told of a metric of a trial: trial, step, name, value.
pub(super) type Recorder = Box<dyn Fn(TrialId, i64, &str, f64)>;

/// Processes under way.
pub(super) struct ProcessExecutor {
    ground: Ground,
    slots: usize,
    running: BTreeMap<u64, Running>,
    started: u64,
    updates: VecDeque<Update>,
    news: Receiver<News>,
    say: SyncSender<News>,
    guard: Guard,
}

struct Running {
    process: Process,
    trial: TrialId,
    segment: Segment,
    log: PathBuf,
    began: f64,
    deadline: Option<f64>,
    /// Seconds that it may take.
    limit: Option<f64>,
    /// Why it is being ended, where it is.
    cause: Option<Cause>,
    /// When it is ended by force, and when it is given up.
    kill_at: Option<f64>,
    give_up_at: Option<f64>,
    /// Its status, once its shell has ended.
    status: Option<ExitStatus>,
    is_silent: bool,
    best: Option<f64>,
    curve: Vec<f64>,
    /// Names of other metrics that it reported, with how often.
    others: BTreeMap<String, i64>,
    odd: Option<String>,
}

enum Cause {
    Stopped,
    TimedOut,
    Refused { reason: String },
}

impl ProcessExecutor {
    pub(super) fn new(ground: Ground, slots: usize) -> std::io::Result<Self> {
        let (say, news) = sync_channel(NEWS);
        let guard = Guard::start()?;
        let (running, updates) = (BTreeMap::new(), VecDeque::new());
        Ok(Self { ground, slots, running, started: 0, updates, news, say, guard })
    }

    fn launch(&mut self, assignment: &Assignment) -> Result<Running, String> {
        let Assignment { trial, segment, .. } = *assignment;
        let ground = &self.ground;
        let params = ground.names.outside(&assignment.params);
        let outputs = ground.outputs.join(format!("trial-{trial}"));
        let made = std::fs::create_dir_all(&outputs);
        made.map_err(|error| format!("its folder {} cannot be made: {error}", outputs.display()))?;
        let log = log_of(&ground.logs, trial.0);
        let order = Order {
            process: self.started,
            command: &ground.template.fill(&params),
            folder: &ground.folder,
            environment: &ground.environment_of(assignment, &params, &outputs),
            log: &log,
        };
        let started = Process::start(&order, &self.say);
        let process = started.map_err(|error| format!("its process cannot be started: {error}"))?;
        self.guard.watch(process.group());
        let began = ground.clock.seconds();
        Ok(Running {
            process,
            trial,
            segment,
            log,
            began,
            deadline: assignment.trial_seconds.map(|seconds| began + seconds),
            limit: assignment.trial_seconds,
            cause: None,
            kill_at: None,
            give_up_at: None,
            status: None,
            is_silent: false,
            best: None,
            curve: Vec::new(),
            others: BTreeMap::new(),
            odd: None,
        })
    }

    fn hear(&mut self, News { process, what }: News) {
        let Some(running) = self.running.get_mut(&process) else { return };
        match what {
            What::Metrics(metrics) => {
                for metric in metrics {
                    self.updates.extend(running.take(&metric, &self.ground));
                }
            }
            What::Odd(line) => running.odd = Some(line),
            What::Silent => running.is_silent = true,
            What::Ended => {
                // What the shell left behind in its group goes with it; only then may the number be another's.
                running.process.kill();
                running.status = running.process.reap().ok();
                self.guard.forget(running.process.group());
                running.give_up_at = Some(self.ground.clock.seconds() + OUTPUT_GRACE);
            }
        }
        let is_over = running.is_silent && running.status.is_some();
        if is_over {
            self.conclude(process);
        }
    }

    /// Ends what is past its time.
    fn keep_time(&mut self) {
        let now = self.ground.clock.seconds();
        let mut over = Vec::new();
        for (process, running) in &mut self.running {
            if running.cause.is_none() && running.status.is_none() && running.deadline.is_some_and(|at| now >= at) {
                running.end(Cause::TimedOut, now);
            }
            if running.kill_at.is_some_and(|at| now >= at) {
                running.kill_at = None;
                if running.status.is_none() {
                    running.process.kill();
                    running.give_up_at = Some(now + KILL_GRACE);
                }
            }
            if running.give_up_at.is_some_and(|at| now >= at) {
                over.push(*process);
            }
        }
        for process in over {
            self.conclude(process);
        }
    }

    /// The trial is over, whatever its process may still do.
    fn conclude(&mut self, process: u64) {
        let Some(running) = self.running.remove(&process) else { return };
        let Running { segment, trial, .. } = running;
        let cost = (self.ground.clock.seconds() - running.began).max(0.0);
        self.ground.status.update(|picture| {
            picture.running.remove(&trial.0);
        });
        let end = running.verdict(&self.ground, cost);
        if let (SegmentEnd::Reached { .. }, Some(best)) = (&end, running.best) {
            let outcome = Outcome::single(best, cost);
            self.updates.push_back(Update::Reported { segment, trial, rung: Rung(u16::MAX), outcome });
        }
        self.updates.push_back(Update::Ended { segment, trial, end });
    }

    /// How long to wait for news before something is to be done.
    fn wait(&self, timeout: Duration) -> Duration {
        let now = self.ground.clock.seconds();
        let due = |running: &Running| {
            let deadline = running.deadline.filter(|_| running.cause.is_none() && running.status.is_none());
            [deadline, running.kill_at, running.give_up_at].into_iter().flatten().fold(f64::INFINITY, f64::min)
        };
        let next = self.running.values().map(due).fold(f64::INFINITY, f64::min);
        if next.is_finite() { timeout.min(Duration::from_secs_f64((next - now).max(0.001))) } else { timeout }
    }
}

impl Executor for ProcessExecutor {
    fn free(&self) -> usize {
        self.slots.saturating_sub(self.running.len())
    }

    fn start(&mut self, assignment: Assignment) {
        let (segment, trial) = (assignment.segment, assignment.trial);
        match self.launch(&assignment) {
            Ok(running) => {
                let words = self.ground.names.in_words(&assignment.params);
                self.ground.status.update(|picture| {
                    let new = RunningTrial { algorithm: words, progress: String::new(), value: None };
                    picture.running.insert(trial.0, new);
                });
                self.running.insert(self.started, running);
            }
            Err(reason) => {
                let end = SegmentEnd::Failed { kind: FailureKind::Error, reason };
                self.updates.push_back(Update::Ended { segment, trial, end });
            }
        }
        self.started += 1;
    }

    fn stop(&mut self, _trial: TrialId, segment: Segment) {
        let now = self.ground.clock.seconds();
        for running in self.running.values_mut().filter(|running| running.segment == segment) {
            running.end(Cause::Stopped, now);
        }
    }

    fn next(&mut self, timeout: Duration) -> Option<Update> {
        if let Some(update) = self.updates.pop_front() {
            return Some(update);
        }
        self.keep_time();
        if self.updates.is_empty() {
            match self.news.recv_timeout(self.wait(timeout)) {
                Ok(news) => self.hear(news),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => self.keep_time(),
            }
        }
        while self.updates.is_empty()
            && let Ok(news) = self.news.try_recv()
        {
            self.hear(news);
        }
        self.updates.pop_front()
    }
}

impl Drop for ProcessExecutor {
    fn drop(&mut self) {
        for running in self.running.values_mut() {
            running.process.kill();
            // A process that cannot be ended is left to the system, and its group to the guard.
            if running.status.is_none() {
                let _ = running.process.reap();
            }
        }
    }
}

impl Running {
    /// Asks the whole group to end; the first cause stands.
    fn end(&mut self, cause: Cause, now: f64) {
        if self.cause.is_none() && self.status.is_none() {
            self.cause = Some(cause);
            self.process.terminate();
            self.kill_at = Some(now + TERM_GRACE);
        }
    }

    /// Takes a metric in; the primary one is a report where a policy looks.
    fn take(&mut self, metric: &Metric, ground: &Ground) -> Option<Update> {
        if metric.name != ground.metric {
            let n = self.others.entry(metric.name.clone()).or_default();
            let step = metric.step.unwrap_or(*n);
            *n += 1;
            if metric.value.is_finite() {
                (ground.record)(self.trial, step, &metric.name, metric.value);
            }
            return None;
        }
        if self.cause.is_some() {
            return None;
        }
        let now = ground.clock.seconds();
        if !metric.value.is_finite() {
            let reason = format!("it reported {} {} as report {}", metric.name, metric.value, self.curve.len() + 1);
            // Its shell may have ended before what it printed was read.
            if self.status.is_some() {
                self.cause = Some(Cause::Refused { reason });
            } else {
                self.end(Cause::Refused { reason }, now);
            }
            return None;
        }
        let value = metric.value;
        self.best = Some(self.best.filter(|best| !ground.goal.better(value, *best)).unwrap_or(value));
        let n = self.curve.len();
        self.curve.push(value);
        ground.status.update(|picture| {
            if let Some(running) = picture.running.get_mut(&self.trial.0) {
                running.progress = format!("report {}", n + 1);
                running.value = self.best;
            }
        });
        if !ground.is_watched {
            (ground.record)(self.trial, n as i64, &metric.name, value);
            return None;
        }
        let rung = u16::try_from(n).ok().filter(|rung| *rung <= LAST_RUNG)?;
        let outcome = Outcome::single(value, (now - self.began).max(0.0));
        Some(Update::Reported { segment: self.segment, trial: self.trial, rung: Rung(rung), outcome })
    }

    /// How the trial ended, and what to do where it ended badly.
    fn verdict(&self, ground: &Ground, cost: f64) -> SegmentEnd {
        let failed = |kind, reason: String| SegmentEnd::Failed { kind, reason };
        let curve = self.curve.clone();
        match (&self.cause, self.best) {
            (Some(Cause::Stopped), _) => SegmentEnd::Stopped,
            (Some(Cause::Refused { reason }), _) => failed(FailureKind::Error, reason.clone()),
            (Some(Cause::TimedOut), Some(best)) => SegmentEnd::Partial { outcome: Outcome::single(best, cost), curve },
            (Some(Cause::TimedOut), None) => {
                let reason = format!(
                    "it was ended after {} (limits.trial_timeout) and had not reported {}: raise the limit, or have the \
                     script print `metric {} VALUE` on the way",
                    Seconds(self.limit.unwrap_or(cost)),
                    ground.metric,
                    ground.metric
                );
                failed(FailureKind::TimedOut, reason)
            }
            (None, best) => {
                let trouble = self.status.map_or_else(|| Some("it did not end".to_owned()), trouble);
                match (trouble, best) {
                    (Some(trouble), _) => {
                        let said = last_line(&self.log)
                            .map_or_else(|| "it printed nothing".to_owned(), |line| format!("its last line: {line}"));
                        failed(FailureKind::Error, format!("{trouble}; {said}"))
                    }
                    (None, Some(_)) => SegmentEnd::Reached { curve },
                    (None, None) => failed(FailureKind::Error, self.unreported(ground)),
                }
            }
        }
    }

    /// It ended well and said nothing of the metric.
    fn unreported(&self, ground: &Ground) -> String {
        let metric = &ground.metric;
        let seen = if let Some(odd) = &self.odd {
            format!("it printed `{odd}`, which is not understood")
        } else if !self.others.is_empty() {
            let names: Vec<&str> = self.others.keys().take(LISTED).map(String::as_str).collect();
            format!("it reported {} (objective.primary_metric is {metric})", names.join(", "))
        } else if last_line(&self.log).is_some() {
            "what it printed holds no metric".to_owned()
        } else {
            "it printed nothing".to_owned()
        };
        format!(
            "it never reported {metric}: {seen}; have the script print `metric {metric} VALUE` on its standard output"
        )
    }
}

impl Ground {
    /// The variables of a trial.
    fn environment_of(
        &self,
        assignment: &Assignment,
        params: &Map<String, Json>,
        outputs: &std::path::Path,
    ) -> BTreeMap<String, String> {
        let mut all = self.environment.clone();
        variables(params, "AUTOML_PARAM", &mut all);
        all.insert("AUTOML_PARAMS".into(), Json::Object(params.clone()).to_string());
        all.insert("AUTOML_TRIAL".into(), assignment.trial.to_string());
        all.insert("AUTOML_SEED".into(), (assignment.seed >> 33).to_string());
        all.insert("AUTOML_OUTPUT_DIR".into(), outputs.display().to_string());
        all
    }
}

/// `AUTOML_PARAM_LR=0.1` for each parameter, those of a group below its name.
fn variables(params: &Map<String, Json>, prefix: &str, all: &mut BTreeMap<String, String>) {
    for (name, value) in params {
        let plain: String =
            name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
        let name = format!("{prefix}_{plain}");
        match value {
            Json::Object(group) if !group.is_empty() => variables(group, &name, all),
            value => {
                all.insert(name, text(value));
            }
        }
    }
}
