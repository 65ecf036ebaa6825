//! What an exchange means: the one place that reads status codes.
//!
//! | on the wire | a write | a read |
//! |---|---|---|
//! | 412 and 404 of the blob under a condition; Azure's 409 `BlobAlreadyExists` | rejected | conflict |
//! | 412 without a condition of ours, or of a lease | refused | an error |
//! | 304 | refused | not modified |
//! | 404 of the blob, nothing expected | a delete: done already | absent |
//! | 409 otherwise | unknown | unavailable |
//! | 408, 429, 5xx, S3's 400 `RequestTimeout` | unknown | unavailable |
//! | closed, reset, half an answer, stalled | unknown | unavailable |
//! | could not connect, no request sent | refused: unavailable | unavailable |
//! | 401, 403, no credentials | refused: denied | denied |
//! | 404 of the bucket or container | refused: not found | not found |
//! | 413, 501 and any other 4xx or 3xx | refused | an error |
//! | 2xx that `object_store` cannot read | unknown | unavailable |
//! | 200 to a range | - | unsupported |
//! | a name that is no key in a listing | - | an error |
//!
//! "Rejected" is still no verdict: see [`ifmatch_core::Attempt`].

use std::sync::Arc;

use http::StatusCode;
use ifmatch_core::{Error, Operation, Precondition, Reason, Source};
use object_store::Error as ObjectError;
use object_store::client::HttpErrorKind;

use super::exchange::{Answer, Wire};
use super::redact;

/// How a request failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// A whole answer says that the precondition did not hold.
    Rejected,
    /// A whole answer says that there is no such blob.
    Missing,
    /// A whole answer says that the blob still has the version given.
    Unchanged,
    /// It was not applied.
    Refused(Error),
    /// It may have been applied.
    Unknown(Error),
}

impl Failure {
    /// The error, where the call was one to which no other answer makes sense.
    pub(super) fn into_error(self, asked: &Asked<'_>) -> Error {
        match self {
            Self::Refused(error) | Self::Unknown(error) => error,
            Self::Rejected | Self::Missing | Self::Unchanged => {
                asked.other(Reason::source("the store answered what it was not asked"))
            }
        }
    }
}

/// What was asked for, as messages name it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) operation: Operation,
    pub(super) subject: &'a str,
    pub(super) store: &'a str,
    pub(super) precondition: Option<&'a Precondition>,
}

/// Classifies a failed call by what the wire showed, and by `object_store`'s
/// error where it showed nothing.
pub(super) fn classify(
    asked: &Asked<'_>,
    wire: Option<&Wire>,
    error: &ObjectError,
    foreign: bool,
) -> Failure {
    match wire {
        Some(Wire::Answered(answer)) => by_status(asked, answer, error),
        Some(Wire::Broken(HttpErrorKind::Connect)) => {
            Failure::Refused(asked.unavailable(redact::source(error)))
        }
        Some(Wire::Broken(_)) => Failure::Unknown(asked.unavailable(redact::source(error))),
        // A store that was handed to us ready-made: no connector of ours is in
        // it, and it may have sent the request again by itself.
        None if foreign => by_kind(asked, error),
        None => Failure::Refused(asked.not_sent(error)),
    }
}

fn by_status(asked: &Asked<'_>, answer: &Answer, error: &ObjectError) -> Failure {
    let source = redact::source(error);
    let code = answer.code.as_deref().unwrap_or_default();
    let under = |wanted: fn(&Precondition) -> bool| asked.precondition.is_some_and(wanted);
    match answer.status {
        StatusCode::NOT_MODIFIED => Failure::Unchanged,
        // A blob under a lease that is not ours, or a condition that we did not
        // set: nothing was compared with what we expect.
        StatusCode::PRECONDITION_FAILED
            if code.starts_with("Lease") || !under(|p| *p != Precondition::Overwrite) =>
        {
            Failure::Refused(asked.other(source))
        }
        StatusCode::PRECONDITION_FAILED => Failure::Rejected,
        StatusCode::CONFLICT
            if code == "BlobAlreadyExists" && under(|p| matches!(p, Precondition::IfAbsent)) =>
        {
            Failure::Rejected
        }
        StatusCode::NOT_FOUND if is_bucket(code) => {
            let what: Arc<str> = format!("{}: no such bucket or container", asked.store).into();
            Failure::Refused(Error::NotFound { what })
        }
        StatusCode::NOT_FOUND if under(|p| matches!(p, Precondition::IfMatch(_))) => {
            Failure::Rejected
        }
        StatusCode::NOT_FOUND if asked.operation != Operation::Put => Failure::Missing,
        StatusCode::NOT_FOUND => {
            let what: Arc<str> = format!("{}: the store says 404 to a put", asked.store).into();
            Failure::Refused(Error::NotFound { what })
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Failure::Refused(asked.denied(source)),
        StatusCode::BAD_REQUEST if code == "RequestTimeout" => {
            Failure::Unknown(asked.unavailable(source))
        }
        StatusCode::BAD_REQUEST if is_credential(code) => Failure::Refused(asked.denied(source)),
        StatusCode::NOT_IMPLEMENTED => Failure::Refused(Error::unsupported(format!(
            "{} does not implement a request that is needed: {source}",
            asked.store
        ))),
        StatusCode::CONFLICT
        | StatusCode::REQUEST_TIMEOUT
        | StatusCode::TOO_EARLY
        | StatusCode::TOO_MANY_REQUESTS => Failure::Unknown(asked.busy(answer, source)),
        status if status.is_server_error() => Failure::Unknown(asked.busy(answer, source)),
        // A listing holds a name that `object_store` takes for none. Asking
        // again gives the same.
        status if status.is_success() && matches!(error, ObjectError::InvalidPath { .. }) => {
            Failure::Refused(asked.other(source))
        }
        // An answer of success that could not be understood.
        status if status.is_success() => Failure::Unknown(asked.unavailable(source)),
        status => {
            let id = answer.request_id.as_deref().unwrap_or("none");
            let text = format!("status {status}, code {code:?}, request id {id}: {source}");
            Failure::Refused(asked.other(Reason::source(text)))
        }
    }
}

fn is_bucket(code: &str) -> bool {
    matches!(code, "NoSuchBucket" | "ContainerNotFound" | "ContainerBeingDeleted")
}

fn is_credential(code: &str) -> bool {
    matches!(
        code,
        "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired" | "AuthorizationHeaderMalformed"
    )
}

/// Without our connector there is no status: `Precondition` and
/// `AlreadyExists` may be our own success.
fn by_kind(asked: &Asked<'_>, error: &ObjectError) -> Failure {
    use ObjectError as E;
    let source = redact::source(error);
    match error {
        E::NotFound { .. } if asked.operation == Operation::Put => {
            Failure::Unknown(asked.unavailable(source))
        }
        E::NotFound { .. } => Failure::Missing,
        E::NotModified { .. } => Failure::Unchanged,
        E::Precondition { .. } if asked.operation != Operation::Put => Failure::Rejected,
        E::PermissionDenied { .. } | E::Unauthenticated { .. } => {
            Failure::Refused(asked.denied(source))
        }
        E::NotSupported { .. } | E::NotImplemented { .. } => Failure::Refused(Error::unsupported(
            format!("{} cannot do this: {source}", asked.store),
        )),
        E::InvalidPath { .. } | E::UnknownConfigurationKey { .. } => {
            Failure::Refused(asked.other(source))
        }
        _ => Failure::Unknown(asked.unavailable(source)),
    }
}

impl Asked<'_> {
    fn subject(&self) -> Arc<str> {
        match self.subject {
            "" => self.store.into(),
            subject => format!("{subject} in {}", self.store).into(),
        }
    }

    pub(super) fn unavailable(&self, source: Source) -> Error {
        let (operation, subject) = (self.operation, self.subject());
        Error::Unavailable { operation, subject, retry_after: None, source }
    }

    fn busy(&self, answer: &Answer, source: Source) -> Error {
        let (operation, subject) = (self.operation, self.subject());
        Error::Unavailable { operation, subject, retry_after: answer.retry_after, source }
    }

    fn denied(&self, source: Source) -> Error {
        Error::Denied { operation: self.operation, subject: self.subject(), source }
    }

    fn other(&self, source: Source) -> Error {
        Error::Other { operation: self.operation, subject: self.subject(), source }
    }

    /// No request reached the store: credentials could not be had, or the
    /// client refused to build one.
    fn not_sent(&self, error: &ObjectError) -> Error {
        use ObjectError as E;
        let source = redact::source(error);
        match error {
            E::NotSupported { .. } | E::NotImplemented { .. } => {
                Error::unsupported(format!("{} cannot do this: {source}", self.store))
            }
            E::InvalidPath { .. } => self.other(source),
            _ => self.denied(Reason::source(format!("no usable credentials: {source}"))),
        }
    }
}

#[cfg(test)]
mod tests;
