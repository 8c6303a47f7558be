//! One command: run with a limit, its time and memory measured over all that it started, and all of that ended with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};

use crate::clock::Clock;
use crate::sweep::Guard;

/// The variable that marks every process of a run, however it was started.
const MARK: &str = "AUTOML_BENCHMARK_RUN";
/// Seconds between looks at memory: a quarter of what has passed, within bounds, and later.
const LOOKS: (f64, f64, f64) = (0.005, 0.1, 0.25);
/// Until when in seconds looks are of the first kind.
const EARLY: f64 = 20.0;
/// The longest nap between looks at whether the command has ended.
const NAP: Duration = Duration::from_millis(20);
/// Ticks a second of the times in `/proc`: the kernel's `USER_HZ`, which is 100 on every architecture but Alpha.
const TICKS: f64 = 100.0;
/// Times that what is left over is looked for and ended.
const SWEEPS: usize = 5;
/// Bytes at the end of a log that are kept of a failure.
const TAIL: u64 = 2000;

/// What to run.
pub(super) struct Order<'a> {
    /// For `sh -c`.
    pub(super) command: &'a str,
    pub(super) folder: &'a Path,
    pub(super) environment: &'a BTreeMap<String, String>,
    /// Where it prints to.
    pub(super) log: &'a Path,
    /// Seconds after which it is ended.
    pub(super) limit: f64,
    /// A word of this run alone.
    pub(super) mark: &'a str,
}

/// How it went.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) end: End,
    /// Wall clock.
    pub(super) seconds: f64,
    /// Of all processes that were seen or waited for; 0 where the system does not tell.
    pub(super) cpu_seconds: f64,
    /// The largest sum of resident memory that was seen; 0 where the system does not tell.
    pub(super) peak_bytes: u64,
}

/// How it ended.
#[derive(Debug)]
pub(super) enum End {
    Done(ExitStatus),
    TimedOut,
    /// It was asked to stop from outside.
    Stopped,
}

/// Runs it to its end, its limit, or until `stop` says so.
pub(super) fn execute(
    order: &Order<'_>,
    guard: &Mutex<Guard>,
    clock: Clock,
    stop: &dyn Fn() -> bool,
) -> io::Result<Ran> {
    let log = File::options().create(true).append(true).open(order.log)?;
    let begun = clock.seconds();
    let mut child = Command::new("sh")
        .args(["-c", order.command])
        .current_dir(order.folder)
        .envs(order.environment)
        .env(MARK, order.mark)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        // A group of its own: Ctrl-C does not reach it, and it is ended as a whole.
        .process_group(0)
        .spawn()?;
    let group = Pid::from_child(&child);
    let number = group.as_raw_nonzero().get();
    let guarded = |act: &dyn Fn(&mut Guard)| act(&mut guard.lock().unwrap_or_else(PoisonError::into_inner));
    guarded(&|guard| guard.watch(number));
    let mut family = Family::new(number);
    let (mut nap, mut next_look) = (Duration::from_millis(1), 0.0);
    let ended = loop {
        // It is left unreaped, so that neither its number nor its times are lost before they are read.
        let asked = waitid(WaitId::Pid(group), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG);
        let seconds = clock.seconds() - begun;
        if !matches!(asked, Ok(None) | Err(rustix::io::Errno::INTR)) {
            break None;
        }
        if stop() {
            break Some(End::Stopped);
        }
        if seconds > order.limit {
            break Some(End::TimedOut);
        }
        if seconds >= next_look {
            family.look();
            let (least, most, later) = LOOKS;
            next_look = seconds + if seconds > EARLY { later } else { (seconds / 4.0).clamp(least, most) };
        }
        std::thread::sleep(nap);
        nap = (nap * 2).min(NAP);
    };
    let seconds = clock.seconds() - begun;
    family.close();
    let _ = kill_process_group(group, Signal::KILL);
    family.end(order.mark);
    guarded(&|guard| guard.forget(number));
    let status = child.wait()?;
    let end = ended.unwrap_or(End::Done(status));
    Ok(Ran { end, seconds, cpu_seconds: family.cpu_seconds, peak_bytes: family.peak_bytes })
}

/// The end of a log.
pub(super) fn tail(log: &Path) -> String {
    let read = || -> io::Result<String> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    };
    read().unwrap_or_default()
}

/// A process as `/proc` tells of it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Process {
    parent: i32,
    group: i32,
    /// CPU ticks, those of children it has waited for included.
    ticks: u64,
    /// When it started: with its number, who it is.
    started: u64,
}

/// A command's shell and all that descends from it, as far as it was seen.
struct Family {
    root: i32,
    /// Everyone ever seen, by number, with when it started.
    members: BTreeMap<i32, u64>,
    cpu_seconds: f64,
    peak_bytes: u64,
}

impl Family {
    fn new(root: i32) -> Self {
        Self { root, members: BTreeMap::new(), cpu_seconds: 0.0, peak_bytes: 0 }
    }

    /// Looks at who is there, and at what they take.
    fn look(&mut self) {
        let all = processes();
        let living = self.living(&all);
        let bytes = living.iter().map(|number| resident(*number)).sum();
        self.peak_bytes = self.peak_bytes.max(bytes);
        self.count(&all, &living);
    }

    /// A last look at the times, when the shell has ended: it then has the times of all it waited for.
    fn close(&mut self) {
        let all = processes();
        let living = self.living(&all);
        self.count(&all, &living);
    }

    fn count(&mut self, all: &BTreeMap<i32, Process>, living: &BTreeSet<i32>) {
        let ticks: u64 = living.iter().filter_map(|number| Some(all.get(number)?.ticks)).sum();
        self.cpu_seconds = self.cpu_seconds.max(ticks as f64 / TICKS);
    }

    /// Members that are there: of the group, descended from a member, or seen before.
    fn living(&mut self, all: &BTreeMap<i32, Process>) -> BTreeSet<i32> {
        let is_known = |(number, process): (&i32, &Process)| self.members.get(number) == Some(&process.started);
        let first = all.iter().filter(|(number, process)| {
            **number == self.root || process.group == self.root || is_known((number, process))
        });
        let mut living: BTreeSet<i32> = first.map(|(number, _)| *number).collect();
        loop {
            let more: Vec<i32> = all
                .iter()
                .filter(|(number, process)| living.contains(&process.parent) && !living.contains(number))
                .map(|(number, _)| *number)
                .collect();
            if more.is_empty() {
                break;
            }
            living.extend(more);
        }
        self.members.extend(living.iter().filter_map(|number| Some((*number, all.get(number)?.started))));
        living
    }

    /// Ends everyone but the shell, which its parent reaps: members by descent, and whoever carries the mark.
    fn end(&mut self, mark: &str) {
        let marked = format!("{MARK}={mark}");
        for _ in 0..SWEEPS {
            let all = processes();
            let mut left = self.living(&all);
            left.extend(all.keys().filter(|number| carries(**number, &marked)));
            left.remove(&self.root);
            left.retain(|number| !is_dead(*number));
            if left.is_empty() {
                return;
            }
            for number in left {
                if let Some(pid) = Pid::from_raw(number) {
                    let _ = kill_process(pid, Signal::KILL);
                }
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Every process of the machine that may be looked at; none where there is no `/proc`.
fn processes() -> BTreeMap<i32, Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    numbers
        .filter_map(|number| Some((number, stat(&fs::read_to_string(format!("/proc/{number}/stat")).ok()?)?)))
        .collect()
}

/// Reads `/proc/N/stat`: fields are counted after the name, which may hold anything but is the last in parentheses.
fn stat(text: &str) -> Option<Process> {
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = (11..15).map(|i| fields.get(i)?.parse::<u64>().ok()).sum::<Option<u64>>()?;
    Some(Process {
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        ticks,
        started: fields.get(19)?.parse().ok()?,
    })
}

/// Bytes of resident memory.
fn resident(number: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{number}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let figure = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    figure.unwrap_or(0).saturating_mul(1024)
}

/// Whether a process has ended and only waits to be reaped.
fn is_dead(number: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with(['Z', 'X']))
}

/// Whether a process has this among its variables.
fn carries(number: i32, marked: &str) -> bool {
    let variables = fs::read(format!("/proc/{number}/environ")).unwrap_or_default();
    variables.split(|byte| *byte == 0).any(|variable| variable == marked.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let text = "42 (a) b (c) S 7 40 40 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 9876 1000 25 18446744073709551615";
        assert_eq!(stat(text), Some(Process { parent: 7, group: 40, ticks: 127, started: 9876 }));
        assert_eq!(stat("42 (a"), None);
    }

    #[test]
    fn this_process_is_there_with_its_memory() {
        let own = std::process::id() as i32;
        if cfg!(target_os = "linux") {
            assert!(processes().contains_key(&own));
            assert!(resident(own) > 1 << 20);
            assert!(!is_dead(own));
        }
    }
}
