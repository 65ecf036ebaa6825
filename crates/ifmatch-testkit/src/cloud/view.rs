//! A request as tests, matchers and plans see it.

use super::{call::Call, conditions::Conditions, config::Dialect, http::HttpRequest, object::Meta};
use std::fmt;

/// The kind of a request, whatever its method and path in the dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Write of a whole object.
    Put,
    /// Read of an object or a range of it.
    Get,
    /// Read of an object's headers.
    Head,
    /// Deletion of one object by its own request.
    Delete,
    /// Deletion of several objects by one request; `object_store` deletes
    /// single objects of S3 and Azure in this way too.
    DeleteMany,
    /// One page of a listing.
    List,
    /// Start of an upload in parts.
    CreateUpload,
    /// One part, or one block of Azure.
    PutPart,
    /// The end of an upload in parts: this is what writes the object.
    CompleteUpload,
    /// Abandoning of an upload in parts.
    AbortUpload,
    /// A request that the server does not understand.
    Unknown,
}

/// A request that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestView {
    /// Its number, in order of arrival from 0.
    pub seq: u64,
    /// The dialect of the server.
    pub dialect: Dialect,
    /// What it asks for.
    pub operation: Operation,
    /// The HTTP method.
    pub method: String,
    /// The keys it names: one, those of a batch, or the prefix of a listing.
    pub keys: Vec<String>,
    /// Its conditions; those inside a batch are not in here.
    pub conditions: Conditions,
    /// The metadata field `ifmatchid`.
    pub write_id: Option<String>,
    /// The metadata field `ifmatchbase`.
    pub write_base: Option<String>,
    /// The scheme of the `Authorization` header; never its credential.
    pub authorization: Option<String>,
    /// The names, without values, of its `x-amz-*`, `x-goog-*` or `x-ms-*` headers.
    pub vendor_headers: Vec<String>,
    /// Bytes of its body.
    pub body_len: usize,
}

impl RequestView {
    pub(super) fn new(
        seq: u64,
        dialect: Dialect,
        request: &HttpRequest,
        call: Option<&Call>,
    ) -> Self {
        let meta = call.and_then(Call::meta);
        let vendor = ["x-amz-", "x-goog-", "x-ms-"];
        let is_vendor = |name: &&String| vendor.iter().any(|prefix| name.starts_with(prefix));
        let scheme = |value: &str| value.split_whitespace().next().map(str::to_owned);
        Self {
            seq,
            dialect,
            operation: call.map_or(Operation::Unknown, Call::operation),
            method: request.method.clone(),
            keys: call.map(Call::keys).unwrap_or_default(),
            conditions: call.map(Call::conditions).unwrap_or_default(),
            write_id: meta.and_then(Meta::write_id),
            write_base: meta.and_then(Meta::write_base),
            authorization: request.header("authorization").and_then(scheme),
            vendor_headers: request
                .headers
                .iter()
                .map(|(name, _)| name)
                .filter(is_vendor)
                .cloned()
                .collect(),
            body_len: request.body.len(),
        }
    }

    /// The first key it names, or the empty string.
    pub fn key(&self) -> &str {
        self.keys.first().map_or("", String::as_str)
    }
}

impl fmt::Display for RequestView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} {} {:?} {}", self.seq, self.dialect, self.operation, self.key())
    }
}
