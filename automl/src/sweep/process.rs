//! One trial's process: a shell in a process group of its own, its output read and logged.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::SyncSender;
use std::thread;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::metric::{self, Line, Metric};

/// Bytes of a line that are read for metrics; the rest of a longer one is only logged.
const LONGEST_LINE: usize = 64 << 10;
/// Bytes at the end of a log in which the last line is looked for.
const TAIL: u64 = 4096;

/// News of one process, by its number.
#[derive(Debug)]
pub(super) struct News {
    pub(super) process: u64,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Metrics(Vec<Metric>),
    /// A line that begins like a metric and is none.
    Odd(String),
    /// Nothing more is printed.
    Silent,
    /// The shell has ended. It is not reaped yet, so its group cannot be another's.
    Ended,
}

/// What is to be run.
pub(super) struct Order<'a> {
    pub(super) process: u64,
    pub(super) command: &'a str,
    pub(super) folder: &'a Path,
    pub(super) environment: &'a BTreeMap<String, String>,
    pub(super) log: &'a Path,
}

/// A process group under way.
pub(super) struct Process {
    child: Child,
    group: Pid,
}

impl Process {
    /// Starts it; `say` hears what it prints, and its end.
    pub(super) fn start(order: &Order<'_>, say: &SyncSender<News>) -> io::Result<Self> {
        let mut log = OpenOptions::new().create(true).append(true).open(order.log)?;
        log.write_all(format!("$ {}\n", order.command.trim_end()).as_bytes())?;
        let mut child = Command::new("sh")
            .arg("-c")
            .arg(order.command)
            .current_dir(order.folder)
            .envs(order.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log.try_clone()?)
            // A group of its own: Ctrl-C does not reach it, and it is ended as a whole.
            .process_group(0)
            .spawn()?;
        let group = Pid::from_child(&child);
        let (process, output) = (order.process, child.stdout.take());
        let reader = say.clone();
        let read = move || {
            if let Some(output) = output {
                follow(output, log, |what| drop(reader.send(News { process, what })));
            }
            let _ = reader.send(News { process, what: What::Silent });
        };
        let waiter = say.clone();
        let wait = move || {
            let end = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while matches!(waitid(WaitId::Pid(group), end), Err(Errno::INTR)) {}
            let _ = waiter.send(News { process, what: What::Ended });
        };
        let started = thread::Builder::new().name("trial-output".into()).spawn(read);
        let started = started.and_then(|_| thread::Builder::new().name("trial-end".into()).spawn(wait));
        if let Err(error) = started {
            let mut process = Self { child, group };
            process.kill();
            let _ = process.reap();
            return Err(error);
        }
        Ok(Self { child, group })
    }

    /// The number of its group.
    pub(super) fn group(&self) -> i32 {
        self.group.as_raw_nonzero().get()
    }

    /// Asks the whole group to end.
    pub(super) fn terminate(&self) {
        // A group that is gone already is what was wanted.
        let _ = kill_process_group(self.group, Signal::TERM);
    }

    /// Ends the whole group.
    pub(super) fn kill(&mut self) {
        let _ = kill_process_group(self.group, Signal::KILL);
    }

    /// Takes the shell's status, once it has ended.
    pub(super) fn reap(&mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }
}

/// How a shell ended, where it was not well.
pub(crate) fn trouble(status: ExitStatus) -> Option<String> {
    match (status.code(), status.signal()) {
        (Some(0), _) => None,
        (Some(127), _) => Some("exit status 127, as of a command that is not found".into()),
        // A shell tells of a signal that ended its command by 128 and the signal's number.
        (Some(code), _) if code > 128 && code < 160 => Some(by_signal(code - 128)),
        (Some(code), _) => Some(format!("exit status {code}")),
        (None, Some(signal)) => Some(by_signal(signal)),
        (None, None) => Some("no exit status".into()),
    }
}

fn by_signal(signal: i32) -> String {
    let name = match signal {
        6 => " (abort)",
        9 => " (killed, perhaps for want of memory)",
        11 => " (segmentation fault)",
        15 => " (terminated)",
        _ => "",
    };
    format!("ended by signal {signal}{name}")
}

/// The last line of a log that is not blank, no metric and not the command: what a script said before it died.
pub(super) fn last_line(log: &Path) -> Option<String> {
    let mut file = File::open(log).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let is_said = |line: &&str| !line.is_empty() && !matches!(metric::read(line), Line::Metrics(_));
    let line = text.lines().rev().map(str::trim).find(is_said)?;
    let short: String = line.chars().take(200).collect();
    (!line.starts_with("$ ")).then_some(short)
}

/// Reads to the end: every byte is logged, every line looked at.
fn follow(mut output: impl Read, mut log: File, mut say: impl FnMut(What)) {
    let mut line: Vec<u8> = Vec::new();
    let mut buffer = vec![0; 16 << 10];
    loop {
        let n = match output.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        // A full disk is no reason to stop listening.
        let _ = log.write_all(&buffer[..n]);
        for &byte in &buffer[..n] {
            if byte == b'\n' {
                tell(&line, &mut say);
                line.clear();
            } else if line.len() < LONGEST_LINE {
                line.push(byte);
            }
        }
    }
    tell(&line, &mut say);
}

fn tell(line: &[u8], say: &mut impl FnMut(What)) {
    let text = String::from_utf8_lossy(line);
    match metric::read(&text) {
        Line::Metrics(metrics) => say(What::Metrics(metrics)),
        Line::Odd => say(What::Odd(text.trim().chars().take(100).collect())),
        Line::Other => {}
    }
}

/// A shell that outlives this program by a moment: when the program is gone, however it went, it ends the groups that are
/// still there.
pub(crate) struct Guard {
    child: Child,
    orders: Option<ChildStdin>,
}

const GUARD: &str = r#"trap '' HUP INT TERM
all=''
while read -r what group; do
  case $what in
  +) all="$all $group" ;;
  -) rest=''; for g in $all; do [ "$g" = "$group" ] || rest="$rest $g"; done; all=$rest ;;
  esac
done
for g in $all; do kill -s KILL -- "-$g"; done"#;

impl Guard {
    pub(crate) fn start() -> io::Result<Self> {
        let mut child = Command::new("sh")
            .args(["-c", GUARD])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let orders = child.stdin.take();
        Ok(Self { child, orders })
    }

    pub(crate) fn watch(&mut self, group: i32) {
        self.order('+', group);
    }

    pub(crate) fn forget(&mut self, group: i32) {
        self.order('-', group);
    }

    fn order(&mut self, what: char, group: i32) {
        if let Some(orders) = &mut self.orders {
            // Without a guard a sweep still ends what it started, unless it is killed itself.
            let _ = orders.write_all(format!("{what} {group}\n").as_bytes());
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.orders = None;
        let _ = self.child.wait();
    }
}

/// The log of a trial.
pub(super) fn log_of(folder: &Path, trial: u32) -> PathBuf {
    folder.join(format!("trial-{trial}.log"))
}
