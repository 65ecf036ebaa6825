//! The dialect of Google Cloud Storage's XML API.

use super::{
    answer::{Answer, Problem},
    call::Call,
    conditions::{Conditions, Refusal},
    http::HttpRequest,
    object::StoredObject,
    protocol::{self, Protocol},
    response::Response,
    view::Operation,
    xml_api,
};

const META: &str = "x-goog-meta-";

#[derive(Debug)]
pub(super) struct Gcs {
    pub(super) bucket: String,
}

impl Protocol for Gcs {
    fn parse(&self, request: &HttpRequest) -> Result<Call, Problem> {
        let header = |name: &str| request.header(name).map(str::to_owned);
        let reads = matches!(request.method.as_str(), "GET" | "HEAD");
        let generation = match request.header("x-goog-if-generation-match").map(str::parse) {
            Some(Ok(generation)) => Some(generation),
            Some(Err(_)) => {
                return Err(Problem::new(
                    400,
                    "InvalidArgument",
                    "The generation is not a number.",
                ));
            }
            None => None,
        };
        // Writes do not look at tags, and the end of an upload in parts looks
        // at no condition at all.
        let conditions = Conditions {
            if_match: reads.then(|| header("if-match")).flatten(),
            if_none_match: reads.then(|| header("if-none-match")).flatten(),
            if_generation_match: generation.filter(|_| request.method != "POST"),
        };
        xml_api::parse(request, &self.bucket, protocol::meta(request, META, ""), conditions)
    }

    fn render(&self, operation: Operation, answer: &Answer) -> Response {
        match answer {
            Answer::Stored(object) => {
                generation(Response::new(200).header("ETag", object.version.etag.as_str()), object)
            }
            Answer::Found(object, part) => {
                generation(Response::object(object, *part, META), object)
            }
            Answer::NotModified(object) => {
                generation(Response::new(304).validators(object), object)
            }
            Answer::Deleted | Answer::Aborted => Response::new(204),
            Answer::Refused(Refusal::Missing) if operation == Operation::Delete => self.missing(),
            Answer::Missing => self.missing(),
            Answer::Refused(_) => self.problem(&Problem::new(
                412,
                "PreconditionFailed",
                "At least one of the pre-conditions you specified did not hold.",
            )),
            Answer::Unsatisfiable(size) => self
                .problem(&Problem::new(
                    416,
                    "InvalidRange",
                    "The requested range cannot be satisfied.",
                ))
                .header("Content-Range", format!("bytes */{size}")),
            Answer::DeletedMany(verdicts) => xml_api::deleted(verdicts),
            Answer::Listing(page) => xml_api::listing(&self.bucket, page),
            Answer::UploadCreated { key, upload } => {
                xml_api::upload_created(&self.bucket, key, upload)
            }
            Answer::PartStored { etag } => Response::new(200).header("ETag", etag.as_str()),
            Answer::Completed(object) => {
                generation(xml_api::completed(&self.bucket, object), object)
            }
            Answer::NoUpload => self.problem(&Problem::new(
                404,
                "NoSuchUpload",
                "The requested upload was not found.",
            )),
        }
    }

    fn code(&self, status: u16) -> &'static str {
        match status {
            403 => "AccessDenied",
            404 => "NoSuchKey",
            408 => "RequestTimeout",
            409 => "OperationAborted",
            412 => "PreconditionFailed",
            429 => "SlowDown",
            500 => "InternalError",
            503 => "ServiceUnavailable",
            _ => "InvalidRequest",
        }
    }

    fn problem(&self, problem: &Problem) -> Response {
        Response::problem(problem)
    }

    fn sign(&self, seq: u64, response: Response) -> Response {
        response
            .header("Server", "UploadServer")
            .header("x-guploader-uploadid", format!("fault-server-{seq}"))
    }
}

impl Gcs {
    fn missing(&self) -> Response {
        self.problem(&Problem::new(404, "NoSuchKey", "The specified key does not exist."))
    }
}

fn generation(response: Response, object: &StoredObject) -> Response {
    response
        .header("x-goog-generation", object.version.generation.to_string())
        .header("x-goog-metageneration", "1")
}
