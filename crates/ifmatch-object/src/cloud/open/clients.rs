//! One `object_store` client per provider.

use std::sync::Arc;

use ifmatch_core::{Endpoint, Env, Error, Operation, Reason, Result, RetryPolicy};
use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::client::{HttpConnector, StaticCredentialProvider};
use object_store::gcp::{GcpCredential, GoogleCloudStorageBuilder};
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use url::Url;

use super::super::connector::NotingConnector;
use super::super::delete::Deleter;
use super::super::redact;
use super::super::store::{ObjectBlobStore, Provider};
use super::super::tls::ensure_provider;
use super::options::CloudOptions;

/// Variables of which one is set where AWS credentials do not come from the
/// machine's own metadata service.
const AWS_SOURCES: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

/// The same for Google.
const GOOGLE_SOURCES: &[&str] = &[
    "GOOGLE_SERVICE_ACCOUNT",
    "GOOGLE_SERVICE_ACCOUNT_PATH",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
    "GOOGLE_APPLICATION_CREDENTIALS",
];

/// The same for Azure.
const AZURE_SOURCES: &[&str] = &[
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_ACCESS_KEY",
    "AZURE_STORAGE_MASTER_KEY",
    "AZURE_STORAGE_CLIENT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_STORAGE_SAS_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_TOKEN",
    "AZURE_FEDERATED_TOKEN_FILE",
];

pub(super) fn build(options: &CloudOptions, env: Env) -> Result<ObjectBlobStore> {
    ensure_provider();
    let name = format!("{}://{}", options.provider.scheme(), options.bucket);
    let (client, deleter): (Arc<dyn ObjectStore>, _) = match options.provider {
        Provider::S3 => (Arc::new(s3(options, &name)?), None),
        Provider::Gcs => (Arc::new(gcs(options, &name)?), None),
        Provider::Azure => {
            let (client, deleter) = azure(options, &name)?;
            (client, Some(deleter))
        }
    };
    Ok(ObjectBlobStore {
        client,
        deleter,
        provider: options.provider,
        endpoint: endpoint(options),
        name,
        env,
        policy: RetryPolicy::default(),
        timeout: options.timeout,
        foreign: false,
    })
}

/// Scheme, host and port; the provider's own address by its scheme.
fn endpoint(options: &CloudOptions) -> Endpoint {
    Endpoint::new(match &options.endpoint {
        Some(url) => url.origin().ascii_serialization(),
        None => match (&options.region, &options.account) {
            (Some(part), _) | (_, Some(part)) => format!("{}:{part}", options.provider.scheme()),
            (None, None) => options.provider.scheme().to_owned(),
        },
    })
}

fn retries() -> RetryConfig {
    RetryConfig { max_retries: 0, ..RetryConfig::default() }
}

fn http(options: &CloudOptions) -> ClientOptions {
    // Time limits are ours: they come from the environment's clock, and an
    // upload's grows with its size.
    ClientOptions::new().with_timeout_disabled().with_allow_http(options.allow_http)
}

fn connector(options: &CloudOptions) -> NotingConnector {
    let authority = options.endpoint.as_ref().map(|url| {
        let host = url.host_str().unwrap_or_default();
        url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    });
    let authority = authority.filter(|_| !options.virtual_hosted);
    NotingConnector { authority }
}

fn invalid(name: &str, error: &object_store::Error) -> Error {
    Error::invalid(format!("{name}: {}", redact::source(error)))
}

fn is_set(names: &[&str]) -> bool {
    names.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// At a custom endpoint there is no metadata service to ask.
fn require_credentials(
    options: &CloudOptions,
    name: &str,
    sources: &[&str],
    advice: &str,
) -> Result<()> {
    if options.endpoint.is_none() || options.anonymous || is_set(sources) {
        return Ok(());
    }
    let source = Reason::source(format!("no credentials in the environment: {advice}"));
    Err(Error::Denied { operation: Operation::Open, subject: name.into(), source })
}

fn s3(options: &CloudOptions, name: &str) -> Result<object_store::aws::AmazonS3> {
    let advice = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or add anonymous=true";
    require_credentials(options, name, AWS_SOURCES, advice)?;
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(&options.bucket)
        .with_client_options(http(options))
        .with_allow_http(options.allow_http)
        .with_virtual_hosted_style_request(options.virtual_hosted)
        .with_skip_signature(options.anonymous)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_disable_bulk_delete(true)
        .with_retry(retries())
        .with_http_connector(connector(options));
    if let Some(endpoint) = &options.endpoint {
        builder = builder.with_endpoint(endpoint.as_str().trim_end_matches('/'));
    }
    if let Some(region) = &options.region {
        builder = builder.with_region(region);
    }
    builder.build().map_err(|error| invalid(name, &error))
}

fn gcs(options: &CloudOptions, name: &str) -> Result<object_store::gcp::GoogleCloudStorage> {
    let advice = "set GOOGLE_APPLICATION_CREDENTIALS, or add anonymous=true";
    require_credentials(options, name, GOOGLE_SOURCES, advice)?;
    let mut builder = GoogleCloudStorageBuilder::from_env()
        .with_bucket_name(&options.bucket)
        .with_client_options(http(options))
        .with_retry(retries())
        .with_http_connector(connector(options));
    if let Some(endpoint) = &options.endpoint {
        builder = builder.with_base_url(endpoint.as_str().trim_end_matches('/'));
    }
    if options.anonymous {
        // `with_skip_signature` is not honoured by puts (object_store 0.14.2).
        let nobody = GcpCredential { bearer: "anonymous".to_owned() };
        builder = builder
            .with_skip_signature(true)
            .with_credentials(Arc::new(StaticCredentialProvider::new(nobody)));
    }
    builder.build().map_err(|error| invalid(name, &error))
}

fn azure(
    options: &CloudOptions,
    name: &str,
) -> Result<(Arc<object_store::azure::MicrosoftAzure>, Deleter)> {
    let advice = "set AZURE_STORAGE_ACCOUNT_KEY";
    require_credentials(options, name, AZURE_SOURCES, advice)?;
    let connector = connector(options);
    let http_options = http(options);
    let client = connector.connect(&http_options).map_err(|error| invalid(name, &error))?;
    let mut builder = MicrosoftAzureBuilder::from_env()
        .with_container_name(&options.bucket)
        .with_client_options(http_options)
        .with_allow_http(options.allow_http)
        .with_use_emulator(false)
        .with_retry(retries())
        .with_http_connector(connector);
    if let Some(account) = &options.account {
        builder = builder.with_account(account);
    }
    let Some(account) = builder.get_config_value(&AzureConfigKey::AccountName) else {
        let what = format!("{name}: add account=NAME or set AZURE_STORAGE_ACCOUNT_NAME");
        return Err(Error::invalid(what));
    };
    let service = azure_service(options, &builder, &account);
    let container = Url::parse(&format!("{service}/{}", options.bucket))
        .map_err(|error| Error::invalid(format!("account {account:?} or its endpoint: {error}")))?;
    builder = builder.with_endpoint(service);
    let anonymous = builder.get_config_value(&AzureConfigKey::SkipSignature);
    let store = Arc::new(builder.build().map_err(|error| invalid(name, &error))?);
    let deleter = Deleter {
        credentials: Arc::clone(&store),
        http: client,
        account,
        container,
        anonymous: anonymous.as_deref() == Some("true"),
    };
    Ok((store, deleter))
}

/// The address of the account, without a slash at its end.
fn azure_service(options: &CloudOptions, builder: &MicrosoftAzureBuilder, account: &str) -> String {
    let config = |key| builder.get_config_value(&key);
    let service = match (&options.endpoint, config(AzureConfigKey::Endpoint)) {
        (Some(url), _) => url.to_string(),
        (None, Some(url)) => url,
        (None, None) => match config(AzureConfigKey::UseFabricEndpoint).as_deref() {
            Some("true") => format!("https://{account}.blob.fabric.microsoft.com"),
            _ => format!("https://{account}.blob.core.windows.net"),
        },
    };
    service.trim_end_matches('/').to_owned()
}
