//! What S3 and the XML API of GCS have in common: paths, queries, bodies.

use super::{
    answer::{Answer, DeletedOne, Problem},
    call::{Call, Deletion},
    conditions::Conditions,
    http::{HttpRequest, decode},
    list::{ListQuery, Page},
    object::{Meta, StoredObject},
    protocol::{range, unsupported},
    response::{Response, iso_date},
    xml::{escape, texts},
};
use std::fmt::Write as _;

/// Query parameters of requests on an object; others ask for what is not here.
const OBJECT_PARAMS: [&str; 5] = ["uploads", "uploadId", "partNumber", "generation", "x-id"];

/// Query parameters of requests on the bucket.
const BUCKET_PARAMS: [&str; 9] = [
    "list-type",
    "prefix",
    "delimiter",
    "continuation-token",
    "start-after",
    "max-keys",
    "fetch-owner",
    "delete",
    "x-id",
];

/// Parses a request whose metadata and conditions the dialect has read.
pub(super) fn parse(
    request: &HttpRequest,
    bucket: &str,
    meta: Meta,
    conditions: Conditions,
) -> Result<Call, Problem> {
    let path = request.path.trim_start_matches('/');
    let (name, key) = path.split_once('/').unwrap_or((path, ""));
    if decode(name) != bucket {
        return Err(Problem::new(404, "NoSuchBucket", "The specified bucket does not exist."));
    }
    let key = decode(key);
    let allowed: &[&str] = if key.is_empty() { &BUCKET_PARAMS } else { &OBJECT_PARAMS };
    let vendor = |name: &str| name.starts_with("X-Amz-") || name.starts_with("X-Goog-");
    if request.query.iter().any(|(name, _)| !allowed.contains(&name.as_str()) && !vendor(name)) {
        return Err(unsupported());
    }
    if key.is_empty() {
        parse_bucket(request)
    } else {
        parse_object(request, key, meta, conditions)
    }
}

fn parse_bucket(request: &HttpRequest) -> Result<Call, Problem> {
    let param = |name: &str| request.param(name).map(str::to_owned);
    match request.method.as_str() {
        "GET" => Ok(Call::List(ListQuery {
            prefix: param("prefix").unwrap_or_default(),
            delimiter: param("delimiter"),
            token: param("continuation-token"),
            after: param("start-after"),
            from: None,
            max: request.param("max-keys").and_then(|max| max.parse().ok()),
        })),
        "POST" if request.param("delete").is_some() => {
            let document = String::from_utf8_lossy(&request.body);
            let keys = texts(&document, "Key").into_iter();
            let whole =
                |key: String| Deletion { id: key.clone(), key, conditions: Conditions::default() };
            Ok(Call::DeleteMany(keys.map(whole).collect()))
        }
        _ => Err(unsupported()),
    }
}

fn parse_object(
    request: &HttpRequest,
    key: String,
    meta: Meta,
    conditions: Conditions,
) -> Result<Call, Problem> {
    let upload = request.param("uploadId").map(str::to_owned);
    let part = request.param("partNumber").map(str::to_owned);
    let copy = ["x-amz-copy-source", "x-goog-copy-source"];
    if copy.iter().any(|name| request.header(name).is_some()) {
        return Err(unsupported());
    }
    match (request.method.as_str(), upload, part) {
        ("PUT", Some(upload), Some(part)) => {
            Ok(Call::PutPart { key, upload, part, body: request.body.clone() })
        }
        ("PUT", None, None) => Ok(Call::Put { key, body: request.body.clone(), meta, conditions }),
        ("GET" | "HEAD", None, None) => Ok(Call::Read {
            key,
            head: request.method == "HEAD",
            range: range(request),
            generation: request.param("generation").map(str::to_owned),
            conditions,
        }),
        ("DELETE", Some(upload), None) => Ok(Call::Abort { key, upload }),
        ("DELETE", None, None) => Ok(Call::Delete { key, conditions }),
        ("POST", Some(upload), None) => {
            let parts = texts(&String::from_utf8_lossy(&request.body), "PartNumber");
            Ok(Call::Complete { key, upload, parts, meta: None, conditions })
        }
        ("POST", None, None) if request.param("uploads").is_some() => {
            Ok(Call::CreateUpload { key, meta })
        }
        _ => Err(unsupported()),
    }
}

/// A page of a listing (`ListObjectsV2`).
pub(super) fn listing(bucket: &str, page: &Page) -> Response {
    let mut xml = format!(
        "<ListBucketResult><Name>{}</Name><Prefix>{}</Prefix><KeyCount>{}</KeyCount><MaxKeys>{}</MaxKeys>",
        escape(bucket),
        escape(&page.query.prefix),
        page.objects.len() + page.prefixes.len(),
        page.limit,
    );
    let _ = write!(xml, "<IsTruncated>{}</IsTruncated>", page.next.is_some());
    if let Some(next) = &page.next {
        let _ = write!(xml, "<NextContinuationToken>{}</NextContinuationToken>", escape(next));
    }
    for StoredObject { key, body, version, last_modified, .. } in &page.objects {
        let _ = write!(
            xml,
            "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>{}</ETag><Size>{}</Size>\
             <StorageClass>STANDARD</StorageClass></Contents>",
            escape(key),
            iso_date(*last_modified),
            escape(&version.etag),
            body.len(),
        );
    }
    for prefix in &page.prefixes {
        let _ = write!(xml, "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", escape(prefix));
    }
    Response::new(200).xml(&(xml + "</ListBucketResult>"))
}

/// The answer to a batch of deletions: a missing key counts as deleted.
pub(super) fn deleted(verdicts: &[DeletedOne]) -> Response {
    let mut xml = String::from("<DeleteResult>");
    for DeletedOne { key, answer, .. } in verdicts {
        let key = escape(key);
        let _ = match **answer {
            Answer::Refused(_) => write!(
                xml,
                "<Error><Key>{key}</Key><Code>PreconditionFailed</Code>\
                 <Message>At least one of the preconditions did not hold.</Message></Error>"
            ),
            _ => write!(xml, "<Deleted><Key>{key}</Key></Deleted>"),
        };
    }
    Response::new(200).xml(&(xml + "</DeleteResult>"))
}

/// The answer to the start of an upload in parts.
pub(super) fn upload_created(bucket: &str, key: &str, upload: &str) -> Response {
    Response::new(200).xml(&format!(
        "<InitiateMultipartUploadResult><Bucket>{}</Bucket><Key>{}</Key><UploadId>{}</UploadId>\
         </InitiateMultipartUploadResult>",
        escape(bucket),
        escape(key),
        escape(upload),
    ))
}

/// The answer to the end of an upload in parts.
pub(super) fn completed(bucket: &str, object: &StoredObject) -> Response {
    Response::new(200).xml(&format!(
        "<CompleteMultipartUploadResult><Bucket>{}</Bucket><Key>{}</Key><ETag>{}</ETag>\
         </CompleteMultipartUploadResult>",
        escape(bucket),
        escape(&object.key),
        escape(&object.version.etag),
    ))
}
