//! What really went over the wire during one call of `object_store`.
//!
//! Its errors hide the status code, and say "already exists" of a 409 that
//! wrote nothing. So the [connector](super::connector) notes the exchange, and
//! the [classification](super::classify) reads the note.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use ifmatch_core::Timestamp;
use object_store::client::HttpErrorKind;

/// How the last request to the store ended.
#[derive(Clone, Debug)]
pub(super) enum Wire {
    /// The whole head of an answer arrived, and of an error its body too.
    Answered(Answer),
    /// No answer arrived, or only a part of one.
    Broken(HttpErrorKind),
}

/// An answer, as far as it matters here.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) date: Option<Timestamp>,
    pub(super) retry_after: Option<Duration>,
    /// The provider's error code, where the answer is an error that has one.
    pub(super) code: Option<String>,
    /// The id to quote to the provider.
    pub(super) request_id: Option<String>,
}

#[derive(Debug, Default)]
struct Note {
    headers: Vec<(HeaderName, HeaderValue)>,
    wire: Option<Wire>,
}

/// The note of one call.
#[derive(Clone, Debug, Default)]
pub(super) struct Exchange(Arc<Mutex<Note>>);

tokio::task_local! {
    static CURRENT: Exchange;
}

impl Exchange {
    /// Adds a header to the requests of this call.
    pub(super) fn add_header(&self, name: &'static str, value: &str) {
        // A value that no header can hold cannot have come from one.
        if let Ok(value) = HeaderValue::from_str(value) {
            self.note().headers.push((HeaderName::from_static(name), value));
        }
    }

    /// Runs `call`; requests that it sends are noted here.
    pub(super) async fn during<F: Future>(&self, call: F) -> F::Output {
        CURRENT.scope(self.clone(), call).await
    }

    /// How the last request ended; `None` where none was sent.
    pub(super) fn wire(&self) -> Option<Wire> {
        self.note().wire.clone()
    }

    /// The store's clock at the last answer.
    pub(super) fn date(&self) -> Option<Timestamp> {
        match self.note().wire.as_ref()? {
            Wire::Answered(answer) => answer.date,
            Wire::Broken(_) => None,
        }
    }

    fn note(&self) -> std::sync::MutexGuard<'_, Note> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds the current call's headers to a request that is about to be sent.
pub(super) fn add_headers(to: &mut HeaderMap) {
    let _ = CURRENT.try_with(|exchange| {
        for (name, value) in &exchange.note().headers {
            to.insert(name.clone(), value.clone());
        }
    });
}

/// Notes how a request of the current call ended.
pub(super) fn record(wire: Wire) {
    let _ = CURRENT.try_with(|exchange| exchange.note().wire = Some(wire));
}
