//! Azure's batch of deletions: requests inside a multipart body, and answers alike.

use super::{
    answer::{Answer, DeletedOne, Problem},
    azure::Azure,
    call::{Call, Deletion},
    http::HttpRequest,
    protocol::{self, Protocol as _},
    response::Response,
};
use std::fmt::Write as _;

const BOUNDARY: &str = "batchresponse_0";

/// Parses the batch; every request in it must be a deletion.
pub(super) fn parse(azure: &Azure, request: &HttpRequest) -> Result<Call, Problem> {
    let malformed = || Problem::new(400, "InvalidInput", "The batch is malformed.");
    let boundary = request
        .header("content-type")
        .and_then(|value| value.split_once("boundary="))
        .map(|(_, boundary)| format!("--{}", boundary.trim_matches('"')))
        .ok_or_else(malformed)?;
    let body = String::from_utf8_lossy(&request.body);
    let mut deletions = Vec::new();
    // Before the first boundary stands nothing, after the last one `--`.
    for part in body.split(&boundary).skip(1).filter(|part| !part.starts_with("--")) {
        let (headers, inner) = part.trim_start().split_once("\r\n\r\n").ok_or_else(malformed)?;
        let (inner, _) =
            HttpRequest::parse_head(inner.as_bytes()).ok().flatten().ok_or_else(malformed)?;
        match azure.parse(&inner)? {
            Call::Delete { key, conditions } => {
                deletions.push(Deletion { id: content_id(headers), key, conditions });
            }
            _ => return Err(protocol::unsupported()),
        }
    }
    Ok(Call::DeleteMany(deletions))
}

/// The answer to a batch, from the answers to its parts.
pub(super) fn render(verdicts: &[DeletedOne], answer: impl Fn(&Answer) -> Response) -> Response {
    let mut body = String::new();
    for verdict in verdicts {
        let Response { status, headers, .. } = answer(&verdict.answer);
        let _ = write!(
            body,
            "--{BOUNDARY}\r\nContent-Type: application/http\r\nContent-ID: {}\r\n\r\nHTTP/1.1 {status} Done\r\n",
            verdict.id
        );
        for (name, value) in headers.iter().filter(|(name, _)| name.starts_with("x-ms-")) {
            let _ = write!(body, "{name}: {value}\r\n");
        }
        body.push_str("\r\n");
    }
    let _ = write!(body, "--{BOUNDARY}--\r\n");
    Response::new(202).body(&format!("multipart/mixed; boundary={BOUNDARY}"), body)
}

fn content_id(headers: &str) -> String {
    headers
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-id"))
        .map(|(_, value)| value.trim().to_owned())
        .unwrap_or_default()
}
