//! What PostgreSQL says, in words of ours: what was applied, what to do.

use std::sync::Arc;

use ifmatch_core::{Error as CoreError, Operation, Reason, Source};
use ifmatch_meta::Error;
use sqlx::postgres::{PgDatabaseError, PgSeverity};

/// What is known of a statement that failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sent {
    /// It was never sent, or it only reads: nothing was applied.
    Nothing,
    /// It writes, and it was sent.
    Write,
}

/// Why a statement failed, as far as it decides what comes next.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) class: Class,
    /// Never holds values or credentials.
    reason: Source,
    code: String,
}

/// Kinds of failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    /// The server rolled it back because of others: send it again.
    Again,
    /// The connection is gone, or the server ended it.
    Lost,
    /// The pool was closed.
    Closed,
    /// No connection, no resources, no time.
    Unavailable,
    /// Not allowed.
    Denied,
    /// A value or a schema that cannot be.
    Corrupt,
    /// No such table or function.
    Missing,
    /// Anything else.
    Other,
}

impl Failure {
    /// A command that took too long: the connection is given up.
    pub(super) fn slow(what: &'static str) -> Self {
        Self { class: Class::Lost, reason: Reason::source(what), code: String::new() }
    }

    /// The error as callers see it.
    pub(super) fn named(self, sent: Sent, operation: Operation, subject: &Arc<str>) -> Error {
        let (subject, source) = (subject.clone(), self.reason);
        match self.class {
            Class::Lost | Class::Other if sent == Sent::Write && self.code.is_empty() => {
                Error::OutcomeUnknown { subject, source }
            }
            Class::Lost if sent == Sent::Write => Error::OutcomeUnknown { subject, source },
            Class::Closed => Error::closed(subject),
            Class::Again | Class::Lost | Class::Unavailable => {
                CoreError::Unavailable { operation, subject, retry_after: None, source }.into()
            }
            Class::Denied => CoreError::Denied { operation, subject, source }.into(),
            Class::Corrupt => Error::corrupt(subject, source.to_string()),
            Class::Missing => CoreError::NotFound {
                what: format!("a document store in {subject} ({source})").into(),
            }
            .into(),
            Class::Other => CoreError::Other { operation, subject, source }.into(),
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        let class = match &error {
            E::Database(database) => return from_server(database.try_downcast_ref()),
            E::Io(_) | E::Protocol(_) => Class::Lost,
            E::PoolClosed => Class::Closed,
            E::PoolTimedOut | E::Tls(_) | E::WorkerCrashed => Class::Unavailable,
            E::ColumnDecode { .. } | E::Decode(_) | E::ColumnNotFound(_) | E::RowNotFound => {
                Class::Corrupt
            }
            _ => Class::Other,
        };
        let reason = match error {
            E::Configuration(_) => Reason::source("the connection's settings cannot be used"),
            E::PoolTimedOut => Reason::source("no connection became free in time"),
            error => Reason::source(error.to_string()),
        };
        Self { class, reason, code: String::new() }
    }
}

/// Judges by SQLSTATE and severity: a statement that ends with ERROR was rolled
/// back; one that ends with FATAL or PANIC may have been committed just before.
fn from_server(error: Option<&PgDatabaseError>) -> Failure {
    let Some(error) = error else {
        return Failure::slow("the server answered an error that cannot be read");
    };
    let code = error.code();
    let class = match (error.severity(), code) {
        (PgSeverity::Fatal | PgSeverity::Panic, _) | (_, "40003") => match code {
            // Refused before anything was sent.
            "28000" | "28P01" | "42501" => Class::Denied,
            "3D000" => Class::Missing,
            "53300" | "57P03" => Class::Unavailable,
            _ => Class::Lost,
        },
        (_, "40001" | "40P01") => Class::Again,
        (_, "42501" | "25006" | "28000" | "28P01") => Class::Denied,
        (_, "42P01" | "42883" | "3F000" | "42703") => Class::Missing,
        (_, "57014" | "55P03" | "57P03") => Class::Unavailable,
        (_, "XX001" | "XX002") => Class::Corrupt,
        (_, code) if code.starts_with("53") => Class::Unavailable,
        _ => Class::Other,
    };
    let reason = Reason::source(format!("{} (SQLSTATE {code})", error.message()));
    Failure { class, reason, code: code.into() }
}

#[cfg(test)]
mod tests {
    use ifmatch_core::Retry;

    use super::*;

    #[test]
    fn what_was_sent_decides_what_may_have_been_applied() {
        let subject: Arc<str> = "postgres:h:1/d/ifmatch".into();
        let lost = || Failure::from(sqlx::Error::Io(std::io::Error::other("reset")));
        let error = lost().named(Sent::Write, Operation::Put, &subject);
        assert_eq!((error.kind(), error.retry()), ("outcome_unknown", Retry::Verify));
        let error = lost().named(Sent::Nothing, Operation::Put, &subject);
        assert_eq!((error.kind(), error.retry()), ("unavailable", Retry::Same));
        let error = Failure::from(sqlx::Error::PoolClosed);
        assert_eq!(error.named(Sent::Nothing, Operation::Get, &subject).kind(), "closed");
        let error = Failure::from(sqlx::Error::PoolTimedOut);
        assert_eq!(error.named(Sent::Nothing, Operation::Get, &subject).kind(), "unavailable");
    }
}
