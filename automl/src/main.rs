//! The `automl` program: sizes the thread pools, listens for Ctrl-C, and hands over to the library's command line.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use automl::cli::Interrupt;
use automl::{Clock, WORKER, cli};

fn main() -> ExitCode {
    let clock = Clock::start();
    match start(clock) {
        Ok(code) => code,
        Err(error) => {
            // Nothing has been set up yet that could say it better.
            let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("error: {error:#}\n").as_bytes());
            ExitCode::from(1)
        }
    }
}

fn start(clock: Clock) -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().collect();
    size_pools(cli::cores_asked(&arguments)).context("starting the computing threads")?;
    let interrupt = listen().context("listening for Ctrl-C")?;
    record_panics_of_trials();
    Ok(ExitCode::from(cli::run(arguments, clock, interrupt)))
}

/// Every computing thread is counted: the readers' and the engine's pools hold as many as were asked for.
fn size_pools(cores: usize) -> anyhow::Result<()> {
    #[expect(unsafe_code, reason = "polars reads the size of its pool from the environment, once, at first use")]
    // SAFETY: `main` calls this first, while the process has a single thread.
    unsafe {
        std::env::set_var("POLARS_MAX_THREADS", cores.to_string());
    }
    rayon::ThreadPoolBuilder::new().num_threads(cores).build_global()?;
    Ok(())
}

/// While nothing would be lost, Ctrl-C ends the program. During a search the first asks it to end and keep everything;
/// the second ends the program at once.
fn listen() -> anyhow::Result<Interrupt> {
    let interrupt = Interrupt::default();
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        let (searching, stop) = (interrupt.searching.clone(), interrupt.stop.clone());
        signal_hook::flag::register_conditional_shutdown(signal, 130, stop.clone())?;
        signal_hook::flag::register(signal, stop)?;
        // Actions run in this order: once stop is set and no search is on, the program ends here.
        let idle = move || {
            if !searching.load(Ordering::Relaxed) {
                signal_hook::low_level::exit(130);
            }
        };
        #[expect(unsafe_code, reason = "an action of a signal runs in its handler")]
        // SAFETY: the action loads an atomic and calls `_exit`, both safe in a signal handler.
        unsafe {
            signal_hook::low_level::register(signal, idle)?;
        }
    }
    // A file that may not grow further is then an error of the write, which says so, not the end of the program.
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    Ok(interrupt)
}

/// A trial that panics is recorded with its reason; its message does not belong on the screen.
fn record_panics_of_trials() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let trial = std::thread::current().name().is_some_and(|name| name.starts_with(WORKER));
        if !trial {
            usual(info);
        }
    }));
}
