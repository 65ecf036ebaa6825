//! The real `object_store` clients, pointed at a server.

use ifmatch_testkit::cloud::{CloudConfig, CloudServer, Dialect, Switches};
use object_store::{
    Attribute, Attributes, BackoffConfig, ClientOptions, Error, ObjectStore, ObjectStoreExt as _,
    PutMode, PutOptions, PutPayload, PutResult, Result, RetryConfig, StaticCredentialProvider,
    aws::AmazonS3Builder,
    azure::MicrosoftAzureBuilder,
    gcp::{GcpCredential, GoogleCloudStorageBuilder},
    path::Path,
};
use std::{sync::Arc, time::Duration};

pub(crate) const DIALECTS: [Dialect; 3] = [Dialect::S3, Dialect::Gcs, Dialect::Azure];

pub(crate) type Client = Arc<dyn ObjectStore>;

pub(crate) async fn start(dialect: Dialect) -> CloudServer {
    CloudServer::start(dialect, CloudConfig::default()).await.unwrap()
}

/// A client that sends every request once.
pub(crate) fn client(server: &CloudServer) -> Client {
    client_with(server, 0, Duration::from_secs(30))
}

/// A client with this many retries and this patience with an answer.
pub(crate) fn client_with(server: &CloudServer, max_retries: usize, timeout: Duration) -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let options = ClientOptions::new().with_allow_http(true).with_timeout(timeout);
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(1),
        max_backoff: Duration::from_millis(2),
        base: 2.0,
    };
    let retry = RetryConfig { backoff, max_retries, retry_timeout: Duration::from_mins(1) };
    match server.dialect() {
        Dialect::S3 => Arc::new(s3(server, options, retry).build().unwrap()),
        Dialect::Gcs => Arc::new(
            GoogleCloudStorageBuilder::new()
                .with_base_url(&server.url_base())
                .with_bucket_name(server.bucket())
                .with_credentials(Arc::new(StaticCredentialProvider::new(GcpCredential {
                    bearer: "token".into(),
                })))
                .with_client_options(options)
                .with_retry(retry)
                .build()
                .unwrap(),
        ),
        Dialect::Azure => Arc::new(
            MicrosoftAzureBuilder::new()
                .with_endpoint(server.url_base())
                .with_account(server.account())
                .with_access_key("c2VjcmV0")
                .with_container_name(server.bucket())
                .with_client_options(options)
                .with_retry(retry)
                .build()
                .unwrap(),
        ),
        other => panic!("no client for {other}"),
    }
}

/// A client of S3 that deletes by plain DELETE requests.
pub(crate) fn s3_without_bulk_delete(server: &CloudServer) -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let options = ClientOptions::new().with_allow_http(true);
    let builder = s3(server, options, RetryConfig::default());
    Arc::new(builder.with_disable_bulk_delete(true).build().unwrap())
}

fn s3(server: &CloudServer, options: ClientOptions, retry: RetryConfig) -> AmazonS3Builder {
    AmazonS3Builder::new()
        .with_endpoint(server.url_base())
        .with_bucket_name(server.bucket())
        .with_region("us-east-1")
        .with_access_key_id("test")
        .with_secret_access_key("test")
        .with_client_options(options)
        .with_retry(retry)
}

/// A write that carries its id.
pub(crate) async fn write(
    client: &Client,
    key: &str,
    body: impl Into<PutPayload>,
    id: &'static str,
    mode: PutMode,
) -> Result<PutResult> {
    let mut attributes = Attributes::new();
    attributes.insert(Attribute::Metadata("ifmatchid".into()), id.into());
    let options = PutOptions { mode, attributes, ..PutOptions::default() };
    client.put_opts(&Path::from(key), body.into(), options).await
}

/// What a write saw: the precondition for the next one.
pub(crate) fn update(seen: &PutResult) -> PutMode {
    PutMode::Update(seen.clone().into())
}

/// The body of an object, or the kind of error.
pub(crate) async fn body(client: &Client, key: &str) -> std::result::Result<String, &'static str> {
    let got = client.get(&Path::from(key)).await.map_err(|error| kind(&error))?;
    let bytes = got.bytes().await.map_err(|error| kind(&error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The kind of an error by name.
pub(crate) fn kind(error: &Error) -> &'static str {
    match error {
        Error::Generic { .. } => "Generic",
        Error::NotFound { .. } => "NotFound",
        Error::AlreadyExists { .. } => "AlreadyExists",
        Error::Precondition { .. } => "Precondition",
        Error::NotModified { .. } => "NotModified",
        Error::PermissionDenied { .. } => "PermissionDenied",
        _ => "another",
    }
}

/// `ok` or the kind of error.
pub(crate) fn verdict<T>(result: &Result<T>) -> &'static str {
    result.as_ref().map_or_else(kind, |_| "ok")
}

pub(crate) fn deny() -> Switches {
    Switches { deny: true, ..Switches::default() }
}
