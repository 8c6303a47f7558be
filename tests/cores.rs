//! Every thread is counted: with `--cores 1` one thread computes; coordinator, drawer and signal watcher sleep.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Stdio;
use std::time::Duration;

use crate::support::{Place, made};

/// CPU ticks (100 a second) of each thread of a process, by number and name.
fn ticks(pid: u32) -> BTreeMap<(u32, String), u64> {
    let mut threads = BTreeMap::new();
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return threads };
    for task in tasks.flatten() {
        let Ok(stat) = fs::read_to_string(task.path().join("stat")) else { continue };
        // The name may hold blanks; what follows its closing bracket is regular (proc(5): utime and stime are 14 and 15).
        let (Some(open), Some(close)) = (stat.find('('), stat.rfind(')')) else { continue };
        let fields: Vec<&str> = stat[close + 1..].split_whitespace().collect();
        let time = |i: usize| fields.get(i).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0);
        let id = task.file_name().to_string_lossy().parse().unwrap_or(0);
        threads.insert((id, stat[open + 1..close].to_owned()), time(11) + time(12));
    }
    threads
}

#[test]
fn one_core_is_one_computing_thread() {
    let place = Place::new();
    let data = place.write("made.csv", made(3000));
    for (cores, workers) in [("1", 1), ("2", 2)] {
        let mut child = place
            .command(&["fit", &data, "--target", "y", "--time-limit", "6s", "--cores", cores])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut samples: Vec<BTreeMap<(u32, String), u64>> = Vec::new();
        while child.try_wait().expect("a child").is_none() {
            samples.push(ticks(child.id()));
            std::thread::sleep(Duration::from_millis(100));
        }
        let most = samples.iter().max_by_key(|sample| sample.values().sum::<u64>()).expect("samples");
        let names = |sample: &BTreeMap<(u32, String), u64>| {
            sample.keys().filter(|(_, name)| name.starts_with("trial-")).count()
        };
        assert_eq!(samples.iter().map(names).max(), Some(workers), "trial threads of {most:?}");
        if workers > 1 {
            continue;
        }
        // In about a second no more CPU time passes than one computing thread has wall clock; half as much again for the
        // coarseness of the ticks.
        for pair in samples.windows(11) {
            let since = |(key, now): (&(u32, String), &u64)| now - pair[0].get(key).copied().unwrap_or(0).min(*now);
            let spent: u64 = pair[10].iter().map(since).sum();
            assert!(spent <= 160, "{spent} ticks in about a second on one core: {:?}", pair[10]);
        }
    }
}

#[test]
fn fewer_trials_at_a_time_share_the_cores_and_find_the_same() {
    let place = Place::new();
    let data = place.write("made.csv", made(2000));
    let run = |concurrent: &str| {
        let mut child = place
            .command(&["fit", &data, "--target", "y", "--max-trials", "24", "--cores", "5", "--json"])
            .args(["--concurrent", concurrent])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut seen: BTreeSet<String> = BTreeSet::new();
        while child.try_wait().expect("a child").is_none() {
            seen.extend(ticks(child.id()).into_keys().map(|(_, name)| name).filter(|name| name.starts_with("trial-")));
            std::thread::sleep(Duration::from_millis(5));
        }
        let output = child.wait_with_output().expect("it has ended");
        let summary: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one document");
        (summary["model"]["sha256"].clone(), seen.into_iter().collect::<Vec<_>>())
    };
    let (two, threads) = run("2");
    assert_eq!(threads, ["trial-0", "trial-0.0", "trial-0.1", "trial-1", "trial-1.0", "trial-1.1"]);
    // More than cores are as many as cores.
    let (five, threads) = run("9");
    assert_eq!(threads, ["trial-0", "trial-1", "trial-2", "trial-3", "trial-4"]);
    assert_eq!(two, five);
}
