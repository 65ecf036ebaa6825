//! Answers and their bytes on the wire.

use super::{answer::Problem, object::StoredObject};
use bytes::Bytes;
use jiff::Timestamp;
use std::{fmt::Write as _, time::SystemTime};

/// An answer. `Date` and `Content-Length` are added by [`Response::encode`].
#[derive(Clone, Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
}

impl Response {
    pub(super) fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    pub(super) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(super) fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header("Content-Type", content_type)
    }

    pub(super) fn xml(self, body: &str) -> Self {
        let document = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n{body}");
        self.body("application/xml", document)
    }

    /// An error with a code and a message in an XML body.
    pub(super) fn problem(problem: &Problem) -> Self {
        let Problem { status, code, message } = problem;
        Self::new(*status)
            .xml(&format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"))
    }

    /// An object or a part of it, metadata under this prefix.
    pub(super) fn object(object: &StoredObject, part: Option<(u64, u64)>, prefix: &str) -> Self {
        let size = object.body.len() as u64;
        let mut response = match part {
            Some((start, end)) => Self::new(206)
                .header("Content-Range", format!("bytes {start}-{}/{size}", end.saturating_sub(1))),
            None => Self::new(200),
        };
        let (start, end) = part.unwrap_or((0, size));
        let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(object.body.len());
        response.body = object.body.slice(index(start)..index(end));
        response.headers.push(("Accept-Ranges".to_owned(), "bytes".to_owned()));
        if !object.headers.iter().any(|(name, _)| name == "content-type") {
            response = response.header("Content-Type", "application/octet-stream");
        }
        response.headers.extend(object.headers.iter().cloned());
        for (name, value) in &object.metadata {
            response = response.header(&format!("{prefix}{name}"), value.as_str());
        }
        response.validators(object)
    }

    /// Adds `ETag` and `Last-Modified`.
    pub(super) fn validators(self, object: &StoredObject) -> Self {
        self.header("ETag", object.version.etag.as_str())
            .header("Last-Modified", http_date(object.last_modified))
    }

    /// The bytes of the answer. An answer to HEAD keeps the length of the body
    /// that a GET would have.
    pub(super) fn encode(&self, now: SystemTime, head: bool, keep_alive: bool) -> Encoded {
        let reason = reason(self.status);
        let mut text = format!("HTTP/1.1 {} {reason}\r\nDate: {}\r\n", self.status, http_date(now));
        for (name, value) in &self.headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        if !matches!(self.status, 204 | 304) {
            let _ = write!(text, "Content-Length: {}\r\n", self.body.len());
        }
        if !keep_alive {
            text.push_str("Connection: close\r\n");
        }
        text.push_str("\r\n");
        let head_len = text.len();
        let mut bytes = text.into_bytes();
        if !head && !matches!(self.status, 204 | 304) {
            bytes.extend_from_slice(&self.body);
        }
        Encoded { bytes, head_len }
    }
}

/// An answer as bytes.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    /// Where the body starts.
    pub(super) head_len: usize,
}

/// RFC 9110 section 5.6.7.
pub(super) fn http_date(time: SystemTime) -> String {
    timestamp(time).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// RFC 3339 with milliseconds, as in the listings of S3 and GCS.
pub(super) fn iso_date(time: SystemTime) -> String {
    timestamp(time).strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        304 => "Not Modified",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        409 => "Conflict",
        412 => "Precondition Failed",
        416 => "Range Not Satisfiable",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Unspecified",
    }
}
