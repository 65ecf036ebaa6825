//! The blob store over an `object_store` client.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use ifmatch_core::{
    Attempt, BlobInfo, BlobKey, BlobPrefix, Capabilities, ConditionalBlobStore, Deleted, Endpoint,
    Env, Error, Fetched, GetOptions, ListOrder, Operation, Precondition, ProbeGate, Reach, Reason,
    Result, RetryPolicy, Stored, Timestamp, Version, Versions, WriteId, retry_read,
};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, PutMode, PutOptions, PutPayload, UpdateVersion};

use super::classify::{Asked, Failure, classify};
use super::delete::Deleter;
use super::exchange::Exchange;
use super::list::Listing;
use super::metadata;

/// Which provider's rules a store follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Provider {
    /// Amazon S3 and its relatives: matches on an ETag that is a hash of the
    /// body.
    S3,
    /// Google Cloud Storage: matches on a generation.
    Gcs,
    /// Azure Blob Storage: matches on a unique ETag.
    Azure,
}

impl Provider {
    /// The scheme of its URLs.
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Gcs => "gs",
            Self::Azure => "az",
        }
    }

    /// Largest body of one put, in bytes (each provider's documented limit).
    const fn max_body(self) -> u64 {
        match self {
            Self::S3 => 5 << 30,
            Self::Gcs => 5 << 40,
            Self::Azure => 5_000 << 20,
        }
    }
}

/// A [`ConditionalBlobStore`] over an `object_store` client.
///
/// Every write leaves its id and what it replaced in the object's metadata, and
/// every failure is resolved by reading them back. Conditional writes are never
/// sent again by the client below.
pub struct ObjectBlobStore {
    pub(super) client: Arc<dyn ObjectStore>,
    pub(super) deleter: Option<Deleter>,
    pub(super) provider: Provider,
    /// Scheme and bucket, as messages name the store.
    pub(super) name: String,
    pub(super) endpoint: Endpoint,
    pub(super) env: Env,
    pub(super) policy: RetryPolicy,
    /// How long one request may take, or stand still.
    pub(super) timeout: Duration,
    /// The client was handed to us: our connector is not in it.
    pub(super) foreign: bool,
}

/// The slowest upload that is still waited for.
const SLOWEST_BYTES_PER_SECOND: u64 = 256 * 1024;

impl ObjectBlobStore {
    /// A store over a client that you built.
    ///
    /// Build it with `RetryConfig { max_retries: 0, .. }`: otherwise
    /// `object_store` sends conditional writes again by itself, and every lost
    /// answer costs a read-back and may end in
    /// [`OutcomeUnknown`](Error::OutcomeUnknown). Answers carry no `date`, and
    /// there is no conditional delete. `name` stands in messages; leave secrets
    /// out of it.
    pub fn from_store(
        client: Arc<dyn ObjectStore>,
        provider: Provider,
        name: impl Into<String>,
        env: Env,
    ) -> Self {
        let name = name.into();
        Self {
            client,
            deleter: None,
            provider,
            endpoint: Endpoint::new(name.as_str()),
            name,
            env,
            policy: RetryPolicy::default(),
            timeout: Duration::from_secs(30),
            foreign: true,
        }
    }

    /// The same with another retry policy.
    pub fn with_retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.policy = policy;
        self
    }

    pub(super) fn asked<'a>(
        &'a self,
        operation: Operation,
        subject: &'a str,
        precondition: Option<&'a Precondition>,
    ) -> Asked<'a> {
        Asked { operation, subject, store: &self.name, precondition }
    }

    /// One call of the client within the time limit, classified.
    pub(super) async fn call<T>(
        &self,
        asked: &Asked<'_>,
        exchange: &Exchange,
        limit: Duration,
        call: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            answer = exchange.during(call) => answer
                .map_err(|error| classify(asked, exchange.wire().as_ref(), &error, self.foreign)),
            () = self.env.sleep(limit) => Err(Failure::Unknown(asked.unavailable(
                Reason::source(format!("no answer within {limit:?}")),
            ))),
        }
    }

    fn upload_limit(&self, bytes: usize) -> Duration {
        self.timeout + Duration::from_secs(bytes as u64 / SLOWEST_BYTES_PER_SECOND)
    }

    pub(super) fn version(&self, etag: Option<&str>, generation: Option<&str>) -> Version {
        match self.provider {
            Provider::Gcs => Version::from_parts(etag, generation),
            // A version id of a versioned bucket is no condition.
            Provider::S3 | Provider::Azure => Version::from_parts(etag, None),
        }
    }

    pub(super) fn info(&self, key: BlobKey, meta: &ObjectMeta) -> BlobInfo {
        BlobInfo {
            key,
            version: self.version(meta.e_tag.as_deref(), meta.version.as_deref()),
            size: meta.size,
            last_modified: Some(Timestamp::from_micros(meta.last_modified.timestamp_micros())),
            write: None,
            date: None,
        }
    }

    fn mode(&self, key: &BlobKey, precondition: &Precondition) -> Result<PutMode> {
        match precondition {
            Precondition::Overwrite => Ok(PutMode::Overwrite),
            Precondition::IfAbsent => Ok(PutMode::Create),
            Precondition::IfMatch(version) => {
                let (e_tag, generation) = (version.quoted_etag(), version.generation());
                let usable = match self.provider {
                    Provider::Gcs => generation.is_some(),
                    Provider::S3 | Provider::Azure => e_tag.is_some(),
                };
                if usable {
                    let version = generation.map(Into::into);
                    return Ok(PutMode::Update(UpdateVersion { e_tag, version }));
                }
                Err(Error::invalid(format!("{version} is no version that {self} gives to {key}")))
            }
            other => Err(Error::unsupported(format!("{self} has no put under {other}"))),
        }
    }

    /// The version with what this provider matches on: a listing of GCS gives
    /// no generation, so that costs a request more.
    pub(super) async fn matchable(
        &self,
        key: &BlobKey,
        precondition: &Precondition,
    ) -> Result<Option<Precondition>> {
        let Precondition::IfMatch(version) = precondition else {
            return Ok(Some(precondition.clone()));
        };
        if self.provider != Provider::Gcs || version.generation().is_some() {
            return Ok(Some(precondition.clone()));
        }
        Ok(self
            .head(key)
            .await?
            .filter(|info| info.version == *version)
            .map(|info| Precondition::IfMatch(info.version)))
    }
}

/// The name is the key itself, so that other tools see the same names.
pub(super) fn path(key: &BlobKey) -> Result<Path> {
    Path::parse(key.as_str()).map_err(|error| Error::invalid(format!("key {key}: {error}")))
}

#[async_trait]
impl ConditionalBlobStore for ObjectBlobStore {
    async fn get(&self, key: &BlobKey, options: GetOptions) -> Result<Fetched> {
        let path = path(key)?;
        let read = || self.get_once(key, &path, &options);
        retry_read(&self.env, self.policy, read).await
    }

    async fn head(&self, key: &BlobKey) -> Result<Option<BlobInfo>> {
        let path = path(key)?;
        retry_read(&self.env, self.policy, || self.head_once(key, &path)).await
    }

    async fn attempt_put(
        &self,
        key: &BlobKey,
        body: Bytes,
        precondition: &Precondition,
        write: WriteId,
    ) -> Attempt<Stored> {
        let prepared = async {
            let Some(precondition) = self.matchable(key, precondition).await? else {
                return Ok(None);
            };
            Ok(Some((path(key)?, self.mode(key, &precondition)?, precondition)))
        };
        let (path, mode, precondition) = match prepared.await {
            Ok(Some(prepared)) => prepared,
            Ok(None) => return Attempt::Rejected { date: None },
            Err(error) => return Attempt::Refused(error),
        };
        let asked = self.asked(Operation::Put, key.as_str(), Some(&precondition));
        let exchange = Exchange::default();
        let mut options = PutOptions::from(mode);
        options.attributes = metadata::attributes(write, &precondition);
        let limit = self.upload_limit(body.len());
        let sent = self.client.put_opts(&path, PutPayload::from(body), options);
        match self.call(&asked, &exchange, limit, sent).await {
            Ok(put) => {
                let version = self.version(put.e_tag.as_deref(), put.version.as_deref());
                Attempt::Applied(Stored {
                    version: version.with_write(Some(write)),
                    date: exchange.date(),
                })
            }
            Err(Failure::Rejected) => Attempt::Rejected { date: exchange.date() },
            Err(Failure::Unknown(error)) => Attempt::Unknown(error),
            Err(failure) => Attempt::Refused(failure.into_error(&asked)),
        }
    }

    async fn attempt_delete(&self, key: &BlobKey, precondition: &Precondition) -> Attempt<Deleted> {
        self.delete_once(key, precondition).await
    }

    fn list(
        &self,
        prefix: &BlobPrefix,
        start_after: Option<&BlobKey>,
    ) -> BoxStream<'_, Result<BlobInfo>> {
        Listing::stream(self, prefix, start_after)
    }

    fn capabilities(&self) -> Capabilities {
        let mut can = Capabilities::full(Reach::Global);
        can.delete_if_match = self.deletes_conditionally();
        can.versions = match self.provider {
            Provider::S3 => Versions::ByContent,
            Provider::Gcs | Provider::Azure => Versions::Unique,
        };
        can.writes_per_second_per_key = match self.provider {
            Provider::Gcs => Some(1),
            Provider::S3 | Provider::Azure => None,
        };
        can.list_order = ListOrder::ByKey;
        can.max_body = self.provider.max_body();
        can
    }

    fn endpoint(&self) -> Endpoint {
        self.endpoint.clone()
    }

    fn env(&self) -> &Env {
        &self.env
    }

    fn retry_policy(&self) -> RetryPolicy {
        self.policy
    }

    fn probe_gate(&self) -> Option<&ProbeGate> {
        None
    }
}

impl fmt::Display for ObjectBlobStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for ObjectBlobStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectBlobStore({:?} at {:?})", self.name, self.endpoint)
    }
}
