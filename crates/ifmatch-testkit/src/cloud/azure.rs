//! The dialect of Azure Blob Storage.

use super::{
    answer::{Answer, Problem},
    azure_batch,
    call::Call,
    conditions::{Conditions, Refusal},
    http::{HttpRequest, decode},
    list::{ListQuery, Page},
    object::StoredObject,
    protocol::{self, Protocol},
    response::{Response, http_date},
    view::Operation,
    xml::{escape, texts},
};
use std::fmt::Write as _;

const META: &str = "x-ms-meta-";

/// Query parameters that the subset knows, apart from those of signatures.
const PARAMS: [&str; 10] = [
    "comp",
    "restype",
    "prefix",
    "delimiter",
    "marker",
    "startFrom",
    "maxresults",
    "blockid",
    "timeout",
    "include",
];

/// Query parameters of a shared access signature, which nobody checks.
const SIGNATURE: [&str; 16] = [
    "sv", "ss", "srt", "sp", "st", "se", "sr", "sip", "spr", "sig", "skoid", "sktid", "skt", "ske",
    "sks", "skv",
];

#[derive(Debug)]
pub(super) struct Azure {
    pub(super) account: String,
    pub(super) container: String,
}

impl Protocol for Azure {
    fn parse(&self, request: &HttpRequest) -> Result<Call, Problem> {
        let path = request.path.trim_start_matches('/');
        let mut segments = path.splitn(3, '/').map(decode);
        let mut next = || segments.next().unwrap_or_default();
        let (account, container, key) = (next(), next(), next());
        if account != self.account {
            return Err(Problem::new(400, "InvalidUri", "The account is not served here."));
        }
        if container != self.container {
            return Err(Problem::new(
                404,
                "ContainerNotFound",
                "The specified container does not exist.",
            ));
        }
        let known = |name: &str| PARAMS.contains(&name) || SIGNATURE.contains(&name);
        if request.query.iter().any(|(name, _)| !known(name)) {
            return Err(protocol::unsupported());
        }
        if key.is_empty() { self.parse_container(request) } else { parse_blob(request, key) }
    }

    fn render(&self, operation: Operation, answer: &Answer) -> Response {
        match answer {
            Answer::Stored(object) | Answer::Completed(object) => Response::new(201)
                .validators(object)
                .header("x-ms-request-server-encrypted", "true"),
            Answer::Found(object, part) => Response::object(object, *part, META)
                .header("x-ms-blob-type", "BlockBlob")
                .header("x-ms-lease-status", "unlocked")
                .header("x-ms-server-encrypted", "true"),
            Answer::NotModified(object) => {
                Response::new(304).validators(object).header("x-ms-error-code", "ConditionNotMet")
            }
            Answer::Deleted | Answer::Aborted => {
                Response::new(202).header("x-ms-delete-type-permanent", "true")
            }
            Answer::Refused(Refusal::Missing)
                if operation != Operation::Put && operation != Operation::CompleteUpload =>
            {
                self.missing()
            }
            Answer::Missing => self.missing(),
            Answer::Refused(Refusal::Exists) => self.problem(&Problem::new(
                409,
                "BlobAlreadyExists",
                "The specified blob already exists.",
            )),
            Answer::Refused(_) => self.problem(&Problem::new(
                412,
                "ConditionNotMet",
                "The condition specified using HTTP conditional header(s) is not met.",
            )),
            Answer::Unsatisfiable(size) => self
                .problem(&Problem::new(
                    416,
                    "InvalidRange",
                    "The range specified is invalid for the current size of the resource.",
                ))
                .header("Content-Range", format!("bytes */{size}")),
            Answer::DeletedMany(verdicts) => {
                azure_batch::render(verdicts, |answer| self.render(Operation::Delete, answer))
            }
            Answer::Listing(page) => listing(&self.container, page),
            Answer::UploadCreated { .. } | Answer::PartStored { .. } => Response::new(201),
            Answer::NoUpload => self.problem(&Problem::new(
                400,
                "InvalidBlockList",
                "The specified block list is invalid.",
            )),
        }
    }

    fn code(&self, status: u16) -> &'static str {
        match status {
            403 => "AuthorizationFailure",
            404 => "BlobNotFound",
            408 | 500 => "InternalError",
            // A 409 that says nothing about whether the blob exists.
            409 => "PendingCopyOperation",
            412 => "ConditionNotMet",
            429 => "TooManyRequests",
            503 => "ServerBusy",
            _ => "InvalidInput",
        }
    }

    fn problem(&self, problem: &Problem) -> Response {
        Response::problem(problem).header("x-ms-error-code", problem.code)
    }

    fn sign(&self, seq: u64, response: Response) -> Response {
        response
            .header("Server", "Windows-Azure-Blob/1.0")
            .header("x-ms-request-id", format!("00000000-0000-0000-0000-{seq:012x}"))
            .header("x-ms-version", "2023-11-03")
    }
}

impl Azure {
    fn missing(&self) -> Response {
        self.problem(&Problem::new(404, "BlobNotFound", "The specified blob does not exist."))
    }

    fn parse_container(&self, request: &HttpRequest) -> Result<Call, Problem> {
        let param = |name: &str| request.param(name).map(str::to_owned);
        match (request.method.as_str(), request.param("comp")) {
            ("GET", Some("list")) => Ok(Call::List(ListQuery {
                prefix: param("prefix").unwrap_or_default(),
                delimiter: param("delimiter"),
                token: param("marker"),
                after: None,
                from: param("startFrom"),
                max: request.param("maxresults").and_then(|max| max.parse().ok()),
            })),
            ("POST", Some("batch")) => azure_batch::parse(self, request),
            _ => Err(protocol::unsupported()),
        }
    }
}

fn parse_blob(request: &HttpRequest, key: String) -> Result<Call, Problem> {
    let header = |name: &str| request.header(name).map(str::to_owned);
    let conditions = Conditions {
        if_match: header("if-match"),
        if_none_match: header("if-none-match"),
        if_generation_match: None,
    };
    if request.header("x-ms-copy-source").is_some() {
        return Err(protocol::unsupported());
    }
    let meta = protocol::meta(request, META, "x-ms-blob-");
    // The blocks that wait for a list belong to the name, not to an upload.
    let upload = format!("blocks of {key}");
    match (request.method.as_str(), request.param("comp")) {
        ("PUT", None) if request.header("x-ms-blob-type").is_none() => Err(Problem::new(
            400,
            "MissingRequiredHeader",
            "An HTTP header that's mandatory for this request is not specified.",
        )),
        ("PUT", None) => Ok(Call::Put { key, body: request.body.clone(), meta, conditions }),
        ("PUT", Some("block")) => {
            let part = request.param("blockid").unwrap_or_default().to_owned();
            Ok(Call::PutPart { key, upload, part, body: request.body.clone() })
        }
        ("PUT", Some("blocklist")) => {
            let document = String::from_utf8_lossy(&request.body);
            let parts = texts(&document, "Uncommitted");
            Ok(Call::Complete { key, upload, parts, meta: Some(meta), conditions })
        }
        ("GET" | "HEAD", None) => Ok(Call::Read {
            key,
            head: request.method == "HEAD",
            range: protocol::range(request),
            generation: None,
            conditions,
        }),
        ("DELETE", None) => Ok(Call::Delete { key, conditions }),
        _ => Err(protocol::unsupported()),
    }
}

fn listing(container: &str, page: &Page) -> Response {
    let mut xml = format!(
        "<EnumerationResults ContainerName=\"{}\"><Prefix>{}</Prefix><MaxResults>{}</MaxResults><Blobs>",
        escape(container),
        escape(&page.query.prefix),
        page.limit,
    );
    for StoredObject { key, body, version, last_modified, .. } in &page.objects {
        let _ = write!(
            xml,
            "<Blob><Name>{}</Name><Properties><Last-Modified>{}</Last-Modified><Etag>{}</Etag>\
             <Content-Length>{}</Content-Length><Content-Type>application/octet-stream</Content-Type>\
             <BlobType>BlockBlob</BlobType></Properties></Blob>",
            escape(key),
            http_date(*last_modified),
            // Without quotes, unlike in the header.
            version.etag.trim_matches('"'),
            body.len(),
        );
    }
    for prefix in &page.prefixes {
        let _ = write!(xml, "<BlobPrefix><Name>{}</Name></BlobPrefix>", escape(prefix));
    }
    let next = page.next.as_deref().unwrap_or_default();
    let _ = write!(xml, "</Blobs><NextMarker>{}</NextMarker></EnumerationResults>", escape(next));
    Response::new(200).xml(&xml)
}
