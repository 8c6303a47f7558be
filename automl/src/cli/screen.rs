//! What is written to the terminal: results on standard output, everything else on standard error. A reader that goes
//! away (a closed pipe) is no error.

use std::io::Write;
use std::path::Path;

use console::{Style, Term};

/// Standard output and error, and how much to say on them.
pub(super) struct Screen {
    json: bool,
    quiet: bool,
    /// Whether whoever read standard output has gone away.
    gone: bool,
}

impl Screen {
    pub(super) fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet, gone: false }
    }

    /// Whether the one JSON document is all that is wanted.
    pub(super) fn json(&self) -> bool {
        self.json
    }

    /// Whether a live picture can and should be drawn.
    pub(super) fn live(&self) -> bool {
        !self.json && !self.quiet && Term::stderr().is_term()
    }

    /// Whether progress is to be told in plain lines.
    pub(super) fn plain_progress(&self) -> bool {
        !self.json && !self.quiet && !self.live()
    }

    /// A line of the result.
    pub(super) fn line(&mut self, text: &str) {
        if !self.json {
            self.raw(&format!("{text}\n"));
        }
    }

    /// A line that explains; not in quiet mode.
    pub(super) fn say(&mut self, text: &str) {
        if !self.quiet {
            self.line(text);
        }
    }

    /// A line about the work, on standard error.
    pub(super) fn note(&mut self, text: &str) {
        if !self.json && !self.quiet {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// The one JSON document.
    pub(super) fn document(&mut self, value: &serde_json::Value) {
        self.raw(&format!("{value:#}\n"));
    }

    /// Bytes as they are.
    pub(super) fn raw(&mut self, text: &str) {
        if self.gone {
            return;
        }
        // A reader that went away is no error; there is only nobody left to write to.
        self.gone |= std::io::stdout().write_all(text.as_bytes()).and_then(|()| std::io::stdout().flush()).is_err();
    }

    /// What went wrong and what to do about it.
    pub(super) fn error(message: &str, hint: Option<&str>) {
        let label = Style::new().for_stderr().red().bold().apply_to("error:");
        let _ = writeln!(std::io::stderr(), "{label} {message}");
        if let Some(hint) = hint {
            let label = Style::new().for_stderr().bold().apply_to("help:");
            let _ = writeln!(std::io::stderr(), "{label}  {hint}");
        }
    }
}

/// A label at the left of a block of lines.
pub(super) fn label(text: &str) -> String {
    Style::new().bold().apply_to(format!("{text:<10}")).to_string()
}

/// Less important text.
pub(super) fn soft(text: &str) -> String {
    Style::new().dim().apply_to(text).to_string()
}

/// Text that must not be missed.
pub(super) fn loud(text: &str) -> String {
    Style::new().red().bold().apply_to(text).to_string()
}

/// The best of something.
pub(super) fn good(text: &str) -> String {
    Style::new().green().apply_to(text).to_string()
}

/// A path as seen from here, where it lies below.
pub(super) fn relative(path: &str) -> String {
    let below = std::env::current_dir()
        .ok()
        .and_then(|here| Path::new(path).strip_prefix(here).ok().map(|below| below.display().to_string()));
    below.unwrap_or_else(|| path.to_owned())
}
