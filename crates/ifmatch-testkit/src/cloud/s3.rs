//! The dialect of Amazon S3.

use super::{
    answer::{Answer, Problem},
    call::Call,
    conditions::{Conditions, Refusal},
    http::HttpRequest,
    protocol::{self, Protocol},
    response::Response,
    view::Operation,
    xml_api,
};

const META: &str = "x-amz-meta-";

#[derive(Debug)]
pub(super) struct S3 {
    pub(super) bucket: String,
}

impl Protocol for S3 {
    fn parse(&self, request: &HttpRequest) -> Result<Call, Problem> {
        let header = |name: &str| request.header(name).map(str::to_owned);
        let conditions = Conditions {
            if_match: header("if-match"),
            if_none_match: header("if-none-match"),
            if_generation_match: None,
        };
        let reads = matches!(request.method.as_str(), "GET" | "HEAD");
        if !reads && conditions.if_none_match.as_deref().is_some_and(|tags| tags != "*") {
            // S3 knows no other value on writes.
            return Err(protocol::unsupported());
        }
        if request.param("generation").is_some() {
            return Err(protocol::unsupported());
        }
        xml_api::parse(request, &self.bucket, protocol::meta(request, META, ""), conditions)
    }

    fn render(&self, operation: Operation, answer: &Answer) -> Response {
        match answer {
            Answer::Stored(object) => {
                Response::new(200).header("ETag", object.version.etag.as_str())
            }
            Answer::Found(object, part) => Response::object(object, *part, META),
            Answer::NotModified(object) => Response::new(304).validators(object),
            Answer::Deleted | Answer::Aborted => Response::new(204),
            Answer::Missing if operation == Operation::Delete => Response::new(204),
            Answer::Missing | Answer::Refused(Refusal::Missing) => {
                self.problem(&Problem::new(404, "NoSuchKey", "The specified key does not exist."))
            }
            Answer::Refused(_) => self.problem(&Problem::new(
                412,
                "PreconditionFailed",
                "At least one of the pre-conditions you specified did not hold",
            )),
            Answer::Unsatisfiable(size) => self
                .problem(&Problem::new(
                    416,
                    "InvalidRange",
                    "The requested range is not satisfiable",
                ))
                .header("Content-Range", format!("bytes */{size}")),
            Answer::DeletedMany(verdicts) => xml_api::deleted(verdicts),
            Answer::Listing(page) => xml_api::listing(&self.bucket, page),
            Answer::UploadCreated { key, upload } => {
                xml_api::upload_created(&self.bucket, key, upload)
            }
            Answer::PartStored { etag } => Response::new(200).header("ETag", etag.as_str()),
            Answer::Completed(object) => xml_api::completed(&self.bucket, object),
            Answer::NoUpload => self.problem(&Problem::new(
                404,
                "NoSuchUpload",
                "The specified multipart upload does not exist.",
            )),
        }
    }

    fn code(&self, status: u16) -> &'static str {
        match status {
            403 => "AccessDenied",
            404 => "NoSuchKey",
            408 => "RequestTimeout",
            409 => "ConditionalRequestConflict",
            412 => "PreconditionFailed",
            429 => "TooManyRequests",
            500 => "InternalError",
            503 => "SlowDown",
            _ => "InvalidRequest",
        }
    }

    fn problem(&self, problem: &Problem) -> Response {
        Response::problem(problem)
    }

    fn sign(&self, seq: u64, response: Response) -> Response {
        response
            .header("Server", "AmazonS3")
            .header("x-amz-request-id", format!("{seq:016X}"))
            .header("x-amz-id-2", format!("fault-server-{seq}"))
    }
}
