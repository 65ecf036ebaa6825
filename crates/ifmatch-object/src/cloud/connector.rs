//! The HTTP connector under every client: notes what went over the wire.

use std::time::Duration;

use async_trait::async_trait;
use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName};
use ifmatch_core::Timestamp;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};

use super::exchange::{Answer, Wire, add_headers, record};

/// Connects with `reqwest` and notes every exchange with `authority`; requests
/// to others (credential services) pass unnoted.
#[derive(Debug, Clone)]
pub(super) struct NotingConnector {
    /// Host and port of the store; `None` notes everything.
    pub(super) authority: Option<String>,
}

#[derive(Debug)]
struct NotingService {
    inner: HttpClient,
    authority: Option<String>,
}

impl HttpConnector for NotingConnector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let inner = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(NotingService { inner, authority: self.authority.clone() }))
    }
}

#[async_trait]
impl HttpService for NotingService {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let ours = match (&self.authority, request.uri().authority()) {
            (Some(store), Some(asked)) => asked.as_str().eq_ignore_ascii_case(store),
            (None, _) | (_, None) => true,
        };
        if !ours {
            return self.inner.execute(request).await;
        }
        add_headers(request.headers_mut());
        match answered(self.inner.execute(request).await).await {
            Ok((response, answer)) => {
                record(Wire::Answered(answer));
                Ok(response)
            }
            Err(error) => {
                record(Wire::Broken(kind(&error)));
                Err(error)
            }
        }
    }
}

/// How a request failed. A connection that took too long to come about is none
/// that broke: nothing was sent.
fn kind(error: &HttpError) -> HttpErrorKind {
    let source = std::error::Error::source(error).and_then(|cause| cause.downcast_ref());
    match source {
        Some(cause) if reqwest::Error::is_connect(cause) => HttpErrorKind::Connect,
        _ => error.kind(),
    }
}

/// Reads the whole answer where it is an error: half a refusal is none.
async fn answered(
    response: Result<HttpResponse, HttpError>,
) -> Result<(HttpResponse, Answer), HttpError> {
    let (parts, body) = response?.into_parts();
    let mut answer = Answer {
        status: parts.status,
        date: date(&parts.headers),
        retry_after: text(&parts.headers, &RETRY_AFTER)
            .and_then(|seconds| seconds.trim().parse().ok())
            .map(Duration::from_secs),
        code: text(&parts.headers, &HeaderName::from_static("x-ms-error-code")).map(Into::into),
        request_id: ["x-amz-request-id", "x-goog-request-id", "x-ms-request-id"]
            .into_iter()
            .find_map(|name| text(&parts.headers, &HeaderName::from_static(name)))
            .map(Into::into),
    };
    if !parts.status.is_client_error() && !parts.status.is_server_error() {
        return Ok((HttpResponse::from_parts(parts, body), answer));
    }
    let body = body.bytes().await?;
    answer.code = answer.code.or_else(|| code_of(&body));
    Ok((HttpResponse::from_parts(parts, body.into()), answer))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let time = httpdate::parse_http_date(text(headers, &DATE)?).ok()?;
    let micros = time.duration_since(std::time::UNIX_EPOCH).ok()?.as_micros();
    Some(Timestamp::from_micros(i64::try_from(micros).ok()?))
}

/// The error code in an XML error document of any of the providers.
fn code_of(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(&body[..body.len().min(16 * 1024)]).ok()?;
    let (_, rest) = text.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let short = code.len() <= 100 && code.chars().all(|c| c.is_ascii_alphanumeric());
    short.then(|| code.to_owned())
}
