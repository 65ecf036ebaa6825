//! Deletes, with a condition where the provider has one.
//!
//! `object_store` has no conditional delete. On GCS the condition is a header
//! that our connector adds. On Azure it belongs to what is signed, and
//! `object_store` deletes there by a batch request, so we build and sign that
//! request ourselves. (Not by a signed URL: those of `object_store` 0.14.2 are
//! refused for keys that a URL escapes, and cannot be had from a SAS token.)

use std::sync::Arc;

use http::{HeaderValue, Method, Request};
use ifmatch_core::{Attempt, BlobKey, Deleted, Error, Operation, Precondition};
use object_store::azure::{AzureAuthorizer, MicrosoftAzure};
use object_store::client::{HttpClient, HttpRequestBody};
use object_store::{Error as ObjectError, ObjectStoreExt};
use url::Url;

use super::classify::Failure;
use super::exchange::Exchange;
use super::store::{ObjectBlobStore, Provider, path};

/// Sends deletes to Azure.
#[derive(Debug)]
pub(super) struct Deleter {
    pub(super) credentials: Arc<MicrosoftAzure>,
    pub(super) http: HttpClient,
    pub(super) account: String,
    /// The container's address.
    pub(super) container: Url,
    /// Nothing is signed.
    pub(super) anonymous: bool,
}

impl Deleter {
    async fn send(&self, key: &BlobKey, etag: Option<&str>) -> object_store::Result<()> {
        let mut url = self.container.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(key.segments());
        }
        let mut request = Request::builder()
            .method(Method::DELETE)
            .uri(url.as_str())
            .body(HttpRequestBody::empty())
            .map_err(generic)?;
        if let Some(etag) = etag {
            let etag = HeaderValue::from_str(etag).map_err(generic)?;
            request.headers_mut().insert(http::header::IF_MATCH, etag);
        }
        if !self.anonymous {
            let credential = self.credentials.credentials().get_credential().await?;
            AzureAuthorizer::new(&credential, &self.account).try_authorize(&mut request)?;
        }
        let response = self.http.execute(request).await.map_err(generic)?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        Err(generic(format!("the store answered {status}")))
    }
}

fn generic(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ObjectError {
    ObjectError::Generic { store: "MicrosoftAzure", source: source.into() }
}

impl ObjectBlobStore {
    pub(super) fn deletes_conditionally(&self) -> bool {
        match self.provider {
            Provider::Gcs => !self.foreign,
            Provider::Azure => self.deleter.is_some(),
            Provider::S3 => false,
        }
    }

    pub(super) async fn delete_once(
        &self,
        key: &BlobKey,
        precondition: &Precondition,
    ) -> Attempt<Deleted> {
        if matches!(precondition, Precondition::IfMatch(_)) && !self.deletes_conditionally() {
            let what = format!("{self} has no conditional delete");
            return Attempt::Refused(Error::unsupported(what));
        }
        let precondition = match self.matchable(key, precondition).await {
            Ok(Some(precondition)) => precondition,
            Ok(None) => return Attempt::Rejected { date: None },
            Err(error) => return Attempt::Refused(error),
        };
        let path = match path(key) {
            Ok(path) => path,
            Err(error) => return Attempt::Refused(error),
        };
        let asked = self.asked(Operation::Delete, key.as_str(), Some(&precondition));
        let exchange = Exchange::default();
        let mut etag = None;
        if let Precondition::IfMatch(version) = &precondition {
            match (self.provider, version.generation(), version.quoted_etag()) {
                (Provider::Gcs, Some(generation), _) => {
                    exchange.add_header("x-goog-if-generation-match", generation);
                }
                (Provider::Azure, _, Some(tag)) => etag = Some(tag),
                _ => {
                    let what = format!("{version} is no version that {self} gives to {key}");
                    return Attempt::Refused(Error::invalid(what));
                }
            }
        }
        let sent = async {
            match &self.deleter {
                Some(deleter) => deleter.send(key, etag.as_deref()).await,
                None => self.client.delete(&path).await,
            }
        };
        let answer = self.call(&asked, &exchange, self.timeout, sent).await;
        let date = exchange.date();
        let gone = matches!(precondition, Precondition::Overwrite);
        match answer {
            Ok(()) => Attempt::Applied(Deleted { date }),
            Err(Failure::Missing) if gone => Attempt::Applied(Deleted { date }),
            Err(Failure::Missing | Failure::Rejected | Failure::Unchanged) => {
                Attempt::Rejected { date }
            }
            Err(Failure::Refused(error)) => Attempt::Refused(error),
            Err(Failure::Unknown(error)) => Attempt::Unknown(error),
        }
    }
}
