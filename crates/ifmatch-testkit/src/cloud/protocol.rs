//! What a dialect has to say: from request to call, from answer to response.

use super::{
    answer::{Answer, Problem},
    azure::Azure,
    call::{ByteRange, Call},
    config::{CloudConfig, Dialect},
    gcs::Gcs,
    http::HttpRequest,
    object::Meta,
    response::Response,
    s3::S3,
    view::Operation,
};
use std::fmt;

/// One dialect.
pub(super) trait Protocol: fmt::Debug + Send + Sync {
    /// What the request asks for.
    fn parse(&self, request: &HttpRequest) -> Result<Call, Problem>;

    /// The response to a verdict on this kind of request.
    fn render(&self, operation: Operation, answer: &Answer) -> Response;

    /// The error code that stands for a status on its own.
    fn code(&self, status: u16) -> &'static str;

    /// An error with this dialect's headers.
    fn problem(&self, problem: &Problem) -> Response;

    /// Adds the headers that every response has.
    fn sign(&self, seq: u64, response: Response) -> Response;
}

/// The protocol of a dialect.
pub(super) fn protocol(dialect: Dialect, config: &CloudConfig) -> Box<dyn Protocol> {
    let bucket = config.bucket.clone();
    match dialect {
        Dialect::S3 => Box::new(S3 { bucket }),
        Dialect::Gcs => Box::new(Gcs { bucket }),
        Dialect::Azure => Box::new(Azure { account: config.account.clone(), container: bucket }),
    }
}

/// Request headers that an object keeps and gives back.
const KEPT: [&str; 5] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
];

/// What the request says about the object: metadata under `metadata_prefix`,
/// kept headers under `header_prefix`.
pub(super) fn meta(request: &HttpRequest, metadata_prefix: &str, header_prefix: &str) -> Meta {
    let mut meta = Meta::default();
    for (name, value) in &request.headers {
        if let Some(name) = name.strip_prefix(metadata_prefix) {
            meta.metadata.insert(name.to_owned(), value.clone());
        } else if let Some(name) = name.strip_prefix(header_prefix)
            && KEPT.contains(&name)
        {
            meta.headers.push((name.to_owned(), value.clone()));
        }
    }
    meta
}

/// The range that a read asks for.
pub(super) fn range(request: &HttpRequest) -> Option<ByteRange> {
    request.header("x-ms-range").or_else(|| request.header("range")).and_then(ByteRange::parse)
}

/// 501 for everything outside the subset.
pub(super) fn unsupported() -> Problem {
    Problem::new(501, "NotImplemented", "This server does not speak that part of the API.")
}
