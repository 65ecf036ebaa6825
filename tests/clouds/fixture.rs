//! A fault server and the stores that are opened on it by URL.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ifmatch::testkit::cloud::{
    AppliedWrite, CloudConfig, CloudServer, Dialect, Fault, LogEntry, Matcher, ObjectVersion,
    Operation,
};
use ifmatch::{
    BlobKey, ConditionalBlobStore, Env, ObjectBlobStore, Precondition, Result, RetryPolicy, Stored,
    Version,
};
use url::Url;

/// A provider and its dialect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cloud {
    S3,
    Gcs,
    Azure,
}

pub(crate) const CLOUDS: [Cloud; 3] = [Cloud::S3, Cloud::Gcs, Cloud::Azure];

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::S3 => "s3",
            Self::Gcs => "gcs",
            Self::Azure => "azure",
        })
    }
}

/// Registers functions of a cloud as one case per cloud, named as they are.
macro_rules! each_cloud {
    ($cases:expr, $($case:ident),+ $(,)?) => {
        for cloud in $crate::fixture::CLOUDS {
            $($cases.add(format!("{cloud}::{}", stringify!($case)), move || $case(cloud));)+
        }
    };
}
pub(crate) use each_cloud;

/// Short pauses: a fault here is not a busy provider.
pub(crate) const QUICK: RetryPolicy = RetryPolicy::new()
    .with_pauses(Duration::from_millis(1), Duration::from_millis(4))
    .with_deadline(Duration::from_mins(1));

/// A fault server and its provider.
pub(crate) struct World {
    pub(crate) cloud: Cloud,
    pub(crate) server: CloudServer,
}

impl World {
    pub(crate) async fn start(cloud: Cloud) -> Self {
        Self::start_with(cloud, CloudConfig::default()).await
    }

    pub(crate) async fn start_with(cloud: Cloud, config: CloudConfig) -> Self {
        let dialect = match cloud {
            Cloud::S3 => Dialect::S3,
            Cloud::Gcs => Dialect::Gcs,
            Cloud::Azure => Dialect::Azure,
        };
        let server = CloudServer::start(dialect, config).await.unwrap();
        Self { cloud, server }
    }

    /// The URL of its bucket, with these options behind (`&name=value`).
    pub(crate) fn url(&self, options: &str) -> String {
        self.url_of(self.server.bucket(), options)
    }

    /// The URL of a bucket.
    pub(crate) fn url_of(&self, bucket: &str, options: &str) -> String {
        let endpoint = self.server.url_base();
        let (scheme, own) = match self.cloud {
            Cloud::S3 => ("s3", "&region=us-east-1".to_owned()),
            Cloud::Gcs => ("gs", "&anonymous=true".to_owned()),
            Cloud::Azure => ("az", format!("&account={}", self.server.account())),
        };
        format!("{scheme}://{bucket}?endpoint={endpoint}&allow_http=true{own}{options}")
    }

    /// A store with short pauses and much patience.
    pub(crate) fn store(&self) -> ObjectBlobStore {
        self.store_with("&timeout=60s", QUICK)
    }

    pub(crate) fn store_with(&self, options: &str, policy: RetryPolicy) -> ObjectBlobStore {
        let url = Url::parse(&self.url(options)).unwrap();
        ifmatch_object::open_cloud(&url, Env::real()).unwrap().with_retry_policy(policy)
    }

    /// A store as users open it.
    pub(crate) fn facade(&self, options: &str) -> Result<Arc<dyn ConditionalBlobStore>> {
        ifmatch::open(&self.url(options))
    }

    /// Gives `faults` to the next writes, one each, in order.
    pub(crate) fn script(&self, operation: Operation, faults: &[Fault]) {
        for fault in faults {
            self.server.inject(Matcher::any().operation(operation), *fault);
        }
    }

    /// The kinds of the requests since the log was cleared, in order.
    pub(crate) fn requests(&self) -> Vec<Operation> {
        self.server.log().iter().map(|entry| entry.request.operation).collect()
    }

    /// The entries of the log that are of this kind.
    pub(crate) fn entries(&self, operation: Operation) -> Vec<LogEntry> {
        let wanted = |entry: &LogEntry| entry.request.operation == operation;
        self.server.log().into_iter().filter(wanted).collect()
    }

    /// The writes of `key` that took effect and that carry this id.
    pub(crate) fn applied(&self, key: &BlobKey, write: ifmatch::WriteId) -> Vec<AppliedWrite> {
        let id = Some(write.to_string());
        let history = self.server.applied_history(key.as_str());
        history.into_iter().filter(|applied| applied.write_id == id).collect()
    }
}

/// Whether a store's version names the server's.
pub(crate) fn names(cloud: Cloud, version: &Version, object: &ObjectVersion) -> bool {
    version.etag() == Some(object.etag.trim_matches('"'))
        && match cloud {
            Cloud::Gcs => version.generation() == Some(object.generation.to_string().as_str()),
            Cloud::S3 | Cloud::Azure => version.generation().is_none(),
        }
}

pub(crate) fn key(name: &str) -> BlobKey {
    BlobKey::new(name).unwrap()
}

/// The three preconditions of a put, each with a key of its own; the object is
/// there already where the precondition needs one.
pub(crate) async fn preconditions(store: &ObjectBlobStore) -> Vec<(BlobKey, Precondition)> {
    let mut all = vec![(key("created"), Precondition::IfAbsent)];
    let first = write(store, &key("updated"), "first", Precondition::Overwrite).await.unwrap();
    all.push((key("updated"), Precondition::IfMatch(first.version)));
    write(store, &key("overwritten"), "first", Precondition::Overwrite).await.unwrap();
    all.push((key("overwritten"), Precondition::Overwrite));
    all
}

pub(crate) async fn write(
    store: &dyn ConditionalBlobStore,
    key: &BlobKey,
    body: &str,
    precondition: Precondition,
) -> Result<Stored> {
    store.put(key, body.to_owned().into(), precondition).await
}
