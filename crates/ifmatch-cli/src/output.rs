//! What is printed: text for a person or JSON for a script.

use std::io::{IsTerminal, Write};

use serde::Serialize;
use serde_json::Value;

use crate::arguments::Global;
use crate::failure::Failure;

/// Where and how results are printed.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    quiet: bool,
}

impl Output {
    pub(crate) fn new(global: &Global) -> Self {
        Self { json: global.json, quiet: global.quiet }
    }

    /// JSON, for errors before the options are known.
    pub(crate) const fn json() -> Self {
        Self { json: true, quiet: false }
    }

    /// A result: one line of text, or one JSON document.
    pub(crate) fn result(&self, text: &str, json: &impl Serialize) -> Result<(), Failure> {
        let line = if self.json {
            serde_json::to_string(json).map_err(|error| Failure::other(error.to_string()))?
        } else {
            text.to_owned()
        };
        if line.is_empty() {
            return Ok(());
        }
        self.bytes(format!("{line}\n").as_bytes())
    }

    /// A remark that is no result.
    pub(crate) fn remark(&self, text: &str) {
        if !self.quiet && !self.json {
            // A remark that cannot be printed is no reason to fail.
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// Metadata of a body that goes to standard output.
    pub(crate) fn beside(&self, json: &Value) {
        if self.json {
            let _ = writeln!(std::io::stderr(), "{json}");
        }
    }

    /// A body, as it is. A reader that went away is no error.
    #[allow(clippy::unused_self)] // Everything printed goes through here.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Failure::other(format!("standard output cannot be written: {error}")))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn error(&self, text: &str, json: &Value) {
        let mut err = std::io::stderr().lock();
        let _ = if self.json { writeln!(err, "{json}") } else { writeln!(err, "{text}") };
    }

    /// Whether a progress bar has somebody to look at it.
    pub(crate) fn shows_progress(&self) -> bool {
        !self.json && !self.quiet && std::io::stderr().is_terminal()
    }
}
