//! Where a run ran: the machine, the source code, the memory it took.
//!
//! Nothing here fails: what a system does not tell is left empty or zero, since a run must not end for want of
//! its provenance.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

/// What a run's record says of its machine. It holds no host name: records are shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostFacts {
    /// Operating system, as `linux`.
    pub os: String,
    /// Processor architecture, as `x86_64`.
    pub arch: String,
    /// Name of the processor's model; empty if not told.
    pub cpu_model: String,
    /// Cores that this process may use, at least 1.
    pub n_cores: usize,
    /// Memory that this process may use, in bytes: the machine's or its control group's limit; 0 if not told.
    pub memory_bytes: u64,
    /// What of that is free now, in bytes; 0 if not told.
    pub free_memory_bytes: u64,
}

/// Which source code a run was started in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GitFacts {
    /// Hash of the commit.
    pub commit: String,
    /// Name of the branch; `None` where none is checked out.
    pub branch: Option<String>,
    /// Whether a tracked file differs from the commit.
    pub dirty: bool,
}

/// Reads what the system tells of this machine, now.
pub fn host_facts() -> HostFacts {
    let meminfo = read("/proc/meminfo");
    let total = kibibytes(&meminfo, "MemTotal:");
    let available = kibibytes(&meminfo, "MemAvailable:");
    let (memory_bytes, free_memory_bytes) = within_group(total, available, group_memory());
    HostFacts {
        os: std::env::consts::OS.to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        cpu_model: cpu_model(&read("/proc/cpuinfo")),
        n_cores: std::thread::available_parallelism().map_or(1, usize::from),
        memory_bytes,
        free_memory_bytes,
    }
}

/// Reads the commit that is checked out in `dir`, with the `git` command; `None` outside a repository, before
/// its first commit, or without that command.
pub fn git_facts(dir: &Path) -> Option<GitFacts> {
    let output = Command::new("git")
        // A repository's own settings must not start programs because a run is recorded.
        .args(["-c", "core.fsmonitor=false", "-C"])
        .arg(dir)
        .args(["status", "--porcelain=v2", "--branch", "--untracked-files=no"])
        // Reading must neither wait for nor take the lock of the index.
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output.status.success().then(|| parse_status(&String::from_utf8_lossy(&output.stdout)))?
}

/// The most memory that this process has had in use at once, in bytes; 0 if the system does not tell.
pub fn peak_rss_bytes() -> u64 {
    kibibytes(&read("/proc/self/status"), "VmHWM:")
}

/// A file's text; empty if it cannot be read.
fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The figure of a line like `MemTotal:  16 kB`, in bytes; 0 if there is none.
fn kibibytes(text: &str, label: &str) -> u64 {
    text.lines()
        .find_map(|line| line.strip_prefix(label))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|figure| figure.parse::<u64>().ok())
        .map_or(0, |figure| figure.saturating_mul(1024))
}

/// The processor's name in `/proc/cpuinfo`.
fn cpu_model(cpuinfo: &str) -> String {
    cpuinfo
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == "model name")
        .map(|(_, name)| name.trim().to_owned())
        .unwrap_or_default()
}

/// Limit and use of memory by the control group that this process sees as its own (version 2, else version 1).
fn group_memory() -> Option<(u64, u64)> {
    let figure = |path: &str| read(path).trim().parse::<u64>().ok();
    let v2 = figure("/sys/fs/cgroup/memory.max").zip(figure("/sys/fs/cgroup/memory.current"));
    v2.or_else(|| {
        figure("/sys/fs/cgroup/memory/memory.limit_in_bytes").zip(figure("/sys/fs/cgroup/memory/memory.usage_in_bytes"))
    })
}

/// Total and free memory, cut to what the control group still allows.
fn within_group(total: u64, available: u64, group: Option<(u64, u64)>) -> (u64, u64) {
    match group {
        Some((limit, used)) if limit < total => (limit, available.min(limit.saturating_sub(used))),
        _ => (total, available),
    }
}

/// Reads the output of `git status --porcelain=v2 --branch`.
fn parse_status(text: &str) -> Option<GitFacts> {
    let header = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
    let commit = header("# branch.oid ").filter(|commit| *commit != "(initial)")?;
    let branch = header("# branch.head ").filter(|branch| *branch != "(detached)");
    Some(GitFacts {
        commit: commit.to_owned(),
        branch: branch.map(str::to_owned),
        dirty: text.lines().any(|line| !line.is_empty() && !line.starts_with('#')),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_cores_and_a_name() {
        let facts = host_facts();
        assert!(facts.n_cores >= 1);
        assert_eq!(facts.os, std::env::consts::OS);
        assert!(facts.free_memory_bytes <= facts.memory_bytes);
        if cfg!(target_os = "linux") {
            assert!(facts.memory_bytes > 1 << 20);
            assert!(peak_rss_bytes() > 1 << 16);
        }
    }

    #[test]
    fn figures_are_read_from_the_systems_texts() {
        let meminfo = "MemTotal:       16384 kB\nMemFree: 1 kB\nMemAvailable:    8192 kB\n";
        assert_eq!(kibibytes(meminfo, "MemTotal:"), 16 << 20);
        assert_eq!(kibibytes(meminfo, "MemAvailable:"), 8 << 20);
        assert_eq!(kibibytes("", "MemTotal:"), 0);
        let cpuinfo = "processor\t: 0\nmodel\t\t: 85\nmodel name\t: A Processor @ 2.0 GHz\n";
        assert_eq!(cpu_model(cpuinfo), "A Processor @ 2.0 GHz");
        assert_eq!(cpu_model(""), "");
    }

    #[test]
    fn a_control_group_cuts_the_machine_down() {
        assert_eq!(within_group(100, 60, None), (100, 60));
        assert_eq!(within_group(100, 60, Some((40, 10))), (40, 30));
        assert_eq!(within_group(100, 20, Some((40, 10))), (40, 20));
        assert_eq!(within_group(100, 60, Some((40, 50))), (40, 0));
        // Without a limit, version 1 tells the highest number there is.
        assert_eq!(within_group(100, 60, Some((u64::MAX, 10))), (100, 60));
    }

    #[test]
    fn a_status_is_read() {
        let clean = "# branch.oid 4b825dc6\n# branch.head main\n";
        let facts = GitFacts { commit: "4b825dc6".to_owned(), branch: Some("main".to_owned()), dirty: false };
        assert_eq!(parse_status(clean), Some(facts.clone()));
        let dirty = format!("{clean}1 .M N... 100644 100644 100644 a b README.md\n");
        assert_eq!(parse_status(&dirty), Some(GitFacts { dirty: true, ..facts.clone() }));
        let detached = "# branch.oid 4b825dc6\n# branch.head (detached)\n";
        assert_eq!(parse_status(detached), Some(GitFacts { branch: None, ..facts }));
        assert_eq!(parse_status("# branch.oid (initial)\n# branch.head main\n"), None);
    }

    #[test]
    fn a_folder_outside_any_repository_has_no_commit() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(git_facts(folder.path()), None);
        assert_eq!(git_facts(&folder.path().join("missing")), None);
    }
}
