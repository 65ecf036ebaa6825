//! Deletes, with a condition where the provider has one.
//!
//! `object_store` has no conditional delete. On GCS the condition is a header
//! that our connector adds. Azure signs `If-Match`, and `object_store` deletes
//! there by a batch request, so we send the request ourselves through a signed
//! URL.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use ifmatch_core::{Attempt, BlobKey, Deleted, Error, Operation, Precondition};
use object_store::azure::MicrosoftAzure;
use object_store::client::{HttpClient, HttpRequestBody};
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{Error as ObjectError, ObjectStoreExt};

use super::classify::Failure;
use super::exchange::{Exchange, Wire};
use super::store::{ObjectBlobStore, Provider, path};

/// How long a signed URL stays valid: longer than any request takes.
const SIGNATURE_LIFE: Duration = Duration::from_secs(600);

/// Sends deletes to Azure by signed URLs.
#[derive(Debug)]
pub(super) struct Deleter {
    pub(super) signer: Arc<MicrosoftAzure>,
    pub(super) http: HttpClient,
}

impl Deleter {
    async fn send(&self, path: &Path) -> object_store::Result<()> {
        let url = self.signer.signed_url(Method::DELETE, path, SIGNATURE_LIFE).await?;
        let generic = |source: Box<dyn std::error::Error + Send + Sync>| ObjectError::Generic {
            store: "MicrosoftAzure",
            source,
        };
        let request = http::Request::builder()
            .method(Method::DELETE)
            .uri(url.as_str())
            .header("x-ms-version", "2023-11-03")
            .body(HttpRequestBody::empty())
            .map_err(|error| generic(Box::new(error)))?;
        let response =
            self.http.execute(request).await.map_err(|error| generic(Box::new(error)))?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        Err(generic(format!("the store answered {status}").into()))
    }
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
        if let Precondition::IfMatch(version) = &precondition {
            match (self.provider, version.generation(), version.quoted_etag()) {
                (Provider::Gcs, Some(generation), _) => {
                    exchange.add_header("x-goog-if-generation-match", generation);
                }
                (_, _, Some(etag)) => exchange.add_header("if-match", &etag),
                _ => {
                    let what = format!("{version} is no version that {self} gives to {key}");
                    return Attempt::Refused(Error::invalid(what));
                }
            }
        }
        let sent = async {
            match &self.deleter {
                Some(deleter) => deleter.send(&path).await,
                None => self.client.delete(&path).await,
            }
        };
        let answer = self.call(&asked, &exchange, self.timeout, sent).await;
        let date = exchange.date();
        let gone = matches!(precondition, Precondition::Overwrite);
        match answer {
            Ok(()) => Attempt::Applied(Deleted { date }),
            Err(Failure::Missing) if gone => Attempt::Applied(Deleted { date }),
            Err(Failure::Missing | Failure::Rejected) => Attempt::Rejected { date },
            Err(Failure::Refused(error)) => Attempt::Refused(error),
            // A refusal of the condition whose status was hidden by the batch.
            Err(Failure::Unknown(error)) => match exchange.wire() {
                Some(Wire::Answered(answer)) if answer.status == 412 => Attempt::Rejected { date },
                _ => Attempt::Unknown(error),
            },
        }
    }
}
