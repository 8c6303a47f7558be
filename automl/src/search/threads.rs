//! Who computes on how many threads; decided here alone. Every thread is counted: under `--cores N` no more than N compute
//! at a time.
//!
//! - **In a search** every slot is a thread. With as many slots as cores a trial has that thread and no other. With fewer
//!   (`--concurrent`, or more cores than ordered mode has slots) every slot has a pool of cores / slots threads beside it,
//!   made once and used by one trial after another; the slot's own thread sleeps while its pool works.
//! - **After it** members are fitted side by side, at most `cores` at a time, on threads of their own; fewer members than
//!   cores have pools of cores / members threads in the same way. They are plain threads, not rayon's: one of those that
//!   waits for a pool takes up other work meanwhile, and with it perhaps the block that it is itself building.
//!
//! Shares are rounded down. Results do not depend on them.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::executor::STACK;
use crate::error::AutoMlError;

/// What a fit works on; none: the calling thread only.
pub(crate) type Pool = Option<Arc<ThreadPool>>;

/// The threads of each of `n` that work side by side on `cores`.
pub(super) fn share(cores: usize, n: usize) -> usize {
    (cores / n.max(1)).max(1)
}

/// A pool of this many threads, named after the one it works for; none where that one is enough.
pub(super) fn pool(name: &str, threads: usize) -> Result<Pool, AutoMlError> {
    if threads < 2 {
        return Ok(None);
    }
    let name = name.to_owned();
    let builder = ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK);
    let pool = builder.thread_name(move |i| format!("{name}.{i}")).build().map_err(|error| no_thread(&error))?;
    Ok(Some(Arc::new(pool)))
}

/// No thread could be had.
pub(super) fn no_thread(error: &dyn std::error::Error) -> AutoMlError {
    AutoMlError::NoModel {
        reason: format!("no thread could be started: {error}"),
        hint: Some("ask for fewer with --cores".into()),
    }
}

/// Does the same with every item, as many at a time as there are cores, each with its share of them. Results come in the
/// order of the items, the first error in that order instead of them.
pub(crate) fn each<T: Sync, R: Send>(
    items: &[T],
    cores: usize,
    work: impl Fn(&T, &Pool) -> Result<R, AutoMlError> + Sync,
) -> Result<Vec<R>, AutoMlError> {
    let n = items.len().min(cores).max(1);
    let pools = (0..n).map(|i| pool(&worker(i), share(cores, n))).collect::<Result<Vec<_>, _>>()?;
    let next = AtomicUsize::new(0);
    let serve = |pool: &Pool| {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { break done };
            done.push((at, work(item, pool)));
        }
    };
    let mut done = thread::scope(|scope| {
        let mut workers = Vec::new();
        for (i, pool) in pools.iter().enumerate() {
            let thread = thread::Builder::new().name(worker(i)).stack_size(STACK);
            workers.push(thread.spawn_scoped(scope, || serve(pool)).map_err(|error| no_thread(&error))?);
        }
        let done = workers.into_iter().flat_map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)));
        Ok::<_, AutoMlError>(done.collect::<Vec<_>>())
    })?;
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

fn worker(i: usize) -> String {
    format!("fit-{i}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_done_once_and_the_threads_are_no_more_than_the_cores() {
        for (n, cores, threads) in [(5, 1, 1), (5, 2, 1), (2, 5, 2), (1, 4, 4), (3, 3, 1), (0, 2, 2)] {
            let items: Vec<usize> = (0..n).collect();
            let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let done = each(&items, cores, |&item, pool| {
                let own = pool.as_ref().map_or(1, |pool| pool.current_num_threads());
                assert_eq!(own, threads, "{n} items on {cores} cores");
                most.fetch_max(now.fetch_add(own, Ordering::SeqCst) + own, Ordering::SeqCst);
                thread::sleep(std::time::Duration::from_millis(5));
                now.fetch_sub(own, Ordering::SeqCst);
                Ok(item * 10)
            });
            assert_eq!(done.expect("nothing fails"), items.iter().map(|item| item * 10).collect::<Vec<_>>());
            assert!(most.into_inner() <= cores, "{n} items on {cores} cores");
        }
    }

    #[test]
    fn the_first_error_in_order_is_told() {
        let fail = |&item: &usize, _: &Pool| {
            if item < 2 { Ok(item) } else { Err(AutoMlError::Usage(format!("item {item}"))) }
        };
        let error = each(&[0, 1, 2, 3], 2, fail).expect_err("two of them fail");
        assert_eq!(error.to_string(), "item 2");
    }
}
