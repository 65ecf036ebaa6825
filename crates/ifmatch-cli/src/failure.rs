//! Errors as a person and a script see them; the exit code is a function of
//! the kind.

use std::process::ExitCode;

use ifmatch::{Current, Precondition, Retry};
use serde_json::{Map, Value, json};

use crate::output::Output;

/// An error of a command.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: &'static str,
    message: String,
    cause: Option<String>,
    retry: Retry,
    details: Map<String, Value>,
}

impl Failure {
    fn new(kind: &'static str, message: String, retry: Retry) -> Self {
        Self { kind, message, cause: None, retry, details: Map::new() }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new("invalid", message.into(), Retry::Never)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new("not_found", message.into(), Retry::Never)
    }

    pub(crate) fn other(message: impl Into<String>) -> Self {
        Self::new("other", message.into(), Retry::Never)
    }

    /// This failure, of a part of the input.
    pub(crate) fn within(mut self, part: &str) -> Self {
        self.message = format!("{part}: {}", self.message);
        self
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    fn caused_by(mut self, cause: Option<impl ToString>) -> Self {
        self.cause = cause.map(|cause| cause.to_string());
        self
    }

    /// Prints the error and gives the exit code.
    pub(crate) fn report(&self, output: &Output) -> ExitCode {
        let mut error = self.details.clone();
        error.insert("kind".to_owned(), self.kind.into());
        error.insert("message".to_owned(), self.message.clone().into());
        error.insert("retry".to_owned(), retry(self.retry).into());
        if let Some(cause) = &self.cause {
            error.insert("cause".to_owned(), cause.clone().into());
        }
        let cause = self.cause.as_ref().map(|cause| format!("\n  because: {cause}"));
        let text = format!("error: {}{}", self.message, cause.unwrap_or_default());
        output.error(&text, &json!({ "error": error }));
        ExitCode::from(code(self.kind))
    }
}

const fn retry(retry: Retry) -> &'static str {
    match retry {
        Retry::Same => "same",
        Retry::Rebase => "rebase",
        Retry::Verify => "verify",
        _ => "never",
    }
}

/// The exit code of a kind of error.
fn code(kind: &str) -> u8 {
    match kind {
        "invalid" => 2,
        "not_found" => 3,
        "conflict" | "partition_locked" | "busy" | "expired" => 4,
        "unavailable" => 5,
        "outcome_unknown" => 6,
        "lock_not_obtained" => 7,
        _ => 1,
    }
}

fn current(current: &Current) -> Value {
    match current {
        Current::Present(version) => version.to_string().into(),
        Current::Absent => "absent".into(),
        _ => Value::Null,
    }
}

fn expected(expected: &Precondition) -> Value {
    match expected {
        Precondition::IfMatch(version) => version.to_string().into(),
        Precondition::IfAbsent => "absent".into(),
        _ => "any".into(),
    }
}

impl From<ifmatch::Error> for Failure {
    fn from(error: ifmatch::Error) -> Self {
        let failure = Self::new(error.kind(), error.to_string(), error.retry())
            .caused_by(error.cause().map(|cause| chain(&**cause)));
        match &error {
            ifmatch::Error::Conflict(conflict) => failure
                .with("key", conflict.key.as_str())
                .with("expected", expected(&conflict.expected))
                .with("current", current(&conflict.current)),
            ifmatch::Error::OutcomeUnknown(unknown) => failure
                .with("key", unknown.key.as_str())
                .with("expected", expected(&unknown.expected))
                .with("write", unknown.write.map(|write| write.to_string())),
            _ => failure,
        }
    }
}

impl From<ifmatch::sync::Error> for Failure {
    fn from(error: ifmatch::sync::Error) -> Self {
        use ifmatch::sync::Error as E;
        let failure = Self::new(error.kind(), error.to_string(), error.retry());
        match error {
            E::Store(error) => error.into(),
            E::Conflict(conflict) => failure
                .with("expected", conflict.base.map(|base| base.to_string()))
                .with("current", conflict.remote.to_string())
                .with("reloaded", conflict.reloaded)
                .with("saved", conflict.saved.map(|path| path.display().to_string())),
            E::Io { source, .. } => failure.caused_by(Some(source)),
            E::Sqlite { source, .. } => failure.caused_by(Some(source)),
            _ => failure,
        }
    }
}

impl From<ifmatch::meta::Error> for Failure {
    fn from(error: ifmatch::meta::Error) -> Self {
        use ifmatch::meta::Error as E;
        let mut failure = Self::new(error.kind(), error.to_string(), error.retry());
        if let Some(index) = error.operation_index() {
            failure = failure.with("operation", index);
        }
        match (error.conflict(), &error) {
            (Some(conflict), _) => failure
                .with("partition", conflict.key.partition.as_str())
                .with("id", conflict.key.id.as_str())
                .with("expected", conflict.expected.to_string())
                .with("current", conflict.current.map(|etag| etag.to_string())),
            (None, E::PartitionLocked { partition, holder, remaining }) => failure
                .with("partition", partition.as_str())
                .with("holder", holder.as_str())
                .with("remaining_ms", remaining.map(millis)),
            (None, E::Busy { id, .. } | E::Expired { id, .. }) => {
                failure.with("transaction", id.as_str())
            }
            (None, E::Core(error)) => error.clone().into(),
            (None, E::OutcomeUnknown { source, .. }) => {
                let cause = chain(&**source);
                failure.caused_by(Some(cause))
            }
            _ => failure,
        }
    }
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// An error and what lies below it, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(error) = below {
        let line = error.to_string();
        if !text.ends_with(&line) {
            text.push_str(": ");
            text.push_str(&line);
        }
        below = error.source();
    }
    text
}
